"""Conversion of examples to gold labels in the form that the metrics take; a hidden label is an `EvaluationError`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adaptstilts.config.schema import Direction
from adaptstilts.errors import EvaluationError
from adaptstilts.formatting import number_text
from adaptstilts.tasks.examples import (
    Bitext,
    ChoiceExample,
    Example,
    MatchExample,
    PairExample,
    SpanExample,
    TagExample,
)
from adaptstilts.tasks.spec import Kind, Metric, Task


def gold_of(
    task: Task,
    examples: Sequence[Example] | Bitext,
    labels: tuple[str, ...],
    *,
    direction: Direction | None = "english_to_foreign",
) -> Any:  # noqa: ANN401
    """Return the gold labels in the form that `adaptstilts.evaluate.metrics.score_examples` takes.

    These are classes or choices; tag words per sentence; gold texts by question id; pairs of ids; for Tatoeba the row
    of the foreign sentence per English one, or the reverse in the other direction of search; or the candidate that each
    query is paired with, by id of the query. In Tatoeba every sentence to search for needs a translation.

    Args:
        labels: Label words of the task.
        direction: Direction of search in Tatoeba.
    """
    if isinstance(examples, Bitext):
        return _pairs(task.metric, examples, direction)
    return _GOLD[task.kind](examples, labels)


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


def _classes(examples: Sequence[Example], _: tuple[str, ...]) -> list[int]:
    """Return the classes of pairs, or the right choices of questions."""
    found: list[int] = []
    for example in examples:
        if not isinstance(example, PairExample | ChoiceExample) or example.label is None:
            raise _hidden(example.id)
        found.append(example.label)
    return found


def _tags(examples: Sequence[Example], labels: tuple[str, ...]) -> list[list[str]]:
    found: list[list[str]] = []
    for example in examples:
        if not isinstance(example, TagExample) or example.tags is None:
            raise _hidden(example.id)
        found.append([labels[tag] for tag in example.tags])
    return found


def _answers(examples: Sequence[Example], _: tuple[str, ...]) -> dict[str, list[str]]:
    gold: dict[str, list[str]] = {}
    for example in examples:
        if not isinstance(example, SpanExample) or example.answers is None:
            raise _hidden(example.id)
        gold[example.id] = [answer.text for answer in example.answers]
    return gold


def _own_candidates(examples: Sequence[Example], _: tuple[str, ...]) -> dict[str, list[str]]:
    gold: dict[str, list[str]] = {}
    for example in examples:
        if not isinstance(example, MatchExample) or example.candidate is None:
            raise _hidden(example.id)
        gold[example.id] = [example.candidate.id]
    return gold


_GOLD: dict[Kind, Callable[[Sequence[Example], tuple[str, ...]], Any]] = {
    Kind.CLASSIFY: _classes,
    Kind.CHOOSE: _classes,
    Kind.TAG: _tags,
    Kind.EXTRACT: _answers,
    Kind.MATCH: _own_candidates,
}
"""Functions of the examples of each kind, sentence pairs to be matched aside, and the label words."""


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
            f"no translation of {number_text(len(missing), f'{side} sentence')} of {bitext.language}-en, the first is "
            f"'{missing[0]}'",
            hint="Check the file of gold pairs.",
        )
    return [rows[partner[sentence.id]] for sentence in queries]


def _hidden(name: str) -> EvaluationError:
    return EvaluationError(f"the label of '{name}' is hidden", hint="Score on a labelled split.")
