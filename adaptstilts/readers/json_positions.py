"""Line numbers of values inside JSON documents, for errors that have to name one."""

from __future__ import annotations

import json
import re
from pathlib import Path

_BLANKS = re.compile(r"[ \t\r\n]*")
_VALUES = json.JSONDecoder()


def line_of(path: Path, *steps: str | int) -> int:
    """Return the line, from 1, on which a value of a JSON document begins.

    Args:
        path: A file that holds one JSON value.
        steps: Keys and indices that lead to the value from the outermost one. Where a step leads nowhere, the line is
            that of the value it was looked for in.
    """
    text = path.read_text(encoding="utf-8-sig")
    place = _skip_blanks(text, 0)
    for step in steps:
        found = _find(text, place, step)
        if found is None:
            break
        place = found
    return text.count("\n", 0, place) + 1


def _find(text: str, place: int, step: str | int) -> int | None:
    """Return where a member of the object, or an item of the list, that begins at ``place`` itself begins."""
    if text[place] not in "{[":
        return None
    has_keys = text[place] == "{"
    place = _skip_blanks(text, place + 1)
    index = 0
    while text[place] not in "}]":
        key: str | int = index
        if has_keys:
            key, place = _VALUES.raw_decode(text, place)
            place = _skip_blanks(text, _skip_blanks(text, place) + 1)
        if key == step:
            return place
        _, place = _VALUES.raw_decode(text, place)
        place = _skip_blanks(text, place)
        if text[place] == ",":
            place = _skip_blanks(text, place + 1)
        index += 1
    return None


def _skip_blanks(text: str, place: int) -> int:
    found = _BLANKS.match(text, place)
    return place if found is None else found.end()
