"""The command ``adaptstilts status``: running, waiting, done, failed, lost and damaged stages, and the time left."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptstilts.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from adaptstilts.study.status import Observer, Status


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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Show how far a study is, from any place that sees its store.

    Lists running, waiting, done, failed, lost and damaged stages, the time left, and the command that continues the
    study.

    Example: adaptstilts status configs/quickstart.yaml --watch
    """
    from adaptstilts.study.status_text import status_text  # noqa: PLC0415

    if (config is None) == (store is None) or (watch and as_json):
        allowed = ("status CONFIG [key=value ...]", "status --store FOLDER", "each with --watch or --json")
        raise ConfigError("give either a study or a store", allowed=allowed)
    observer = _observer(config, overrides or ()) if store is None else _store_observer(store, store_cache)
    if watch:
        _watch(observer, every)
    found = observer.look()
    go_on = _go_on(found, config, overrides or ())
    if as_json:
        typer.echo(json.dumps({**found.record(), "go_on": go_on}, indent=2, ensure_ascii=False))
    else:
        typer.echo(status_text(found, observer.store.root, go_on))


def _store_observer(location: str, cache: str | None) -> Observer:
    from adaptstilts.store.remote import is_address  # noqa: PLC0415
    from adaptstilts.store.shared import store_at  # noqa: PLC0415
    from adaptstilts.study.status import Observer  # noqa: PLC0415

    store = store_at(location, cache)
    if not is_address(location) and not store.root.is_dir():
        raise StoreError("no such folder", path=location, hint="Name the store of a study that has been started.")
    return Observer(store)


def _observer(config: Path | None, overrides: Sequence[str]) -> Observer:
    if config is None:
        raise TypeError("neither a study nor a store")
    from adaptstilts.study.status import Observer  # noqa: PLC0415
    from adaptstilts.study.study import Study  # noqa: PLC0415

    study = Study.load(config, overrides)
    return Observer(study.store, study.plan)


def _watch(observer: Observer, every: float) -> None:
    """Draw until nothing is left to do or the user interrupts; on anything but a terminal write lines."""
    from rich.console import Console  # noqa: PLC0415

    from adaptstilts.progress.dashboard import Dashboard  # noqa: PLC0415
    from adaptstilts.study.status_text import head_line  # noqa: PLC0415

    console = Console(stderr=True)
    seen = observer.look()
    try:
        with Dashboard(console, lambda: seen):
            while not seen.is_over:
                if not console.is_interactive:
                    typer.echo(head_line(seen), err=True)
                time.sleep(every)
                seen = observer.look()
    except KeyboardInterrupt:
        return


def _go_on(found: Status, config: Path | None, overrides: Sequence[str]) -> str:
    verb = "report" if found.is_over and not found.total("failed") else "run"
    words = ["CONFIG"] if config is None else [str(config), *overrides]
    return shlex.join(["adaptstilts", verb, *words, *(["--rebuild"] if found.damaged else [])])
