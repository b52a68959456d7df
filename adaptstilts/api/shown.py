"""Results that print as the command line shows them, render in a notebook, and hold plain values."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from adaptstilts.errors import AdaptstiltsError
from adaptstilts.formatting import visible_lines
from adaptstilts.progress.style import PLAIN_STYLE


@dataclass(frozen=True, repr=False)
class Shown:
    """The answer of a call.

    Attributes:
        record: Plain values, as ``--json`` prints them.
        text: Text, as the command line prints it.
        notes: Remarks, which the command line writes to stderr.
        problems: What was found to be wrong; the command line prints them and exits with status 2.
    """

    record: Any
    text: str
    notes: tuple[str, ...] = ()
    problems: tuple[AdaptstiltsError, ...] = ()

    def __str__(self) -> str:
        return visible_lines(self.text)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return preformatted(self.text)


def preformatted(text: str) -> str:
    """Return text as HTML that keeps its columns and never wraps a line."""
    return f'<pre style="{PLAIN_STYLE}">{html.escape(visible_lines(text))}</pre>'
