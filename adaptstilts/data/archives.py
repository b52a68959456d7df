"""Unpacking of the files that a data set needs from an archive, bounded, and inside the folder they are meant for."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import IO, Any

from adaptstilts.errors import DataError
from adaptstilts.files import below, check_file, clear, is_below, is_too_long
from adaptstilts.formatting import cut, size_text
from adaptstilts.limits import MOST_MEMBERS, beyond, check_unpacked
from adaptstilts.tar_headers import HeaderGuard

_OPENERS: dict[str, Any] = {".gz": gzip.open, ".tgz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
"""Opener of a compressed tar archive, by the end of its name."""
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_NAMES_SHOWN = 5
_PLACE_HINT = "Correct `place` in the list of sources. More: adaptstilts docs fetching."
_BLOCK = 1 << 20
_UNBOUNDED = {zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "LZMA"}
"""Kinds of compression that Python's library unpacks in a zip file without a bound on memory."""
_LONGEST_DIRECTORY = 64 << 20
"""Most bytes of a zip file's list of members, which is read as a whole."""

Place = Sequence[tuple[str, str]]
"""Pairs of a file in the source, with ``*``, and its target; see `adaptstilts.data.sources.Part`."""


def is_archive(path: Path) -> bool:
    """Return whether the file name is that of an archive."""
    return path.name.endswith(_ARCHIVES)


def unpack(archive: Path, place: Place, folder: Path) -> dict[Path, str]:
    """Copy the files that `place` names from a zip or tar archive into a folder.

    Returns:
        Each file written, with its name in the archive.

    Raises:
        DataError: If the archive is damaged, lacks a file, holds a path that leads out of it, or is larger than the
            limits (`adaptstilts.limits`) or the disk allow.
    """
    missing = {pattern for pattern, _ in place}
    names: list[str] = []
    written: dict[Path, str] = {}
    check_file(archive)
    budget = _Budget(archive, folder)
    with _archive_errors(archive):
        for name, size, file in _members(archive, budget):
            if is_too_long(name):
                raise DataError(f"holds a file '{cut(name)}', which is too long for the name of a file", path=archive)
            if not is_below(name):
                raise DataError(
                    f"holds a file '{name}', which would be unpacked outside the target folder",
                    path=archive,
                    hint="Do not use this archive; delete it and report it to its publisher",
                )
            names += [name] if len(names) <= _NAMES_SHOWN else []
            fitting = [(pattern, target) for pattern, target in place if fnmatchcase(name, pattern)]
            for path in dict.fromkeys(_target(folder, name, target, archive) for _, target in fitting):
                if path in written:
                    twice = f"'{name}' twice" if written[path] == name else f"both '{written[path]}' and '{name}'"
                    problem = f"holds {twice}, for one place: '{path.relative_to(folder).as_posix()}'"
                    raise DataError(problem, path=archive, hint=_PLACE_HINT)
                written[path] = name
                budget.reserve(size)
                with path.open("xb") as output, file() as content:
                    while block := content.read(_BLOCK):
                        budget.spend(len(block))
                        output.write(block)
            missing -= {pattern for pattern, _ in fitting}
    if missing:
        shown = ", ".join(names[:_NAMES_SHOWN]) + (", ..." if len(names) > _NAMES_SHOWN else "")
        raise DataError(
            f"holds no file '{min(missing)}', only {shown}",
            path=archive,
            hint="The source has changed its layout; correct `place` in a list of sources of your own (manifest, "
            "--manifest). "
            "More: adaptstilts docs fetching.",
        )
    return written


def put(path: Path, name: str, place: Place, folder: Path) -> list[Path]:
    """Link a single file that is not an archive into a folder, or copy it where the disk has no hard links.

    Returns:
        The files made; none if ``place`` does not name the file (by `name`, its name in the source).
    """
    targets = dict.fromkeys(target for pattern, target in place if fnmatchcase(name, pattern))
    made = [_target(folder, name, target, path) for target in targets]
    for output in made:
        _link_or_copy(path, output)
    return made


def _link_or_copy(path: Path, output: Path) -> None:
    try:
        os.link(path, output)
    except OSError:
        shutil.copyfile(path, output)


def _target(folder: Path, name: str, target: str, source: Path) -> Path:
    path = below(folder, f"{target}{name}" if target.endswith("/") else target, source=source)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise DataError(f"holds '{name}', whose folder is a file", path=source, hint=_PLACE_HINT) from error
    if path.is_dir():
        raise DataError(f"holds a file '{name}', and other files below it", path=source, hint=_PLACE_HINT)
    clear(path)
    return path


class _Budget:
    """What an archive may still unpack to."""

    def __init__(self, archive: Path, folder: Path) -> None:
        self._archive = archive
        self._folder = folder
        self._members = 0
        self._bytes = 0
        self._size = archive.stat().st_size

    def count_member(self) -> None:
        """Take notice of one more file or folder."""
        self._members += 1
        if self._members > MOST_MEMBERS.value():
            problem = f"holds more than {MOST_MEMBERS.value():,.0f} files and folders"
            raise beyond(self._archive, MOST_MEMBERS, problem)

    def reserve(self, size: int) -> None:
        """Check that a file of a size, as the archive states it, may be unpacked and that the disk has room for it."""
        self.check(self._bytes + size)
        free = shutil.disk_usage(self._folder).free
        if size > free:
            raise DataError(
                f"holds a file of {size_text(size)}, and {size_text(free)} are free in {self._folder}",
                path=self._archive,
                hint="Free some space and run the same command again; it resumes where it stopped",
            )

    def spend(self, count: int) -> None:
        """Take notice of bytes that are about to be written."""
        self._bytes += count
        self.check(self._bytes)

    def check(self, count: int) -> None:
        """Check that so many bytes may come out of the archive."""
        check_unpacked(self._archive, count, self._size)


class _Bounded:
    """A file within which an archive is read: in small portions, and not beyond the budget.

    Args:
        budget: For a tar archive.
        guard: For a tar archive.
    """

    def __init__(self, file: IO[bytes], budget: _Budget | None = None, guard: HeaderGuard | None = None) -> None:
        self._file = file
        self._budget = budget
        self._guard = guard

    def read(self, count: int = -1) -> bytes:
        if self._guard is not None:
            content = self._guard.read(self._file, count)
        else:
            most = _LONGEST_DIRECTORY + 1
            content = self._file.read(most if count < 0 else min(count, most))
            if len(content) == most:
                raise zipfile.BadZipFile("it states a list of members of more bytes than any has")
        if self._budget is not None:
            self._budget.check(self._file.tell())
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and offset < 0:  # would be an error of the disk
            raise tarfile.ReadError("it states a place before its beginning")
        if self._budget is not None and whence == 0:
            self._budget.check(offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()


class _Zip(zipfile.ZipFile):
    """A zip file whose list of members is given up as soon as it is too long."""

    def __init__(self, file: _Bounded, budget: _Budget) -> None:
        self._budget = budget
        super().__init__(file)

    @property
    def filelist(self) -> list[zipfile.ZipInfo]:
        return self._listed

    @filelist.setter
    def filelist(self, _: list[zipfile.ZipInfo]) -> None:
        self._listed = _Counted(self._budget)


class _Counted(list[zipfile.ZipInfo]):
    def __init__(self, budget: _Budget) -> None:
        super().__init__()
        self._budget = budget

    def append(self, member: zipfile.ZipInfo) -> None:
        self._budget.count_member()
        super().append(member)


def _members(archive: Path, budget: _Budget) -> Iterator[tuple[str, int, Callable[[], IO[bytes]]]]:
    """Yield name, size and opener of each regular file of an archive; links and devices are skipped."""
    if archive.suffix == ".zip":
        with archive.open("rb") as file, _Zip(_Bounded(file), budget) as opened:
            for member in opened.infolist():
                if not member.is_dir() and not _is_link(member):
                    if member.compress_type in _UNBOUNDED:
                        raise zipfile.BadZipFile(
                            f"its members are packed by {_UNBOUNDED[member.compress_type]}, not deflated"
                        )
                    yield member.filename, member.file_size, partial(opened.open, member)
        return
    opener, guard = _OPENERS.get(archive.suffix), HeaderGuard()
    with (
        archive.open("rb") if opener is None else opener(archive, "rb") as file,
        tarfile.open(fileobj=_Bounded(file, budget, guard), mode="r:") as unrolled,  # type: ignore[call-overload]
    ):
        while (entry := unrolled.next()) is not None:
            budget.count_member()
            guard.expect_content()
            if entry.isfile():
                yield entry.name.removeprefix("./"), entry.size, partial(_content, unrolled, entry)
            unrolled.members.clear()
            guard.expect_header()


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    found = archive.extractfile(member)
    if found is None:
        raise AssertionError("unreachable: the member is a regular file")
    return found


def _is_link(member: zipfile.ZipInfo) -> bool:
    return (member.external_attr >> 28) == 0o12  # written on Unix as a symbolic link


@contextmanager
def _archive_errors(archive: Path) -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, RuntimeError, OSError, ValueError,
        OverflowError, IndexError, struct.error, MemoryError,
    ) as error:  # fmt: skip
        # zipfile raises RuntimeError for encrypted members and for compression that it does not know; lzma MemoryError
        # for a file that states a window of gigabytes.
        if isinstance(error, OSError) and error.errno is not None:
            raise  # an error of the disk: those of bz2 and gzip have no number
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
        raise DataError(
            f"is damaged or not an archive ({reason})", path=archive, hint="Delete it and fetch again"
        ) from error
