"""Garbage collection: leftovers of dead processes, and artefacts that no named study uses."""

from __future__ import annotations

import contextlib
import math
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from adaptstilts.errors import DamagedError
from adaptstilts.files import clear
from adaptstilts.formatting import aligned, number_text, size_text
from adaptstilts.store.manifest import KEY_DIGITS, MANIFEST, digits_of
from adaptstilts.store.process import Mark, is_alive
from adaptstilts.store.shared import SharedStore
from adaptstilts.store.show import name_of
from adaptstilts.store.stage import FORMAT_VERSION, StageKind, is_older
from adaptstilts.store.store import RESUME_FOLDER, Store

UNFINISHED_DAYS = 2.0
"""Age at which an unfinished, unclaimed folder of a process on another machine counts as abandoned."""

_FORMER_FOLDERS = (".claims", ".running")
"""Folders in which older versions kept locks and heartbeats."""
_FORMER_IMPORTS = ".import-"
"""Start of the names of folders in which older versions unpacked bundles."""


@dataclass
class Waste:
    """Removable contents of a store.

    Attributes:
        items: Description, size in bytes, and a function that removes it; that returns False if it has come into use.
        damaged: Damaged artefacts; they stay, because their keys are uncertain and somebody may need them.
        removed: Whether the items were removed.
    """

    items: list[tuple[str, int, Callable[[], object]]] = field(default_factory=list)
    damaged: list[DamagedError] = field(default_factory=list)
    removed: bool = False

    def record(self) -> dict[str, Any]:
        """Return the findings as plain values."""
        items = [{"what": what, "bytes": count} for what, count, _ in self.items]
        return {
            "items": items,
            "bytes": sum(count for _, count, _ in self.items),
            "damaged": [str(error) for error in self.damaged],
            "removed": self.removed,
        }

    def text(self) -> str:
        """Return the findings as lines for a terminal."""
        rows = [(size_text(count), what) for what, count, _ in self.items]
        lines = aligned([*rows, *(("left", str(error)) for error in self.damaged)], "><")
        total = f"{number_text(len(self.items), 'thing')}, {size_text(sum(count for _, count, _ in self.items))}"
        if not self.items:
            return "\n".join([*lines, "nothing to remove"])
        return "\n".join(
            [
                *lines,
                f"removed {total}" if self.removed else f"would remove {total}; do it with --yes (in Python: remove())",
            ]
        )

    def remove(self) -> None:
        """Remove all items except those that have come into use meanwhile."""
        self.items = [item for item in self.items if item[2]() is not False]
        self.removed = True


def find_waste(store: Store, needed: set[str] | None = None) -> Waste:
    """Find what nobody needs; never what a living process has claimed.

    Args:
        needed: Keys of all stages that somebody needs; None to look for leftovers only.

    Returns:
        Leftovers: unfinished folders of dead processes, dead claims, states to resume finished stages from, folders
        without a manifest, and artefacts of older formats. With ``needed`` also all artefacts of other keys, and old
        states to resume them from. Artefacts with damaged manifests are listed and stay.
    """
    waste = Waste()
    artefacts = store.artefacts(on_damage=waste.damaged.append)
    _find_unfinished(store, waste)
    _find_resume_states(store, {artefact.key[:KEY_DIGITS] for artefact in artefacts}, needed, waste)
    if isinstance(store, SharedStore):
        for place in store.orphans():
            waste.items.append((f"broken-off upload {'/'.join(place)}", 0, partial(store.remove_orphan, place)))
    for artefact in artefacts:
        version = artefact.manifest.get("format", 0)
        is_old = is_older(artefact.manifest)
        is_unneeded = needed is not None and artefact.key not in needed and version <= FORMAT_VERSION
        if (is_old or is_unneeded) and store.claimant_of(artefact.key) is None:
            why = f"of an older format, {version or 'before 4'}" if is_old else "no named study needs it"
            what = f"{name_of(artefact)} ({artefact.folder.name}): {why}"
            remove = partial(_unclaimed, store, artefact.key, partial(store.remove, artefact.folder))
            waste.items.append((what, artefact.bytes, remove))
    return waste


def _unclaimed(store: Store, key: str, act: Callable[[], object]) -> bool:
    """Call ``act`` with a stage claimed; return whether it removed anything, False if somebody is making the stage."""
    with store.claim_of(key) as is_mine:
        return is_mine and act() is not False


def _find_unfinished(store: Store, waste: Waste) -> None:
    for leases in store.leases():
        for name in leases.stale():
            waste.items.append((f"dead claim {name}", 0, partial(leases.remove_stale, name)))
    for folder in (store.root / name for name in _FORMER_FOLDERS):
        if folder.is_dir() and _is_old(folder):
            what = f"{folder.name}, which an older version left"
            remove = partial(_remove_if, partial(_is_old, folder), folder)
            waste.items.append((what, _folder_bytes(folder), remove))
    for folder in store.unfinished():
        if _is_abandoned(store, folder):
            remove = partial(_remove_if, partial(_is_abandoned, store, folder), folder)
            waste.items.append((f"unfinished {folder.name}", _folder_bytes(folder), remove))
    for folder in sorted(store.root.glob(f"{_FORMER_IMPORTS}*")):
        if _is_old(folder):
            remove = partial(_remove_if, partial(_is_old, folder), folder)
            waste.items.append((f"unfinished import {folder.name}", _folder_bytes(folder), remove))
    for kind in StageKind:
        for folder in store.folders(kind.value):
            digits = digits_of(folder)
            if _lacks_manifest(folder) and store.claimant_of(digits) is None and _is_old(folder):
                what = f"without a manifest {folder.name}"
                act = partial(_remove_if, partial(_lacks_manifest, folder), folder)
                remove = partial(_unclaimed, store, digits, act)
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
            remove = partial(_unclaimed, store, digits, partial(clear, folder, ignore_errors=True))
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
    return time.time() - _newest_and_bytes(folder)[0] > UNFINISHED_DAYS * 86400


def _folder_bytes(folder: Path) -> int:
    return _newest_and_bytes(folder)[1]


def _newest_and_bytes(folder: Path) -> tuple[float, int]:
    """Return the time of the last change in a folder, infinite where it cannot be seen, and the files' bytes."""
    paths = (Path(place, name) for place, folders, files in os.walk(folder) for name in (*folders, *files))
    found = [_stat(path) for path in (folder, *paths)]
    newest = max(math.inf if entry is None else entry.st_mtime for entry in found)
    return newest, sum(entry.st_size for entry in found if entry is not None and stat.S_ISREG(entry.st_mode))


def _stat(path: Path) -> os.stat_result | None:
    with contextlib.suppress(OSError):  # it has vanished, or is not for us to see
        return path.stat(follow_symlinks=False)
    return None


def _lacks_manifest(folder: Path) -> bool:
    """Return whether a folder has no manifest; False where that cannot be seen, since it may well have one."""
    try:
        (folder / MANIFEST).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _remove_if(is_waste: Callable[[], bool], path: Path) -> bool:
    """Remove a folder if it still is waste; return whether it was."""
    if not is_waste():
        return False
    clear(path, ignore_errors=True)
    return True
