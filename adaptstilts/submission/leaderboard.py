"""Conversion of a study's predictions into the rows that XTREME's leaderboard expects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adaptstilts.errors import EvaluationError
from adaptstilts.formatting import number_text
from adaptstilts.tasks.spec import Kind, Metric, Task

_NUMBERED = re.compile(r"(?P<name>.*)#(?P<position>\d+)", re.DOTALL)


def leaderboard_content(task: Task, predictions: Any, english: Sequence[str] = ()) -> tuple[Any, str]:  # noqa: ANN401
    """Put the predictions for one task and language into the leaderboard's order, under its ids.

    `predictions` are as a prediction stage stores them; `english` holds, for Tatoeba only, the English sentences in the
    order in which they were predicted.

    Returns:
        What `adaptstilts.submission.folder.write_predictions` takes, and a note on what was lost; usually empty.

    Raises:
        EvaluationError: If predictions and English sentences differ in number.
    """
    if task.metric is Metric.TATOEBA_ACCURACY:
        return sorted_rows(predictions, english), ""
    content = _CONTENT.get(task.kind)
    return (predictions, "") if content is None else content(predictions)


def published_ids(answers: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Undo the numbering of question ids that occur more than once in their file.

    The reader appends ``#`` and the position in the file to all ids of a file in which one is repeated. A JSON object
    holds one answer per id, so of the answers to questions that share an id the last one is kept.

    Returns:
        Publisher's id -> answer, and a note where questions share an id.
    """
    parts = [_NUMBERED.fullmatch(name) for name in answers]
    positions = {int(part["position"]): part for part in parts if part}
    names = {part["name"] for part in positions.values()}
    if set(positions) != set(range(len(answers))) or len(names) == len(answers):
        return dict(answers), ""
    kept = {part["name"]: answers[part.string] for _, part in sorted(positions.items())}
    return kept, f"{len(answers)} questions share {number_text(len(kept), 'id')}: the last answer of each is written"


def sorted_rows(rows: Sequence[int], english: Sequence[str]) -> list[int]:
    """Put Tatoeba's predictions in the order of XTREME's copy, whose English side is sorted alphabetically.

    Args:
        rows: Predicted row of the foreign side, from 0, for each English sentence.
        english: English sentences in the same order; equal sentences keep theirs.

    Raises:
        EvaluationError: If they differ in number.

    Source: google-research/xtreme, utils_preprocess.py: the stripped lines are sorted by code point, and the foreign
    file is left as it is, so that a prediction's value needs no change.
    """
    if len(rows) != len(english):
        raise EvaluationError(
            f"{number_text(len(rows), 'prediction')} for {number_text(len(english), 'English sentence')}"
        )
    order = sorted(range(len(english)), key=lambda at: english[at].strip())
    return [rows[at] for at in order]


def _mined_pairs(predictions: Sequence[Sequence[str]]) -> tuple[frozenset[tuple[str, str]], str]:
    note = "" if predictions else "no pair was mined, the file is empty"
    return frozenset((foreign, partner) for foreign, partner in predictions), note


# Other kinds are written as they are predicted.
_CONTENT: dict[Kind, Callable[[Any], tuple[Any, str]]] = {Kind.EXTRACT: published_ids, Kind.RETRIEVE: _mined_pairs}
