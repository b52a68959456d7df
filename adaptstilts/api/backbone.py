"""Backbones: training a small one from text, and conversion of pickled weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adaptstilts.api.shown import Shown
from adaptstilts.arguments import function_of, optional_text_of, path_of
from adaptstilts.config.load import load
from adaptstilts.config.pretrain import PretrainSection
from adaptstilts.files import local_path
from adaptstilts.runtime import prepare_process
from adaptstilts.shipped import find_config

if TYPE_CHECKING:
    from adaptstilts.pretrain.files import PretrainReport


def pretrain_backbone(
    source: Path | str | Mapping[str, Any], *overrides: str, on_message: Callable[[str], None] | None = None
) -> PretrainReport:
    """Train a small backbone from text, or go on where an earlier call stopped.

    Learns a tokenizer, then trains with masked and translation language modelling.

    Args:
        source: A pretraining configuration: a file, the name of one that comes with the package, or a mapping.
        overrides: ``key=value`` settings that override those of the source.
        on_message: Called with a line about the progress now and then.

    Returns:
        Folder, steps, parameters and losses.

    Raises:
        AdaptstiltsError: If settings or text cannot be used, or the loss is not finite.
    """
    from adaptstilts.pretrain.pretrain import pretrain  # noqa: PLC0415 - brings torch

    told = function_of("on_message", on_message) or (lambda line: None)
    prepare_process()
    section = load(
        source if isinstance(source, Mapping) else find_config(source, "pretrain"), overrides, PretrainSection
    )
    return pretrain(section, local_path(section.output, "output"), told)


def convert_backbone(source: Path | str, to: Path | str, *, revision: str | None = None) -> Shown:
    """Write a model's pickled weights as safetensors, in a new folder with its configuration and tokenizer.

    The pickle is read in a process of its own, with PyTorch's loader for weights alone and with limits on memory and
    time.

    Args:
        source: Folder or hub id of the model.
        to: Folder to write; it must not exist.
        revision: Branch, tag or commit of a hub id; None for the main branch.

    Raises:
        CheckpointError: If the files cannot be used, or hold code.
    """
    from adaptstilts.models.convert import convert  # noqa: PLC0415

    made = convert(str(path_of("source", source)), path_of("to", to), optional_text_of("revision", revision))
    return Shown(made.record(), made.text())
