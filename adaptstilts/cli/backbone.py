"""The command ``adaptstilts convert``: pickled weights to safetensors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import adaptstilts
from adaptstilts.cli.output import JsonOption, show


def convert(
    source: Annotated[str, typer.Argument(help="Folder or hub id of a model whose weights are a pickle.")],
    *,
    to: Annotated[Path, typer.Option("--to", help="Folder to write; it must not exist.")],
    revision: Annotated[
        str | None, typer.Option("--revision", help="Branch, tag or commit of a hub id; by default the main branch.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a model's pickled weights as safetensors.

    A pickle can run code, so that no other command reads one. Here a process of its own reads it, with PyTorch's
    loader for weights alone and with limits on memory and time. docs/safety.md says what is refused.

    Example: adaptstilts convert jhu-clsp/mmBERT-base --to backbones/mmbert
    """
    show(adaptstilts.convert_backbone(source, to, revision=revision), as_json=as_json)
