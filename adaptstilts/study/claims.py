"""Claims: while one process makes an artefact, no other one does, on any machine that shares the store's folder.

A claim is a lock of the library flufl.lock: a hard link, which is atomic on network file systems too, with a time at
which it expires. A thread of the claiming process moves that time on. A process that was killed leaves its claim
behind: another one on the same host sees that the process is no more and takes over at once, one on another host when
the claim has expired. If a clock jumps, a claim can look expired that is not, and an artefact is made twice; the store
keeps the first one, so that results stay right.
"""

from __future__ import annotations

import contextlib
import errno
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from filelock import FileLock, SoftFileLock, Timeout
from flufl.lock import Lock, LockError, LockState, NotLockedError, TimeOutError

LIFETIME = timedelta(seconds=60)
"""After this time without a sign of life a claim of another host may be taken over."""
_SECONDS_BETWEEN_SIGNS = 15.0
_BREAKING = timedelta(seconds=3)
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_CLOCK_SLOP = timedelta(seconds=10)
"""The library's own allowance for clocks that differ between hosts."""


@contextlib.contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Try to hold a claim while a block runs, without waiting for another holder.

    Args:
        path: File of the claim; its folder is made if missing.

    Yields:
        Whether this process, and within it this block, holds the claim.

    Raises:
        OSError: If the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = Lock(str(path), lifetime=LIFETIME)
    try:
        is_mine = _acquire(lock, path)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        with _claimed_softly(path) as is_mine:
            yield is_mine
        return
    if not is_mine:
        yield False
        return
    ended = threading.Event()
    thread = threading.Thread(target=_keep, args=(lock, ended), daemon=True, name="claim")
    thread.start()
    try:
        yield True
    finally:
        ended.set()
        thread.join()
        with contextlib.suppress(LockError, OSError):
            lock.unlock(unconditionally=True)


def is_claimed(path: Path) -> bool:
    """Tell whether a live process holds a claim.

    Args:
        path: File of the claim.

    Returns:
        False also where the holder is a dead process of this host, or has shown no sign of life for its lifetime.
    """
    lock = Lock(str(path))
    try:
        return lock.state is not LockState.unlocked and not _is_over(lock)
    except FileNotFoundError:
        return False


def holder(path: Path) -> tuple[str, int] | None:
    """Return host and process of a claim's holder, dead or alive; None where nobody holds it.

    Args:
        path: File of the claim.
    """
    try:
        host, process, _ = Lock(str(path)).details
    except NotLockedError:
        return None
    return host, process


def _acquire(lock: Lock, path: Path) -> bool:
    if _try(lock, timedelta(0)):
        return True
    with contextlib.suppress(FileNotFoundError):
        if lock.state is LockState.stale:
            return _take_over(lock, path)
        if _is_over(lock):  # of another host: the library breaks it
            return _try(lock, _BREAKING)
    return False


def _is_over(lock: Lock) -> bool:
    """Whether the holder is a dead process of this host, or has let its time run out."""
    return lock.state is LockState.stale or datetime.now() > lock.expiration + _CLOCK_SLOP


def _try(lock: Lock, wait: timedelta) -> bool:
    try:
        lock.lock(wait)
    except TimeOutError:
        return False
    return True


def _take_over(lock: Lock, path: Path) -> bool:
    """Take the claim of a dead process of this host; of several processes that try, one may."""
    with contextlib.suppress(Timeout), FileLock(f"{path}.takeover", timeout=0):
        if lock.state is LockState.stale:
            dead = path.read_text(encoding="utf-8").strip()
            path.unlink(missing_ok=True)
            Path(dead).unlink(missing_ok=True)
        return _try(lock, timedelta(0))
    return False


@contextlib.contextmanager
def _claimed_softly(path: Path) -> Iterator[bool]:
    """Hold a claim on a file system without hard links, by a file that is made only if it is not there."""
    lock = SoftFileLock(f"{path}.soft")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _keep(lock: Lock, ended: threading.Event) -> None:
    """Show signs of life until the claim ends."""
    while not ended.wait(_SECONDS_BETWEEN_SIGNS):
        with contextlib.suppress(LockError, OSError):
            lock.refresh()
