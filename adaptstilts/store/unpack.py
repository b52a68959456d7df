"""Unpacking of bundles that other people made: bounded, and only plain files with names that every disk keeps apart."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import stat
import tarfile
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from adaptstilts.errors import StoreError, WriteError
from adaptstilts.files import open_file
from adaptstilts.formatting import cut, size_text, system_reason
from adaptstilts.limits import MOST_MEMBERS, MOST_RATIO, MOST_UNPACKED_BYTES
from adaptstilts.store.manifest_fields import is_inside
from adaptstilts.tar_headers import HeaderGuard

HINT = "The bundle is at fault, not the store, and nothing was placed: export it again."
_BLOCK = 1 << 20
_GZIP = b"\x1f\x8b"
_LONGEST_SHOWN = 200
_RATIO_FROM = 16 * _BLOCK
"""Bytes that any archive may unpack to, however small it is."""


def unpack(source: Path, root: Path) -> None:
    """Unpack an archive after checking that it holds only plain files in their places, and that there is room.

    Raises:
        StoreError: If it cannot be read, is no archive, holds anything else, or more than the limits allow.
        WriteError: If there is no room.
        OSError: If the folder cannot be written.
    """
    names, total = _Names(source), 0
    with _opened(source) as tar:
        for member in _members(tar, source):
            names.add(member.name, is_folder=member.isdir())
            total += member.size
    free = shutil.disk_usage(root).free
    if total > free:
        problem = f"only {size_text(free)} are free, and {source} unpacks to {size_text(total)}"
        raise WriteError(problem, path=root.parent.parent, hint="Set store=FOLDER, or make room; nothing was placed.")
    with _opened(source) as tar:
        for member in _members(tar, source):
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None:
                _write(content, root / member.name)


def check_folder(root: Path) -> None:
    """Check that a folder holds only plain files and folders, with names that every disk keeps apart.

    Raises:
        StoreError: If it holds anything else, or more than the limits allow.
        OSError: If it cannot be read.
    """
    names = _Names(root)
    for place, folders, files in os.walk(root, onerror=_raise):
        for name in (*folders, *files):
            path = Path(place) / name
            mode, shown = path.lstat().st_mode, path.relative_to(root).as_posix()
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise fault(root, f"'{shown}' is a link, a pipe or a device; only plain files are allowed")
            names.add(shown, is_folder=stat.S_ISDIR(mode))


def fault(source: Path, problem: str) -> StoreError:
    """Return the error for a bundle with which something is wrong."""
    return StoreError(problem, path=source, hint=HINT)


@contextlib.contextmanager
def reading(source: Path) -> Iterator[None]:
    """Tell errors of reading a bundle, in the block, from those of the store.

    Raises:
        StoreError: If the bundle cannot be read.
    """
    try:
        yield
    except OSError as error:
        hint = "Check its permissions and its disk; the store is as it was."
        raise StoreError(f"cannot be read: {system_reason(error)}", path=source, hint=hint) from error


class _Names:
    """The names of one bundle: each once, none that some disks take for another's, and not too many.

    Folders count also where only the names of files tell of them: they would be made all the same.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        self._most = MOST_MEMBERS.value()
        self._folders: set[str] = set()
        self._known: dict[str, tuple[str, bool, bool]] = {}  # by folded name: name, is a folder, was given itself

    def add(self, name: str, *, is_folder: bool) -> None:
        if not is_inside(name):
            problem = f"{_shown(name)} leads out of the bundle, or is no name that every disk can hold"
            raise fault(self._source, problem)
        self._note(name, is_folder=is_folder, is_given=True)
        folder = name.rpartition("/")[0]
        while folder and folder not in self._folders:
            self._folders.add(folder)
            self._note(folder, is_folder=True, is_given=False)
            folder = folder.rpartition("/")[0]

    def _note(self, name: str, *, is_folder: bool, is_given: bool) -> None:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        known, was_folder, was_given = self._known.setdefault(folded, (name, is_folder, False))
        if known != name:
            raise fault(self._source, f"'{known}' and '{name}' are the same name on some disks")
        if was_folder != is_folder:
            raise fault(self._source, f"'{name}' is both a file and a folder")
        if is_given and was_given:
            raise fault(self._source, f"'{name}' stands twice in it")
        self._known[folded] = (name, is_folder, was_given or is_given)
        if len(self._known) > self._most:
            problem = f"holds more than {self._most:,.0f} files and folders"
            raise _over(self._source, problem, MOST_MEMBERS.variable)


@contextlib.contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    """Open an archive, whose faults end the block as errors of the bundle."""
    try:
        with reading(source):
            raw = open_file(source, StoreError, "Give an archive or a folder written by: adaptstilts store export")
        with raw:
            is_packed = raw.read(len(_GZIP)) == _GZIP
            raw.seek(0)
            content = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if is_packed else raw
            bounded: Any = _Bounded(content, source, raw if is_packed else None)
            with tarfile.open(fileobj=bounded, mode="r:") as tar:
                yield tar
    except (tarfile.TarError, zlib.error, EOFError, ValueError, RecursionError) as error:
        hint = "Is it whole? Bundles are made by: adaptstilts store export"
        reason = str(error).partition("\n")[0].rstrip(":")
        raise StoreError(f"not a readable bundle: {reason}", path=source, hint=hint) from error


def _members(tar: tarfile.TarFile, source: Path) -> Iterator[tarfile.TarInfo]:
    """Yield the members of an archive, plain files and folders; each starts after the one before it."""
    end, guard = -1, cast("_Bounded", tar.fileobj).guard
    while (member := tar.next()) is not None:
        if member.offset <= end or member.size < 0:
            raise fault(source, f"{_shown(member.name)} begins before the member in front of it ends")
        end = member.offset
        if member.issparse():
            raise fault(source, f"{_shown(member.name)} is a sparse file, which no export writes")
        if not member.isfile() and not member.isdir():
            raise fault(source, f"{_shown(member.name)} is a link or a device, not a plain file")
        guard.expect_content()
        yield member
        guard.expect_header()
        tar.members.clear()  # type: ignore[attr-defined]  # they would stay in memory, all of them


class _Bounded:
    """A file of which only so much is read, however much it unpacks to.

    Args:
        packed: The compressed file behind it; None if it is not compressed.
    """

    def __init__(self, file: IO[bytes], source: Path, packed: IO[bytes] | None) -> None:
        self._file = file
        self._source = source
        self.guard = HeaderGuard()
        self._most = MOST_UNPACKED_BYTES.value()
        self._variable, self._problem = MOST_UNPACKED_BYTES.variable, f"unpacks to more than {size_text(self._most)}"
        if packed is not None:
            size, ratio = os.fstat(packed.fileno()).st_size, MOST_RATIO.value()
            if max(ratio * size, _RATIO_FROM) < self._most:
                self._most = max(ratio * size, _RATIO_FROM)
                self._variable = MOST_RATIO.variable
                self._problem = f"unpacks to more than {ratio:,.0f} times its {size_text(size)}"

    def read(self, size: int = -1) -> bytes:
        self._check(self._file.tell())
        try:
            return self.guard.read(self._file, size)
        except gzip.BadGzipFile as error:
            raise tarfile.ReadError(str(error)) from error
        except OSError as error:
            raise StoreError(f"cannot be read: {system_reason(error)}", path=self._source) from error

    def seek(self, position: int) -> int:
        self._check(position)
        try:
            return self._file.seek(position)
        except gzip.BadGzipFile as error:
            raise tarfile.ReadError(str(error)) from error

    def tell(self) -> int:
        return self._file.tell()

    def _check(self, position: int) -> None:
        if position > self._most + _BLOCK:
            raise _over(self._source, self._problem, self._variable)


def _shown(name: str) -> str:
    return f"'{cut(name, _LONGEST_SHOWN)}'"


def _over(source: Path, problem: str, variable: str) -> StoreError:
    return StoreError(problem, path=source, hint=f"If you trust it, raise the limit {variable}; nothing was placed.")


def _write(content: IO[bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        shutil.copyfileobj(content, file, _BLOCK)


def _raise(error: OSError) -> None:
    raise error
