import math
from array import array
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.encoding.features import IGNORED, Feature
from adaptstilts.errors import TrainingError
from adaptstilts.models.heads import new_head, spec_for
from adaptstilts.models.network import TaskNetwork
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.batches import grouped_batches
from adaptstilts.train.loop import fit
from adaptstilts.train.losses import loss_sum
from adaptstilts.train.optim import build_optimizer, build_schedule, learning_rate

SETTINGS = TrainSettings(
    learning_rate=1e-2, epochs=4, batch_size=8, max_length=16, warmup=0.25, weight_decay=0.1, patience=None
)


class Encoder(nn.Module):
    """A bag of embeddings with the interface of an encoder; as in one, padding has vectors too."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.config = SimpleNamespace(pad_token_id=1)
        self.embedding = nn.Embedding(50, 8)

    def forward(self, input_ids, attention_mask):
        vectors = self.embedding(input_ids)
        mean = (vectors * attention_mask[..., None]).sum(1, keepdim=True) / attention_mask.sum(1)[:, None, None]
        return type("Output", (), {"last_hidden_state": mean + vectors})


def item(ids, target=None):
    target = array("i", target) if isinstance(target, tuple) else target
    return Feature((array("i", ids),), target, 0)


def network(kind=Kind.CLASSIFY):
    return TaskNetwork(Encoder(), new_head(spec_for(kind, ("a", "b")), 8, 0.0, seed=1), None)


def items(count=24):
    return [item((0, *[5 + index % 2] * (1 + index % 4), 2), index % 2) for index in range(count)]


def uneven(kind, count=22):
    """Items of 3 to 12 sub-tokens; tags and choices are more, the longer the item."""
    made = []
    for index in range(count):
        size = 1 + index * 7 % 10
        ids = array("i", (0, *range(5, 5 + size), 2))
        if kind is Kind.CHOOSE:
            made.append(Feature((ids,) * (2 + size % 3), index % 2, index))
        else:
            targets = {Kind.TAG: array("i", (IGNORED, *[index % 2] * size, IGNORED)), Kind.EXTRACT: (1, size)}
            made.append(Feature((ids,), targets.get(kind, index % 2), index))
    return made


@pytest.mark.parametrize("kind", [Kind.CLASSIFY, Kind.CHOOSE, Kind.TAG, Kind.EXTRACT])
def test_fit_gives_the_same_weights_with_and_without_accumulation(kind):
    states = []
    for accumulation in (1, 3):
        net = network(kind)
        settings = replace(SETTINGS, accumulation=accumulation, adam_epsilon=1e-3)
        fit(net, uneven(kind), settings, kind=kind, seed=3, score_dev=None)
        states.append(net.state_dict())
    assert all(torch.allclose(states[0][name], states[1][name], atol=1e-5) for name in states[0])


def test_fit_keeps_the_weights_of_the_best_dev_score():
    net, seen = network(), []
    scores = iter([10.0, 30.0, 20.0, 25.0])

    def score_dev(trained):
        seen.append(trained.head[1].weight.clone())
        return next(scores)

    report = fit(net, items(), SETTINGS, kind=Kind.CLASSIFY, seed=3, score_dev=score_dev)
    assert (report.best_step, report.best_dev) == (6, 30.0)
    assert torch.equal(net.head[1].weight, seen[1])
    assert [step for step, _ in report.dev_scores] == [3, 6, 9, 12]


def test_fit_stops_when_patience_is_over():
    scores = iter([30.0, 20.0, 25.0, 99.0])
    settings = replace(SETTINGS, patience=2)
    report = fit(network(), items(), settings, kind=Kind.CLASSIFY, seed=3, score_dev=lambda _: next(scores))
    assert (report.steps, report.planned_steps, report.stopped_early) == (9, 12, True)


def test_fit_did_not_stop_early_when_patience_ends_with_the_last_step():
    scores = iter([30.0, 40.0, 20.0, 25.0])
    settings = replace(SETTINGS, patience=2)
    report = fit(network(), items(), settings, kind=Kind.CLASSIFY, seed=3, score_dev=lambda _: next(scores))
    assert (report.steps, report.best_step, report.stopped_early) == (12, 6, False)


def test_fit_raises_when_loss_is_not_finite():
    net = network()
    with torch.no_grad():
        net.head[1].weight.fill_(math.nan)
    with pytest.raises(TrainingError, match="loss is nan at step 1"):
        fit(net, items(), SETTINGS, kind=Kind.CLASSIFY, seed=3, score_dev=None)


def test_fit_raises_when_there_is_nothing_to_train_on():
    with pytest.raises(TrainingError, match="no training examples"):
        fit(network(), [], SETTINGS, kind=Kind.CLASSIFY, seed=3, score_dev=None)


def test_fit_raises_when_a_label_is_hidden():
    with pytest.raises(TrainingError, match="has no label"):
        fit(network(), [item((0, 5, 2), None)], SETTINGS, kind=Kind.CLASSIFY, seed=3, score_dev=None)


@pytest.mark.parametrize(("examples", "most", "expected"), [(24, None, 12), (25, None, 16), (24, 5, 5)])
def test_steps_of_settings_count_partial_batches_and_obey_the_limit(examples, most, expected):
    assert replace(SETTINGS, max_steps=most).steps(examples) == expected


def test_learning_rate_of_a_step_is_the_one_the_optimiser_uses():
    settings = replace(SETTINGS, warmup=0.3)
    optimizer = build_optimizer(torch.nn.Linear(2, 2), settings)
    schedule = build_schedule(optimizer, settings, 10)
    used = []
    for _ in range(10):
        used.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert used == pytest.approx([learning_rate(step, settings, 10) for step in range(1, 11)], rel=1e-12)
    assert used[2] == pytest.approx(0.75 * settings.learning_rate)


def test_schedule_rises_then_falls_to_zero():
    optimizer = build_optimizer(network(), SETTINGS)
    schedule = build_schedule(optimizer, SETTINGS, 12)
    rates = []
    for _ in range(13):
        rates.append(schedule.get_last_lr()[0] / SETTINGS.learning_rate)
        optimizer.step()
        schedule.step()
    assert rates[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert rates[4:7] == pytest.approx([8 / 9, 7 / 9, 6 / 9])
    assert rates[12] == 0


def test_optimizer_decays_no_bias():
    groups = build_optimizer(network(), SETTINGS).param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert [len(group["params"]) for group in groups] == [3, 2]


def test_optimizer_decays_no_value_matrix_of_a_fusion_but_that_of_attention():
    value, attention = (nn.ModuleDict({"value": nn.Linear(2, 2, bias=False)}) for _ in range(2))
    fusion = nn.ModuleDict({"adapter_fusion_layer": nn.ModuleDict({"fusion_xnli": value})})
    model = nn.ModuleDict({"attention": attention, "output": fusion})
    decayed, plain = (group["params"] for group in build_optimizer(model, SETTINGS).param_groups)
    assert [len(decayed), len(plain)] == [1, 1]
    assert decayed[0] is attention["value"].weight
    assert plain[0] is value["value"].weight


def test_grouped_batches_hold_each_item_once_and_depend_on_the_seed():
    made = items(103)
    one, again, other = (grouped_batches(made, 8, seed=seed) for seed in (1, 1, 2))
    assert sorted(index for batch in one for index in batch) == list(range(103))
    assert one == again != other
    assert sorted(map(len, one)) == [7, *[8] * 12]
    whole = [[made[index].size for index in batch] for batch in one if len(batch) == 8]
    assert max(max(sizes) - min(sizes) for sizes in whole) <= 1


def test_grouped_batches_leave_over_the_longest_item_no_more_than_others():
    made = [item([5] * size) for size in range(1, 34)]
    left_over = [min(grouped_batches(made, 8, seed=seed), key=len) for seed in range(300)]
    assert {len(batch) for batch in left_over} == {1}
    assert sum(batch == [32] for batch in left_over) < 30  # 9 of 300 expected
    assert len({batch[0] for batch in left_over}) == 33


def test_loss_sum_of_spans_is_the_mean_of_start_and_end():
    scores = torch.tensor([[[2.0, 0.0], [0.0, 1.0]]])
    expected = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-1))) / 2
    assert float(loss_sum(Kind.EXTRACT, scores, torch.tensor([[0, 1]]))) == pytest.approx(expected)


def test_loss_of_a_span_is_the_same_with_more_padding():
    scores, targets = torch.randn(2, 5, 2, generator=torch.Generator().manual_seed(1)), torch.tensor([[0, 1], [1, 2]])
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 0, 0]])
    wide = loss_sum(Kind.EXTRACT, scores, targets, mask)
    assert torch.equal(wide, loss_sum(Kind.EXTRACT, scores[:, :3], targets))
