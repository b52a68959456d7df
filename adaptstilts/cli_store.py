"""The verbs below ``adaptstilts store``: looking after finished work, and handing it on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from adaptstilts.errors import raise_all

if TYPE_CHECKING:
    from adaptstilts.study.store import Store

store_app = typer.Typer(
    name="store",
    help="Look after the store of finished work, and hand artefacts on.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

StoreOption = Annotated[
    str, typer.Option("--store", help="Folder of the store, or its address, such as s3://bucket/folder.")
]
CacheOption = Annotated[
    str | None, typer.Option("--store-cache", help="Local folder for a store that is an address, as in the study.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
KeysArgument = Annotated[list[str], typer.Argument(help="Keys, first digits of them, or names of stages.")]


@store_app.command()
def ls(
    *,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="Only this kind; may be repeated.")] = None,
    store: StoreOption = "checkpoints",
    store_cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the artefacts of a store.

    Example: adaptstilts store ls --kind train
    """
    from adaptstilts.errors import DamagedError  # noqa: PLC0415
    from adaptstilts.study.upkeep import check_kinds, listing, listing_text  # noqa: PLC0415

    damaged: list[DamagedError] = []
    rows = listing(_open(store, store_cache).artefacts(check_kinds(kind), on_damage=damaged.append))
    _show(rows if as_json else listing_text(rows), as_json=as_json)
    raise_all(damaged)


@store_app.command()
def show(
    key: Annotated[str, typer.Argument(help="A key, first digits of one, or a stage's name.")],
    *,
    store: StoreOption = "checkpoints",
    store_cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one artefact: what it is, what it was made from, and what was made from it.

    Example: adaptstilts store show 3fa8
    """
    from adaptstilts.errors import DamagedError  # noqa: PLC0415
    from adaptstilts.study.upkeep import details, details_text, resolve  # noqa: PLC0415

    damaged: list[DamagedError] = []
    known = _open(store, store_cache).artefacts(on_damage=damaged.append)
    record = details(known, resolve(known, key, damaged))
    for error in damaged:
        typer.echo(str(error), err=True)
    _show(record if as_json else details_text(record), as_json=as_json)


@store_app.command()
def verify(
    keys: Annotated[list[str] | None, typer.Argument(help="Keys, digits or names; all artefacts when none.")] = None,
    *,
    store: StoreOption = "checkpoints",
    store_cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every byte of a store and compare it with what was written.

    Exit status 2 if something is damaged, with one line for each file.

    Example: adaptstilts store verify
    """
    from adaptstilts.console import VerifyWatcher  # noqa: PLC0415
    from adaptstilts.study.upkeep import verify_store  # noqa: PLC0415

    with VerifyWatcher(Console(stderr=True)) as watcher:
        checked = verify_store(_open(store, store_cache), keys or (), watcher.read)
    _show(checked.record() if as_json else checked.text(), as_json=as_json)
    raise_all(checked.damaged)


@store_app.command()
def gc(
    configs: Annotated[list[Path] | None, typer.Argument(help="Studies; what none of them needs is removed.")] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; without this it is only listed.")] = False,
    store: StoreOption = "checkpoints",
    store_cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove what nobody needs: leftovers of processes that died, and what none of the named studies uses.

    Without studies only leftovers and artefacts of older formats go. What is being made is never touched.

    Example: adaptstilts store gc configs/quickstart.yaml configs/slices.yaml --yes
    """
    from adaptstilts.study.upkeep import find_waste  # noqa: PLC0415

    waste = find_waste(_open(store, store_cache), _needed(configs) if configs else None)
    if yes:
        waste.remove()
    _show(waste.record() if as_json else waste.text(), as_json=as_json)


@store_app.command()
def export(
    keys: KeysArgument,
    *,
    to: Annotated[Path, typer.Option("--to", help="A file ending with .tar or .tar.gz, or a folder.")],
    with_inputs: Annotated[bool, typer.Option("--with-inputs", help="Also all that they were made from.")] = False,
    store: StoreOption = "checkpoints",
    store_cache: CacheOption = None,
) -> None:
    """Write artefacts to a file or folder with checksums.

    Example: adaptstilts store export "train adapter mnli seed 1" --to mnli.tar --with-inputs
    """
    from adaptstilts.study.exchange import choose  # noqa: PLC0415
    from adaptstilts.study.exchange import export as write  # noqa: PLC0415

    chosen = choose(_open(store, store_cache), keys, with_inputs=with_inputs)
    write(chosen, to)
    typer.echo(f"{to}: {len(chosen)} artefacts")


@store_app.command(name="import")
def import_(
    bundle: Annotated[Path, typer.Argument(help="What `store export` has written.")],
    *,
    store: StoreOption = "checkpoints",
    store_cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Place exported artefacts in a store, once every one of them has been checked.

    Example: adaptstilts store import mnli.tar
    """
    from adaptstilts.study.exchange import import_bundle  # noqa: PLC0415
    from adaptstilts.study.shared_store import store_at  # noqa: PLC0415

    done = import_bundle(store_at(store, store_cache), bundle)
    _show(done.record() if as_json else done.text(), as_json=as_json)


def _open(location: str, cache: str | None) -> Store:
    from adaptstilts.study.upkeep import open_existing  # noqa: PLC0415

    return open_existing(location, cache)


def _needed(configs: list[Path]) -> set[str]:
    from adaptstilts.config.load import load_study, placed  # noqa: PLC0415
    from adaptstilts.study.setup import plan_study  # noqa: PLC0415

    needed: set[str] = set()
    for config in configs:
        with placed(config):
            needed.update(stage.key for stage in plan_study(load_study(config)).stages)
    return needed


def _show(value: Any, *, as_json: bool) -> None:  # noqa: ANN401 - JSON values or text
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False) if as_json else value)
