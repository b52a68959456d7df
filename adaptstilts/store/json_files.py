"""JSON files that other processes see whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


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
