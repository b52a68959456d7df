"""Averages of XTREME and XTREME-R over a study's scores, per setting: rows for scores.csv, and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adaptstilts.evaluate.benchmark import (
    BENCHMARKS,
    XTREME,
    XTREME_R,
    Average,
    Benchmark,
    BenchmarkScores,
    benchmark_scores,
    counts_more,
)
from adaptstilts.formatting import number_text
from adaptstilts.results.grid import Footnotes, Grid
from adaptstilts.results.rows import ResultRow, TaskScore, task_scores
from adaptstilts.results.tables import average_text, source_label

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
_LONGEST_LIST = 6
"""Most missing languages that are listed; of more, only the number is given."""
_FEW_SETTINGS = 2
"""Most settings that are listed; of more, only the number is given."""


class Setting(NamedTuple):
    """One column of a benchmark's table: how a model was made, with one seed.

    Attributes:
        family: What was trained.
        source: Intermediate task; names joined by ``+``; empty for none.
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
        languages: Major score in percent by task and language, for what the benchmark counts.
        notes: Remarks for readers of the numbers, by task.
    """

    setting: Setting
    scores: BenchmarkScores
    languages: dict[str, dict[str, float]]
    notes: dict[str, tuple[str, ...]]


def setting_scores(rows: Iterable[ResultRow], benchmark: Benchmark) -> tuple[SettingScores, ...]:
    """Average a study's scores as a benchmark does, one setting at a time.

    Returns:
        One entry per setting with a score that counts, in the order in which settings first come.

    Raises:
        EvaluationError: If a score is given twice or is missing.
    """
    known = list(rows)
    by_setting: dict[Setting, list[ResultRow]] = {}
    for row in known:
        by_setting.setdefault(_setting_of(row), []).append(row)
    scores: dict[Setting, list[TaskScore]] = {}
    for score in task_scores(known):
        scores.setdefault(_setting_of(score), []).append(score)
    found = (_average_setting(setting, own, scores.get(setting, ()), benchmark) for setting, own in by_setting.items())
    return tuple(one for one in found if one.scores.overall is not None)


def score_rows(rows: Sequence[ResultRow]) -> list[tuple[object, ...]]:
    """Return the scores of every setting as rows of `SCORE_COLUMNS`: languages, tasks, groups, overall.

    Numbers are percent; several missing parts or notes are joined by semicolons.
    """
    return [row for benchmark in BENCHMARKS for one in setting_scores(rows, benchmark) for row in _rows_of(one)]


def _setting_of(one: ResultRow | TaskScore) -> Setting:
    return Setting(one.method, one.family, one.source, one.seed, one.variant)


def _by_task(rows: Iterable[ResultRow]) -> dict[str, dict[str, dict[str, float]]]:
    """Return scores by task, language and metric."""
    by_task: dict[str, dict[str, dict[str, float]]] = {}
    for row in rows:
        by_task.setdefault(row.target, {}).setdefault(row.language, {})[row.metric] = row.value
    return by_task


def _average_setting(
    setting: Setting, rows: Sequence[ResultRow], own: Iterable[TaskScore], benchmark: Benchmark
) -> SettingScores:
    counted = {entry.task: entry.languages for entry in benchmark.entries}
    scores = [score for score in own if score.target in counted]
    languages = {
        score.target: {code: value for code, value in score.by_language if code in counted[score.target]}
        for score in scores
    }
    notes = {score.target: score.notes for score in scores}
    return SettingScores(setting, benchmark_scores(benchmark, _by_task(rows)), languages, notes)


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


def benchmark_grids(rows: Sequence[ResultRow], *, is_generated: bool = False) -> tuple[Grid, ...]:
    """Tabulate a study's scores as the benchmarks do: two tables for XTREME, and two for XTREME-R if more counts there.

    There are none where no score counts in a benchmark. With ``is_generated`` the titles say that the data is the mini
    world.
    """
    shown = [XTREME, *([XTREME_R] if counts_more(XTREME_R, XTREME, _by_task(rows)) else [])]
    return tuple(grid for benchmark in shown for grid in _grids_of(benchmark, rows, is_generated=is_generated))


def _grids_of(benchmark: Benchmark, rows: Sequence[ResultRow], *, is_generated: bool) -> list[Grid]:
    by_row: dict[tuple[str, str], list[SettingScores]] = {}
    for one in setting_scores(rows, benchmark):
        by_row.setdefault((one.setting.method, one.setting.source), []).append(one)
    if not by_row:
        return []
    settings = [one for found in by_row.values() for one in found]
    name = (
        f"Scores on the mini world, averaged as in {benchmark.title}" if is_generated else f"{benchmark.title} scores"
    )
    return [_task_grid(benchmark, by_row, settings, name), _group_grid(benchmark, by_row, settings, name)]


def _task_grid(
    benchmark: Benchmark,
    by_row: dict[tuple[str, str], list[SettingScores]],
    settings: Sequence[SettingScores],
    name: str,
) -> Grid:
    tasks = [entry.task for entry in benchmark.entries if any(entry.task in one.scores.tasks for one in settings)]
    notes = Footnotes()
    marks = {task: notes.mark(_common_notes(task, settings)) for task in tasks}
    rows = [
        (*_labels(key), *(_text([one.scores.tasks.get(task) for one in found]) for task in tasks))
        for key, found in by_row.items()
    ]
    missing = _missing_texts(benchmark, settings)
    if missing:
        notes.remark(f"In brackets: partial, not {benchmark.title}'s own figure. Missing: {', '.join(missing)}.")
    _remark_on_seeds(notes, by_row)
    return Grid(
        title=f"{name}: tasks",
        header=("method", "intermediate", *(f"{task}{marks[task]}" for task in tasks)),
        rows=tuple(rows),
        text_columns=2,
        footnotes=notes.lines(),
    )


def _group_grid(
    benchmark: Benchmark,
    by_row: dict[tuple[str, str], list[SettingScores]],
    settings: Sequence[SettingScores],
    name: str,
) -> Grid:
    groups = list(dict.fromkeys(group for one in settings for group in one.scores.groups))
    rows = []
    for key, found in by_row.items():
        overall = [one.scores.overall for one in found]
        present = [average for average in overall if average is not None]
        others = ([average.english for average in present], [average.zero_shot for average in present])
        rows.append(
            (
                *_labels(key),
                *(_text([one.scores.groups.get(group) for one in found]) for group in groups),
                _text(overall),
                *(average_text(values) for values in (*others, [average.gap for average in present])),
            )
        )
    notes = Footnotes()
    notes.remark("Groups and overall: means over tasks, with English where a task has it; zero-shot: without English.")
    notes.remark("English and gap (English minus the other languages): means over the tasks that have English.")
    if any(one.scores.overall is not None and one.scores.overall.is_partial for one in settings):
        notes.remark(
            f"In brackets: partial, not {benchmark.title}'s own figure; the table of tasks says what is missing."
        )
    _remark_on_seeds(notes, by_row)
    return Grid(
        title=f"{name}: groups and overall",
        header=(
            "method",
            "intermediate",
            *(group.replace("_", " ") for group in groups),
            "overall",
            "English",
            "zero-shot",
            "gap",
        ),
        rows=tuple(rows),
        text_columns=2,
        footnotes=notes.lines(),
    )


def _labels(key: tuple[str, str]) -> tuple[str, str]:
    method, source = key
    return method, source_label(source)


def _text(averages: Sequence[Average | None]) -> str:
    """Return the mean over seeds, in brackets where a seed's figure is partial or missing."""
    present = [average for average in averages if average is not None]
    text = average_text([average.score for average in present])
    is_partial = len(present) < len(averages) or any(average.is_partial for average in present)
    return f"({text})" if present and is_partial else text


def _common_notes(task: str, settings: Sequence[SettingScores]) -> tuple[str, ...]:
    """Return the notes that a task's score carries in every setting; others stand in other tables."""
    having = [one.notes[task] for one in settings if task in one.notes]
    return tuple(note for note in having[0] if all(note in notes for notes in having)) if having else ()


def _missing_texts(benchmark: Benchmark, settings: Sequence[SettingScores]) -> list[str]:
    """List the tasks that partial scores lack, then those that lack languages, with the settings unless it is all."""
    tasks, languages = [], []
    for entry in benchmark.entries:
        without = [one for one in settings if entry.task in one.scores.missing_tasks]
        lacking = [one for one in settings if entry.task in one.scores.missing_languages]
        if without:
            tasks.append(entry.task + _where(without, settings))
        if lacking:
            text = _languages_text([one.scores.missing_languages[entry.task] for one in lacking])
            languages.append(f"{entry.task} in {text}{_where(lacking, settings)}")
    return [*tasks, *languages]


def _languages_text(missing: Sequence[Sequence[str]]) -> str:
    """Return the missing languages where all settings lack the same few, else their number."""
    fewest, most = min(map(len, missing)), max(map(len, missing))
    if most <= _LONGEST_LIST and len(set(map(tuple, missing))) == 1:
        return " ".join(missing[0])
    return number_text(most, "language") if fewest == most else f"{fewest} to {most} languages"


def _where(found: Sequence[SettingScores], settings: Sequence[SettingScores]) -> str:
    if len(found) == len(settings):
        return ""
    if len(found) > _FEW_SETTINGS:
        return f" ({len(found)} of {len(settings)} models)"
    return f" ({' and '.join(_setting_text(one.setting) for one in found)})"


def _setting_text(setting: Setting) -> str:
    source = f" from {source_label(setting.source)}" if setting.source else ""
    return f"{setting.method}{source}, seed {setting.seed}"


def _remark_on_seeds(notes: Footnotes, by_row: dict[tuple[str, str], list[SettingScores]]) -> None:
    most = max(len(found) for found in by_row.values())
    if most > 1:
        notes.remark(f"Means over up to {most} seeds; scores.csv has each.")
