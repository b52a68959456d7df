"""Output of the commands: text for people, JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Protocol

import typer

from adaptstilts.cli.streams import can_encode_all, echo
from adaptstilts.errors import AdaptstiltsError, raise_all
from adaptstilts.formatting import visible_json

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


class Answer(Protocol):
    """What a public function returns: text when it is printed, and plain values."""

    @property
    def record(self) -> Any:  # noqa: ANN401 - JSON values
        """The answer as plain values."""
        ...


def show(answer: Answer, *, as_json: bool) -> None:
    """Print an answer, then raise what it has found to be wrong, so that the exit status is 2."""
    echo(
        visible_json(json.dumps(answer.record, indent=2, ensure_ascii=not can_encode_all())) if as_json else str(answer)
    )
    problems: Sequence[AdaptstiltsError] = getattr(answer, "problems", ())
    raise_all(problems)
