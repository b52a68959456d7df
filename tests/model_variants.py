"""Broken copies of backbones: every key of their JSON files in turn, and damage to their weights, made by name.

A variant is a name and a change of a folder. What a change does to a folder depends only on its name.
"""

from __future__ import annotations

import copy
import json
import math
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from special_files import OTHER_FILES, device, folder, loop, pipe

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


def by_key(folder: Path, names: tuple[str, ...] = JSON_FILES) -> Iterator[Variant]:
    """Every key of the JSON files of a folder with every wrong value."""
    for name in names:
        if not (folder / name).is_file():
            continue
        value = json.loads((folder / name).read_text("utf-8"))
        for path in places(value):
            for label, new in WRONG:
                yield Variant(f"{name}:{'.'.join(map(str, path))}:{label}", setting(name, path, new))


def file_of(name: str, new: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(new((folder / name).read_bytes()))


def header_of(name: str, edit: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    """Change the header of a safetensors file, and leave its numbers."""

    def new(content: bytes) -> bytes:
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        edit(header)
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + content[8 + length :]

    return file_of(name, new)


def first_tensor(header: dict[str, Any]) -> dict[str, Any]:
    return header[_first(header)]


def first_number(value: float) -> Callable[[bytes], bytes]:
    """Put a number of single precision where the first tensor begins."""

    def new(content: bytes) -> bytes:
        start = 8 + struct.unpack("<Q", content[:8])[0]
        return content[:start] + struct.pack("<f", value) + content[start + 4 :]

    return new


LIES: dict[str, tuple[Any, ...]] = {
    "dtype": ("F64", "X", 3, None, "F8_E4M3", "I64", "BOOL"),
    "shape": ([], [-1], [2**62, 4], ["a"], 3, None, [0], [True]),
    "data_offsets": ([0, 1], [-1, 2], [2**64, 2**65], [0], "x", None, [5, 3]),
}


def of_weights(name: str) -> Iterator[Variant]:
    """Damage to a safetensors file."""
    for size in (0, 4, 8, 9, 100, 1000):
        yield Variant(f"{name}:cut-to-{size}", file_of(name, lambda old, size=size: old[:size]))  # type: ignore[misc]
    for label, new in {
        "last-byte": lambda old: old[:-1],
        "tail": lambda old: old + b"x",
        "no-length": lambda old: bytes(8) + old[8:],
        "endless": lambda old: b"\xff" * 8 + old[8:],
        "html": lambda _: b"<!DOCTYPE html>" * 100,
        "pointer": lambda _: OTHER_FILES["LFS pointer"][0],
        "nested": lambda _: struct.pack("<Q", 200_000) + b"[" * 200_000,
        "digits": lambda _: struct.pack("<Q", 9010) + b'{"a":' + b"9" * 9004 + b"}",
        "nan": first_number(math.nan),
        "infinite": first_number(math.inf),
    }.items():
        yield Variant(f"{name}:{label}", file_of(name, new))
    for key, values in LIES.items():
        for value in values:
            edit = lambda header, key=key, value=value: first_tensor(header).update({key: value})  # noqa: E731
            yield Variant(f"{name}:{key}:{value}", header_of(name, edit))
    for value in ({"format": "tf"}, {"format": 3}, 3):
        edit = lambda header, value=value: header.update(__metadata__=value)  # noqa: E731
        yield Variant(f"{name}:metadata:{value}", header_of(name, edit))
    yield Variant(
        f"{name}:renamed", header_of(name, lambda header: header.update({"x\x1b\n": header.pop(_first(header))}))
    )


def _first(header: dict[str, Any]) -> str:
    return next(key for key in header if key != "__metadata__")


def in_place_of(name: str) -> Iterator[Variant]:
    """Something else where a file should be, and bytes that are no JSON."""

    def replaced_by(make: Callable[[Path], object]) -> Callable[[Path], object]:
        def change(folder: Path) -> None:
            (folder / name).unlink()
            make(folder / name)

        return change

    for label, make in {
        "pipe": pipe,
        "folder": folder,
        "loop": loop,
        "endless-device": device,
        "empty-device": lambda path: path.symlink_to("/dev/null"),
    }.items():
        yield Variant(f"{name}:{label}", replaced_by(make))
    for label, content in {
        "empty": b"",
        "bytes": bytes(range(256)),
        "utf-16": "{}".encode("utf-16"),
        "list": b"[]",
        "deep": b'{"a":' * 50_000,
        "deep-list": b"[" * 100_000,
        "digits": b'{"a":' + b"9" * 9000 + b"}",
        "twice": b'{"a": 1, "a": 2}',
    }.items():
        yield Variant(f"{name}:{label}", file_of(name, lambda _, content=content: content))  # type: ignore[misc]
