"""Which page of the documentation tells more about each command; every ``--help`` ends with it."""

from __future__ import annotations

from typing import Final

import typer

PAGES: Final = {
    "tasks": "tasks",
    "published": "xtreme",
    "configs": "settings",
    "init": "data",
    "docs": "README",
    "validate": "data",
    "plan": "studies",
    "run": "studies",
    "status": "watching",
    "report": "studies",
    "score": "scores",
    "submit": "scores",
    "pretrain": "mini",
    "convert": "safety",
    "data fetch": "fetching",
    "data check": "data",
    "data checklist": "checklist",
    "store ls": "store",
    "store show": "store",
    "store verify": "store",
    "store export": "store",
    "store import": "store",
    "store gc": "store",
}
"""Page by command."""


def commands_of(app: typer.Typer, group: str = "") -> dict[str, typer.models.CommandInfo]:
    """Return all commands of the command line by their words, such as ``data fetch``."""
    found: dict[str, typer.models.CommandInfo] = {}
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback is not None else "")
        found[f"{group}{name}"] = command
    for part in app.registered_groups:
        if part.typer_instance is not None:
            found |= commands_of(part.typer_instance, f"{group}{part.typer_instance.info.name} ")
    return found


def point_to_pages(app: typer.Typer) -> None:
    """Let the help of every command end with the command that prints its page."""
    for words, command in commands_of(app).items():
        page = PAGES.get(words)
        if page is not None:
            command.epilog = "More: adaptstilts docs" if page == "README" else f"More: adaptstilts docs {page}"
