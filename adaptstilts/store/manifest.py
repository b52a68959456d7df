"""Manifests of artefacts: their content, reading and checking them, and durable writing of files."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from adaptstilts.contents import content_hash
from adaptstilts.errors import DamagedError, StoreError, UnreadableError, WriteError
from adaptstilts.files import open_file, what_instead
from adaptstilts.formatting import size_text, system_reason
from adaptstilts.json_text import decoded, parse_json
from adaptstilts.store.manifest_fields import check_fields, check_length

MANIFEST = "manifest.json"
FEWEST_DIGITS = 4
"""Digits of a key that a person must give at least."""
KEY_DIGITS = 16
"""Digits of a key in the names of folders and claims."""
MOST_MANIFEST_BYTES = 128 * 2**20
"""Longest manifest that is read."""
_FOLDER_NAME = re.compile(rf".+-[0-9a-f]{{{KEY_DIGITS}}}", re.DOTALL)
_NO_FOLDER_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES})
_UNKNOWN = frozenset({errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE, errno.ETIMEDOUT})
"""Errors that do not say whether a file is there."""
_NO_SEAL = "0" * 64

Files = dict[str, dict[str, Any]]
"""``bytes`` and ``sha256`` by a file's path inside its artefact."""


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest in a file.

    Raises:
        DamagedError: If it is not a manifest.
        UnreadableError: If it exists and cannot be read.
        FileNotFoundError: If it does not exist.
    """
    found = what_instead(path)
    if found is not None:
        raise DamagedError(f"is {found}, not a manifest", path=path, folder=path.parent)
    try:
        with open_file(path, StoreError) as file:
            content = file.read(MOST_MANIFEST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise UnreadableError(f"cannot be read: {system_reason(error)}", path=path, folder=path.parent) from error
    try:
        return parse_manifest(content)
    except ValueError as error:
        raise DamagedError(f"damaged: {error}", path=path, folder=path.parent) from error


def read_placed(folder: Path) -> dict[str, Any]:
    """Return the manifest of the artefact in a folder, which its kind and key must fit.

    Raises:
        DamagedError: If it is not a manifest, or that of an artefact with another place.
        UnreadableError: If it exists and cannot be read.
        FileNotFoundError: If it does not exist.
    """
    manifest = read_manifest(folder / MANIFEST)
    is_in_place = manifest["key"].startswith(digits_of(folder)) and manifest.get("kind") in {None, folder.parent.name}
    if not is_in_place:
        raise DamagedError("the manifest belongs to another stage", path=folder / MANIFEST, folder=folder)
    return manifest


def digits_of(folder: Path | str) -> str:
    """Return the digits of the key in the name of an artefact's folder, or at the end of its address."""
    return Path(folder).name.rpartition("-")[2]


def has_manifest(folder: Path) -> bool:
    """Return whether a folder has a manifest that is an ordinary file; False where that cannot be seen."""
    return os.path.isfile(folder / MANIFEST)  # noqa: PTH113 - `Path.is_file` raises where a folder is closed


def is_artefact_name(name: str) -> bool:
    """Return whether a folder's name is that of an artefact: it ends with a hyphen and digits of a key."""
    return _FOLDER_NAME.fullmatch(name) is not None


def parse_manifest(content: bytes) -> dict[str, Any]:
    """Return the manifest in a text.

    Raises:
        ValueError: If it is not one; the message gives the reason.
    """
    if len(content) > MOST_MANIFEST_BYTES:
        raise ValueError(f"it is longer than {size_text(MOST_MANIFEST_BYTES)}, the most that is read")
    text = decoded(content)
    check_length(text)
    manifest = parse_json(text)
    if not isinstance(manifest, dict):
        raise ValueError("not a manifest")
    if manifest.pop("seal", None) != (_seal(text) if "format" in manifest else None):
        raise ValueError("its text has changed since it was written")
    check_fields(manifest, text)
    return manifest


def manifest_text(manifest: dict[str, Any]) -> str:
    """Return the text of a manifest, with its own hash as ``seal``: it vouches for the files and for itself."""
    text = json.dumps({**manifest, "seal": _NO_SEAL}, indent=2, sort_keys=True, ensure_ascii=False)
    return text.replace(f'"seal": "{_NO_SEAL}"', f'"seal": "{_seal(text)}"')


def _seal(text: str) -> str:
    """Hash a manifest's text without its seal."""
    plain = re.sub(r'"seal": "[0-9a-f]{64}"', f'"seal": "{_NO_SEAL}"', text)
    return hashlib.sha256(plain.encode()).hexdigest()


def check_sizes(folder: Path, manifest: dict[str, Any]) -> None:
    """Compare the sizes of an artefact's files with those recorded; unrecorded files do not count.

    Raises:
        DamagedError: If a file is missing, no ordinary file, or has another size.
        UnreadableError: If that cannot be seen.
    """
    for name, record in manifest["files"].items():
        path = folder / name
        try:
            is_whole = _size(path) == record["bytes"]
        except OSError as error:
            raise UnreadableError(f"cannot be read: {system_reason(error)}", path=path, folder=folder) from error
        if not is_whole:
            raise _not_whole(path, folder)


def select(files: Files, name: str) -> Files:
    """Return the records of a file, or of all files below a folder; an empty name selects all."""
    return {path: record for path, record in files.items() if not name or path == name or path.startswith(f"{name}/")}


def damages(
    folder: Path,
    files: Files,
    *,
    again: bool = False,
    certain: bool = False,
    on_bytes: Callable[[int], object] | None = None,
) -> Iterator[DamagedError]:
    """Compare an artefact's files with the hashes recorded; yield one error per damaged file.

    Args:
        files: Records of the files to read.
        again: Whether to read files again that this process has read.
        certain: Whether to read files again that had just been written when they were read.
        on_bytes: Called with the number of bytes read, block by block.
    """
    for name, record in files.items():
        path = folder / name
        if _size(path) != record["bytes"]:
            yield _not_whole(path, folder)
        elif content_hash(path, again=again, certain=certain, on_bytes=on_bytes) != record["sha256"]:
            yield DamagedError("damaged", path=path, folder=folder)


def inventory(folder: Path) -> Files:
    """Return size and SHA-256 of all files below a folder, by sorted relative path, once all are on the disk."""
    files: Files = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
        name = PurePosixPath(path.relative_to(folder)).as_posix()
        files[name] = {"bytes": path.stat().st_size, "sha256": content_hash(path, again=True)}
    for inner in sorted(path for path in folder.rglob("*") if path.is_dir()):
        sync_folder(inner)
    return files


def write_synced(path: Path, text: str) -> None:
    """Write a text atomically; it is on the disk when this returns."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk, on systems that support it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # systems that open no folders
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


def unreadable(error: OSError, path: Path) -> StoreError:
    """Return the error for a file of a store that exists and cannot be read."""
    hint = "Check its permissions and its disk."
    return StoreError(f"cannot be read: {system_reason(error)}", path=error.filename or path, hint=hint)


def unwritable(error: OSError, place: Path | str) -> WriteError:
    """Return the error for a store, named by ``place``, that cannot be written."""
    named = error.filename2 or error.filename  # the target of a move
    where = f" ({named})" if named is not None else ""
    hint = "Set store=FOLDER, or make room; finished stages are kept."
    return WriteError(f"cannot be written: {system_reason(error)}{where}", path=place, hint=hint)


def _size(path: Path) -> int | None:
    """Return the size of an ordinary file; None if there is none, or something else in its place."""
    try:
        status = path.stat()
    except OSError as error:
        if error.errno in _UNKNOWN:
            raise
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _not_whole(path: Path, folder: Path) -> DamagedError:
    found = what_instead(path)
    return DamagedError(
        "missing or cut short" if found is None else f"is {found}, not a file", path=path, folder=folder
    )
