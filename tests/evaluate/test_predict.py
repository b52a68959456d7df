from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adaptstilts.config.schema import AdapterSection
from adaptstilts.encoding.features import Encoded, Feature, SpanFeature, TagFeature
from adaptstilts.errors import CheckpointError, EvaluationError
from adaptstilts.evaluate.predict import layer_vectors, pool, predict, raw_scores, sentence_vectors
from adaptstilts.models.adapters import AdapterHost, Composition
from adaptstilts.models.backbone import load_encoder
from adaptstilts.models.heads import new_head, spec_for
from adaptstilts.models.network import TaskNetwork
from adaptstilts.tasks.examples import ChoiceExample, PairExample, Sentence, SpanExample, TagExample
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind, Task

LABELS = ("contradiction", "entailment", "neutral")
LENGTHS = (9, 4, 17, 5, 12, 4, 30)


def row(length: int) -> np.ndarray:
    """Sub-tokens of a sentence of so many, special ones included; longer ones are not continuations of shorter."""
    inner = [4 + (7 * length + 3 * index) % 110 for index in range(length - 2)]
    return np.array([0, *inner, 2], dtype=np.int32)


def network(folder: Path, kind: Kind, labels: tuple[str, ...] = ()) -> TaskNetwork:
    head = None if kind is Kind.RETRIEVE else new_head(spec_for(kind, labels), 32, 0.1, seed=5, std=0.5)
    return TaskNetwork(load_encoder(str(folder)), head, None).eval()


def pairs() -> Encoded:
    examples = [PairExample(str(index), "a", "b", None) for index in range(len(LENGTHS))]
    features = [Feature((row(length),), None, index) for index, length in enumerate(LENGTHS)]
    return Encoded(Kind.CLASSIFY, examples, features)


def alone(net: TaskNetwork, ids: np.ndarray) -> np.ndarray:
    """Scores of one row, computed without any padding."""
    tensor = torch.from_numpy(ids.astype(np.int64))[None]
    with torch.no_grad():
        return net(tensor, torch.ones_like(tensor)).numpy()


@pytest.mark.parametrize("batch_tokens", [1, 40, 10_000])
def test_raw_scores_do_not_depend_on_batches_and_keep_the_order(tiny_encoder_folder: Path, batch_tokens: int):
    net, encoded = network(tiny_encoder_folder, Kind.CLASSIFY, LABELS), pairs()
    scores = raw_scores(net, encoded, batch_tokens=batch_tokens)
    for found, feature in zip(scores, encoded.features, strict=True):
        np.testing.assert_allclose(found, alone(net, feature.input_ids)[0], atol=1e-5)


def test_raw_scores_switch_dropout_off(tiny_encoder_folder: Path):
    net, encoded = network(tiny_encoder_folder, Kind.CLASSIFY, LABELS), pairs()
    first = raw_scores(net, encoded, batch_tokens=100)
    net.train()
    again = raw_scores(net, encoded, batch_tokens=100)
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert not net.training


def test_classes_are_those_of_the_highest_logits(tiny_encoder_folder: Path):
    net = network(tiny_encoder_folder, Kind.CLASSIFY, LABELS)
    found = predict(net, get_task("xnli"), LABELS, pairs(), batch_tokens=64)
    assert found.raw["logits"].shape == (len(LENGTHS), 3)
    assert found.predictions == found.raw["logits"].argmax(1).tolist()


def test_choices_may_differ_in_number(tiny_encoder_folder: Path):
    net = network(tiny_encoder_folder, Kind.CHOOSE)
    rows = [(row(5), row(9), row(7)), (row(6), row(4)), (row(11), row(8), row(20), row(6))]
    examples = [ChoiceExample(str(index), "p", ("c",) * len(group), None) for index, group in enumerate(rows)]
    encoded = Encoded(Kind.CHOOSE, examples, [Feature(group, None, index) for index, group in enumerate(rows)])
    found = predict(net, get_task("hellaswag"), (), encoded, batch_tokens=30)
    logits = found.raw["logits"]
    assert logits.shape == (3, 4)
    assert np.isneginf(logits).sum(1).tolist() == [1, 2, 0]
    for group, scores, choice in zip(rows, logits, found.predictions, strict=True):
        own = [alone(net, ids)[0] for ids in group]
        np.testing.assert_allclose(scores[: len(group)], own, atol=1e-5)
        assert choice == int(np.argmax(own))


def test_tags_of_a_split_sentence_are_joined(tiny_encoder_folder: Path):
    labels = ("A", "B", "C", "D")
    net = network(tiny_encoder_folder, Kind.TAG, labels)
    examples = [TagExample("0", ("v", "w", "x", "y", "z"), None), TagExample("1", ("u",), None)]
    features = [
        TagFeature((row(8),), None, 0, positions=np.array([1, 2, 5], dtype=np.int32), first_word=0),
        TagFeature((row(5),), None, 0, positions=np.array([1, 3], dtype=np.int32), first_word=3),
        TagFeature((row(6),), None, 1, positions=np.array([1], dtype=np.int32), first_word=0),
    ]
    found = predict(net, get_task("udpos"), labels, Encoded(Kind.TAG, examples, features), batch_tokens=64)
    expected = [alone(net, feature.input_ids)[0][feature.positions] for feature in features]
    np.testing.assert_allclose(found.raw["logits"], np.concatenate(expected), atol=1e-5)
    assert found.raw["lengths"].tolist() == [5, 1]
    tags = [labels[index] for index in found.raw["logits"].argmax(1)]
    assert found.predictions == [tags[:5], tags[5:]]


def spans(task: Task) -> tuple[Task, Encoded]:
    context = "Anna met Bo and Cy in Ulm"
    words = [(0, 4), (5, 8), (9, 11), (12, 15), (16, 18), (19, 21), (22, 25)]
    examples = [SpanExample("q1", "Who?", context, None), SpanExample("q2", "Where?", context, None)]
    windows = [(0, 0, 4), (0, 2, 7), (1, 0, 7)]
    features = [
        SpanFeature(
            (row(4 + last - first),),
            None,
            example,
            context_offsets=np.array(words[first:last], dtype=np.int32),
            context_first=3,
        )
        for example, first, last in windows
    ]
    return task, Encoded(Kind.EXTRACT, examples, features)


def test_answers_are_the_best_spans_over_all_windows(tiny_encoder_folder: Path):
    net = network(tiny_encoder_folder, Kind.EXTRACT)
    task, encoded = spans(get_task("squad1"))
    found = predict(net, task, (), encoded, batch_tokens=64)
    assert {name: array.shape for name, array in found.raw.items()} == {
        "starts": (2, 20),
        "ends": (2, 20),
        "scores": (2, 20),
        "null_scores": (2,),
    }
    for number, indices in enumerate(encoded.by_example()):
        candidates = []
        for index in indices:
            feature = encoded.features[index]
            scores = alone(net, feature.input_ids)[0]
            inside = [at for at, offset in enumerate(feature.offsets) if offset[0] >= 0]
            candidates += [
                (float(scores[start, 0] + scores[end, 1]), feature.offsets[start, 0], feature.offsets[end, 1])
                for start in inside
                for end in inside
                if start <= end
            ]
        score, start, end = max(candidates)
        example = encoded.examples[number]
        assert found.predictions[example.id] == example.context[start:end]
        assert (found.raw["starts"][number, 0], found.raw["ends"][number, 0]) == (start, end)
        assert found.raw["scores"][number, 0] == pytest.approx(score, abs=1e-4)
        null = min(alone(net, encoded.features[index].input_ids)[0][0].sum() for index in indices)
        assert found.raw["null_scores"][number] == pytest.approx(null, abs=1e-4)


def test_no_answer_wins_only_where_a_task_has_unanswerable_questions(tiny_encoder_folder: Path):
    net = network(tiny_encoder_folder, Kind.EXTRACT)
    last: Any = list(net.head)[-1]
    ids = torch.from_numpy(row(11).astype(np.int64))[None]
    with torch.no_grad():
        hidden = net.encoder(ids).last_hidden_state[0]
        last.weight.copy_((hidden[0] - hidden[1:].mean(0)).expand(2, -1))  # `<s>` scores highest in it
    for name, expected in (("squad1", False), ("squad2", True)):
        task, encoded = spans(get_task(name))
        found = predict(net, task, (), encoded, batch_tokens=64)
        assert (found.predictions["q2"] == "") is expected  # the question whose only window is `ids`


def test_predict_refuses_a_set_up_that_was_switched(tiny_encoder_folder: Path):
    net = network(tiny_encoder_folder, Kind.CLASSIFY, LABELS)
    net.attached = AdapterHost(net.encoder)
    for name in ("mnli", "qqp"):
        net.attached.add(name, AdapterSection(reduction_factor=4), seed=1, identity=False)
    net.attached.activate(Composition(("mnli", "qqp")))
    predict(net, get_task("xnli"), LABELS, pairs(), batch_tokens=64)
    net.encoder.set_active_adapters("qqp")
    with pytest.raises(CheckpointError, match="the active set-up is"):
        predict(net, get_task("xnli"), LABELS, pairs(), batch_tokens=64)


def test_predict_refuses_a_network_without_a_head(tiny_encoder_folder: Path):
    with pytest.raises(CheckpointError, match="this network has no head"):
        predict(network(tiny_encoder_folder, Kind.RETRIEVE), get_task("xnli"), LABELS, pairs(), batch_tokens=64)


def sentences() -> Encoded:
    features = [Feature((row(length),), None, index) for index, length in enumerate(LENGTHS)]
    return Encoded(Kind.RETRIEVE, [Sentence(str(index), "t") for index in range(len(LENGTHS))], features)


@pytest.mark.parametrize("layer", [0, 1, 3])
@pytest.mark.parametrize("pooling", ["mean", "mean_no_specials", "cls"])
def test_sentence_vectors_pool_the_layer_of_the_plain_library(tiny_encoder_folder: Path, layer: int, pooling: str):
    net, encoded = network(tiny_encoder_folder, Kind.RETRIEVE), sentences()
    vectors = sentence_vectors(net, encoded, layer=layer, pooling=pooling, batch_tokens=40)
    for vector, feature in zip(vectors, encoded.features, strict=True):
        ids = torch.from_numpy(feature.input_ids.astype(np.int64))[None]
        with torch.no_grad():
            hidden = net.encoder(ids, output_hidden_states=True).hidden_states[layer][0].numpy()
        expected = {"mean": hidden.mean(0), "mean_no_specials": hidden[1:-1].mean(0), "cls": hidden[0]}[pooling]
        np.testing.assert_allclose(vector, expected, atol=1e-5)
    assert len(net.encoder.encoder.layer) == 3


def hooks_of(net: TaskNetwork) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in net.modules())


@pytest.mark.parametrize("pooling", ["mean", "mean_no_specials", "cls"])
@pytest.mark.parametrize("adapted", [False, True])
def test_layer_vectors_equal_those_of_single_layers_to_the_last_bit(
    tiny_encoder_folder: Path, pooling: str, adapted: bool
):
    net, encoded = network(tiny_encoder_folder, Kind.RETRIEVE), sentences()
    if adapted:
        net.attached = AdapterHost(net.encoder)
        for name in ("mnli", "qqp"):
            net.attached.add(name, AdapterSection(reduction_factor=4), seed=1, identity=False)
        net.attached.activate(Composition(("mnli", "qqp")))
    into = np.full((4, len(LENGTHS), 32), np.nan, dtype=np.float32)
    hooks = hooks_of(net)
    layer_vectors(net, encoded, pooling=pooling, into=into, batch_tokens=40)
    for layer in range(4):
        one = sentence_vectors(net, encoded, layer=layer, pooling=pooling, batch_tokens=40)
        assert np.array_equal(into[layer], one)
    assert hooks_of(net) == hooks


def test_layer_vectors_pass_every_sentence_through_the_encoder_once(tiny_encoder_folder: Path):
    net, encoded = network(tiny_encoder_folder, Kind.RETRIEVE), sentences()
    passes: list[int] = []
    handle = net.encoder.register_forward_hook(lambda _, __, output: passes.append(len(output[0])))
    into = np.zeros((4, len(LENGTHS), 32), dtype=np.float32)
    layer_vectors(net, encoded, pooling="mean", into=into, batch_tokens=40)
    handle.remove()
    assert sum(passes) == len(LENGTHS)


def test_sentence_vectors_refuse_a_layer_the_encoder_lacks(tiny_encoder_folder: Path):
    with pytest.raises(
        EvaluationError, match=r"retrieval\.layer: the encoder has 3 blocks and no layer 4\. Allowed: 0 to 3"
    ):
        sentence_vectors(
            network(tiny_encoder_folder, Kind.RETRIEVE), sentences(), layer=4, pooling="mean", batch_tokens=40
        )


def test_pool_leaves_padding_out_and_gives_zeros_for_nothing():
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [90.0, 90.0]], [[5.0, 5.0], [5.0, 5.0], [5.0, 5.0]]])
    mask = torch.tensor([[1, 1, 0], [0, 0, 0]])
    assert pool(hidden, mask, "mean").tolist() == [[2.0, 4.0], [0.0, 0.0]]
    assert pool(hidden, mask, "cls").tolist() == [[1.0, 2.0], [5.0, 5.0]]


def test_pool_without_specials_leaves_the_first_and_the_last_real_token_out():
    hidden = torch.tensor([[[9.0], [1.0], [3.0], [9.0], [90.0]], [[9.0], [9.0], [90.0], [90.0], [90.0]]])
    mask = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]])
    assert pool(hidden, mask, "mean_no_specials").tolist() == [[2.0], [0.0]]


def test_mean_without_specials_keeps_the_first_sub_token_where_the_tokenizer_puts_none_before_the_text():
    hidden = torch.tensor([[[1.0], [3.0], [8.0], [9.0]]])
    mask = torch.tensor([[1, 1, 1, 0]])
    assert pool(hidden, mask, "mean_no_specials", (0, 1)).tolist() == [[2.0]]
