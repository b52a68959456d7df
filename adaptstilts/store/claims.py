"""Claims on stages: which process is making one, on a file system that several machines may share.

A claim is a lock file made by a hard link (`flufl.lock`), which holds on network file systems too. It names the process
that holds it. While a stage is being made a thread keeps the claim fresh.

- A process that died on this machine is seen to be dead, and its claim is taken over at once.
- One on another machine counts as dead when its claim has not been refreshed for its lifetime.
- Of several that take over a dead claim, one succeeds: each must first hold a lock named after that very claim.
- On file systems without hard links a lease (`adaptstilts.store.leases`) stands in.

A clock that jumps can make a living claim look dead, and a machine that sleeps cannot refresh. Then a stage is made
twice, and no harm is done: the store keeps the artefact that is put first and drops the other.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from adaptstilts.store.leases import LIFETIME_SECONDS, FolderObjects, Leases, silent
from adaptstilts.store.process import SEPARATOR, Mark, here, hold, is_alive, is_held, let_go

if TYPE_CHECKING:
    from flufl.lock import Lock

LOCK_SUFFIX = ".lock"
LEASE_SUFFIX = ".lease"
_BREAK_SUFFIX = ".break"
_BETWEEN = "^"
"""Between the parts of the lock library's claim files; its own choice, ``|``, is no part of a name on some systems."""
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
_AT_ONCE = timedelta(seconds=-1)


class Claims:
    """Claims in one folder.

    Args:
        folder: The folder; made when the first claim is.
        lifetime: Silence after which a holder on another machine counts as dead, in seconds.
    """

    def __init__(self, folder: Path, lifetime: float = LIFETIME_SECONDS) -> None:
        self.folder = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay as they are
        self.lifetime = lifetime

    @contextlib.contextmanager
    def claim(self, name: str) -> Iterator[bool]:
        """Hold a claim while the block runs, if it is free; never waits.

        Args:
            name: What is claimed.

        Yields:
            Whether this thread has it now.

        Raises:
            OSError: If the folder cannot be written.
        """
        refresh, release = self._acquire(name) or (None, None)
        if refresh is None or release is None:
            yield False
            return
        try:
            with kept_fresh(refresh, self.lifetime / 4):
                yield True
        finally:
            release()

    def holder(self, name: str) -> Mark | None:
        """Return the living process that holds a claim, or None."""
        path = self.folder / f"{name}{LOCK_SUFFIX}"
        content = _read(path)
        if content is not None and (is_held(str(path)) or not self._is_dead(path, content)):
            return _holder(content) or Mark("unknown", "", "", 0)
        return self._leases().holder(f"{name}{LEASE_SUFFIX}")

    def sweep(self, *, remove: bool) -> list[Path]:
        """Find what dead processes left, and remove it if asked to.

        Args:
            remove: Whether to remove it.

        Returns:
            Files of claims that nobody holds.
        """
        files = sorted(self.folder.iterdir()) if self.folder.is_dir() else []
        left = [path for path in files if self._is_left(path)]
        for path in left if remove else ():
            if path.suffix in {LOCK_SUFFIX, _BREAK_SUFFIX}:
                self._break(path)
            else:
                path.unlink(missing_ok=True)
        return left

    def _is_left(self, path: Path) -> bool:
        lock = path.with_name(path.name.partition(_BETWEEN)[0])
        if is_held(str(lock)):
            return False
        if lock.suffix in {LOCK_SUFFIX, _BREAK_SUFFIX}:
            content = _read(path)
            return content is not None and self._is_dead(path, content)
        lease = self._leases().read(path.name)
        return lease is not None and self._leases().is_over(lease)

    def _acquire(self, name: str) -> tuple[Callable[[], object], Callable[[], None]] | None:
        self.folder.mkdir(parents=True, exist_ok=True)
        leases, path = self._leases(), self.folder / f"{name}{LOCK_SUFFIX}"
        try:
            lock = self._lock(path)
        except OSError as error:
            if error.errno not in _NO_LINKS or error.filename2 is None:  # no link was being made
                raise
            lease = leases.acquire(f"{name}{LEASE_SUFFIX}")
            return None if lease is None else (lambda: leases.refresh(lease), lambda: leases.release(lease))
        return None if lock is None else (lock.refresh, lambda: _release(lock))

    def _lock(self, path: Path, depth: int = 0) -> Lock | None:
        """Take a lock file, in place of a dead process's if need be; None if another has it."""
        if not hold(str(path)):
            return None
        lock = None
        try:
            lock = self._link(path)
            if lock is None and depth < 3 and self._break(path, depth):
                lock = self._link(path)
        finally:
            if lock is None:
                let_go(str(path))
        return lock

    def _break(self, path: Path, depth: int = 0) -> bool:
        """Remove a dead process's lock file, if this process is the one that may."""
        content = _read(path)
        if content is None or not self._is_dead(path, content):
            return False
        digits = hashlib.sha256(content.encode()).hexdigest()[:16]
        right = self._lock(path.with_name(f"{path.name}.{digits}{_BREAK_SUFFIX}"), depth + 1)
        if right is None:
            return False
        try:
            if _read(path) != content or not self._is_dead(path, content):
                return False
            path.unlink(missing_ok=True)
            if _holder(content) is not None:
                (path.parent / Path(content).name).unlink(missing_ok=True)
            return True
        finally:
            _release(right)

    def _link(self, path: Path) -> Lock | None:
        from flufl.lock import AlreadyLockedError, TimeOutError  # noqa: PLC0415 - not needed to plan

        lock = _make_lock(str(path), timedelta(seconds=self.lifetime))
        try:
            lock.lock(_AT_ONCE)
        except AlreadyLockedError:  # the link was made, and the answer that said so was lost on the network
            return lock
        except TimeOutError:
            return None
        except OSError:
            with contextlib.suppress(OSError):
                Path(lock.claimfile).unlink(missing_ok=True)
            raise
        return lock

    def _is_dead(self, path: Path, content: str) -> bool:
        """Say whether a lock's holder is dead; a lock of this process that no thread holds is a forgotten one."""
        holder = _holder(content)
        alive = None if holder is None else is_alive(holder)
        if alive is not None:
            return not alive or holder == here()
        try:
            until = path.stat().st_mtime  # the lock library sets it to when the lifetime ends
        except OSError:
            return False
        return silent(str(path), f"{content} {until}", until - self.lifetime, self.lifetime)

    def _leases(self) -> Leases:
        return Leases(FolderObjects(self.folder), self.lifetime)


@contextlib.contextmanager
def kept_fresh(refresh: Callable[[], object], every: float) -> Iterator[None]:
    """Call a function from a thread again and again while the block runs.

    Args:
        refresh: The function; that it fails now and then is no matter.
        every: Seconds between two calls.

    Yields:
        Nothing.
    """
    from flufl.lock import LockError  # noqa: PLC0415 - not needed to plan

    done = threading.Event()

    def go_on() -> None:
        while not done.wait(every):
            with contextlib.suppress(OSError, LockError):
                refresh()

    thread = threading.Thread(target=go_on, daemon=True, name="claim")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _make_lock(path: str, lifetime: timedelta) -> Lock:
    """Return a lock whose claim file carries this process's mark where the library writes the host's name."""
    from flufl.lock import Lock  # noqa: PLC0415 - not needed to plan

    name = SEPARATOR.join((here().text, secrets.token_hex(4)))

    class MarkedLock(Lock):
        @property
        def hostname(self) -> str:
            return name

    logging.getLogger("flufl.lock").setLevel(logging.CRITICAL)  # a lock that another has is an error there
    return MarkedLock(path, lifetime=lifetime, separator=_BETWEEN)


def _release(lock: Lock) -> None:
    try:
        with contextlib.suppress(OSError):
            lock.unlock(unconditionally=True)
    finally:
        let_go(lock.lockfile)


def _holder(content: str) -> Mark | None:
    parts = content.rsplit(_BETWEEN, 3)
    return Mark.parse(parts[1]) if len(parts) == 4 else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
