"""Line numbers of values inside JSON documents, for errors that have to name one."""

from __future__ import annotations

import json
import re
from pathlib import Path

from adaptstilts.errors import DataError

_BLANKS = re.compile(r"[ \t\r\n]*")
_VALUES = json.JSONDecoder()


def line_of(path: Path, *steps: str | int) -> int:
    """Return the line, from 1, on which a value of a JSON document begins; see `position_of`."""
    text = path.read_text(encoding="utf-8-sig")
    return text.count("\n", 0, position_of(text, *steps)) + 1


def position_of(text: str, *steps: str | int) -> int:
    """Return the character, from 0, at which a value of a JSON document begins.

    Keys and indices in ``steps`` lead to the value from the outermost one; a step that leads nowhere ends the search,
    and the position is that of the last value reached.
    """
    position = _skip_blanks(text, 0)
    for step in steps:
        found = _find(text, position, step)
        if found is None:
            break
        position = found
    return position


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


def _find(text: str, position: int, step: str | int) -> int | None:
    """Return where a member of the object, or an item of the list, that begins at ``position`` itself begins."""
    if text[position] not in "{[":
        return None
    has_keys = text[position] == "{"
    position = _skip_blanks(text, position + 1)
    index = 0
    while text[position] not in "}]":
        key: str | int = index
        if has_keys:
            key, position = _VALUES.raw_decode(text, position)
            position = _skip_blanks(text, _skip_blanks(text, position) + 1)
        if key == step:
            return position
        _, position = _VALUES.raw_decode(text, position)
        position = _skip_blanks(text, position)
        if text[position] == ",":
            position = _skip_blanks(text, position + 1)
        index += 1
    return None


def _skip_blanks(text: str, position: int) -> int:
    found = _BLANKS.match(text, position)
    return position if found is None else found.end()
