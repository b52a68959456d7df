"""Tables of texts with footnotes, rendered as GitHub Markdown or for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Literal

from adaptstilts.formatting import markdown_text, visible, visible_lines

if TYPE_CHECKING:
    from rich.table import Table

NOTHING = "-"
TERMINAL_WIDTH = 100
_WIDE_SPACE = "\u2003"
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Grid:
    """A table of texts.

    Attributes:
        rows: One text per column; a line break separates a value from its spread.
        text_columns: Number of columns from the left with text; the others hold numbers and are right-aligned.
        sections: Indices of rows that head the rows below them.
        footnotes: Notes in the order of their marks, then remarks without a mark.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1
    sections: frozenset[int] = frozenset()
    footnotes: tuple[str, ...] = ()


class Footnotes:
    """Numbers notes in the order in which a table first needs them."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._remarks: dict[str, None] = {}

    def mark(self, notes: Iterable[str]) -> str:
        """Return the superscript marks of notes; an empty text for none."""
        numbers = sorted(self._numbers.setdefault(note, len(self._numbers) + 1) for note in notes)
        return " ".join(str(number).translate(_SUPERSCRIPTS) for number in numbers)

    def remark(self, text: str) -> None:
        """Add a line without a mark, once."""
        self._remarks[text] = None

    def lines(self) -> tuple[str, ...]:
        """Return one line per note, then the remarks."""
        marked = [f"{str(number).translate(_SUPERSCRIPTS)} {note}" for note, number in self._numbers.items()]
        return (*marked, *self._remarks)


def markdown(grid: Grid) -> str:
    """Render a grid as GitHub Markdown: heading, table with aligned columns, footnotes."""
    texts = [[_escaped(text) for text in row] for row in (grid.header, *grid.rows)]
    for number in grid.sections:
        texts[number + 1][0] = f"**{texts[number + 1][0]}**"
    widths = [max(3, *(len(text) for text in column)) for column in zip(*texts, strict=True)]
    sides = ["<" if index < grid.text_columns else ">" for index in range(len(widths))]
    rule = ["-" * (width - 1) for width in widths]
    rule = [f":{dashes}" if side == "<" else f"{dashes}:" for dashes, side in zip(rule, sides, strict=True)]
    lines = [
        f"| {' | '.join(f'{text:{side}{width}}' for text, side, width in zip(row, sides, widths, strict=True))} |"
        for row in (texts[0], rule, *texts[1:])
    ]
    notes = ["", "<br>\n".join(markdown_text(note, begins_line=True) for note in grid.footnotes)]
    return "\n".join([f"### {markdown_text(grid.title)}", "", *lines, *(notes if grid.footnotes else [])]) + "\n"


def terminal_text(grids: Iterable[Grid]) -> str:
    """Render grids as plain text for a terminal of 100 columns, without colour."""
    from rich.console import Console  # noqa: PLC0415

    console = Console(file=StringIO(), width=TERMINAL_WIDTH, color_system=None, force_jupyter=False)
    with console.capture() as written:
        for grid in grids:
            console.print(_table(grid))
            # A caption of the table would be broken to its width, so footnotes are written as lines.
            for note in grid.footnotes:
                lines = textwrap.fill(visible(note), TERMINAL_WIDTH, initial_indent=" ", subsequent_indent="   ")
                console.print(lines, highlight=False, markup=False)
            console.print()
    return "\n".join(line.rstrip() for line in written.get().splitlines())


def _table(grid: Grid) -> Table:
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    # Two spaces between columns where they fit, else one: the box itself puts one there.
    gap = 1 if _width(grid, 2) <= TERMINAL_WIDTH else 0
    title = Text(visible(grid.title))
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, gap, 0, 0), pad_edge=False)
    for index, name in enumerate(grid.header):
        justify: Literal["left", "right"] = "left" if index < grid.text_columns else "right"
        table.add_column(Text(visible_lines(name)), justify=justify, overflow="fold")
    for row in grid.rows:
        table.add_row(*(Text(visible_lines(text)) for text in row))
    return table


def _width(grid: Grid, gap: int) -> int:
    columns = zip(grid.header, *grid.rows, strict=True)
    widest = [max(len(line) for text in column for line in text.split("\n")) for column in columns]
    return sum(widest) + gap * (len(widest) - 1) + 2


def _escaped(text: str) -> str:
    """Escape the text of a cell; Markdown drops plain spaces at its start, so an indent is written as wide ones."""
    indent = len(text) - len(text.lstrip(" "))
    return _WIDE_SPACE * indent + markdown_text(text.replace("\n", " ").strip())
