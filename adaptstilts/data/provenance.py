"""Provenance of fetched data for people: source, citation, licence, and date."""

from __future__ import annotations

from pathlib import Path

from adaptstilts.data.lock import Lock
from adaptstilts.data.sources import Manifest
from adaptstilts.files import below, clear
from adaptstilts.tasks.spec import Task

PROVENANCE_NAME = "PROVENANCE.md"
"""Name of the file, in the task's folder of the data root."""


def write_provenance(root: Path, task: Task, manifest: Manifest, lock: Lock) -> None:
    """Write ``ROOT/<task>/PROVENANCE.md`` from the lock file, unless nothing of the task was fetched."""
    text = provenance(task, manifest, lock)
    if text:
        path = below(root, f"{task.name}/{PROVENANCE_NAME}", source=task.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{PROVENANCE_NAME}.partial")
        clear(partial)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)


def provenance(task: Task, manifest: Manifest, lock: Lock) -> str:
    """Return the text of `write_provenance`; empty where nothing was fetched."""
    splits = {key: item for key, item in lock.splits.items() if key.split("/")[0] == task.name}
    if not splits:
        return ""
    entries = manifest.entries(task.name)
    addresses = dict.fromkeys(address for item in splits.values() for address in item.sources)
    notes = dict.fromkeys(part.source.note for entry in entries for part in entry.parts if part.source.note)
    lines = [f"# {task.title}", "", f"- Citation: {entries[0].citation}", f"- Licence: {entries[0].licence}"]
    lines += [f"- Note: {note}" for note in notes]
    lines += ["", "Written by `adaptstilts data fetch`, from:", ""]
    lines += [f"- {address} (SHA-256 {lock.downloads.get(address, 'not recorded')})" for address in addresses]
    lines += ["", "| split | rows | revision | fetched |", "|---|---:|---|---|"]
    lines += [
        f"| {key.partition('/')[2]} | {item.rows:,} | {item.revision or ''} | {item.date} |"
        for key, item in sorted(splits.items())
    ]
    lines += [""] if any(item.notes for item in splits.values()) else []
    lines += [f"- {key.partition('/')[2]}: {note}" for key, item in sorted(splits.items()) for note in item.notes]
    return "\n".join(lines) + "\n"
