"""The command ``adaptstilts status``: running, waiting, done, failed, lost and damaged stages, and the time left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import adaptstilts
from adaptstilts.cli.output import JsonOption, show
from adaptstilts.cli.outside_tasks import TasksFromOption
from adaptstilts.errors import ConfigError

if TYPE_CHECKING:
    from adaptstilts.api.status import StatusReader


def status(
    config: Annotated[Path | None, typer.Argument(help="The study's YAML file; leave it out with --store.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(help="key=value settings that the study was run with.")
    ] = None,
    *,
    store: Annotated[
        str | None, typer.Option("--store", help="Folder or address of a store, to show everything that runs on it.")
    ] = None,
    store_cache: Annotated[
        str | None,
        typer.Option("--store-cache", help="Local folder for a --store that is an address."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep redrawing until all stages are done.")] = False,
    every: Annotated[float, typer.Option("--every", min=0.5, help="Seconds between two updates, with --watch.")] = 5.0,
    tasks_from: TasksFromOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how far a study is, from any place that sees its store.

    Lists running, waiting, done, failed, lost and damaged stages, the time left, and the command that continues the
    study.

    Example: adaptstilts status quickstart --watch
    """
    if (config is None) == (store is None) or (watch and as_json):
        allowed = ("status CONFIG [key=value ...]", "status --store FOLDER", "each with --watch or --json")
        raise ConfigError("give either a study or a store", allowed=allowed)
    observed: StatusReader | adaptstilts.Study
    if store is not None:
        observed = adaptstilts.store_status(store, store_cache=store_cache)
    elif config is not None:
        observed = adaptstilts.load_study(config, *(overrides or ()))
    if watch:
        observed.watch(every)
    show(
        observed.status(options=[word for path in tasks_from or () for word in ("--tasks-from", str(path))]),
        as_json=as_json,
    )
