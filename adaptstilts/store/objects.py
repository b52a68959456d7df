"""Small texts by name that several processes see, in a folder or at an address: what leases are made of."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol

from adaptstilts.errors import StoreError
from adaptstilts.files import open_file
from adaptstilts.store.manifest import unreadable
from adaptstilts.store.remote import Remote

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""Errors of a file system that has no hard links."""


_MOST_BYTES = 1 << 20
"""Bytes of a text that are read; leases have a few hundred."""


class Text(NamedTuple):
    """Content of an object, and when it was written by the clock of its place, if that has one."""

    text: str
    written: float | None


class Objects(Protocol):
    """Storage of small texts by name that several processes see."""

    place: str
    """Name of the place."""

    def create(self, name: str, text: str) -> bool:
        """Write a text unless the name is taken; return whether it was written."""
        ...

    def read(self, name: str) -> Text | None:
        """Return a text, or None if there is none.

        Raises:
            StoreError: If it cannot be read; names the object.
        """
        ...

    def read_all(self) -> Mapping[str, Text | StoreError]:
        """Return all texts by name, and the error in place of each that cannot be read."""
        ...

    def write(self, name: str, text: str) -> None:
        """Write a text, replacing any other."""
        ...

    def delete(self, name: str) -> None:
        """Remove a text, if there is one."""
        ...

    def now(self) -> float:
        """Return the time by the storage's clock, or by this machine's if it has none."""
        ...


class FolderObjects:
    """Texts in a folder of a file system; the folder is made with the first text.

    The clock is that of the machine that holds the file system, read off the time stamp of a newly written file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = str(folder)

    def create(self, name: str, text: str) -> bool:
        """See `Objects`; a text gets its name when it is complete, so that no crash leaves an empty one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        try:
            with self._written(name, text) as partial:
                os.link(partial, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return _create_in_place(path, text)
        return True

    def read(self, name: str) -> Text | None:
        """See `Objects`; the time is that of the open file, which makes a network file system ask its server again."""
        with contextlib.suppress(OSError):  # such as ESTALE: replaced on another machine between opening and reading
            return self._read(name)
        try:
            return self._read(name)
        except OSError as error:
            raise unreadable(error, self.folder / name) from error

    def read_all(self) -> Mapping[str, Text | StoreError]:
        """See `Objects`."""
        found: dict[str, Text | StoreError] = {}
        for name in sorted(os.listdir(self.folder)) if self.folder.is_dir() else ():  # noqa: PTH208 - names are enough
            try:
                text = self.read(name)
            except StoreError as error:  # noqa: PERF203 - one error must not hide the other texts
                found[name] = error
            else:
                if text is not None:
                    found[name] = text
        return found

    def write(self, name: str, text: str) -> None:
        """See `Objects`."""
        with self._written(name, text) as partial:
            partial.replace(self.folder / name)

    def delete(self, name: str) -> None:
        """See `Objects`."""
        (self.folder / name).unlink(missing_ok=True)

    def now(self) -> float:
        """See `Objects`; this machine's clock if the folder cannot be written."""
        return self._ahead + time.time()

    def _read(self, name: str) -> Text | None:
        try:
            with open_file(self.folder / name, StoreError, "Remove it.") as file:
                content = file.read(_MOST_BYTES)
                return Text(content.decode("utf-8", errors="replace"), os.fstat(file.fileno()).st_mtime)
        except (FileNotFoundError, NotADirectoryError):
            return None

    @contextlib.contextmanager
    def _written(self, name: str, text: str) -> Iterator[Path]:
        """Yield a file that holds a text; it is removed afterwards, if it is still there."""
        partial = self.folder / f"{name}.{os.getpid()}.{secrets.token_hex(4)}"
        try:
            with partial.open("x", encoding="utf-8") as file:
                file.write(text)
            yield partial
        finally:
            partial.unlink(missing_ok=True)

    @cached_property
    def _ahead(self) -> float:
        try:
            handle, name = tempfile.mkstemp(prefix=".clock-", dir=self.folder)
        except OSError:
            return 0.0
        try:
            return os.fstat(handle).st_mtime - time.time()
        finally:
            os.close(handle)
            Path(name).unlink(missing_ok=True)


def _create_in_place(path: Path, text: str) -> bool:
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        return False
    try:
        with file:
            file.write(text)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return True


class RemoteObjects:
    """Texts in a folder at an address, which has no clock.

    Args:
        remote: The address.
        folder: The folder's name there.
    """

    def __init__(self, remote: Remote, folder: str) -> None:
        self.remote = remote
        self.folder = folder
        self.place = f"{remote.shown}/{folder}"

    def create(self, name: str, text: str) -> bool:
        """See `Objects`."""
        return self.remote.create(text.encode(), self.folder, name)

    def read(self, name: str) -> Text | None:
        """See `Objects`."""
        content = self.remote.read(self.folder, name, most_bytes=_MOST_BYTES)
        return None if content is None else _text(content)

    def read_all(self) -> Mapping[str, Text | StoreError]:
        """See `Objects`."""
        errors: dict[str, StoreError] = {}
        contents = self.remote.read_many(
            self.remote.names(self.folder), on_error=errors.__setitem__, most_bytes=_MOST_BYTES
        )
        found: dict[str, Text | StoreError] = {name: _text(content) for name, content in contents.items()}
        return {name.rpartition("/")[2]: text for name, text in sorted({**found, **errors}.items())}

    def write(self, name: str, text: str) -> None:
        """See `Objects`."""
        self.remote.write(text.encode(), self.folder, name)

    def delete(self, name: str) -> None:
        """See `Objects`."""
        self.remote.delete(self.folder, name)

    def now(self) -> float:
        """See `Objects`."""
        return time.time()


def _text(content: bytes) -> Text:
    return Text(content.decode("utf-8", errors="replace"), None)
