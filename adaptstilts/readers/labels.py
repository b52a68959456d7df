"""Rows with and without labels: hidden in a whole file, as those of some test sets are, or missing in some rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeAlias

from adaptstilts.errors import DataError
from adaptstilts.formatting import number_text
from adaptstilts.tasks.examples import Bitext, Example, MatchExample, SpanExample, TagExample

Content: TypeAlias = Literal["empty", "hidden", "labelled"]
"""What rows hold: nothing, rows without labels, or labelled ones."""


def content_of(rows: Iterable[Example] | Bitext) -> Content:
    """Return what rows hold, read up to the first labelled one."""
    if isinstance(rows, Bitext):
        if not (rows.foreign and rows.english):
            return "empty"
        return "hidden" if rows.gold is None else "labelled"
    content: Content = "empty"
    for row in rows:
        if not is_hidden(row):
            return "labelled"
        content = "hidden"
    return content


def require_labels(rows: list[Example], path: Path, line: int | None) -> None:
    """Check that every row has a label.

    Args:
        rows: At least one row of a file.
        path: The file, for the error.
        line: Line of the first row without a label, where it is known.

    Raises:
        DataError: If one has none.
    """
    if all(map(is_hidden, rows)):
        raise DataError("the labels are hidden", path=path, hint="Training and scoring need a labelled file")
    for problem in unlabelled(rows, path, line):
        raise problem


def unlabelled(rows: list[Example], path: Path, line: int | None) -> list[DataError]:
    """Return the problem of a file in which some rows have no label, the first in ``line``; none if all have one."""
    hidden = [row.id for row in rows if is_hidden(row)]
    if not hidden:
        return []
    problem = f"no label in {len(hidden)} of {number_text(len(rows), 'example')}, the first is '{hidden[0]}'"
    return [DataError(problem, path=path, line=line, hint="Label them, or take them out")]


def is_hidden(example: Example) -> bool:
    """Say whether an example has no label, tags, answers or target."""
    if isinstance(example, TagExample):
        return example.tags is None
    if isinstance(example, SpanExample):
        return example.answers is None
    if isinstance(example, MatchExample):
        return example.target is None
    return example.label is None
