"""JSON files of models from other people, and their values as text that is safe to print. Free of torch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from adaptstilts.errors import CheckpointError
from adaptstilts.files import read_bytes
from adaptstilts.formatting import shown
from adaptstilts.json_text import JsonError
from adaptstilts.json_text import parse_json as parse

_MOST_BYTES = 16 * 2**20
_LONGEST_KEY = 80


def read_json(path: Path, most_bytes: int = _MOST_BYTES) -> dict[str, Any]:
    """Read a JSON object.

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
    return parse_json(content, path, hint)


def parse_json(content: bytes, path: Path, hint: str) -> dict[str, Any]:
    """Parse a JSON object.

    Args:
        path: The file that the bytes come from.
        hint: What to do about a fault.

    Raises:
        CheckpointError: If it is something else, or cannot be read; see `adaptstilts.json_text.parse_json`.
    """
    try:
        loaded = parse(content)
    except JsonError as error:
        raise CheckpointError(
            error.problem, path=path, line=error.line, key=error.key, hint=hint if error.hint is None else error.hint
        ) from error
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
        value=value,
        allowed=allowed,
        hint=hint or "Correct the file, or save the model again with save_pretrained.",
    )


def shown_key(key: str) -> str:
    """Return a key as it is, or quoted and shortened if it is long or has characters that cannot be printed."""
    return key if key.isprintable() and 0 < len(key) <= _LONGEST_KEY else shown(key)
