import math

import numpy as np
import pytest
import torch

from adaptstilts.config.pretrain import ArchitectureSection
from adaptstilts.pretrain.batches import Row
from adaptstilts.pretrain.mlm import (
    hidden_states,
    mask,
    masked_loss,
    matching_loss,
    mean_pool,
    pad,
    ranking_loss,
)
from adaptstilts.pretrain.xlmr import build_model, lower_layers

MASK = 99


def row(length, second=None, first=4):
    ids = np.concatenate([[0], np.arange(first, first + length - 2), [2]]).astype(np.int32)
    return Row(ids, length if second is None else second)


@pytest.fixture(scope="module")
def model():
    shape = ArchitectureSection(layers=3, width=16, heads=2, feed_forward=32, positions=66, dropout=0.0)
    return build_model(shape, MASK + 1, seed=3)


def test_pad_gives_positions_from_two_and_padding_where_rows_are_short():
    padded = pad([row(5), row(3)])
    assert padded.input_ids.tolist() == [[0, 4, 5, 6, 2], [0, 4, 2, 1, 1]]
    assert padded.attention_mask.tolist() == [[1] * 5, [1, 1, 1, 0, 0]]
    assert padded.position_ids.tolist() == [[2, 3, 4, 5, 6], [2, 3, 4, 1, 1]]


def test_pad_starts_positions_anew_at_the_translation_when_asked():
    assert pad([row(6, second=3)], reset_positions=True).position_ids.tolist() == [[2, 3, 4, 2, 3, 4]]


def test_positions_are_those_the_model_counts_itself(model):
    padded = pad([row(5), row(9)])
    model.eval()
    with torch.inference_mode():
        given = model(padded.input_ids, padded.attention_mask, position_ids=padded.position_ids).logits
        counted = model(padded.input_ids, padded.attention_mask).logits
    assert torch.equal(given, counted)


def test_mask_follows_bert_shares_and_leaves_special_tokens_alone():
    padded = pad([row(62) for _ in range(300)])
    masked = mask(padded, rate=0.15, mask_id=MASK, rng=np.random.default_rng(0))
    seen, true = masked.padded.input_ids.flatten(), padded.input_ids.flatten()
    assert len(masked.where) / (300 * 60) == pytest.approx(0.15, abs=0.01)
    assert torch.equal(masked.targets, true[masked.where])
    assert (masked.targets >= 4).all()
    changed = torch.zeros_like(true, dtype=torch.bool)
    changed[masked.where] = True
    assert torch.equal(seen[~changed], true[~changed])
    hidden = (seen[masked.where] == MASK).float().mean()
    same = (seen[masked.where] == masked.targets).float().mean()
    assert hidden.item() == pytest.approx(0.8, abs=0.03)
    assert same.item() == pytest.approx(0.1, abs=0.03)


def test_mask_hides_one_sub_token_when_chance_hides_none():
    masked = mask(pad([row(3)]), rate=1e-9, mask_id=MASK, rng=np.random.default_rng(0))
    assert masked.where.tolist() == [1]


def test_mask_is_decided_by_the_generator():
    padded = pad([row(40), row(30)])
    first, second, other = (mask(padded, rate=0.15, mask_id=MASK, rng=np.random.default_rng(n)) for n in (1, 1, 2))
    assert torch.equal(first.padded.input_ids, second.padded.input_ids)
    assert not torch.equal(first.padded.input_ids, other.padded.input_ids)


def test_masked_loss_equals_the_library_model_s_loss(model):
    padded = pad([row(20), row(12)])
    masked = mask(padded, rate=0.3, mask_id=MASK, rng=np.random.default_rng(0))
    labels = torch.full_like(padded.input_ids, -100).flatten()
    labels[masked.where] = masked.targets
    model.eval()
    expected = model(
        masked.padded.input_ids, masked.padded.attention_mask, labels=labels.view_as(padded.input_ids)
    ).loss
    assert torch.allclose(masked_loss(model, hidden_states(model, masked.padded), masked), expected, atol=1e-6)


def test_matching_loss_reads_the_first_token_only():
    hidden = torch.tensor([[[1.0], [9.0]], [[-2.0], [9.0]]])
    expected = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(-2))) / 2
    assert matching_loss(torch.nn.Identity(), hidden, [True, False]).item() == pytest.approx(expected, abs=1e-6)


def test_mean_pool_leaves_padding_out():
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [50.0, 50.0]]])
    assert mean_pool(hidden, torch.tensor([[1, 1, 0]])).tolist() == [[2.0, 4.0]]


def test_ranking_loss_matches_hand_computation():
    left = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    right = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    rows = [math.log(1 + math.exp((0.6 - 1) / 0.5)), math.log(1 + math.exp((0 - 0.8) / 0.5))]
    columns = [math.log(1 + math.exp((0 - 1) / 0.5)), math.log(1 + math.exp((0.6 - 0.8) / 0.5))]
    expected = (sum(rows) / 2 + sum(columns) / 2) / 2
    assert ranking_loss(left, right, 0.5).item() == pytest.approx(expected, abs=1e-6)


def test_ranking_loss_is_log_of_pairs_when_vectors_tell_nothing():
    same = torch.ones(5, 3)
    assert ranking_loss(same, same, 0.1).item() == pytest.approx(math.log(5), abs=1e-5)


def test_lower_layers_give_the_model_s_hidden_state_and_share_its_weights(model):
    padded = pad([row(7), row(5)])
    model.eval()
    shallow = lower_layers(model, 2)
    hidden = model.roberta(padded.input_ids, padded.attention_mask, output_hidden_states=True).hidden_states[2]
    found = shallow(input_ids=padded.input_ids, attention_mask=padded.attention_mask).last_hidden_state
    assert torch.allclose(found, hidden, atol=1e-6)
    mine = {id(weights) for weights in model.parameters()}
    assert all(id(weights) in mine for weights in shallow.parameters())
