"""Leases: which process is making a stage, and how far it is, in a place that several machines may share.

A lease is a small file, or an object at an address, that is created only if it is not there. It names the process that
holds it and what that process is doing; while it does, a thread writes it again and again, which is the sign of life.

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
"""Silence after which a holder that cannot be seen from here counts as dead."""
SLOP_SECONDS = 10.0
"""Added to the lifetime: what the clocks of two machines may differ by, or a network file system may lag behind."""
_STEP_SECONDS = 1.0
"""Least time between two signs of life in a folder while the stage makes steps."""
_BEAT_SECONDS = 5.0
"""Time between two signs of life in a folder while the stage makes none."""

_held: set[tuple[int, str]] = set()
"""Process id and number of the leases that threads of this process hold; a forked child holds none of them."""
_seen: dict[tuple[str, str, float | None], float] = {}
"""When this process first saw a lease as it is, on a clock that does not jump."""


class Text(NamedTuple):
    """The content of a lease's object, and when it was written by the clock of its place; None where it has none."""

    text: str
    written: float | None


class Objects(Protocol):
    """Small texts by name, in a place that several processes see."""

    place: str
    """Name of the place."""

    def create(self, name: str, text: str) -> bool:
        """Write a text unless there is one; say whether it was written."""
        ...

    def read(self, name: str) -> Text | None:
        """Return a text, or None if there is none."""
        ...

    def read_all(self) -> Mapping[str, Text]:
        """Return all texts by name."""
        ...

    def write(self, name: str, text: str) -> None:
        """Write a text over what is there."""
        ...

    def delete(self, name: str) -> None:
        """Remove a text, if there is one."""
        ...

    def now(self) -> float:
        """Return the time by the place's clock, or by this machine's where the place has none."""
        ...


class FolderObjects:
    """Texts in a folder of a file system; made when the first text is.

    Its clock is that of the machine that holds the file system: it stamps a file that is written to ask for the time.
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
        """See `Objects`; the time is that of the open file, for which a network file system asks its server again."""
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
        """See `Objects`; this machine's clock where the folder cannot be written."""
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
    """How far the holder of a lease is: its work changes it, the thread that keeps the lease writes it down.

    Attributes:
        done: Steps done; optimiser steps of a training run, languages of predictions.
        total: Steps in all; 0 until the work tells.
        note: Last note, such as the loss.
        first: Steps done when the attempt first told of one; many where it goes on from a checkpoint.
        before: Seconds until then: reading data, loading the backbone.
        examples_per_second: Speed of a training run; None where it is not known.
        worker: What the engine calls the worker; empty where it has no name.
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
    """What a lease says.

    Attributes:
        number: Random name of this lease; a new one for every holder.
        holder: Process that holds it; None if the object cannot be read.
        beat: Last sign of life, seconds since 1970 by the place's clock, or by the holder's where the place has none;
            None where it is not known.
        name: Name of the object.
        work: What the holder is doing: ``key``, ``name`` and ``kind`` of the stage that it makes, ``started`` (UTC by
            its clock), ``seconds`` since then, and the fields of `Progress`. Empty where it makes no stage.
    """

    number: str
    holder: Mark | None
    beat: float | None
    name: str
    work: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """Return what to write."""
        holder = None if self.holder is None else self.holder.text
        return json.dumps({"number": self.number, "holder": holder, "beat": self.beat, **self.work})


class Leases:
    """Leases in one place.

    Args:
        objects: The place.
        lifetime: Silence after which a holder that cannot be seen from here counts as dead, in seconds.
        seldom: Whether writing costs so much that a sign of life is given four times in a lifetime only.
    """

    def __init__(self, objects: Objects, lifetime: float = LIFETIME_SECONDS, *, seldom: bool = False) -> None:
        self.objects = objects
        self.lifetime = lifetime
        self.pause_without_steps = min(lifetime if seldom else _BEAT_SECONDS, lifetime / 4)
        self.pause = self.pause_without_steps if seldom else min(_STEP_SECONDS, lifetime / 4)

    def acquire(self, name: str, work: Mapping[str, Any] | None = None) -> Lease | None:
        """Take a lease without waiting.

        Args:
            name: Name of its object.
            work: See `Lease`.

        Returns:
            The lease, or None if another process or thread holds it or is just taking it.
        """
        mine = Lease(secrets.token_hex(8), here(), time.time(), name, work or {})
        _held.add((os.getpid(), mine.number))
        is_mine = False
        try:
            is_mine = self._take(mine)
        finally:
            if not is_mine:
                _let_go(mine)
        return mine if is_mine else None

    def refresh(self, lease: Lease, work: Mapping[str, Any]) -> None:
        """Give a sign of life, unless the lease is another's by now; one that was removed is put back."""
        now = replace(lease, beat=time.time(), work=work)
        found = self.read(lease.name)
        if found is None:
            self.objects.create(lease.name, now.text())
        elif found.number == lease.number:
            self.objects.write(lease.name, now.text())

    def release(self, lease: Lease) -> None:
        """Give a lease back, unless it is another's by now; one that cannot be removed ends with its lifetime."""
        try:
            with contextlib.suppress(OSError, StoreError):
                found = self.read(lease.name)
                if found is not None and found.number == lease.number:
                    self.objects.delete(lease.name)
        finally:
            _let_go(lease)

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
        """Return all leases of stages, and what is being written or was left beside them."""
        return [_parse(name, found) for name, found in self.objects.read_all().items()]

    def is_over(self, lease: Lease) -> bool:
        """Say whether a lease's holder is dead: the rule for those who would take it over and for those who look on.

        A lease of this process that no thread holds is a forgotten one, and over.
        """
        if (os.getpid(), lease.number) in _held:
            return False
        alive = None if lease.holder is None else is_alive(lease.holder)
        if alive is not None:
            return not alive or lease.holder == here()
        age = self.age(lease)
        if age is None or age < -SLOP_SECONDS:  # a clock was moved: go by when this process first saw it as it is
            state = (f"{self.objects.place}/{lease.name}", lease.number, lease.beat)
            age = time.monotonic() - _seen.setdefault(state, time.monotonic())
        return age > self.lifetime + SLOP_SECONDS

    def age(self, lease: Lease) -> float | None:
        """Return the seconds since a lease's last sign of life; None where that is not known."""
        return None if lease.beat is None else self.objects.now() - lease.beat

    def stale(self) -> list[str]:
        """Return the names of what dead holders left."""
        return [lease.name for lease in self.read_all() if self.is_over(lease)]

    def remove_stale(self, name: str) -> bool:
        """Remove what `stale` has found, if its holder still is dead; say whether it was removed."""
        lease = self.read(name)
        mine = self.acquire(name) if lease is not None and self.is_over(lease) else None
        if mine is not None:
            self.release(mine)
        return mine is not None

    def revoke(self, name: str) -> None:
        """Remove the lease of a holder that is known to have ended, unless it is seen to live."""
        lease = self.read(name)
        if lease is not None and (lease.holder is None or not is_alive(lease.holder)):
            self.objects.delete(name)

    def _take(self, mine: Lease) -> bool:
        if self.objects.create(mine.name, mine.text()):
            return self._is_there(mine)
        first = found = self.read(mine.name)
        if found is not None and found.number == mine.number:
            return True  # it was created, and the answer that said so was lost on the network
        tried: list[str] = []
        while found is not None and self.is_over(found):
            takeover = f"{mine.name}.{found.number}"
            tried.append(takeover)
            if self.objects.create(takeover, mine.text()):
                return self._replace(first, mine, tried)
            found = self.read(takeover)
        return False

    def _replace(self, first: Lease | None, mine: Lease, takeovers: list[str]) -> bool:
        """Put a lease in place of the one found first, if it is still that one."""
        now = self.read(mine.name)
        if first is None or now is None or now.number != first.number:
            self.objects.delete(takeovers[-1])
            return False
        self.objects.write(mine.name, mine.text())
        for name in takeovers:
            self.objects.delete(name)
        return self._is_there(mine)

    def _is_there(self, mine: Lease) -> bool:
        """Say whether a lease is there as written: where creating is not exclusive, the last writer has it."""
        found = self.read(mine.name)
        return found is not None and found.number == mine.number


@contextlib.contextmanager
def hold(places: Sequence[Leases], name: str, work: Mapping[str, Any] | None = None) -> Iterator[Progress | None]:
    """Hold a lease in each of some places while the block runs, if it is free in all; never waits.

    Args:
        places: Where to take it, in this order.
        name: Name of its object.
        work: ``key``, ``name`` and ``kind`` of the stage that is made; None where none is.

    Yields:
        What the block tells how far it is, or None if another process, or thread, has the lease.

    Raises:
        OSError: If a folder cannot be written.
        StoreError: If an address cannot be used.
    """
    progress = Progress()
    started = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    began = time.perf_counter()

    def doing() -> dict[str, Any]:
        seconds = round(time.perf_counter() - began, 3)
        told = {**dataclasses.asdict(progress), "started": started, "seconds": seconds}
        return {} if work is None else {**work, **told}

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
    """Give signs of life from a thread while the block runs: sooner where there is progress.

    The work never waits for the file system. What cannot be written is left out: a sign of life must not end the work.
    """
    done = threading.Event()

    def go_on() -> None:
        said = [(dataclasses.replace(progress), time.monotonic()) for _ in held]
        while not done.wait(min(leases.pause for leases, _ in held)):
            for number, (leases, lease) in enumerate(held):
                last, when = said[number]
                pause = leases.pause_without_steps if progress == last else leases.pause
                if time.monotonic() - when >= pause:
                    said[number] = (dataclasses.replace(progress), time.monotonic())
                    with contextlib.suppress(OSError, StoreError):
                        leases.refresh(lease, doing())

    thread = threading.Thread(target=go_on, daemon=True, name="lease")
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


def _let_go(lease: Lease) -> None:
    _held.discard((os.getpid(), lease.number))
