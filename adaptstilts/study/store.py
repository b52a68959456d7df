"""The artefact store: one folder per finished stage, found by its content key.

A folder is written under a temporary name and renamed when complete; its manifest, written last, names the key, the
inputs, the environment, timings, and the size and SHA-256 of every file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptstilts.errors import DamagedError, WriteError
from adaptstilts.study.claims import claimed, is_claimed
from adaptstilts.study.stages import Stage, describe

MANIFEST = "manifest.json"
CLAIMS_FOLDER = ".claims"
_KEY_DIGITS = 16
_TEMPORARY = ".unfinished"
_NO_SEAL = "0" * 64


@dataclass(frozen=True)
class Artefact:
    """A finished stage's folder.

    Attributes:
        folder: Where it lies.
        manifest: What was written when it was finished.
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def seconds(self) -> float:
        """Wall time it took to make."""
        return float(self.manifest["seconds"])

    def file(self, name: str) -> Path:
        """Return a file or folder of the artefact.

        Raises:
            DamagedError: If it is not there.
        """
        path = self.folder / name
        if not path.exists():
            raise _damaged(f"the artefact lacks '{name}'", self.folder, self.folder)
        return path

    def read_json(self, name: str) -> Any:  # noqa: ANN401 - JSON values
        """Return a JSON file of the artefact.

        Raises:
            DamagedError: If it is missing or damaged.
        """
        path = self.file(name)
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise _damaged(f"damaged: {error}", path, self.folder) from error


class Store:
    """Artefacts below one folder.

    Args:
        root: The folder; made when the first artefact is written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, stage: Stage) -> Path:
        """Return where a stage's artefact lies or would lie."""
        parent = self.root / stage.kind.value
        digits = stage.key[:_KEY_DIGITS]
        found = sorted(parent.glob(f"*-{digits}")) if parent.is_dir() else []
        return found[0] if found else parent / f"{stage.slug}-{digits}"

    def find(self, stage: Stage) -> Artefact | None:
        """Return a stage's artefact, or None if it has not been made.

        Args:
            stage: The stage.

        Returns:
            The artefact, if it is finished.

        Raises:
            DamagedError: If its manifest is damaged, or a file is missing or of another size than recorded.
        """
        folder = self.folder(stage)
        path = folder / MANIFEST
        if not path.is_file():
            return None
        artefact = Artefact(folder, _read_manifest(path))
        if artefact.manifest.get("key") != stage.key:
            raise _damaged("the manifest is of another stage", path)
        for name, record in artefact.manifest["files"].items():
            file = folder / name
            if not file.is_file() or file.stat().st_size != record["bytes"]:
                raise _damaged("missing or cut short", file, folder)
        return artefact

    @contextlib.contextmanager
    def writing(self, stage: Stage, environment: dict[str, str]) -> Iterator[Path]:
        """Give a folder to write a stage's files into; on leaving it becomes the artefact.

        If the block raises, nothing is kept. If another process has made the artefact meanwhile, its own is kept.

        Args:
            stage: The stage.
            environment: Record of the environment, for the manifest.

        Yields:
            An empty folder.

        Raises:
            WriteError: If the store cannot be written.
        """
        final = self.folder(stage)
        temporary = self.root / _TEMPORARY / f"{platform.node()}-{os.getpid()}-{stage.key[:_KEY_DIGITS]}"
        started = time.time()
        clock = time.perf_counter()
        try:
            if temporary.exists():
                shutil.rmtree(temporary)
            temporary.mkdir(parents=True)
            yield temporary
            manifest = {
                "key": stage.key,
                "name": stage.name,
                "kind": stage.kind.value,
                "job": describe(stage.job),
                "inputs": list(stage.inputs),
                "environment": environment,
                "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
                "seconds": round(time.perf_counter() - clock, 3),
                "files": _inventory(temporary),
            }
            _write_synced(temporary / MANIFEST, _sealed(manifest))
            final.parent.mkdir(parents=True, exist_ok=True)
            _put(temporary, final)
        except OSError as error:
            raise _unwritable(error, self.root) from error
        finally:
            if temporary.exists():
                shutil.rmtree(temporary, ignore_errors=True)

    @contextlib.contextmanager
    def claim(self, stage: Stage) -> Iterator[bool]:
        """Try to become the one process that makes a stage, without waiting.

        Args:
            stage: The stage.

        Yields:
            Whether it is this process's to make; if not, another one is making it.

        Raises:
            WriteError: If the store cannot be written.
        """
        with contextlib.ExitStack() as held:
            try:
                is_mine = held.enter_context(claimed(self._claim(stage)))
            except OSError as error:
                raise _unwritable(error, self.root) from error
            yield is_mine

    def is_claimed(self, stage: Stage) -> bool:
        """Tell whether a live process is making a stage."""
        return is_claimed(self._claim(stage))

    def _claim(self, stage: Stage) -> Path:
        return self.root / CLAIMS_FOLDER / f"{stage.key[:_KEY_DIGITS]}.lock"

    def open(self, stage: Stage) -> Artefact | None:
        """Return a stage's artefact after every byte of it was compared with what was recorded.

        A file is read once per process, as long as its size and time of change stay the same.

        Args:
            stage: The stage.

        Returns:
            The artefact, if it is finished.

        Raises:
            DamagedError: If a file or the manifest is damaged or missing.
        """
        artefact = self.find(stage)
        if artefact is not None:
            self.verify(artefact)
        return artefact

    def discard(self, stage: Stage) -> None:
        """Throw a stage's artefact away; it vanishes at once, not file by file."""
        folder = self.folder(stage)
        aside = self.root / _TEMPORARY / f"{platform.node()}-{os.getpid()}-discarded-{stage.key[:_KEY_DIGITS]}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            folder.replace(aside)
            shutil.rmtree(aside, ignore_errors=True)

    def remove_leftovers(self) -> None:
        """Remove what processes of this machine that are no more left unfinished."""
        prefix = f"{platform.node()}-"
        for folder in (self.root / _TEMPORARY).glob(f"{prefix}*"):
            number = folder.name.removeprefix(prefix).split("-")[0]
            if number.isdigit() and not _is_alive(int(number)):
                shutil.rmtree(folder, ignore_errors=True)

    def verify(self, artefact: Artefact, names: Collection[str] | None = None) -> None:
        """Read files of an artefact and compare them with their recorded hashes.

        Args:
            artefact: The artefact.
            names: Which files; None for all.

        Raises:
            DamagedError: If one differs.
        """
        for name, record in artefact.manifest["files"].items():
            if names is not None and name not in names:
                continue
            path = artefact.folder / name
            if not path.is_file() or _hash_once(path) != record["sha256"]:
                raise _damaged("damaged: other bytes than were written", path, artefact.folder)


def _damaged(problem: str, path: Path, folder: Path | None = None) -> DamagedError:
    hint = f"Make it again: adaptstilts run CONFIG --rebuild, or remove {folder or path.parent}."
    return DamagedError(problem, path=path, hint=hint)


def _unwritable(error: OSError, root: Path) -> WriteError:
    named = error.filename2 or error.filename  # of a move, where to
    where = f" ({named})" if named is not None else ""
    hint = "Set store=FOLDER, or make room; finished stages are kept."
    return WriteError(f"cannot be written: {error.strerror or error}{where}", path=root, hint=hint)


def _put(temporary: Path, final: Path) -> None:
    """Move a complete folder to its place, unless another process has put one there."""
    if (final / MANIFEST).is_file():
        return
    if final.is_dir():
        shutil.rmtree(final)
    try:
        temporary.replace(final)
    except OSError:
        if not (final / MANIFEST).is_file():
            raise


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        manifest: dict[str, Any] = json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise _damaged(f"damaged: {error}", path) from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise _damaged("damaged: not a manifest", path)
    if manifest.get("seal") != _seal(text):
        raise _damaged("damaged: other bytes than were written", path)
    return manifest


def _sealed(manifest: dict[str, Any]) -> str:
    """Return a manifest's text with a hash of itself in it, so that it vouches for the files and for itself."""
    text = json.dumps({**manifest, "seal": _NO_SEAL}, indent=2, sort_keys=True, ensure_ascii=False)
    return text.replace(f'"seal": "{_NO_SEAL}"', f'"seal": "{_seal(text)}"')


def _seal(text: str) -> str:
    """Hash a manifest's text as if it had no seal yet."""
    plain = re.sub(r'"seal": "[0-9a-f]{64}"', f'"seal": "{_NO_SEAL}"', text)
    return hashlib.sha256(plain.encode()).hexdigest()


def _inventory(folder: Path) -> dict[str, dict[str, Any]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": _sha256(path)} for path in files
    }


_hashes: dict[tuple[str, int, int, int], str] = {}
"""Of files that this process has read: by path, inode, size and time of change."""


def _hash_once(path: Path) -> str:
    stat = path.stat()
    known = (str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns)
    if known not in _hashes:
        _hashes[known] = _sha256(path)
    return _hashes[known]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
