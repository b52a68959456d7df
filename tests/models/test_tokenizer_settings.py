"""What a folder states of its tokenizer is what the library makes of it, or an error."""

from __future__ import annotations

import json
import re

import pytest
from architectures import save_type
from tokenizers_tiny import FAMILIES, LINES, special_ids, tiny

from adaptstilts.errors import CheckpointError
from adaptstilts.models.backbone import check_backbone, load_tokenizer
from adaptstilts.models.tokenizer_core import load_core

SETTINGS = "tokenizer_config.json"
MORE = 300
"""Word vectors beyond the vocabulary, as published encoders have them: other ids are no error of their own there."""


def backbone(family, folder):
    save_type(folder, FAMILIES[family].model_type, vocabulary=len(tiny(family)) + MORE, **special_ids(family))
    tiny(family).save_pretrained(str(folder))
    return folder


def change(path, **entries):
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**found, **entries}), encoding="utf-8")


@pytest.mark.parametrize("family", ["xlm-roberta", "bert", "deberta-v2", "mt5", "mmbert", "modernbert"])
@pytest.mark.parametrize("name", [SETTINGS, "added_tokens.json"])
def test_an_added_token_has_the_id_that_the_folder_states(family, name, tmp_path):
    folder = backbone(family, tmp_path)
    token = tiny(family).unk_token
    if name == SETTINGS:
        change(folder / name, added_tokens_decoder={"7": {"content": token, "special": True}})
        key = "added_tokens_decoder.7"
    else:
        change(folder / name, **{token: 7})
        key = token
    message = f"{name}: {key}: '{token}' is refused: its id is {tiny(family).unk_token_id} in the tokenizer, not 7."
    for attempt in (load_tokenizer, check_backbone):
        with pytest.raises(CheckpointError, match=re.escape(message)):
            attempt(str(folder))


def test_a_cased_bert_is_not_lowercased_for_want_of_its_settings(tmp_path):
    folder = backbone("bert", tmp_path)
    (folder / SETTINGS).unlink()
    message = (
        f"{SETTINGS}: do_lower_case: is missing: BertTokenizerFast would take true, and tokenizer.json has lowercase"
    )
    for attempt in (load_tokenizer, load_core):
        with pytest.raises(CheckpointError, match=re.escape(message)):
            attempt(str(folder))
    change(folder / SETTINGS, do_lower_case=True)
    assert load_tokenizer(str(folder)).tokenize("Der") == load_tokenizer(str(folder)).tokenize("der")


@pytest.mark.parametrize("family", ["xlm-roberta", "deberta-v2", "mmbert"])
@pytest.mark.parametrize(
    "settings",
    [
        {"additional_special_tokens": ["teacher"]},
        {"extra_special_tokens": {"x_token": "library"}},
        {"split_special_tokens": True},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_the_core_that_is_measured_cuts_as_the_tokenizer_that_is_used(family, settings, tmp_path):
    folder = backbone(family, tmp_path)
    change(folder / SETTINGS, **settings)
    texts = [*LINES, "<s> [CLS] <bos>"]
    expected = load_tokenizer(str(folder)).backend_tokenizer.encode_batch(texts, add_special_tokens=False)
    found = load_core(str(folder)).backend.encode_batch(texts, add_special_tokens=False)
    assert [item.ids for item in found] == [item.ids for item in expected]


@pytest.mark.parametrize(
    ("post_processor", "message"),
    [
        (None, "puts no token between two texts"),
        ("swapped", "does not keep the order of two texts"),
    ],
)
def test_validate_refuses_a_frame_that_no_row_can_have(post_processor, message, tmp_path):
    folder = backbone("xlm-roberta", tmp_path)
    path = folder / "tokenizer.json"
    record = json.loads(path.read_text("utf-8"))
    if post_processor is None:
        record["post_processor"] = None
    else:
        pair = record["post_processor"]["pair"]
        texts = [piece for piece in pair if "Sequence" in piece]
        texts[0]["Sequence"]["id"], texts[1]["Sequence"]["id"] = "B", "A"
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(CheckpointError, match=message):
        check_backbone(str(folder))


@pytest.mark.parametrize(
    ("family", "there", "wanted"),
    [
        ("xlm-roberta", "spiece.model", "'XLMRobertaTokenizer' reads sentencepiece.bpe.model, which is not there"),
        ("bert", "vocab.json", "'BertTokenizer' reads vocab.txt, which is not there"),
        ("mt5", "spm.model", "reads spiece.model, which is not there"),
        ("deberta-v2", "spiece.model", "'DebertaV2Tokenizer' reads spm.model, which is not there"),
    ],
)
def test_a_vocabulary_under_the_name_of_another_class_is_named(family, there, wanted, tmp_path):
    folder = backbone(family, tmp_path)
    for name in ("tokenizer.json", SETTINGS, "special_tokens_map.json", "vocab.txt"):
        (folder / name).unlink(missing_ok=True)
    (folder / there).write_text("{}")
    with pytest.raises(CheckpointError, match=re.escape(wanted)):
        load_tokenizer(str(folder))
