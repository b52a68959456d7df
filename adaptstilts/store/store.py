"""The artefact store: one folder per finished stage, found by its content key.

A folder is written under a temporary name and renamed when complete; its manifest, written last, names the key, the
inputs, the environment, timings, and the size and SHA-256 of every file. Files are on the disk before the manifest is,
and the manifest before the folder has its name, so that no crash leaves half an artefact that looks whole.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from adaptstilts.contents import move_hashes
from adaptstilts.errors import DamagedError, StoreError, TakenOverError, WriteError
from adaptstilts.files import clear
from adaptstilts.formatting import system_reason
from adaptstilts.store.artefact import Artefact, DamageCallback, raise_first, report_to
from adaptstilts.store.disk_errors import NO_ROOM, error_number, reading_apart
from adaptstilts.store.holding import Progress, hold
from adaptstilts.store.leases import LEASE_SUFFIX, Lease, Leases
from adaptstilts.store.manifest import (
    KEY_DIGITS,
    MANIFEST,
    check_sizes,
    damages,
    digits_of,
    has_manifest,
    inventory,
    is_artefact_name,
    manifest_text,
    read_placed,
    sync_folder,
    unreadable,
    unwritable,
    write_synced,
)
from adaptstilts.store.objects import FolderObjects
from adaptstilts.store.process import SEPARATOR, Mark, here, is_alive
from adaptstilts.store.stage import FORMAT_VERSION, Stage, StageKind, describe
from adaptstilts.store.unfinished import Unfinished

LEASES_FOLDER = ".leases"
RESUME_FOLDER = ".resume"
"""Folder of checkpoints from which interrupted stages resume, by the first digits of the key."""
UNFINISHED_FOLDER = ".unfinished"

_READING_PAUSES = (0.1, 0.5, 2.0)
"""Seconds before each further attempt to claim a stage whose claim cannot be read."""


class Store:
    """Artefacts in a local folder.

    Args:
        root: The folder; made with the first artefact.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def location(self) -> str:
        """The folder, as users name it."""
        return str(self.root)

    def folder(self, stage: Stage) -> Path:
        """Return the path of a stage's artefact, whether or not it exists."""
        plain = self._place(stage)
        return plain if has_manifest(plain) else _chosen(stage, plain, self._index([stage])) or plain

    def find(self, stage: Stage) -> Artefact | None:
        """Return a stage's artefact, or None if it has not been made; checks names and sizes only.

        Raises:
            DamagedError: If its manifest is damaged, or a file is missing or has another size than recorded.
        """
        return _read(self.folder(stage), stage)

    def find_all(
        self, stages: Iterable[Stage], *, check: bool = False, on_damage: DamageCallback | None = None
    ) -> dict[str, Artefact]:
        """Return the artefacts of the finished ones among stages, by key; like `find`, with one listing per kind.

        Args:
            check: Whether to read every byte too, as `open` does.
            on_damage: Receives the errors of damaged artefacts, which then count as not made; None to raise the first.

        Raises:
            DamagedError: If an artefact is damaged and ``on_damage`` is None.
        """
        wanted = list(stages)
        index = self._index(wanted)
        found: dict[str, Artefact] = {}
        for stage in wanted:
            folder = _chosen(stage, self._place(stage), index)
            with report_to(on_damage):
                artefact = None if folder is None else _read(folder, stage)
                if artefact is not None and check:
                    raise_first(damages(artefact.folder, artefact.manifest["files"]))
                if artefact is not None:
                    found[stage.key] = artefact
        return found

    def present(self, stages: Iterable[Stage]) -> set[str]:
        """Return the keys of the finished stages, at the least cost; visibly damaged artefacts do not count."""
        return set(self.find_all(stages, on_damage=lambda _: None))

    def open(self, stage: Stage) -> Artefact | None:
        """Return a stage's artefact after verifying every byte, or None if it has not been made.

        This process reads a file once as long as its size and time of change stay the same.

        Raises:
            DamagedError: If a file or the manifest is damaged; names the first such file.
        """
        artefact = self.find(stage)
        if artefact is not None:
            raise_first(damages(artefact.folder, artefact.manifest["files"]))
        return artefact

    @contextlib.contextmanager
    def writing(self, stage: Stage, environment: dict[str, str]) -> Iterator[Path]:
        """Yield an empty folder for a stage's files; on leaving it becomes the artefact.

        If the block raises, nothing is kept. If another process has made the artefact meanwhile, that one is kept; this
        is an error if this process had claimed the stage.

        Args:
            environment: Versions and devices, for the manifest.

        Raises:
            TakenOverError: If this process had claimed the stage, and another one has taken it over or made it.
            WriteError: If the store cannot be written.
            StoreError: If the block cannot read a file, wherever it is.
        """
        with self._unfinished(stage.key) as unfinished:
            temporary = unfinished.path
            started = time.time()
            clock = time.perf_counter()
            with reading_apart(temporary):
                yield temporary
            manifest = {
                "format": FORMAT_VERSION,
                "key": stage.key,
                "name": stage.name,
                "slug": stage.slug,
                "kind": stage.kind.value,
                "job": describe(stage.job),
                "inputs": list(stage.inputs),
                "environment": environment,
                "host": here().host,
                "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
                "seconds": round(time.perf_counter() - clock, 3),
                "files": inventory(temporary),
            }
            self._check_claim(stage.key)
            unfinished.check()
            write_synced(temporary / MANIFEST, manifest_text(manifest))
            self._put(unfinished, self.folder(stage), manifest)

    @contextlib.contextmanager
    def adopting(self, manifest: dict[str, Any], *, replacing: bool = False) -> Iterator[Path]:
        """Yield an empty folder for the files of an artefact made elsewhere; on leaving it becomes the artefact.

        Args:
            manifest: The artefact's manifest, with which its files are compared.
            replacing: Whether to remove what is there under its key, whatever its name.

        Raises:
            StoreError: If the files are not those of the manifest.
            WriteError: If the store cannot be written.
        """
        with self._unfinished(manifest["key"]) as unfinished:
            temporary = unfinished.path
            yield temporary
            if inventory(temporary) != manifest["files"]:
                raise StoreError(f"the files of {manifest['name']} have changed while they were copied")
            write_synced(temporary / MANIFEST, manifest_text(manifest))
            kind, digits = self.root / manifest["kind"], manifest["key"][:KEY_DIGITS]
            final = kind / f"{manifest['slug']}-{digits}"
            if replacing:
                for folder in {final, *(one for one in self.folders(kind.name) if digits_of(one) == digits)}:
                    self.remove(folder)
            self._put(unfinished, final, manifest)

    @contextlib.contextmanager
    def scratch(self, purpose: str) -> Iterator[Path]:
        """Yield an empty folder for files that are checked before they count, removed afterwards.

        Should this process be killed, it is found among what dead processes leave.

        Args:
            purpose: A word, part of the folder's name.

        Raises:
            WriteError: If the store cannot be written.
        """
        with self._unfinished(purpose) as unfinished:
            yield unfinished.path

    @contextlib.contextmanager
    def claim(self, stage: Stage, request: str = "") -> Iterator[Progress | None]:
        """Claim a stage for this process while the block runs; never waits for another process.

        A claim is a lease on the stage in each place that `leases` returns. What it guarantees, and what happens when
        its holder dies: `adaptstilts.store.leases`.

        Args:
            request: Random name of the request to make the stage, with which `revoke` knows the claim again.

        Yields:
            The progress, for the block to update; None if another process or thread is making the stage.

        Raises:
            WriteError: If the store cannot be written.
            StoreError: If a claim cannot be read, though it was tried several times.
        """
        work = {"key": stage.key, "name": stage.name, "kind": stage.kind.value, "request": request}
        with self._claim(stage.key, work) as progress:
            yield progress

    @contextlib.contextmanager
    def claim_of(self, key: str) -> Iterator[bool]:
        """Keep others from making a stage while something else is done with it; see `claim`.

        Args:
            key: Key of the stage, or its first digits.

        Yields:
            Whether the claim was free.
        """
        with self._claim(key) as progress:
            yield progress is not None

    @contextlib.contextmanager
    def _claim(self, key: str, work: dict[str, str] | None = None) -> Iterator[Progress | None]:
        with contextlib.ExitStack() as stack:
            try:
                progress = _patiently(lambda: stack.enter_context(hold(self.leases(), _lease_name(key), work)))
            except OSError as error:
                raise unwritable(error, self.root) from error
            yield progress

    def _check_claim(self, key: str) -> None:
        """Raise `TakenOverError` if this process had claimed a stage, and another one has taken it over.

        A claim that cannot be read now counts as this process's: its work may well be the only one.
        """
        for leases in self.leases():
            with contextlib.suppress(OSError, StoreError):
                if not leases.keeps(_lease_name(key)):
                    break
        else:
            return
        raise TakenOverError(f"{key[:KEY_DIGITS]}: another process is making this stage, since this one seemed dead")

    def _give_way(self, key: str) -> None:
        """Raise `TakenOverError` if this process had claimed a stage whose artefact another one has made meanwhile."""
        if any(leases.mine(_lease_name(key)) is not None for leases in self.leases()):
            raise TakenOverError(f"{key[:KEY_DIGITS]}: another process has made this stage, since this one seemed dead")

    def _take_away(self, former: Lease) -> None:
        """Take away what the former holder of a claim is writing, so that it cannot finish should it wake up."""
        digits = former.name[:KEY_DIGITS]
        start = SEPARATOR.join((former.holder.text, digits, "")) if former.holder is not None else "\0"
        for folder in self.unfinished():
            if folder.name.startswith(start):
                aside = self._temporary(digits)
                with contextlib.suppress(OSError):
                    folder.rename(aside)
                    clear(aside)

    def is_claimed(self, stage: Stage) -> bool:
        """Return whether a living process is making a stage; reads one small file."""
        return self.claimant(stage) is not None

    def claimant(self, stage: Stage) -> Mark | None:
        """Return the process that is making a stage (``host`` and ``process``), or None."""
        return self.claimant_of(stage.key)

    def claimant_of(self, key: str) -> Mark | None:
        """Return the process that is making the stage with a key, or None."""
        return self._holder(key, self.leases())

    def _holder(self, key: str, places: Iterable[Leases]) -> Mark | None:
        try:
            holders = (leases.holder(_lease_name(key)) for leases in places)
            return next((holder for holder in holders if holder is not None), None)
        except OSError as error:
            raise StoreError(f"cannot be read: {system_reason(error)}", path=error.filename or self.root) from error

    def revoke(self, stage: Stage, request: str) -> None:
        """Remove the claim that was made to carry out a request, by a process that is known to have ended."""
        for leases in self.leases():
            with contextlib.suppress(OSError, StoreError):
                leases.revoke(_lease_name(stage.key), request)

    def leases(self) -> list[Leases]:
        """Return the places in which whoever makes a stage holds a lease, in the order of taking them."""
        return [Leases(FolderObjects(self.root / LEASES_FOLDER), on_takeover=self._take_away)]

    def discard(self, stage: Stage) -> None:
        """Remove a stage's artefact, damaged or not: atomically from its place, then from the disk.

        Raises:
            WriteError: If the store cannot be written.
        """
        self.remove(self.folder(stage))

    def remove(self, folder: Path) -> None:
        """Remove an artefact's folder: atomically from its place, then from the disk.

        Raises:
            WriteError: If the store cannot be written.
        """
        aside = self._temporary(digits_of(folder))
        try:
            aside.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(aside)
            clear(aside)
        except FileNotFoundError:
            return  # another process was faster
        except OSError as error:
            raise unwritable(error, self.root) from error

    def remove_leftovers(self) -> None:
        """Remove unfinished folders of dead processes of this machine; others may belong to living ones."""
        for folder in self.unfinished():
            mark = Mark.parse(folder.name)
            if mark is not None and is_alive(mark) is False:
                clear(folder, ignore_errors=True)

    def unfinished(self) -> list[Path]:
        """Return all folders in which stages are being written, or were when their process died."""
        place = self.root / UNFINISHED_FOLDER
        return sorted(place.iterdir()) if place.is_dir() else []

    def artefacts(self, kinds: Iterable[str] | None = None, on_damage: DamageCallback | None = None) -> list[Artefact]:
        """Return every artefact of the store, by kind and name.

        Args:
            kinds: Only these kinds of stages; None for all.
            on_damage: Receives the errors of damaged manifests; None to raise the first.

        Raises:
            DamagedError: If a manifest is damaged and ``on_damage`` is None.
            StoreError: If a folder or manifest cannot be read.
        """
        found = []
        for kind in [kind.value for kind in StageKind] if kinds is None else kinds:
            for folder in self.folders(kind):
                with report_to(on_damage), contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    found.append(Artefact(folder, read_placed(folder)))
        return found

    def look_up(self, kind: str, key: str) -> Artefact | None:
        """Return the artefact of a key, or None if it has not been made; its files are not looked at.

        Raises:
            DamagedError: If its manifest is damaged.
        """
        folders = [folder for folder in self.folders(kind) if folder.name.endswith(f"-{key[:KEY_DIGITS]}")]
        for folder in sorted(folders, key=lambda folder: not has_manifest(folder)):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                manifest = read_placed(folder)
                if manifest["key"] != key:
                    raise DamagedError("the manifest belongs to another stage", path=folder / MANIFEST, folder=folder)
                return Artefact(folder, manifest)
        return None

    def verify(self, artefact: Artefact, on_bytes: Callable[[int], object] | None = None) -> list[DamagedError]:
        """Read every file of an artefact again; return one error per file that differs from its recorded hash.

        Args:
            on_bytes: Called with the number of bytes read, block by block.
        """
        return list(damages(artefact.folder, artefact.manifest["files"], again=True, on_bytes=on_bytes))

    def _place(self, stage: Stage) -> Path:
        return self.root / stage.kind.value / stage.folder

    def folders(self, kind: str) -> list[Path]:
        """Return the folders of a kind of stages that are named as artefacts are, sorted.

        Raises:
            StoreError: If they cannot be listed.
        """
        place = self.root / kind
        try:
            names = sorted(os.listdir(place))  # noqa: PTH208 - a glob skips what cannot be read
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise unreadable(error, place) from error
        return [place / name for name in names if is_artefact_name(name)]

    def _index(self, stages: Iterable[Stage]) -> dict[str, list[Path]]:
        """Return the folders of the stages' kinds by the key digits in their names: one listing per kind."""
        index: dict[str, list[Path]] = {}
        for kind in sorted({stage.kind.value for stage in stages}):
            for folder in self.folders(kind):
                index.setdefault(digits_of(folder), []).append(folder)
        return index

    def _temporary(self, digits: str) -> Path:
        name = SEPARATOR.join((here().text, digits[:KEY_DIGITS], secrets.token_hex(4)))
        return self.root / UNFINISHED_FOLDER / name

    @contextlib.contextmanager
    def _unfinished(self, key: str) -> Iterator[Unfinished]:
        temporary = self._temporary(key)
        try:
            temporary.mkdir(parents=True)
            with Unfinished(temporary) as unfinished:
                yield unfinished
        except OSError as error:
            raise unwritable(error, self.root) from error
        except SafetensorError as error:
            number = error_number(error)
            if number not in NO_ROOM:
                raise
            raise unwritable(OSError(number, os.strerror(number)), self.root) from error
        finally:
            clear(temporary, ignore_errors=True)

    def _put(self, unfinished: Unfinished, final: Path, manifest: dict[str, Any]) -> None:
        """Move a complete folder to its place, unless another process has put one there."""
        temporary = unfinished.path
        final.parent.mkdir(parents=True, exist_ok=True)
        if (final / MANIFEST).is_file() or (final.is_dir() and not self._clear(final)):
            self._give_way(manifest["key"])
            return
        try:
            temporary.replace(final)
        except OSError:
            if not (final / MANIFEST).is_file():
                raise
            self._give_way(manifest["key"])
            return
        unfinished.is_moved = True
        sync_folder(final.parent)
        move_hashes(temporary, final, manifest["files"])

    def _clear(self, final: Path) -> bool:
        """Remove a folder without a manifest from an artefact's place; return whether it still had none by then."""
        aside = self._temporary(digits_of(final))
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            final.rename(aside)
            if (aside / MANIFEST).is_file():
                with contextlib.suppress(OSError):  # yet another process has put an artefact there
                    aside.rename(final)
                return False
            clear(aside)
        return True


def _patiently(claim: Callable[[], Progress | None]) -> Progress | None:
    """Return the result of an attempt to claim, which is repeated some times while a claim cannot be read."""
    for pause in (*_READING_PAUSES, None):
        try:
            return claim()
        except StoreError as error:  # noqa: PERF203 - a claim that succeeds costs nothing
            if pause is None or isinstance(error, WriteError):
                raise
            time.sleep(pause)
    raise AssertionError("unreachable")


def _lease_name(key: str) -> str:
    return f"{key[:KEY_DIGITS]}{LEASE_SUFFIX}"


def _chosen(stage: Stage, plain: Path, index: Mapping[str, Sequence[Path]]) -> Path | None:
    """Return the folder of a stage's artefact among all of its digits: that of its name, else the first that is one."""
    folders = index.get(stage.key[:KEY_DIGITS], ())
    if len(folders) > 1:
        folders = sorted(folders, key=lambda folder: (folder != plain, not has_manifest(folder)))
    return folders[0] if folders else None


def _read(folder: Path, stage: Stage) -> Artefact | None:
    try:
        artefact = Artefact(folder, read_placed(folder))
    except (FileNotFoundError, NotADirectoryError):
        return None
    if artefact.key != stage.key:
        raise DamagedError("the manifest belongs to another stage", path=folder / MANIFEST, folder=folder)
    check_sizes(folder, artefact.manifest)
    return artefact
