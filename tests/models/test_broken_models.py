"""Hundreds of broken backbones, adapters, fusion layers and heads: one line each, before anything is computed."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from architectures import save_type
from backbones import save_attached
from commandline import say
from forked import forked
from model_variants import Variant, by_key, in_place_of, of_weights
from safetensors.torch import load_file, save_file
from tokenizers_tiny import FAMILIES, special_ids, tiny

from adaptstilts.errors import AdaptstiltsError, CheckpointError
from adaptstilts.models import backbone, fingerprints
from adaptstilts.models.adapters import AdapterHost
from adaptstilts.models.heads import load_head

SECONDS = 60
"""For a busy machine; alone, none takes a second."""
MOST_BYTES = 10**9
FINE = "fine"
JSON_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
ATTACHED = {
    "adapter": ("adapter_config.json", "adapter.safetensors"),
    "fusion": ("adapter_fusion_config.json", "model_adapter_fusion.safetensors"),
    "head": ("head_config.json", "model_head.safetensors"),
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> Callable[[str], Path]:
    """A function that gives a good backbone with the tokenizer of a family."""
    root, made = tmp_path_factory.mktemp("originals"), {}

    def original(family: str) -> Path:
        if family not in made:
            folder = root / family
            save_type(folder, FAMILIES[family].model_type, vocabulary=len(tiny(family)), **special_ids(family))
            tiny(family).save_pretrained(str(folder))
            assert use(folder) == FINE  # which also imports what forks would import each
            made[family] = folder
        return made[family]

    return original


def sampled(variants: Iterable[Variant], number: int, seed: str) -> list[Variant]:
    found = list(variants)
    return random.Random(zlib.crc32(seed.encode())).sample(found, min(number, len(found)))


def use(folder: Path) -> str:
    """Check a backbone as `validate` does; if it is fine, use it as a run does."""
    try:
        backbone.locate_backbone(str(folder))
        fingerprints.fingerprint(str(folder))
        backbone.check_backbone(str(folder))
    except CheckpointError as error:
        return str(error)
    encoder, tokenizer = backbone.load_encoder(str(folder)), backbone.load_tokenizer(str(folder))
    ids = torch.tensor([tokenizer("The river, नदी and 🙂", "b")["input_ids"]])
    with torch.no_grad():
        hidden = encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    return FINE if bool(torch.isfinite(hidden).all()) else "not finite"


def check_each(original: Path, folder: Path, variants: list[Variant], attempt: Callable[[Path], str]) -> list[str]:
    """Make each variant and try it in a process of its own; return the answers, after checking each."""
    wrong, answers = [], []
    for variant in variants:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(original, folder)
        variant.change(folder)
        answer, seconds, grown = forked(lambda: attempt(folder), seconds=SECONDS)
        is_line = isinstance(answer, str) and (answer == FINE or answer.startswith(str(folder))) and "\n" not in answer
        if not is_line or not answer.isprintable() or seconds > SECONDS or grown > MOST_BYTES:
            wrong.append(f"{variant.name}: {answer} ({seconds:.1f} s, {grown / 1e6:.0f} MB)")
        answers.append(answer)
    assert not wrong, "\n".join(wrong)
    return answers


@pytest.mark.parametrize("family", ["xlm-roberta", "bert", "deberta-v2", "mt5", "umt5", "mmbert", "modernbert"])
def test_every_key_of_a_backbone_with_wrong_values_gives_one_line_or_works(originals, tmp_path, family):
    original = originals(family)
    answers = check_each(original, tmp_path / "broken", sampled(by_key(original), 30, family), use)
    assert sum(answer != FINE for answer in answers) > 10


def test_damaged_weights_of_a_backbone_give_one_line(originals, tmp_path):
    variants = list(of_weights("model.safetensors"))
    answers = check_each(originals("xlm-roberta"), tmp_path / "broken", variants, use)
    assert [variant.name for variant, answer in zip(variants, answers, strict=True) if answer == FINE] == []
    for answer in answers:
        assert "model.safetensors: " in answer or "tensor" in answer, answer


def test_something_else_in_place_of_a_file_of_a_backbone_gives_one_line(originals, tmp_path):
    variants = [variant for name in JSON_FILES for variant in in_place_of(name)]
    answers = check_each(originals("xlm-roberta"), tmp_path / "broken", variants, use)
    for variant, answer in zip(variants, answers, strict=True):
        name, what = variant.name.split(":")
        if what in {"pipe", "folder", "loop", "endless-device", "empty-device"}:
            assert f"{name}: is a" in answer, (variant.name, answer)
        elif name in {"config.json", "tokenizer.json"}:
            assert re.search(rf"{name}:(\d+:)? ", answer), (variant.name, answer)


def edit(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    """A change of a JSON file."""

    def act(folder: Path) -> None:
        content = json.loads((folder / name).read_text("utf-8"))
        change(content)
        (folder / name).write_text(json.dumps(content), encoding="utf-8")

    return act


def template(single: list[str], pair: list[str]) -> Callable[[Path], object]:
    """A post-processor that puts these texts into its templates."""
    sides = {
        side: [{"Sequence": {"id": text, "type_id": 0}} for text in texts]
        for side, texts in (("single", single), ("pair", pair))
    }
    part = {"type": "TemplateProcessing", **sides, "special_tokens": {}}
    return edit("tokenizer.json", lambda content: content.update(post_processor=part))


def of_tensors(change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Callable[[Path], object]:
    def act(folder: Path) -> None:
        path = folder / "model.safetensors"
        save_file(change({**load_file(path)}), path, metadata={"format": "pt"})

    return act


def in_place_of_weights(content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / "model.safetensors").write_bytes(content)


def without_tokenizer_json(name: str, content: bytes) -> Callable[[Path], object]:
    def act(folder: Path) -> None:
        (folder / "tokenizer.json").unlink()
        (folder / name).write_bytes(content)

    return act


def chat_template(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def act(folder: Path) -> None:
        (folder / "additional_chat_templates").mkdir()
        make(folder / "additional_chat_templates" / "x.jinja")

    return act


def settings(**more: object) -> Callable[[Path], object]:
    return edit("tokenizer_config.json", lambda content: content.update(more))


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"
NAMED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no text": (template([], []), "tokenizer.json: post_processor.single: [] is refused: each text must stand in it"),
    "no pair": (template(["A"], ["A"]), "post_processor.pair: ['A'] is refused: each text must stand in it once: A, B"),
    "text twice": (template(["A", "A"], ["A", "B"]), "post_processor.single: ['A', 'A'] is refused"),
    "activation": (
        edit("config.json", lambda content: content.update(hidden_act="GELU")),
        "config.json: hidden_act: 'GELU' is refused: it is no known activation function. Did you mean 'gelu'?",
    ),
    "pruned": (
        edit("config.json", lambda content: content.update(pruned_heads={"0": [1]})),
        "config.json: pruned_heads: {'0': [1]} is refused: this key takes out attention heads, which is not supported",
    ),
    "class number": (
        edit("config.json", lambda content: content.update(id2label={"a": "b"})),
        "config.json: id2label.a: 'a' is refused: the keys are the numbers of classes",
    ),
    "from slow": (settings(from_slow=True), "tokenizer_config.json: from_slow: true is refused: this key points"),
    "self": (settings(self=1), "tokenizer_config.json: self: 1 is refused: keys become arguments of a function"),
    "class": (settings(__class__="x"), "tokenizer_config.json: __class__: 'x' is refused: keys become arguments"),
    "extra tokens": (settings(extra_special_tokens=["a"]), "extra_special_tokens: ['a'] is refused: it must be an obj"),
    "chat list": (settings(chat_template=[{"name": "x"}]), "chat_template[0]: {'name': 'x'} is refused: it must be an"),
    "chat bytes": (
        lambda folder: (folder / "chat_template.jinja").write_bytes(b"\xff"),
        "chat_template.jinja: is not UTF-8 text: invalid start byte. Remove it; templates of chats are not used",
    ),
    "chat pipe": (chat_template(os.mkfifo), "additional_chat_templates/x.jinja: is a named pipe, not a file"),
    "two names": (
        of_tensors(lambda found: {**found, **{f"roberta.{name}": one * 2 for name, one in found.items()}}),
        "the weights hold 'embeddings.LayerNorm.bias' twice, as 'embeddings.LayerNorm.bias' and as 'roberta.embed",
    ),
    "old names": (
        of_tensors(lambda found: {**found, "embeddings.LayerNorm.gamma": found["embeddings.LayerNorm.weight"] * 2}),
        "the weights hold 'embeddings.LayerNorm.weight' twice, as 'embeddings.LayerNorm.gamma' and as",
    ),
    "pointer": (in_place_of_weights(LFS), "model.safetensors: is a pointer of Git LFS: fetch the file (git lfs pull)"),
    "page": (in_place_of_weights(b"<!DOCTYPE html>"), "model.safetensors: is a web page (HTML): download the file aga"),
    "gzip": (in_place_of_weights(b"\x1f\x8b\x08\0\0"), "model.safetensors: is compressed (gzip): unpack it"),
    "pointer to pieces": (
        without_tokenizer_json("sentencepiece.bpe.model", LFS),
        "sentencepiece.bpe.model: is a pointer of Git LFS: fetch the file (git lfs pull)",
    ),
    "no pieces": (
        without_tokenizer_json("sentencepiece.bpe.model", b"x"),
        "sentencepiece.bpe.model: is not a SentencePiece model: INTERNAL",
    ),
    "another class's file": (
        without_tokenizer_json("vocab.txt", b"a\nb\n"),
        "tokenizer_config.json: tokenizer_class: 'XLMRobertaTokenizerFast' reads sentencepiece.bpe.model, which is not",
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_the_message_names_the_file_the_key_and_the_cause(originals, tmp_path, name):
    change, message = NAMED[name]
    folder = Path(shutil.copytree(originals("xlm-roberta"), tmp_path / "broken"))
    change(folder)
    answer = forked(lambda: use(folder), seconds=SECONDS).answer
    assert message in answer
    assert answer.startswith(f"{folder}")


@pytest.mark.parametrize("kind", ATTACHED)
def test_broken_adapters_fusions_and_heads_give_one_line_or_work(tmp_path, small_backbone, kind):
    saved = save_attached(tmp_path / "saved", small_backbone)
    # Each attempt is a fork, and has what is loaded here for itself.
    host = None if kind == "head" else AdapterHost(backbone.load_encoder(str(small_backbone)))
    for name in ("one", "two") if kind == "fusion" else ():
        host.load(saved["adapter"], name)

    def attempt(folder: Path) -> str:
        try:
            if kind == "head":
                load_head(folder, 16, 0.0)
            elif kind == "adapter":
                host.load(folder, "one")
            else:
                host.load_fusion(folder, "fusion_both", ["one", "two"])
        except CheckpointError as error:
            return str(error)
        return FINE

    settings, weights = ATTACHED[kind]
    assert forked(lambda: attempt(saved[kind])).answer == FINE
    changes = [*in_place_of(settings), *of_weights(weights), *sampled(by_key(saved[kind], (settings,)), 30, kind)]
    answers = check_each(saved[kind], tmp_path / "broken", changes, attempt)
    assert sum(answer != FINE for answer in answers) > 50


SAME = {
    "tokenizer": ("bert", lambda folder: (folder / "tokenizer.json").write_text('{"model": {"vocab": {"a": "b"}}}')),
    "tokenizer-config": ("bert", lambda folder: (folder / "tokenizer_config.json").write_text("[]")),
    "config": ("xlm-roberta", lambda folder: (folder / "config.json").write_text('{"model_type": "xlm-roberta"}')),
    "weights": ("xlm-roberta", next(v.change for v in of_weights("model.safetensors") if v.name.endswith(":nan"))),
    "header": ("xlm-roberta", next(v.change for v in of_weights("model.safetensors") if ":dtype:I64" in v.name)),
    "larger-tokenizer": ("mt5", None),
}


@pytest.mark.parametrize("name", SAME)
def test_validate_and_run_say_the_same_of_a_broken_backbone(originals, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    family, change = SAME[name]
    folder = tmp_path / "broken"
    shutil.copytree(originals(family), folder)
    if change is None:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        save_type(folder, "mt5", vocabulary=config["vocab_size"] - 5, **special_ids("mt5"))
    else:
        change(folder)
    study = tmp_path / "study.yaml"
    study.write_text(
        f"name: broken\nbackbone: {folder}\nmethods: [direct]\ntarget: {{tasks: [xnli], full: {{max_length: 128}}}}\n"
        "data: {mini_train: 32, mini_evaluation: 8}\n"
    )

    def ask(command: str) -> list[object]:
        try:
            said = say(command, study)
        except AdaptstiltsError as error:
            return [2, str(error)]
        return [said.code, said.err]

    found = {
        command: forked(lambda command=command: ask(command), seconds=120).answer for command in ("validate", "run")
    }
    assert found["validate"] == found["run"]
    code, text = found["run"]
    assert code == 2
    assert str(folder) in text
    assert text.count("\n") <= 1
    assert not (tmp_path / "checkpoints" / "train").exists()
