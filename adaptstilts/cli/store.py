"""The commands ``adaptstilts store ...``: list, check, clean up, export and import finished work."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

import adaptstilts
from adaptstilts.cli.output import JsonOption, show
from adaptstilts.cli.outside_tasks import TasksFromOption
from adaptstilts.cli.streams import echo_error
from adaptstilts.errors import ConfigError, WriteError

store_app = typer.Typer(
    name="store",
    help="List, check, clean up, export and import finished work.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

StoreOption = Annotated[
    str, typer.Option("--store", help="Folder of the store, or its address, such as s3://bucket/folder.")
]
CacheOption = Annotated[
    str | None,
    typer.Option("--store-cache", help="Local folder for a store that is an address, as in the study's store_cache."),
]
KeysArgument = Annotated[list[str], typer.Argument(help="Keys, their first digits, or names of stages.")]


@store_app.command()
def ls(
    place: Annotated[
        str | None, typer.Argument(metavar="STORE", help="Folder or address of the store; the same as --store.")
    ] = None,
    *,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only this kind of stage, such as train; may be repeated.")
    ] = None,
    store: StoreOption = "checkpoints",
    store_cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the artefacts of a store.

    Example: adaptstilts store ls checkpoints --kind train
    """
    if place is not None and store not in {place, "checkpoints"}:
        raise ConfigError("the store is given twice", value=place, allowed=["store ls STORE", "store ls --store STORE"])
    show(adaptstilts.list_artefacts(place or store, kinds=kind, store_cache=store_cache), as_json=as_json)


@store_app.command(name="show")
def show_(
    key: Annotated[str, typer.Argument(help="A key, its first digits, or a stage's name.")],
    *,
    store: StoreOption = "checkpoints",
    store_cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one artefact: settings, files, inputs, and what uses it.

    Example: adaptstilts store show 3fa8
    """
    found = adaptstilts.show_artefact(key, store, store_cache=store_cache)
    for error in found.notes:
        echo_error(error)
    show(found, as_json=as_json)


@store_app.command()
def verify(
    keys: Annotated[
        list[str] | None, typer.Argument(help="Keys, their first digits, or names of stages; by default all artefacts.")
    ] = None,
    *,
    store: StoreOption = "checkpoints",
    store_cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare every byte of a store with its checksums.

    Exit status 2 if something is damaged, with one line for each file.

    Example: adaptstilts store verify
    """
    show(adaptstilts.verify_artefacts(keys or (), store, store_cache=store_cache), as_json=as_json)


@store_app.command()
def gc(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CONFIG|key=value",
            help="Studies to keep, with the settings they were run with; artefacts none of them uses are removed.",
        ),
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Remove; without this option, only list.")] = False,
    store: Annotated[
        str | None, typer.Option("--store", help="Folder of the store, or its address; by default that of the studies.")
    ] = None,
    store_cache: CacheOption = None,
    tasks_from: TasksFromOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove leftovers, and artefacts that no named study uses.

    Leftovers are unfinished work of processes that died. Without studies, only they and artefacts of older formats are
    removed. Work of running processes stays; damaged artefacts are listed and stay. Settings apply to all studies.

    Example: adaptstilts store gc quickstart slices "seeds=[1,2]" --yes
    """
    overrides = [word for word in words or () if "=" in word and not Path(word).exists()]
    configs = [Path(word) for word in words or () if word not in overrides]
    if overrides and not configs:
        raise ConfigError("settings without a study", value=overrides[0], allowed=["store gc CONFIG [key=value ...]"])
    studies = [adaptstilts.load_study(config, *overrides) for config in configs]
    unused = adaptstilts.unused_artefacts(*studies, store=store, store_cache=store_cache)
    with _option_named():
        show(unused.remove() if yes else unused, as_json=as_json)


@store_app.command()
def export(
    keys: KeysArgument,
    *,
    to: Annotated[Path, typer.Option("--to", help="A file ending with .tar or .tar.gz, or a folder.")],
    with_inputs: Annotated[
        bool, typer.Option("--with-inputs", help="Also export all artefacts they were made from.")
    ] = False,
    store: StoreOption = "checkpoints",
    store_cache: CacheOption = None,
) -> None:
    """Write artefacts with their checksums to an archive or folder.

    Example: adaptstilts store export "train adapter: mnli, seed 1" --to mnli.tar --with-inputs
    """
    written = adaptstilts.export_artefacts(keys, to, store, with_inputs=with_inputs, store_cache=store_cache)
    show(written, as_json=False)


@store_app.command(name="import")
def import_(
    bundle: Annotated[Path, typer.Argument(help="An archive or folder written by `store export`.")],
    *,
    store: StoreOption = "checkpoints",
    store_cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check exported artefacts and add them to a store.

    Example: adaptstilts store import mnli.tar
    """
    with _option_named():
        show(adaptstilts.import_artefacts(bundle, store, store_cache=store_cache), as_json=as_json)


@contextlib.contextmanager
def _option_named() -> Iterator[None]:
    """Make errors of a store that cannot be written name the option --store instead of a study's setting."""
    try:
        yield
    except WriteError as error:
        error.hint = error.hint and error.hint.replace("store=FOLDER", "--store FOLDER")
        raise
