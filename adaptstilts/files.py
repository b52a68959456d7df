"""Files that other people made: opened only if they are ordinary files, and read up to a limit.

Pipes and devices never end or never answer, and a link can lead to itself. All of them would otherwise stop a command
without a word, or be told as a symptom.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from adaptstilts.errors import AdaptstiltsError, ConfigError, DataError
from adaptstilts.formatting import size_text

_LONGEST_NAME = 255
"""Bytes; the limit of all common file systems."""
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


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
