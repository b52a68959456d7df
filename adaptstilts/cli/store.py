"""The commands ``adaptstilts store ...``: list, check, clean up, export and import finished work."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from adaptstilts.errors import ConfigError, WriteError, raise_all

if TYPE_CHECKING:
    from adaptstilts.store.store import Store
    from adaptstilts.study.study import Study

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
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
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
    from adaptstilts.errors import DamagedError  # noqa: PLC0415
    from adaptstilts.store.show import check_kinds, listing, listing_text  # noqa: PLC0415

    damaged: list[DamagedError] = []
    if place is not None and store not in {place, "checkpoints"}:
        raise ConfigError("the store is given twice", value=place, allowed=["store ls STORE", "store ls --store STORE"])
    rows = listing(_open(place or store, store_cache).artefacts(check_kinds(kind), on_damage=damaged.append))
    _show(rows if as_json else listing_text(rows), as_json=as_json)
    raise_all(damaged)


@store_app.command()
def show(
    key: Annotated[str, typer.Argument(help="A key, its first digits, or a stage's name.")],
    *,
    store: StoreOption = "checkpoints",
    store_cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one artefact: settings, files, inputs, and what uses it.

    Example: adaptstilts store show 3fa8
    """
    from adaptstilts.errors import DamagedError  # noqa: PLC0415
    from adaptstilts.store.show import details, details_text, resolve  # noqa: PLC0415

    damaged: list[DamagedError] = []
    known = _open(store, store_cache).artefacts(on_damage=damaged.append)
    record = details(known, resolve(known, key, damaged))
    for error in damaged:
        typer.echo(str(error), err=True)
    _show(record if as_json else details_text(record), as_json=as_json)


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
    from adaptstilts.progress.bars import VerifyWatcher  # noqa: PLC0415
    from adaptstilts.store.verify import verify_store  # noqa: PLC0415

    with VerifyWatcher(Console(stderr=True)) as watcher:
        checked = verify_store(_open(store, store_cache), keys or (), watcher.read)
    _show(checked.record() if as_json else checked.text(), as_json=as_json)
    raise_all(checked.damaged)


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
    as_json: JsonOption = False,
) -> None:
    """Remove leftovers, and artefacts that no named study uses.

    Leftovers are unfinished work of processes that died. Without studies, only they and artefacts of older formats are
    removed. Work of running processes stays; damaged artefacts are listed and stay. Settings apply to all studies.

    Example: adaptstilts store gc configs/quickstart.yaml configs/slices.yaml "seeds=[1,2]" --yes
    """
    from adaptstilts.store.gc import find_waste  # noqa: PLC0415
    from adaptstilts.study.study import Study  # noqa: PLC0415

    overrides = [word for word in words or () if "=" in word and not Path(word).exists()]
    configs = [Path(word) for word in words or () if word not in overrides]
    if overrides and not configs:
        raise ConfigError("settings without a study", value=overrides[0], allowed=["store gc CONFIG [key=value ...]"])
    studies = {config: Study.load(config, overrides) for config in configs}
    place = _place(studies, store, store_cache)
    opened = _open(*place)
    needed = {stage.key for study in studies.values() for stage in study.plan.stages}
    waste = find_waste(opened, needed if studies else None)
    if yes:
        with _option_named():
            waste.remove()
    _show(waste.record() if as_json else waste.text(), as_json=as_json)


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
    from adaptstilts.store.archive import choose  # noqa: PLC0415
    from adaptstilts.store.archive import export as write  # noqa: PLC0415

    chosen = choose(_open(store, store_cache), keys, with_inputs=with_inputs)
    write(chosen, to)
    typer.echo(f"{to}: {len(chosen)} artefacts")


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
    from adaptstilts.store.archive import import_bundle  # noqa: PLC0415
    from adaptstilts.store.shared import store_at  # noqa: PLC0415

    with _option_named():
        done = import_bundle(store_at(store, store_cache), bundle)
    _show(done.record() if as_json else done.text(), as_json=as_json)


@contextlib.contextmanager
def _option_named() -> Iterator[None]:
    """Make errors of a store that cannot be written name the option --store instead of a study's setting."""
    try:
        yield
    except WriteError as error:
        error.hint = error.hint and error.hint.replace("store=FOLDER", "--store FOLDER")
        raise


def _open(location: str, cache: str | None) -> Store:
    from adaptstilts.store.show import open_existing  # noqa: PLC0415

    return open_existing(location, cache)


def _place(studies: Mapping[Path, Study], store: str | None, cache: str | None) -> tuple[str, str | None]:
    """Return the location of the store, and its local folder, that options and studies name.

    With --store, studies that set no store of their own are taken to use that one.

    Raises:
        ConfigError: If several stores are named: what a study in one needs says nothing about the others.
    """
    from adaptstilts.store.shared import store_at  # noqa: PLC0415

    configs = {path: study.config for path, study in studies.items()}
    caches = [config.store_cache for config in configs.values() if config.store_cache is not None]
    named = [] if store is None else [("--store", store, cache or next(iter(caches), None))]
    named += [
        (str(path), config.store, cache or config.store_cache)
        for path, config in configs.items()
        if store is None or "store" in config.model_fields_set
    ]
    if not named:
        return "checkpoints", cache
    places = {name: _shown(store_at(location, folder)) for name, location, folder in named}
    if len(set(places.values())) > 1:
        several = "; ".join(f"{name}: {place}" for name, place in places.items())
        raise ConfigError(f"several stores are named ({several})", hint="Name one store, and only studies that use it.")
    return named[0][1:]


def _shown(store: Store) -> str:
    """Return where a store is, as a text that is equal for all names of the same place."""
    root = str(store.root.resolve())
    return root if store.location == str(store.root) else f"{store.location} by way of {root}"


def _show(value: Any, *, as_json: bool) -> None:  # noqa: ANN401 - JSON values or text
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False) if as_json else value)
