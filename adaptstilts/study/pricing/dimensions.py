"""Shapes of backbones, found without loading their weights. Free of torch."""

from __future__ import annotations

from pathlib import Path

from adaptstilts.models.architecture import ARCHITECTURES
from adaptstilts.models.backbone import known_config
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
        The shape from a folder's config.json; for a hub id from `KNOWN`, else from the config.json in the hub's cache.
        None if it is in none of them, or the family of encoders is not supported.

    Raises:
        CheckpointError: If a config.json is refused.
    """
    if not Path(backbone.location).is_dir() and backbone.location in KNOWN:
        return KNOWN[backbone.location]
    config = known_config(backbone.location, backbone.revision)
    return None if config is None else _from_config(config)


def _from_config(config: dict[str, object]) -> BackboneShape | None:
    architecture = ARCHITECTURES.get(str(config.get("model_type")))
    return None if architecture is None else architecture.shape(config)
