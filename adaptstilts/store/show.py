"""Listings of a store's artefacts, and the details of one."""

from __future__ import annotations

import json
import string
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from adaptstilts.errors import DamagedError, StoreError
from adaptstilts.formatting import aligned, duration_text, number_text, size_text, visible
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.leases import SLOP_SECONDS
from adaptstilts.store.manifest import FEWEST_DIGITS, KEY_DIGITS, digits_of
from adaptstilts.store.shared import SharedStore, store_at
from adaptstilts.store.stage import StageKind
from adaptstilts.store.store import Store

_MAX_CHARACTERS = 200
"""Longest value of a manifest that is shown whole."""


def open_existing(location: str, cache: str | None = None) -> Store:
    """Return the existing store at a path or an address.

    Args:
        location: As for `adaptstilts.store.shared.store_at`.
        cache: As for `adaptstilts.store.shared.store_at`.

    Raises:
        StoreError: If there is none, or it cannot be reached.
    """
    store = store_at(location, cache)
    is_file = not isinstance(store, SharedStore) and store.root.is_file()
    is_there = store.remote.is_there() if isinstance(store, SharedStore) else store.root.is_dir()
    if not is_there:
        problem = "is not a folder" if is_file else "there is no such folder"
        raise StoreError(f"{store.location}: {problem}", hint="Give the store of a study that has begun.")
    return store


def name_of(artefact: Artefact) -> str:
    """Return the name of an artefact's stage."""
    return str(artefact.manifest.get("name", artefact.folder.name))


def place_of(damage: DamagedError) -> tuple[str, str]:
    """Return kind and key digits of a damaged artefact, read off its folder's name."""
    folder = Path(damage.folder)
    return folder.parent.name, digits_of(folder)


def check_kinds(kinds: Sequence[str] | None) -> Sequence[str] | None:
    """Return the given kinds of stages, or None, for all, if there are none.

    Raises:
        StoreError: If one is unknown.
    """
    known = [kind.value for kind in StageKind]
    for kind in kinds or ():
        if kind not in known:
            raise StoreError(f"'{kind}' is not a kind of stage", value=kind, allowed=known)
    return kinds or None


def listing(artefacts: Iterable[Artefact]) -> list[dict[str, Any]]:
    """Describe artefacts in short.

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
    """Return a listing as a table for a terminal."""
    table = [("stage", "kind", "key", "size", "age", "took", "host")]
    for row in rows:
        size, age, took = size_text(row["bytes"]), _age_text(row["age_seconds"]), duration_text(row["seconds"])
        table.append((row["name"], row["kind"], row["key"][:KEY_DIGITS], size, age, took, row["host"]))
    kinds = Counter(row["kind"] for row in rows)
    parts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    took = duration_text(sum(row["seconds"] for row in rows))
    total = f"{number_text(len(rows), 'artefact')}, {size_text(sum(row['bytes'] for row in rows))}, {took} to make"
    return "\n".join([*aligned(table, "<<<>>><"), total + (f" ({parts})" if parts else "")])


def resolve(artefacts: Sequence[Artefact], word: str, damaged: Sequence[DamagedError] = ()) -> Artefact:
    """Return the artefact that a user names.

    Args:
        word: A key, at least four of its first digits, a stage's name, or the name of an artefact's folder.
        damaged: Errors of artefacts whose manifests are damaged; only their folder names identify them.

    Raises:
        StoreError: If none or several match.
        DamagedError: If the manifest of the match is damaged.
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
        raise StoreError(f"'{word}' names {len(found)} artefacts", allowed=several, hint="Give more digits of the key.")
    names = (*(name_of(item) for item in artefacts), *(item.key[:KEY_DIGITS] for item in artefacts))
    hint = "See: adaptstilts store ls"
    if damaged:
        hint = f"{number_text(len(damaged), 'damaged manifest')}, see: adaptstilts store verify"
    if len(word) < FEWEST_DIGITS and set(word.lower()) <= set(string.hexdigits):
        hint = f"Give at least {FEWEST_DIGITS} digits of the key."
    raise StoreError(f"no artefact '{word}'", value=word, allowed=tuple(dict.fromkeys(names)), hint=hint)


def _meant(artefacts: Sequence[Artefact], word: str, damaged: Sequence[DamagedError]) -> list[Artefact | DamagedError]:
    """Return all matches of a word: by full name or key, else by digits of a key, else by the start of a folder."""
    digits = word.lower()
    folders = [(Path(error.folder).name, error) for error in damaged]
    found: list[Artefact | DamagedError] = [
        item for item in artefacts if word in {item.key, name_of(item), item.folder.name}
    ]
    found += [error for name, error in folders if word == name]
    if not found and len(word) >= FEWEST_DIGITS:
        found += [item for item in artefacts if item.key.startswith(digits)]
        found += [error for error in damaged if place_of(error)[1].startswith(digits[:KEY_DIGITS])]
    if not found:
        found += [item for item in artefacts if item.folder.name.startswith(f"{word}-")]
        found += [error for name, error in folders if name.startswith(f"{word}-")]
    return found


def details(artefacts: Sequence[Artefact], artefact: Artefact) -> dict[str, Any]:
    """Describe one artefact in full.

    Returns:
        Its ``manifest`` and ``folder``; ``made_from`` (name and key of each input, and whether it is ``there``); and
        ``used_by`` (name and key of the artefacts made from it).
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
    """Return the details of an artefact as lines for a terminal."""
    manifest = record["manifest"]
    facts = [(name, str(manifest.get(name, ""))) for name in ("name", "kind", "key", "format", "started", "host")]
    facts += [("took", duration_text(manifest["seconds"])), ("folder", record["folder"])]
    for title, items in (("made from", record["made_from"]), ("used by", record["used_by"])):
        words = [f"{item['key'][:KEY_DIGITS]} {item['name'] or 'not in this store'}" for item in items]
        facts += [(title, word) for word in words or ["nothing"]]
    files = [
        ("", size_text(item["bytes"]), item["sha256"][:KEY_DIGITS], name) for name, item in manifest["files"].items()
    ]
    lines = [*aligned(facts, "<"), "files", *aligned(files, "<><")]
    for title in ("job", "environment"):
        lines += [title, *(f"  {name}: {_short(value)}" for name, value in manifest.get(title, {}).items())]
    return "\n".join(map(visible, lines))


def _age(artefact: Artefact) -> float | None:
    try:
        started = datetime.strptime(artefact.manifest["started"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except (KeyError, ValueError, TypeError):
        return None
    return round(time.time() - started.timestamp(), 1)


def _age_text(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return duration_text(max(seconds, 0.0)) if seconds > -SLOP_SECONDS else "future"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]} ..."
