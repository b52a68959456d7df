"""Dual encoders: scores of a batch, their loss, and what training does to them."""

from array import array

import numpy as np
import pytest
import torch

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.config.schema import AdapterSection
from adaptstilts.encoding.features import Encoded, Feature
from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.match import predict_pairs, unit_vectors
from adaptstilts.evaluate.metrics import mean_average_precision
from adaptstilts.models.batches import SCALE, collate, match_scores
from adaptstilts.models.heads import load_head, new_head, save_head, spec_for
from adaptstilts.study.stages.weights import starting_assembly
from adaptstilts.tasks.examples import Candidate, MatchExample
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.batches import targets_in
from adaptstilts.train.loop import fit
from adaptstilts.train.losses import loss_sum
from adaptstilts.train.methods import METHODS
from adaptstilts.train.setup import build_network

SETTINGS = TrainSettings(
    learning_rate=5e-3, epochs=25, batch_size=4, max_length=32, warmup=0.0, weight_decay=0.0, patience=None
)


def pairs(count=8):
    """Queries and candidates with a sub-token in common; the last query has the candidate of the first."""
    made = []
    for index in range(count):
        number = index if index < count - 1 else 0
        query = array("i", [0, 10 + 7 * number, 11 + 7 * number, 2])
        candidate = array("i", [0, 12 + 7 * number, 11 + 7 * number, 13, 14, 15, 2])
        made.append(Feature((query, candidate), number, index))
    return made


def encoded_pairs():
    items = pairs()
    examples = [
        MatchExample(str(item.example), "q", f"c{item.target}", Candidate(f"c{item.target}", "c", None, ()))
        for item in items
    ]
    return Encoded(Kind.MATCH, examples, items)


def network(folder, method="direct"):
    row, section = METHODS[method], AdapterSection(reduction_factor=2)
    assembly = starting_assembly(row, "squad_r", str(folder), section=section, seed=1)
    return build_network(row, assembly, task="squad_r", head=spec_for(Kind.MATCH, ()), seed=1)


def test_head_gives_unit_vectors_of_the_first_token_and_is_restored_exactly(tiny_encoder_folder, tmp_path):
    net = network(tiny_encoder_folder)
    hidden = torch.randn(3, 5, 32, generator=torch.Generator().manual_seed(1))
    head = new_head(spec_for(Kind.MATCH, ()), 32, 0.5, seed=3)
    head.train()
    vectors = head(hidden)
    assert torch.equal(vectors, head(hidden.clone()))
    by_hand = torch.tanh(hidden[:, 0] @ head[1].weight.T + head[1].bias)
    assert torch.allclose(vectors, by_hand / by_hand.norm(dim=-1, keepdim=True), atol=1e-6)
    save_head(head, "squad_r", tmp_path, net.encoder.config)
    again = load_head(tmp_path, 32, 0.1)
    assert again.spec == head.spec
    assert torch.equal(again(hidden), vectors)


def test_vectors_that_are_not_finite_are_refused_in_place_of_finding_the_first_candidate(tiny_encoder_folder):
    net = network(tiny_encoder_folder)
    with torch.no_grad():
        net.head[1].bias.fill_(torch.nan)
    with pytest.raises(EvaluationError, match=r"the vector of sentence 0 .* holds values that are not finite"):
        predict_pairs(net, encoded_pairs(), batch_tokens=512)


def test_scores_of_a_batch_are_scaled_cosines_of_every_query_with_every_candidate():
    queries = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    candidates = torch.tensor([[0.0, 1.0], [0.8, 0.6]])
    assert torch.allclose(match_scores(queries, candidates) / SCALE, torch.tensor([[0.0, 0.8], [0.8, 0.96]]))


def test_loss_is_the_softmax_over_the_candidates_of_the_batch():
    scores = torch.tensor([[2.0, 1.0, 0.0], [0.5, 0.0, 1.0], [3.0, 0.0, 1.0]])
    expected = sum(torch.logsumexp(row, 0) - row[at] for at, row in enumerate(scores))
    found = loss_sum(Kind.MATCH, scores, torch.tensor([4, 5, 6]))
    assert float(found) == pytest.approx(float(expected), abs=1e-5)
    pairs = encoded_pairs().features
    assert targets_in(pairs, Kind.MATCH) == len(pairs)


def test_equal_candidates_of_a_batch_are_no_negatives_of_each_other():
    scores = torch.tensor([[2.0, 1.0, 9.0], [0.5, 0.0, 1.0], [9.0, 0.0, 1.0]])
    expected = [
        torch.logsumexp(scores[0, [0, 1]], 0) - scores[0, 0],
        torch.logsumexp(scores[1], 0) - scores[1, 1],
        torch.logsumexp(scores[2, [1, 2]], 0) - scores[2, 2],
    ]
    found = loss_sum(Kind.MATCH, scores, torch.tensor([4, 5, 4]))
    assert float(found) == pytest.approx(float(sum(expected)), abs=1e-5)


def test_queries_and_candidates_are_padded_apart_and_scored_by_one_encoder(tiny_encoder_folder):
    batch = collate(pairs()[:3], Kind.MATCH, 1)
    assert batch.input_ids.shape == (3, 4)
    assert batch.candidates is not None
    assert batch.candidates[0].shape == batch.candidates[1].shape == (3, 7)
    assert batch.targets.tolist() == [0, 1, 2]
    net = network(tiny_encoder_folder).eval()
    with torch.no_grad():
        scores = batch.scores(net)
        queries, candidates = net(batch.input_ids, batch.attention_mask), net(*batch.candidates)
    assert torch.allclose(scores, SCALE * queries @ candidates.T, atol=1e-4)


@pytest.mark.parametrize("method", ["direct", "adapter"])
def test_training_brings_queries_to_their_candidates(tiny_encoder_folder, method):
    net, encoded = network(tiny_encoder_folder, method), encoded_pairs()
    for layer in net.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0  # of a network this small it hides the few sub-tokens that tell the pairs apart
        if hasattr(layer, "dropout_prob"):
            layer.dropout_prob = 0.0  # that of attention
    gold = {example.id: [example.candidate.id] for example in encoded.examples}
    before = mean_average_precision(predict_pairs(net, encoded, batch_tokens=64).predictions, gold)
    report = fit(net, encoded.features, SETTINGS, kind=Kind.MATCH, seed=1, score_dev=None)
    after = mean_average_precision(predict_pairs(net, encoded, batch_tokens=64).predictions, gold)
    assert report.losses[-1] < 0.5 * report.losses[0]
    assert before < 60
    assert after > 90


def test_pairs_are_ranked_among_distinct_candidates_whatever_the_batches(tiny_encoder_folder):
    net, encoded = network(tiny_encoder_folder), encoded_pairs()
    found = [predict_pairs(net, encoded, batch_tokens=size) for size in (1, 1000)]
    assert found[0].predictions == found[1].predictions
    assert all(sorted(ids) == [f"c{at}" for at in range(7)] for ids in found[0].predictions.values())
    rows = encoded.features[2].rows
    singles = [Encoded(Kind.MATCH, encoded.examples, [Feature((row,), None, 0)]) for row in rows]
    query, own = (unit_vectors(net, single, batch_tokens=64)[0] for single in singles)
    at = found[0].predictions["2"].index("c2")
    np.testing.assert_allclose(found[0].raw["similarities"][2, at], query @ own, atol=1e-5)


def test_saved_dual_encoder_gives_the_same_vectors_in_the_plain_library(tiny_encoder_folder, tmp_path):
    from adapters import XLMRobertaAdapterModel

    net = network(tiny_encoder_folder, "adapter").eval()
    net.attached.save("target_squad_r", tmp_path, net.head)
    plain = XLMRobertaAdapterModel.from_pretrained(tiny_encoder_folder).eval()
    plain.load_adapter(str(tmp_path))
    plain.set_active_adapters("target_squad_r")
    ids = torch.tensor([[0, 10, 11, 2], [0, 17, 18, 2]])
    with torch.no_grad():
        scores = plain(ids).logits
        own = net(ids, torch.ones_like(ids))
    assert torch.allclose(torch.nn.functional.normalize(scores.tanh(), dim=-1), own, atol=1e-6)
