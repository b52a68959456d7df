"""Lock file of a data root: rows and checksums of what was fetched, so that changes are noticed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from adaptstilts.errors import DataError
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.spec import Split, Task

LOCK_NAME = "adaptstilts.lock.json"
"""Name of the lock file, at the top of the data root."""
_FORMAT = 1
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
        revisions: Hub repository -> commit, as resolved at the first fetch.
    """

    splits: dict[str, LockedSplit] = field(default_factory=dict)
    downloads: dict[str, str] = field(default_factory=dict)
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

    def with_download(self, address: str, sha256: str) -> Lock:
        """Return a lock in which the checksum of a downloaded file is recorded."""
        return replace(self, downloads={**self.downloads, address: sha256})

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
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read ({error})", path=path, hint="Delete it and fetch again") from error
    try:
        return _from_values(values)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"is not a lock file of format {_FORMAT} ({error})", path=path, hint="Delete it and fetch again"
        ) from error


def write_lock(root: Path, lock: Lock) -> None:
    """Write the lock file of a data root, replacing an earlier one in one step."""
    values = asdict(lock)
    values["splits"] = dict(sorted(values["splits"].items()))
    values["downloads"] = dict(sorted(values["downloads"].items()))
    partial = root / f"{LOCK_NAME}.partial"
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


def verify_rows(lock: Lock, root: Path, what: tuple[str, Split, str], rows: int) -> None:
    """Compare the number of examples of a task, split and language with a lock; see `verify`."""
    expected = lock.rows(*what)
    if expected is not None and rows != expected:
        raise DataError(
            f"{_key(*what)}: expected {expected:,} rows as fetched, found {rows:,}",
            path=root / LOCK_NAME,
            hint=_REPAIR,
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


def _from_values(values: dict[str, Any]) -> Lock:
    if values["format"] != _FORMAT:
        raise KeyError(f"format {values['format']}")
    splits = {
        key: LockedSplit(
            rows=int(item["rows"]),
            files=dict(item["files"]),
            sources=tuple(item["sources"]),
            revision=item["revision"],
            date=str(item["date"]),
            notes=tuple(item.get("notes", ())),
        )
        for key, item in values["splits"].items()
    }
    return Lock(splits, dict(values["downloads"]), dict(values["revisions"]))
