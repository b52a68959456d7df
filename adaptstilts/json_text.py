"""JSON that somebody else wrote, read strictly: what Python's reader lets pass or fails at becomes one error.

Refused are keys that stand twice in an object, numbers that are not finite, integers of thousands of digits, unpaired
surrogates, and nesting too deep to be read.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn, TypeAlias

from adaptstilts.files import BEGINNING, cause_of
from adaptstilts.formatting import cut

Steps: TypeAlias = tuple["str | int", ...]
"""Keys and indices that lead to a value from the outermost one."""

_MOST_DIGITS = 40
"""Digits of the longest integer where numbers are checked; every shorter one is finite as a floating-point number."""
_DEEP = 200
"""Nesting from which on a document that is too deep to be read is called deep."""
_LONGEST_SHOWN = 80
_ESCAPED_SURROGATE = re.compile(r"\\u[dD]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TOKEN = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|-?Infinity|NaN|[{}\[\],:]', re.DOTALL
)
"""A string, number or sign. A string that does not end goes on to the end, or else it would be tried at each quote."""
_BLANKS = re.compile(r"[ \t\r\n]*")


class JsonError(ValueError):
    """What is wrong with a JSON text.

    Args:
        problem: What is wrong, in words that can follow the name of a file.
        text: The text.
        position: The character of it, from 0, at which the fault is.
        key: The way to the value, or the key itself.
        hint: What to do about it; None where that depends on what the text is for, empty where the problem says it.

    Attributes:
        line: The line of the text, from 1.
    """

    def __init__(
        self, problem: str, text: str, position: int, *, key: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = text.count("\n", 0, position) + 1
        self.key = key
        self.hint = hint

    def __str__(self) -> str:
        """Return line, key and problem, for the message of an error that names the file."""
        return ": ".join([f"line {self.line}", *([] if self.key is None else [self.key]), self.problem])


class _RepeatedKeyError(Exception):
    """An object has a key twice."""


class _NumberError(Exception):
    """A number is not finite, or an integer has too many digits."""


def parse_json(content: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the values in a JSON text, or in the bytes of one, in which every number is one that a float can hold.

    Raises:
        JsonError: If it is no JSON, or one of the kinds that the module refuses.
    """
    text = decoded(content) if isinstance(content, bytes) else content
    return _parsed(text, _CHECKED)


def parse_rows(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the values in a JSON text of data, as `parse_json` does and faster; any number passes that can be read.

    A reader checks the numbers that it uses. The others, such as a ``NaN`` in a column of notes, harm nobody.

    Raises:
        JsonError: See `parse_json`.
    """
    return _parsed(text, _FAST)


def decoded(content: bytes) -> str:
    """Return the text in the bytes of a file.

    Raises:
        JsonError: If it is not UTF-8.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        cause = cause_of(content[:BEGINNING], has_lines=False)
        before = content[: error.start].decode("utf-8")
        if cause is not None:
            raise JsonError(cause, before, 0, hint="") from error
        raise JsonError(f"byte 0x{content[error.start]:02x} is not UTF-8", before, len(before)) from error


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


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedKeyError
    return found


def _refuse(_: str) -> NoReturn:
    raise _NumberError


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _short(text: str) -> int:
    return int(text) if len(text) <= _MOST_DIGITS else _refuse(text)


_PLAIN = json.JSONDecoder()
_FAST = json.JSONDecoder(object_pairs_hook=_without_repeats)
_CHECKED = json.JSONDecoder(
    object_pairs_hook=_without_repeats, parse_constant=_refuse, parse_float=_finite, parse_int=_short
)


def _parsed(text: str, decoder: json.JSONDecoder) -> Any:  # noqa: ANN401 - any JSON value
    try:
        found = _value(text, decoder)
    except json.JSONDecodeError as error:
        raise _no_json(text, error) from error
    except RecursionError as error:
        raise JsonError("the JSON is nested too deeply to be read", text, _deep_position(text)) from error
    except _RepeatedKeyError as error:
        key, position = _repeated_key(text)
        raise JsonError(
            "stands twice in one JSON object", text, position, key=cut(key, _LONGEST_SHOWN),
            hint="Keep one of the two: only one could be read.",
        ) from error  # fmt: skip
    except (_NumberError, ValueError) as error:  # a `ValueError` of numbers that Python does not convert
        raise _bad_number(text, checked=decoder is _CHECKED) from error
    if "\\u" in text and _ESCAPED_SURROGATE.search(text):
        for steps, character in _surrogates(found):
            raise JsonError(
                f"'{character}' is an unpaired surrogate, half of a character, which no file can hold",
                text, position_of(text, *steps), key=cut(_key_text(steps), _LONGEST_SHOWN),
                hint="Write the character itself, or both of its halves.",
            )  # fmt: skip
    return found


def _value(text: str, decoder: json.JSONDecoder) -> Any:  # noqa: ANN401 - any JSON value
    try:  # without the search for white space around the value, which costs a tenth of the time
        found, end = decoder.scan_once(text, 0)  # type: ignore[attr-defined]
    except StopIteration:
        end = -1
    return found if end == len(text) else decoder.decode(text)


def _no_json(text: str, error: json.JSONDecodeError) -> JsonError:
    """Return the error for a text that is no JSON, by what it is instead if that can be told."""
    beginning = text[:BEGINNING]
    cause = cause_of(beginning.encode("utf-8", "surrogatepass"), has_lines=False)
    if cause is not None:
        return JsonError(cause, text, 0, hint="")
    if not text.strip():
        return JsonError("not JSON (it is empty)", text, 0)
    if text.startswith("\ufeff"):
        return JsonError("begins with a byte order mark: save it as UTF-8 without one", text, 0)
    return JsonError(f"not JSON ({error.msg} at column {error.colno})", text, error.pos)


def _bad_number(text: str, *, checked: bool) -> JsonError:
    """Return the error for the first number that is not finite, or for the integer that has the most digits."""
    most, position = 0, 0
    for token in _tokens(text):
        number = token[0]
        if number.lstrip("-").isdecimal():
            most, position = max((most, position), (len(number.lstrip("-")), token.start()))
        elif checked and (number[-1].isdecimal() or number[-1] in "yN") and not math.isfinite(float(number)):
            return JsonError(
                f"{cut(number, _LONGEST_SHOWN)} is no finite number", text, token.start(), hint="Write a number."
            )
    problem = f"an integer of {most:,} digits cannot be read"
    return JsonError(problem, text, position, hint="Write it as text, in quotation marks.")


def _key_text(steps: Steps) -> str:
    """Return the way to a value as people write it: ``data[0].paragraphs[2].context``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


def _surrogates(value: object) -> Iterator[tuple[Steps, str]]:
    """Yield the way to each text, keys included, with an unpaired surrogate, and its first one; in order."""
    waiting: list[tuple[Steps, object]] = [((), value)]
    while waiting:
        steps, inner = waiting.pop()
        if isinstance(inner, str):
            found = None if inner.isascii() else _SURROGATE.search(inner)
            if found is not None:
                yield steps, found[0]
        elif isinstance(inner, list):
            waiting += [((*steps, at), item) for at, item in reversed(list(enumerate(inner)))]
        elif isinstance(inner, dict):
            for key, item in reversed(inner.items()):
                waiting += [((*steps, key), item), ((*steps, key), key)]


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """Yield the strings, numbers and signs of a JSON text."""
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
            key, position = _PLAIN.raw_decode(text, position)
            position = _skip_blanks(text, _skip_blanks(text, position) + 1)
        if key == step:
            return position
        _, position = _PLAIN.raw_decode(text, position)
        position = _skip_blanks(text, position)
        if text[position] == ",":
            position = _skip_blanks(text, position + 1)
        index += 1
    return None


def _skip_blanks(text: str, position: int) -> int:
    found = _BLANKS.match(text, position)
    return position if found is None else found.end()
