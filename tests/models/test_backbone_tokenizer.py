import json
from pathlib import Path

import pytest
import torch
from architectures import LAYERS, save_type
from tokenizers_tiny import save_tokenizer, special_ids, tiny
from transformers import tokenization_utils_base

from adaptstilts.encoding.subtokens import frame_of
from adaptstilts.errors import CheckpointError
from adaptstilts.models import backbone
from adaptstilts.models.backbone import load_encoder, load_tokenizer
from adaptstilts.models.network import TaskNetwork


@pytest.fixture
def deberta(tmp_path):
    return save_tokenizer("deberta-v2", tmp_path)


def set_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(("types", "has_types"), [(0, False), (1, False), (2, True)])
def test_token_types_are_made_only_if_the_encoder_tells_two_of_them_apart(deberta, types, has_types):
    set_config(deberta, type_vocab_size=types)
    assert frame_of(load_tokenizer(str(deberta))).has_types is has_types


def test_padding_id_of_an_encoder_that_counts_positions_from_it_must_be_the_tokenizers(tmp_path):
    folder = save_tokenizer("xlm-roberta", tmp_path)
    set_config(folder, pad_token_id=3)
    message = (
        r"pad_token_id: the tokenizer's padding id is 1, the encoder's is 3\. Set pad_token_id in its config\.json"
    )
    with pytest.raises(CheckpointError, match=message):
        load_tokenizer(str(folder))


@pytest.mark.parametrize("configured", [0, None])
def test_padding_id_of_multilingual_e5_small_is_not_the_tokenizers_and_changes_nothing(tmp_path, configured):
    """Its config.json on the hub has BERT's 0, its tokenizer XLM-R's 1."""
    tokenizer = tiny("bert-xlmr")
    folder = save_type(tmp_path, "bert", vocabulary=len(tokenizer), **special_ids("bert-xlmr"))
    tokenizer.save_pretrained(str(folder))
    found = []
    for padding in (1, configured):
        set_config(folder, pad_token_id=padding)
        assert load_tokenizer(str(folder)).pad_token_id == 1
        network = TaskNetwork(load_encoder(str(folder)), None, None)
        ids = torch.tensor([[0, 7, 8, 2], [0, 9, 2, network.padding_id]])
        mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
        with torch.no_grad():
            found.append([network.hidden(ids, mask, layer)[mask.bool()] for layer in range(LAYERS + 1)])
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


def test_library_does_not_warn_of_texts_that_are_cut_into_windows(deberta, monkeypatch):
    warnings = []
    monkeypatch.setattr(tokenization_utils_base.logger, "warning", warnings.append)
    tokenizer = load_tokenizer(str(deberta))
    tokenizer.model_max_length = 4
    assert len(tokenizer("a text of many words, which is longer than that")["input_ids"]) > 4
    assert warnings == []


def test_tokenizer_without_a_padding_token_is_refused(deberta):
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        path = deberta / name
        if path.is_file():
            path.write_text(json.dumps(json.loads(path.read_text()) | {"pad_token": None}))
    with pytest.raises(CheckpointError, match=r"pad_token: the tokenizer has no padding token\. Set its pad"):
        load_tokenizer(str(deberta))


def test_check_of_a_backbone_reads_its_tokenizer_json_once(small_backbone, monkeypatch):
    checked: list[Path] = []
    check = backbone.check_tokenizer_json
    monkeypatch.setattr(backbone, "check_tokenizer_json", lambda folder: (checked.append(folder), check(folder)))
    backbone.check_backbone(str(small_backbone))
    assert checked == [small_backbone]
