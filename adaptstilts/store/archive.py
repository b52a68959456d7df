"""Export of artefacts to a file or folder, and import into another store.

A bundle holds the artefacts' folders as in a store, and ``SHA256SUMS`` over all of their files, in the format of
``sha256sum -c``. An import places nothing before the whole bundle has been checked.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import lzma
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from adaptstilts.errors import DamagedError, StoreError, WriteError
from adaptstilts.formatting import visible
from adaptstilts.store.artefact import Artefact, raise_first
from adaptstilts.store.manifest import (
    KEY_DIGITS,
    MANIFEST,
    damages,
    is_inside,
    manifest_text,
    parse_manifest,
    unwritable,
)
from adaptstilts.store.show import name_of, place_of, resolve
from adaptstilts.store.stage import StageKind, content_key
from adaptstilts.store.store import Store

CHECKSUMS = "SHA256SUMS"
_ARCHIVES = (".tar", ".tar.gz", ".tgz")
_OTHER_ARCHIVES = frozenset(
    {".7z", ".br", ".bz2", ".gz", ".lz4", ".lzma", ".rar", ".tbz2", ".txz", ".xz", ".zip", ".zst"}
)
_BLOCK = 1 << 20


def choose(store: Store, words: Sequence[str], *, with_inputs: bool) -> list[Artefact]:
    """Return the artefacts that a user names, each once, inputs first.

    Args:
        words: Keys, prefixes or names, as for `adaptstilts.store.show.resolve`.
        with_inputs: Whether to add everything they were made from.

    Raises:
        StoreError: If a word names none or several, or an input is not in the store.
        DamagedError: If the manifest of one is damaged.
    """
    damaged: list[DamagedError] = []
    known = store.artefacts(on_damage=damaged.append)
    there = {artefact.key: artefact for artefact in known}
    chosen: dict[str, Artefact] = {}

    def add(artefact: Artefact) -> None:
        for key in artefact.manifest["inputs"] if with_inputs else ():
            if key not in there:
                raise_first(error for error in damaged if place_of(error)[1] == key[:KEY_DIGITS])
                hint = "Export it without its inputs, or make the input again: adaptstilts run CONFIG"
                raise StoreError(f"{name_of(artefact)}: its input {key[:KEY_DIGITS]} is not in the store", hint=hint)
            add(there[key])
        chosen[artefact.key] = artefact

    for word in words:
        add(resolve(known, word, damaged))
    return list(chosen.values())


def export(artefacts: Sequence[Artefact], target: Path) -> None:
    """Write artefacts to a bundle, checking every byte.

    Args:
        target: A file ending in .tar, .tar.gz or .tgz, or a folder; must not exist.

    Raises:
        StoreError: If the target exists, or is named as an unsupported kind of archive.
        DamagedError: If a file of an artefact is damaged; nothing is written then.
        WriteError: If the target cannot be written.
    """
    if target.exists():
        raise StoreError("exists already", path=target, hint="Give another name, or remove it.")
    is_archive = target.name.lower().endswith(_ARCHIVES)
    if not is_archive and target.suffix.lower() in _OTHER_ARCHIVES:
        hint = "A name without an ending makes a folder."
        raise StoreError(f"cannot write a {target.suffix} file", path=target, allowed=_ARCHIVES, hint=hint)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        with _archive(partial, target.name) if is_archive else _Folder(partial) as bundle:
            sums = [line for artefact in artefacts for line in _pack(artefact, bundle)]
            bundle.add_text(CHECKSUMS, "".join(sums))
        partial.replace(target)
    except OSError as error:
        problem = f"cannot be written: {error.strerror or error}"
        raise WriteError(problem, path=target, hint="Give another place, or make room.") from error
    finally:
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        with contextlib.suppress(OSError):
            partial.unlink()


def _pack(artefact: Artefact, bundle: _Folder | _Archive) -> Iterator[str]:
    place = f"{artefact.manifest['kind']}/{artefact.folder.name}"
    for name, record in artefact.manifest["files"].items():
        bundle.add_file(f"{place}/{name}", artefact.file(name))
        yield f"{record['sha256']}  {place}/{name}\n"
    plain = {name: value for name, value in artefact.manifest.items() if name != "upload"}
    text = manifest_text(plain)
    bundle.add_text(f"{place}/{MANIFEST}", text)
    yield f"{hashlib.sha256(text.encode()).hexdigest()}  {place}/{MANIFEST}\n"


class _Folder(contextlib.AbstractContextManager["_Folder"]):
    def __init__(self, root: Path) -> None:
        self.root = root

    def __exit__(self, *error: object) -> None:
        pass

    def add_file(self, name: str, source: Path) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, self.root / name)

    def add_text(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")


class _Archive:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def add_file(self, name: str, source: Path) -> None:
        info = tarfile.TarInfo(name)
        info.size = source.stat().st_size
        with source.open("rb") as file:
            self._tar.addfile(info, file)

    def add_text(self, name: str, text: str) -> None:
        info = tarfile.TarInfo(name)
        info.size = len(text.encode())
        self._tar.addfile(info, io.BytesIO(text.encode()))


@contextlib.contextmanager
def _archive(path: Path, name: str) -> Iterator[_Archive]:
    with tarfile.open(path, "w" if name.lower().endswith(".tar") else "w:gz") as tar:
        yield _Archive(tar)


@dataclass(frozen=True)
class Imported:
    """Outcome of an import: names of artefacts.

    Attributes:
        replaced: Damaged in the store before, whole now.
        there: In the store already, every byte of them.
        busy: Skipped, because a process is making them right now.
    """

    placed: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    busy: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        return {"placed": self.placed, "replaced": self.replaced, "there": self.there, "busy": self.busy}

    def text(self) -> str:
        """Return the outcome as lines for a terminal."""
        lines = [f"placed {name}" for name in self.placed]
        lines += [f"replaced {name}, which was damaged" for name in self.replaced]
        lines += [f"left {name}, which a process is making" for name in self.busy]
        parts = [f"{len(self.placed)} artefacts placed"]
        parts += [f"{len(self.replaced)} replaced"] if self.replaced else []
        parts += [f"{len(self.there)} were there"]
        parts += [f"{len(self.busy)} left"] if self.busy else []
        return "\n".join([*map(visible, lines), ", ".join(parts)])


def import_bundle(store: Store, source: Path) -> Imported:
    """Check a bundle, then place its artefacts in a store.

    Artefacts that are in the store already are verified byte by byte, and replaced if damaged.

    Args:
        source: An archive or a folder.

    Raises:
        StoreError: If it is not a bundle, holds anything but plain files in their places, or a key does not match its
            content; nothing is placed then.
        DamagedError: If a file does not match its manifest; nothing is placed then.
        WriteError: If the store cannot be written.
    """
    if not source.exists():
        hint = "Make one with: adaptstilts store export KEY --to FILE (in Python: export_artefacts(keys, to))."
        raise StoreError("no such bundle", path=source, hint=hint)
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".import-", dir=store.root) as folder:
            if source.is_dir():
                root = source
            else:
                root = Path(folder)
                _unpack(source, root)
            manifests = {path: _check(path, root, source) for path in sorted(root.glob(f"*/*/{MANIFEST}"))}
            if not manifests:
                raise StoreError("holds no artefact", path=source, hint="Bundles are made by: adaptstilts store export")
            _check_sums(root, source)
            return _place(store, manifests)
    except OSError as error:
        raise unwritable(error, store.root) from error


def _place(store: Store, manifests: Mapping[Path, dict[str, Any]]) -> Imported:
    unread: list[DamagedError] = []
    there = {artefact.key: artefact for artefact in store.artefacts(on_damage=unread.append)}
    damaged = {place_of(error) for error in unread}
    done = Imported()
    for path, manifest in manifests.items():
        with store.claim_of(manifest["key"]) as is_mine:
            if not is_mine:
                done.busy.append(manifest["name"])
                continue
            known = there.get(manifest["key"])
            is_damaged = (manifest["kind"], manifest["key"][:KEY_DIGITS]) in damaged
            if known is not None and not is_damaged:
                is_damaged = bool(store.verify(known))
            if known is not None and not is_damaged:
                done.there.append(manifest["name"])
                continue
            with store.adopting(manifest) as folder:
                for name in manifest["files"]:
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path.parent / name, folder / name)
                if is_damaged:
                    _clear(store, manifest)
            (done.replaced if is_damaged else done.placed).append(manifest["name"])
    return done


def _clear(store: Store, manifest: dict[str, Any]) -> None:
    """Remove every folder of an artefact's key from a store, under whatever name."""
    kind, digits = store.root / manifest["kind"], manifest["key"][:KEY_DIGITS]
    for folder in {kind / f"{manifest['slug']}-{digits}", *kind.glob(f"*-{digits}")}:
        store.remove(folder)


def _unpack(source: Path, root: Path) -> None:
    """Unpack an archive after checking that it holds only plain files inside its folder."""
    try:
        with tarfile.open(source) as tar:
            members = tar.getmembers()
            for member in members:
                if not member.isfile() and not member.isdir():
                    raise StoreError(f"'{member.name}' is a link or a device, not a plain file", path=source)
                if not is_inside(member.name):
                    raise StoreError(f"'{member.name}' leads out of the bundle", path=source)
            for member in members:
                content = tar.extractfile(member) if member.isfile() else None
                if content is not None:
                    _write(content, root / member.name)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, ValueError) as error:
        hint = "Is it whole? Bundles are made by: adaptstilts store export"
        reason = str(error).partition("\n")[0].rstrip(":")  # the rest lists each format that was tried
        raise StoreError(f"not a readable bundle: {reason}", path=source, hint=hint) from error


def _write(content: IO[bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        shutil.copyfileobj(content, file, _BLOCK)


def _check(path: Path, root: Path, source: Path) -> dict[str, Any]:
    """Return the manifest of an artefact in a bundle, after checking its place, key and files."""
    place = path.parent.relative_to(root).as_posix()
    try:
        manifest = parse_manifest(path.read_bytes())
        key = content_key(manifest["format"], manifest["kind"], manifest["job"], manifest["inputs"])
        parts = (manifest["name"], manifest["slug"], manifest["kind"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{place}/{MANIFEST}: not a usable manifest: {error}", path=source) from error
    if manifest["key"] != key:
        raise StoreError(f"{place}: key {manifest['key'][:KEY_DIGITS]} does not match its content", path=source)
    if not all(isinstance(part, str) for part in parts) or place != f"{parts[2]}/{parts[1]}-{key[:KEY_DIGITS]}":
        raise StoreError(f"{place}: the folder's name does not fit its manifest", path=source)
    if parts[2] not in {kind.value for kind in StageKind}:
        raise StoreError(
            f"{place}: not a kind of stage", path=source, value=parts[2], allowed=[k.value for k in StageKind]
        )
    if any(file.is_symlink() for file in (path.parent, *path.parent.rglob("*"))):
        raise StoreError(f"{place}: holds a link; only plain files are allowed", path=source)
    for damage in damages(path.parent, manifest["files"], again=True):
        name = "" if damage.path is None else damage.path.relative_to(root).as_posix()
        raise StoreError(f"{name}: {damage.problem}", path=source, hint="Export it again; nothing was placed.")
    return manifest


def _check_sums(root: Path, source: Path) -> None:
    """Compare the manifests with the bundle's checksums; the manifests vouch for all other files."""
    path = root / CHECKSUMS
    if not path.is_file():
        raise StoreError(f"lacks {CHECKSUMS}", path=source, hint="Export it again; nothing was placed.")
    lines = [line.partition("  ") for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    sums = {name: digits for digits, _, name in lines}
    for manifest in sorted(root.glob(f"*/*/{MANIFEST}")):
        name = manifest.relative_to(root).as_posix()
        if sums.get(name) != hashlib.sha256(manifest.read_bytes()).hexdigest():
            raise StoreError(f"{name}: damaged", path=source, hint="Export it again; nothing was placed.")
