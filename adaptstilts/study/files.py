"""Small files inside artefacts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

DATA_FOLDER = "files"
"""Folder of the generated data sets inside their artefact."""
PREDICTIONS_FOLDER = "predictions"
"""Folder of the predictions by language inside their artefact."""

NOTES_FILE = "notes.json"
"""Remarks on a whole study, beside its tables."""
PAGES_FILE = "pages.json"
"""Which files a report has, and its text for the terminal."""


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 - JSON values
    """Write plain values as JSON, with sorted keys.

    Args:
        path: File; its folder is made if missing.
        value: Plain values.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False), encoding="utf-8")


def replace_json(path: Path, value: Any) -> None:  # noqa: ANN401 - JSON values
    """Write plain values as `write_json` does, but so that others see the file whole or not at all.

    Args:
        path: File; its folder is made if missing.
        value: Plain values.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    write_json(partial, value)
    partial.replace(path)
