"""Which process of which machine something is from, and whether that process still lives.

What several machines write side by side (locks, unfinished folders) carries the mark of its process. A process id alone
says little: ids are given out again, containers count from one, and machines share names. A mark therefore holds when
the process started, and which boot and which process namespace the id counts in.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

SEPARATOR = "~"
"""Between the parts of a mark in a file's name; no host name has it."""
_ENDED = frozenset("ZXx")
"""States of a process that runs no more: a zombie is only a number that its parent has not asked for yet."""
_PROC = Path("/proc")


@dataclass(frozen=True)
class Mark:
    """A process of a machine.

    Attributes:
        host: Name of the machine.
        space: Boot of the machine and process namespace; ids are only comparable where it is equal.
        started: When the process started, in the units of its system.
        process: Process id.
    """

    host: str
    space: str
    started: str
    process: int

    @property
    def text(self) -> str:
        """The mark as part of a file's name."""
        return SEPARATOR.join((self.host, self.space, self.started, str(self.process)))

    @classmethod
    def parse(cls, text: str) -> Mark | None:
        """Return the mark that a text begins with, or None if it is not one."""
        parts = text.split(SEPARATOR)
        if len(parts) < 4 or not parts[3].isdigit():
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
    """Say whether a process lives.

    Args:
        mark: The process.

    Returns:
        Whether it lives; None if that cannot be seen from here: it is of another machine, boot or container.
    """
    import psutil  # noqa: PLC0415 - not needed to plan

    if (mark.host, mark.space) != (here().host, here().space):
        return None
    if not psutil.pid_exists(mark.process):
        return False
    started = _started(mark.process)
    return started is None or started == mark.started


def _space() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
        return f"{boot}.{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return "0"


def _started(process: int) -> str | None:
    """Return when a process started; an empty text if it has ended, None if that is not to be seen."""
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
    except psutil.NoSuchProcess:
        return ""
    except psutil.Error:
        return None
