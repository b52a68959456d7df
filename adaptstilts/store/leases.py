"""Leases: which process is making a stage and how far it is, in a folder or at an address that machines share.

A lease is a small file, or an object at an address, that is created only if there is none. It names the process that
holds it and its work. As long as that process works, a thread rewrites the lease again and again: the sign of life.

- A holder that was a process of this machine and has ended is dead at once.
- Any other holder is dead when it has given no sign of life for its lifetime.
- Whoever finds a dead holder's lease may take it over by creating a second object, named after that very lease: of
  several who try, one succeeds, and only that one replaces the lease. If it dies before it has, its own object is taken
  over in the same way.

A clock that jumps can make a living holder look dead, and a machine that sleeps cannot give signs of life. Then a stage
is made twice, and no harm is done: the store keeps the artefact that is put first and drops the other.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from adaptstilts.errors import StoreError
from adaptstilts.store.objects import Objects, Text
from adaptstilts.store.process import Mark, here, is_alive

LEASE_SUFFIX = ".lease"
LIFETIME_SECONDS = 60.0
"""Seconds of silence after which a holder on another machine counts as dead."""
SLOP_SECONDS = 10.0
"""Seconds added to the lifetime for clocks of two machines that differ, and for network file systems that lag."""
_STEP_SECONDS = 1.0
"""Least time between two signs of life in a folder while the stage makes steps."""
_BEAT_SECONDS = 5.0
"""Time between two signs of life in a folder while the stage makes none."""

_LONGEST_WAIT = 2.0
"""Seconds that the end of a stage waits for a sign of life that is being written."""

_held: dict[tuple[int, str], set[str]] = {}
"""Names of the objects that may have been written for a lease that this process holds or has still to remove.

By process id and number, since a forked child holds none of them.
"""
_given_back: dict[tuple[int, str], tuple[str, set[str]]] = {}
"""Place and names of those among them that have still to be removed."""
_seen: dict[str, tuple[tuple[str, float | None], float]] = {}
"""State of each object as this process last saw it, and since when, on a clock that does not jump."""


@dataclass
class Progress:
    """Progress of the holder of a lease: updated by its work, written by the thread that renews the lease.

    Attributes:
        done: Steps done; optimiser steps of a training run, languages of predictions.
        total: Steps in all; 0 until the work reports a number.
        note: Last note, such as the loss.
        first: Steps done at the attempt's first report; more than 0 after resuming from a checkpoint.
        before: Seconds before that report: reading data, loading the backbone.
        examples_per_second: Training speed; None if unknown.
        worker: Name that the engine gives the worker; may be empty.
    """

    done: int = 0
    total: int = 0
    note: str = ""
    first: int = 0
    before: float = 0.0
    examples_per_second: float | None = None
    worker: str = ""


@dataclass(frozen=True)
class Lease:
    """Content of a lease.

    Attributes:
        number: Random name of this lease; a new one for every holder.
        holder: Process that holds it; None if the object cannot be read.
        beat: Last sign of life, seconds since 1970 by the place's clock, or by the holder's if the place has none; None
            if unknown.
        name: Name of the object.
        work: What the holder is doing: ``key``, ``name`` and ``kind`` of the stage, ``started`` (UTC by its clock),
            ``seconds`` since then, the ``request`` it carries out, and the fields of `Progress`. Empty if it makes no
            stage.
    """

    number: str
    holder: Mark | None
    beat: float | None
    name: str
    work: Mapping[str, Any] = field(default_factory=dict)

    @property
    def takeover(self) -> str:
        """Name of the object that gives the right to replace this one; no two objects share it."""
        return f"{self.name}.{self.number}"

    def text(self) -> str:
        """Return the lease as JSON."""
        holder = None if self.holder is None else self.holder.text
        return json.dumps({"number": self.number, "holder": holder, "beat": self.beat, **self.work})


class Leases:
    """All leases in one place.

    Args:
        objects: Storage of the leases.
        lifetime: Seconds of silence after which a holder on another machine counts as dead.
        seldom: Whether writing is expensive: a sign of life is then given only four times per lifetime.
    """

    def __init__(self, objects: Objects, lifetime: float = LIFETIME_SECONDS, *, seldom: bool = False) -> None:
        self.objects = objects
        self.lifetime = lifetime
        self.pause_without_steps = min(lifetime if seldom else _BEAT_SECONDS, lifetime / 4)
        self.pause = self.pause_without_steps if seldom else min(_STEP_SECONDS, lifetime / 4)

    def acquire(self, name: str, work: Mapping[str, Any] | None = None, *, ended: str = "") -> Lease | None:
        """Take a lease without waiting; None if another process or thread holds or is just taking it.

        Args:
            ended: Number of a lease whose holder is known to have ended.
        """
        lease = new_lease(name, work)
        is_mine = False
        try:
            is_mine = self.take(lease, ended=ended)
        finally:
            if not is_mine:
                self.release(lease)
        return lease if is_mine else None

    def take(self, lease: Lease, *, ended: str = "") -> bool:
        """Take a new lease without waiting, as `acquire` does; the caller releases it in any case."""
        self._remove_given_back()
        _held[_key(lease)] = {lease.name}
        if self._create(lease.name, lease):
            return True
        chain, is_free = self._chain(lease.name, ended)
        if not chain or not is_free:
            return False
        right = chain[-1].takeover
        _held[_key(lease)].add(right)
        if not self._create(right, lease) or not all(self._is_there(link) for link in chain):
            return False
        self.objects.write(lease.name, lease.text())
        with contextlib.suppress(OSError, StoreError):
            for name in (*(link.name for link in chain[1:]), right):
                self.objects.delete(name)
        return self._is_there(lease)

    def refresh(self, lease: Lease, work: Mapping[str, Any]) -> None:
        """Give a sign of life, unless the lease has a new holder; a lease that was removed is written again."""
        self._remove_given_back()
        now = replace(lease, beat=time.time(), work=work)
        found = self.read(lease.name)
        if found is None:
            self.objects.create(lease.name, now.text())
        elif found.number == lease.number:
            self.objects.write(lease.name, now.text())

    def release(self, lease: Lease) -> None:
        """Give a lease back, unless it has a new holder.

        One that cannot be removed is over when this process ends, or takes or refreshes another one successfully.
        """
        key = _key(lease)
        names = _held.setdefault(key, set()) | {lease.name}
        _given_back[key] = self.objects.place, names
        self._remove_given_back()

    def holder(self, name: str) -> Mark | None:
        """Return the living process that holds a lease, or None."""
        chain, is_free = self._chain(name)
        return None if is_free else chain[-1].holder or Mark("unknown", "", "", 0)

    def read(self, name: str) -> Lease | None:
        """Return a lease, or None if there is none."""
        found = self.objects.read(name)
        return None if found is None else _parse(name, found)

    def read_all(self) -> list[Lease]:
        """Return all leases, and the partial or abandoned objects beside them."""
        return [_parse(name, found) for name, found in self.objects.read_all().items()]

    def is_over(self, lease: Lease) -> bool:
        """Return whether a lease's holder is dead; one rule for processes that take over and for those that only look.

        A lease of this process that no thread holds was forgotten, and is over.
        """
        if _key(lease) in _held:
            return False
        alive = None if lease.holder is None else is_alive(lease.holder)
        if alive is not None:
            return not alive or lease.holder == here()
        age, unchanged = self.age(lease), self._seconds_unchanged(lease)
        if age is None or age < -SLOP_SECONDS:  # a clock was moved
            age = unchanged
        return age > self.lifetime + SLOP_SECONDS

    def age(self, lease: Lease) -> float | None:
        """Return the seconds since a lease's last sign of life; None if unknown."""
        return None if lease.beat is None else self.objects.now() - lease.beat

    def stale(self) -> list[str]:
        """Return the names of the leases of dead holders."""
        return [lease.name for lease in self.read_all() if self.is_over(lease) and self.holder(lease.name) is None]

    def remove_stale(self, name: str) -> bool:
        """Remove a lease that `stale` has named if its holder is still dead; return whether it was removed."""
        lease = self.read(name)
        mine = self.acquire(name) if lease is not None and self.is_over(lease) else None
        if mine is not None:
            self.release(mine)
        return mine is not None

    def revoke(self, name: str, request: str) -> None:
        """Remove a lease if its holder, which is known to have ended, took it to carry out a request."""
        lease = self.read(name)
        if lease is None or lease.work.get("request") != request or (lease.holder and is_alive(lease.holder)):
            return
        mine = self.acquire(name, ended=lease.number)
        if mine is not None:
            self.release(mine)

    def _chain(self, name: str, ended: str = "") -> tuple[list[Lease], bool]:
        """Return a lease, the takeover objects behind it, each named after the one before, and whether all are over."""
        chain: list[Lease] = []
        found = self.read(name)
        while found is not None:
            chain.append(found)
            if found.number != ended and not self.is_over(found):
                return chain, False
            found = self.read(found.takeover)
        return chain, True

    def _create(self, name: str, lease: Lease) -> bool:
        """Create an object for a lease; return whether it is there, though the reply may have been lost."""
        self.objects.create(name, lease.text())
        return self._is_there(replace(lease, name=name))

    def _is_there(self, lease: Lease) -> bool:
        """Return whether an object is stored as written: without exclusive creation, the last writer wins."""
        found = self.read(lease.name)
        return found is not None and found.number == lease.number

    def _remove_given_back(self) -> None:
        """Remove what this process has written here for leases it has given back; what fails is tried again later."""
        for key, (place, names) in list(_given_back.items()):
            if (key[0], place) != (os.getpid(), self.objects.place) or _given_back.pop(key, None) is None:
                continue
            try:
                for name in tuple(names):
                    found = self.read(name)
                    if found is not None and found.number == key[1]:
                        self.objects.delete(name)
                    names.discard(name)
            except (OSError, StoreError):
                pass
            finally:
                if names:
                    _given_back[key] = place, names
                else:
                    _held.pop(key, None)

    def _seconds_unchanged(self, lease: Lease) -> float:
        """Return for how long this process has seen a lease in its present state."""
        place, state, now = f"{self.objects.place}/{lease.name}", (lease.number, lease.beat), time.monotonic()
        if place not in _seen or _seen[place][0] != state:
            _seen[place] = (state, now)
        return now - _seen[place][1]


def _key(lease: Lease) -> tuple[int, str]:
    return os.getpid(), lease.number


def new_lease(name: str, work: Mapping[str, Any] | None = None) -> Lease:
    """Return a lease for this process, which does not hold it yet."""
    return Lease(secrets.token_hex(8), here(), time.time(), name, work or {})


@contextlib.contextmanager
def hold(places: Sequence[Leases], name: str, work: Mapping[str, Any] | None = None) -> Iterator[Progress | None]:
    """Hold a lease in several places while the block runs, if it is free in all; never waits.

    Args:
        places: Where to take it, in this order.
        work: ``key``, ``name`` and ``kind`` of the stage to make; None for other work.

    Yields:
        The progress, for the block to update; None if another process or thread holds the lease.

    Raises:
        OSError: If a folder cannot be written.
        StoreError: If an address cannot be used.
    """
    progress = Progress()
    started = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    began = time.perf_counter()

    def doing() -> dict[str, Any]:
        seconds = round(time.perf_counter() - began, 3)
        state = {**dataclasses.asdict(progress), "started": started, "seconds": seconds}
        return {} if work is None else {**work, **state}

    with contextlib.ExitStack() as stack:
        held: list[tuple[Leases, Lease]] = []
        for leases in places:
            lease = new_lease(name, doing())
            stack.callback(leases.release, lease)
            if not leases.take(lease):
                stack.close()
                yield None
                return
            held.append((leases, lease))
        stack.enter_context(_kept_fresh(held, progress, doing))
        yield progress


@contextlib.contextmanager
def _kept_fresh(
    held: Sequence[tuple[Leases, Lease]], progress: Progress, doing: Callable[[], dict[str, Any]]
) -> Iterator[None]:
    """Renew leases from a thread while the block runs, more often while there is progress.

    The work never waits for the file system, and its end only so long. Errors are ignored: a sign of life must not end
    the work, nor may the signs end while the work goes on.
    """
    done = threading.Event()

    def renew() -> None:
        written = [(dataclasses.replace(progress), time.monotonic()) for _ in held]
        while not done.wait(min(leases.pause for leases, _ in held)):
            for number, (leases, lease) in enumerate(held):
                if _key(lease) not in _held:  # given back, though an interruption kept the block from saying so
                    return
                last, when = written[number]
                pause = leases.pause_without_steps if progress == last else leases.pause
                if time.monotonic() - when >= pause and not done.is_set():
                    written[number] = (dataclasses.replace(progress), time.monotonic())
                    with contextlib.suppress(Exception):
                        leases.refresh(lease, doing())
                    if done.is_set():  # maybe long ago, and the lease was given back while this was being written
                        leases.release(lease)

    thread = threading.Thread(target=renew, daemon=True, name="lease")
    try:
        thread.start()
        yield
    finally:
        done.set()
        if thread.is_alive():
            thread.join(_LONGEST_WAIT)


def _parse(name: str, found: Text) -> Lease:
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        work = json.loads(found.text)
        number, holder, beat = (work.pop(item) for item in ("number", "holder", "beat"))
        written = float(beat) if found.written is None else found.written
        return Lease(str(number), Mark.parse(holder), written, name, work)
    return Lease(f"unread{len(found.text)}", None, found.written, name)
