"""The verbs below ``adaptstilts data``: getting the data sets and checking a folder of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

data_app = typer.Typer(
    name="data",
    help="Get the data sets, and check a folder of them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@data_app.callback()
def _data() -> None:
    """Get the data sets, and check a folder of them."""


@data_app.command()
def fetch(
    tasks: Annotated[list[str] | None, typer.Argument(help="Tasks; all that can be downloaded when none.")] = None,
    *,
    root: Annotated[Path, typer.Option("--root", help="Folder for the data; give it as data.root later.")],
    language: Annotated[
        list[str] | None,
        typer.Option("--language", help="Dev and test sets of this language only (English training too); repeatable."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Never touch the network: use what ROOT/.downloads holds.")
    ] = False,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="Your own sources, in the form of adaptstilts/data/sources.yaml.")
    ] = None,
) -> None:
    """Download data sets, check them, and convert them to one layout.

    Resumes what broke off; skips what is there; records rows and checksums in ROOT/adaptstilts.lock.json.

    Example: adaptstilts data fetch xnli mnli --root data --language de
    """
    from adaptstilts.console import FetchWatcher  # noqa: PLC0415
    from adaptstilts.data.fetch import FetchOptions, not_trained_yet  # noqa: PLC0415
    from adaptstilts.data.fetch import fetch as start  # noqa: PLC0415
    from adaptstilts.data.manifest import packaged, read_manifest  # noqa: PLC0415

    sources = packaged() if manifest is None else read_manifest(manifest)
    options = FetchOptions(languages=tuple(language) if language else None, offline=offline, manifest=sources)
    try:
        with FetchWatcher(Console(stderr=True)) as watcher:
            result = start(root, tasks or (), watcher, options)
    except KeyboardInterrupt:
        typer.echo("interrupted; what is downloaded is kept, and the same command goes on from it", err=True)
        raise typer.Exit(130) from None
    for left in result.left:
        typer.echo(left, err=True)
    for name in not_trained_yet(root, tasks or ()):
        typer.echo(f"training data not fetched yet: adaptstilts data fetch {name} --root {root}", err=True)
    typer.echo(f"{root}: {len(result.made)} splits fetched, {len(result.there)} were there")
