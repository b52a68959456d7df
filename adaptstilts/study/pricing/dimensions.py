"""Shapes of backbones, found without loading their weights. Free of torch."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from adaptstilts.models.architecture import ARCHITECTURES
from adaptstilts.models.backbone import read_config
from adaptstilts.models.shape import BackboneShape
from adaptstilts.study.plan.jobs import BackboneRef

KNOWN: dict[str, BackboneShape] = {
    "FacebookAI/xlm-roberta-base": BackboneShape(12, 768, 3072, 12, 250_002, 514),
    "FacebookAI/xlm-roberta-large": BackboneShape(24, 1024, 4096, 16, 250_002, 514),
}
"""Shapes by hub id, from the models' config.json on the Hugging Face hub (Conneau et al. 2020)."""


def shape_of(backbone: BackboneRef) -> BackboneShape | None:
    """Find the shape of a backbone.

    Returns:
        The shape from a folder's config.json; for a hub id from `KNOWN`, else from the config.json in the local Hugging
        Face cache. None if it is in none of them, or the family of encoders is not supported.

    Raises:
        CheckpointError: If a folder's config.json is not JSON.
    """
    folder = Path(backbone.location)
    if folder.is_dir():
        return _from_config(read_config(folder))
    if backbone.location in KNOWN:
        return KNOWN[backbone.location]
    path = _cached_config(backbone.location, backbone.revision or "main")
    if path is None:
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # the cache belongs to another program; a damaged file in it is no error of the study
    return _from_config(found) if isinstance(found, dict) else None


def _from_config(config: dict[str, Any]) -> BackboneShape | None:
    architecture = ARCHITECTURES.get(str(config.get("model_type")))
    return None if architecture is None else architecture.shape(config)


def _cached_config(repository: str, revision: str) -> Path | None:
    """Find the config.json of a hub id in the local cache, where refs name commits and snapshots hold files."""
    home = os.environ.get("HF_HOME", "~/.cache/huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE", f"{home}/hub")).expanduser()
    folder = cache / f"models--{repository.replace('/', '--')}"
    reference = folder / "refs" / revision
    try:
        commit = reference.read_text(encoding="utf-8").strip() if reference.is_file() else revision
    except (OSError, UnicodeDecodeError):
        return None
    path = folder / "snapshots" / commit / "config.json"
    return path if path.is_file() else None
