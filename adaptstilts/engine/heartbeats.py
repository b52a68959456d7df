"""Signs of life: one small file per running stage, one per failed stage, in the store that all workers share.

Nothing but the shared folder is used, so that workers on other hosts, of whatever engine, are seen from anywhere. Hosts
differ in their clocks. The age of a heartbeat is therefore the time of a file that the reader has just written next to
it less the time of its own file: both are told by the machine that holds the file system.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import platform
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from adaptstilts.store.json_files import replace_json
from adaptstilts.store.stage import Stage

RUNNING_FOLDER = ".running"
FAILED_FOLDER = ".failed"
KEY_DIGITS = 16
"""Digits of a stage's key in names of files, as in those of artefacts."""
LOST_SECONDS = 60.0
"""Age of a heartbeat from which its worker counts as lost."""
_GONE_SECONDS = 15.0
"""The same where the worker is a process of this host that is no more: three beats."""
_BEAT_SECONDS = 5.0
"""Between two beats of a stage that makes no step."""
_LEAST_SECONDS = 1.0
"""Between two beats of a stage that makes steps."""


def stage_file(stage: Stage) -> str:
    """Return the start of the names of a stage's files, which is the name of its artefact's folder."""
    return f"{stage.slug}-{stage.key[:KEY_DIGITS]}"


@dataclass(frozen=True)
class Beat:
    """The last sign of life of a worker on a stage.

    Attributes:
        key: Key of the stage.
        name: Name of the stage.
        kind: Its kind.
        host: Host of the worker.
        pid: Process of the worker on its host.
        worker: What the engine calls the worker; empty where it has no name.
        started: When the attempt began, UTC by the clock of the worker's host.
        seconds: Wall time of the attempt so far.
        done: Steps done; optimiser steps of a training run, languages of predictions.
        total: Steps in all; 0 where the stage has told none.
        note: Last note, such as the loss.
        first: Steps done when the attempt first told of one; many where it goes on from a checkpoint.
        before: Seconds until then: reading data, loading the backbone.
        examples_per_second: Speed of a training run; None where it is not known.
        age: Seconds since the sign of life.
        is_lost: Whether that is too long.
    """

    key: str
    name: str
    kind: str
    host: str
    pid: int
    worker: str = ""
    started: str = ""
    seconds: float = 0.0
    done: int = 0
    total: int = 0
    note: str = ""
    first: int = 0
    before: float = 0.0
    examples_per_second: float | None = None
    age: float = 0.0
    is_lost: bool = False

    @property
    def seconds_left(self) -> float | None:
        """Wall time the remaining steps take at the speed of those of this attempt; None where it is not known."""
        made = self.done - self.first
        return (self.seconds - self.before) / made * (self.total - self.done) if made > 0 and self.total else None


@dataclass(frozen=True)
class Failure:
    """What a stage failed with, until it succeeds.

    Attributes:
        key: Key of the stage.
        name: Name of the stage.
        kind: Its kind.
        error: What was wrong.
        type: Class of the error.
        host: Host of the worker.
        pid: Process of the worker.
        worker: What the engine calls the worker; empty where it has no name.
        when: UTC by the clock of the worker's host.
        log: The stage's log, relative to the store.
    """

    key: str
    name: str
    kind: str
    error: str
    type: str
    host: str
    pid: int
    worker: str
    when: str
    log: str


@dataclass
class Progress:
    """How far a stage is; its worker changes it, its `Heart` writes it down.

    Attributes:
        done: Steps done.
        total: Steps in all; 0 until the stage tells.
        note: Last note.
        first: Steps done when the attempt first told of one.
        before: Seconds until then.
        examples_per_second: Speed of a training run.
    """

    done: int = 0
    total: int = 0
    note: str = ""
    first: int = 0
    before: float = 0.0
    examples_per_second: float | None = None


class Heart:
    """Writes heartbeats from a thread of its own: one a second while there are steps, one in five seconds while not.

    The stage's work only changes fields: it never waits for the file system. What cannot be written is left out, since
    a sign of life must not end the work.

    Args:
        root: Folder of the store.
        record: ``key``, ``name``, ``kind``, ``host``, ``pid``, ``worker`` and ``started`` of the `Beat`.
        progress: How far the stage is.
    """

    def __init__(self, root: Path, record: dict[str, Any], progress: Progress) -> None:
        name = f"{record['key'][:KEY_DIGITS]}.{record['host']}-{record['pid']}.json"
        self._root = root
        self._path = root / RUNNING_FOLDER / name
        self._record = record
        self._progress = progress
        self._began = time.perf_counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat {name}", daemon=True)

    def start(self) -> None:
        """Write the first beat and go on; the beats of earlier attempts at the stage are removed."""
        remove_beats(self._root, self._record["key"])
        self._write(dataclasses.asdict(self._progress))
        self._thread.start()

    def stop(self) -> None:
        """Remove the heartbeat."""
        self._stop.set()
        self._thread.join()
        remove_beats(self._root, self._record["key"])

    def _beat(self) -> None:
        last: dict[str, Any] = {}
        written = time.monotonic()
        while not self._stop.wait(_LEAST_SECONDS):
            now = dataclasses.asdict(self._progress)
            if now != last or time.monotonic() - written >= _BEAT_SECONDS:
                self._write(now)
                last, written = now, time.monotonic()

    def _write(self, now: dict[str, Any]) -> None:
        seconds = round(time.perf_counter() - self._began, 3)
        with contextlib.suppress(OSError):
            replace_json(self._path, {**self._record, **now, "seconds": seconds})


def remove_beats(root: Path, key: str) -> None:
    """Remove all signs of life on a stage."""
    with contextlib.suppress(OSError):
        for path in (root / RUNNING_FOLDER).glob(f"{key[:KEY_DIGITS]}.*"):
            path.unlink(missing_ok=True)


def read_beats(root: Path) -> list[Beat]:
    """Return the last signs of life in a store, those of lost workers included, the longest running stage first.

    Args:
        root: Folder of the store.

    Returns:
        One beat per stage, the youngest; none where the store is not there.
    """
    found: dict[str, tuple[float, Beat]] = {}
    for record, age in _records(root / RUNNING_FOLDER):
        beat = _beat(record, age)
        if beat is not None and (beat.key not in found or age < found[beat.key][0]):
            found[beat.key] = (age, beat)
    return sorted((beat for _, beat in found.values()), key=lambda beat: -beat.seconds)


def _beat(record: dict[str, Any], age: float) -> Beat | None:
    """Return what a file says, or None if it was written by another version that says other things."""
    names = {item.name for item in dataclasses.fields(Beat)} - {"age", "is_lost"}
    if not names <= record.keys():
        return None
    gone = record["host"] == platform.node() and not psutil.pid_exists(int(record["pid"]))
    is_lost = age > (_GONE_SECONDS if gone else LOST_SECONDS)
    seconds = record["seconds"] + (0.0 if is_lost else age)
    return Beat(**{**{name: record[name] for name in names}, "seconds": seconds, "age": age, "is_lost": is_lost})


def write_failure(root: Path, failure: Failure) -> None:
    """Keep what a stage failed with; nothing happens where the store cannot be written."""
    with contextlib.suppress(OSError):
        replace_json(_failure_file(root, failure.key), dataclasses.asdict(failure))


def clear_failure(root: Path, key: str) -> None:
    """Forget the failure of a stage that has succeeded."""
    with contextlib.suppress(OSError):
        _failure_file(root, key).unlink(missing_ok=True)


def read_failures(root: Path) -> list[Failure]:
    """Return what stages of a store failed with, the latest last."""
    names = {item.name for item in dataclasses.fields(Failure)}
    found = [
        Failure(**{name: record[name] for name in names})
        for record, _ in _records(root / FAILED_FOLDER)
        if names <= record.keys()
    ]
    return sorted(found, key=lambda failure: failure.when)


def _failure_file(root: Path, key: str) -> Path:
    return root / FAILED_FOLDER / f"{key[:KEY_DIGITS]}.json"


def _records(folder: Path) -> Iterator[tuple[dict[str, Any], float]]:
    """Yield the content of every file of a folder and its age in seconds; a file that vanishes meanwhile is left out.

    The time is asked of the open file, for which a network file system asks its server again.
    """
    now: float | None = None
    for path in sorted(folder.glob("*.json")):
        try:
            with path.open(encoding="utf-8") as file:
                modified = os.fstat(file.fileno()).st_mtime
                record = json.load(file)
        except (OSError, ValueError):
            continue
        now = _time_of(folder) if now is None else now
        if isinstance(record, dict):
            yield record, max(0.0, now - modified)


def _time_of(folder: Path) -> float:
    """Return the time by the clock that stamps a folder's files; by our own where we may not write there."""
    try:
        handle, name = tempfile.mkstemp(prefix=".clock-", dir=folder)
    except OSError:
        return time.time()
    try:
        return os.fstat(handle).st_mtime
    finally:
        os.close(handle)
        Path(name).unlink(missing_ok=True)
