"""Error rates of minimum functionality tests: one column per test, one row per setting."""

from __future__ import annotations

from collections.abc import Sequence

from adaptstilts.results.grid import NOTHING, Grid
from adaptstilts.results.rows import ResultRow, mean
from adaptstilts.results.tables import source_label

_PREFIX = "error_"
_RATE = "error_rate"
"""Mean over the tests; the other metrics of that prefix are single tests."""


def checklist_grid(rows: Sequence[ResultRow]) -> Grid | None:
    """Lay out error rates by test, averaged over languages and seeds.

    Args:
        rows: Scores of a study.

    Returns:
        The table; None where no target has error rates.
    """
    errors = [row for row in rows if row.metric.startswith(_PREFIX)]
    if not errors:
        return None
    tests = sorted({row.metric for row in errors} - {_RATE})
    settings = list(dict.fromkeys((row.target, row.method, row.source) for row in errors))
    table = tuple(
        (
            target,
            method,
            source_label(source) if source else "",
            str(
                len(
                    {row.language for row in errors if (row.target, row.method, row.source) == (target, method, source)}
                )
            ),
            *(_cell(errors, (target, method, source), metric) for metric in (*tests, _RATE)),
        )
        for target, method, source in settings
    )
    header = ("target", "method", "source", "languages", *(name.removeprefix(_PREFIX) for name in tests), "all tests")
    remark = "Share of cases that fail, in percent, mean over languages and seeds; lower is better."
    return Grid("Error rates of minimum functionality tests", header, table, text_columns=3, footnotes=(remark,))


def _cell(errors: Sequence[ResultRow], setting: tuple[str, str, str], metric: str) -> str:
    values = [row.value for row in errors if (row.target, row.method, row.source, row.metric) == (*setting, metric)]
    return f"{mean(values):.1f}" if values else NOTHING
