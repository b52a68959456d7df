"""Broken tokenizer.json files: each fault is one error that names the key, the value and what belongs there."""

import json

import pytest
from tokenizers_tiny import save_tokenizer

from adaptstilts.errors import CheckpointError
from adaptstilts.models.backbone import load_tokenizer
from adaptstilts.models.safetensors_files import read_header
from adaptstilts.models.tokenizer_files import check_tokenizer_file
from adaptstilts.models.tokenizer_probe import try_tokenizer

BOMB = {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 100}


def changed(folder, family, change):
    folder.mkdir(exist_ok=True)
    path = save_tokenizer(family, folder) / "tokenizer.json"
    record = json.loads(path.read_text("utf-8"))
    change(record)
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


def set_in(*keys_and_value):
    *keys, last, value = keys_and_value

    def change(record):
        for key in keys:
            record = record[key]
        record[last] = value

    return change


def remove(*keys):
    *keys, last = keys

    def change(record):
        for key in keys:
            record = record[key]
        del record[last]

    return change


FAULTS = {
    "model-type": (
        "bert",
        set_in("model", "type", "Words"),
        r"model\.type: 'Words' is refused: it is no type of model",
    ),
    "vocabulary-gone": ("bert", remove("model", "vocab"), r"model: .* is refused: it is no tokenizer"),
    "doubled-id": ("bert", set_in("model", "vocab", "##x", 7), r"model\.vocab\.##x: 7 is refused: '.' has that id"),
    "doubled-piece": (
        "xlm-roberta",
        lambda record: record["model"]["vocab"].append(record["model"]["vocab"][9]),
        r"model\.vocab\[405\]: '.*' is refused: it has the id 9 as well",
    ),
    "negative-id": ("bert", set_in("model", "vocab", "##x", -1), r"-1 is refused: it must be a whole number from 0"),
    "unknown-token": ("bert", set_in("model", "unk_token", "[NO]"), r"unk_token: '\[NO\]' is refused: the vocabulary"),
    "unknown-id": ("mt5", set_in("model", "unk_id", 10**6), r"model\.unk_id: 1000000 is refused: the vocabulary has"),
    "score": ("mt5", set_in("model", "vocab", 3, ["x"]), r"model\.vocab\[3\]: \['x'\] is refused: .*with its score"),
    "merge": ("mmbert", set_in("model", "merges", 0, ["q", "££"]), r"model\.merges\[0\]: .* has no 'q'"),
    "merge-form": ("mmbert", set_in("model", "merges", 0, ["q"]), r"model\.merges\[0\]: \['q'\] .*a pair of tokens"),
    "dropout": ("mmbert", set_in("model", "dropout", 0.1), r"model\.dropout: 0\.1 is refused: the same text would be"),
    "normaliser": ("bert", set_in("normalizer", {"type": "X"}), r"normalizer\.type: 'X' is refused.*Allowed: BertNorm"),
    "normaliser-key": ("bert", set_in("normalizer", "lowercase", "no"), r"normalizer\.lowercase: 'no' .*true or false"),
    "in-a-sequence": (
        "mt5",
        set_in("normalizer", "normalizers", 0, {"type": "Strip"}),
        r"normalizer\.normalizers\[0\]\.strip_left: is missing: it must be true or false",
    ),
    "pre-tokenizer": ("mt5", set_in("pre_tokenizer", "replacement", "__"), r"replacement: '__' .* be one character"),
    "template": ("bert", set_in("post_processor", "single", 0, 3), r"post_processor\.single\[0\]: 3 is refused"),
    "template-token": (
        "bert",
        set_in("post_processor", "pair", 0, "SpecialToken", "id", ""),
        r"pair\[0\]\.SpecialToken\.id: '' is refused: it must be one of the special_tokens beside it",
    ),
    "template-id": (
        "bert",
        set_in("post_processor", "special_tokens", "[CLS]", "ids", [5]),
        r"special_tokens\.\[CLS\]\.ids\[0\]: 5 is refused: '\[CLS\]' has the id 2 in the vocabulary",
    ),
    "added-id": ("bert", set_in("added_tokens", 0, "id", 4), r"added_tokens\[0\]\.id: 4 .*'\[PAD\]' has the id 0"),
    "added-flag": ("bert", set_in("added_tokens", 0, "special", 1), r"added_tokens\[0\]\.special: 1 is refused"),
    "added-empty": ("bert", set_in("added_tokens", 0, "content", ""), r"content: '' .*a text that is not empty"),
    "decoder": ("bert", set_in("decoder", []), r"decoder: \[\] is refused: it must be an object"),
    "padding": ("bert", set_in("padding", {"pad_id": 0}), r"padding\.direction: is missing"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_of_a_tokenizer_file_is_named_by_its_key(tmp_path, name):
    family, change, message = FAULTS[name]
    path = changed(tmp_path, family, change)
    with pytest.raises(CheckpointError, match=rf"tokenizer\.json: .*{message}") as caught:
        check_tokenizer_file(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("family", ["xlm-roberta", "bert", "deberta-v2", "mt5", "mmbert", "modernbert"])
def test_good_tokenizer_files_pass_and_tell_their_largest_id(tmp_path, family):
    folder = save_tokenizer(family, tmp_path)
    check_tokenizer_file(folder / "tokenizer.json")
    assert (
        try_tokenizer(folder / "tokenizer.json") == json.loads((folder / "config.json").read_text())["vocab_size"] - 1
    )


def test_model_without_a_type_is_read_as_older_libraries_wrote_it(tmp_path):
    for family in ("bert", "mt5", "mmbert"):
        check_tokenizer_file(changed(tmp_path / family, family, remove("model", "type")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            set_in("normalizer", {"type": "Sequence", "normalizers": [BOMB] * 12}),
            "usable tokenizer: .*(memory|than 5 s)",
        ),
        (
            set_in(
                "pre_tokenizer", {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Removed", "invert": False}
            ),
            "usable tokenizer: ",
        ),
        (set_in("normalizer", {"type": "Precompiled", "precompiled_charsmap": "AAAA"}), "usable tokenizer: "),
        (
            lambda record: record["added_tokens"].append({**record["added_tokens"][0], "id": 9999, "content": "<new>"}),
            r"added_tokens\[\d\]\.id: 9999 is read as \d+: ids must follow those before",
        ),
    ],
    ids=["bomb", "pattern", "charsmap", "gap"],
)
def test_what_only_the_library_can_tell_is_found_in_a_process_of_its_own(tmp_path, change, message):
    path = changed(tmp_path, "bert", change)
    check_tokenizer_file(path)
    with pytest.raises(CheckpointError, match=message) as caught:
        try_tokenizer(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 700], ids=["empty", "bytes"])
def test_sentencepiece_model_that_cannot_be_read_is_named(tmp_path, content):
    folder = save_tokenizer("xlm-roberta", tmp_path)
    (folder / "tokenizer.json").unlink()
    (folder / "sentencepiece.bpe.model").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"sentencepiece\.bpe\.model: is not a SentencePiece model: .*[a-z]{3}"):
        load_tokenizer(str(folder))


STAND_INS = {
    "pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        r"is a pointer of Git LFS: fetch the",
    ),
    "page": (b"<!doctype html><html></html>", r"is a web page \(HTML\): download the file again"),
}


@pytest.mark.parametrize("kind", STAND_INS)
@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "sentencepiece.bpe.model"])
def test_what_stands_in_for_a_file_of_a_backbone_is_named(tmp_path, name, kind):
    content, message = STAND_INS[kind]
    folder = save_tokenizer("xlm-roberta", tmp_path)
    if name == "sentencepiece.bpe.model":
        (folder / "tokenizer.json").unlink()
    (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"{name}(:1)?: {message}[^.]*\.?$"):
        read_header(folder / name) if name.endswith(".safetensors") else load_tokenizer(str(folder))
