"""Which configuration a results folder belongs to: one file, known by its place, whatever name the study has.

The record of the owner is a hidden file of the folder. It holds the way from the folder to the configuration, so that
both may be copied or moved together, and a digest of its contents, so that it may be moved alone.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from adaptstilts.config.load import IN_MEMORY
from adaptstilts.engine.journal import LOGS_FOLDER
from adaptstilts.errors import StoreError
from adaptstilts.files import check_file, read_bytes, what_instead
from adaptstilts.formatting import system_reason
from adaptstilts.json_text import JsonError, parse_json
from adaptstilts.shipped import shipped_configs
from adaptstilts.store.json_files import replace_json
from adaptstilts.store.stage import StageKind
from adaptstilts.store.store import Store
from adaptstilts.study.study import Study

OWNER_FILE, HISTORY_FILE, _LOCK_FILE = ".study.json", "history.jsonl", ".study.lock"
_FROM_PACKAGE = "adaptstilts:"
_LOCK_SECONDS = 60.0
_REPORT_SUFFIXES = (".md", ".csv", ".png")
"""Ends of the names of a report's files."""
_MOST_BYTES = 1 << 20
_HINT = "Set results=FOLDER."


@dataclass(frozen=True)
class Owner:
    """A configuration to which a results folder belongs.

    Attributes:
        config: The way from the folder to its file; ``adaptstilts:NAME`` for one of the package, ``<dict>`` for
            settings from Python.
        sha256: Digest of the file as it was read; empty where there is none.
    """

    config: str
    sha256: str = ""

    def text(self, folder: Path) -> str:
        """Return its name for people."""
        if self.config.startswith(_FROM_PACKAGE):
            return f"the configuration '{self.config.removeprefix(_FROM_PACKAGE)}' of the package"
        return "settings from Python" if self.config == str(IN_MEMORY) else str(self.file(folder))

    def file(self, folder: Path) -> Path:
        """Return the place of its file."""
        return Path(os.path.normpath(folder.resolve() / self.config))


def owner_of(study: Study) -> Owner:
    """Return the configuration of a study as an owner of its results folder."""
    path = study.origin.path
    if path is None or path == IN_MEMORY:
        return Owner(str(IN_MEMORY))
    file = (path if study.base is None else study.base / path).resolve()
    if file in {shipped.resolve() for shipped in shipped_configs()}:
        return Owner(f"{_FROM_PACKAGE}{file.stem}", study.origin.sha256)
    return Owner(_way(study.results_folder.resolve(), file), study.origin.sha256)


def check_results_folder(study: Study) -> None:
    """Check, before any work and without making anything, that a study may and can write its results folder.

    Raises:
        StoreError: If it belongs to another configuration, cannot be written, or is among the artefacts.
    """
    folder = study.results_folder
    check_writable(folder, _HINT)
    if folder.is_dir():
        names = sorted(path.name for path in folder.iterdir() if path.suffix in _REPORT_SUFFIXES)
        for name in (OWNER_FILE, HISTORY_FILE, _LOCK_FILE, *names):
            check_file(folder / name, StoreError, "Remove it, or set another results=FOLDER.")
        _check_owner(folder, owner_of(study))
    _check_beside_artefacts(folder, study.store)


def check_writable(folder: Path, hint: str) -> None:
    """Check, without making anything, that a folder can be written, or made.

    Raises:
        StoreError: If it cannot; ``hint`` says what to do.
    """
    above = folder
    try:
        while not above.exists() and above != above.parent:
            if above.is_symlink():
                raise StoreError("is a link that leads nowhere", path=above, hint=hint)
            above = above.parent
    except OSError as error:
        raise unwritable(folder, error, hint) from error
    if not above.is_dir():
        raise StoreError(f"is {what_instead(above) or 'a file'}, not a folder", path=above, hint=hint)
    if not os.access(above, os.W_OK | os.X_OK):
        raise unwritable(above, PermissionError(errno.EACCES, os.strerror(errno.EACCES)), hint)


def _check_beside_artefacts(folder: Path, store: Store) -> None:
    """Refuse a results folder among the folders of a store: `store gc` and others take what lies there for its own."""
    place, root = folder.resolve(), store.root.resolve()
    own = place.relative_to(root).parts[:1] if place.is_relative_to(root) else ()
    if own and (own[0] in {LOGS_FOLDER, *StageKind} or own[0].startswith(".")):
        problem = f"is in {root / own[0]}, a folder of the store"
        raise StoreError(problem, path=folder, hint="Set another results=FOLDER, or name=NAME.")


def claim_results_folder(study: Study) -> None:
    """Make the results folder of a study and write down whose it is.

    Raises:
        StoreError: If it belongs to another configuration, or cannot be written.
    """
    with writing_results(study):
        pass


@contextmanager
def writing_results(study: Study) -> Iterator[Owner]:
    """Keep others from writing the results folder of a study, which is made if missing, and claim it.

    Yields:
        The owner.

    Raises:
        StoreError: If it belongs to another configuration, or cannot be written.
    """
    folder, owner = study.results_folder, owner_of(study)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            if _check_owner(folder, owner) != owner:
                replace_json(folder / OWNER_FILE, {"config": owner.config, "sha256": owner.sha256})
            yield owner
    except Timeout as error:
        problem = f"another process has been writing this report for {_LOCK_SECONDS:.0f} seconds"
        raise StoreError(problem, path=folder, hint="Wait for it, then: adaptstilts report CONFIG.") from error
    except OSError as error:
        raise unwritable(Path(error.filename2 or error.filename or folder), error) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / _LOCK_FILE, timeout=_LOCK_SECONDS)
    try:
        lock.acquire()
    except (NotImplementedError, PermissionError):  # a file system without locks; the lock of another user
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _check_owner(folder: Path, own: Owner) -> Owner | None:
    """Return the owner of a folder; None if it has none yet, or if its record cannot be read."""
    known = _read_owner(folder)
    if known is None or known.config == own.config or _has_moved(folder, known, own):
        return known
    hint = (
        "Give the study another name (name=NAME), or its results another place (results=FOLDER). If it is the same "
        f"study, whose configuration was moved and changed, remove {folder / OWNER_FILE}."
    )
    problem = f"holds the results of {known.text(folder)}, not of {own.text(folder)}"
    raise StoreError(problem, path=folder, hint=hint)


def _has_moved(folder: Path, known: Owner, own: Owner) -> bool:
    """Say whether the owner's file is no longer where it was, and has the contents of the one that asks."""
    is_file = not known.config.startswith(_FROM_PACKAGE) and known.config != str(IN_MEMORY)
    return is_file and known.sha256 == own.sha256 != "" and not known.file(folder).exists()


def _read_owner(folder: Path) -> Owner | None:
    path = folder / OWNER_FILE
    try:
        found = parse_json(read_bytes(path, _MOST_BYTES, StoreError))
    except (FileNotFoundError, NotADirectoryError, JsonError):
        return None
    config, sha256 = (found.get("config"), found.get("sha256")) if isinstance(found, dict) else (None, None)
    return Owner(config, sha256) if isinstance(config, str) and isinstance(sha256, str) else None


def _way(folder: Path, file: Path) -> str:
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # on another drive
        return file.as_posix()


def unwritable(place: Path, error: OSError, hint: str = _HINT) -> StoreError:
    """Return the error for a results folder, or a place in it, that cannot be written."""
    return StoreError(f"cannot be written: {system_reason(error)}", path=place, hint=hint)
