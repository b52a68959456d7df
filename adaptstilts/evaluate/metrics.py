"""Metrics of all tasks: plain sequences in, percentages (0 to 100) out.

`score_examples` computes all scores of a task's metric, `major` the single figure by which runs are compared.
Predictions and gold come in the same order and form. Nothing to score, or sides that differ in length, raises
`EvaluationError`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence, Sized
from typing import Any

from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.checklist import checklist_scores
from adaptstilts.evaluate.chunks import count_chunks
from adaptstilts.evaluate.qa import mlqa_scores, squad2_scores, squad_scores
from adaptstilts.formatting import number_text
from adaptstilts.tasks.spec import Metric

Tags = Sequence[Sequence[str]]
Pair = tuple[str, str]

_POSITIVE = 1
"""Class whose F1 counts in tasks with two classes."""
TOP = 20
"""Number of candidates of a query that count in XTREME-R's retrieval tasks (Ruder et al. 2021)."""


def accuracy(predictions: Sequence[Hashable], gold: Sequence[Hashable]) -> float:
    """Return the share of predicted classes, as indices or words, that equal the gold class, in percent."""
    _require_same_length(predictions, gold, "examples")
    right = sum(found == wanted for found, wanted in zip(predictions, gold, strict=True))
    return 100.0 * right / len(gold)


def binary_f1(predictions: Sequence[Hashable], gold: Sequence[Hashable]) -> float:
    """Return the F1 of class 1 in percent; 0 where the class is neither predicted nor gold."""
    _require_same_length(predictions, gold, "examples")
    correct = sum(found == wanted == _POSITIVE for found, wanted in zip(predictions, gold, strict=True))
    predicted = sum(found == _POSITIVE for found in predictions)
    wanted = sum(label == _POSITIVE for label in gold)
    return _precision_recall_f1(correct, predicted, wanted)["f1"]


def accuracy_f1(predictions: Sequence[Hashable], gold: Sequence[Hashable]) -> dict[str, float]:
    """Return ``accuracy`` and ``f1`` of class 1 in percent (QQP); GLUE compares by their mean."""
    return {"accuracy": accuracy(predictions, gold), "f1": binary_f1(predictions, gold)}


def token_accuracy(predictions: Sequence[Sequence[Hashable]], gold: Sequence[Sequence[Hashable]]) -> float:
    """Return the share of words with the right tag in percent, over all words of all sentences."""
    _require_aligned(predictions, gold)
    right = sum(
        found == wanted
        for found_tags, wanted_tags in zip(predictions, gold, strict=True)
        for found, wanted in zip(found_tags, wanted_tags, strict=True)
    )
    return 100.0 * right / sum(len(tags) for tags in gold)


def chunk_scores(predictions: Tags, gold: Tags) -> dict[str, float]:
    """Compute micro-averaged scores over chunks by seqeval 0.0.12 (UDPOS with bare tags, PAN-X with BIO tags).

    Every sentence needs one tag per word (seqeval 0.0.12 accepts other lengths), and no tag may be empty.

    Returns:
        ``f1``, ``precision`` and ``recall`` of the chunks, ``token_accuracy``, and ``chunk_f1_seqeval1``: the F1 by the
        rules of seqeval 1.2.2, which XTREME's evaluator gives where that version is installed. In percent; a ratio
        without denominator counts as 0.
    """
    _require_aligned(predictions, gold)
    counts = count_chunks(predictions, gold)
    scores = _precision_recall_f1(counts.correct, counts.predicted, counts.gold)
    later = count_chunks(predictions, gold, version="1.2.2")
    return {
        **scores,
        "token_accuracy": token_accuracy(predictions, gold),
        "chunk_f1_seqeval1": _precision_recall_f1(later.correct, later.predicted, later.gold)["f1"],
    }


def bucc_scores(predictions: Iterable[Sequence[str]], gold: Collection[Pair]) -> dict[str, float]:
    """Score mined pairs (foreign id, English id) as sets: ``f1``, ``precision`` and ``recall`` in percent."""
    found, wanted = {(foreign, english) for foreign, english in predictions}, set(gold)
    if not wanted:
        raise EvaluationError("there is no gold pair to score against", hint="Check the file of gold pairs.")
    return _precision_recall_f1(len(found & wanted), len(found), len(wanted))


def mean_average_precision(
    predictions: Mapping[str, Sequence[str]], gold: Mapping[str, Collection[str]], *, top: int = TOP
) -> float:
    """Average, over queries, the average precision of their first candidates; in percent.

    Average precision is the sum of the precision at each rank that holds a right candidate, divided by the number of
    right candidates, or by ``top`` where there are more. With one right candidate it is the reciprocal rank. A query
    without predictions counts 0; a repeated candidate counts at its first rank only.

    Args:
        predictions: Candidate ids by query id, best first.
        gold: Right candidate ids by query id, at least one each.
        top: Number of candidates that count.

    Source: Ruder et al. 2021 (mAP@20); for one right candidate equal to mean_reciprocal_rank of utils_mewslix.py in
    google-research/xtreme.
    """
    if not gold:
        raise EvaluationError("there are no gold queries to score against", hint="Check that the data are not empty.")
    unknown = next((name for name in predictions if name not in gold), None)
    if unknown is not None:
        raise EvaluationError(f"'{unknown}' is not a query", value=unknown, allowed=list(gold)[:5])
    precisions = [_average_precision(predictions.get(name, ()), right, name, top) for name, right in gold.items()]
    return 100.0 * (sum(precisions) / len(precisions))


def _average_precision(found: Sequence[str], right: Collection[str], name: str, top: int) -> float:
    left = set(right)
    if not left:
        raise EvaluationError(f"query '{name}' has no right candidate")
    divisor, hits, total = min(len(left), top), 0, 0.0
    for rank, candidate in enumerate(found[:top], start=1):
        if candidate in left:
            left.remove(candidate)
            hits += 1
            total += hits / rank
    return total / divisor


def score_examples(
    metric: Metric,
    predictions: Any,  # noqa: ANN401 - which type depends on the metric
    gold: Any,  # noqa: ANN401
    language: str = "en",
) -> dict[str, float]:
    """Compute all scores that belong to a task's metric, in percent by name.

    The metric decides the form of predictions and gold. Classes (indices or words) for `ACCURACY` and
    `TATOEBA_ACCURACY` (row numbers), as indices for `ACCURACY_F1` (class 1 is positive); one list of tags for each
    sentence for `TOKEN_ACCURACY` and `CHUNK_F1` (tag words); answer text by question id, and list of gold texts by
    question id, for `SQUAD`, `SQUAD2`, `MLQA` and `CHECKLIST`; pairs of ids for `BUCC_F1`; candidate ids by query id,
    best first, and right ids by query id, for `MAP20`. MLQA's normaliser and the cleaning of checklist answers depend
    on the language (ISO 639-1).
    """
    return SCORERS[metric](predictions, gold, language)


def major(metric: Metric, scores: Mapping[str, float]) -> float:
    """Reduce the scores of a task to the one that it is compared by: the mean of those in `MAJOR`, in percent."""
    names = MAJOR[metric]
    missing = [name for name in names if name not in scores]
    if missing:
        raise EvaluationError(
            f"the score '{missing[0]}' of metric '{metric.value}' is missing",
            value=missing[0],
            allowed=sorted(scores),
            hint="Pass all scores that score_examples returned.",
        )
    return sum(scores[name] for name in names) / len(names)


SCORERS: dict[Metric, Callable[[Any, Any, str], dict[str, float]]] = {
    Metric.ACCURACY: lambda predictions, gold, _: {"accuracy": accuracy(predictions, gold)},
    Metric.ACCURACY_F1: lambda predictions, gold, _: accuracy_f1(predictions, gold),
    Metric.TOKEN_ACCURACY: lambda predictions, gold, _: {"token_accuracy": token_accuracy(predictions, gold)},
    Metric.CHUNK_F1: lambda predictions, gold, _: chunk_scores(predictions, gold),
    Metric.SQUAD: lambda predictions, gold, _: squad_scores(predictions, gold),
    Metric.SQUAD2: lambda predictions, gold, _: squad2_scores(predictions, gold),
    Metric.MLQA: mlqa_scores,
    Metric.CHECKLIST: checklist_scores,
    Metric.BUCC_F1: lambda predictions, gold, _: bucc_scores(predictions, gold),
    Metric.TATOEBA_ACCURACY: lambda predictions, gold, _: {"accuracy": accuracy(predictions, gold)},
    Metric.MAP20: lambda predictions, gold, _: {"map@20": mean_average_precision(predictions, gold)},
}
"""Functions that compute the scores of each metric."""

MAJOR: dict[Metric, tuple[str, ...]] = {
    Metric.ACCURACY: ("accuracy",),
    Metric.ACCURACY_F1: ("accuracy", "f1"),
    Metric.TOKEN_ACCURACY: ("token_accuracy",),
    Metric.CHUNK_F1: ("f1",),
    Metric.SQUAD: ("exact_match", "f1"),
    Metric.SQUAD2: ("exact_match", "f1"),
    Metric.MLQA: ("exact_match", "f1"),
    Metric.CHECKLIST: ("accuracy",),
    Metric.BUCC_F1: ("f1",),
    Metric.TATOEBA_ACCURACY: ("accuracy",),
    Metric.MAP20: ("map@20",),
}
"""The scores whose mean is the major score of each metric."""


def _precision_recall_f1(correct: int, predicted: int, gold: int) -> dict[str, float]:
    precision = correct / predicted if predicted else 0.0
    recall = correct / gold if gold else 0.0
    f1 = 2 * precision * recall / (precision + recall) if correct else 0.0
    return {"f1": 100.0 * f1, "precision": 100.0 * precision, "recall": 100.0 * recall}


def _require_same_length(predictions: Sized, gold: Sized, what: str) -> None:
    if len(gold) == 0:
        raise EvaluationError(f"there are no gold {what} to score against", hint="Check that the data are not empty.")
    if len(predictions) != len(gold):
        raise EvaluationError(
            f"{len(predictions)} predicted {what}, but {len(gold)} gold {what}",
            allowed=[number_text(len(gold), "prediction")],
            hint="Predict every gold example exactly once, in the gold order.",
        )


def _require_aligned(predictions: Sequence[Sequence[Hashable]], gold: Sequence[Sequence[Hashable]]) -> None:
    _require_same_length(predictions, gold, "sentences")
    for number, (found, wanted) in enumerate(zip(predictions, gold, strict=True), start=1):
        if len(found) != len(wanted):
            raise EvaluationError(
                f"sentence {number} has {number_text(len(found), 'predicted tag')}, but "
                f"{number_text(len(wanted), 'gold tag')}",
                allowed=[number_text(len(wanted), "tag")],
                hint="Predict one tag for every word; sentences must not be cut.",
            )
        if "" in found or "" in wanted:
            raise EvaluationError(f"sentence {number} has an empty tag", hint="Give every word a tag.")
    if not any(len(tags) for tags in gold):
        raise EvaluationError("the gold sentences hold no word", hint="Check that the data are not empty.")
