"""Contents of files: SHA-256 hashes that are remembered while a file stays what it was, and files held to their hash.

A hash is remembered with the size, the times of change, the inode and the device of its file, and counts only while all
of them are equal. A file that was hashed within two seconds of its last change may change again without another time;
where certainty is asked for, it is read again (as git does with its "racily clean" entries).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from adaptstilts.errors import ChangedError

BEFORE = "has changed since the study was planned"
MEANWHILE = "has changed while it was in use"
_BLOCK = 1 << 20
_SETTLED_NS = 2_000_000_000
"""Time after its last change from which a file cannot change again without another time of change."""


class Identity(NamedTuple):
    """What differs if a file was written or replaced; its content may be equal nevertheless."""

    changed_ns: int
    modified_ns: int
    size: int
    inode: int
    device: int


@dataclass(frozen=True)
class _Hash:
    """A hash that this process has computed; not `settled` if the file had just been changed."""

    identity: Identity
    sha256: str
    settled: bool


_hashes: dict[str, _Hash] = {}


def identity_of(path: Path) -> Identity | None:
    """Return the identity of a file, without reading it; None if there is none."""
    try:
        return _identity(path.stat())
    except OSError:
        return None


def content_hash(
    path: Path, *, again: bool = False, certain: bool = False, on_bytes: Callable[[int], object] | None = None
) -> str:
    """Return the SHA-256 of a file's content, 64 hexadecimal digits.

    Args:
        again: Whether to read the file whatever is remembered.
        certain: Whether to read a file again that had just been changed when it was hashed.
        on_bytes: Called with the number of bytes read, block by block.

    Raises:
        OSError: If it cannot be read.
    """
    name = str(path)
    known = None if again else _hashes.get(name)
    if known is not None and (known.settled or not certain) and known.identity == _identity(path.stat()):
        return known.sha256
    digest = hashlib.sha256()
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe would never end
        raise OSError(errno.EINVAL, "not an ordinary file", name)
    with path.open("rb") as file:
        before, now = _identity(os.fstat(file.fileno())), time.time_ns()
        while block := file.read(_BLOCK):
            digest.update(block)
            if on_bytes is not None:
                on_bytes(len(block))
        after = _identity(os.fstat(file.fileno()))
    _hashes.pop(name, None)
    if before == after:  # otherwise the hash is that of a mixture, which no file need have
        is_settled = now - max(after.modified_ns, after.changed_ns) > _SETTLED_NS
        _hashes[name] = _Hash(after, digest.hexdigest(), is_settled)
    return digest.hexdigest()


def move_hashes(source: Path, target: Path, names: Iterable[str]) -> None:
    """Keep the remembered hashes of files whose folder was moved from ``source`` to ``target``."""
    for name in names:
        known = _hashes.pop(str(source / name), None)
        if known is not None:
            _hashes[str(target / name)] = known


@contextlib.contextmanager
def held_still(paths: Iterable[Path]) -> Iterator[None]:
    """Read files in the block, and make sure that they were all the same from its beginning to its end.

    Raises:
        ChangedError: If one was changed or replaced, even if the block raises another error because of it.
    """
    before = {path: identity_of(path) for path in paths}
    try:
        yield
    except Exception as error:
        _require_same(before, error)
        raise
    _require_same(before)


def _require_same(before: Mapping[Path, Identity | None], cause: Exception | None = None) -> None:
    for path, identity in before.items():
        if identity_of(path) != identity:
            raise ChangedError("has changed while it was read", path=path) from cause


class Pins:
    """Files that must keep the content that keys were made from, with the SHA-256 of each.

    Sent to another process, it takes along what this one remembers of its files, so that no file is hashed twice.
    """

    def __init__(self) -> None:
        self._pinned: dict[Path, str] = {}

    def pin(self, paths: Iterable[Path]) -> None:
        """Hold files to the content that they have now."""
        self._pinned |= {path: content_hash(path) for path in paths}

    def hold(self, path: Path, sha256: str) -> None:
        """Hold a file to a content that is known from elsewhere."""
        self._pinned[path] = sha256

    def state(self, paths: Iterable[Path]) -> tuple[tuple[Path, str | None], ...]:
        """Return files with the content that each is held to, as a key of what was made from them."""
        return tuple((path, self._pinned.get(path)) for path in sorted(paths))

    @contextlib.contextmanager
    def reading(self, paths: Iterable[Path], *, only_held: bool = False) -> Iterator[None]:
        """Read files in the block, and make sure that what it reads is what they are held to.

        Args:
            only_held: Whether a file that is held to nothing is an error.

        Raises:
            ChangedError: If a file differs from that, or changed in the meantime.
        """
        read = tuple(paths)
        new = next((path for path in read if path not in self._pinned), None)
        if only_held and new is not None:
            raise ChangedError("has come since the study was planned", path=new)
        with held_still(read):
            yield
        self.check(read)

    def check(self, paths: Iterable[Path], problem: str = MEANWHILE) -> None:
        """Compare files with what they are held to; others do not count.

        Raises:
            ChangedError: If one of them differs or is gone.
        """
        for path in paths:
            if path in self._pinned and hash_or_none(path) != self._pinned[path]:
                raise ChangedError(problem, path=path)

    def gone(self, folder: Path) -> tuple[Path, ...]:
        """Return the files below a folder that are held to a content and are no longer there."""
        return tuple(path for path in self._pinned if path.is_relative_to(folder) and identity_of(path) is None)

    def __getstate__(self) -> dict[str, object]:
        names = {str(path) for path in self._pinned}
        return {"pinned": self._pinned, "hashes": {name: _hashes[name] for name in names & _hashes.keys()}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._pinned = state["pinned"]
        _hashes.update(state["hashes"])


def hash_or_none(path: Path) -> str | None:
    """Return the certain hash of a file; None if it cannot be read."""
    try:
        return content_hash(path, certain=True)
    except OSError:
        return None


def _identity(status: os.stat_result) -> Identity:
    return Identity(status.st_ctime_ns, status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev)
