"""History of a results folder: a line for each report that was placed there, with its settings and main numbers."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from adaptstilts import __version__
from adaptstilts.config.sweep import SECTION, can_be_swept
from adaptstilts.results.rows import ResultRow, mean, read_csv, task_scores
from adaptstilts.study.ownership import Owner
from adaptstilts.study.study import Study

HISTORY_FILE = "history.jsonl"


def entry_of(study: Study, owner: Owner, results: Path, names: Sequence[str], missing: int) -> dict[str, Any]:
    """Describe a report: settings, numbers, keys and files; without the time.

    Args:
        study: The study.
        owner: Its configuration.
        results: Its table of scores.
        names: Names of the files of the report.
        missing: Number of stages that it lacks.
    """
    config = study.written
    kept = {name for name in type(config).model_fields if _decides((name,))}
    settings = config.model_dump(mode="json", include=kept, exclude_unset=True)
    complete = json.dumps(config.model_dump(mode="json", include=kept), sort_keys=True)
    tables, report = study.plan.summaries
    return {
        "version": __version__,
        "config": owner.config,
        "config_sha256": owner.sha256,
        "overrides": [text for text in study.origin.overrides if _decides(tuple(text.partition("=")[0].split(".")))],
        "settings": settings,
        "settings_sha256": hashlib.sha256(complete.encode()).hexdigest(),
        "missing_stages": missing,
        "scores": _scores(results),
        "keys": {"analyse": tables.key, "report": report.key},
        "files": sorted(names),
    }


def last_entry(folder: Path) -> Mapping[str, Any]:
    """Return the last whole line of a folder's history; an empty mapping if there is none."""
    if not (folder / HISTORY_FILE).is_file():
        return {}
    try:
        lines = (folder / HISTORY_FILE).read_bytes().splitlines()
    except OSError:
        return {}
    for line in reversed(lines):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def append_entry(folder: Path, entry: Mapping[str, Any]) -> None:
    """Add a report to a folder's history, unless it differs from the last one in nothing but the time.

    Raises:
        OSError: If it cannot be written.
    """
    if {**last_entry(folder), "time": None} == {**entry, "time": None}:
        return
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    line = json.dumps({"time": now, **entry}, ensure_ascii=False)
    path = folder / HISTORY_FILE
    former = path.read_bytes() if path.is_file() else b""
    is_torn = former != b"" and not former.endswith(b"\n")
    unfinished = folder / f".{HISTORY_FILE}.{os.getpid()}"
    try:
        unfinished.write_bytes(former + b"\n" * is_torn + f"{line}\n".encode())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def former_files(folder: Path) -> set[str]:
    """Return the names of the files of the last report, as far as they are plain names."""
    listed = last_entry(folder).get("files")
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    return {name for name in names if name and not name.startswith(".") and Path(name).name == name}


def _decides(key: tuple[str, ...]) -> bool:
    """Say whether scores depend on a setting."""
    return key[0] in {"seeds", SECTION} or can_be_swept(key)


def _scores(results: Path) -> list[dict[str, Any]]:
    """Return the mean of each setting and target over languages and seeds."""
    found: dict[tuple[str, str, str, str], list[float]] = {}
    for score in task_scores(read_csv(results, ResultRow)):
        found.setdefault((score.variant, score.method, score.source, score.target), []).append(score.mean)
    return [
        {"variant": variant, "method": method, "source": source, "target": target, "mean": mean(means)}
        for (variant, method, source, target), means in found.items()
    ]
