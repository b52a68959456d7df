"""Manifests of artefacts: their content, reading and checking them, and durable writing of files."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from adaptstilts.contents import content_hash
from adaptstilts.errors import DamagedError, StoreError, WriteError

MANIFEST = "manifest.json"
FEWEST_DIGITS = 4
"""Digits of a key that a person must give at least."""
KEY_DIGITS = 16
"""Digits of a key in the names of folders and claims."""
_FIELDS: dict[str, type | tuple[type, ...]] = {"key": str, "files": dict, "inputs": list, "seconds": (int, float)}
_LATER_FIELDS: dict[str, type] = {
    "format": int, "name": str, "slug": str, "kind": str, "host": str, "upload": str, "job": dict, "environment": dict,
}  # fmt: skip
"""Fields that manifests of older formats, or outside addresses, lack."""
_HASH = re.compile(r"[0-9a-f]{64}")
_NO_FOLDER_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES})
_NO_SEAL = "0" * 64

Files = dict[str, dict[str, Any]]
"""``bytes`` and ``sha256`` by a file's path inside its artefact."""


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest in a file.

    Raises:
        DamagedError: If it is not a manifest.
        StoreError: If it exists and cannot be read.
        FileNotFoundError: If it does not exist.
    """
    try:
        return parse_manifest(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise unreadable(error, path) from error
    except ValueError as error:
        raise DamagedError(f"damaged: {error}", path=path, folder=path.parent) from error


def parse_manifest(content: bytes) -> dict[str, Any]:
    """Return the manifest in a text.

    Raises:
        ValueError: If it is not one; the message gives the reason.
    """
    text = content.decode("utf-8")
    manifest = json.loads(text)
    if not isinstance(manifest, dict):
        raise ValueError("not a manifest")
    if manifest.pop("seal", None) != (_seal(text) if "format" in manifest else None):
        raise ValueError("its text has changed since it was written")
    for name, kind in _FIELDS.items():
        if not _is_a(manifest.get(name), kind):
            raise ValueError(f"not a manifest: '{name}' is missing or of another type")
    for name in _LATER_FIELDS.keys() & manifest.keys():
        if not _is_a(manifest[name], _LATER_FIELDS[name]):
            raise ValueError(f"not a manifest: '{name}' is of another type")
    if not all(isinstance(key, str) for key in manifest["inputs"]):
        raise ValueError("not a manifest: 'inputs' holds something other than keys")
    for name, record in manifest["files"].items():
        if not is_inside(name):
            raise ValueError(f"not a manifest: '{name}' is not a path inside the artefact")
        if not isinstance(record, dict) or not _is_record(record):
            raise ValueError(f"not a manifest: the size or hash of '{name}' is missing")
    return manifest


def manifest_text(manifest: dict[str, Any]) -> str:
    """Return the text of a manifest, with its own hash as ``seal``: it vouches for the files and for itself."""
    text = json.dumps({**manifest, "seal": _NO_SEAL}, indent=2, sort_keys=True, ensure_ascii=False)
    return text.replace(f'"seal": "{_NO_SEAL}"', f'"seal": "{_seal(text)}"')


def _seal(text: str) -> str:
    """Hash a manifest's text without its seal."""
    plain = re.sub(r'"seal": "[0-9a-f]{64}"', f'"seal": "{_NO_SEAL}"', text)
    return hashlib.sha256(plain.encode()).hexdigest()


def is_inside(name: str) -> bool:
    """Return whether a name is a plain relative path that stays inside its folder."""
    parts = name.split("/")
    return bool(name) and "\\" not in name and "\0" not in name and not ({"", ".", ".."} & set(parts))


def _is_record(record: dict[str, Any]) -> bool:
    digits = record.get("sha256")
    return _is_a(record.get("bytes"), int) and isinstance(digits, str) and _HASH.fullmatch(digits) is not None


def _is_a(value: object, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def check_sizes(folder: Path, manifest: dict[str, Any]) -> None:
    """Compare the sizes of an artefact's files with those recorded; unrecorded files do not count.

    Raises:
        DamagedError: If a file is missing or has another size.
    """
    for name, record in manifest["files"].items():
        if _size(folder / name) != record["bytes"]:
            raise DamagedError("missing or cut short", path=folder / name, folder=folder)


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
            yield DamagedError("missing or cut short", path=path, folder=folder)
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
    return StoreError(f"cannot be read: {error.strerror or error}", path=error.filename or path, hint=hint)


def unwritable(error: OSError, place: Path | str) -> WriteError:
    """Return the error for a store, named by ``place``, that cannot be written."""
    named = error.filename2 or error.filename  # the target of a move
    where = f" ({named})" if named is not None else ""
    hint = "Set store=FOLDER, or make room; finished stages are kept."
    return WriteError(f"cannot be written: {error.strerror or error}{where}", path=place, hint=hint)


def _size(path: Path) -> int | None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        if path.is_file():
            return path.stat().st_size
    return None
