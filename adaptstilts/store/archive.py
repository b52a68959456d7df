"""Export of artefacts to a file or folder, and import into another store.

A bundle holds the artefacts' folders as in a store, and ``SHA256SUMS`` over all of their files, in the format of
``sha256sum -c``. An import places nothing before the whole bundle has been checked.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from adaptstilts.contents import content_hash
from adaptstilts.errors import DamagedError, StoreError, TakenOverError, UnreadableError, WriteError
from adaptstilts.files import open_file, read_bytes, what_instead
from adaptstilts.formatting import number_text, system_reason, visible
from adaptstilts.store.artefact import Artefact, raise_first
from adaptstilts.store.manifest import (
    KEY_DIGITS,
    MANIFEST,
    MOST_MANIFEST_BYTES,
    damages,
    manifest_text,
    parse_manifest,
    unreadable,
)
from adaptstilts.store.show import name_of, place_of, resolve
from adaptstilts.store.stage import FORMAT_VERSION, StageKind, content_key, is_older
from adaptstilts.store.store import Store
from adaptstilts.store.unfinished import beside
from adaptstilts.store.unpack import check_folder, fault, reading, unpack

CHECKSUMS = "SHA256SUMS"
_ARCHIVES = (".tar", ".tar.gz", ".tgz")
_OTHER_ARCHIVES = frozenset(
    {".7z", ".br", ".bz2", ".gz", ".lz4", ".lzma", ".rar", ".tbz2", ".txz", ".xz", ".zip", ".zst"}
)
_NOT_EXPORTED = frozenset({"upload", "host"})
"""Fields of a manifest that tell where its artefact was made or kept."""
_MOST_SUMS = 64 * 2**20
_TIMED = frozenset({"training.json", "runs.csv", "report.md", "pages.json"})
"""Files that hold times, so that they differ between equal runs."""


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
    for word in words:
        for artefact in _with_inputs(resolve(known, word, damaged), there, damaged, deep=with_inputs):
            chosen.setdefault(artefact.key, artefact)
    return list(chosen.values())


def _with_inputs(
    wanted: Artefact, there: Mapping[str, Artefact], damaged: Sequence[DamagedError], *, deep: bool
) -> list[Artefact]:
    """Return an artefact after what it was made from, inputs first; manifests that name each other end nothing."""
    ordered: dict[str, Artefact] = {}
    seen: set[str] = set()
    open_ones = [(wanted, iter(wanted.manifest["inputs"] if deep else ()))]
    while open_ones:
        artefact, inputs = open_ones[-1]
        key = next((key for key in inputs if key not in seen), None)
        if key is None:
            ordered.setdefault(artefact.key, artefact)
            open_ones.pop()
            continue
        seen.add(key)
        if key not in there:
            raise_first(error for error in damaged if place_of(error)[1] == key[:KEY_DIGITS])
            hint = "Export it without its inputs, or make the input again: adaptstilts run CONFIG"
            raise StoreError(f"{name_of(artefact)}: its input {key[:KEY_DIGITS]} is not in the store", hint=hint)
        open_ones.append((there[key], iter(there[key].manifest["inputs"])))
    return list(ordered.values())


def export(artefacts: Sequence[Artefact], target: Path) -> None:
    """Write artefacts to a bundle, checking every byte.

    What an export to the same target left that was killed on this machine is removed.

    Args:
        target: A file ending in .tar, .tar.gz or .tgz, or a folder; must not exist.

    Raises:
        StoreError: If the target exists or is named as an unsupported kind of archive, or an artefact is of an old
            format.
        DamagedError: If a file of an artefact is damaged; nothing is written then.
        WriteError: If the target cannot be written.
    """
    if target.exists():
        raise StoreError("exists already", path=target, hint="Give another name, or remove it.")
    is_archive = target.name.lower().endswith(_ARCHIVES)
    if not is_archive and target.suffix.lower() in _OTHER_ARCHIVES:
        hint = "A name without an ending makes a folder."
        raise StoreError(f"cannot write a {target.suffix} file", path=target, allowed=_ARCHIVES, hint=hint)
    for artefact in artefacts:
        if artefact.manifest.get("format") != FORMAT_VERSION:
            made = f"{name_of(artefact)} is of {_format_text(artefact.manifest)}, and only format {FORMAT_VERSION}"
            raise StoreError(
                f"{made} can be imported", path=artefact.folder, hint="Make it again: adaptstilts run CONFIG"
            )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with beside(target) as partial, _bundle(partial, target.name, is_archive=is_archive) as bundle:
            sums = "".join(line for artefact in artefacts for line in _pack(artefact, bundle)).encode()
            bundle.add_file(CHECKSUMS, io.BytesIO(sums), len(sums))
    except OSError as error:
        problem = f"cannot be written: {system_reason(error)}"
        raise WriteError(problem, path=target, hint="Give another place, or make room.") from error


def _format_text(manifest: Mapping[str, Any]) -> str:
    return f"format {manifest['format']}" if "format" in manifest else "a format before 4"


def _pack(artefact: Artefact, bundle: _Folder | _Archive) -> Iterator[str]:
    place = _place_in_bundle(artefact.manifest)
    for name, record in artefact.manifest["files"].items():
        path = artefact.file(name)
        with _opened(path) as file:
            bundle.add_file(f"{place}/{name}", cast("BinaryIO", _Read(file, path)), record["bytes"])
        yield f"{record['sha256']}  {place}/{name}\n"
    text = manifest_text({name: value for name, value in artefact.manifest.items() if name not in _NOT_EXPORTED})
    bundle.add_file(f"{place}/{MANIFEST}", io.BytesIO(text.encode()), len(text.encode()))
    yield f"{hashlib.sha256(text.encode()).hexdigest()}  {place}/{MANIFEST}\n"


def _place_in_bundle(manifest: Mapping[str, Any]) -> str:
    return f"{manifest['kind']}/{manifest['slug']}-{manifest['key'][:KEY_DIGITS]}"


def _opened(path: Path) -> BinaryIO:
    try:
        return open_file(path, StoreError)
    except OSError as error:
        raise unreadable(error, path) from error


class _Read:
    """A file of the store whose errors of reading are told from errors of writing what is read."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self._path = path

    def read(self, size: int = -1) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            raise unreadable(error, self._path) from error


class _Folder:
    def __init__(self, root: Path) -> None:
        self.root = root

    def add_file(self, name: str, content: IO[bytes], _: int) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        with (self.root / name).open("wb") as file:
            shutil.copyfileobj(content, file)


class _Archive:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def add_file(self, name: str, content: IO[bytes], size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size = size
        self._tar.addfile(info, content)


@contextlib.contextmanager
def _bundle(path: Path, name: str, *, is_archive: bool) -> Iterator[_Folder | _Archive]:
    """Open a bundle for writing; an archive tells no name, time or user of whoever writes it."""
    if not is_archive:
        yield _Folder(path)
        return
    with path.open("wb") as raw:
        packed = None if name.lower().endswith(".tar") else gzip.GzipFile("", "wb", fileobj=raw, mtime=0)
        with packed or contextlib.nullcontext(), tarfile.open(fileobj=packed or raw, mode="w") as tar:
            yield _Archive(tar)


@dataclass(frozen=True)
class Imported:
    """Outcome of an import: names of artefacts.

    Attributes:
        replaced: Damaged in the store before, whole now.
        there: In the store already, every byte of them.
        other: In the store already with other content, which stays; so results of another processor may differ.
        busy: Left out, because a process is making them right now.
        old: Left out, because no study of this version would use them.
    """

    placed: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    busy: list[str] = field(default_factory=list)
    old: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        return {
            "placed": self.placed, "replaced": self.replaced, "there": self.there, "other": self.other,
            "busy": self.busy, "old": self.old,
        }  # fmt: skip

    def text(self) -> str:
        """Return the outcome as lines for a terminal."""
        lines = [f"placed {name}" for name in self.placed]
        lines += [f"replaced {name}, which was damaged" for name in self.replaced]
        lines += [f"left {name} as it is in the store: its content in the bundle is another" for name in self.other]
        lines += [f"left {name}, which a process is making" for name in self.busy]
        lines += [
            f"left {name}: this version uses format {FORMAT_VERSION}, and would make it again" for name in self.old
        ]
        parts = [f"{number_text(len(self.placed), 'artefact')} placed"]
        parts += [f"{len(self.replaced)} replaced"] if self.replaced else []
        parts += [f"{len(self.there)} were there"]
        left = len(self.other) + len(self.busy) + len(self.old)
        parts += [f"{left} left"] if left else []
        return "\n".join([*map(visible, lines), ", ".join(parts)])


def import_bundle(store: Store, source: Path) -> Imported:
    """Check a bundle, then place its artefacts in a store.

    Artefacts that are in the store already are verified byte by byte, and replaced if damaged.

    Args:
        source: An archive or a folder.

    Raises:
        StoreError: If it is not a bundle, holds anything but plain files in their places, more than the limits allow,
            artefacts of a newer format, or a key or a file that does not match; nothing is placed then.
        UnreadableError: If an artefact is in the store and cannot be read.
        WriteError: If the store cannot be written, or has no room.
    """
    if what_instead(source) is None and not source.exists():
        hint = "Make one with: adaptstilts store export KEY --to FILE (in Python: export_artefacts(keys, to))."
        raise StoreError("no such bundle", path=source, hint=hint)
    with store.scratch("import") as folder:
        if source.is_dir():
            root = source
            with reading(source):
                check_folder(root)
        else:
            root = folder
            unpack(source, root)
        with reading(source):
            manifests = _checked(root, source)
        return _place(store, manifests, source, root)


def _checked(root: Path, source: Path) -> dict[Path, dict[str, Any]]:
    """Check everything in a bundle; return the manifests by the folders of their artefacts."""
    paths = sorted(root.glob(f"*/*/{MANIFEST}"))
    if not paths:
        raise StoreError("holds no artefact", path=source, hint="Bundles are made by: adaptstilts store export")
    manifests = {path.parent: _check(path, root, source) for path in paths}
    _check_sums(root, source)
    seen: set[str] = set()
    for manifest in manifests.values():
        digits = manifest["key"][:KEY_DIGITS]
        if digits in seen:
            raise fault(source, f"holds the artefact {digits} twice")
        seen.add(digits)
    return manifests


def _place(store: Store, manifests: Mapping[Path, dict[str, Any]], source: Path, root: Path) -> Imported:
    done = Imported()
    for path, manifest in manifests.items():
        if is_older(manifest):
            done.old.append(f"{manifest.get('name', path.name)}, of {_format_text(manifest)}")
            continue
        with store.claim_of(manifest["key"]) as is_mine:
            # What is there is looked at only now: no other process makes or replaces it any more.
            state = _state(store, manifest) if is_mine else "busy"
            if state in {"absent", "damaged"}:
                try:
                    with store.adopting(manifest, replacing=state == "damaged") as folder:
                        for name in manifest["files"]:
                            _bring(path / name, folder / name, source, move=root is not source)
                except TakenOverError:  # this machine slept, and another process is making it
                    state = "busy"
            _FOUND[state](done).append(manifest["name"])
    return done


_FOUND: dict[str, Callable[[Imported], list[str]]] = {
    "absent": lambda done: done.placed,
    "damaged": lambda done: done.replaced,
    "whole": lambda done: done.there,
    "other": lambda done: done.other,
    "busy": lambda done: done.busy,
}
"""List of an outcome for an artefact, by what was found under its key."""


def _state(store: Store, manifest: Mapping[str, Any]) -> str:
    """Return what every byte in the store says of the artefact of a key.

    Returns:
        ``absent``, ``damaged`` or ``whole``; ``other`` if it is whole and has other content than the bundle's.

    Raises:
        UnreadableError: If that cannot be seen.
    """
    there = None
    try:
        there = store.look_up(manifest["kind"], manifest["key"])
        if there is None:
            return "absent"
        if store.verify(there):
            return "damaged"
        return "whole" if _content(there.manifest) == _content(manifest) else "other"
    except UnreadableError:
        raise
    except DamagedError:
        return "damaged"
    except OSError as error:
        folder = "" if there is None else there.folder
        problem = f"cannot be read: {system_reason(error)}"
        raise UnreadableError(problem, path=error.filename, folder=folder) from error


def _content(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the records of the files that equal runs leave equal."""
    return {name: record for name, record in manifest["files"].items() if name not in _TIMED}


def _bring(path: Path, target: Path, source: Path, *, move: bool) -> None:
    """Move a file of an unpacked bundle to its place, or copy one that stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if move:
        path.replace(target)
        return
    with reading(source):
        content = open_file(path, StoreError)
    with content, target.open("wb") as file:
        shutil.copyfileobj(cast("BinaryIO", _Read(content, path)), file)


def _check(path: Path, root: Path, source: Path) -> dict[str, Any]:
    """Return the manifest of an artefact in a bundle, after checking its place, key and files."""
    place = path.parent.relative_to(root).as_posix()
    try:
        with open_file(path, StoreError) as file:
            manifest = parse_manifest(file.read(MOST_MANIFEST_BYTES + 1))
    except ValueError as error:
        raise fault(source, f"{place}/{MANIFEST}: not a usable manifest: {error}") from error
    if manifest.get("format", 0) > FORMAT_VERSION:
        problem = f"{place}: is of {_format_text(manifest)}, and this version reads format {FORMAT_VERSION}"
        raise StoreError(
            problem, path=source, hint="Import it with a newer version of adaptstilts; nothing was placed."
        )
    if not is_older(manifest):
        _check_identity(manifest, place, source)
    for damage in damages(path.parent, manifest["files"], again=True):
        name = "" if damage.path is None else damage.path.relative_to(root).as_posix()
        raise fault(source, f"{name}: {damage.problem}")
    return manifest


def _check_identity(manifest: Mapping[str, Any], place: str, source: Path) -> None:
    key = content_key(manifest["format"], manifest["kind"], manifest["job"], manifest["inputs"])
    if manifest["key"] != key:
        raise fault(source, f"{place}: key {manifest['key'][:KEY_DIGITS]} does not match its content")
    if place != _place_in_bundle(manifest):
        raise fault(source, f"{place}: the folder's name does not fit its manifest")
    kinds = [kind.value for kind in StageKind]
    if manifest["kind"] not in kinds:
        raise StoreError(f"{place}: not a kind of stage", path=source, value=manifest["kind"], allowed=kinds)


def _check_sums(root: Path, source: Path) -> None:
    """Compare the manifests with the bundle's checksums; the manifests vouch for all other files."""
    path = root / CHECKSUMS
    if not path.is_file():
        raise fault(source, f"lacks {CHECKSUMS}")
    text = read_bytes(path, _MOST_SUMS, StoreError).decode("utf-8", errors="replace")
    lines = [line.partition("  ") for line in text.splitlines()]
    sums = {name: digits for digits, _, name in lines}
    for manifest in sorted(root.glob(f"*/*/{MANIFEST}")):
        name = manifest.relative_to(root).as_posix()
        if sums.get(name) != content_hash(manifest, again=True):
            raise fault(source, f"{name}: damaged")
