"""Looking after a store: what is in it, and what nobody needs any more."""

from __future__ import annotations

import json
import shutil
import string
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from adaptstilts.errors import DamagedError, StoreError
from adaptstilts.study.claims import Claims
from adaptstilts.study.leases import SLOP_SECONDS
from adaptstilts.study.manifests import KEY_DIGITS, MANIFEST
from adaptstilts.study.processes import Mark, is_alive
from adaptstilts.study.shared_store import SharedStore, store_at
from adaptstilts.study.stages import FORMAT_VERSION, StageKind
from adaptstilts.study.store import CLAIMS_FOLDER, RESUME_FOLDER, Artefact, Store

UNFINISHED_DAYS = 2.0
"""Age at which a folder that a process elsewhere left unfinished, and that nobody claims, is taken for abandoned."""
_FEWEST_DIGITS = 4


def open_existing(location: str, cache: str | None = None) -> Store:
    """Return the store that lies at a path or an address, to look after it.

    Args:
        location: As `adaptstilts.study.shared_store.store_at` takes it.
        cache: As there.

    Returns:
        The store.

    Raises:
        StoreError: If there is none, or it cannot be reached.
    """
    store = store_at(location, cache)
    is_file = not isinstance(store, SharedStore) and store.root.is_file()
    is_there = store.remote.is_there() if isinstance(store, SharedStore) else store.root.is_dir()
    if not is_there:
        problem = "is not a folder" if is_file else "there is no such folder"
        raise StoreError(f"{store.location}: {problem}", hint="Give the --store of a study that has begun.")
    return store


def name_of(artefact: Artefact) -> str:
    """Return the name of the stage that an artefact is of."""
    return str(artefact.manifest.get("name", artefact.folder.name))


def place_of(damage: DamagedError) -> tuple[str, str]:
    """Return the kind of a damaged artefact and the digits of its key, as the names of its folders say them."""
    folder = Path(damage.folder)
    return folder.parent.name, folder.name.rpartition("-")[2]


def check_kinds(kinds: Sequence[str] | None) -> Sequence[str] | None:
    """Return kinds of stages as they are given, None for all.

    Raises:
        StoreError: If one is none.
    """
    known = [kind.value for kind in StageKind]
    for kind in kinds or ():
        if kind not in known:
            raise StoreError(f"'{kind}' is no kind of stage", value=kind, allowed=known)
    return kinds or None


def listing(artefacts: Iterable[Artefact]) -> list[dict[str, Any]]:
    """Describe artefacts in short.

    Args:
        artefacts: Some artefacts.

    Returns:
        Per artefact ``name``, ``kind``, ``key``, ``bytes``, ``age_seconds`` since it was begun (negative if another
        clock is ahead), the ``seconds`` it took, and the ``host`` it was made on.
    """
    return [
        {
            "name": name_of(artefact),
            "kind": artefact.manifest.get("kind", artefact.folder.parent.name),
            "key": artefact.key,
            "bytes": artefact.bytes,
            "age_seconds": _age(artefact),
            "seconds": artefact.seconds,
            "host": artefact.manifest.get("host", ""),
        }
        for artefact in artefacts
    ]


def listing_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a listing for a terminal."""
    lines = [f"{'stage':<56} {'kind':<8} {'key':<{KEY_DIGITS}} {'size':>9} {'age':>7} {'took':>7}  host"]
    for row in rows:
        age = _age_text(row["age_seconds"])
        lines.append(
            f"{row['name'][:56]:<56} {row['kind']:<8} {row['key'][:KEY_DIGITS]} {size(row['bytes']):>9} {age:>7} "
            f"{duration(row['seconds']):>7}  {row['host']}".rstrip()
        )
    kinds = Counter(row["kind"] for row in rows)
    parts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    took = duration(sum(row["seconds"] for row in rows))
    total = f"{len(rows)} artefacts, {size(sum(row['bytes'] for row in rows))}, {took} to make"
    return "\n".join([*lines, total + (f" ({parts})" if parts else "")])


def resolve(artefacts: Sequence[Artefact], word: str, damaged: Sequence[DamagedError] = ()) -> Artefact:
    """Return the artefact that a person means.

    Args:
        artefacts: All that there are.
        word: A key, at least four of its first digits, a stage's name, or the name of an artefact's folder.
        damaged: Errors of those whose manifests are damaged; only their folders say what they are.

    Returns:
        The artefact.

    Raises:
        StoreError: If there is none or more than one.
        DamagedError: If its manifest is damaged.
    """
    found = _meant(artefacts, word, damaged)
    if len(found) == 1:
        (one,) = found
        if isinstance(one, DamagedError):
            raise one
        return one
    if found:
        several = [
            f"{place_of(item)[1]} (damaged)"
            if isinstance(item, DamagedError)
            else f"{item.key[:KEY_DIGITS]} ({name_of(item)})"
            for item in found
        ]
        raise StoreError(f"'{word}' is {len(found)} artefacts", allowed=several, hint="Give more digits of the key.")
    names = (*(name_of(item) for item in artefacts), *(item.key[:KEY_DIGITS] for item in artefacts))
    hint = "See: adaptstilts store ls"
    if damaged:
        hint = f"{len(damaged)} have damaged manifests, see: adaptstilts store verify"
    if len(word) < _FEWEST_DIGITS and set(word.lower()) <= set(string.hexdigits):
        hint = f"Of a key, at least {_FEWEST_DIGITS} digits are needed."
    raise StoreError(f"no artefact '{word}'", value=word, allowed=tuple(dict.fromkeys(names)), hint=hint)


def _meant(artefacts: Sequence[Artefact], word: str, damaged: Sequence[DamagedError]) -> list[Artefact | DamagedError]:
    """Return all that a word can mean: what it names in full, else by digits, else by the start of a folder's name."""
    digits = word.lower()
    folders = [(Path(error.folder).name, error) for error in damaged]
    found: list[Artefact | DamagedError] = [
        item for item in artefacts if word in {item.key, name_of(item), item.folder.name}
    ]
    found += [error for name, error in folders if word == name]
    if not found and len(word) >= _FEWEST_DIGITS:
        found += [item for item in artefacts if item.key.startswith(digits)]
        found += [error for error in damaged if place_of(error)[1].startswith(digits[:KEY_DIGITS])]
    if not found:
        found += [item for item in artefacts if item.folder.name.startswith(f"{word}-")]
        found += [error for name, error in folders if name.startswith(f"{word}-")]
    return found


def details(artefacts: Sequence[Artefact], artefact: Artefact) -> dict[str, Any]:
    """Describe one artefact in full.

    Args:
        artefacts: All that there are.
        artefact: The one.

    Returns:
        Its ``manifest`` and ``folder``; ``made_from`` (name and key of each input, and whether it is ``there``); and
        ``used_by`` (name and key of what was made from it).
    """
    there = {item.key: item for item in artefacts}
    return {
        "folder": str(artefact.folder),
        "manifest": artefact.manifest,
        "made_from": [
            {"key": key, "name": name_of(there[key]) if key in there else "", "there": key in there}
            for key in artefact.manifest["inputs"]
        ],
        "used_by": [
            {"key": item.key, "name": name_of(item)} for item in artefacts if artefact.key in item.manifest["inputs"]
        ],
    }


def details_text(record: Mapping[str, Any]) -> str:
    """Return the details of an artefact for a terminal."""
    manifest = record["manifest"]
    lines = [f"{name:<12} {manifest.get(name, '')}" for name in ("name", "kind", "key", "format", "started", "host")]
    lines += [f"{'took':<12} {duration(manifest['seconds'])}", f"{'folder':<12} {record['folder']}"]
    for title, items in (("made from", record["made_from"]), ("used by", record["used_by"])):
        words = [f"{item['key'][:KEY_DIGITS]} {item['name'] or 'not in this store'}" for item in items]
        lines += [f"{title:<12} {word}" for word in words or ["nothing"]]
    lines += ["files"]
    lines += [
        f"  {size(item['bytes']):>9}  {item['sha256'][:KEY_DIGITS]}  {name}" for name, item in manifest["files"].items()
    ]
    for title in ("job", "environment"):
        lines += [title, *(f"  {name}: {_short(value)}" for name, value in manifest.get(title, {}).items())]
    return "\n".join(lines)


@dataclass
class Waste:
    """What may be removed from a store.

    Attributes:
        items: What it is, its size in bytes, and what removes it; that returns False where it has come into use.
        damaged: Errors of what is damaged: it stays, since somebody may need it, and its key is not known for sure.
        removed: Whether the items were removed.
    """

    items: list[tuple[str, int, Callable[[], object]]] = field(default_factory=list)
    damaged: list[DamagedError] = field(default_factory=list)
    removed: bool = False

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        items = [{"what": what, "bytes": count} for what, count, _ in self.items]
        return {
            "items": items,
            "bytes": sum(count for _, count, _ in self.items),
            "damaged": [str(error) for error in self.damaged],
            "removed": self.removed,
        }

    def text(self) -> str:
        """Return it for a terminal."""
        lines = [f"{size(count):>9}  {what}" for what, count, _ in self.items]
        lines += [f"     left  {error}" for error in self.damaged]
        total = f"{len(self.items)} things, {size(sum(count for _, count, _ in self.items))}"
        if not self.items:
            return "\n".join([*lines, "nothing to remove"])
        return "\n".join([*lines, f"removed {total}" if self.removed else f"would remove {total}; do it with --yes"])

    def remove(self) -> None:
        """Remove all of it, but for what has come into use meanwhile."""
        self.items = [item for item in self.items if item[2]() is not False]
        self.removed = True


def find_waste(store: Store, needed: set[str] | None = None) -> Waste:
    """Find what nobody needs; never what a living process claims.

    Args:
        store: The store.
        needed: Keys of all stages that somebody needs; None to look for leftovers only.

    Returns:
        Leftovers: unfinished folders of dead processes, dead claims, states to resume finished stages from, folders
        without a manifest, and artefacts of older formats. With ``needed`` also all artefacts of other keys, and old
        states to resume them from. What has a damaged manifest is named and stays.
    """
    waste = Waste()
    artefacts = store.artefacts(on_damage=waste.damaged.append)
    _find_unfinished(store, waste)
    _find_resume_states(store, {artefact.key[:KEY_DIGITS] for artefact in artefacts}, needed, waste)
    if isinstance(store, SharedStore):
        for name in store.stale_leases():
            waste.items.append((f"dead claim {name}", 0, partial(store.remove_lease, name)))
        for place in store.orphans():
            waste.items.append((f"broken-off upload {'/'.join(place)}", 0, partial(store.remove_orphan, place)))
    for artefact in artefacts:
        version = artefact.manifest.get("format", 0)
        is_old = version < FORMAT_VERSION
        is_unneeded = needed is not None and artefact.key not in needed and version <= FORMAT_VERSION
        if (is_old or is_unneeded) and store.claimant_of(artefact.key) is None:
            why = f"format {version or 'before 4'}" if is_old else "no named study needs it"
            what = f"{name_of(artefact)} ({artefact.folder.name}): {why}"
            remove = partial(_unclaimed, store, artefact.key, partial(store.remove, artefact.folder))
            waste.items.append((what, artefact.bytes, remove))
    return waste


def _unclaimed(store: Store, key: str, act: Callable[[], object]) -> bool:
    """Remove what is kept of a stage while nobody can make it, unless somebody is at it; say whether it was removed."""
    with store.claim_of(key) as is_mine:
        return is_mine and act() is not False


def _find_unfinished(store: Store, waste: Waste) -> None:
    claims = Claims(store.root / CLAIMS_FOLDER)
    dead = claims.sweep(remove=False)
    if dead:
        waste.items.append((f"{len(dead)} files of dead claims", 0, partial(claims.sweep, remove=True)))
    for folder in store.unfinished():
        if _is_abandoned(store, folder):
            waste.items.append((f"unfinished {folder.name}", _folder_bytes(folder), partial(_remove_tree, folder)))
    for kind in StageKind:
        place = store.root / kind.value
        for folder in sorted(place.glob(f"*-{'?' * KEY_DIGITS}")) if place.is_dir() else ():
            digits = folder.name[-KEY_DIGITS:]
            if not (folder / MANIFEST).is_file() and store.claimant_of(digits) is None and _is_old(folder):
                what = f"without a manifest {folder.name}"
                remove = partial(_unclaimed, store, digits, partial(_remove_without_manifest, folder))
                waste.items.append((what, _folder_bytes(folder), remove))


def _find_resume_states(store: Store, finished: set[str], needed: set[str] | None, waste: Waste) -> None:
    place = store.root / RESUME_FOLDER
    wanted = None if needed is None else {key[:KEY_DIGITS] for key in needed}
    for folder in sorted(place.iterdir()) if place.is_dir() else ():
        digits = folder.name[:KEY_DIGITS]
        if digits in finished:
            why = "which is finished"
        elif wanted is not None and digits not in wanted and _is_old(folder):
            why = "which no named study needs"
        else:
            continue
        if store.claimant_of(digits) is None:
            remove = partial(_unclaimed, store, digits, partial(_remove_tree, folder))
            waste.items.append((f"state to resume {folder.name}, {why}", _folder_bytes(folder), remove))


def _is_abandoned(store: Store, folder: Path) -> bool:
    mark = Mark.parse(folder.name)
    alive = None if mark is None else is_alive(mark)
    if alive is not None:
        return not alive
    parts = folder.name.split("~")
    is_claimed = len(parts) > 4 and store.claimant_of(parts[4]) is not None
    return not is_claimed and _is_old(folder)


def _is_old(folder: Path) -> bool:
    newest = max((path.stat().st_mtime for path in (folder, *folder.rglob("*"))), default=0.0)
    return time.time() - newest > UNFINISHED_DAYS * 86400


def _remove_without_manifest(folder: Path) -> bool:
    if (folder / MANIFEST).is_file():
        return False
    _remove_tree(folder)
    return True


def _remove_tree(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder, *folder.rglob("*")) if path.is_file())


def _age(artefact: Artefact) -> float | None:
    try:
        started = datetime.strptime(artefact.manifest["started"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except (KeyError, ValueError, TypeError):
        return None
    return round(time.time() - started.timestamp(), 1)


def _age_text(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return duration(max(seconds, 0.0)) if seconds > -SLOP_SECONDS else "future"


def _short(value: object, most: int = 200) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else f"{text[:most]} ..."


def size(count: float) -> str:
    """Return a number of bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(seconds: float) -> str:
    """Return a time for people."""
    for unit, length in (("s", 60), ("min", 60), ("h", 24)):
        if seconds < length * 2:
            return f"{seconds:.1f} {unit}"
        seconds /= length
    return f"{seconds:.1f} d"
