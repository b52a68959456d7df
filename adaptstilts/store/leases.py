"""Leases: which process is making a stage and how far it is, in a folder or at an address that machines share.

A lease is a small file, or an object at an address, that is created only if there is none. It names the process that
holds it and its work. As long as that process works, a thread rewrites the lease again and again: the sign of life.

- A holder that was a process of this machine and has ended is dead at once.
- Any other holder is dead when it has given no sign of life for its lifetime.
- Whoever finds a dead holder's lease may take it over by creating a second object, named after that very lease: of
  several who try, one succeeds, and only that one replaces the lease.

A clock that jumps can make a living holder look dead, and a machine that sleeps cannot give signs of life. Then a stage
is made twice, and no harm is done: the store keeps the artefact that is put first and drops the other.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from adaptstilts.errors import StoreError
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

_held: set[tuple[int, str]] = set()
"""Process id and number of the leases that threads of this process hold; a forked child holds none of them."""
_seen: dict[tuple[str, str, float | None], float] = {}
"""When this process first saw a lease in its present state, on a clock that does not jump."""


class Text(NamedTuple):
    """Content of a lease's object, and when it was written by the clock of its place, if that has one."""

    text: str
    written: float | None


class Objects(Protocol):
    """Storage of small texts by name that several processes see."""

    place: str
    """Name of the place."""

    def create(self, name: str, text: str) -> bool:
        """Write a text unless the name is taken; return whether it was written."""
        ...

    def read(self, name: str) -> Text | None:
        """Return a text, or None if there is none."""
        ...

    def read_all(self) -> Mapping[str, Text]:
        """Return all texts by name."""
        ...

    def write(self, name: str, text: str) -> None:
        """Write a text, replacing any other."""
        ...

    def delete(self, name: str) -> None:
        """Remove a text, if there is one."""
        ...

    def now(self) -> float:
        """Return the time by the storage's clock, or by this machine's if it has none."""
        ...


class FolderObjects:
    """Texts in a folder of a file system; the folder is made with the first text.

    The clock is that of the machine that holds the file system, read off the time stamp of a newly written file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = str(folder)

    def create(self, name: str, text: str) -> bool:
        """See `Objects`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        try:
            file = path.open("x", encoding="utf-8")
        except FileExistsError:
            return False
        try:
            with file:
                file.write(text)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return True

    def read(self, name: str) -> Text | None:
        """See `Objects`; the time is that of the open file, which makes a network file system ask its server again."""
        try:
            with (self.folder / name).open(encoding="utf-8", errors="replace") as file:
                return Text(file.read(), os.fstat(file.fileno()).st_mtime)
        except FileNotFoundError:
            return None

    def read_all(self) -> Mapping[str, Text]:
        """See `Objects`."""
        names = sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []
        return {name: text for name in names if (text := self.read(name)) is not None}

    def write(self, name: str, text: str) -> None:
        """See `Objects`."""
        partial = self.folder / f"{name}.{os.getpid()}.{secrets.token_hex(4)}"
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(self.folder / name)
        except OSError:
            partial.unlink(missing_ok=True)
            raise

    def delete(self, name: str) -> None:
        """See `Objects`."""
        (self.folder / name).unlink(missing_ok=True)

    def now(self) -> float:
        """See `Objects`; this machine's clock if the folder cannot be written."""
        return self._ahead + time.time()

    @cached_property
    def _ahead(self) -> float:
        try:
            handle, name = tempfile.mkstemp(prefix=".clock-", dir=self.folder)
        except OSError:
            return 0.0
        try:
            return os.fstat(handle).st_mtime - time.time()
        finally:
            os.close(handle)
            Path(name).unlink(missing_ok=True)


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
            ``seconds`` since then, and the fields of `Progress`. Empty if it makes no stage.
    """

    number: str
    holder: Mark | None
    beat: float | None
    name: str
    work: Mapping[str, Any] = field(default_factory=dict)

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

    def acquire(self, name: str, work: Mapping[str, Any] | None = None) -> Lease | None:
        """Take a lease without waiting; None if another process or thread holds or is just taking it."""
        mine = Lease(secrets.token_hex(8), here(), time.time(), name, work or {})
        _held.add((os.getpid(), mine.number))
        is_mine = False
        try:
            is_mine = self._take(mine)
        finally:
            if not is_mine:
                _forget(mine)
        return mine if is_mine else None

    def refresh(self, lease: Lease, work: Mapping[str, Any]) -> None:
        """Give a sign of life, unless the lease has a new holder; a lease that was removed is written again."""
        now = replace(lease, beat=time.time(), work=work)
        found = self.read(lease.name)
        if found is None:
            self.objects.create(lease.name, now.text())
        elif found.number == lease.number:
            self.objects.write(lease.name, now.text())

    def release(self, lease: Lease) -> None:
        """Give a lease back, unless it has a new holder; one that cannot be removed expires."""
        try:
            with contextlib.suppress(OSError, StoreError):
                found = self.read(lease.name)
                if found is not None and found.number == lease.number:
                    self.objects.delete(lease.name)
        finally:
            _forget(lease)

    def holder(self, name: str) -> Mark | None:
        """Return the living process that holds a lease, or None."""
        lease = self.read(name)
        if lease is None or self.is_over(lease):
            return None
        return lease.holder or Mark("unknown", "", "", 0)

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
        if (os.getpid(), lease.number) in _held:
            return False
        alive = None if lease.holder is None else is_alive(lease.holder)
        if alive is not None:
            return not alive or lease.holder == here()
        age = self.age(lease)
        if age is None or age < -SLOP_SECONDS:  # a clock was moved: go by when this process first saw this state
            state = (f"{self.objects.place}/{lease.name}", lease.number, lease.beat)
            age = time.monotonic() - _seen.setdefault(state, time.monotonic())
        return age > self.lifetime + SLOP_SECONDS

    def age(self, lease: Lease) -> float | None:
        """Return the seconds since a lease's last sign of life; None if unknown."""
        return None if lease.beat is None else self.objects.now() - lease.beat

    def stale(self) -> list[str]:
        """Return the names of the leases of dead holders."""
        return [lease.name for lease in self.read_all() if self.is_over(lease)]

    def remove_stale(self, name: str) -> bool:
        """Remove a lease that `stale` has named if its holder is still dead; return whether it was removed."""
        lease = self.read(name)
        mine = self.acquire(name) if lease is not None and self.is_over(lease) else None
        if mine is not None:
            self.release(mine)
        return mine is not None

    def revoke(self, name: str) -> None:
        """Remove the lease of a holder that is known to have ended, unless it is seen to be alive."""
        lease = self.read(name)
        if lease is not None and (lease.holder is None or not is_alive(lease.holder)):
            self.objects.delete(name)

    def _take(self, mine: Lease) -> bool:
        if self.objects.create(mine.name, mine.text()):
            return self._is_there(mine)
        first = found = self.read(mine.name)
        if found is not None and found.number == mine.number:
            return True  # it was created, and the network lost the reply
        tried: list[str] = []
        while found is not None and self.is_over(found):
            takeover = f"{mine.name}.{found.number}"
            tried.append(takeover)
            if self.objects.create(takeover, mine.text()):
                return self._replace(first, mine, tried)
            found = self.read(takeover)
        return False

    def _replace(self, first: Lease | None, mine: Lease, takeovers: list[str]) -> bool:
        """Overwrite the lease found first, if it is still in place."""
        now = self.read(mine.name)
        if first is None or now is None or now.number != first.number:
            self.objects.delete(takeovers[-1])
            return False
        self.objects.write(mine.name, mine.text())
        for name in takeovers:
            self.objects.delete(name)
        return self._is_there(mine)

    def _is_there(self, mine: Lease) -> bool:
        """Return whether the lease is stored as written: without exclusive creation, the last writer wins."""
        found = self.read(mine.name)
        return found is not None and found.number == mine.number


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
            lease = leases.acquire(name, doing())
            if lease is None:
                stack.close()
                yield None
                return
            stack.callback(leases.release, lease)
            held.append((leases, lease))
        stack.enter_context(_kept_fresh(held, progress, doing))
        yield progress


@contextlib.contextmanager
def _kept_fresh(
    held: Sequence[tuple[Leases, Lease]], progress: Progress, doing: Callable[[], dict[str, Any]]
) -> Iterator[None]:
    """Renew leases from a thread while the block runs, more often while there is progress.

    The work never waits for the file system. Write errors are ignored: a sign of life must not end the work.
    """
    done = threading.Event()

    def renew() -> None:
        written = [(dataclasses.replace(progress), time.monotonic()) for _ in held]
        while not done.wait(min(leases.pause for leases, _ in held)):
            for number, (leases, lease) in enumerate(held):
                last, when = written[number]
                pause = leases.pause_without_steps if progress == last else leases.pause
                if time.monotonic() - when >= pause:
                    written[number] = (dataclasses.replace(progress), time.monotonic())
                    with contextlib.suppress(OSError, StoreError):
                        leases.refresh(lease, doing())

    thread = threading.Thread(target=renew, daemon=True, name="lease")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _parse(name: str, found: Text) -> Lease:
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        work = json.loads(found.text)
        number, holder, beat = (work.pop(item) for item in ("number", "holder", "beat"))
        written = float(beat) if found.written is None else found.written
        return Lease(str(number), Mark.parse(holder), written, name, work)
    return Lease(f"unread{len(found.text)}", None, found.written, name)


def _forget(lease: Lease) -> None:
    _held.discard((os.getpid(), lease.number))
