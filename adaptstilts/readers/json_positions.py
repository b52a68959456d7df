"""Line numbers of values inside JSON documents, for errors that have to name one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adaptstilts.errors import DataError
from adaptstilts.json_text import position_of


def line_of(path: Path, *steps: str | int) -> int:
    """Return the line, from 1, on which a value of a JSON document begins; see `position_of`."""
    text = path.read_text(encoding="utf-8-sig")
    return text.count("\n", 0, position_of(text, *steps)) + 1


@contextmanager
def located(path: Path, steps: tuple[str | int, ...]) -> Iterator[None]:
    """Add to errors the line of a value in the document, which is looked up only then."""
    try:
        yield
    except DataError as error:
        error.line = error.line or line_of(path, *steps)
        raise
