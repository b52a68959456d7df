"""Heartbeats and failures of the stages in a store.

Heartbeats are the leases of running workers. Only the store is read, so workers on other hosts and of any engine
are visible from everywhere.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptstilts.errors import StoreError
from adaptstilts.files import read_bytes
from adaptstilts.json_text import parse_json
from adaptstilts.store.json_files import replace_json
from adaptstilts.store.leases import LEASE_SUFFIX, Lease, Leases
from adaptstilts.store.manifest import KEY_DIGITS
from adaptstilts.store.store import Store

FAILED_FOLDER = ".failed"
_MOST_BYTES = 1 << 20
"""Longest record of a failure that is read."""


@dataclass(frozen=True)
class Beat:
    """Last heartbeat of the worker on a stage.

    Attributes:
        pid: Process id on that host.
        worker: Name that the engine gives the worker; may be empty.
        started: Start of the attempt, UTC by the clock of the worker's host.
        seconds: Wall time of the attempt so far.
        done: Steps done; optimiser steps of a training run, languages of predictions.
        total: Steps in all; 0 until the stage reports a number.
        note: Last note, such as the loss.
        first: Steps done at the attempt's first report; more than 0 after resuming from a checkpoint.
        before: Seconds before that report: reading data, loading the backbone.
        examples_per_second: Training speed; None if unknown.
        age: Seconds since the heartbeat.
        is_lost: Whether the worker counts as dead, so that the stage may be taken over.
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
        """Wall time of the remaining steps, at this attempt's speed so far; None if unknown."""
        made = self.done - self.first
        return (self.seconds - self.before) / made * (self.total - self.done) if made > 0 and self.total else None


@dataclass(frozen=True)
class Failure:
    """Error of a stage's last attempt, kept until the stage succeeds.

    Attributes:
        error: Message.
        type: Class of the error.
        worker: Name that the engine gives the worker; may be empty.
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


def read_beats(store: Store, on_unreadable: Callable[[str], object] | None = None) -> list[Beat]:
    """Return the last heartbeat of every stage in progress, lost workers included, the longest running first.

    Where several workers left one on a stage, a living worker's wins over a lost one's, then the youngest. While a lost
    worker's stage is being taken over, the heartbeat is that of the process that takes it over.

    Args:
        on_unreadable: Receives the reason why a lease cannot be read, which names it; its stage is then left out.
    """
    found: dict[str, Beat] = {}
    for leases in store.leases():
        with contextlib.suppress(OSError):
            there = {lease.name: lease for lease in leases.read_all()}
            for lease in there.values():
                if lease.problem and on_unreadable is not None:
                    on_unreadable(lease.problem)
                beat = _beat(lease, there, leases) if lease.name.endswith(LEASE_SUFFIX) else None
                if beat is not None and (beat.key not in found or _sort_key(beat) < _sort_key(found[beat.key])):
                    found[beat.key] = beat
    return sorted(found.values(), key=lambda beat: -beat.seconds)


def _sort_key(beat: Beat) -> tuple[bool, float]:
    return beat.is_lost, beat.age


def _beat(lease: Lease, there: Mapping[str, Lease], leases: Leases) -> Beat | None:
    """Return the heartbeat of a lease, or of the one that is about to replace it."""
    chain, is_over = leases.chain(lease.name, read=there.get)
    newest = None if is_over else _beat_of(chain[-1], leases, is_lost=False)
    return newest or _beat_of(lease, leases, is_lost=is_over or len(chain) > 1)


def _beat_of(lease: Lease, leases: Leases, *, is_lost: bool) -> Beat | None:
    """Return a lease's heartbeat; None if it belongs to no stage or was written by an incompatible version."""
    fields = known_fields(Beat, lease.work, without=("host", "pid", "age", "is_lost"))
    if lease.holder is None or fields is None:
        return None
    age = max(0.0, leases.age(lease) or 0.0)
    fields["seconds"] += 0.0 if is_lost else age
    return Beat(**fields, host=lease.holder.host, pid=lease.holder.process, age=age, is_lost=is_lost)


def write_failure(root: Path, failure: Failure) -> None:
    """Record the failure of a stage; a store that cannot be written is ignored."""
    with contextlib.suppress(OSError):
        replace_json(_failure_file(root, failure.key), dataclasses.asdict(failure))


def clear_failure(root: Path, key: str) -> None:
    """Remove the recorded failure of a stage that has succeeded."""
    with contextlib.suppress(OSError):
        _failure_file(root, key).unlink(missing_ok=True)


def read_failures(root: Path) -> list[Failure]:
    """Return the recorded failures of a store, the latest last."""
    found = []
    for path in (root / FAILED_FOLDER).glob("*.json"):
        with contextlib.suppress(OSError, ValueError, StoreError):  # the stage has succeeded meanwhile
            record = parse_json(read_bytes(path, _MOST_BYTES, StoreError))
            fields = known_fields(Failure, record)
            if fields is not None:
                found.append(Failure(**fields))
    return sorted(found, key=lambda failure: (failure.when, failure.key))


def known_fields(kind: type, record: object, *, without: Collection[str] = ()) -> dict[str, Any] | None:
    """Return the fields of a dataclass of texts and numbers from plain values; None if one is missing or no such thing.

    Args:
        without: Fields that the values need not have.
    """
    fields = [item for item in dataclasses.fields(kind) if item.name not in without]
    if not isinstance(record, Mapping) or not all(
        item.name in record and _is_of(str(item.type), record[item.name]) for item in fields
    ):
        return None
    return {item.name: record[item.name] for item in fields}


def _is_of(kind: str, value: object) -> bool:
    if isinstance(value, bool):
        return kind == "bool"
    if isinstance(value, int | float):
        return kind.startswith("float") or (kind == "int" and isinstance(value, int))
    return isinstance(value, str) if kind == "str" else value is None and kind.endswith("None")


def _failure_file(root: Path, key: str) -> Path:
    return root / FAILED_FOLDER / f"{key[:KEY_DIGITS]}.json"
