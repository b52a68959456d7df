"""Backbones of a plan: found by where they are, identified by what they hold."""

from __future__ import annotations

from pathlib import Path

from adaptstilts.contents import Pins
from adaptstilts.errors import ChangedError
from adaptstilts.models.fingerprints import deciding_files, file_hashes, fingerprint_of, hub_fingerprint
from adaptstilts.models.hub_models import cached_folder, check_blobs, known_commit
from adaptstilts.study.plan.jobs import BackboneRef


def backbone_at(location: str, revision: str | None = None) -> BackboneRef:
    """Identify a backbone by its content: the files of a folder, the commit of a hub id.

    Args:
        location: A folder or a hub id, as `adaptstilts.models.backbone.locate_backbone` returns it.
        revision: Revision of a hub id.
    """
    folder = Path(location)
    if folder.is_dir():
        files = file_hashes(folder)
        return BackboneRef(location, revision, fingerprint_of(files), files)
    return BackboneRef(location, known_commit(location, revision) or revision, hub_fingerprint(location, revision))


def backbone_files(backbone: BackboneRef) -> tuple[Path, ...]:
    """Return the files that decide what a backbone computes; of one on the hub those in its cache."""
    folder = Path(backbone.location)
    if not folder.is_dir():
        cached = cached_folder(backbone.location, backbone.revision)
        return () if cached is None else deciding_files(cached)
    return deciding_files(folder)


def check_backbone_content(backbone: BackboneRef, pins: Pins, problem: str) -> tuple[Path, ...]:
    """Compare a backbone with what it was when the study was planned, and hold its files to that.

    Args:
        pins: Receives the files.
        problem: What to say of a file that differs.

    Returns:
        Its files.

    Raises:
        ChangedError: If it differs; it names the first such file.
    """
    folder = Path(backbone.location)
    if not folder.is_dir():
        files = backbone_files(backbone)
        check_blobs(files)
        pins.check(files, problem)
        pins.pin(files)
        return files
    try:
        found = file_hashes(folder, certain=True)
    except OSError as error:
        raise ChangedError(problem, path=error.filename or folder) from error
    if fingerprint_of(found) != backbone.fingerprint:
        others = sorted(name for name, _ in set(found) ^ set(backbone.files))
        raise ChangedError(problem, path=folder / others[0] if others and backbone.files else folder)
    for name, sha256 in found:
        pins.hold(folder / name, sha256)
    return tuple(folder / name for name, _ in found)
