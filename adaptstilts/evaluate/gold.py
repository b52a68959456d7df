"""Conversion of examples to gold labels in the form that the metrics take; a hidden label is an `EvaluationError`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adaptstilts.config.schema import Direction
from adaptstilts.errors import EvaluationError
from adaptstilts.tasks.examples import Bitext, Example, MatchExample, PairExample, SpanExample, TagExample
from adaptstilts.tasks.spec import Metric


def gold_of(
    metric: Metric,
    examples: Sequence[Example] | Bitext,
    labels: tuple[str, ...],
    *,
    direction: Direction | None = "english_to_foreign",
) -> Any:  # noqa: ANN401
    """Return the gold labels in the form that `adaptstilts.evaluate.metrics.score_examples` takes.

    These are classes or choices; tag words per sentence; gold texts by question id; pairs of ids; for Tatoeba the row
    of the foreign sentence per English one, or the reverse in the other direction of search; or the candidate that each
    query is paired with, by id of the query. In Tatoeba every sentence to search for needs a translation.
    """
    if isinstance(examples, Bitext):
        return _pairs(metric, examples, direction)
    if isinstance(examples[0], MatchExample):
        return {item.id: _own_candidate(item) for item in examples}
    return _answers(examples) if isinstance(examples[0], SpanExample) else [_label(item, labels) for item in examples]


def match_gold(examples: Sequence[Example], right: Mapping[str, Sequence[str]], pool: str) -> dict[str, list[str]]:
    """Return, by query id, the ids (at least one) of the pool's candidates that answer the query.

    ``right`` holds ids of candidates by the target that they answer; ``pool`` is the pool's name, for errors.
    """
    gold: dict[str, list[str]] = {}
    for example in examples:
        if not isinstance(example, MatchExample) or example.target is None:
            raise _hidden(example.id)
        gold[example.id] = list(right.get(example.target, ()))
        if not gold[example.id]:
            raise EvaluationError(
                f"no candidate of {pool} is right for query '{example.id}', which should find '{example.target}'",
                hint="Are queries and candidates of the same release?",
            )
    return gold


def _own_candidate(example: Example) -> list[str]:
    if not isinstance(example, MatchExample) or example.candidate is None:
        raise _hidden(example.id)
    return [example.candidate.id]


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
            f"{len(missing)} {side} sentences of {bitext.language}-en have no translation, the first is '{missing[0]}'",
            hint="Check the file of gold pairs.",
        )
    return [rows[partner[sentence.id]] for sentence in queries]


def _hidden(name: str) -> EvaluationError:
    return EvaluationError(f"the label of '{name}' is hidden", hint="Score on a labelled split.")
