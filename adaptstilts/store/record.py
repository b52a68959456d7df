"""Records in artefacts: JSON objects that anyone may have written; values are checked as they are taken out.

A manifest vouches for the bytes of a file, not for what they say: artefacts may come from a bundle of any making.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from adaptstilts.errors import DamagedError
from adaptstilts.formatting import shown

Value = TypeVar("Value")


def wrong_content(problem: str, path: Path, folder: Path) -> DamagedError:
    """Return the error for a file that its manifest vouches for, and that does not hold what such a file does."""
    error = DamagedError(problem, path=path, folder=folder)
    error.hint = f"Its bytes are as its maker stored them: remove {folder}, and the study makes it again."
    return error


@dataclass(frozen=True)
class Record:
    """A JSON object in a file of an artefact.

    Attributes:
        values: What was read.
        path: The file.
        folder: The artefact.
        place: Dotted path of the object in the file; empty for the whole.
    """

    values: Mapping[str, Any]
    path: Path
    folder: Path
    place: str = ""

    def __iter__(self) -> Iterator[str]:
        """Yield the names of its values."""
        return iter(self.values)

    def text(self, name: str) -> str:
        """Return a text; this and all other methods raise `DamagedError` if there is none."""
        found: str = self._of(name, str, "a text")
        return found

    def number(self, name: str) -> float:
        """Return a finite number."""
        value: float = self._of(name, (int, float), "a number")
        if not math.isfinite(value):
            raise self.wrong(name, "a finite number")
        return value

    def count(self, name: str) -> int:
        """Return a whole number that is not negative."""
        value: int = self._of(name, int, "a count")
        if value < 0:
            raise self.wrong(name, "a count")
        return value

    def items(self, name: str) -> list[Any]:
        """Return a list."""
        found: list[Any] = self._of(name, list, "a list")
        return found

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        found = self.items(name)
        if not all(isinstance(item, str) for item in found):
            raise self.wrong(name, "a list of texts")
        return found

    def record(self, name: str) -> Record:
        """Return an object inside this one."""
        return Record(self._of(name, dict, "a table"), self.path, self.folder, self._named(name))

    def records(self, name: str) -> list[Record]:
        """Return a list of objects."""
        found = self.items(name)
        if not all(isinstance(item, dict) for item in found):
            raise self.wrong(name, "a list of tables")
        named = self._named(name)
        return [Record(item, self.path, self.folder, f"{named}[{place}]") for place, item in enumerate(found)]

    def wrong(self, name: str, expected: str) -> DamagedError:
        """Return the error for a value that is missing or of another kind."""
        found = f"is {shown(self.values[name])}" if name in self.values else "is missing"
        problem = f"its value '{self._named(name)}' {found}, and should be {expected}"
        return wrong_content(problem, self.path, self.folder)

    def _of(self, name: str, kind: Any, expected: str) -> Any:  # noqa: ANN401 - a JSON value
        value = self.values.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.wrong(name, expected)
        return value

    def _named(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name
