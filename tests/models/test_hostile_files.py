"""Hostile files of backbones, adapters and heads: each is refused, no kernel is asked for, no pickle is opened."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from backbones import save_attached
from repository import ROOT
from safetensors.torch import load_file, save_file

REPOSITORY = "evil/kernel"
STAND_IN = """
class Mode:
    INFERENCE = TRAINING = TORCH_COMPILE = 1
class Device:
    def __init__(self, *arguments, **named): pass
class LayerRepository(Device): pass
def get_kernel(name, *arguments, **named):
    asked.append(name)
    raise RuntimeError("the stand-in was asked for a kernel")
def register_kernel_mapping(*arguments, **named): pass
def replace_kernel_forward_from_hub(*arguments, **named): pass
def use_kernel_forward_from_hub(*arguments, **named):
    return lambda layer: layer
asked = []
"""


@dataclass(frozen=True)
class Case:
    """A hostile change of a folder, and what the error must say."""

    change: Callable[[Path], None]
    match: str
    kind: str = "backbone"


def set_keys(name: str = "config.json", **values: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return change


def set_text(before: str, after: str, name: str = "config.json") -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert before in text
        (folder / name).write_text(text.replace(before, after, 1))

    return change


def set_setting(**values: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "adapter_config.json"
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "config": {**record["config"], **values}}))

    return change


def write(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text) and None


def shards(name: str, *, link: bool = False) -> Callable[[Path], None]:
    """Replace the weights by an index that names one shard, which is there."""

    def change(folder: Path) -> None:
        outside = folder.parent / f"{folder.name}-outside.safetensors"
        shutil.move(folder / "model.safetensors", outside)
        target = folder / name.format(outside=outside)
        if link:
            target.symlink_to(outside)
        elif not target.exists():
            shutil.copy(outside, target)
        names = load_file(outside)
        index = {"weight_map": dict.fromkeys(names, name.format(outside=outside))}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    return change


def pickle_only(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def another_format(folder: Path) -> None:
    path = folder / "model.safetensors"
    save_file(load_file(path), path, metadata={"format": "tf"})


def other_config(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    hostile = {**config, "_attn_implementation_internal": REPOSITORY}
    (folder / "config.4.0.0.json").write_text(json.dumps(hostile))
    set_keys(configuration_files=["config.4.0.0.json"])(folder)


def only_bin(weights: str) -> Callable[[Path], None]:
    return lambda folder: (folder / weights).unlink()


KERNEL = r"'evil/kernel.*' is refused: .*CVE-2026-4372.* Allowed: null, eager, sdpa\. Remove the key"
CODE = r"is refused: this key makes the library download Python code and run it"
ELSEWHERE = r"is refused: this key points the library to other files"
AUTO_MAP = {"AutoConfig": "evil/code--module.Config", "AutoModel": "evil/code--module.Model"}

CASES: dict[str, Case] = {
    "kernel-internal": Case(
        set_keys(_attn_implementation_internal=REPOSITORY), f"config.json: _attn_implementation_internal: {KERNEL}"
    ),
    "kernel-revision": Case(
        set_keys(_attn_implementation=f"{REPOSITORY}@main:run"), f"config.json: _attn_implementation: {KERNEL}"
    ),
    "kernel-public": Case(set_keys(attn_implementation=REPOSITORY), f"config.json: attn_implementation: {KERNEL}"),
    "kernel-nested": Case(
        set_keys(text_config={"vision": {"_attn_implementation": REPOSITORY}}),
        f"config.json: text_config.vision._attn_implementation: {KERNEL}",
    ),
    "kernel-in-a-list": Case(
        set_keys(layers=[0, {"_attn_implementation_internal": REPOSITORY}]),
        rf"config.json: layers\[1\]\._attn_implementation_internal: {KERNEL}",
    ),
    "kernel-escaped": Case(
        set_text("{", rf'{{"\u005fattn_implementation_internal": "{REPOSITORY}",'),
        f"config.json: _attn_implementation_internal: {KERNEL}",
    ),
    "kernel-by-part": Case(
        set_keys(_attn_implementation={"": REPOSITORY}), r"_attn_implementation: \{'': 'evil/kernel'\} is refused"
    ),
    "flash": Case(
        set_keys(_attn_implementation="flash_attention_2"), "'flash_attention_2' is refused.*Allowed: null, eager, sdpa"
    ),
    "use-kernels": Case(set_keys(use_kernels=True), f"config.json: use_kernels: true {CODE}"),
    "kernel-config": Case(set_keys(kernel_config={"a": 1}), f"config.json: kernel_config: .* {CODE}"),
    "auto-map": Case(set_keys(auto_map=AUTO_MAP), f"config.json: auto_map: .* {CODE}"),
    "trust": Case(set_keys(trust_remote_code=True), f"config.json: trust_remote_code: true {CODE}"),
    "pipelines": Case(set_keys(custom_pipelines={"x": {"impl": "m.P"}}), f"config.json: custom_pipelines: .* {CODE}"),
    "quantised": Case(
        set_keys(quantization_config={"quant_method": "gptq", "bits": 4}),
        "config.json: quantization_config: .* is refused: this key makes the library import further packages",
    ),
    "other-config": Case(other_config, f"config.json: configuration_files: .* {ELSEWHERE}"),
    "other-weights": Case(
        set_keys(transformers_weights="../x.safetensors"), f"config.json: transformers_weights: .* {ELSEWHERE}"
    ),
    "subfolder": Case(set_keys(subfolder="../other"), f"config.json: subfolder: '../other' {ELSEWHERE}"),
    "commit": Case(set_keys(_commit_hash="../x"), "config.json: _commit_hash: '../x' is refused: it is no commit"),
    "reserved": Case(set_keys(__class__="x"), "config.json: __class__: 'x' is refused: keys become attributes"),
    "attributes": Case(set_keys(attribute_map={"hidden_size": "x"}), "attribute_map: .* is refused"),
    "vocabulary": Case(
        set_keys(vocab_size=10**12), r"vocab_size: 1000000000000 is refused: .* whole number from 1 to 16777216"
    ),
    "layers": Case(set_keys(num_hidden_layers=10**9), r"num_hidden_layers: 1000000000 is refused.*from 1 to 1024"),
    "labels": Case(set_keys(num_labels=10**10), r"num_labels: 10000000000 is refused"),
    "claims": Case(
        set_keys(vocab_size=2**23, hidden_size=2**14),
        r"config\.json: its sizes make 140 G parameters, but the weights are only 73 kB\. Use the config\.json",
    ),
    "negative": Case(set_keys(hidden_size=-16), r"hidden_size: -16 is refused"),
    "text-for-number": Case(set_keys(hidden_size="768"), r"hidden_size: '768' is refused"),
    "switch-for-number": Case(set_keys(num_hidden_layers=True), r"num_hidden_layers: true is refused"),
    "type-in-a-list": Case(set_keys(model_type=["xlm-roberta"]), r"model_type: \['xlm-roberta'\] is refused.*a text"),
    "classes": Case(set_keys(architectures=[["x"]]), r"architectures: \[\['x'\]\] is refused"),
    "dtype": Case(set_keys(dtype="hub"), r"dtype: 'hub' is refused.*Allowed: null, float32"),
    "old-dtype": Case(set_keys(torch_dtype="cuda"), r"torch_dtype: 'cuda' is refused"),
    "activation": Case(set_keys(hidden_act="xielu"), r"hidden_act: 'xielu' is refused.*Allowed: gelu"),
    "padding": Case(set_keys(pad_token_id=10**6), r"pad_token_id: 1000000 is refused.*an id of the vocabulary"),
    "nan": Case(set_text('"hidden_size": 16', '"hidden_size": NaN'), r"config\.json:\d+: NaN is no finite number"),
    "infinite": Case(set_text('"hidden_size": 16', '"hidden_size": 1e999'), r"1e999 is no finite number"),
    "twice": Case(
        set_text("{", '{"vocab_size": 5,'), r"config\.json:\d+: vocab_size: stands twice in one JSON object\. Keep one"
    ),
    "nested": Case(write("config.json", '{"a":' * 60 + "0" + "}" * 60), r"config\.json: .*nested too deeply"),
    "very-nested": Case(write("config.json", "[" * 200_000), r"config\.json:1: the JSON is nested too deeply"),
    "digits": Case(
        set_text('"hidden_size": 16', f'"hidden_size": {"9" * 9000}'),
        r"config\.json:\d+: an integer of 9,000 digits cannot be read",
    ),
    "huge": Case(write("config.json", " " * (17 * 2**20) + "{}"), r"config\.json: is 17,825,794 bytes long, at most"),
    "control-characters": Case(
        set_keys(_attn_implementation="\x1b[2Jevil"), r"'\\x1b\[2Jevil' is refused: transformers 4\.57"
    ),
    "tokenizer-auto-map": Case(
        set_keys("tokenizer_config.json", auto_map={"AutoTokenizer": ["evil/code--t.T", None]}),
        f"tokenizer_config.json: auto_map: .* {CODE}",
    ),
    "tokenizer-class": Case(
        set_keys("tokenizer_config.json", tokenizer_class="TransfoXLTokenizer"),
        r"tokenizer_config\.json: tokenizer_class: 'TransfoXLTokenizer' is refused.*Allowed: PreTrainedTokenizerFast",
    ),
    "tokenizer-class-in-config": Case(
        set_keys(tokenizer_class="BertJapaneseTokenizer"), r"config\.json: tokenizer_class: 'BertJapaneseTokenizer'"
    ),
    "tokenizer-elsewhere": Case(
        set_keys("tokenizer_config.json", tokenizer_file="/etc/passwd"),
        f"tokenizer_config.json: tokenizer_file: '/etc/passwd' {ELSEWHERE}",
    ),
    "tokenizer-files": Case(
        set_keys("tokenizer_config.json", fast_tokenizer_files=["../tokenizer.4.0.json"]),
        f"tokenizer_config.json: fast_tokenizer_files: .* {ELSEWHERE}",
    ),
    "tokenizer-inputs": Case(
        set_keys("tokenizer_config.json", init_inputs=["/etc/passwd"]),
        f"tokenizer_config.json: init_inputs: .* {ELSEWHERE}",
    ),
    "sentencepiece": Case(
        set_keys("tokenizer_config.json", sp_model_kwargs={"model_file": "/etc/passwd"}),
        r"tokenizer_config\.json: sp_model_kwargs: .* SentencePiece would read other files",
    ),
    "tokenizer-inputs-type": Case(
        set_keys("tokenizer_config.json", model_input_names=7), r"model_input_names: 7 is refused: it must be a list"
    ),
    "tokenizer-length": Case(
        set_keys("tokenizer_config.json", model_max_length="x"), r"model_max_length: 'x' is refused"
    ),
    "special-tokens": Case(
        set_keys("special_tokens_map.json", auto_map={"a": "b"}), f"special_tokens_map.json: auto_map: .* {CODE}"
    ),
    "peft": Case(
        write("adapter_config.json", json.dumps({"base_model_name_or_path": "evil/model"})),
        r"adapter_config\.json is refused: transformers would load the model that it names",
    ),
    "index-above": Case(shards("../above.safetensors"), r"weight_map\..*: '\.\./above\.safetensors' is refused"),
    "index-absolute": Case(shards("{outside}"), r"index\.json: weight_map\..*outside\.safetensors' is refused"),
    "index-link": Case(shards("shard.safetensors", link=True), r"'shard\.safetensors' is refused: it is a link to"),
    "index-pickle": Case(shards("pytorch_model.bin"), r"weight_map\..*: 'pytorch_model\.bin' is refused"),
    "pickle": Case(
        pickle_only,
        r"holds only a pickle, pytorch_model\.bin; .* adaptstilts convert \S+ --to FOLDER, then set backbone=FOLDER",
    ),
    "cut-off": Case(
        lambda folder: os.truncate(folder / "model.safetensors", 9000),
        r"model\.safetensors: the weights are damaged: they have 9,000 bytes of [\d,]+\. Save it again",
    ),
    "no-header": Case(write("model.safetensors", "\xff" * 50), r"weights are damaged: they have no header of safetens"),
    "tensorflow": Case(another_format, r"model\.safetensors: __metadata__\.format: 'tf' is refused.*Allowed: pt"),
    "adapter-kernel": Case(
        set_keys("adapter_config.json", _attn_implementation=REPOSITORY), f"adapter_config.json: .*{KERNEL}", "adapter"
    ),
    "adapter-code": Case(set_setting(auto_map=AUTO_MAP), rf"config\.auto_map: .* {CODE}", "adapter"),
    "adapter-elsewhere": Case(
        set_keys("adapter_config.json", config="/etc/passwd"), r"config: '/etc/passwd' is refused.*object", "adapter"
    ),
    "adapter-width": Case(set_setting(reduction_factor=1e-9), r"config\.reduction_factor: 1e-09 is refused", "adapter"),
    "adapter-lora": Case(
        set_setting(architecture="lora", dtype="hub"), r"config\.architecture: 'lora' is refused", "adapter"
    ),
    "adapter-activation": Case(set_setting(non_linearity="xielu"), r"non_linearity: 'xielu' is refused", "adapter"),
    "adapter-peft": Case(
        set_keys("adapter_config.json", base_model_name_or_path="evil/model"),
        f"adapter_config.json: base_model_name_or_path: 'evil/model' {ELSEWHERE}",
        "adapter",
    ),
    "adapter-pickle": Case(only_bin("adapter.safetensors"), r"adapter\.safetensors: no such adapter file", "adapter"),
    "fusion-elsewhere": Case(
        set_keys("adapter_fusion_config.json", config="/etc/passwd"), r"config: '/etc/passwd' is refused", "fusion"
    ),
    "fusion-pickle": Case(
        only_bin("model_adapter_fusion.safetensors"), r"fusion\.safetensors: no such adapter file", "fusion"
    ),
    "head-labels": Case(
        set_keys("head_config.json", config={"num_labels": 10**12}), r"config\.num_labels: 10{12} is refused", "head"
    ),
    "head-kernel": Case(
        set_keys("head_config.json", attn_implementation=REPOSITORY), f"head_config.json: .*{KERNEL}", "head"
    ),
    "head-pickle": Case(only_bin("model_head.safetensors"), r"model_head\.safetensors", "head"),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory, small_backbone):
    """Load every hostile folder in one process, with the stand-in on its path, and return what it reports."""
    root = tmp_path_factory.mktemp("hostile")
    (root / "kernels").mkdir()
    (root / "kernels" / "__init__.py").write_text(STAND_IN)
    (root / "kernels-0.10.0.dist-info").mkdir()
    (root / "kernels-0.10.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: kernels\nVersion: 0.10.0\n"
    )
    originals = {"backbone": small_backbone, **save_attached(root / "originals", small_backbone)}
    cases = {}
    for name, case in CASES.items():
        folder = root / name
        shutil.copytree(originals[case.kind], folder)
        case.change(folder)
        cases[name] = {"folder": str(folder), "kind": case.kind}
    (root / "cases.json").write_text(json.dumps(cases))
    arguments = [root / "cases.json", small_backbone, originals["adapter"]]
    path = os.pathsep.join([str(root), str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "hostile_loading.py"), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_plain_transformers_asks_for_kernels_unless_told_which_attention_and_opens_pickles(report):
    # docs/safety.md states these five.
    asking = ["kernel-internal", "kernel-revision", "kernel-escaped", "kernel-by-part", "other-config"]
    assert sorted(name for name, asked in report["plain"].items() if asked) == sorted(asking)
    assert not any(report["told"])
    assert "pytorch_model.bin" in report["opened"]


@pytest.mark.parametrize("name", CASES)
def test_hostile_file_is_refused_and_neither_kernel_nor_pickle_is_touched(report, name):
    found = report["cases"][name]
    assert found["asked"] == []
    assert found["opened"] == []
    attempts = found["found"]
    assert {attempt["type"] for attempt in attempts.values()} <= {"", "CheckpointError"}, attempts
    texts = [attempt["text"] for attempt in attempts.values() if attempt["text"]]
    assert len(texts) >= min(2, len(attempts)), attempts
    for text in texts:
        assert re.search(CASES[name].match, text), text
        assert "\n" not in text
        assert text.isprintable()
