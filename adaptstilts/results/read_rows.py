"""Rows that a study was trained and scored on, per task, split and language."""

from __future__ import annotations

from collections.abc import Sequence

from adaptstilts.formatting import number_text
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.results.grid import Grid
from adaptstilts.results.rows import ResultRow, RunRow
from adaptstilts.tasks.registry import get_task, training_task

_REMARK = "Rows after what is left out and after the limits of the study; of retrieval, those that are scored."


def rows_grid(rows: Sequence[ResultRow], runs: Sequence[RunRow]) -> Grid | None:
    """Tabulate how many rows were read; None before anything was trained or scored."""
    found: dict[tuple[str, str], dict[str, set[int]]] = {}
    for run in runs:
        if run.target or "+" not in run.source:
            task = training_task(get_task(run.target or run.source)).name
            _add(found, (task, "train"), SOURCE_LANGUAGE, run.train_examples)
    for row in rows:
        _add(found, (row.target, row.split), row.language, row.examples)
    if not found:
        return None
    table = tuple((task, split, _counts(by_language)) for (task, split), by_language in found.items())
    return Grid("Rows read", ("task", "split", "rows by language"), table, text_columns=3, footnotes=(_REMARK,))


def _add(found: dict[tuple[str, str], dict[str, set[int]]], place: tuple[str, str], language: str, count: int) -> None:
    found.setdefault(place, {}).setdefault(language, set()).add(count)


def _counts(by_language: dict[str, set[int]]) -> str:
    """Name the languages of each number of rows; variants of a sweep may read several numbers."""
    languages: dict[tuple[int, ...], list[str]] = {}
    for language, counts in by_language.items():
        languages.setdefault(tuple(sorted(counts)), []).append(language)
    parts = []
    for numbers, codes in languages.items():
        several = " or ".join(f"{count:,}" for count in numbers)
        each = f" in each of {number_text(len(codes), 'language')}: " if len(codes) > 1 else " in "
        parts.append(f"{several}{each}{', '.join(codes)}")
    return "; ".join(parts)
