"""JSON of data files, read strictly: what Python's reader lets pass or fails at becomes an error with its line.

Refused are repeated keys, unpaired surrogates, integers of thousands of digits, and deep nesting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from adaptstilts.errors import DataError
from adaptstilts.readers.json_positions import position_of

_Steps: TypeAlias = tuple["str | int", ...]

_ESCAPED_SURROGATE = re.compile(r"\\u[dD]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+|[{}\[\],:]', re.DOTALL)
_DEEP = 200
"""Nesting from which on a document that is too deep to be read is called deep."""


class _RepeatedKeyError(ValueError):
    """An object has a key twice."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedKeyError
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats)
# Without the search for white space around the value, which costs a tenth of the time.
_scan = _DECODER.scan_once  # type: ignore[attr-defined]


def parse_json(text: str, path: Path, line: int) -> Any:  # noqa: ANN401 - any JSON value
    """Parse JSON text; ``path`` and ``line``, that of its beginning, are for errors.

    Raises:
        DataError: If it is not JSON, or one of the kinds that the module refuses.
    """
    try:
        found = _value(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"not JSON ({error.msg} at column {error.colno})", path=path, line=line + error.lineno - 1
        ) from error
    except RecursionError as error:
        deep = _line(text, line, _deep_position(text))
        raise DataError("the JSON is nested too deeply to be read", path=path, line=deep) from error
    except _RepeatedKeyError as error:
        key, position = _repeated_key(text)
        raise DataError(
            "stands twice in one JSON object", path=path, line=_line(text, line, position), key=key,
            hint="Keep one of the two: only one could be read.",
        ) from error  # fmt: skip
    except ValueError as error:
        position, digits = max(
            ((match.start(), len(match[0])) for match in _tokens(text) if match[0][-1].isdecimal()),
            key=lambda number: number[1],
            default=(0, 0),
        )
        raise DataError(
            f"an integer of {digits:,} digits cannot be read", path=path, line=_line(text, line, position),
            hint="Write it as text, in quotation marks.",
        ) from error  # fmt: skip
    if "\\u" in text and _ESCAPED_SURROGATE.search(text):
        for steps, character in _surrogates(found):
            raise DataError(
                f"'{character}' is an unpaired surrogate, half of a character, which no file can hold",
                path=path, line=_line(text, line, position_of(text, *steps)), key=key_text(steps),
                hint="Write the character itself, or both of its halves.",
            )  # fmt: skip
    return found


def _value(text: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        found, end = _scan(text, 0)
    except StopIteration:
        end = -1
    return found if end == len(text) else _DECODER.decode(text)


def key_text(steps: _Steps) -> str:
    """Return the way to a value as people write it: ``data[0].paragraphs[2].context``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


def surrogate_in(text: str) -> str | None:
    """Return the first unpaired surrogate of a text; None if there is none."""
    if text.isascii():
        return None
    found = _SURROGATE.search(text)
    return None if found is None else found[0]


def _surrogates(value: object) -> Iterator[tuple[_Steps, str]]:
    """Yield the way to each text, keys included, with an unpaired surrogate, and its first one; in order."""
    waiting: list[tuple[_Steps, object]] = [((), value)]
    while waiting:
        steps, inner = waiting.pop()
        if isinstance(inner, str):
            character = surrogate_in(inner)
            if character is not None:
                yield steps, character
        elif isinstance(inner, list):
            waiting += [((*steps, at), item) for at, item in reversed(list(enumerate(inner)))]
        elif isinstance(inner, dict):
            for key, item in reversed(inner.items()):
                waiting.append(((*steps, key), item))
                if surrogate_in(key) is not None:
                    waiting.append(((*steps, key), key))


def _line(text: str, first: int, position: int) -> int:
    return first + text.count("\n", 0, position)


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """Yield the strings, whole numbers and signs of a JSON text."""
    return _TOKEN.finditer(text)


def _deep_position(text: str) -> int:
    depth = 0
    for token in _tokens(text):
        depth += (token[0] in "{[") - (token[0] in "}]")
        if depth > _DEEP:
            return token.start()
    return 0


def _repeated_key(text: str) -> tuple[str, int]:
    """Return the first key that an object has twice, and where it stands for the second time."""
    keys: list[set[str] | None] = []
    before = ""
    for token in _tokens(text):
        sign = token[0]
        if sign in "{[":
            keys.append(set() if sign == "{" else None)
        elif sign in "}]":
            keys.pop()
        elif sign[0] == '"' and before in "{," and keys and keys[-1] is not None:
            key = json.loads(sign)
            if key in keys[-1]:
                return key, token.start()
            keys[-1].add(key)
        before = sign
    return "", 0
