"""Listing of the files below a data root that reads each folder once."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path

_NOTHING: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())


class Listing:
    """The files below a folder, as they were when each folder was first read.

    A plan asks for thousands of names in some hundred folders; asking the file system for each would take seconds on a
    network drive. A listing is made for one question and thrown away, so it is never out of date.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: dict[str, tuple[frozenset[str], frozenset[str]]] = {}

    def matches(self, pattern: str) -> tuple[Path, ...]:
        """Return the files that match a pattern, sorted by file name, then by folder.

        Args:
            pattern: A path below the root with ``/`` between its parts; ``*``, ``?`` and ``[...]`` stand for characters
                within a part. A folder that has the name of a file is given too, to be refused when it is read.
        """
        folder, _, name = pattern.rpartition("/")
        if not _is_pattern(pattern):
            is_there = any(name in names for names in self._entries(folder))
            return (self.root / folder / name,) if is_there else ()
        found = [
            (file, parent)
            for parent in self.folders(folder)
            for file in _chosen(frozenset().union(*self._entries(parent)[: 1 + ("." in name)]), name)
        ]
        return tuple(self.root / parent / file for file, parent in sorted(found))

    def names(self, folder: str) -> frozenset[str]:
        """Return the names of the files in a folder; none if there is no such folder."""
        return self._entries(folder)[0]

    def folders(self, pattern: str) -> list[str]:
        """Return the folders that match a pattern; of one without placeholders itself, whether it is there or not."""
        if not pattern or not _is_pattern(pattern):
            return [pattern]
        above, _, name = pattern.rpartition("/")
        return [
            f"{parent}/{folder}" if parent else folder
            for parent in self.folders(above)
            for folder in _chosen(self._entries(parent)[1], name)
        ]

    def _entries(self, folder: str) -> tuple[frozenset[str], frozenset[str]]:
        """Return the names of the files and of the folders in a folder; none of either if it does not exist."""
        if folder not in self._folders:
            self._folders[folder] = self._scan(folder)
        return self._folders[folder]

    def _scan(self, folder: str) -> tuple[frozenset[str], frozenset[str]]:
        above, _, name = folder.rstrip("/").rpartition("/")
        if folder and name not in self._entries(above)[1]:
            return _NOTHING
        files: set[str] = set()
        folders: set[str] = set()
        with os.scandir(self.root / folder) as entries:
            for entry in entries:
                (folders if _is_folder(entry) else files).add(entry.name)
        return frozenset(files), frozenset(folders)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Say whether an entry is a folder; a link that leads to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_pattern(name: str) -> bool:
    return "*" in name or "?" in name or "[" in name


def _chosen(names: frozenset[str], pattern: str) -> list[str]:
    if not _is_pattern(pattern):
        return [pattern] if pattern in names else []
    return [name for name in names if fnmatchcase(name, pattern)]


def is_match(name: str, pattern: str) -> bool:
    """Say whether the name of a file matches the last part of a pattern."""
    return fnmatchcase(name, pattern) if _is_pattern(pattern) else name == pattern
