"""Files that other people made: opened only if they are ordinary files, read up to a limit, and named below a folder.

Pipes and devices never end or never answer, and a link can lead to itself. All of them would otherwise stop a command
without a word, or be told as a symptom.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from adaptstilts.errors import UNREADABLE_HINT, AdaptstiltsError, ConfigError, DataError
from adaptstilts.formatting import cut, size_text, system_reason

_MAGIC = (
    (b"\x1f\x8b", "is compressed (gzip): unpack it"),
    (b"PK\x03\x04", "is a zip archive: unpack it"),
    (b"BZh", "is compressed (bzip2): unpack it"),
    (b"\xfd7zXZ\x00", "is compressed (xz): unpack it"),
    (b"\x28\xb5\x2f\xfd", "is compressed (zstd): unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive: unpack it"),
    (b"Rar!\x1a\x07", "is a rar archive: unpack it"),
    (b"PAR1", "is a parquet file under another name: call it .parquet"),
    (b"ARROW1", "is an Arrow file under another name: call it .arrow"),
    (b"\xff\xff\xff\xff", "is an Arrow file under another name: call it .arrow"),
    (b"%PDF-", "is a PDF document: export its content as text"),
    (b"\xff\xfe\x00\x00", "is UTF-32 text: convert it to UTF-8"),
    (b"\x00\x00\xfe\xff", "is UTF-32 text: convert it to UTF-8"),
    (b"\xff\xfe", "is UTF-16 text: convert it to UTF-8"),
    (b"\xfe\xff", "is UTF-16 text: convert it to UTF-8"),
)
"""First bytes of files that are no UTF-8 text, and what to say of them; a longer beginning stands before a shorter."""
_STAND_INS = (
    (
        re.compile(rb"version https://git-lfs\.github\.com/spec/"),
        "is a pointer of Git LFS: fetch the file (git lfs pull)",
    ),
    (
        re.compile(rb"(\.git|(\.\./)+\.git)?/annex/objects/"),
        "is a pointer of git-annex: fetch the file (git annex get)",
    ),
    (
        re.compile(rb"<!doctype\s+html|<html[\s>]|<head[\s>]", re.IGNORECASE),
        "is a web page (HTML): download the file again",
    ),
    (re.compile(rb"<\?xml[\s?]", re.IGNORECASE), "is an XML document: download the file again"),
)
"""Beginnings of texts that stand in place of a file, behind blank characters, and what to say of them."""
_TAR_MARK = slice(257, 262)
BEGINNING = 4096
"""Bytes of a file from which `cause_of` can tell what it is."""

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
_ADDRESS = re.compile(r"(?:\w+::)*[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
_LONGEST_NAME = 255
"""Bytes of the longest name of a file or folder, in nearly every file system."""
_LONGEST_PATH = 1_000
"""Bytes of the longest path that somebody else may choose below a folder."""
_ENDING = ".part.json"
"""The longest of the endings that are added to a name while its file is written."""


def what_instead(path: Path) -> str | None:
    """Say what stands at a path in place of an ordinary file; None for a file, or where there is nothing.

    Returns:
        Such as ``a named pipe``; links are followed.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "a link that leads to itself"
        return "a link that leads nowhere" if error.errno == errno.ENOENT and path.is_symlink() else None
    except ValueError:  # a name with a zero byte
        return None
    return None if stat.S_ISREG(mode) else next((what for is_kind, what in _KINDS if is_kind(mode)), "no file")


def expanded(path: Path | str) -> Path:
    """Return a path in which a leading ``~`` is the home folder.

    Raises:
        ConfigError: If there is no such user, or the user has no home folder; if it is too long for a file system.
    """
    try:
        found = Path(path).expanduser()
    except RuntimeError as error:
        raise ConfigError("there is no home folder for its ~", path=path, hint="Write the whole path.") from error
    longest = max((len(part.encode("utf-8", "surrogatepass")) for part in found.parts), default=0)
    if longest > _LONGEST_NAME:
        problem = f"a name of {longest:,} bytes is too long for a file or folder"
        raise ConfigError(problem, path=str(path)[:_LONGEST_NAME], allowed=(f"at most {_LONGEST_NAME}",))
    return found


def local_path(path: Path | str, key: str) -> Path:
    """Return the path that a setting or an argument names; a folder named like an address is never made.

    Raises:
        ConfigError: If it is an address; as `expanded`.
    """
    if _ADDRESS.match(str(path)):
        is_whole = "://" in str(path)
        problem = "is an address, not a path of this machine" if is_whole else "is neither a path nor an address"
        hint = "Give a file or folder of this machine."
        two = "An address has two slashes, as in s3://bucket/folder; in Python it is a text, not a pathlib.Path."
        raise ConfigError(f"'{path}' {problem}", key=key, hint=hint if is_whole else two)
    return expanded(path)


def check_file(
    path: Path, error: type[AdaptstiltsError] = DataError, hint: str = "Put an ordinary file there."
) -> None:
    """Refuse a path at which something other than an ordinary file stands; a missing one is left to the caller.

    Raises:
        AdaptstiltsError: Of the class `error`.
    """
    found = what_instead(path)
    if found is not None:
        raise error(f"is {found}, not a file", path=path, hint=hint)


def read_bytes(
    path: Path, most_bytes: int, error: type[AdaptstiltsError] = DataError, hint: str = "Put an ordinary file there."
) -> bytes:
    """Read a whole file of bounded size.

    Raises:
        AdaptstiltsError: Of the class `error`, if it is not an ordinary file, is larger, or cannot be read.
        FileNotFoundError: If there is none.
    """
    try:
        with open_file(path, error, hint) as file:
            content = file.read(most_bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as fault:
        raise error(f"cannot be read: {system_reason(fault)}", path=path, hint=UNREADABLE_HINT) from fault
    if len(content) > most_bytes:
        raise error(f"is longer than {size_text(most_bytes)}, the most that is read", path=path, hint=hint)
    return content


def cause_of(first_bytes: bytes, *, has_lines: bool = True, is_text: bool = True) -> str | None:
    """Say what a file really is that cannot be read as what it should be, and what to do; None where nothing is known.

    Args:
        first_bytes: The first `BEGINNING` bytes, or all of a shorter file.
        has_lines: Whether line ends separate its rows, which they do not in a JSON document.
        is_text: Whether it should be UTF-8 text, which has no zero bytes.

    Returns:
        What follows the name of the file, such as ``is compressed (gzip): unpack it``.
    """
    found = next((cause for start, cause in _MAGIC if first_bytes.startswith(start)), None)
    if found is not None:
        return found
    if first_bytes[_TAR_MARK] == b"ustar":
        return "is a tar archive: unpack it"
    if is_text and b"\0" in first_bytes:
        return _cause_of_zeros(first_bytes)
    text = first_bytes.removeprefix(b"\xef\xbb\xbf").lstrip()
    found = next((cause for start, cause in _STAND_INS if start.match(text)), None)
    if found is None and has_lines and b"\r" in first_bytes and b"\n" not in first_bytes:
        return "has carriage returns (CR) alone as line ends: convert them to line feeds (LF)"
    return found


def _cause_of_zeros(first_bytes: bytes) -> str:
    """Tell UTF-16 without a mark, in which every other byte of a Latin text is zero, from what is no text."""
    even, odd = first_bytes[::2], first_bytes[1::2]
    if abs(even.count(0) - odd.count(0)) > 0.3 * len(even):
        return "is UTF-16 text: convert it to UTF-8"
    return "is no text (it holds zero bytes): put the right file there"


def is_below(name: str) -> bool:
    """Return whether a name that somebody else chose is a relative path that stays below the folder it is joined to."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return (
        bool(parts)
        and ".." not in parts
        and not name.startswith(("/", "\\"))
        and ":" not in parts[0]
        and "\0" not in name
        and not is_too_long(name)
    )


def is_too_long(name: str) -> bool:
    """Return whether a relative path is too long for a file system, whatever folder it is joined to."""
    lengths = [len(part) for part in name.encode("utf-8", "surrogatepass").split(b"/")]
    return max(lengths) > _LONGEST_NAME or sum(lengths) + len(lengths) > _LONGEST_PATH


def below(folder: Path, name: str, error: type[AdaptstiltsError] = DataError, *, source: Path | str) -> Path:
    """Join a folder and a name that somebody else chose; the place to write to is really below the folder.

    Args:
        source: File, address or repository that the name is from.

    Raises:
        AdaptstiltsError: Of the class `error`, if the name, or a link on the way, leads out of the folder.
    """
    if is_too_long(f"{name}{_ENDING}"):
        problem = f"names a file '{cut(name)}', which is too long for the name of a file"
        raise error(problem, path=source, hint="Give the file a shorter name, or another address.")
    if not is_below(name):
        raise error(
            f"names a file '{name}', which would be placed outside the target folder",
            path=source,
            hint="Do not use it; report it to its publisher.",
        )
    path, top = folder / name, folder.resolve()
    for place in reversed([parent for parent in path.parents if parent != folder and parent.is_relative_to(folder)]):
        if place.is_symlink() and not place.resolve().is_relative_to(top):
            raise error(
                f"is a link that leads out of {folder}, where '{name}' of {source} belongs",
                path=place,
                hint="Put an ordinary folder there.",
            )
    return path


def clear(path: Path, *, ignore_errors: bool = False) -> None:
    """Remove whatever stands at a path: a folder with all in it, a file, a pipe, or a link, but not where it leads.

    Raises:
        OSError: If it cannot be removed and errors are not ignored.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=ignore_errors)
        return
    with contextlib.suppress(OSError if ignore_errors else FileNotFoundError):
        path.unlink()


def open_file(
    path: Path, error: type[AdaptstiltsError] = DataError, hint: str = "Put an ordinary file there."
) -> BinaryIO:
    """Open an ordinary file for reading; a pipe that has taken its place since it was looked at is not waited for.

    Raises:
        AdaptstiltsError: Of the class `error`, if it is not an ordinary file.
        OSError: If there is none, or it cannot be opened.
    """
    check_file(path, error, hint)
    file = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb")
    if not os.fstat(file.fileno()).st_size:
        try:
            os.read(file.fileno(), 1)
            file.seek(0)
        except BlockingIOError as waits:
            file.close()
            raise error("is a file of the system whose content never ends", path=path, hint=hint) from waits
    return file
