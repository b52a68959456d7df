"""From examples to gold labels in the form the metrics take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adaptstilts.config.schema import Direction
from adaptstilts.errors import EvaluationError
from adaptstilts.tasks.spec import Bitext, Example, Metric, PairExample, SpanExample, TagExample


def gold_of(
    metric: Metric,
    examples: Sequence[Example] | Bitext,
    labels: tuple[str, ...],
    *,
    direction: Direction | None = "english_to_foreign",
) -> Any:  # noqa: ANN401
    """Return what is right, as `adaptstilts.evaluate.metrics.score_examples` wants it.

    Args:
        metric: Metric of the task.
        examples: Labelled examples, or the two sides of a retrieval task.
        labels: Labels of the task, for tags.
        direction: Which side is searched for which, for Tatoeba.

    Returns:
        Classes or choices; tag words per sentence; gold texts by question id; pairs of ids; or the row of its foreign
        sentence per English one, in the other direction of its English sentence per foreign one.

    Raises:
        EvaluationError: If a label is hidden, or a sentence to search for has no translation.
    """
    if isinstance(examples, Bitext):
        return _pairs(metric, examples, direction)
    return _answers(examples) if isinstance(examples[0], SpanExample) else [_label(item, labels) for item in examples]


def _label(example: Example, labels: tuple[str, ...]) -> Any:  # noqa: ANN401
    if isinstance(example, TagExample):
        if example.tags is None:
            raise _hidden(example.id)
        return [labels[tag] for tag in example.tags]
    label = example.label if isinstance(example, PairExample) or hasattr(example, "label") else None
    if label is None:
        raise _hidden(example.id)
    return label


def _answers(examples: Sequence[Example]) -> dict[str, list[str]]:
    gold: dict[str, list[str]] = {}
    for example in examples:
        if not isinstance(example, SpanExample) or example.answers is None:
            raise _hidden(example.id)
        gold[example.id] = [answer.text for answer in example.answers]
    return gold


def _pairs(metric: Metric, bitext: Bitext, direction: Direction | None) -> Any:  # noqa: ANN401
    if bitext.gold is None:
        raise _hidden(f"{bitext.language}-en")
    if metric is Metric.BUCC_F1:
        return bitext.gold
    is_from_english = direction != "foreign_to_english"
    queries, others = (bitext.english, bitext.foreign) if is_from_english else (bitext.foreign, bitext.english)
    rows = {sentence.id: row for row, sentence in enumerate(others)}
    partner = {english: foreign for foreign, english in bitext.gold} if is_from_english else dict(bitext.gold)
    missing = [sentence.id for sentence in queries if sentence.id not in partner]
    if missing:
        side = "English" if is_from_english else "foreign"
        raise EvaluationError(
            f"{len(missing)} {side} sentences of {bitext.language}-en have no translation, the first is '{missing[0]}'"
        )
    return [rows[partner[sentence.id]] for sentence in queries]


def _hidden(name: str) -> EvaluationError:
    return EvaluationError(f"the label of '{name}' is hidden", hint="Score on a labelled split.")
