"""Weights are compared with config.json before any is read, by the same function where a backbone is loaded."""

import json
import math
import shutil

import pytest
import torch
from architectures import TYPES, config_of, save_type
from safetensors.torch import load_file, save_file

from adaptstilts.errors import CheckpointError
from adaptstilts.models.backbone import check_backbone, load_encoder
from adaptstilts.models.network import head_dropout
from adaptstilts.shipped import mini_backbone_folder

TENSOR = "roberta.encoder.layer.2.output.dense.bias"
WITH_HEADS = {
    "xlm-roberta": "XLMRobertaForMaskedLM",
    "xlm-roberta-xl": "XLMRobertaXLForMaskedLM",
    "bert": "BertForPreTraining",
    "deberta-v2": "DebertaV2ForMaskedLM",
    "modernbert": "ModernBertForMaskedLM",
    "mt5": "MT5ForConditionalGeneration",
    "umt5": "UMT5ForConditionalGeneration",
}


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(mini_backbone_folder(), tmp_path / "mini")


def configure(folder, **settings):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))


def rewrite(folder, change):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata={"format": "pt"})


def change_tensor(change):
    return lambda folder: rewrite(folder, lambda tensors: tensors.update({TENSOR: change(tensors[TENSOR])}))


WRONG = {
    "a layer too few": (
        lambda folder: configure(folder, num_hidden_layers=5),
        r"lack or misfit 16 tensors of the encoder, the first is 'encoder\.layer\.4\..*saved with the weights\.$",
    ),
    "a tensor is missing": (
        lambda folder: rewrite(folder, lambda tensors: tensors.pop(TENSOR)),
        r"lack or misfit 1 tensor of the encoder, the first is 'encoder\.layer\.2\.output\.dense\.bias'\. Use",
    ),
    "a shape": (
        change_tensor(lambda tensor: tensor[:5]),
        r"the first is 'encoder\.layer\.2\.output\.dense\.bias', of shape 5 instead of 128\.",
    ),
    "a layer too many": (
        lambda folder: configure(folder, num_hidden_layers=3),
        r"hold 16 tensors for which the encoder of its config\.json has no place, the first is "
        r"'encoder\.layer\.3\..*merge adapters and LoRA into them first\.$",
    ),
    "LoRA beside a matrix": (
        lambda folder: rewrite(
            folder, lambda tensors: tensors.update({TENSOR.replace("bias", "lora_A"): 1 * tensors[TENSOR]})
        ),
        r"hold 1 tensor for which the encoder .*, the first is 'encoder\.layer\.2\.output\.dense\.lora_A'\.",
    ),
    "whole numbers": (
        change_tensor(lambda tensor: tensor.to(torch.int32)),
        r"dense\.bias', of type 'I32', which is not a floating-point type\.",
    ),
    "positions": (
        lambda folder: configure(folder, max_position_embeddings=600),
        r"position_embeddings\.weight', of shape 514 x 128 instead of 600 x 128\.",
    ),
    "heads": (
        lambda folder: configure(folder, num_attention_heads=3),
        r"cannot be loaded as a backbone of type xlm-roberta: The hidden size \(128\) is not a multiple",
    ),
    "relative positions": (
        lambda folder: configure(folder, position_embedding_type="relative_key"),
        r"config\.json: position_embedding_type: 'relative_key' is not supported .*Allowed: absolute\.",
    ),
    "no token types": (
        lambda folder: configure(folder, type_vocab_size=0),
        r"config\.json: type_vocab_size: 0 is out of range: .*Allowed: at least 1\.",
    ),
    "no dropout": (
        lambda folder: configure(folder, hidden_dropout_prob=None),
        r"config\.json: hidden_dropout_prob: null is refused: it must be a number, such as 0\.1\.",
    ),
    "chunks": (
        lambda folder: configure(folder, chunk_size_feed_forward=7),
        r"config\.json: chunk_size_feed_forward: 7 is refused: .*Allowed: null, 0\. Remove the key",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), WRONG.values(), ids=WRONG)
def test_check_refuses_what_loading_refuses_in_the_same_words(folder, spoil, message):
    spoil(folder)
    with pytest.raises(CheckpointError, match=message) as checked:
        check_backbone(str(folder))
    with pytest.raises(CheckpointError) as loaded:
        load_encoder(str(folder))
    assert str(checked.value) == str(loaded.value)


SMALL = {
    "xlm-roberta": "num_hidden_layers",
    "xlm-roberta-xl": "num_hidden_layers",
    "bert": "num_hidden_layers",
    "deberta-v2": "num_hidden_layers",
    "modernbert": "num_hidden_layers",
    "mt5": "num_layers",
    "umt5": "num_layers",
}


@pytest.mark.parametrize("model_type", TYPES)
def test_weights_of_more_layers_than_the_config_has_are_refused_in_every_type(tmp_path, model_type):
    place = save_type(tmp_path, model_type)
    configure(place, **{SMALL[model_type]: 2})
    with pytest.raises(CheckpointError, match=r"for which the encoder of its config\.json has no place"):
        load_encoder(str(place))


def test_a_tensor_under_two_names_must_be_the_same(tmp_path):
    place = save_type(tmp_path, "mt5")
    twin = "encoder.embed_tokens.weight"
    rewrite(place, lambda tensors: tensors.update({twin: tensors["shared.weight"].clone()}))
    load_encoder(str(place))
    rewrite(place, lambda tensors: tensors.update({twin: 2 * tensors["shared.weight"]}))
    message = r"the weights hold 'shared\.weight' twice, as 'shared\.weight' and as 'encoder\.embed_tokens\.weight'"
    with pytest.raises(CheckpointError, match=message):
        load_encoder(str(place))


def test_tables_that_older_versions_saved_are_left_out(folder):
    table = {"roberta.embeddings.position_ids": torch.arange(9), "roberta.encoder.layer.0.inv_freq": torch.ones(4)}
    rewrite(folder, lambda tensors: tensors.update(table))
    check_backbone(str(folder))


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e300])
def test_only_numbers_that_the_encoder_reads_must_be_finite_in_single_precision(folder, value):
    def spoil(name):
        rewrite(
            folder, lambda tensors: tensors.update({name: torch.full_like(tensors[TENSOR], value, dtype=torch.float64)})
        )

    spoil("classifier.bias")
    check_backbone(str(folder))
    spoil(TENSOR)
    message = (
        r"the weights are damaged: '.*encoder\.layer\.2\.output\.dense\.bias' has numbers that are infinite or none"
    )
    for attempt in (check_backbone, load_encoder):
        with pytest.raises(CheckpointError, match=message):
            attempt(str(folder))


def test_padding_id_must_be_that_of_the_tokenizer(folder):
    configure(folder, pad_token_id=3)
    with pytest.raises(CheckpointError, match=r"pad_token_id: the tokenizer's padding id is 1, the encoder's is 3"):
        check_backbone(str(folder))


@pytest.mark.parametrize("model_type", TYPES)
def test_every_type_fits_its_own_weights_with_and_without_heads(tmp_path, model_type):
    import transformers

    before = load_encoder(str(save_type(tmp_path / "plain", model_type)))
    whole = getattr(transformers, WITH_HEADS[model_type])(before.config)
    whole.save_pretrained(tmp_path / "whole")
    names = dict(before.named_parameters())
    assert dict(load_encoder(str(tmp_path / "whole")).named_parameters()).keys() == names.keys()


def test_old_names_of_norms_are_known(folder):
    def rename(tensors):
        for name in [name for name in tensors if "encoder" in name and "LayerNorm" in name]:
            tensors[name.replace(".weight", ".gamma").replace(".bias", ".beta")] = tensors.pop(name)

    ours = load_encoder(str(folder)).state_dict()
    rewrite(folder, rename)
    check_backbone(str(folder))
    again = load_encoder(str(folder)).state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in ours.items())


@pytest.mark.parametrize("model_type", TYPES)
def test_loading_draws_no_random_number(tmp_path, model_type):
    place = str(save_type(tmp_path, model_type))
    torch.manual_seed(3)
    before = torch.get_rng_state()
    load_encoder(place)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("model_type", TYPES)
def test_no_type_computes_what_nothing_reads(tmp_path, caplog, model_type):
    place = save_type(tmp_path, model_type)
    before, ids = load_encoder(str(place)), torch.tensor([[2, 7, 9, 4]])
    configure(place, output_attentions=True, output_hidden_states=True)
    after = load_encoder(str(place))
    with torch.no_grad():
        first, found = before(input_ids=ids), after(input_ids=ids)
    assert torch.equal(first.last_hidden_state, found.last_hidden_state)
    assert found.get("attentions") is None
    assert found.get("hidden_states") is None
    assert "alling back" not in caplog.text


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"gradient_checkpointing": True}, None), ({"use_return_dict": False}, "'use_return_dict' .* has no setter")],
)
def test_transformers_says_nothing_beside_of_settings(folder, recwarn, capfd, settings, message):
    configure(folder, **settings)
    if message is None:
        assert not load_encoder(str(folder)).is_gradient_checkpointing
    else:
        with pytest.raises(CheckpointError, match=message):
            load_encoder(str(folder))
    assert [str(each.message) for each in recwarn] == []
    assert "Can't set" not in capfd.readouterr().err


def test_modernbert_without_dropout_of_the_classifier_has_heads_without(tmp_path):
    place = save_type(tmp_path, "modernbert")
    configure(place, classifier_dropout=None)
    assert head_dropout(load_encoder(str(place))) == 0


@pytest.mark.parametrize("terms", [["c2p", "p2p"], "c2p|x", ["C2P"]])
def test_comparisons_that_deberta_would_leave_out_are_refused(tmp_path, terms):
    place = save_type(tmp_path, "deberta-v2")
    configure(place, pos_att_type=terms)
    with pytest.raises(CheckpointError, match=r"type deberta-v2 with parts that are not supported"):
        check_backbone(str(place))


def test_relative_positions_are_no_matter_of_types_without_absolute_ones(tmp_path):
    place = save_type(tmp_path, "modernbert")
    configure(place, position_embedding_type="sans_pos")
    load_encoder(str(place))
    assert config_of("deberta-v2").type_vocab_size == 0
