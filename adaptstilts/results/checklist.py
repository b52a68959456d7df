"""Error rates of minimum functionality tests: one column per test, one row per setting."""

from __future__ import annotations

from collections.abc import Sequence

from adaptstilts.results.grid import Grid
from adaptstilts.results.rows import ResultRow
from adaptstilts.results.tables import average_text, source_label

_PREFIX = "error_"
_RATE = "error_rate"
"""Metric of the mean over the tests; other metrics with the prefix are single tests."""


def checklist_grid(rows: Sequence[ResultRow]) -> Grid | None:
    """Tabulate error rates by test, averaged over languages and seeds; None where no target has error rates."""
    errors = [row for row in rows if row.metric.startswith(_PREFIX)]
    if not errors:
        return None
    tests = sorted({row.metric for row in errors} - {_RATE})
    settings: dict[tuple[str, str, str], list[ResultRow]] = {}
    for row in errors:
        settings.setdefault((row.target, row.method, row.source), []).append(row)
    table = tuple(
        (
            target,
            method,
            source_label(source) if source else "",
            str(len({row.language for row in own})),
            *(_mean_text(own, metric) for metric in (*tests, _RATE)),
        )
        for (target, method, source), own in settings.items()
    )
    header = (
        "target",
        "method",
        "intermediate",
        "languages",
        *(name.removeprefix(_PREFIX) for name in tests),
        "all tests",
    )
    remark = "Share of cases that fail, in percent, mean over languages and seeds; lower is better."
    return Grid("Error rates of minimum functionality tests", header, table, text_columns=3, footnotes=(remark,))


def _mean_text(rows: Sequence[ResultRow], metric: str) -> str:
    return average_text([row.value for row in rows if row.metric == metric])
