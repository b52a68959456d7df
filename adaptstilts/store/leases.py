"""Leases: which process is making a stage and how far it is, in a folder or at an address that machines share.

A lease is a small file, or an object at an address, that is created only if there is none. It names the process that
holds it and its work. As long as that process works, a thread rewrites the lease again and again: the heartbeat.

- A holder that was a process of this machine and has ended is dead at once.
- Any other holder is dead when it has sent no heartbeat for its lifetime.
- Whoever finds a dead holder's lease may take it over by creating a second object, named after that very lease: of
  several who try, one succeeds, and only that one replaces the lease. If it dies before it has, its own object is taken
  over in the same way.

A clock that jumps can make a living holder look dead, and a machine that sleeps cannot send heartbeats. When such a
holder wakes up, two processes work on one stage. That does no harm, and does not last:

- The one who was taken over learns it when it next sends a heartbeat, or at the latest when it has finished: the
  store asks `Leases.keeps` just before it writes the manifest, and gives the work up (`TakenOverError`).
- Whoever sleeps between reading a lease and writing or removing it writes over, or removes, the lease of its successor.
  No file system can write a file only if nobody else has. The successor therefore knows whose leases it has taken over,
  and puts its own back at its next heartbeat.
- In a folder, whoever takes over a lease first takes away the folder that the former holder was writing
  (`on_takeover`), so that it cannot finish even if it sleeps after that last question.
- At an address it can, if it sleeps between that question and the request that creates the manifest. The manifest that
  is created first then counts, and the other artefact is dropped.
- Either way one process finishes an artefact; another one that holds a claim on it gives up.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from adaptstilts.errors import StoreError
from adaptstilts.json_text import parse_json
from adaptstilts.store.objects import Objects, Text
from adaptstilts.store.process import Mark, here, is_alive

LEASE_SUFFIX = ".lease"
LIFETIME_SECONDS = 60.0
"""Seconds of silence after which a holder on another machine counts as dead."""
SLOP_SECONDS = 10.0
"""Seconds added to the lifetime for clocks of two machines that differ, and for network file systems that lag."""
_STEP_SECONDS = 1.0
"""Least time between two heartbeats in a folder while the stage makes steps."""
_BEAT_SECONDS = 5.0
"""Time between two heartbeats in a folder while the stage makes none."""


_NUMBER = re.compile(r"[^/\\\x00-\x1f]{1,64}")
_FIRST_REMOVAL_PAUSE = 1.0
_LONGEST_REMOVAL_PAUSE = 60.0
"""Seconds between two attempts to remove a lease that could not be removed when it was given back."""

_held: dict[tuple[int, str], _Written] = {}
"""Leases that this process asks for, holds or has still to remove.

By process id and number, since a forked child holds none of them.
"""
_removing: set[tuple[int, str]] = set()
"""Process ids and places with a thread that removes what could not be removed at once."""
_seen: dict[str, tuple[tuple[str, float | None], float]] = {}
"""State of each object as this process last saw it, and since when, on a clock that does not jump."""


@dataclass(frozen=True)
class Lease:
    """Content of a lease.

    Attributes:
        number: Random name of this lease; a new one for every holder.
        holder: Process that holds it; None if the object cannot be read.
        beat: Last heartbeat, seconds since 1970 by the place's clock, or by the holder's if the place has none; None
            if unknown.
        name: Name of the object.
        work: What the holder is doing: ``key``, ``name`` and ``kind`` of the stage, ``started`` (UTC by its clock),
            ``seconds`` since then, the ``request`` it carries out, and the fields of `Progress`. Empty if it makes no
            stage.
        problem: Why the object cannot be read, with its name; empty if it can. Nothing else is then known of it.
    """

    number: str
    holder: Mark | None
    beat: float | None
    name: str
    work: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def takeover(self) -> str:
        """Name of the object that gives the right to replace this one; no two objects share it."""
        return f"{self.name}.{self.number}"

    def text(self) -> str:
        """Return the lease as JSON."""
        holder = None if self.holder is None else self.holder.text
        return json.dumps({"number": self.number, "holder": holder, "beat": self.beat, **self.work})


@dataclass
class _Written:
    """What this process may have written for a lease.

    Attributes:
        place: Where.
        numbers: Number that each object to remove in the end bears, by the object's name.
        taken_over: Numbers of the leases that it has replaced.
        removal: Held by the thread that is removing the objects.
    """

    lease: Lease
    place: str
    numbers: dict[str, str]
    taken_over: set[str] = field(default_factory=set)
    state: Literal["asked for", "held", "given back"] = "asked for"
    removal: threading.Lock = field(default_factory=threading.Lock)


class Leases:
    """All leases in one place.

    Args:
        objects: Storage of the leases.
        lifetime: Seconds of silence after which a holder on another machine counts as dead.
        seldom: Whether writing is expensive: a heartbeat is then sent only four times per lifetime.
        on_takeover: Called with the lease of each former holder before it is replaced.
    """

    def __init__(
        self,
        objects: Objects,
        lifetime: float = LIFETIME_SECONDS,
        *,
        seldom: bool = False,
        on_takeover: Callable[[Lease], None] | None = None,
    ) -> None:
        self.objects = objects
        self.lifetime = lifetime
        self.on_takeover = on_takeover
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
        written = self._written(lease)
        if self._create(lease.name, lease) or self._take_over(lease, written, ended):
            written.state = "held"
            return True
        return False

    def _take_over(self, lease: Lease, written: _Written, ended: str) -> bool:
        chain, is_free = self.chain(lease.name, ended=ended)
        if not chain or not is_free:
            return False
        right = replace(lease, name=chain[-1].takeover)
        written.numbers[right.name] = right.number
        if not self._create(right.name, lease) or not all(self._is_there(link) for link in chain):
            return False
        written.taken_over |= {link.number for link in chain}
        if self.on_takeover is not None:  # before this process can die as the new holder
            for link in chain:
                self.on_takeover(link)
        self.objects.write(lease.name, lease.text())
        if not self._is_there(right):  # this process slept before it wrote, and another one has the lease by now
            return False
        written.numbers |= {link.name: link.number for link in chain[1:]}
        with contextlib.suppress(OSError, StoreError):
            for name in written.numbers.keys() - {lease.name}:
                self._delete(name, written)
        return self._is_there(lease)

    def refresh(self, lease: Lease, work: Mapping[str, Any]) -> bool:
        """Send a heartbeat, unless the lease has a new holder; return whether it has none.

        A lease that was removed, or written over by a holder whom this one has replaced, is written again.
        """
        self._remove_given_back()
        return self._refresh(lease, self.read(lease.name), work)

    def keeps(self, name: str) -> bool:
        """Send a heartbeat if this process holds a lease; return whether no other process has taken it over."""
        mine = self.mine(name)
        if mine is None:
            return True
        found = self.read(name)
        return self._refresh(mine, found, found.work if found is not None else mine.work)

    def _refresh(self, lease: Lease, found: Lease | None, work: Mapping[str, Any]) -> bool:
        now = replace(lease, beat=time.time(), work=work)
        if found is None:
            return self._create(lease.name, now)
        if found.holder is None:  # half written, maybe by another thread of this process
            return True
        written = _held.get(_key(lease))
        is_mine = found.number in {lease.number, *(written.taken_over if written is not None else ())}
        if is_mine:
            self.objects.write(lease.name, now.text())
        return is_mine

    def mine(self, name: str) -> Lease | None:
        """Return the lease that this process has taken and not given back, as it was when it was taken, or None."""
        for key, written in list(_held.items()):
            state = (key[0], written.place, written.lease.name, written.state)
            if state == (os.getpid(), self.objects.place, name, "held"):
                return written.lease
        return None

    def _written(self, lease: Lease) -> _Written:
        new = _Written(lease, self.objects.place, {lease.name: lease.number})
        return _held.setdefault(_key(lease), new)

    def release(self, lease: Lease) -> None:
        """Give a lease back, unless it has a new holder.

        One that cannot be removed now is removed by a thread as soon as that is possible, or when this process takes or
        refreshes another one; at the latest it is over when this process ends.
        """
        self._written(lease).state = "given back"
        self._remove_given_back()
        if _key(lease) in _held:
            self._remove_later()

    def holder(self, name: str) -> Mark | None:
        """Return the living process that holds a lease, or None."""
        chain, is_free = self.chain(name)
        return None if is_free else chain[-1].holder or Mark("unknown", "", "", 0)

    def read(self, name: str) -> Lease | None:
        """Return a lease, or None if there is none."""
        found = self.objects.read(name)
        return None if found is None else _parse(name, found)

    def read_all(self) -> list[Lease]:
        """Return all leases, and the partial or abandoned objects beside them."""
        return [
            Lease("", None, None, name, problem=str(found)) if isinstance(found, StoreError) else _parse(name, found)
            for name, found in self.objects.read_all().items()
        ]

    def is_over(self, lease: Lease) -> bool:
        """Return whether a lease's holder is dead; one rule for processes that take over and for those that only look.

        A lease of this process that no thread holds was given back or forgotten, and is over.
        """
        mine = _held.get(_key(lease))
        if mine is not None or lease.problem:
            return mine is not None and mine.state == "given back"
        alive = None if lease.holder is None else is_alive(lease.holder)
        if alive is not None:
            return not alive or lease.holder == here()
        age, unchanged = self.age(lease), self._seconds_unchanged(lease)
        if age is None or age < -SLOP_SECONDS:  # a clock was moved
            age = unchanged
        return age > self.lifetime + SLOP_SECONDS

    def age(self, lease: Lease) -> float | None:
        """Return the seconds since a lease's last heartbeat; None if unknown."""
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

    def chain(
        self, name: str, *, ended: str = "", read: Callable[[str], Lease | None] | None = None
    ) -> tuple[list[Lease], bool]:
        """Return a lease, the takeover objects behind it, each named after the one before, and whether all are over.

        Args:
            ended: Number of a lease whose holder is known to have ended.
            read: Returns an object by name; None to read it now.

        Returns:
            The objects up to the first one whose holder lives, or all if none does; empty if there is no lease. Then
            whether none lives, so that the lease is free.
        """
        read = read or self.read
        chain: list[Lease] = []
        found = read(name)
        while found is not None:
            chain.append(found)
            if found.number != ended and not self.is_over(found):
                return chain, False
            found = read(found.takeover)
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
        for key, written in self._given_back():
            if not written.removal.acquire(blocking=False):
                continue
            try:
                for name in tuple(written.numbers):
                    self._delete(name, written)
                _held.pop(key, None)
            except (OSError, StoreError):
                pass
            finally:
                written.removal.release()

    def _given_back(self) -> list[tuple[tuple[int, str], _Written]]:
        state = os.getpid(), self.objects.place, "given back"
        return [item for item in [*_held.items()] if (item[0][0], item[1].place, item[1].state) == state]

    def _delete(self, name: str, written: _Written) -> None:
        """Remove an object unless it is another's by now."""
        number = written.numbers.get(name)
        if number is not None and self._is_there(Lease(number, None, None, name)):
            self.objects.delete(name)
        written.numbers.pop(name, None)

    def _remove_later(self) -> None:
        """Remove what could not be removed now from a thread, which tries less and less often."""
        mine = os.getpid(), self.objects.place

        def remove() -> None:
            pause = _FIRST_REMOVAL_PAUSE
            while self._given_back():
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_REMOVAL_PAUSE)
                self._remove_given_back()
            _removing.discard(mine)
            if self._given_back():  # since the last look
                self._remove_later()

        if mine not in _removing:
            _removing.add(mine)
            with contextlib.suppress(RuntimeError):  # the interpreter is ending, and so does the lease
                threading.Thread(target=remove, daemon=True, name="lease-removal").start()

    def _seconds_unchanged(self, lease: Lease) -> float:
        """Return for how long this process has seen a lease in its present state."""
        place, state, now = f"{self.objects.place}/{lease.name}", (lease.number, lease.beat), time.monotonic()
        if place not in _seen or _seen[place][0] != state:
            _seen[place] = (state, now)
        return now - _seen[place][1]


def _key(lease: Lease) -> tuple[int, str]:
    return os.getpid(), lease.number


def is_held_here(lease: Lease) -> bool:
    """Return whether this process holds or asks for a lease, and has not given it back."""
    written = _held.get(_key(lease))
    return written is not None and written.state != "given back"


def new_lease(name: str, work: Mapping[str, Any] | None = None) -> Lease:
    """Return a lease for this process, which does not hold it yet."""
    return Lease(secrets.token_hex(8), here(), time.time(), name, work or {})


def _parse(name: str, found: Text) -> Lease:
    """Return the lease in a text; one without a holder if it is half written, or written by nobody who knows how."""
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError, OverflowError):
        work = parse_json(found.text)
        number, holder, beat = (work.pop(item) for item in ("number", "holder", "beat"))
        written = float(beat) if found.written is None else found.written
        if _NUMBER.fullmatch(number) is not None:  # it becomes part of a name
            return Lease(number, Mark.parse(holder), written, name, work)
    return Lease(f"unread{len(found.text)}", None, found.written, name)
