"""Broken copies of backbones: every key of their JSON files in turn, and damage to their weights, made by name.

A variant is a name and a change of a folder. What a change does to a folder depends only on its name.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

MANY = 4
"""Entries of a long list or object that are changed one by one: the first ones."""
GONE = object()
WRONG: tuple[tuple[str, Any], ...] = (
    ("gone", GONE),
    ("null", None),
    ("true", True),
    ("negative", -1),
    ("number", 7),
    ("large", 2**40),
    ("share", 0.5),
    ("text", "x"),
    ("empty", ""),
    ("list", []),
    ("object", {}),
    ("nested", {"type": "x", "a": [[]]}),
)
JSON_FILES = (
    "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "model.safetensors.index.json",
)  # fmt: skip


class Variant(NamedTuple):
    """One broken copy."""

    name: str
    change: Callable[[Path], object]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value, of long lists and objects the first few and the last."""
    if path:
        yield path
    if isinstance(value, dict):
        keys = list(value)
        for key in [*keys[:MANY], keys[-1]] if len(keys) > 40 else keys:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(min(len(value), MANY if len(value) <= 40 else 2)):
            yield from places(value[index], (*path, index))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of a JSON value with another value, or none, at a place."""
    found = copy.deepcopy(value)
    place = found
    for key in path[:-1]:
        place = place[key]
    if new is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = new
    return found


def setting(name: str, path: tuple[Any, ...], new: Any) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        file = folder / name
        file.write_text(json.dumps(replaced(json.loads(file.read_text("utf-8")), path, new)), encoding="utf-8")

    return change


def by_key(folder: Path) -> Iterator[Variant]:
    """Every key of every JSON file of a folder with every wrong value."""
    for name in JSON_FILES:
        if not (folder / name).is_file():
            continue
        value = json.loads((folder / name).read_text("utf-8"))
        for path in places(value):
            for label, new in WRONG:
                yield Variant(f"{name}:{'.'.join(map(str, path))}:{label}", setting(name, path, new))
