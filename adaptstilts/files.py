"""Files that other people made: opened only if they are ordinary files, read up to a limit, and named below a folder.

Pipes and devices never end or never answer, and a link can lead to itself. All of them would otherwise stop a command
without a word, or be told as a symptom.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path, PurePosixPath

from adaptstilts.errors import AdaptstiltsError, DataError
from adaptstilts.formatting import size_text

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
_LONGEST_NAME = 255
"""Bytes of the longest name of a file or folder, in nearly every file system."""


def what_instead(path: Path) -> str | None:
    """Say what stands at a path in place of an ordinary file; None for a file, or where there is nothing.

    Returns:
        Such as ``a named pipe``; links are followed.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return "a link that leads to itself" if error.errno == errno.ELOOP else None
    except ValueError:  # a name with a zero byte
        return None
    return None if stat.S_ISREG(mode) else next((what for is_kind, what in _KINDS if is_kind(mode)), "no file")


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
    check_file(path, error, hint)
    try:
        with os.fdopen(_open_without_waiting(path), "rb") as file:
            content = file.read(most_bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as fault:
        raise error(f"cannot be read ({fault.strerror})", path=path, hint=hint) from fault
    if len(content) > most_bytes:
        raise error(f"is longer than {size_text(most_bytes)}, the most that is read", path=path, hint=hint)
    return content


def _open_without_waiting(path: Path) -> int:
    """Open a file for reading; a pipe that has taken its place since it was looked at does not wait for a writer."""
    return os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))


def is_below(name: str) -> bool:
    """Return whether a name that somebody else chose is a relative path that stays below the folder it is joined to."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return (
        bool(parts)
        and ".." not in parts
        and not name.startswith(("/", "\\"))
        and ":" not in parts[0]
        and "\0" not in name
        and all(len(part.encode("utf-8", "surrogatepass")) <= _LONGEST_NAME for part in parts)
    )


def below(folder: Path, name: str, error: type[AdaptstiltsError] = DataError, *, source: Path | str) -> Path:
    """Join a folder and a name that somebody else chose; the place to write to is really below the folder.

    Args:
        source: File, address or repository that the name is from.

    Raises:
        AdaptstiltsError: Of the class `error`, if the name, or a link on the way, leads out of the folder.
    """
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


def clear(path: Path) -> None:
    """Remove what stands at a path that is about to be written: a file, a link (not what it leads to), or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
