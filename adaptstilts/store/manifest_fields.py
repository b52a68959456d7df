"""Checks of the fields of a manifest: whatever a stranger has written, what is used of it has known types and ranges.

A manifest is parsed for every artefact of a store, thousands of times in one command: checks that walk through all of
its values are left out where its text shows that they would find nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from adaptstilts.formatting import shown

MOST_FILES = 100_000
"""Most files of one artefact."""
_MOST_BYTES = 2**60
_MOST_SECONDS = 1e10
_MOST_FORMAT = 10**6
_LONGEST_NAME = 2_000
_LONGEST_PART = 255
"""Bytes in the name of a file, as file systems have it."""
_LONGEST_PATH = 1_000
_MOST_DEPTH = 64
_MOST_VALUES = 5_000_000
"""Most values in a manifest."""
_KEY = re.compile(r"[0-9a-f]{64}")
_UPLOAD = re.compile(r"[0-9a-f]{1,64}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_RESERVED = frozenset({"manifest.json", ".shared"})
"""Names of files, in small letters, that a store keeps for itself in the folder of an artefact."""

Check = Callable[[Any], bool]


def is_key(value: object) -> bool:
    """Return whether a value is a content key, 64 hexadecimal digits."""
    return isinstance(value, str) and _KEY.fullmatch(value) is not None


def is_inside(name: object) -> bool:
    """Return whether a name is a plain relative path that stays inside its folder and that every disk can hold."""
    if not isinstance(name, str) or not name.isprintable() or "\\" in name or len(name) > _LONGEST_PATH:
        return False
    parts = name.split("/")
    return not {"", ".", ".."} & set(parts) and max(len(part.encode()) for part in parts) <= _LONGEST_PART


def check_length(text: str) -> None:
    """Check how many values a text holds, before they are made.

    Raises:
        ValueError: If there are more than a manifest may hold.
    """
    if text.count(",") + text.count("[") + text.count("{") > _MOST_VALUES:
        raise ValueError(f"it holds more than {_MOST_VALUES:,} values")


def check_fields(manifest: dict[str, Any], text: str) -> None:
    """Check the fields of a manifest that has been parsed from a text.

    Raises:
        ValueError: If one is missing, of another type or out of range; the message names it.
    """
    for name, (is_right, expected) in _FIELDS.items():
        if name in manifest:
            if not is_right(manifest[name]):
                raise ValueError(f"'{name}' is {shown(manifest[name])}, not {expected}")
        elif name in _ALWAYS or ("format" in manifest and name in _SINCE_FORMATS):
            raise ValueError(f"'{name}' is missing")
    if text.count("{") + text.count("[") > _MOST_DEPTH and _is_deeper(manifest, _MOST_DEPTH):
        raise ValueError("it is nested too deeply")
    _check_files(manifest["files"])


def _check_files(files: dict[str, Any]) -> None:
    if len(files) > MOST_FILES:
        raise ValueError(f"it names {len(files):,} files, more than {MOST_FILES:,}")
    for name, record in files.items():
        if not is_inside(name):
            raise ValueError(f"{shown(name)} is not a path inside the artefact")
        if name.lower() in _RESERVED:
            raise ValueError(f"'{name}' is a name that the store keeps for itself")
        if not isinstance(record, dict) or not _is_count(record.get("bytes")) or not is_key(record.get("sha256")):
            raise ValueError(f"the size or hash of '{name}' is missing or no such thing")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_BYTES


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST_SECONDS


def _is_format(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_FORMAT


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_NAME


def _is_part(value: object) -> bool:
    return is_inside(value) and "/" not in str(value)


def _is_dict(value: object) -> bool:
    return isinstance(value, dict)


def _are_keys(value: object) -> bool:
    return isinstance(value, list) and all(map(is_key, value))


_FIELDS: dict[str, tuple[Check, str]] = {
    "key": (is_key, "64 hexadecimal digits"),
    "inputs": (_are_keys, "a list of keys"),
    "files": (_is_dict, "a table of files"),
    "seconds": (_is_seconds, "a number of seconds"),
    "format": (_is_format, "the number of a format"),
    "name": (_is_text, f"a text of at most {_LONGEST_NAME:,} characters"),
    "slug": (_is_part, "the name of a folder"),
    "kind": (_is_part, "a kind of stage"),
    "job": (_is_dict, "a table of settings"),
    "host": (_is_text, "the name of a machine"),
    "started": (lambda value: isinstance(value, str) and _TIME.fullmatch(value) is not None, "a time"),
    "upload": (lambda value: isinstance(value, str) and _UPLOAD.fullmatch(value) is not None, "hexadecimal digits"),
    "environment": (_is_dict, "a table"),
}
_ALWAYS = frozenset({"key", "inputs", "files", "seconds"})
_SINCE_FORMATS = frozenset({"name", "slug", "kind", "job"})
"""Fields that manifests without a format, of the oldest versions, lack."""


def _is_deeper(value: object, most: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return most < 0 or any(_is_deeper(item, most - 1) for item in inner if isinstance(item, dict | list))
