"""What a run or a report of a study leaves: counts, tables and figures."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from adaptstilts.api.shown import Shown, preformatted
from adaptstilts.results.report import ReportFiles
from adaptstilts.study.session import StudyResult


@dataclass(frozen=True, repr=False)
class RunResult(Shown):
    """What was made and written; in a notebook it shows the tables and the figures.

    Attributes:
        result: Counts and files.
    """

    result: StudyResult = field(kw_only=True)

    @property
    def made(self) -> int:
        """Number of stages made this time."""
        return self.result.made

    @property
    def skipped(self) -> int:
        """Number of stages that were finished before."""
        return self.result.skipped

    @property
    def failed(self) -> tuple[str, ...]:
        """One line per stage that failed or was left out because of it; empty when all is well."""
        return self.result.failed

    @property
    def files(self) -> ReportFiles:
        """Paths of the report, its tables and its figures."""
        return self.result.files

    @property
    def figures(self) -> tuple[Path, ...]:
        """Paths of the figures, the heat map of the differences first."""
        return tuple(path for path in self.files.paths if path.suffix == ".png")

    def _repr_html_(self) -> str:
        return preformatted(self.text) + "".join(_pictures(self.figures))


def outcome_of(result: StudyResult) -> RunResult:
    """Return what a run or a report leaves, with its text for the terminal."""
    lines = [result.files.text, *result.failed, *(f"wrote {path}" for path in result.files.paths)]
    return RunResult(result.record(), "\n".join(lines), result=result)


def _pictures(paths: tuple[Path, ...]) -> Iterator[str]:
    for path in paths:
        if path.is_file():  # a later report of another study may have replaced the folder
            data = base64.b64encode(path.read_bytes()).decode()
            yield f'<img alt="{html.escape(path.name)}" style="max-width: 100%" src="data:image/png;base64,{data}">'
