"""Training of small backbones from text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adaptstilts.config.load import load
from adaptstilts.config.pretrain import PretrainSection
from adaptstilts.runtime import prepare_process

if TYPE_CHECKING:
    from adaptstilts.pretrain.files import PretrainReport


def pretrain_backbone(
    source: Path | str | Mapping[str, Any], *overrides: str, on_message: Callable[[str], None] | None = None
) -> PretrainReport:
    """Train a small backbone from text, or go on where an earlier call stopped.

    Learns a tokenizer, then trains with masked and translation language modelling.

    Args:
        source: A pretraining configuration, as a file or a mapping.
        overrides: ``key=value`` settings that override those of the source.
        on_message: Called with a line about the progress now and then.

    Returns:
        Folder, steps, parameters and losses.

    Raises:
        AdaptstiltsError: If settings or text cannot be used, or the loss is not finite.
    """
    from adaptstilts.pretrain.pretrain import pretrain  # noqa: PLC0415 - brings torch

    prepare_process()
    section = load(Path(source) if isinstance(source, str) else source, overrides, PretrainSection)
    return pretrain(section, Path(section.output), on_message or (lambda line: None))
