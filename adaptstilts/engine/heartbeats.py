"""What a store says of the work on its stages: signs of life, which are the leases of those at work, and failures.

Nothing but the store is used, so that workers on other hosts, of whatever engine, are seen from anywhere.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from adaptstilts.store.json_files import replace_json
from adaptstilts.store.leases import LEASE_SUFFIX, Lease, Leases
from adaptstilts.store.manifest import KEY_DIGITS
from adaptstilts.store.store import Store

FAILED_FOLDER = ".failed"


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
        is_lost: Whether the worker counts as dead, so that its stage may be taken over.
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


def read_beats(store: Store) -> list[Beat]:
    """Return the last signs of life in a store, those of lost workers included, the longest running stage first.

    Returns:
        One beat per stage: of several, one of a worker that is not lost, the youngest; none where the store is not
        there.
    """
    found: dict[str, Beat] = {}
    for leases in store.leases():
        with contextlib.suppress(OSError):
            for lease in leases.read_all():
                beat = _beat(lease, leases)
                if beat is not None and (beat.key not in found or _order(beat) < _order(found[beat.key])):
                    found[beat.key] = beat
    return sorted(found.values(), key=lambda beat: -beat.seconds)


def _order(beat: Beat) -> tuple[bool, float]:
    return beat.is_lost, beat.age


def _beat(lease: Lease, leases: Leases) -> Beat | None:
    """Return what a lease says of a stage; None if it is no stage's, or of another version that says other things."""
    names = {item.name for item in dataclasses.fields(Beat)} - {"host", "pid", "age", "is_lost"}
    if lease.holder is None or not lease.name.endswith(LEASE_SUFFIX) or not names <= lease.work.keys():
        return None
    age, is_lost = max(0.0, leases.age(lease) or 0.0), leases.is_over(lease)
    said = {name: lease.work[name] for name in names}
    said["seconds"] += 0.0 if is_lost else age
    return Beat(**said, host=lease.holder.host, pid=lease.holder.process, age=age, is_lost=is_lost)


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
    found = []
    for path in (root / FAILED_FOLDER).glob("*.json"):
        with contextlib.suppress(OSError, ValueError):  # it has succeeded meanwhile
            record = json.loads(path.read_bytes())
            if isinstance(record, dict) and names <= record.keys():
                found.append(Failure(**{name: record[name] for name in names}))
    return sorted(found, key=lambda failure: (failure.when, failure.key))


def _failure_file(root: Path, key: str) -> Path:
    return root / FAILED_FOLDER / f"{key[:KEY_DIGITS]}.json"
