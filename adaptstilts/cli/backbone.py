"""The command ``adaptstilts convert``: pickled weights to safetensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def convert(
    source: Annotated[str, typer.Argument(help="Folder or hub id of a model whose weights are a pickle.")],
    *,
    to: Annotated[Path, typer.Option("--to", help="Folder to write; it must not exist.")],
    revision: Annotated[
        str | None, typer.Option("--revision", help="Branch, tag or commit of a hub id; by default the main branch.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Write a model's pickled weights as safetensors.

    A pickle can run code, so that no other command reads one. Here a process of its own reads it, with PyTorch's
    loader for weights alone and with limits on memory and time. docs/safety.md says what is refused.

    Example: adaptstilts convert jhu-clsp/mmBERT-base --to backbones/mmbert
    """
    from adaptstilts.models.convert import convert as start  # noqa: PLC0415

    made = start(source, to, revision)
    typer.echo(json.dumps(made.record(), indent=2, ensure_ascii=False) if as_json else made.text())
