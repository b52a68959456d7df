"""JSON of data files: faults become errors with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adaptstilts.errors import DataError
from adaptstilts.json_text import JsonError, parse_rows


def parse_json(text: str, path: Path, line: int) -> Any:  # noqa: ANN401 - any JSON value
    """Parse JSON text; ``path`` and ``line``, that of its beginning, are for errors.

    Raises:
        DataError: If it cannot be read; see `adaptstilts.json_text.parse_rows`.
    """
    try:
        return parse_rows(text)
    except JsonError as error:
        place = line + error.line - 1
        raise DataError(error.problem, path=path, line=place, key=error.key, hint=error.hint) from error
