"""Identity of processes across machines, and whether they are still alive.

Files that several machines write side by side (locks, unfinished folders) carry the mark of their process. A process id
alone says little: ids are reused, containers count from one, and machines share names. A mark therefore also holds when
the process started, and the boot and process namespace in which the id counts.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

SEPARATOR = "~"
"""Separates the parts of a mark in a file name; no host name contains it."""
_ENDED = frozenset("ZXx")
"""States of a process that has ended: a zombie is only an id whose parent has not collected it yet."""
_PROC = Path("/proc")
_PROCESS = re.compile(r"[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Mark:
    """Identity of a process.

    Attributes:
        host: Name of the machine.
        space: Boot of the machine and process namespace; ids are comparable only where it is equal.
        started: Start of the process, in the units of its system.
        process: Process id.
    """

    host: str
    space: str
    started: str
    process: int

    @property
    def text(self) -> str:
        """The mark as part of a file name."""
        return SEPARATOR.join((self.host, self.space, self.started, str(self.process)))

    @classmethod
    def parse(cls, text: str) -> Mark | None:
        """Return the mark at the start of a text, or None if there is none."""
        parts = text.split(SEPARATOR)
        if len(parts) < 4 or _PROCESS.fullmatch(parts[3]) is None:
            return None
        return cls(parts[0], parts[1], parts[2], int(parts[3]))


def here() -> Mark:
    """Return the mark of this process."""
    return _mark(os.getpid())


@lru_cache(maxsize=4)
def _mark(process: int) -> Mark:
    host = re.sub(r"[^A-Za-z0-9.-]", "_", platform.node())[:64]
    return Mark(host, _space(), _started(process) or "0", process)


def is_alive(mark: Mark) -> bool | None:
    """Return whether a process is alive.

    None if that cannot be seen: another machine, boot or container has it, or it is another user's and hidden.
    """
    if (mark.host, mark.space) != (here().host, here().space):
        return None
    try:
        os.kill(mark.process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # another user's
    started = _started(mark.process)
    return None if started is None else started == mark.started


def _space() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
        return f"{boot}.{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return "0"


def _started(process: int) -> str | None:
    """Return when a process started; an empty text if only its id is left, None if that cannot be seen."""
    try:
        fields = (
            (_PROC / str(process) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
        return "" if fields[0] in _ENDED else fields[19]
    except OSError:
        pass
    import psutil  # noqa: PLC0415 - not needed to plan

    try:
        found = psutil.Process(process)
        return "" if found.status() == psutil.STATUS_ZOMBIE else str(int(found.create_time()))
    except psutil.Error:  # `NoSuchProcess` is also raised for another user's that the system hides
        return None
