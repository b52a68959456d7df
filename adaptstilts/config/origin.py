"""Where settings are written: the file, line and key that error messages name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adaptstilts.config.plain import KeyPath, dotted
from adaptstilts.errors import AdaptstiltsError, ProblemsError


@dataclass(frozen=True)
class Origin:
    """Where the settings of a configuration are written.

    Attributes:
        path: The file; None if the configuration was made in memory.
        lines: Line numbers of keys and list items.
        overridden: Keys set by overrides; errors about them name no file.
        overrides: The ``key=value`` strings that set them.
        places: For each swept key, where its values are written: below ``sweep`` or in a list.
        sha256: Digest of the file as it was read; empty where there is none.
    """

    path: Path | None = None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    overridden: frozenset[KeyPath] = frozenset()
    overrides: tuple[str, ...] = ()
    places: Mapping[KeyPath, KeyPath] = field(default_factory=dict)
    sha256: str = ""

    def swept(self, places: Mapping[KeyPath, KeyPath]) -> Origin:
        """Return a copy with other places of swept keys."""
        return replace(self, places=places)

    def place(self, key: KeyPath) -> KeyPath:
        """Return where a setting is written: below ``sweep`` or as an item of a list if it is swept."""
        return next(((*self.places[swept], *key[len(swept) :]) for swept in self.places if _holds(swept, key)), key)

    def where(self, key: KeyPath) -> dict[str, Any]:
        """Return key, file and line of a setting, or of the section it belongs to, as keyword arguments of an error."""
        place = self.place(key)
        if self._is_overridden(place) or (place not in self.lines and self._is_above_overridden(place)):
            return {"key": dotted(place)}
        return {"key": dotted(place), "path": self.path, "line": self._line(place)}

    @contextmanager
    def named_in_errors(self) -> Iterator[None]:
        """Add file and line to errors about settings that are raised in the block."""
        try:
            yield
        except AdaptstiltsError as error:
            self._name(error)
            raise

    def _name(self, error: AdaptstiltsError) -> None:
        for problem in error.problems if isinstance(error, ProblemsError) else ():
            self._name(problem)
        if error.key is None or error.path is not None:
            return
        key = _parts(error.key)
        is_placed = any(_holds(place, key) for place in self.places.values())  # already placed by a nested block
        place = key if is_placed else self.place(key)
        if place != key:
            error.key = dotted(place)
        if place in self.lines and not self._is_overridden(place):
            error.path, error.line = self.path, self.lines[place]

    def _is_overridden(self, place: KeyPath) -> bool:
        return any(_holds(key, place) for key in self.overridden)

    def _is_above_overridden(self, place: KeyPath) -> bool:
        return any(_holds(place, key) for key in self.overridden)

    def _line(self, place: KeyPath) -> int | None:
        above = (place[:length] for length in range(len(place), 0, -1))
        return next((self.lines[key] for key in above if key in self.lines), None)


def _parts(key: str) -> KeyPath:
    """Return the key path of a text that `dotted` made."""
    found = re.findall(r"\[(\d+)\]|([^.\[]+)", key)
    return tuple(int(number) if number else name for number, name in found)


def _holds(key: KeyPath, other: KeyPath) -> bool:
    return other[: len(key)] == key
