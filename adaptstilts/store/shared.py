"""A store at an address that several machines share, with a local working folder.

Stages are written locally and uploaded when finished. Files of artefacts made elsewhere are downloaded when they are
read, each checked against its recorded hash. Below the address lie

- ``<kind>/<first digits of the key>/<upload>/...``: the files of one upload,
- ``<kind>/<first digits of the key>/manifest.json``: the manifest, written last, which names the upload,
- ``.leases``: leases on stages that are being made.

Two machines that make the same stage upload side by side, and the manifest that is created first counts. Where a file
can be created exclusively, a stage is made by one machine at a time: object stores with conditional writes whose fsspec
package uses them, and file systems whose package opens files in mode ``xb``, as that of SSH does. Elsewhere, work may
in rare cases be done twice; the results stay right.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from adaptstilts.addresses import shown_address
from adaptstilts.contents import content_hash
from adaptstilts.errors import DamagedError, StoreError, TakenOverError, UnreadableError
from adaptstilts.files import clear, local_path
from adaptstilts.store.artefact import Artefact, DamageCallback, report_to
from adaptstilts.store.leases import LIFETIME_SECONDS, Leases
from adaptstilts.store.manifest import (
    KEY_DIGITS,
    MANIFEST,
    MOST_MANIFEST_BYTES,
    digits_of,
    manifest_text,
    parse_manifest,
    read_manifest,
    select,
    unwritable,
    write_synced,
)
from adaptstilts.store.objects import RemoteObjects
from adaptstilts.store.remote import LOCAL_PROTOCOLS, Remote, is_address
from adaptstilts.store.stage import Stage, StageKind
from adaptstilts.store.store import LEASES_FOLDER, Store
from adaptstilts.store.unfinished import Unfinished

SHARED_MARK = ".shared"
"""File in a local copy that has been uploaded; a whole copy without it still has to be."""
_MANIFEST_NAME = re.compile(rf"[^/]+/[0-9a-f]{{{KEY_DIGITS}}}/{re.escape(MANIFEST)}")
_UPLOADED_NAME = re.compile(rf"[^/]+/[0-9a-f]{{{KEY_DIGITS}}}/[0-9a-f]+/.+", re.DOTALL)
_CACHE = Path("checkpoints") / "cache"
_NOT_NOW = (OSError, TakenOverError, UnreadableError)
"""Errors with which a finished artefact waits for another attempt to upload it."""


def store_at(location: str, cache: str | None = None) -> Store:
    """Return the store at a path or an address; nothing is read yet.

    Args:
        location: A folder; ``file:///folder``; or an fsspec address such as ``s3://bucket/folder``.
        cache: Local folder for an address; None for ``checkpoints/cache/<digits of the address>``.
    """
    for protocol in LOCAL_PROTOCOLS:
        location = location.removeprefix(protocol)
    if not is_address(location):
        return Store(local_path(location, "store"))
    return SharedStore(location.rstrip("/"), local_path(cache, "store_cache") if cache else default_cache(location))


def default_cache(location: str) -> Path:
    """Return the local folder of a store at an address that is given none, relative to the working folder."""
    digits = hashlib.sha256(shown_address(location.rstrip("/")).encode()).hexdigest()[:12]
    return _CACHE / digits


class SharedStore(Store):
    """Artefacts at an address, with a local working folder.

    Args:
        address: For example ``s3://bucket/folder``.
        root: The local folder.
        lifetime: Seconds of silence after which the holder of a claim counts as dead.
    """

    def __init__(self, address: str, root: Path, lifetime: float = LIFETIME_SECONDS) -> None:
        super().__init__(root)
        self.remote = Remote(address)
        self.lifetime = lifetime

    @property
    def location(self) -> str:
        """The address without what logs in."""
        return self.remote.shown

    def find(self, stage: Stage) -> Artefact | None:
        """See `Store.find`; files missing on this machine are downloaded when they are read."""
        try:
            local = super().find(stage)
        except DamagedError as error:
            self._drop_copy(error)
            local = None
        if local is not None:
            return local
        content = self._manifest(self._remote(stage))
        return None if content is None else self._artefact(stage, content)

    def find_all(
        self, stages: Iterable[Stage], *, check: bool = False, on_damage: DamageCallback | None = None
    ) -> dict[str, Artefact]:
        """See `Store.find_all`; one listing per kind, and the manifests missing on this machine."""
        wanted = list(stages)
        found = super().find_all(wanted, check=check, on_damage=lambda error: self._drop_copy(error, on_damage))
        missing = [stage for stage in wanted if stage.key not in found]
        there = self._listed(missing)
        names = {"/".join((*self._remote(stage), MANIFEST)): stage for stage in missing}
        contents = self._manifests([name for name in names if name in there], on_damage)
        for name, content in contents.items():
            with report_to(on_damage):
                artefact = self._artefact(names[name], content)
                if check:
                    self._complete(artefact)
                found[names[name].key] = artefact
        return {stage.key: found[stage.key] for stage in wanted if stage.key in found}

    def present(self, stages: Iterable[Stage]) -> set[str]:
        """See `Store.present`; one listing per kind, and no manifest is read."""
        wanted = list(stages)
        done = set(super().find_all(wanted, on_damage=lambda _: None))
        there = self._listed(stage for stage in wanted if stage.key not in done)
        return done | {stage.key for stage in wanted if "/".join((*self._remote(stage), MANIFEST)) in there}

    def open(self, stage: Stage) -> Artefact | None:
        """See `Store.open`; downloads the whole artefact."""
        artefact = self.find(stage)
        if artefact is None:
            return None
        if artefact.fetch is not None:
            self._complete(artefact)
        try:
            return super().open(stage)
        except DamagedError as error:
            self._drop_copy(error)
            return self.open(stage)

    def leases(self) -> list[Leases]:
        """See `Store.leases`; first those of this machine, then those at the address."""
        return [*super().leases(), Leases(RemoteObjects(self.remote, LEASES_FOLDER), self.lifetime, seldom=True)]

    def discard(self, stage: Stage) -> None:
        """See `Store.discard`; at the address and on this machine."""
        self.remote.delete(*self._remote(stage), MANIFEST)
        self.remote.delete(*self._remote(stage))
        super().discard(stage)

    def remove(self, folder: Path) -> None:
        """See `Store.remove`; at the address and on this machine."""
        place = (folder.parent.name, digits_of(folder))
        self.remote.delete(*place, MANIFEST)
        self.remote.delete(*place)
        super().remove(folder)

    def remove_leftovers(self) -> None:
        """See `Store.remove_leftovers`; also uploads finished artefacts whose upload broke off.

        An artefact that another process has claimed is left to that process; one that cannot be read here or at the
        address waits for the next time.
        """
        super().remove_leftovers()
        for artefact in super().artefacts(on_damage=lambda error: None):
            if not _is_shared(artefact.folder):
                with self.claim_of(artefact.key) as is_mine, contextlib.suppress(*_NOT_NOW):
                    if is_mine and not _is_shared(artefact.folder) and not super().verify(artefact):
                        self._share(artefact.folder, artefact.manifest)

    def artefacts(self, kinds: Iterable[str] | None = None, on_damage: DamageCallback | None = None) -> list[Artefact]:
        """See `Store.artefacts`; lists those at the address."""
        names = [
            name
            for kind in ([kind.value for kind in StageKind] if kinds is None else kinds)
            for name in self.remote.names(kind)
            if _MANIFEST_NAME.fullmatch(name)
        ]
        found = []
        for name, content in sorted(self._manifests(names, on_damage).items()):
            with report_to(on_damage):
                found.append(self._artefact(None, content, name))
        return found

    def look_up(self, kind: str, key: str) -> Artefact | None:
        """See `Store.look_up`; what is at the address counts."""
        place = (kind, key[:KEY_DIGITS])
        content = self._manifest(place)
        if content is None:
            return None
        artefact = self._artefact(None, content, "/".join((*place, MANIFEST)))
        if artefact.key != key:
            where = f"{self.location}/{'/'.join(place)}"
            raise DamagedError(f"{where}/{MANIFEST}: the manifest belongs to another stage", folder=where)
        return artefact

    def verify(self, artefact: Artefact, on_bytes: Callable[[int], object] | None = None) -> list[DamagedError]:
        """See `Store.verify`; reads what is at the address."""
        if artefact.fetch is None:
            return super().verify(artefact, on_bytes)
        wrong = []
        for name, record in artefact.manifest["files"].items():
            digest, left = hashlib.sha256(), record["bytes"]
            for block in self.remote.blocks(*_uploaded(artefact.manifest), name):
                digest.update(block)
                left -= len(block)
                if on_bytes is not None:
                    on_bytes(len(block))
                if left < 0:  # longer than it should be, maybe without an end
                    break
            if digest.hexdigest() != record["sha256"]:
                wrong.append(self._damaged("damaged or missing", artefact.manifest, name))
        return wrong

    def orphans(self) -> list[tuple[str, ...]]:
        """Return the uploads that no manifest names and nobody claims: they broke off, or came second.

        Files are listed first, then claims, and then manifests are read: an upload that ends meanwhile either is still
        claimed when the claims are listed, or is named by its manifest later.
        """
        places = sorted({_place_of(name) for kind in StageKind for name in self.remote.names(kind.value)} - {()})
        leased = {lease.name[:KEY_DIGITS] for lease in self.leases()[-1].read_all()}
        free = [place for place in places if not self._is_in_use(place[1], leased)]
        unread: list[DamagedError] = []
        contents = self._manifests([*{_manifest_of(place) for place in free}], unread.append)
        unknown = {digits_of(error.folder) for error in unread}
        known = [place for place in free if place[1] not in unknown]
        return [place for place in known if self._is_orphan(place, contents.get(_manifest_of(place)))]

    def remove_orphan(self, place: tuple[str, ...]) -> bool:
        """Remove an upload that `orphans` has found, if it still is one; return whether it was removed."""
        if self.claimant_of(place[1]) is not None:
            return False
        if not self._is_orphan(place, self._manifest(place)):
            return False
        self.remote.delete(*place)
        return True

    def _is_in_use(self, digits: str, leased: set[str]) -> bool:
        places = self.leases()
        try:
            return self._holder(digits, places if digits in leased else places[:1]) is not None
        except StoreError:  # a claim that cannot be read
            return True

    def _is_orphan(self, place: tuple[str, ...], content: bytes | None) -> bool:
        """Return whether the manifest names another upload or is missing; a damaged one might have named any."""
        if content is None:
            return True
        with contextlib.suppress(DamagedError):
            return bool(self._artefact(None, content, _manifest_of(place)).manifest["upload"] != place[2])
        return False

    def _manifest(self, place: tuple[str, ...]) -> bytes | None:
        """Return the text of the manifest at a place, cut off behind the longest that is read; None if there is none.

        Args:
            place: Kind and digits, of which an upload may be known, too.

        Raises:
            UnreadableError: If it cannot be read.
        """
        try:
            return self.remote.read(_manifest_of(place), most_bytes=MOST_MANIFEST_BYTES + 1)
        except StoreError as error:
            if error.key is not None:  # the address itself cannot be used
                raise
            raise self._unreadable(_manifest_of(place), error) from error

    def _manifests(self, names: Sequence[str], on_damage: DamageCallback | None) -> dict[str, bytes]:
        """Return the texts of manifests by name; of those that are too long or cannot be read, report the errors."""
        errors: dict[str, StoreError] = {}
        contents = self.remote.read_many(names, on_error=errors.__setitem__, most_bytes=MOST_MANIFEST_BYTES + 1)
        for name, error in errors.items():
            with report_to(on_damage):
                raise self._unreadable(name, error) from error
        return contents

    def _unreadable(self, name: str, error: StoreError) -> UnreadableError:
        return UnreadableError(error.problem, folder=f"{self.location}/{name.removesuffix(f'/{MANIFEST}')}")

    def _remote(self, stage: Stage) -> tuple[str, str]:
        return stage.kind.value, stage.key[:KEY_DIGITS]

    def _listed(self, stages: Iterable[Stage]) -> set[str]:
        kinds = sorted({stage.kind.value for stage in stages})
        return {name for kind in kinds for name in self.remote.names(kind)}

    def _artefact(self, stage: Stage | None, content: bytes, name: str = "") -> Artefact:
        where = f"{self.location}/{name or '/'.join((*self._remote(stage), MANIFEST) if stage else ())}"
        folder = where.removesuffix(f"/{MANIFEST}")
        try:
            manifest = parse_manifest(content)
        except ValueError as error:
            raise DamagedError(f"{where}: damaged: {error}", folder=folder) from error
        if stage is not None and (manifest["key"], manifest.get("kind")) != (stage.key, stage.kind.value):
            raise DamagedError(f"{where}: the manifest belongs to another stage", folder=folder)
        if not {"kind", "slug", "upload"} <= manifest.keys():
            raise DamagedError(f"{where}: damaged: not the manifest of an upload", folder=folder)
        if stage is None and name != _manifest_of(_uploaded(manifest)):
            raise DamagedError(f"{where}: the manifest belongs to another stage", folder=folder)
        slug = manifest["slug"] if stage is None else stage.slug
        place = self.root / manifest["kind"] / f"{slug}-{manifest['key'][:KEY_DIGITS]}"
        return Artefact(place, manifest, partial(self._fetch, place, manifest))

    def _fetch(self, folder: Path, manifest: dict[str, Any], name: str) -> None:
        """Download a file, or all files of a folder, of an artefact."""
        for path, record in select(manifest["files"], name).items():
            target = folder / path
            if not target.is_file() or target.stat().st_size != record["bytes"]:
                self._download(target, manifest, path)

    def _download(self, target: Path, manifest: dict[str, Any], name: str) -> None:
        temporary = self._temporary(manifest["key"])
        try:
            temporary.parent.mkdir(parents=True, exist_ok=True)
            if not self.remote.download(temporary, *_uploaded(manifest), name):
                raise self._damaged("missing", manifest, name)
            if temporary.is_dir() or content_hash(temporary) != manifest["files"][name]["sha256"]:
                raise self._damaged("damaged", manifest, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
        except OSError as error:
            raise unwritable(error, self.root) from error
        finally:
            clear(temporary, ignore_errors=True)

    def _complete(self, artefact: Artefact) -> None:
        """Download all files of an artefact, then write its manifest, which marks the local copy as whole."""
        self._fetch(artefact.folder, artefact.manifest, "")
        try:
            artefact.folder.mkdir(parents=True, exist_ok=True)
            (artefact.folder / SHARED_MARK).touch()
            write_synced(artefact.folder / MANIFEST, manifest_text(artefact.manifest))
        except OSError as error:
            raise unwritable(error, self.root) from error

    def _put(self, unfinished: Unfinished, final: Path, manifest: dict[str, Any]) -> None:
        super()._put(unfinished, final, manifest)
        try:
            self._share(final, read_manifest(final / MANIFEST))  # another process may have been faster
        except TakenOverError:
            super().remove(final)
            raise

    def _share(self, folder: Path, manifest: dict[str, Any]) -> None:
        """Upload a whole artefact, unless another machine was first: its upload then replaces the local artefact.

        Raises:
            TakenOverError: If this process had claimed the stage, and another one has taken it over or made it; nothing
                of the upload is left then.
        """
        place, upload = (manifest["kind"], manifest["key"][:KEY_DIGITS]), secrets.token_hex(4)
        if self._manifest(place) is None:
            for name in manifest["files"]:
                self.remote.upload(folder / name, *place, upload, name)
            record = manifest_text({**manifest, "upload": upload})
            try:
                self._check_claim(manifest["key"])
            except TakenOverError:
                self.remote.delete(*place, upload)
                raise
            if self.remote.create(record.encode(), *place, MANIFEST):
                (folder / SHARED_MARK).touch()
                return
            self.remote.delete(*place, upload)
        try:
            first = parse_manifest(self._manifest(place) or b"")
        except ValueError:  # damaged: the local artefact is the better one
            return
        if _plain(first) == _plain(manifest):  # uploaded from here, by a process that ended before it could mark it
            (folder / SHARED_MARK).touch()
        else:
            super().remove(folder)
            self._give_way(manifest["key"])

    def _drop_copy(self, error: DamagedError, on_damage: DamageCallback | None = None) -> None:
        """Remove a damaged local copy of an artefact at the address; report or raise any other damage."""
        folder = Path(error.folder)
        if _is_shared(folder):
            super().remove(folder)
        elif on_damage is not None:
            on_damage(error)
        else:
            raise error

    def _damaged(self, problem: str, manifest: dict[str, Any], name: str) -> DamagedError:
        where = f"{self.location}/{'/'.join(_uploaded(manifest))}/{name}"
        return DamagedError(f"{where}: {problem}", folder=f"{self.location}/{'/'.join(_uploaded(manifest)[:2])}")


def _uploaded(manifest: dict[str, Any]) -> tuple[str, str, str]:
    return manifest["kind"], manifest["key"][:KEY_DIGITS], manifest["upload"]


def _plain(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in manifest.items() if name != "upload"}


def _is_shared(folder: Path) -> bool:
    return (folder / SHARED_MARK).is_file()


def _place_of(name: str) -> tuple[str, ...]:
    """Return kind, digits and upload of a file at the address; nothing for a file outside any upload."""
    return tuple(name.split("/")[:3]) if _UPLOADED_NAME.fullmatch(name) else ()


def _manifest_of(place: tuple[str, ...]) -> str:
    return "/".join((*place[:2], MANIFEST))
