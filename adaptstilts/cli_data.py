"""The verbs below ``adaptstilts data``: getting the data sets and checking a folder of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
def checklist(
    *,
    root: Annotated[Path, typer.Option("--to", help="Data root; the files go to its folder multichecklist.")],
    language: Annotated[list[str] | None, typer.Option("--language", help="Only this one; may be repeated.")] = None,
    cases: Annotated[int, typer.Option("--cases", min=1, help="Cases per test and language.")] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides which cases.")] = 42,
) -> None:
    """Write tests of question answering made from templates, for the target `multichecklist`.

    Who is taller, who is more tired, what colour is it: three tests in ten languages, in the manner of MultiCheckList.

    Example: adaptstilts data checklist --to data --language de --language zh
    """
    from adaptstilts.data.checklist.write import write_checklist  # noqa: PLC0415

    written = write_checklist(root, tuple(language or ()), cases=cases, seed=seed)
    typer.echo(f"{root}: {len(written)} files of {cases} cases each, seed {seed}")
