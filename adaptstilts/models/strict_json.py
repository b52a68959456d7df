"""Strict reading of JSON files from other people, and their values as text that is safe to print. Free of torch."""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from adaptstilts.errors import CheckpointError
from adaptstilts.files import BEGINNING, cause_of, read_bytes

_MOST_BYTES = 16 * 2**20
_LONGEST_SHOWN = 80
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _LONGEST_SHOWN


def read_json(path: Path, most_bytes: int = _MOST_BYTES) -> dict[str, Any]:
    """Read a JSON object in which no key stands twice and every number is finite.

    Raises:
        CheckpointError: If it cannot be read, is too large, or is something else.
    """
    hint = "Save the model again with save_pretrained."
    try:
        size = path.stat().st_size if path.is_file() else 0
        if size > most_bytes:
            problem = f"is {size:,} bytes long, at most {most_bytes:,} are read"
            raise CheckpointError(problem, path=path, value=size, hint=hint)
        content = read_bytes(path, most_bytes, CheckpointError, hint)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CheckpointError("there is no such file", path=path, hint=hint) from error
    try:
        return parse_json(content, path, hint)
    except CheckpointError as error:
        cause = cause_of(content[:BEGINNING], has_lines=False)
        if cause is None:
            raise
        raise CheckpointError(cause, path=path) from error


def parse_json(content: bytes, path: Path, hint: str) -> dict[str, Any]:
    """Parse a JSON object in which no key stands twice and every number is finite.

    Args:
        path: The file that the bytes come from.
        hint: What to do about a fault.

    Raises:
        CheckpointError: If it is something else.
    """
    try:
        loaded = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except _FaultError as fault:
        raise CheckpointError(str(fault), path=path, key=fault.key, value=fault.value, hint=fault.hint) from fault
    except ValueError as error:  # of JSON, of UTF-8, and of numbers with thousands of digits
        raise CheckpointError(f"not valid JSON: {error}", path=path, hint=hint) from error
    except RecursionError as error:
        raise CheckpointError("is nested too deeply", path=path, hint=hint) from error
    if not isinstance(loaded, dict):
        raise CheckpointError("is not a JSON object", path=path, hint=hint)
    return loaded


def refuse(
    path: Path, key: str, value: object, reason: str, allowed: Iterable[object] | None = None, hint: str = ""
) -> NoReturn:
    """Raise an error about a value.

    Raises:
        CheckpointError: Always.
    """
    raise CheckpointError(
        f"{shown(value)} is refused: {reason}",
        path=path,
        key=key,
        value=shown(value),
        allowed=allowed,
        hint=hint or "Correct the file, or save the model again with save_pretrained.",
    )


def shown(value: object) -> str:
    """Return a value as short text in which no character controls a terminal."""
    text = _SHORT.repr(value)
    return {"None": "null", "True": "true", "False": "false"}.get(text, text)


def shown_key(key: str) -> str:
    """Return a key as it is, or quoted and shortened if it is long or has characters that cannot be printed."""
    return key if key.isprintable() and 0 < len(key) <= _LONGEST_SHOWN else shown(key)


class _FaultError(ValueError):
    """A fault found while JSON is parsed."""

    def __init__(self, problem: str, *, key: str | None, value: object, hint: str) -> None:
        super().__init__(problem)
        self.key, self.value, self.hint = key, value, hint


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _FaultError(
            f"the key {shown(repeated)} stands twice in one object",
            key=shown_key(repeated),
            value=repeated,
            hint="Keep one of the two; readers differ in which one they take.",
        )
    return found


def _refuse_constant(text: str) -> float:
    raise _FaultError(f"{text} is no finite number", key=None, value=text, hint="Write a number.")


def _finite(text: str) -> float:
    return number if math.isfinite(number := float(text)) else _refuse_constant(text[:_LONGEST_SHOWN])
