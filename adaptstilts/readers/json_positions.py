"""Line numbers of values inside JSON documents, for errors that have to name one."""

from __future__ import annotations

from pathlib import Path

from adaptstilts.errors import DataError
from adaptstilts.json_text import position_of


def line_of(path: Path, *steps: str | int) -> int:
    """Return the line, from 1, on which a value of a JSON document begins; see `position_of`."""
    text = path.read_text(encoding="utf-8-sig")
    return text.count("\n", 0, position_of(text, *steps)) + 1


class Located:
    """Context manager that adds to errors the line of a value in the document, which is looked up only then.

    A class, since it is entered for every question, and a generator takes three times as long.
    """

    __slots__ = ("_path", "_steps")

    def __init__(self, path: Path, steps: tuple[str | int, ...]) -> None:
        self._path, self._steps = path, steps

    def __enter__(self) -> None:
        """Begin to read the value."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """End it; an error that knows its line keeps it."""
        if isinstance(error, DataError):
            error.line = error.line or line_of(self._path, *self._steps)
