"""What is checked of a backbone before anything is computed, wherever it lies, and what is said not to be."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from pathlib import Path

import pytest

from adaptstilts.errors import ChangedError, CheckpointError
from adaptstilts.models.model_files import VOCABULARIES
from adaptstilts.study.plan.backbones import backbone_at
from adaptstilts.study.plan.check_inputs import check_backbones

COMMIT = "1" * 40


@pytest.fixture(params=["folder", "hub"])
def place(request: pytest.FixtureRequest, tmp_path: Path, small_backbone: Path, monkeypatch) -> tuple[str, Path]:
    """Where a backbone is, as a study names it, and the folder of its files."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    own = tmp_path / "own"
    folder = own if request.param == "folder" else tmp_path / "cache" / "models--some--one" / "snapshots" / COMMIT
    shutil.copytree(small_backbone, folder)
    return str(own) if request.param == "folder" else "some/one", folder


def test_a_whole_backbone_is_checked(place):
    assert check_backbones([backbone_at(place[0])]) == ()


def test_no_library_warns_of_the_texts_of_the_check(place, caplog, monkeypatch):
    location, folder = place
    path = folder / "tokenizer_config.json"
    settings = {**json.loads(path.read_text(encoding="utf-8")), "model_max_length": 32}
    path.write_text(json.dumps(settings), encoding="utf-8")
    logger = logging.getLogger("transformers.tokenization_utils_base")
    monkeypatch.setattr(logger, "handlers", [caplog.handler])
    monkeypatch.setattr(logger, "level", logging.WARNING)
    check_backbones([backbone_at(location)])
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tokenizer.json", b"{}", "tokenizer.json: model: null is refused: it is no tokenizer"),
        ("tokenizer_config.json", b"[]", "tokenizer_config.json: is not a JSON object"),
        ("model.safetensors", b"version https://git-lfs.github.com/spec/v1", "model.safetensors: is a pointer of Git"),
    ],
)
def test_a_broken_file_is_an_error_wherever_it_lies(place, name, content, message):
    location, folder = place
    backbone = backbone_at(location)
    (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        check_backbones([backbone])
    assert str(caught.value).startswith(f"{folder}")
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_file_of_the_cache_that_was_written_to_is_an_error(tmp_path, small_backbone, monkeypatch, name):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    root = tmp_path / "models--some--one"
    folder, blobs = root / "snapshots" / COMMIT, root / "blobs"
    folder.mkdir(parents=True)
    blobs.mkdir()
    for path in small_backbone.iterdir():
        blob = blobs / hashlib.sha256(path.read_bytes()).hexdigest()
        blob.write_bytes(path.read_bytes())
        (folder / path.name).symlink_to(f"../../blobs/{blob.name}")
    backbone = backbone_at("some/one")
    assert check_backbones([backbone]) == ()
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ChangedError, match=rf"{name}: has another content than the hub sent\. Remove the file"):
        check_backbones([backbone])


@pytest.mark.parametrize("place", ["hub"], indirect=True)
@pytest.mark.parametrize("lacking", ["weights", "tokenizer", "shard"])
def test_a_backbone_of_which_the_cache_lacks_a_part_is_said_not_to_be_checked(place, lacking):
    location, folder = place
    if lacking == "shard":
        (folder / "model.safetensors").rename(folder / "a.safetensors")
        index = {"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    else:
        for name in ("model.safetensors",) if lacking == "weights" else VOCABULARIES:
            (folder / name).unlink(missing_ok=True)
    (line,) = check_backbones([backbone_at(location)])
    assert line.startswith(f"the weights of the backbone some/one on the hub, commit {COMMIT}")
