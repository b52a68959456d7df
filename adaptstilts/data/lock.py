"""Lock file of a data root: rows and checksums of what was fetched, so that changes are noticed."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from adaptstilts.addresses import shown_address
from adaptstilts.errors import DataError
from adaptstilts.files import clear, is_below, read_bytes
from adaptstilts.formatting import number_text, shown
from adaptstilts.json_text import JsonError, parse_json
from adaptstilts.languages import is_code
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.spec import Split, Task

LOCK_NAME = "adaptstilts.lock.json"
"""Name of the lock file, at the top of the data root."""
_FORMAT = 1
FETCH_AGAIN = "Delete it and fetch again."
"""Next step where the lock file itself is at fault."""
_MOST_BYTES = 256 << 20
_MOST = 10**12
"""Most rows of a split, and most bytes of a file."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REPAIR = "Restore the files, or delete the split's folder and fetch again."


@dataclass(frozen=True)
class LockedSplit:
    """What was fetched for one language and split.

    Attributes:
        rows: Examples; for retrieval gold pairs, or foreign sentences where the pairs are hidden.
        files: Path below the data root -> SHA-256 in hexadecimal. Arrow files, or the publisher's where the kind of
            task has no Arrow layout.
        sources: Addresses, or ``hub:repository/file``, of what it was made from.
        revision: Commits of those sources that have one, separated by commas; None where none has.
        date: Day of the fetch, ISO 8601.
        notes: What the reader left out, or read from another file instead; often empty.
    """

    rows: int
    files: dict[str, str]
    sources: tuple[str, ...]
    revision: str | None
    date: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lock:
    """Content of a lock file.

    Attributes:
        splits: ``task/split/language`` -> what was fetched.
        downloads: Address of each downloaded file -> SHA-256.
        sizes: The same addresses -> bytes; locks of older versions have none.
        revisions: Hub repository -> commit, as resolved at the first fetch.
    """

    splits: dict[str, LockedSplit] = field(default_factory=dict)
    downloads: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)

    def find(self, task: str, split: Split, language: str) -> LockedSplit | None:
        """Return what was fetched for a language and split, or None."""
        return self.splits.get(_key(task, split, language))

    def rows(self, task: str, split: Split, language: str) -> int | None:
        """Return the number of rows fetched for a language and split, or None."""
        found = self.find(task, split, language)
        return None if found is None else found.rows

    def with_split(self, task: str, split: Split, language: str, locked: LockedSplit) -> Lock:
        """Return a lock in which one split is recorded anew."""
        return replace(self, splits={**self.splits, _key(task, split, language): locked})

    def with_download(self, address: str, sha256: str, size: int) -> Lock:
        """Return a lock in which checksum and bytes of a downloaded file are recorded."""
        downloads, sizes = {**self.downloads, address: sha256}, {**self.sizes, address: size}
        return replace(self, downloads=downloads, sizes=sizes)

    def with_revision(self, repository: str, commit: str) -> Lock:
        """Return a lock in which the commit of a hub repository is pinned."""
        return replace(self, revisions={**self.revisions, repository: commit})


def read_lock(root: Path) -> Lock | None:
    """Read the lock file of a data root; return None where there is none.

    Raises:
        DataError: If it is not a lock file of this version.
    """
    path = root / LOCK_NAME
    try:
        return _from_values(parse_json(read_bytes(path, _MOST_BYTES, hint=FETCH_AGAIN)))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except _FaultError as fault:
        problem = str(fault) if fault.key else f"is not a lock file: {fault}"
        raise DataError(problem, path=path, key=fault.key or None, hint=FETCH_AGAIN) from fault
    except JsonError as error:
        problem = f"is not a lock file: {error.problem}"
        raise DataError(problem, path=path, line=error.line, key=error.key, hint=FETCH_AGAIN) from error


def write_lock(root: Path, lock: Lock) -> None:
    """Write the lock file of a data root, replacing an earlier one in one step."""
    values = asdict(lock)
    values["splits"] = dict(sorted(values["splits"].items()))
    for name in ("downloads", "sizes"):
        values[name] = dict(sorted(values[name].items()))
    partial = root / f"{LOCK_NAME}.partial"
    clear(partial)
    with partial.open("w", encoding="utf-8") as file:
        json.dump({"format": _FORMAT, **values}, file, indent=1, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(root / LOCK_NAME)


def verify(root: Path, task: str, split: Split, language: str, rows: int) -> None:
    """Compare a number of examples (gold pairs for retrieval) with the lock file of a data root, if there is one.

    Raises:
        DataError: If another number was fetched.
    """
    lock = read_lock(root)
    if lock is not None:
        verify_rows(lock, root, (task, split, language), rows)


def verify_rows(lock: Lock, root: Path, what: tuple[str, Split, str], rows: int, hint: str = _REPAIR) -> None:
    """Compare the number of examples of a task, split and language with a lock; see `verify`."""
    expected = lock.rows(*what)
    if expected is not None and rows != expected:
        raise DataError(
            f"{_key(*what)}: expected {number_text(expected, 'row')} as fetched, found {rows:,}",
            path=root / LOCK_NAME,
            hint=hint,
        )


def verify_split(lock: Lock, data: DataRoot, task: Task, split: Split, language: str) -> None:
    """Compare the files of a language and split with what the lock file says was fetched.

    A split that the lock file does not name is not checked. Checksums are those that the data root keeps for its
    fingerprints, and rows are counted from the Arrow file's own record, so nothing is read twice.

    Raises:
        DataError: If a file is missing, or holds other rows or other bytes than were fetched.
    """
    locked = lock.find(task.name, split, language)
    if locked is None:
        return
    paths = {name: data.path / name for name in locked.files}
    for name, path in paths.items():
        if not path.is_file():
            raise DataError(
                f"{_key(task.name, split, language)}: recorded in the lock file, but missing", path=path, hint=_REPAIR
            )
        if path not in data.files(task, split, language):
            raise DataError(
                f"{_key(task.name, split, language)}: read from another file than the fetched {name}",
                path=data.path,
                hint=_REPAIR,
            )
    counted = counted_file(task, list(paths.values()))
    if counted.suffix == ".arrow":
        verify_rows(lock, data.path, (task.name, split, language), count_rows(counted))
    for name, path in paths.items():
        if data.digest(path) != locked.files[name]:
            raise DataError(
                f"SHA-256 is {data.digest(path)}, but {locked.files[name]} was fetched", path=path, hint=_REPAIR
            )


def counted_file(task: Task, paths: list[Path]) -> Path:
    """Return the Arrow file whose rows are those of a split: for retrieval the pairs, or else the foreign side."""
    if FACTS[task.kind].is_bitext:
        for table in ("gold", "foreign"):
            for path in paths:
                if path.parent.name == table:
                    return path
    return paths[0]


def count_rows(path: Path) -> int:
    """Return the number of rows of an Arrow file written by `datasets`, from the sizes of its batches."""
    import pyarrow  # noqa: PLC0415 - slow to import

    try:
        with pyarrow.memory_map(str(path)) as file, pyarrow.ipc.open_stream(file) as batches:
            return sum(batch.num_rows for batch in batches)
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"cannot be read as an Arrow file ({reason})", path=path, hint=_REPAIR) from error


def _key(task: str, split: Split, language: str) -> str:
    return f"{task}/{split.value}/{language}"


class _FaultError(Exception):
    """What is wrong with a value of a lock file; carries its key."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = key


def _from_values(values: object) -> Lock:
    top = _mapping("", values)
    form = top.get("format")
    if type(form) is not int or form != _FORMAT:
        raise _FaultError("format", f"{_short(form)} is not {_FORMAT}, the format of this version")
    splits = {
        _split_key(key): _split(f"splits.{key}", item) for key, item in _mapping("splits", top.get("splits")).items()
    }
    downloads = {
        shown_address(address): _sha256(f"downloads.{address}", found)
        for address, found in _mapping("downloads", top.get("downloads")).items()
    }
    revisions = {
        name: _name_below(f"revisions.{name}", commit)
        for name, commit in _mapping("revisions", top.get("revisions")).items()
    }
    sizes = {
        shown_address(address): _count(f"sizes.{address}", found, "bytes")
        for address, found in _mapping("sizes", top.get("sizes", {})).items()
    }
    return Lock(splits, downloads, sizes, revisions)


def _split(key: str, value: object) -> LockedSplit:
    item = _mapping(key, value)
    revision = item.get("revision")
    files = {
        _name_below(f"{key}.files", name): _sha256(f"{key}.files.{name}", found)
        for name, found in _mapping(f"{key}.files", item.get("files")).items()
    }
    if not files:
        raise _FaultError(f"{key}.files", "names no file")
    return LockedSplit(
        rows=_count(f"{key}.rows", item.get("rows"), "rows"),
        files=files,
        sources=tuple(map(shown_address, _texts(f"{key}.sources", item.get("sources")))),
        revision=None if revision is None else _text(f"{key}.revision", revision),
        date=_text(f"{key}.date", item.get("date")),
        notes=_texts(f"{key}.notes", item.get("notes", [])),
    )


def _mapping(key: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _FaultError(key, f"{_short(value)} is not an object of names and values")
    for name in value:
        _text(key, name)
    return value


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise _FaultError(key, f"{_short(value)} is not text")
    if not value.isprintable():  # nor are unpaired surrogates, which no file can hold
        raise _FaultError(key, f"{_short(value)} has characters that cannot be shown")
    return value


def _texts(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _FaultError(key, f"{_short(value)} is not a list of texts")
    return tuple(_text(f"{key}.{number}", item) for number, item in enumerate(value))


def _split_key(key: str) -> str:
    task, _, rest = key.partition("/")
    split, _, language = rest.partition("/")
    if not task or split not in {known.value for known in Split} or not is_code(language):
        raise _FaultError("splits", f"{_short(key)} is not task/split/language")
    return key


def _count(key: str, value: object, noun: str) -> int:
    if type(value) is not int or not 0 <= value <= _MOST:
        raise _FaultError(key, f"{_short(value)} is not a number of {noun}")
    return value


def _sha256(key: str, value: object) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise _FaultError(key, f"{_short(value)} is not a SHA-256 of 64 hexadecimal digits")
    return value


def _name_below(key: str, value: object) -> str:
    if not isinstance(value, str) or not is_below(value) or not value.isprintable():
        raise _FaultError(key, f"{_short(value)} is not a name below the data root")
    return value


def _short(value: object) -> str:
    return "nothing" if value is None else shown(value)
