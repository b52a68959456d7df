"""The verbs below ``adaptstilts data``: getting the data sets and checking a folder of them."""

from __future__ import annotations

import typer

data_app = typer.Typer(
    name="data",
    help="Get the data sets, and check a folder of them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
