from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import struct
import zipfile
from collections import OrderedDict

import pytest
import torch
from commandline import say
from safetensors.torch import load_file

from adaptstilts.errors import CheckpointError
from adaptstilts.models import convert as module
from adaptstilts.models.architecture import ARCHITECTURES
from adaptstilts.models.backbone import load_encoder, load_tokenizer, locate_backbone
from adaptstilts.models.convert import convert
from adaptstilts.models.unpickle import RefusedError, _apart, check

CLASSES = {
    "xlm-roberta": ("XLMRobertaConfig", "XLMRobertaForMaskedLM", {"type_vocab_size": 1, "pad_token_id": 1}),
    "bert": ("BertConfig", "BertModel", {"pad_token_id": 1}),
    "modernbert": ("ModernBertConfig", "ModernBertForMaskedLM", {"pad_token_id": 1, "cls_token_id": 0}),
}

# The form of files that torch wrote before 1.6.
OPTIONS = {"bert": {"_use_new_zipfile_serialization": False}}


def save_pickled(folder, tokenizer, model_type, **options):
    """Save a tiny model as models were published before safetensors; return it."""
    import transformers

    config_name, model_name, more = CLASSES[model_type]
    torch.manual_seed(0)
    config = getattr(transformers, config_name)(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=66,
        **more,
    )
    model = getattr(transformers, model_name)(config)
    model.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin", **options)
    (folder / "modeling_evil.py").write_text("raise SystemExit")
    (folder / "README.md").write_text("A model.")
    return model


@pytest.fixture
def pickled(tmp_path, tiny_tokenizer):
    folder = tmp_path / "pickled"
    save_pickled(folder, tiny_tokenizer, "xlm-roberta")
    return folder


def stored(folder):
    return {name: tensor for file in folder.glob("*.safetensors") for name, tensor in load_file(file).items()}


@pytest.mark.parametrize("model_type", ["bert", "modernbert"])
def test_convert_writes_equal_tensors_and_only_known_files(tmp_path, tiny_tokenizer, model_type):
    source, to = tmp_path / "source", tmp_path / "below" / "made"
    model = save_pickled(source, tiny_tokenizer, model_type, **OPTIONS.get(model_type, {}))
    made = convert(source, to)
    expected = model.state_dict()
    found = stored(to)
    assert found.keys() | made.same.keys() == expected.keys()
    assert all(torch.equal(expected[name], tensor) for name, tensor in found.items())
    assert all(torch.equal(expected[name], found[kept]) for name, kept in made.same.items())
    assert all("embed" in kept or "bias" in kept for kept in made.same.values())
    tokenizer_files = {path.name for path in source.iterdir()} - {"pytorch_model.bin", "modeling_evil.py", "README.md"}
    assert {path.name for path in to.iterdir()} == {"model.safetensors"} | tokenizer_files
    assert [path.name for path in to.parent.iterdir()] == ["made"]
    assert type(model).from_pretrained(to).state_dict().keys() == expected.keys()
    if model_type in ARCHITECTURES:
        assert locate_backbone(str(to)) == str(to)
        assert load_encoder(str(to)).config.hidden_size == 16


def test_views_keep_their_types_and_overlapping_ones_are_copied():
    base = torch.arange(24, dtype=torch.bfloat16).reshape(4, 6)
    tensors = {
        "whole": base,
        "part": base[1:3],
        "turned": base.t(),
        "half": torch.ones(3, dtype=torch.float16),
        "ids": torch.arange(5).expand(1, -1),
        "empty": torch.zeros(0),
    }
    apart, same = _apart(tensors)
    assert same == {}
    assert list(apart) == list(tensors)
    for name, tensor in tensors.items():
        assert apart[name].dtype == tensor.dtype
        assert torch.equal(apart[name], tensor)
        assert apart[name].is_contiguous()
    assert len({tensor.untyped_storage().data_ptr() for tensor in apart.values() if tensor.numel()}) == 5


@pytest.mark.parametrize(
    "names", [("lm_head.weight", "model.embeddings.tok"), ("encoder.embed_tokens", "shared.weight")]
)
def test_of_two_names_the_one_that_an_encoder_loads_is_kept(names):
    tensor = torch.ones(2)
    apart, same = _apart(dict.fromkeys(names, tensor))
    assert list(apart) == [names[1]]
    assert same == {names[0]: names[1]}


def test_convert_reads_shards_and_writes_shards(tmp_path, pickled, monkeypatch):
    state = torch.load(pickled / "pytorch_model.bin", weights_only=True)
    names = sorted(state)
    half = len(names) // 2
    files = {"pytorch_model-1.bin": names[:half], "pytorch_model-2.bin": names[half:]}
    for file, part in files.items():
        torch.save({name: state[name] for name in part}, pickled / file)
    (pickled / "pytorch_model.bin").unlink()
    index = {"weight_map": {name: file for file, part in files.items() for name in part}}
    (pickled / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    monkeypatch.setattr(module, "SHARD_SIZE", "10KB")
    made = convert(pickled, tmp_path / "made")
    assert len(made.weights) > 2
    assert (tmp_path / "made" / "model.safetensors.index.json").is_file()
    assert all(torch.equal(state[name], tensor) for name, tensor in stored(tmp_path / "made").items())
    assert load_encoder(str(tmp_path / "made")).config.num_hidden_layers == 2


def test_convert_command_says_what_it_wrote_and_the_folder_loads(tmp_path, pickled):
    said = say("convert", pickled, "--to", tmp_path / "made")
    assert said.code == 0, said.err
    assert f"backbone={tmp_path / 'made'}" in said.out
    expected = torch.load(pickled / "pytorch_model.bin", weights_only=True)
    assert all(torch.equal(expected[name], tensor) for name, tensor in stored(tmp_path / "made").items())
    assert locate_backbone(str(tmp_path / "made"))
    assert load_encoder(str(tmp_path / "made")).config.hidden_size == 16
    assert len(load_tokenizer(str(tmp_path / "made"))) == expected["lm_head.bias"].shape[0]
    assert "not stored again: lm_head.decoder.weight, the same tensor as roberta.embeddings.word" in said.out
    again = say("convert", pickled, "--to", tmp_path / "made")
    assert again.code == 2
    assert "is there already. Give the name of a folder that does not exist" in again.err
    nothing = say("convert", tmp_path / "made", "--to", tmp_path / "other")
    assert nothing.code == 2
    assert "nothing to convert: it has model.safetensors. Use it as it is: backbone=" in nothing.err


class Evil:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


def evil_pickle(path, marker):
    torch.save({"a": torch.ones(2), "b": Evil(os.mkdir, (str(marker),))}, path)


def rewrite(change, compression=zipfile.ZIP_STORED):
    """Copy the zip archive member by member, each changed by a function of its name and bytes."""

    def apply(path, _marker):
        with zipfile.ZipFile(path) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, body in members:
                archive.writestr(name, change(name, body))

    return apply


def bomb(path, _marker):
    """A tensor of four terabytes on a storage of one number."""
    with_stride = torch.ones(1).as_strided((10**12,), (0,))
    torch.save({"a": with_stride}, path)


def claimed_storage(name, body):
    return body.replace(struct.pack("<BB", 0x4B, 2), struct.pack("<BI", 0x4A, 2**30)) if "data.pkl" in name else body


def small(path, _marker):
    torch.save({"a": torch.ones(2)}, path)


def after_small(change):
    def apply(path, marker):
        small(path, marker)
        change(path, marker)

    return apply


def legacy_bomb(path, _marker, key="0"):
    class Writer(pickle.Pickler):
        def persistent_id(self, value):
            return value.identity if isinstance(value, Stored) else None

    class Stored:
        identity = ("storage", torch.FloatStorage, key, "cpu", 10**12, None)

    class Tensor:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (Stored(), 0, (10**12,), (1,), False, OrderedDict())

    file = io.BytesIO()
    for value in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}):
        pickle.dump(value, file, protocol=2)
    Writer(file, protocol=2).dump({"a": Tensor()})
    pickle.dump(["0"], file, protocol=2)
    path.write_bytes(file.getvalue())


def nested(path, marker):
    """Pairs of one pair, a hundred times: few bytes, and more text than there is memory."""
    key: object = "0"
    for _ in range(100):
        key = (key, key)
    legacy_bomb(path, marker, key)


HOSTILE = {
    "code": (evil_pickle, r"its pickle names 'posix\.mkdir', which could run code"),
    "newer-protocol": (
        lambda path, marker: torch.save({"b": Evil(os.mkdir, (str(marker),))}, path, pickle_protocol=4),
        "its pickle contains STACK_GLOBAL",
    ),
    "plain-pickle": (
        lambda path, marker: path.write_bytes(pickle.dumps(Evil(os.mkdir, (str(marker),)))), "no file of PyTorch's"
    ),
    "memory": (lambda path, _: torch.save({"a": Evil(bytearray, (10**13,))}, path), r"names '\w+\.bytearray', which"),
    "truncated": (
        after_small(lambda path, _: path.write_bytes(path.read_bytes()[:-200])), "cannot be read: BadZipFile.*Copy it"
    ),
    "cut-short": (lambda path, _: path.write_bytes(b"PK"), "no file of PyTorch's, or it is cut off"),
    "expanded": (bomb, r"the tensor 'a' claims 4,000,000,000,000 bytes of a storage of 4"),
    "compressed": (after_small(rewrite(lambda _, body: body, zipfile.ZIP_DEFLATED)), "is compressed"),
    "false-storage": (after_small(rewrite(claimed_storage)), "a storage claims 4,294,967,296 bytes and holds 8"),
    "legacy-claims": (legacy_bomb, "its tensors claim 4,000,000,000,000 bytes, but it is"),
    "nested": (nested, r"refers to \('storage', .*, which is no storage of a tensor"),
    "objects": (lambda path, _: torch.save({"model": {"a": torch.ones(2)}}, path), "its entry 'model' is no tensor"),
    "list": (lambda path, _: torch.save([torch.ones(2)], path), "it holds no names with tensors"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_pickle_with_code_or_false_sizes_is_refused_before_torch_reads_it(tmp_path, name):
    change, match = HOSTILE[name]
    path, marker = tmp_path / "pytorch_model.bin", tmp_path / "marker"
    change(path, marker)
    expected = zipfile.BadZipFile if "BadZipFile" in match else RefusedError
    with pytest.raises(expected, match=None if expected is zipfile.BadZipFile else match):
        check(path)
    assert not marker.exists()


@pytest.mark.parametrize("name", ["code", "truncated", "expanded"])
def test_convert_names_what_is_wrong_with_a_pickle_and_leaves_nothing(tmp_path, pickled, name):
    change, match = HOSTILE[name]
    change(pickled / "pytorch_model.bin", tmp_path / "marker")
    with pytest.raises(CheckpointError, match=rf"pytorch_model\.bin: .*{match}"):
        convert(pickled, tmp_path / "made")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pickled"]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "is a pointer of Git LFS: fetch the"),
        (b"<!DOCTYPE html><html>", r"is a web page \(HTML\): download the file again"),
        (b"\x1f\x8b\x08\0\0", r"is compressed \(gzip\): unpack it"),
    ],
)
def test_convert_says_what_stands_in_place_of_a_pickle(tmp_path, pickled, content, cause):
    (pickled / "pytorch_model.bin").write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"pytorch_model\.bin: {cause}"):
        convert(pickled, tmp_path / "made")


def test_convert_checks_the_config_before_the_pickle(tmp_path, pickled):
    config = json.loads((pickled / "config.json").read_text())
    (pickled / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "evil/code--m.M"}}))
    with pytest.raises(CheckpointError, match=r"config\.json: auto_map"):
        convert(pickled, tmp_path / "made")


def test_convert_says_how_the_reading_process_ended(tmp_path, pickled, monkeypatch):
    script = tmp_path / "killed.py"
    script.write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    monkeypatch.setattr(module, "_SCRIPT", script)
    with pytest.raises(CheckpointError, match=r"ended with SIGKILL\. The file is damaged or needs more memory"):
        convert(pickled, tmp_path / "made")


def test_convert_keeps_the_environment_from_the_reading_process(tmp_path, pickled, monkeypatch):
    script = tmp_path / "shown.py"
    script.write_text("import os, json; print(json.dumps({'fault': ' '.join(sorted(os.environ)), 'file': ''}))")
    monkeypatch.setattr(module, "_SCRIPT", script)
    monkeypatch.setenv("HF_TOKEN", "secret")
    with pytest.raises(CheckpointError, match="CUDA_VISIBLE_DEVICES") as caught:
        convert(pickled, tmp_path / "made")
    assert "TOKEN" not in str(caught.value)


@pytest.mark.parametrize("source", ["nothing", "./nothing"])
def test_convert_says_what_a_source_can_be(tmp_path, source):
    with pytest.raises(CheckpointError, match=f"'{source}' is neither a folder nor a hub id"):
        convert(source, tmp_path / "made")


def test_convert_refuses_a_folder_without_weights(tmp_path, pickled):
    (pickled / "pytorch_model.bin").unlink()
    with pytest.raises(CheckpointError, match=r"has no pickled weights to convert\. Allowed: pytorch_model\.bin"):
        convert(pickled, tmp_path / "made")
    shutil.rmtree(pickled)
