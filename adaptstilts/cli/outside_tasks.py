"""The option ``--tasks-from``: tasks of Python files, registered before a command does anything else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import adaptstilts


def _register(paths: list[Path] | None) -> list[Path] | None:
    for path in paths or ():
        adaptstilts.register_tasks_from(path)
    return paths


TasksFromOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--tasks-from",
        metavar="FILE",
        help="Python file with tasks of your own, which is executed (docs/tasks.md); may be repeated.",
        callback=_register,
    ),
]
"""Parameter of every command that takes a study or lists tasks."""
