"""The commands ``adaptstilts data ...``: download data sets, check a data folder, write question-answering tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import adaptstilts
from adaptstilts.api.defaults import DEFAULT_CASES, DEFAULT_SEED
from adaptstilts.cli.output import JsonOption, show
from adaptstilts.cli.outside_tasks import TasksFromOption
from adaptstilts.cli.streams import echo_error

data_app = typer.Typer(
    name="data",
    help="Download data sets, check them, write tests from templates.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@data_app.command()
def checklist(
    *,
    root: Annotated[Path, typer.Option("--to", help="Data root; the files go into its folder multichecklist.")],
    language: Annotated[
        list[str] | None, typer.Option("--language", help="Only this language; may be repeated.")
    ] = None,
    cases: Annotated[int, typer.Option("--cases", min=1, help="Cases per test and language.")] = DEFAULT_CASES,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed that decides which cases are drawn.")] = DEFAULT_SEED,
) -> None:
    """Write the tests of the target `multichecklist` from templates.

    Who is taller, who is more tired, what colour is it: question answering in ten languages, in the manner of
    MultiCheckList.

    Example: adaptstilts data checklist --to data --language de --language zh
    """
    show(adaptstilts.write_checklist(root, language or (), cases=cases, seed=seed), as_json=False)


@data_app.command()
def fetch(
    tasks: Annotated[list[str] | None, typer.Argument(help="Tasks to download; by default all that can be.")] = None,
    *,
    root: Annotated[Path, typer.Option("--root", help="Folder for the data; set data.root to it later.")],
    language: Annotated[
        list[str] | None,
        typer.Option(
            "--language", help="Dev and test sets of this language only, besides English training; may be repeated."
        ),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Never use the network, only files in ROOT/.downloads.")
    ] = False,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", help="Your own list of sources, in the format of adaptstilts/data/sources.yaml."),
    ] = None,
) -> None:
    """Download data sets, check them, and convert them to one layout.

    Resumes interrupted downloads, skips finished ones, and records rows and checksums in ROOT/adaptstilts.lock.json.

    Example: adaptstilts data fetch xnli mnli --root data --language de
    """
    try:
        fetched = adaptstilts.fetch_data(
            root, tasks or (), languages=language or (), offline=offline, manifest=manifest
        )
    except KeyboardInterrupt:
        echo_error("interrupted; downloads are kept, and the same command resumes")
        raise typer.Exit(130) from None
    for note in fetched.notes:
        echo_error(note)
    show(fetched, as_json=False)


@data_app.command()
def check(
    root: Annotated[Path, typer.Argument(help="Folder with data sets, as in data.root.")],
    tasks: Annotated[list[str] | None, typer.Argument(help="Tasks to check; by default all.")] = None,
    *,
    strict: Annotated[
        bool, typer.Option("--strict", help="Also report missing languages and unexpected numbers of rows as errors.")
    ] = False,
    tasks_from: TasksFromOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every row of a data folder and show what is wrong.

    Shows per task and split what is there, missing, leaked or malformed. Exit status 2 if a file has a problem, with
    one line for each problem.

    Example: adaptstilts data check data xnli mnli
    """
    show(adaptstilts.check_data(root, tasks or (), strict=strict), as_json=as_json)
