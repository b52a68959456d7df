"""Folders at fsspec addresses: the few operations that a shared store needs, with plain errors.

fsspec and the package for a file system are imported only when an address is used.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from glob import has_magic
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any

from adaptstilts.addresses import HIDDEN, keep_secret, shown_address
from adaptstilts.errors import AdaptstiltsError, StoreError, WriteError

LOCAL_PROTOCOLS = ("file://", "local://")
_PACKAGES = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs",
    "adl": "adlfs", "ssh": "paramiko", "sftp": "paramiko", "hdfs": "pyarrow", "oss": "ossfs", "oci": "ocifs",
    "smb": "smbprotocol", "webdav": "webdav4", "hf": "huggingface_hub", "http": "aiohttp", "https": "aiohttp",
    "box": "boxfs", "lakefs": "lakefs-spec", "tos": "tosfs",
}  # fmt: skip
"""Package to install, by protocol of an address."""
_BACKENDS = frozenset(
    {"fsspec", "botocore", "aiobotocore", "s3fs", "gcsfs", "google", "aiohttp", "azure", "adlfs", "paramiko",
     "requests", "ossfs", "oss2", "ocifs", "oci", "smbprotocol", "webdav4", "httpx", "huggingface_hub", "ftplib"}
)  # fmt: skip
"""Packages whose errors mean that an address cannot be used, not a bug of this package."""
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR})


def is_address(location: str) -> bool:
    """Return whether a store's location is an address rather than a path."""
    return "://" in location and not location.startswith(LOCAL_PROTOCOLS)


class Remote:
    """A folder at an address that fsspec supports.

    Pickles as its address: every process opens its own connection. After `through_environment`, pickles name the
    variable that holds the address, and no file that keeps one holds what logs in.

    Args:
        address: For example ``s3://bucket/folder``.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/") if not address.endswith("://") else address
        self.shown = shown_address(self.address)
        keep_secret(self.address)

    def through_environment(self) -> None:
        """Hand the address to processes started from now on in an environment variable, if anything in it logs in."""
        if self.shown != self.address:
            os.environ[_variable(self.shown)] = self.address

    def __getstate__(self) -> dict[str, str]:
        """Return the address; where the environment holds it, without what logs in."""
        is_handed_on = os.environ.get(_variable(self.shown)) == self.address
        return {"address": self.shown if is_handed_on else self.address, "shown": self.shown}

    def __setstate__(self, state: dict[str, str]) -> None:
        """Take the address from a pickle, or from the environment variable in which it was handed on."""
        self.shown = state["shown"]
        self.address = os.environ.get(_variable(self.shown), state["address"])
        keep_secret(self.address)

    def path(self, *parts: str) -> str:
        """Return a path of the file system."""
        with self._plainly():
            base = str(self._connect()[1]).rstrip("/")
            return "/".join((base, *parts))
        raise AssertionError("unreachable")

    def read(self, *parts: str, most_bytes: int | None = None) -> bytes | None:
        """Return a file's content, or its first bytes, or None if there is no such file."""
        bound = {} if most_bytes is None else {"start": 0, "end": most_bytes}
        with self._plainly(*parts):
            try:
                content: bytes = self._fresh().cat_file(self.path(*parts), **bound)
            except OSError as error:
                if not _is_absent(error):
                    raise
                return None
            return content
        raise AssertionError("unreachable")

    def read_many(
        self,
        names: Iterable[str],
        *,
        on_error: Callable[[str, StoreError], object] | None = None,
        most_bytes: int | None = None,
    ) -> dict[str, bytes]:
        """Return the contents of several files by name, in as few requests as the file system allows.

        Missing files are left out; one that cannot be read is an error, since it may well exist.

        Args:
            on_error: Receives the name of each file that cannot be read, and the error; None to raise the first.
            most_bytes: Bytes from the start of each file; None for all.
        """
        with self._plainly():
            paths = {self.path(name): name for name in names}
            plain = [path for path in paths if not has_magic(path)]  # fsspec takes others for patterns
            found = self._cat(plain, most_bytes) if plain else {}
        contents: dict[str, bytes] = {}
        for path, name in paths.items():
            try:
                content = self._content(name, found[path]) if path in found else self.read(name, most_bytes=most_bytes)
            except StoreError as error:  # noqa: PERF203 - one error must not hide the other files
                if on_error is None:
                    raise
                on_error(name, error)
            else:
                if content is not None:
                    contents[name] = content
        return contents

    def _cat(self, paths: list[str], most_bytes: int | None) -> dict[str, bytes | Exception]:
        """Return the contents of files by path, or their first bytes, each or the error in its place."""
        files = self._fresh()
        if most_bytes is None:
            return dict(files.cat(paths, on_error="return"))
        ends = [most_bytes] * len(paths)
        found = files.cat_ranges(paths, [0] * len(paths), ends, on_error="return")
        return dict(zip(paths, found, strict=True))

    def _content(self, name: str, found: bytes | Exception) -> bytes | None:
        """Return the content that fsspec has returned for a file; None if there is no such file; or raise its error."""
        with self._plainly(name):
            if isinstance(found, bytes):
                return found
            if not _is_absent(found):
                raise found
        return None

    def names(self, *parts: str) -> list[str]:
        """Return the names of all files below a folder, relative to the address; empty if it does not exist."""
        with self._plainly():
            base, files = f"{self.path()}/", self._fresh()
            try:
                return [path.removeprefix(base) for path in _all_files(files, self.path(*parts))]
            except OSError as error:
                if not _is_absent(error):
                    raise
                return []
        raise AssertionError("unreachable")

    def is_there(self) -> bool:
        """Return whether a folder exists at the address."""
        with self._plainly():
            path = self.path()
            try:
                found = self._fresh().ls(path, detail=True)
            except OSError as error:
                if not _is_absent(error):
                    raise
                return False
            return [(entry["name"], entry["type"]) for entry in found] != [(path, "file")]
        raise AssertionError("unreachable")

    def write(self, content: bytes, *parts: str) -> None:
        """Write a small file, replacing any other."""
        with self._plainly(writing=True):
            self._make_parent(parts)
            self._connect()[0].pipe_file(self.path(*parts), content)

    def create(self, content: bytes, *parts: str) -> bool:
        """Write a small file unless it exists, exclusively where the file system can; return whether it was written."""
        with self._plainly(writing=True):
            self._make_parent(parts)
            files, path = self._fresh(), self.path(*parts)
            try:
                if not _creates_as_fsspec(files):
                    with contextlib.suppress(TypeError, NotImplementedError, ValueError):  # has no such mode
                        files.pipe_file(path, content, mode="create")
                        return True
                return _create_file(files, path, content)
            except FileExistsError:
                return False
        raise AssertionError("unreachable")

    def upload(self, source: Path, *parts: str) -> None:
        """Copy a local file to the address."""
        with self._plainly(writing=True):
            self._make_parent(parts)
            self._connect()[0].put_file(str(source), self.path(*parts))

    def download(self, target: Path, *parts: str) -> bool:
        """Copy a file from the address to this machine; return whether it existed."""
        with self._plainly(*parts):
            try:
                self._fresh().get_file(self.path(*parts), str(target))
            except FileNotFoundError:
                return False
            return True
        raise AssertionError("unreachable")

    def blocks(self, *parts: str, size: int = 1 << 20) -> Iterator[bytes]:
        """Yield a file's content block by block; nothing if it does not exist."""
        with self._plainly(*parts):
            try:
                file = self._fresh().open(self.path(*parts), "rb")
            except FileNotFoundError:
                return
            with file:
                while block := file.read(size):
                    yield block

    def delete(self, *parts: str) -> None:
        """Remove a file or folder, if it exists."""
        with self._plainly(writing=True), contextlib.suppress(FileNotFoundError):
            files, path = self._fresh(), self.path(*parts)
            is_folder = files.info(path)["type"] == "directory"
            if not has_magic(path):
                files.rm(path, recursive=is_folder)  # some refuse to remove a file recursively
                return
            for name in [*_all_files(files, path)] if is_folder else [path]:  # fsspec takes the path for a pattern
                files.rm_file(name)

    def _make_parent(self, parts: tuple[str, ...]) -> None:
        self._connect()[0].makedirs(self.path(*parts[:-1], *parts[-1].split("/")[:-1]), exist_ok=True)

    def _fresh(self) -> Any:  # noqa: ANN401 - a file system of fsspec
        """Return the file system without its cache, since other machines may have changed files."""
        files = self._connect()[0]
        files.invalidate_cache()
        return files

    def _connect(self) -> tuple[Any, str]:
        import fsspec.core  # noqa: PLC0415 - only for stores that are addresses

        protocol = self.address.partition("://")[0].rpartition("::")[2]
        if HIDDEN in self.address:
            hint = "Put user and password in its place, or leave both out where its package finds them by itself."
            raise StoreError(f"{self.shown}: {HIDDEN} stands for what logs in", key="store", hint=hint)
        try:
            files, path = fsspec.core.url_to_fs(self.address)
        except ImportError as error:
            hint = f"pip install {_PACKAGES.get(protocol, protocol)}"
            raise StoreError(
                f"{self.shown}: the package for '{protocol}://' addresses is not installed", key="store", hint=hint
            ) from error
        except TypeError as error:  # the address lacks a part that the file system needs, such as a host
            raise StoreError(f"{self.shown}: not a complete address: {error}", key="store") from error
        except ValueError as error:
            from fsspec.registry import known_implementations  # noqa: PLC0415

            raise StoreError(
                f"{self.shown}: {error}", key="store", value=protocol, allowed=sorted(known_implementations)
            ) from error
        return files, path

    def _plainly(self, *parts: str, writing: bool = False) -> _Plainly:
        return _Plainly("/".join((self.shown, *parts)), writing=writing)


class _Plainly(contextlib.AbstractContextManager[None]):
    """Turns errors of a file system and its package into `StoreError` and `WriteError`."""

    def __init__(self, shown: str, *, writing: bool) -> None:
        self._shown = shown
        self._writing = writing

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Translate an error of the system, or one that fsspec or the package of a file system lets pass."""
        if not isinstance(error, Exception) or isinstance(error, AdaptstiltsError):
            return
        if not isinstance(error, OSError | EOFError) and not _is_of_backend(error, trace):
            return
        reason = " ".join(str(error).split()) or type(error).__name__
        verb = "written" if self._writing else "read"
        hint = "Check the address, the network, and the credentials its package looks for."
        raise (WriteError if self._writing else StoreError)(
            f"{self._shown}: cannot be {verb}: {reason}", hint=hint
        ) from error


def _is_of_backend(error: Exception, trace: TracebackType | None) -> bool:
    """Return whether an error belongs to the package of a file system, or has come through its functions."""
    modules = [type(error).__module__, *(frame.f_globals.get("__name__", "") for frame, _ in walk_tb(trace))]
    return any(module.partition(".")[0] in _BACKENDS for module in modules)


def _variable(shown: str) -> str:
    """Return the environment variable that holds an address, by the address as it is shown."""
    return f"ADAPTSTILTS_ADDRESS_{hashlib.sha256(shown.encode()).hexdigest()[:12].upper()}"


def _is_absent(error: BaseException) -> bool:
    """Return whether an error, which may be the file system's own, means that a file or folder does not exist."""
    is_builtin = isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError)
    return is_builtin or (isinstance(error, OSError) and error.errno in _ABSENT)


def _all_files(files: Any, folder: str) -> Iterator[str]:  # noqa: ANN401 - a file system of fsspec
    """Yield the paths of all files below a folder.

    fsspec's generic search treats a folder that cannot be listed as empty. Object stores have their own search, which
    raises an error and lists a thousand files per request.
    """
    if not _searches_as_fsspec(type(files)):
        yield from files.find(folder)
        return
    for entry in files.ls(folder, detail=True):
        path = entry["name"].rstrip("/")
        if entry["type"] != "directory":
            yield path
        elif path != folder:
            try:
                yield from _all_files(files, path)
            except OSError as error:
                if not _is_absent(error):  # removed meanwhile
                    raise


def _create_file(files: Any, path: str, content: bytes) -> bool:  # noqa: ANN401 - a file system of fsspec
    """Write a file unless it exists, exclusively where files can be opened so; return whether it has this content."""
    if files.exists(path):  # some file systems replace it all the same
        return False
    try:
        with files.open(path, "xb") as file:
            file.write(content)
    except (NotImplementedError, ValueError):  # has no such mode
        files.pipe_file(path, content)
    files.invalidate_cache()
    try:
        return bool(files.cat_file(path) == content)
    except OSError as error:
        if not _is_absent(error):
            raise
        return False  # another process has removed it since


def _creates_as_fsspec(files: Any) -> bool:  # noqa: ANN401 - a file system of fsspec
    """Return whether a file system creates files as fsspec does unless overridden, which is not exclusive."""
    from fsspec.spec import AbstractFileSystem  # noqa: PLC0415 - only for stores that are addresses

    return getattr(files.pipe_file, "__func__", None) is AbstractFileSystem.pipe_file


def _searches_as_fsspec(kind: Any) -> bool:  # noqa: ANN401 - a class of fsspec
    from fsspec.asyn import AsyncFileSystem  # noqa: PLC0415 - only for stores that are addresses
    from fsspec.spec import AbstractFileSystem  # noqa: PLC0415 - only for stores that are addresses

    return kind.find is AbstractFileSystem.find and getattr(kind, "_find", None) in {None, AsyncFileSystem._find}
