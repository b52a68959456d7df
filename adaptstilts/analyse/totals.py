"""A study's scores as XTREME and XTREME-R average them: per setting, down to the language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adaptstilts.analyse.results import ResultRow, task_scores
from adaptstilts.evaluate.benchmark import BENCHMARKS, Average, Benchmark, BenchmarkScores, benchmark_scores

SCORE_COLUMNS = (
    "benchmark",
    "method",
    "family",
    "source",
    "seed",
    "level",
    "group",
    "task",
    "language",
    "score",
    "english",
    "zero_shot",
    "gap",
    "is_partial",
    "missing",
    "notes",
    "variant",
)
"""Columns of scores.csv; ``level`` is language, task, group or overall."""


class Setting(NamedTuple):
    """One column of a benchmark's table: how a model was made, with one seed.

    Attributes:
        method: Method name.
        family: What was trained.
        source: Intermediate task; names joined by ``+``; empty for none.
        seed: Seed.
        variant: Label of a variant of a sweep; empty without one.
    """

    method: str
    family: str
    source: str
    seed: int
    variant: str = ""


@dataclass(frozen=True)
class SettingScores:
    """A setting's averages in one benchmark.

    Attributes:
        setting: The setting.
        scores: The averages.
        languages: Major score in percent by task and language, for what the benchmark counts.
        notes: By task, what a reader of its numbers must know.
    """

    setting: Setting
    scores: BenchmarkScores
    languages: dict[str, dict[str, float]]
    notes: dict[str, tuple[str, ...]]


def setting_scores(rows: Iterable[ResultRow], benchmark: Benchmark) -> tuple[SettingScores, ...]:
    """Average a study's scores as a benchmark does, one setting at a time.

    Args:
        rows: Result rows.
        benchmark: The benchmark.

    Returns:
        One entry per setting that has a score which counts, in the order in which settings first come.

    Raises:
        EvaluationError: If a score stands twice or is missing.
    """
    by_setting: dict[Setting, list[ResultRow]] = {}
    for row in rows:
        by_setting.setdefault(Setting(row.method, row.family, row.source, row.seed, row.variant), []).append(row)
    found = (_of_setting(setting, own, benchmark) for setting, own in by_setting.items())
    return tuple(one for one in found if one.scores.overall is not None)


def score_rows(rows: Sequence[ResultRow]) -> list[tuple[object, ...]]:
    """Return the scores of every setting as rows of `SCORE_COLUMNS`: languages, tasks, groups, overall.

    Args:
        rows: Result rows of a study.

    Returns:
        Rows of plain values; numbers are percent, several missing parts or notes are joined by semicolons.
    """
    return [row for benchmark in BENCHMARKS for one in setting_scores(rows, benchmark) for row in _rows_of(one)]


def _of_setting(setting: Setting, rows: Sequence[ResultRow], benchmark: Benchmark) -> SettingScores:
    by_task: dict[str, dict[str, dict[str, float]]] = {}
    for row in rows:
        by_task.setdefault(row.target, {}).setdefault(row.language, {})[row.metric] = row.value
    counted = {entry.task: entry.languages for entry in benchmark.entries}
    scores = [score for score in task_scores(rows) if score.target in counted]
    languages = {
        score.target: {code: value for code, value in score.by_language if code in counted[score.target]}
        for score in scores
    }
    notes = {score.target: score.notes for score in scores}
    return SettingScores(setting, benchmark_scores(benchmark, by_task), languages, notes)


def _rows_of(one: SettingScores) -> list[tuple[object, ...]]:
    setting = one.setting
    start = (one.scores.benchmark.name, setting.method, setting.family, setting.source, setting.seed)
    rows: list[tuple[object, ...]] = []
    for entry in one.scores.benchmark.entries:
        if entry.task not in one.scores.tasks:
            continue
        notes = "; ".join(one.notes[entry.task])
        for language, value in one.languages[entry.task].items():
            rows.append((*start, "language", entry.group, entry.task, language, value, *(None,) * 6))
        average = one.scores.tasks[entry.task]
        rows.append((*start, "task", entry.group, entry.task, "", *_values(average), notes))
    for group, average in one.scores.groups.items():
        rows.append((*start, "group", group, "", "", *_values(average), ""))
    if one.scores.overall is not None:
        rows.append((*start, "overall", "", "", "", *_values(one.scores.overall), ""))
    return [(*row, setting.variant) for row in rows]


def _values(average: Average) -> tuple[object, ...]:
    numbers = (average.score, average.english, average.zero_shot, average.gap)
    return (*numbers, average.is_partial, "; ".join(average.missing))
