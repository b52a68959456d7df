import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers

from adaptstilts.errors import AdaptstiltsError, CheckpointError
from adaptstilts.models.backbone import load_encoder, load_tokenizer, locate_backbone
from adaptstilts.models.fingerprints import deciding_files, fingerprint
from adaptstilts.models.model_files import TOKENIZER_CLASSES, TOKENIZER_FILES, VOCABULARIES

TEXTS = ["The cat sat on the mat.", "Ein Hund <mask> schläft.", "NEU new"]
COMMITS = ["1" * 40, "2" * 40]


@pytest.fixture
def folder(tmp_path: Path, small_backbone: Path) -> Path:
    return Path(shutil.copytree(small_backbone, tmp_path / "backbone"))


def shard(folder: Path, names: tuple[str, str] = ("part-a.safetensors", "zz.safetensors")) -> None:
    """Spread the weights over two files of any name."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    half = len(tensors) // 2
    places = {key: names[number >= half] for number, key in enumerate(tensors)}
    for name in names:
        mine = {key: tensor for key, tensor in tensors.items() if places[key] == name}
        save_file(mine, folder / name, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


def outputs(folder: Path) -> tuple[list[list[int]], torch.Tensor]:
    """Return what a backbone makes of some texts: ids and vectors."""
    tokenizer, encoder = load_tokenizer(str(folder)), load_encoder(str(folder))
    found = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        vectors = encoder(found["input_ids"], attention_mask=found["attention_mask"]).last_hidden_state
    return found["input_ids"].tolist(), vectors


CHANGES = {
    "config.json": {"layer_norm_eps": 0.5, "hidden_act": "relu"},
    "tokenizer_config.json": {"do_lower_case": True, "unk_token": "<mask>", "model_max_length": 3},
    "special_tokens_map.json": {"mask_token": "<s>"},
    "added_tokens.json": {"new": 451},
    "generation_config.json": {"max_length": 3},
    "vocab.json": {"cat": 1},
}


def change(path: Path) -> None:
    """Change a file so that it stays readable: other values in JSON, other numbers in weights, another last byte."""
    content = path.read_bytes()
    if path.name == "tokenizer.json":
        known = json.loads(content)
        known["model"]["vocab"][10][1], known["model"]["vocab"][20][1] = -1.0, -30.0
        content = json.dumps(known).encode()
    elif path.suffix == ".json":
        content = json.dumps({**json.loads(content), **CHANGES.get(path.name, {"new": 1})}).encode()
    elif path.suffix == ".safetensors" and len(content) > len(b"anything"):
        start = 8 + int.from_bytes(content[:8], "little")
        content = content[:start] + bytes(len(content) - start)
    else:
        content += b"\n"
    path.write_bytes(content)


@pytest.mark.parametrize("layout", ["single", "sharded", "both"])
def test_a_change_of_any_file_changes_the_key_or_nothing(folder, tmp_path, layout):
    if layout != "single":
        whole = (folder / "model.safetensors").read_bytes()
        shard(folder)
        if layout == "both":  # the single file is read then
            (folder / "model.safetensors").write_bytes(whole)
    for name in ("added_tokens.json", "generation_config.json", "vocab.json"):
        (folder / name).write_text("{}", encoding="utf-8")
    for name in ("README.md", "code.py", "merges.txt", "pytorch_model.bin", "model-00001-of-00002.safetensors"):
        (folder / name).write_bytes(b"anything")
    key, before = fingerprint(str(folder)), outputs(folder)
    same = set()
    for name in sorted(path.name for path in folder.iterdir()):
        changed = Path(shutil.copytree(folder, tmp_path / "changed" / name))
        change(changed / name)
        if fingerprint(str(changed)) != key:
            continue
        same.add(name)
        ids, vectors = outputs(changed)
        assert ids == before[0], name
        assert torch.equal(vectors, before[1]), name
    unread = {"README.md", "code.py", "generation_config.json", "model-00001-of-00002.safetensors", "pytorch_model.bin"}
    shards = {"model.safetensors.index.json", "part-a.safetensors", "zz.safetensors"}
    assert same == unread | (shards if layout == "both" else set())


@pytest.mark.parametrize("name", TOKENIZER_FILES)
@pytest.mark.parametrize("model_type", ["xlm-roberta", "bert"])
def test_every_file_of_a_tokenizer_counts_whether_it_comes_goes_or_changes(tmp_path, name, model_type):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}), encoding="utf-8")
    found = [fingerprint(str(tmp_path))]
    for text in ("{}", '{"a": 1}'):
        (tmp_path / name).write_text(text, encoding="utf-8")
        found.append(fingerprint(str(tmp_path)))
    assert len(set(found)) == 3


def test_the_files_of_every_class_of_tokenizers_count():
    classes = [getattr(transformers, name) for name in TOKENIZER_CLASSES]
    assert {name for one in classes for name in one.vocab_files_names.values()} == {*VOCABULARIES, "merges.txt"}


def test_fingerprint_follows_contents_and_names_and_not_the_place(folder, tmp_path):
    moved = Path(shutil.copytree(folder, tmp_path / "moved"))
    assert fingerprint(str(moved)) == fingerprint(str(folder))
    (moved / "tokenizer.json").rename(moved / "added_tokens.json")
    assert fingerprint(str(moved)) != fingerprint(str(folder))


@pytest.mark.parametrize(
    "name", ["../other.safetensors", "/etc/other.safetensors", "sub/other.safetensors", "link.safetensors"]
)
def test_shards_outside_the_folder_are_refused(folder, tmp_path, name):
    shard(folder)
    (tmp_path / "other.safetensors").write_bytes((folder / "zz.safetensors").read_bytes())
    (folder / "link.safetensors").symlink_to(tmp_path / "other.safetensors")
    index = folder / "model.safetensors.index.json"
    index.write_text(index.read_text(encoding="utf-8").replace("zz.safetensors", name), encoding="utf-8")
    for read in (locate_backbone, fingerprint, load_encoder):
        with pytest.raises(CheckpointError, match=rf"index\.json: weight_map.*'{name}' is refused: it"):
            read(str(folder))


def test_a_missing_shard_is_an_error(folder):
    shard(folder)
    (folder / "zz.safetensors").unlink()
    with pytest.raises(AdaptstiltsError, match=r"there is no 'zz\.safetensors' beside it"):
        fingerprint(str(folder))


def test_deciding_files_are_those_that_are_read(folder):
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {path.name for path in deciding_files(folder)}
    shard(folder)
    (folder / "stale.safetensors").write_bytes(b"")
    assert {path.name for path in deciding_files(folder) if "safetensors" in path.name} == {
        "model.safetensors.index.json",
        "part-a.safetensors",
        "zz.safetensors",
    }


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path / "models--a--b"


def test_fingerprint_of_a_hub_backbone_names_its_commit(cache):
    assert fingerprint("a/b") == fingerprint("a/b", "main") == "a/b@main, commit not known yet"
    assert fingerprint("a/b", "v2") == "a/b@v2, commit not known yet"
    assert fingerprint("a/b", COMMITS[1]) == f"a/b@{COMMITS[1]}"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text(COMMITS[0], encoding="utf-8")
    assert fingerprint("a/b") == fingerprint("a/b", "main") == fingerprint("a/b", COMMITS[0]) == f"a/b@{COMMITS[0]}"
    assert fingerprint("a/b", "v2") == "a/b@v2, commit not known yet"


@pytest.mark.parametrize("text", ["", "main", "../x", "1" * 41, "\udc80"])
def test_a_note_of_the_cache_that_is_no_commit_does_not_count(cache, text):
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert fingerprint("a/b") == "a/b@main, commit not known yet"


@pytest.mark.parametrize("revision", ["../../x", "a/../b", "/etc", "a//b"])
def test_a_revision_is_looked_up_inside_the_cache_only(cache, revision):
    assert fingerprint("a/b", revision) == f"a/b@{revision}, commit not known yet"
