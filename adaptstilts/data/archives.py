"""Unpacking of the files that a data set needs from an archive, kept inside the folder they are meant for."""

from __future__ import annotations

import lzma
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO

from adaptstilts.errors import DataError

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_NAMES_SHOWN = 5

Place = Sequence[tuple[str, str]]
"""Pairs of a file in the source, with ``*``, and its target; see `adaptstilts.data.sources.Part`."""


def is_archive(path: Path) -> bool:
    """Return whether the file name is that of an archive."""
    return path.name.endswith(_ARCHIVES)


def unpack(archive: Path, place: Place, folder: Path) -> None:
    """Copy the files that `place` names from a zip or tar archive into a folder.

    Raises:
        DataError: If the archive is damaged, lacks a file, or holds a path that leads out of it.
    """
    missing = {pattern for pattern, _ in place}
    names: list[str] = []
    with _archive_errors(archive):
        for name, file in _members(archive):
            _refuse_traversal(name, archive)
            names.append(name)
            fitting = [(pattern, target) for pattern, target in place if fnmatchcase(name, pattern)]
            for target in dict.fromkeys(target for _, target in fitting):
                with _target(folder, name, target).open("wb") as output:
                    shutil.copyfileobj(file(), output)
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


def put(path: Path, name: str, place: Place, folder: Path) -> bool:
    """Link a single file that is not an archive into a folder, or copy it where the disk has no hard links.

    Returns:
        Whether ``place`` names the file (by `name`, its name in the source).
    """
    targets = dict.fromkeys(target for pattern, target in place if fnmatchcase(name, pattern))
    for target in targets:
        output = _target(folder, name, target)
        try:
            os.link(path, output)
        except OSError:
            shutil.copyfile(path, output)
    return bool(targets)


def _target(folder: Path, name: str, target: str) -> Path:
    path = folder / (f"{target}{name}" if target.endswith("/") else target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return path


class _Opener:
    """A member of an archive, opened when it is called."""

    def __init__(self, archive: zipfile.ZipFile | tarfile.TarFile, member: zipfile.ZipInfo | tarfile.TarInfo) -> None:
        self._archive = archive
        self._member = member

    def __call__(self) -> IO[bytes]:
        if isinstance(self._archive, zipfile.ZipFile) and isinstance(self._member, zipfile.ZipInfo):
            return self._archive.open(self._member)
        if isinstance(self._archive, tarfile.TarFile) and isinstance(self._member, tarfile.TarInfo):
            found = self._archive.extractfile(self._member)
            if found is not None:
                return found
        raise TypeError("a member of another archive")


def _members(archive: Path) -> Iterator[tuple[str, _Opener]]:
    """Yield name and opener of each regular file of an archive; links and devices are skipped."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                if not member.is_dir():
                    yield member.filename, _Opener(opened, member)
        return
    with tarfile.open(archive) as unrolled:
        for entry in unrolled:
            if entry.isfile():
                yield entry.name.removeprefix("./"), _Opener(unrolled, entry)


def _refuse_traversal(name: str, archive: Path) -> None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if ".." in parts or name.startswith(("/", "\\")) or ":" in name.split("/", maxsplit=1)[0]:
        raise DataError(
            f"holds a file '{name}', which would be unpacked outside the target folder",
            path=archive,
            hint="Do not use this archive; delete it and report it to its publisher",
        )


@contextmanager
def _archive_errors(archive: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, RuntimeError, OSError) as error:
        # zipfile raises RuntimeError for encrypted members and for compression that it does not know.
        if isinstance(error, OSError) and error.errno is not None:
            raise  # an error of the disk: those of bz2 and gzip have no number
        reason = str(error).splitlines()[0].rstrip(":")
        raise DataError(
            f"is damaged or not an archive ({reason})", path=archive, hint="Delete it and fetch again"
        ) from error
