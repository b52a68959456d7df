"""Shapes of backbones: what is needed to count parameters and operations without loading a model. Free of torch."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptstilts.models.backbone import read_config
from adaptstilts.study.plan.jobs import BackboneRef


@dataclass(frozen=True)
class BackboneShape:
    """Numbers that decide the size of an XLM-R encoder without pooler.

    Attributes:
        layers: Blocks.
        width: Width of the token vectors.
        inner: Width of the feed-forward blocks.
        heads: Attention heads.
        vocabulary: Sub-tokens.
        positions: Rows of the position table, XLM-R's two reserved ones included.
        segments: Rows of the segment table.
    """

    layers: int
    width: int
    inner: int
    heads: int
    vocabulary: int
    positions: int
    segments: int = 1

    @property
    def embedding_parameters(self) -> int:
        """Parameters of the three tables and their LayerNorm."""
        return (self.vocabulary + self.positions + self.segments + 2) * self.width

    @property
    def block_parameters(self) -> int:
        """Parameters of one block: four square projections, two of the feed-forward, two LayerNorms."""
        attention = 4 * (self.width * self.width + self.width)
        feed_forward = 2 * self.width * self.inner + self.inner + self.width
        return attention + feed_forward + 4 * self.width

    @property
    def parameters(self) -> int:
        """All parameters."""
        return self.embedding_parameters + self.layers * self.block_parameters

    @property
    def tensors(self) -> int:
        """Tensors of a checkpoint: five of the embeddings, sixteen of each block."""
        return 5 + 16 * self.layers


KNOWN: dict[str, BackboneShape] = {
    "FacebookAI/xlm-roberta-base": BackboneShape(12, 768, 3072, 12, 250_002, 514),
    "FacebookAI/xlm-roberta-large": BackboneShape(24, 1024, 4096, 16, 250_002, 514),
}
"""Shapes by hub id, from the models' config.json on the Hugging Face hub (Conneau et al. 2020)."""

_FIELDS = {
    "layers": "num_hidden_layers",
    "width": "hidden_size",
    "inner": "intermediate_size",
    "heads": "num_attention_heads",
    "vocabulary": "vocab_size",
    "positions": "max_position_embeddings",
    "segments": "type_vocab_size",
}


def shape_of(backbone: BackboneRef) -> BackboneShape | None:
    """Find the shape of a backbone.

    Args:
        backbone: A folder, or a hub id.

    Returns:
        Its shape: of a folder from its config.json; of a hub id from `KNOWN`, else from the config.json of the local
        Hugging Face cache. None where none of them tells.

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
        return None  # another program's cache; what it holds is no fault of the study
    return _from_config(found) if isinstance(found, dict) else None


def _from_config(config: dict[str, Any]) -> BackboneShape | None:
    found = {name: config.get(key) for name, key in _FIELDS.items()}
    numbers = {name: value for name, value in found.items() if isinstance(value, int) and value > 0}
    return BackboneShape(**numbers) if numbers.keys() == _FIELDS.keys() else None


def _cached_config(repository: str, revision: str) -> Path | None:
    """Return the config.json of a hub id in the local cache, by its layout: refs name commits, snapshots hold files."""
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
