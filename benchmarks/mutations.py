"""Seeded mutations of files: bytes, structure, numbers, encodings, and what stands in place of a file."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

NUMBERS = (
    "-1",
    "0",
    "1",
    "true",
    "1e400",
    "NaN",
    "-Infinity",
    "1.5",
    "9" * 5000,
    "9223372036854775808",
    "1e-999",
    '"7"',
)
WORDS = (
    "", " ", "\x00", "\x1b[2J", "a\nb", "a\rb", "\u202e", "\ud800", "../../outside/x", "/etc/hostname", "~", "=1+1",
    "[red]", "{x}", "%s", "NUL", "x" * 300, "x" * 200_000, "é", "e\u0301", "null", "1", "true",
)  # fmt: skip
VALUES: tuple[Any, ...] = (None, True, False, 0, -1, 10**30, 1.5, float("nan"), float("inf"), [], {}, [[]], "", *WORDS)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def flip(data: bytes, rng: random.Random) -> bytes:
    """Flip bits, or put, cut, repeat or swap some bytes."""
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(content) + 1)
        end = min(len(content), at + rng.choice((1, 2, 8, 100, 5000)))
        kind = rng.randrange(6)
        if kind == 0 and at < len(content):
            content[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            content[at:at] = rng.choice((b"\0", b"\r", b"\xff", b"\x1b", b"\n", b'"', b"{", b"\t", rng.randbytes(5)))
        elif kind == 2:
            del content[at:end]
        elif kind == 3:
            content[at:at] = content[at:end]
        elif kind == 4:
            del content[at:]
        elif at < len(content):
            content[at:end] = rng.randbytes(end - at)
    return bytes(content)


def renumber(data: bytes, rng: random.Random) -> bytes:
    """Put another number in place of one."""
    text = data.decode("utf-8", "replace")
    found = list(_NUMBER.finditer(text))
    if not found:
        return flip(data, rng)
    one = rng.choice(found)
    return f"{text[: one.start()]}{rng.choice(NUMBERS)}{text[one.end() :]}".encode("utf-8", "surrogatepass")


def reencode(data: bytes, rng: random.Random) -> bytes:
    """Write the same content in another encoding or compressed, or something that servers give in its place."""
    text = data.decode("utf-8", "replace")
    return rng.choice(
        (
            lambda: text.encode("utf-16"),
            lambda: text.encode("utf-16-le"),
            lambda: text.encode("utf-32"),
            lambda: text.encode("latin-1", "replace") + b"\xe9",
            lambda: b"\xef\xbb\xbf" + data,
            lambda: b"\xef\xbb\xbf" * 2 + data,
            lambda: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r"),
            lambda: data.replace(b"\n", b"\r\n"),
            lambda: data.replace(b"\t", b"    "),
            lambda: text.replace(" ", "\u00a0").encode(),
            lambda: data.replace(b"\n", "\u2028".encode()),
            lambda: gzip.compress(data),
            lambda: bz2.compress(data),
            lambda: b"<!DOCTYPE html><html><body>404</body></html>\n",
            lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
            lambda: b"",
            lambda: b"\n",
            lambda: b"\0" * 5000,
            lambda: data * 3,
        )
    )()


def reline(data: bytes, rng: random.Random) -> bytes:
    """Change lines and columns of a table or of a file with a record per line."""
    lines = data.decode("utf-8", "replace").split("\n")
    at = rng.randrange(len(lines))
    columns = lines[at].split("\t")
    kind = rng.randrange(8)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(at, lines[at])
    elif kind == 2:
        lines.insert(at, rng.choice(("", " ", "\t", "\t\t\t", "x", "# x", "{}", "[]", "null")))
    elif kind == 3:
        rng.shuffle(columns)
        lines[at] = "\t".join(columns)
    elif kind == 4:
        columns[rng.randrange(len(columns))] = rng.choice(WORDS)
        lines[at] = "\t".join(columns)
    elif kind == 5:
        lines[at] = "\t".join([*columns, rng.choice(WORDS)])
    elif kind == 6:
        lines[at] = "\t".join(columns[:-1])
    else:
        lines[at] = lines[at].replace('"', rng.choice(("", '""', "'")))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def restructure(value: Any, rng: random.Random) -> Any:
    """Change one place of a JSON value: another type, a missing, doubled or renamed member, deep nesting."""
    places = list(_places(value))
    if not places:
        return rng.choice(VALUES)
    holder, key = rng.choice(places)
    kind = rng.randrange(7)
    if kind <= 2:
        holder[key] = rng.choice(VALUES)
    elif kind == 3:
        del holder[key]
    elif kind == 4 and isinstance(holder, dict):
        holder[rng.choice(WORDS)] = holder.pop(key)
    elif kind == 5 and isinstance(holder, list):
        holder.insert(key, holder[key])
    elif kind == 6:
        deep: Any = holder[key]
        for _ in range(rng.choice((3, 90, 900))):
            deep = [deep] if rng.random() < 0.9 else {"a": deep}
        holder[key] = deep
    else:
        holder[key] = [holder[key]] if rng.random() < 0.5 else {"a": holder[key]}
    return value


def _places(value: Any) -> Any:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield value, key
        yield from _places(item)


def deepen(_: bytes, rng: random.Random) -> bytes:
    """Nest brackets a hundred thousand deep."""
    return rng.choice((b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000, b"- " * 50_000 + b"x"))


def restructure_json(data: bytes, rng: random.Random) -> bytes:
    """Change the structure of a JSON document, of a line of JSON, or of a YAML file."""
    text = data.decode("utf-8", "replace")
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    for read, write in (
        (lambda: json.loads(text), json.dumps),
        (lambda: json.loads(lines[at]), lambda found: "\n".join([*lines[:at], json.dumps(found), *lines[at + 1 :]])),
        (lambda: yaml.safe_load(text), lambda found: yaml.safe_dump(found, allow_unicode=True)),
    ):
        try:
            found = read()
        except (ValueError, yaml.YAMLError, RecursionError):
            continue
        if isinstance(found, dict | list):
            try:
                return write(restructure(found, rng)).encode("utf-8", "surrogatepass")
            except (yaml.YAMLError, RecursionError):
                return deepen(data, rng)
    return reline(data, rng)


def repeat_key(data: bytes, rng: random.Random) -> bytes:
    """Write a line or a member of an object twice."""
    text = data.decode("utf-8", "replace")
    found = list(re.finditer(r'"[^"\\]+"\s*:\s*("[^"\\]*"|[\d.]+|true|false|null)\s*,', text))
    if not found:
        return reline(data, rng)
    one = rng.choice(found)
    return f"{text[: one.start()]}{one[0]}{text[one.start() :]}".encode()


Change = Callable[[bytes, random.Random], bytes]
CHANGES: dict[str, Change] = {
    "bytes": flip,
    "number": renumber,
    "encoding": reencode,
    "lines": reline,
    "structure": restructure_json,
    "repeated key": repeat_key,
    "depth": deepen,
}
_WEIGHTS = (4, 3, 2, 3, 6, 1, 0.3)


def replace_file(path: Path, rng: random.Random) -> str:
    """Put something else in place of a file; return what."""
    what = rng.choice(("missing", "named pipe", "folder", "link to itself", "device", "link to nothing"))
    path.unlink()
    if what == "named pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "link to itself":
        path.symlink_to(path.name)
    elif what == "device":
        path.symlink_to("/dev/zero")
    elif what == "link to nothing":
        path.symlink_to("nothing")
    return what


class Still(random.Random):
    """Draws with which nothing is changed."""


def mutate(path: Path, rng: random.Random, *, binary: bool = False) -> str:
    """Change a file in one way; return which. Its other hard links keep their content."""
    if isinstance(rng, Still):
        return "nothing"
    if rng.random() < 0.05:
        return replace_file(path, rng)
    name = "bytes" if binary and rng.random() < 0.8 else rng.choices(list(CHANGES), _WEIGHTS)[0]
    data = CHANGES[name](path.read_bytes(), rng)
    path.unlink()
    path.write_bytes(data)
    return name


def copy(source: Path, target: Path) -> Path:
    """Copy a folder by hard links; `mutate` breaks the link of the file that it changes."""
    shutil.copytree(source, target, copy_function=os.link)
    return target
