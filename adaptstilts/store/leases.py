"""Leases: claims as small objects, for places that have no hard links, such as object stores.

A lease is an object that is created only if it is not there. It names its holder and when the holder last gave a sign
of life. A lease whose holder is dead or silent is broken by creating a second object, named after that very lease: of
several who try, one succeeds, and only that one replaces the lease.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from adaptstilts.store.process import Mark, here, hold, is_alive, is_held, let_go

LIFETIME_SECONDS = 60.0
"""Silence after which a holder on another machine counts as dead; four signs of life are given in this time."""
SLOP_SECONDS = 10.0
"""What the clocks of two machines may differ by."""

_SEEN: dict[tuple[str, str], float] = {}
"""When this process first saw a lease or lock as it is, on a clock that does not jump."""


class Objects(Protocol):
    """Small texts by name, in a place that several processes see."""

    place: str
    """Name of the place."""

    def create(self, name: str, text: str) -> bool:
        """Write a text unless there is one; say whether it was written."""
        ...

    def read(self, name: str) -> str | None:
        """Return a text, or None if there is none."""
        ...

    def write(self, name: str, text: str) -> None:
        """Write a text over what is there."""
        ...

    def delete(self, name: str) -> None:
        """Remove a text, if there is one."""
        ...

    def names(self) -> Iterable[str]:
        """Return the names of all texts."""
        ...


class FolderObjects:
    """Texts in a folder of a file system.

    Args:
        folder: The folder; it exists.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = str(folder)

    def create(self, name: str, text: str) -> bool:
        """See `Objects`."""
        try:
            with (self.folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            return False
        return True

    def read(self, name: str) -> str | None:
        """See `Objects`."""
        try:
            return (self.folder / name).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None

    def write(self, name: str, text: str) -> None:
        """See `Objects`."""
        partial = self.folder / f"{name}.{os.getpid()}.{secrets.token_hex(4)}"
        partial.write_text(text, encoding="utf-8")
        partial.replace(self.folder / name)

    def delete(self, name: str) -> None:
        """See `Objects`."""
        (self.folder / name).unlink(missing_ok=True)

    def names(self) -> Iterable[str]:
        """See `Objects`."""
        return [path.name for path in self.folder.iterdir()] if self.folder.is_dir() else []


@dataclass(frozen=True)
class Lease:
    """What a lease object says.

    Attributes:
        number: Random name of this lease; a new one for every holder.
        holder: Process that holds it; None if the object cannot be read.
        beat: Last sign of life, seconds since 1970; None if the object cannot be read.
        name: Name of the object.
    """

    number: str
    holder: Mark | None
    beat: float | None
    name: str

    def text(self) -> str:
        """Return what to write."""
        holder = None if self.holder is None else self.holder.text
        return json.dumps({"number": self.number, "holder": holder, "beat": self.beat})


def silent(name: str, state: str, last: float | None, lifetime: float) -> bool:
    """Say whether a holder that cannot be seen from here has been silent for too long.

    Where its last sign of life lies in the future (a clock was moved) or cannot be read, this process goes by its own
    steady clock: it waits for the lifetime from when it first saw the thing as it is.

    Args:
        name: What is held, and where.
        state: All that changes with a sign of life.
        last: Last sign of life, seconds since 1970.
        lifetime: How long a holder may be silent, in seconds.

    Returns:
        Whether it counts as dead.
    """
    silence = None if last is None else time.time() - last
    if silence is not None and silence >= -SLOP_SECONDS:
        return silence > lifetime + SLOP_SECONDS
    return time.monotonic() - _SEEN.setdefault((name, state), time.monotonic()) > lifetime + SLOP_SECONDS


class Leases:
    """Leases in one place.

    Args:
        objects: The place.
        lifetime: Silence after which a holder on another machine counts as dead, in seconds.
    """

    def __init__(self, objects: Objects, lifetime: float = LIFETIME_SECONDS) -> None:
        self.objects = objects
        self.lifetime = lifetime

    def acquire(self, name: str) -> Lease | None:
        """Take a lease without waiting.

        Args:
            name: Name of its object.

        Returns:
            The lease, or None if another holds it or is just taking it.
        """
        if not hold(self._held(name)):
            return None
        lease = None
        try:
            lease = self._take(Lease(secrets.token_hex(8), here(), time.time(), name))
        finally:
            if lease is None:
                let_go(self._held(name))
        return lease

    def refresh(self, lease: Lease) -> None:
        """Give a sign of life, unless the lease is another's by now."""
        found = self.read(lease.name)
        if found is not None and found.number == lease.number:
            self.objects.write(lease.name, replace(lease, beat=time.time()).text())

    def release(self, lease: Lease) -> None:
        """Give a lease back, unless it is another's by now."""
        try:
            found = self.read(lease.name)
            if found is not None and found.number == lease.number:
                self.objects.delete(lease.name)
        finally:
            let_go(self._held(lease.name))

    def holder(self, name: str) -> Mark | None:
        """Return who holds a lease; None if nobody does, or a dead process."""
        lease = self.read(name)
        if lease is None or (not self._is_ours(lease) and self.is_over(lease)):
            return None
        return lease.holder or Mark("unknown", "", "", 0)

    def read(self, name: str) -> Lease | None:
        """Return a lease, or None if there is none."""
        text = self.objects.read(name)
        if text is None:
            return None
        with contextlib.suppress(ValueError, TypeError, KeyError):
            record = json.loads(text)
            return Lease(str(record["number"]), Mark.parse(record["holder"]), float(record["beat"]), name)
        return Lease(f"unread{len(text)}", None, None, name)

    def is_over(self, lease: Lease) -> bool:
        """Say whether a lease's holder is dead; a lease of this process counts as forgotten."""
        alive = None if lease.holder is None else is_alive(lease.holder)
        if alive is not None:
            return not alive or lease.holder == here()
        return silent(self._held(lease.name), f"{lease.number} {lease.beat}", lease.beat, self.lifetime)

    def _take(self, mine: Lease) -> Lease | None:
        if self.objects.create(mine.name, mine.text()):
            return self._confirmed(mine)
        first = found = self.read(mine.name)
        tried: list[str] = []
        while found is not None and self.is_over(found):
            takeover = f"{mine.name}.{found.number}"
            tried.append(takeover)
            if self.objects.create(takeover, mine.text()):
                return self._replace(first, mine, tried)
            found = self.read(takeover)
        return None

    def _replace(self, first: Lease | None, mine: Lease, takeovers: list[str]) -> Lease | None:
        """Put a lease in place of the one found first, if it is still that one."""
        now = self.read(mine.name)
        if first is None or now is None or now.number != first.number:
            self.objects.delete(takeovers[-1])
            return None
        self.objects.write(mine.name, mine.text())
        for name in takeovers:
            self.objects.delete(name)
        return self._confirmed(mine)

    def _confirmed(self, mine: Lease) -> Lease | None:
        """Return a lease that is there as written: where creating is not exclusive, the last writer has it."""
        found = self.read(mine.name)
        return mine if found is not None and found.number == mine.number else None

    def _is_ours(self, lease: Lease) -> bool:
        return lease.holder == here() and is_held(self._held(lease.name))

    def _held(self, name: str) -> str:
        return f"{self.objects.place}/{name}"
