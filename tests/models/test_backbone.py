import json
import logging
import shutil

import pytest
import torch

from adaptstilts.errors import CheckpointError
from adaptstilts.models.backbone import (
    EncoderCache,
    check_backbone,
    load_config,
    load_encoder,
    load_tokenizer,
    locate_backbone,
    own_weights,
)
from adaptstilts.models.model_files import check_model_json


@pytest.fixture
def folder(tiny_encoder_folder, tmp_path):
    copy = tmp_path / "backbone"
    shutil.copytree(tiny_encoder_folder, copy)
    (copy / "tokenizer.json").write_text('{"model": {"vocab": []}}')
    return copy


def change_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_locate_takes_a_folder_and_a_hub_id(folder):
    assert locate_backbone(str(folder)) == str(folder)
    assert locate_backbone("FacebookAI/xlm-roberta-large") == "FacebookAI/xlm-roberta-large"


def test_locate_takes_no_slip_in_a_folder_name_for_a_hub_id(folder, monkeypatch):
    monkeypatch.chdir(folder.parent.parent)
    kept = f"{folder.parent.name}/{folder.name}"
    with pytest.raises(CheckpointError, match=rf"is no folder, though .* Did you mean '{kept}'\?"):
        locate_backbone(f"{kept}x")


@pytest.mark.parametrize("name", ["nothing", "./nothing", "a/b/c"])
def test_locate_says_what_a_backbone_can_be(name):
    with pytest.raises(
        CheckpointError, match=r"backbone: '.*' is neither a folder nor a hub id of the form OWNER/NAME\. Give `mini`"
    ):
        locate_backbone(name)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("config.json", "has no config"),
        ("model.safetensors", r"has no weights\. Allowed: model\.safetensors"),
        ("tokenizer.json", "has no tokenizer"),
    ],
)
def test_locate_names_what_a_folder_lacks(folder, file, message):
    (folder / file).unlink()
    with pytest.raises(CheckpointError, match=message):
        locate_backbone(str(folder))


def test_locate_refuses_another_architecture(folder):
    change_config(folder, model_type="gpt2")
    with pytest.raises(
        CheckpointError, match=r"config\.json: model_type 'gpt2' is not supported\. Allowed: xlm-roberta"
    ):
        locate_backbone(str(folder))


def test_locate_names_a_damaged_config(folder):
    (folder / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"config\.json:1: not JSON"):
        locate_backbone(str(folder))


def test_load_encoder_takes_half_precision_weights_as_single(folder):
    from transformers import XLMRobertaModel

    XLMRobertaModel.from_pretrained(folder, add_pooling_layer=False).half().save_pretrained(folder)
    encoder = load_encoder(str(folder))
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}
    assert encoder.pooler is None
    assert not encoder.training


def test_load_encoder_takes_a_checkpoint_with_a_language_model_head(folder):
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    torch.manual_seed(1)
    model = XLMRobertaForMaskedLM(XLMRobertaConfig.from_pretrained(folder))
    model.save_pretrained(folder)
    ours = load_encoder(str(folder)).state_dict()
    assert all(torch.equal(tensor, ours[name]) for name, tensor in model.roberta.state_dict().items())


def test_load_encoder_says_nothing_of_weights_that_it_does_not_need(folder, monkeypatch):
    from transformers import XLMRobertaConfig, XLMRobertaModel

    XLMRobertaModel(XLMRobertaConfig.from_pretrained(folder), add_pooling_layer=True).save_pretrained(folder)
    library, said = logging.getLogger("transformers.modeling_utils"), []
    monkeypatch.setattr(library, "isEnabledFor", lambda level: level >= logging.WARNING)
    monkeypatch.setattr(library, "handle", lambda record: said.append(record) if library.filter(record) else None)
    XLMRobertaModel.from_pretrained(folder, add_pooling_layer=False)
    assert [record.getMessage().partition(" at ")[0] for record in said] == ["Some weights of the model checkpoint"]
    said.clear()
    assert load_encoder(str(folder)).pooler is None
    assert said == []


def test_load_encoder_refuses_weights_of_another_width(folder):
    change_config(folder, hidden_size=64)
    with pytest.raises(CheckpointError, match=r"cannot be loaded|lack or misfit"):
        load_encoder(str(folder))


def test_load_encoder_refuses_weights_of_fewer_layers(folder):
    change_config(folder, num_hidden_layers=5)
    with pytest.raises(
        CheckpointError, match=r"lack or misfit \d+ tensors of the encoder, the first is 'encoder\.layer"
    ):
        load_encoder(str(folder))


def test_load_tokenizer_says_so_when_there_is_none(folder):
    (folder / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match=r"has no tokenizer\. Allowed: tokenizer\.json"):
        load_tokenizer(str(folder))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"model": {"vocab": 7}, "added_tokens": []}', r"tokenizer\.json: model\.vocab: 7 is refused"),
        ('{"model": {"vocab": []}}', r"has no usable tokenizer: \S+ \S+"),
    ],
)
def test_load_tokenizer_turns_bare_exceptions_of_the_library_into_errors(folder, text, message):
    (folder / "tokenizer.json").write_text(text)
    with pytest.raises(CheckpointError, match=message):
        load_tokenizer(str(folder))


def test_load_encoder_takes_sharded_weights(folder):
    from transformers import XLMRobertaModel

    model = XLMRobertaModel.from_pretrained(folder, add_pooling_layer=False)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="20KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 2
    assert locate_backbone(str(folder)) == str(folder)
    ours = load_encoder(str(folder)).state_dict()
    assert all(torch.equal(tensor, ours[name]) for name, tensor in model.state_dict().items())


BIAS = "encoder.layer.0.output.dense.bias"
WRONG_INDEX = {
    "a tensor left out": (
        lambda index, others: index["weight_map"].pop(BIAS),
        rf"weight_map: '{BIAS}' stands in 'model-\d+-of-\d+.safetensors', and it does not name it\. Save the backbone",
    ),
    "another shard": (
        lambda index, others: index["weight_map"].update({BIAS: others[0]}),
        rf"weight_map: '{BIAS}' stands in 'model-\d+-of-\d+.safetensors', and it says 'model-\d+-of-",
    ),
    "no metadata": (lambda index, others: index.pop("metadata"), r"metadata: null is refused: it must be an object"),
    "a text": (lambda index, others: index.update(metadata="x"), r"metadata: 'x' is refused: it must be an object"),
}


@pytest.mark.parametrize(("spoil", "message"), WRONG_INDEX.values(), ids=WRONG_INDEX)
def test_the_index_of_shards_says_what_they_hold(folder, spoil, message):
    from transformers import XLMRobertaModel

    model = XLMRobertaModel.from_pretrained(folder, add_pooling_layer=False)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="20KB")
    path = folder / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    spoil(index, sorted({*index["weight_map"].values()} - {index["weight_map"][BIAS]}))
    path.write_text(json.dumps(index))
    for attempt in (locate_backbone, check_backbone, load_encoder):
        with pytest.raises(CheckpointError, match=rf"safetensors\.index\.json: {message}"):
            attempt(str(folder))


def test_encoder_cache_shares_weights_but_no_modules(tiny_encoder_folder):
    cache = EncoderCache()
    cache.keep(str(tiny_encoder_folder))
    one, other = cache.load(str(tiny_encoder_folder)), cache.load(str(tiny_encoder_folder))
    plain = load_encoder(str(tiny_encoder_folder))
    pairs = list(zip(one.named_parameters(), other.named_parameters(), plain.named_parameters(), strict=True))
    assert len(pairs) > 40
    for (name, first), (_, second), (plain_name, loaded) in pairs:
        assert name == plain_name
        assert first is not second
        assert first.data_ptr() == second.data_ptr() != loaded.data_ptr()
        assert torch.equal(first, loaded)
    shared = {id(module) for module in one.modules()} & {id(module) for module in other.modules()}
    assert not shared
    ids, mask = torch.tensor([[0, 7, 9, 2]]), torch.ones(1, 4, dtype=torch.long)
    assert torch.equal(one(ids, mask).last_hidden_state, plain(ids, mask).last_hidden_state)


def test_own_weights_keep_a_trained_encoder_from_the_one_in_memory(tiny_encoder_folder):
    cache = EncoderCache()
    cache.keep(str(tiny_encoder_folder))
    trained = cache.load(str(tiny_encoder_folder))
    own_weights(trained)
    with torch.no_grad():
        for weight in trained.parameters():
            weight.add_(1)
    again, plain = cache.load(str(tiny_encoder_folder)), load_encoder(str(tiny_encoder_folder))
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), plain.parameters(), strict=True))


def test_encoder_cache_keeps_only_what_it_was_asked_to_keep(tiny_encoder_folder):
    cache = EncoderCache()
    encoders = [cache.load(str(tiny_encoder_folder)) for _ in range(2)]
    assert len({next(encoder.parameters()).data_ptr() for encoder in encoders}) == 2
    cache.keep(str(tiny_encoder_folder))
    first = cache.load(str(tiny_encoder_folder))
    cache.keep("other/backbone")
    second = cache.load(str(tiny_encoder_folder))
    assert next(first.parameters()).data_ptr() != next(second.parameters()).data_ptr()


def test_config_json_is_read_and_checked_once_for_one_loading(small_backbone, monkeypatch):
    read = []

    def counted(path):
        read.append(path.name)
        return check_model_json(path)

    monkeypatch.setattr("adaptstilts.models.backbone.check_model_json", counted)
    for load in (load_encoder, load_tokenizer, load_config):
        read.clear()
        load(str(small_backbone))
        assert read == ["config.json"]
