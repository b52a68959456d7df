"""What identifies a backbone: the files that decide what it computes and, on the hub, the commit that they are from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from adaptstilts.contents import content_hash
from adaptstilts.models.hub_models import known_commit
from adaptstilts.models.model_files import TOKENIZER_FILES
from adaptstilts.models.weight_files import INDEX, WEIGHTS, shard_names

FileHashes = tuple[tuple[str, str], ...]
"""Names of files with the SHA-256 of each."""


def deciding_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of a backbone's folder that decide what it computes: config.json, weights, tokenizer.

    Raises:
        CheckpointError: If the index of sharded weights names a file outside the folder, or one that is not there.
    """
    names = ["config.json", WEIGHTS]
    if not (folder / WEIGHTS).exists() and (folder / INDEX).is_file():
        names = ["config.json", INDEX, *shard_names(folder / INDEX, ".safetensors")]
    return tuple(folder / name for name in (*names, *TOKENIZER_FILES) if (folder / name).is_file())


def file_hashes(folder: Path, *, certain: bool = False) -> FileHashes:
    """Return the deciding files of a backbone's folder with the SHA-256 of each.

    Args:
        certain: See `content_hash`.
    """
    return tuple((path.name, content_hash(path, certain=certain)) for path in deciding_files(folder))


def fingerprint_of(hashes: Iterable[tuple[str, str]]) -> str:
    """Return the fingerprint of a backbone's folder with these files: a SHA-256."""
    return hashlib.sha256("".join(f"{sha256}  {name}\n" for name, sha256 in hashes).encode()).hexdigest()


def hub_fingerprint(name: str, revision: str | None = None) -> str:
    """Return the fingerprint of a backbone on the hub: its id and its commit, or its revision until that is known."""
    commit = known_commit(name, revision)
    return f"{name}@{commit}" if commit is not None else f"{name}@{revision or 'main'}, commit not known yet"


def fingerprint(location: str, revision: str | None = None) -> str:
    """Return what identifies a backbone by its content.

    Args:
        location: A folder or a hub id, as `locate_backbone` returns it.
        revision: Revision of a hub id.

    Raises:
        CheckpointError: See `deciding_files`.
    """
    folder = Path(location)
    return fingerprint_of(file_hashes(folder)) if folder.is_dir() else hub_fingerprint(location, revision)
