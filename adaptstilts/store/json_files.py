"""Writing of JSON files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 - JSON values
    """Write plain values as JSON with sorted keys; the folder is made if missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False), encoding="utf-8")


def replace_json(path: Path, value: Any) -> None:  # noqa: ANN401 - JSON values
    """Write as `write_json` does, but atomically: other processes see the old file or the new one."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    write_json(partial, value)
    partial.replace(path)
