"""A whole report in a folder: its tables, and its page with figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adaptstilts.results.report import Additions, ReportFiles, write_pages, write_tables
from adaptstilts.results.rows import ResultRow, RunRow


def write_report(
    folder: Path,
    rows: Sequence[ResultRow],
    runs: Sequence[RunRow],
    title: str,
    notes: Sequence[str] = (),
    more: Additions | None = None,
) -> ReportFiles:
    """Write what the stages `analyse` and `report` write."""
    more = Additions() if more is None else more
    write_tables(folder, rows, runs, more.analyses)
    return write_pages(folder, rows, runs, title, notes, more)
