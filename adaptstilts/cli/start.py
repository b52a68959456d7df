"""The commands with which people start: ``configs``, ``init``, ``docs``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

import adaptstilts
from adaptstilts.cli.output import JsonOption, show
from adaptstilts.cli.outside_tasks import TasksFromOption
from adaptstilts.cli.streams import echo
from adaptstilts.errors import ConfigError


def add_start_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    for command in (init, configs, docs):
        app.command()(command)


def init(
    *,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of your files; without it, the built-in mini world is used.")
    ] = None,
    to: Annotated[Path, typer.Option("--to", help="File to write; an existing one is kept.")] = Path("study.yaml"),
    backbone: Annotated[
        str, typer.Option("--backbone", help="mini (the miniature), a folder, or a hub id with its owner.")
    ] = "mini",
    tasks_from: TasksFromOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a configuration for a folder of your own files.

    Names the tasks found there, with their languages and rows, and the files that no task reads. Every setting stands
    in the file with its meaning. Without --data, the study is one of the mini world.

    Example: adaptstilts init --data my_data --to my_study.yaml
    """
    from adaptstilts.progress.bars import CheckWatcher  # noqa: PLC0415
    from adaptstilts.progress.choose import error_console  # noqa: PLC0415

    with CheckWatcher(error_console()) as watcher:
        options = [word for path in tasks_from or () for word in ("--tasks-from", str(path))]
        written = adaptstilts.init_study(to, data, backbone=backbone, on_step=watcher.stepped, options=options)
    show(written, as_json=as_json)


def configs(
    name: Annotated[str | None, typer.Argument(help="A configuration, to print it or, with --to, to copy it.")] = None,
    *,
    to: Annotated[Path | None, typer.Option("--to", help="File for the copy; an existing one is kept.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the configurations that come with the package.

    With purpose, cost and needs. Every command that reads a configuration takes these by name.

    Example: adaptstilts configs quickstart --to my_study.yaml
    """
    from adaptstilts.api.configs import get_config  # noqa: PLC0415

    if name is None:
        if to is not None:
            raise ConfigError("--to needs the name of a configuration", allowed=("configs NAME --to FILE",))
        show(adaptstilts.list_configs(), as_json=as_json)
        return
    one = get_config(name)
    if to is not None:
        written = adaptstilts.copy_config(name, to)
        command = shlex.join(["adaptstilts", "plan" if one.command == "run" else one.command, str(written)])
        echo(f"wrote {written}; next: {command}")
    elif as_json:
        show(one, as_json=True)
    else:
        echo(one.path.read_text(encoding="utf-8"), end="")


def docs(
    page: Annotated[str | None, typer.Argument(help="A page, such as data; by default the index of all pages.")] = None,
    *,
    to: Annotated[
        Path | None, typer.Option("--to", help="File for a copy of the page; an existing one is kept.")
    ] = None,
) -> None:
    """Print a page of the documentation, or copy it.

    Example: adaptstilts docs quickstart --to quickstart.ipynb
    """
    from adaptstilts.api.pages import copy_page, page_text  # noqa: PLC0415

    echo(page_text(page) if to is None else f"wrote {copy_page(page, to)}\n", end="")
