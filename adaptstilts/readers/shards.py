"""Files that together hold the rows of one split: all N of N exactly once, whatever else a pattern matches."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from adaptstilts.contents import hash_or_none
from adaptstilts.errors import DataError
from adaptstilts.files import read_bytes
from adaptstilts.formatting import number_text
from adaptstilts.readers.json_checks import parse_json
from adaptstilts.readers.tables import open_table

STATE = "state.json"
"""File in which `datasets` lists the Arrow files of a folder that it saved."""
_MOST_STATE_BYTES = 1 << 24
_SHARD = re.compile(r"(?P<stem>.*?)-?(?P<index>\d{1,9})-of-(?P<total>\d{1,9})(?:-[0-9a-f]+)?(?P<ending>\.\w+)")
_NUMBERED = re.compile(r"(?P<stem>.*?)-?(?P<index>\d{1,9})(?P<ending>\.\w+)")
_TABLES = (".parquet", ".arrow")
_MOST_NAMED = 3
_HINT = "Keep the files of one upload, all of them, and no others."


def whole_set(paths: Sequence[Path], pattern: str) -> tuple[Path, ...]:
    """Return the files of a split, at least one, in the order of their rows.

    Args:
        paths: What the pattern matches.
        pattern: Path with ``*`` below the data root.

    Raises:
        DataError: If a file is missing, stale or doubled.
    """
    if "*" not in pattern:
        return tuple(paths)
    if len({path.parent for path in paths}) > 1:
        _refuse_equal_names(paths)
    else:
        paths = _set_in_folder(paths, pattern)
    _refuse_copies(paths)
    return tuple(paths)


def _set_in_folder(paths: Sequence[Path], pattern: str) -> Sequence[Path]:
    folder = paths[0].parent
    if pattern.endswith(".arrow") and (folder / STATE).exists():
        paths = _stated(folder, paths)
    problem = problem_of_names([path.name for path in paths], pattern.rpartition("/")[2])
    if problem is not None:
        raise DataError(problem, path=folder, hint=_HINT)
    return paths


def _refuse_copies(paths: Sequence[Path]) -> None:
    """Refuse a file under two names; several tables without rows are equal by nature."""
    known: dict[str, Path] = {}
    sizes = {path: path.stat().st_size for path in paths if path.is_file()}
    counts = Counter(sizes.values())
    for path, size in sizes.items():
        sha256 = hash_or_none(path) if size and counts[size] > 1 else None
        other = path if sha256 is None else known.setdefault(sha256, path)
        if other != path and (path.suffix not in _TABLES or open_table(path).arrow.num_rows):
            raise DataError(f"has the same content as '{other.name}'", path=path, hint=_HINT)


def _refuse_equal_names(paths: Sequence[Path]) -> None:
    """Refuse two files of one name: the releases of a treebank in two folders."""
    places: dict[str, Path] = {}
    for path in paths:
        other = places.setdefault(path.name, path)
        if other != path:
            raise DataError(f"lies in {other.parent.name} too", path=path, hint="Keep one of the two.")


def problem_of_names(names: Sequence[str], pattern: str) -> str | None:
    """Say what is wrong with the names of the files of one folder that a pattern matches; None if they are one set.

    Files that number themselves ``-00000-of-00002`` are all there once. Of tables (parquet and Arrow) the other names
    are checked too: numbers without a gap, or a single file.
    """
    sets = {name: _SHARD.fullmatch(name) for name in names}
    if any(sets.values()):
        return _problem_of_set(sets)
    if not pattern.endswith(_TABLES):
        return None
    numbers = {name: _NUMBERED.fullmatch(name) for name in names}
    if all(numbers.values()):
        return _problem_of_numbers({name: found for name, found in numbers.items() if found is not None})
    if len(names) > 1:
        return f"{_listed(names)} cannot all be the rows of one split"
    stem = pattern.partition("*")[0]
    if stem:
        return (
            f"'{names[0]}' is not the name of a split's file, such as {stem}00000-of-00001{pattern.rpartition('*')[2]}"
        )
    return None


def _problem_of_set(sets: dict[str, re.Match[str] | None]) -> str | None:
    shards = {name: found for name, found in sets.items() if found is not None}
    first = next(iter(shards))
    others = [name for name in sets if name not in shards or shards[name]["stem"] != shards[first]["stem"]]
    if others:
        return f"'{others[0]}' does not belong to the set of '{first}'"
    totals: dict[int, str] = {}
    for name, found in shards.items():
        totals.setdefault(int(found["total"]), name)
    if len(totals) > 1:
        return f"{_listed(list(totals.values()))} belong to sets of {' and '.join(map(str, sorted(totals)))} files"
    (total,) = totals
    by_index: dict[int, str] = {}
    for name, found in shards.items():
        index = int(found["index"])
        if index >= total:
            return f"'{name}' numbers itself beyond the {number_text(total, 'file')} of its set"
        if index in by_index:
            return f"'{by_index[index]}' and '{name}' are the same part of one set"
        by_index[index] = name
    missing = total - len(by_index)
    if missing:
        names = _missing_names(shards[first], by_index, total)
        return f"{missing} of {total} files are missing: {', '.join(names)}{' ...' if missing > len(names) else ''}"
    return None


def _missing_names(like: re.Match[str], by_index: dict[int, str], total: int) -> list[str]:
    absent = (index for index in range(total) if index not in by_index)
    width, before = len(like["index"]), like.string[: like.start("index")]
    return [
        f"{before}{index:0{width}}-of-{like['total']}{like['ending']}"
        for index, _ in zip(absent, range(_MOST_NAMED), strict=False)
    ]


def _problem_of_numbers(numbers: dict[str, re.Match[str]]) -> str | None:
    if len({found["stem"] for found in numbers.values()}) > 1:
        return f"{_listed(list(numbers))} cannot all be the rows of one split"
    by_index: dict[int, str] = {}
    for name, found in numbers.items():
        other = by_index.setdefault(int(found["index"]), name)
        if other != name:
            return f"'{other}' and '{name}' are the same part of one set"
    first = min(by_index)
    gap = next((index for index in range(min(first, 1), max(by_index)) if index not in by_index), None)
    return None if gap is None else f"the file before '{by_index[min(at for at in by_index if at > gap)]}' is missing"


def _stated(folder: Path, paths: Sequence[Path]) -> list[Path]:
    """Return the files that ``state.json`` lists, in its order, after comparing them with those that are there."""
    state = folder / STATE
    listed = list(_listed_files(state))
    for name in listed:
        if name != Path(name).name or "\\" in name or not name.endswith(".arrow"):
            raise DataError(f"'{name}' is not the name of an Arrow file in this folder", path=state, key="_data_files")
        if listed.count(name) > 1:
            raise DataError(f"'{name}' is listed twice", path=state, key="_data_files")
    present = [path.name for path in paths]
    absent, others = ([n for n in listed if n not in present], [n for n in present if n not in listed])
    if absent:
        problem = f"lists {_listed(absent)}, which {'is' if len(absent) == 1 else 'are'} not there"
        raise DataError(problem, path=state, key="_data_files", hint="Copy or save the whole folder again.")
    if others:
        raise DataError(
            f"does not list {_listed(others)}, which {'lies' if len(others) == 1 else 'lie'} beside it",
            path=state, key="_data_files", hint="Remove what another save has left, or save the folder again.",
        )  # fmt: skip
    return [folder / name for name in listed]


def _listed_files(state: Path) -> Iterator[str]:
    try:
        text = read_bytes(state, _MOST_STATE_BYTES).decode()
    except UnicodeDecodeError as error:
        raise DataError(f"is not UTF-8 ({error.reason})", path=state, hint="Save the folder again.") from error
    found: Any = parse_json(text, state, 1)
    files = found.get("_data_files") if isinstance(found, dict) else None
    if not isinstance(files, list) or not all(isinstance(item, dict) and _name(item) for item in files):
        raise DataError("expected a list of files", path=state, key="_data_files", hint="Save the folder again.")
    for key in ("_indices_files", "_indices_data_files"):
        if found.get(key):
            problem = "only some of the rows are meant, or in another order"
            raise DataError(problem, path=state, key=key, hint="Call flatten_indices() and save the folder again.")
    for item in files:
        yield _name(item)


def _name(item: dict[str, Any]) -> str:
    name = item.get("filename")
    return name if isinstance(name, str) else ""


def _listed(names: Sequence[str]) -> str:
    shown = " and ".join(f"'{name}'" for name in names[:_MOST_NAMED])
    return f"{shown} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else shown
