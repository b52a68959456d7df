"""Analyses of finished predictions: each is a module of this package, and a row in the table below.

An analysis makes rows from the artefacts of predictions, which become a CSV file, and from the rows its part of the
report. A new one needs its module, with an `Analysis` named ``ANALYSIS``, and a row in `READS`. Modules are imported
when rows are made: a plan only needs to know which predictions are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from adaptstilts.store.artefact import Artefact
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.spec import Task

READS: Mapping[str, Callable[[Task], bool]] = {
    "layers": lambda task: not FACTS[task.kind].has_head,
}
"""For each analysis, by the name of its module, whether it reads the predictions of a target."""


class RowLabels(Protocol):
    """Where predictions come from, as every row of a table says it."""

    @property
    def method(self) -> str:
        """Method, such as ``direct`` or ``stack``."""
        ...

    @property
    def source(self) -> str:
        """Intermediate task; names joined by ``+`` for a fusion; empty where there is none."""
        ...

    @property
    def target(self) -> str:
        """Target task."""
        ...

    @property
    def seed(self) -> int:
        """Seed of the runs."""
        ...

    @property
    def note(self) -> str:
        """Remark that a reader of a number needs; may be empty."""
        ...

    @property
    def variant(self) -> str:
        """Label of a variant of a sweep; empty without a sweep."""
        ...


@dataclass(frozen=True)
class Analysis:
    """An analysis of finished predictions.

    Attributes:
        row: Dataclass of its rows; its fields have types that `results.rows` can parse.
        rows: Makes rows from one artefact of predictions.
        page: Draws pictures into a folder, given the names of the CSV file and of a picture, and returns the part of
            the report in Markdown.
    """

    row: type[Any]
    rows: Callable[[RowLabels, Artefact], Iterable[Any]]
    page: Callable[[Sequence[Any], Path, str, str], str]


def get_analysis(name: str) -> Analysis:
    """Return an analysis by the name of its module."""
    found: Analysis = import_module(f"adaptstilts.results.{name}").ANALYSIS
    return found


def csv_name(name: str) -> str:
    """Return the name of an analysis's table."""
    return f"{name}.csv"


def picture_name(name: str) -> str:
    """Return the name of an analysis's picture."""
    return f"{name}.png"


def reads(task: Task) -> bool:
    """Return whether any analysis reads the predictions of a target."""
    return any(read(task) for read in READS.values())
