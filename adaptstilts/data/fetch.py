"""Fetching of data sets: download, check, convert to Arrow files, and record in the lock file."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from adaptstilts.data.archives import is_archive, put, unpack
from adaptstilts.data.arrow import write_split
from adaptstilts.data.download import RetryPolicy, digest
from adaptstilts.data.hub_files import DISK_ERRORS
from adaptstilts.data.lock import Lock, LockedSplit, count_rows, counted_file, read_lock, verify_rows, write_lock
from adaptstilts.data.obtain import DOWNLOADS, OfflineError, SourceFiles
from adaptstilts.data.provenance import write_provenance
from adaptstilts.data.sources import COLUMNS, Entry, Manifest, packaged
from adaptstilts.errors import AdaptstiltsError, DataError, problems_of, raise_all
from adaptstilts.files import below, clear, what_instead
from adaptstilts.formatting import number_text, system_reason
from adaptstilts.languages import get_language
from adaptstilts.limits import LIMITS, LimitError
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.readers.locate import missing_parts
from adaptstilts.tasks.examples import Bitext, Example
from adaptstilts.tasks.registry import all_tasks, get_task, training_task
from adaptstilts.tasks.spec import Split, Task

_LOCK_HINT = (
    "The lock file is wrong, or the source has changed since the first fetch. To take it as it is now: delete the lock "
    "file and fetch again."
)
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Watcher(Protocol):
    """Receiver of the progress of a fetch."""

    def line(self, text: str) -> None:
        """Take a message for the user."""
        ...

    def arrived(self, name: str, done: int, total: int | None) -> None:
        """Take the bytes of a file received so far, and its size where known."""
        ...

    def converted(self, name: str, done: int, total: int) -> None:
        """Take the key of a finished split, its number, and how many splits of its task are fetched."""
        ...


@dataclass(frozen=True)
class FetchOptions:
    """How to fetch.

    Attributes:
        languages: ISO 639-1 codes of the dev and test sets to fetch, None for all; English training and dev sets are
            always fetched, since everything is trained on them.
        offline: Use only what was downloaded before, never the network.
    """

    languages: tuple[str, ...] | None = None
    offline: bool = False
    manifest: Manifest = field(default_factory=packaged)
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True)
class FetchResult:
    """What a fetch did.

    Attributes:
        fetched: Splits put in place by this fetch, as ``task/split/language``.
        present: Splits that were in place already.
        by_hand: One line per task that must be put in place by hand.
    """

    fetched: tuple[str, ...]
    present: tuple[str, ...]
    by_hand: tuple[str, ...]


def fetch(root: Path, tasks: Sequence[str], watcher: Watcher, options: FetchOptions | None = None) -> FetchResult:
    """Fetch data sets into a data root; finished splits are skipped, and an interrupted fetch is resumed.

    A task that fails does not stop the others. Two fetches into one folder take turns. If `tasks` is empty, all tasks
    that can be downloaded are fetched.

    Raises:
        AdaptstiltsError: If data cannot be downloaded, are not what was expected, or cannot be written; all problems at
            once, after the other tasks.
    """
    chosen = options or FetchOptions()
    for limit in LIMITS:
        limit.value()  # one that cannot be used would end the fetch when the download is there
    for code in chosen.languages or ():
        get_language(code)
    names = list(dict.fromkeys(tasks)) or [task.name for task in all_tasks() if task.name in chosen.manifest.tasks]
    for name in names:
        chosen.manifest.entries(name)
        get_task(name)
    run = _Fetch(root, chosen, watcher)
    with disk_errors(root):
        below(root, f"{DOWNLOADS}/fetch.lock", source="data fetch").parent.mkdir(parents=True, exist_ok=True)
        with _one_fetch_at_a_time(root, watcher):
            run.fetch_all(names, named=bool(tasks))
    return run.result()


class _Fetch:
    """State of one call of `fetch`."""

    def __init__(self, root: Path, options: FetchOptions, watcher: Watcher) -> None:
        self._root = root
        self._options = options
        self._watcher = watcher
        self._fetched: list[str] = []
        self._present: list[str] = []
        self._by_hand: list[str] = []
        self._origins: dict[Path, str] = {}  # where each file that is read is from; the files themselves are deleted

    def result(self) -> FetchResult:
        return FetchResult(tuple(self._fetched), tuple(self._present), tuple(self._by_hand))

    def fetch_all(self, names: Sequence[str], *, named: bool) -> None:
        self._named = named
        problems: list[AdaptstiltsError] = []
        absent: list[str] = []
        self._source_files = SourceFiles(
            self._root,
            read_lock(self._root) or Lock(),
            (self._watcher.arrived, self._watcher.line),
            offline=self._options.offline,
            retry=self._options.retry,
        )
        for name in names:
            by_hand = self._options.manifest.by_hand(name)
            try:
                if by_hand and named:
                    raise DataError(f"{name}: {by_hand}")
                if by_hand:
                    self._by_hand.append(f"{name}: {by_hand}")
                else:
                    with disk_errors(self._root):
                        self._fetch_task(get_task(name))
            except OfflineError as error:
                absent += error.addresses
            except AdaptstiltsError as error:
                if len(names) > 1:
                    self._watcher.line(f"failed: {name}")
                problems.append(error)
        if absent:
            problems.append(OfflineError(self._root, tuple(dict.fromkeys(absent))))
        raise_all(problems)

    def _fetch_task(self, task: Task) -> None:
        wanted = self._wanted(task)
        missing = [entry for entry in wanted if not self._is_present(task, entry)]
        self._present += [_key(entry) for entry in wanted if entry not in missing]
        if len(missing) < len(wanted):
            self._watcher.line(
                f"{task.name}: {len(wanted) - len(missing)} of {number_text(len(wanted), 'split')} present already"
            )
        if missing:
            self._fetch_entries(task, missing)

    def _fetch_entries(self, task: Task, missing: Sequence[Entry]) -> None:
        """Fetch what is missing of a task; again, if what lay among the downloads before could not be read."""
        try:
            self._fetch_missing(task, missing)
        except AdaptstiltsError as error:
            is_limit = all(isinstance(problem, LimitError) for problem in problems_of(error))
            if not self._drop_unread(task, may_be_good=is_limit):
                raise
            self._fetch_entries(task, [entry for entry in missing if _key(entry) not in self._fetched])

    def _drop_unread(self, task: Task, *, may_be_good: bool) -> bool:
        """Delete downloads that could not be read; return whether one of them lay there before this fetch."""
        dropped, were_there = self._source_files.drop_unread(may_be_good=may_be_good)
        if dropped:
            names = ", ".join(path.name for path in dropped)
            when = "is downloaded anew" if were_there else "so that the next fetch downloads it anew"
            self._watcher.line(f"{task.name}: could not be read and was deleted, {when}: {names}")
        return were_there

    def _fetch_missing(self, task: Task, missing: Sequence[Entry]) -> None:
        staging = self._root / DOWNLOADS / f"unpacked-{task.name}"
        clear(staging)
        staging.mkdir()
        try:
            self._place_sources(missing, staging)
            data = DataRoot(staging)
            for number, entry in enumerate(missing, start=1):
                self._convert(task, entry, data, missing[number:])
                self._fetched.append(_key(entry))
                self._watcher.converted(_key(entry), number, len(missing))
        except AdaptstiltsError as error:
            for problem in problems_of(error):
                if problem.path in self._origins:
                    problem.path = Path(self._origins[problem.path])
            raise
        finally:
            shutil.rmtree(staging, ignore_errors=True)
            write_provenance(self._root, task, self._options.manifest, self._source_files.lock)

    def _wanted(self, task: Task) -> list[Entry]:
        known = self._options.manifest.entries(task.name)
        codes = self._options.languages
        if codes is None:
            return list(known)
        kept = [entry for entry in known if entry.language in codes or _is_for_training(entry)]
        if not kept and self._named:
            allowed = sorted({entry.language for entry in known})
            raise DataError(f"{task.name} has no data in {', '.join(codes)}", value=codes[0], allowed=allowed)
        if not any(entry.language in codes for entry in kept):
            self._watcher.line(f"{task.name} has no data in {', '.join(codes)}")
        return kept

    def _is_present(self, task: Task, entry: Entry) -> bool:
        """Return whether a split is in place, unchanged since it was fetched and with the published number of rows."""
        locked = self._source_files.lock.find(task.name, entry.split, entry.language)
        if locked is None or entry.rows not in {None, locked.rows}:
            return False
        paths = {self._root / name: sha256 for name, sha256 in locked.files.items()}
        return all(path.is_file() and digest(path) == sha256 for path, sha256 in paths.items())

    def _place_sources(self, entries: Sequence[Entry], staging: Path) -> None:
        """Obtain every file needed and put its content where the task's readers look for it."""
        sources = self._source_files.obtain([part for entry in entries for part in entry.parts])
        for item in sources:
            if is_archive(item.path):
                self._watcher.line(f"unpacking {item.path.name}")
                names = unpack(item.path, item.place, staging)
                self._origins |= {path: f"{item.address} ({name})" for path, name in names.items()}
                continue
            made = put(item.path, item.name, item.place, staging)
            self._origins |= dict.fromkeys(made, item.address)
            if not made:
                raise DataError(
                    f"'{item.name}' was downloaded from {item.address}, but no task's `place` names it", path=item.path
                )

    def _convert(self, task: Task, entry: Entry, data: DataRoot, unread: Sequence[Entry]) -> None:
        """Read a split, check its rows, write it, and record it in the lock file."""
        absent = missing_parts(data.path, task, entry.split, entry.language)
        if absent:
            raise DataError(f"{_key(entry)}: the sources lack {', '.join(absent)}")
        rows = data.load(task, entry.split, entry.language)
        found = _count_examples(rows)
        if entry.rows is not None and found != entry.rows:
            raise DataError(
                f"{_key(entry)}: expected {number_text(entry.rows, 'row')} as published, found {found:,}",
                hint="The source has changed, or its name is misleading; nothing was written",
            )
        lock = self._source_files.lock
        verify_rows(lock, self._root, (task.name, entry.split, entry.language), found, hint=_LOCK_HINT)
        paths = self._write(task, entry, data, rows)
        locked = LockedSplit(
            rows=found,
            files={path.relative_to(self._root).as_posix(): digest(path) for path in paths},
            sources=self._source_files.addresses(entry),
            revision=self._source_files.revision(entry),
            date=datetime.now(timezone.utc).date().isoformat(),
            notes=data.notes(task, entry.split, entry.language),
        )
        self._source_files.confirm(entry, unread)
        self._source_files.lock = self._source_files.lock.with_split(task.name, entry.split, entry.language, locked)
        write_lock(self._root, self._source_files.lock)

    def _write(self, task: Task, entry: Entry, data: DataRoot, rows: list[Example] | Bitext) -> list[Path]:
        """Write a split and return its files: Arrow where its kind of task has a layout, else the publisher's files."""
        if task.kind not in COLUMNS:
            return [
                _copy_published(path, data.path, self._root) for path in data.files(task, entry.split, entry.language)
            ]
        below(self._root, f"{task.folder or task.name}/arrow/{entry.split.value}/x", source=task.name)
        folder = write_split(self._root, task, entry.split, entry.language, rows, data.labels(task))
        paths = sorted(folder.rglob("*.arrow"))
        if count_rows(counted_file(task, paths)) != _count_examples(rows):
            raise DataError(
                f"{_key(entry)}: {number_text(_count_examples(rows), 'row')} read, but another number was written",
                path=folder,
            )
        return paths


def _copy_published(path: Path, staging: Path, root: Path) -> Path:
    """Copy a publisher's file to the same relative path below the data root."""
    target = below(root, path.relative_to(staging).as_posix(), source=path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    clear(partial)
    shutil.copyfile(path, partial)
    if target.is_dir():
        clear(target)
    return partial.replace(target)


def missing_training_sets(root: Path, tasks: Sequence[str]) -> tuple[str, ...]:
    """Return the training tasks that fetched target tasks need and a data root's lock file lacks."""
    lock = read_lock(root) or Lock()
    needed = dict.fromkeys(training_task(get_task(name)).name for name in tasks if get_task(name).trains)
    return tuple(name for name in needed if lock.rows(name, Split.TRAIN, "en") is None)


@contextmanager
def disk_errors(root: Path) -> Iterator[None]:
    """Turn errors of a full or unwritable disk into a `DataError` that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        full = error.errno in _DISK_FULL
        raise DataError(
            f"cannot be written: {system_reason(error)}",
            path=error.filename or root,
            hint="Free some space and run the same command again; it resumes where it stopped"
            if full
            else "Choose a root that you can write to",
        ) from error


@contextmanager
def _one_fetch_at_a_time(root: Path, watcher: Watcher) -> Iterator[None]:
    """Hold the folder's lock for fetching, after waiting for other fetches."""
    path = root / DOWNLOADS / "fetch.lock"
    if path.is_symlink() or what_instead(path) is not None:
        clear(path)
    turn = FileLock(path)
    try:
        turn.acquire(timeout=0)
    except Timeout:
        watcher.line(f"{root}: another fetch is running here; waiting for it")
        turn.acquire()
    try:
        yield
    finally:
        turn.release()


def _is_for_training(entry: Entry) -> bool:
    return entry.language == "en" and entry.split is not Split.TEST


def _count_examples(rows: Sequence[object] | Bitext) -> int:
    if isinstance(rows, Bitext):
        return len(rows.foreign if rows.gold is None else rows.gold)
    return len(rows)


def _key(entry: Entry) -> str:
    return f"{entry.task}/{entry.split.value}/{entry.language}"
