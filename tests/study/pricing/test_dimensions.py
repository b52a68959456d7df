import json

import pytest

from adaptstilts.errors import CheckpointError
from adaptstilts.models.backbone import load_encoder, mini_folder
from adaptstilts.models.shape import BackboneShape
from adaptstilts.study.plan.jobs import BackboneRef
from adaptstilts.study.pricing.dimensions import KNOWN, shape_of

CONFIG = {
    "model_type": "xlm-roberta", "num_hidden_layers": 4, "hidden_size": 24, "intermediate_size": 48,
    "num_attention_heads": 2, "vocab_size": 99, "max_position_embeddings": 40, "type_vocab_size": 1,
}  # fmt: skip
SHAPE = BackboneShape(4, 24, 48, 2, 99, 40)


def of(location, revision=None):
    return shape_of(BackboneRef(str(location), revision, "0"))


def test_folder_tells_its_shape_and_the_shape_the_parameters():
    shape = of(mini_folder())
    encoder = load_encoder(str(mini_folder()))
    assert shape.parameters == sum(parameter.numel() for parameter in encoder.parameters())
    assert shape.tensors == len(list(encoder.parameters()))


def test_known_hub_ids_need_no_files():
    assert of("FacebookAI/xlm-roberta-base") == KNOWN["FacebookAI/xlm-roberta-base"]
    assert of("FacebookAI/xlm-roberta-large").layers == 24


@pytest.mark.parametrize("revision", [None, "v2"])
def test_other_hub_ids_are_looked_up_in_the_local_cache(tmp_path, monkeypatch, revision):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert of("someone/xlmr", revision) is None
    folder = tmp_path / "models--someone--xlmr"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / (revision or "main")).write_text("a" * 40 + "\n")
    (folder / "snapshots" / ("a" * 40)).mkdir(parents=True)
    (folder / "snapshots" / ("a" * 40) / "config.json").write_text(json.dumps(CONFIG))
    assert of("someone/xlmr", revision) == SHAPE


def test_cached_file_that_tells_no_shape_counts_as_unknown(tmp_path, monkeypatch):
    cache(tmp_path, monkeypatch, json.dumps(CONFIG | {"model_type": "other"}))
    assert of("someone/xlmr") is None


@pytest.mark.parametrize("text", ["{", "[]", json.dumps(CONFIG | {"hidden_size": None})])
def test_damaged_file_in_the_cache_is_named(tmp_path, monkeypatch, text):
    cache(tmp_path, monkeypatch, text)
    with pytest.raises(CheckpointError, match=r"snapshots/a{40}/config\.json:(1:)? "):
        of("someone/xlmr")


def cache(folder, monkeypatch, text):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    place = folder / "models--someone--xlmr" / "snapshots" / ("a" * 40)
    place.mkdir(parents=True)
    (place / "config.json").write_text(text)


def test_damaged_config_of_a_folder_is_named(tmp_path):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"config\.json:1: not JSON"):
        of(tmp_path)
