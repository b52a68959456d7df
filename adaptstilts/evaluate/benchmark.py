"""Averages of XTREME and XTREME-R over languages, tasks and groups, and what they lack.

Rules of XTREME's evaluator (Hu et al. 2020; google-research/xtreme, evaluate.py): a task's score is the plain mean over
its languages, English included; for question answering it is the mean of mean exact match and mean F1; a group's score
is the mean of its tasks, the overall score the mean of all tasks. Beside each of them stand the mean over the languages
other than English and the cross-lingual transfer gap, English minus that mean.

XTREME-R's evaluator stops with an error at LAReQA, for which it names no language, and counts XCOPA in two groups. Our
rule: LAReQA has the 11 languages of XQuAD-R, and every task counts once, in one group.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.metrics import MAJOR, major
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.tasks.registry import benchmark_tasks, get_task
from adaptstilts.tasks.spec import BenchmarkName, Task

ByMetric: TypeAlias = Mapping[str, float]
ScoresByTask: TypeAlias = Mapping[str, Mapping[str, ByMetric]]
"""Percent by task, language and name of the score."""


@dataclass(frozen=True)
class Entry:
    """A task as a benchmark counts it: its folder in a submission, its group, and the languages it is averaged over."""

    task: str
    folder: str
    group: str
    languages: tuple[str, ...]


@dataclass(frozen=True)
class Benchmark:
    """The tasks that a benchmark averages, in the order of its tables; ``name`` is for files, ``title`` for people."""

    name: str
    title: str
    entries: tuple[Entry, ...]

    def entry(self, folder: str) -> Entry | None:
        """Return the task with this folder in a submission, or None."""
        return next((entry for entry in self.entries if entry.folder == folder), None)


@dataclass(frozen=True)
class Average:
    """The score of a task, a group or a whole benchmark, in percent.

    Attributes:
        score: Mean as the benchmark counts it: English included where the task has English.
        english: Score in English, or its mean over the tasks that have English; None without one.
        zero_shot: The same average without English; None where nothing is left.
        gap: Cross-lingual transfer gap in points: English minus the mean of the other languages of the same task, or
            the mean of that over the tasks that have both; None without one.
        missing: Languages or tasks that the benchmark counts and this average lacks; empty where the score is the
            benchmark's own figure.
    """

    score: float
    english: float | None
    zero_shot: float | None
    gap: float | None
    missing: tuple[str, ...]

    @property
    def is_partial(self) -> bool:
        """Whether the benchmark would count more tasks or languages."""
        return bool(self.missing)

    def record(self) -> dict[str, Any]:
        """Return the average as plain values."""
        return {
            "score": self.score,
            "english": self.english,
            "zero_shot": self.zero_shot,
            "gap": self.gap,
            "is_partial": self.is_partial,
            "missing": list(self.missing),
        }


@dataclass(frozen=True)
class BenchmarkScores:
    """The averages of one benchmark over the tasks and groups that have scores, in the benchmark's order."""

    benchmark: Benchmark
    tasks: dict[str, Average]
    groups: dict[str, Average]
    overall: Average | None

    @property
    def missing_tasks(self) -> tuple[str, ...]:
        """Tasks of the benchmark without any score."""
        return tuple(entry.task for entry in self.benchmark.entries if entry.task not in self.tasks)

    @property
    def missing_languages(self) -> dict[str, tuple[str, ...]]:
        """Languages without scores, for the tasks that have some but not all."""
        return {name: average.missing for name, average in self.tasks.items() if average.missing}

    @property
    def is_complete(self) -> bool:
        """Whether all tasks have all their languages, so that the overall score is the benchmark's own."""
        return self.overall is not None and not self.overall.is_partial

    def record(self) -> dict[str, Any]:
        """Return the averages as plain values."""
        return {
            "tasks": {name: average.record() for name, average in self.tasks.items()},
            "groups": {name: average.record() for name, average in self.groups.items()},
            "overall": None if self.overall is None else self.overall.record(),
            "missing_tasks": list(self.missing_tasks),
        }


def benchmark_scores(benchmark: Benchmark, scores: ScoresByTask, *, by_folder: bool = False) -> BenchmarkScores:
    """Average scores as a benchmark does: over languages, then over tasks; each language and each task counts the same.

    ``scores`` holds percent by task (with ``by_folder`` by a submission's folder), language and name of the score;
    tasks and languages that the benchmark does not count are ignored.

    Raises:
        EvaluationError: If a counted task has no language, or a score is missing.
    """
    tasks: dict[str, Average] = {}
    for entry in benchmark.entries:
        key = entry.folder if by_folder else entry.task
        if key in scores:
            average = _task_average(get_task(key), entry, scores[key])
            if average is not None:
                tasks[entry.task] = average
    groups = {
        group: _joined([entry for entry in benchmark.entries if entry.group == group], tasks)
        for group in dict.fromkeys(entry.group for entry in benchmark.entries if entry.task in tasks)
    }
    overall = _joined(benchmark.entries, tasks) if tasks else None
    return BenchmarkScores(benchmark, tasks, groups, overall)


def counts_more(benchmark: Benchmark, other: Benchmark, scores: ScoresByTask, *, by_folder: bool = False) -> bool:
    """Say whether ``benchmark`` counts any of the scores, by task and language, that ``other`` does not count."""

    def counted(which: Benchmark) -> set[tuple[str, str]]:
        keys = {entry.folder if by_folder else entry.task: entry for entry in which.entries}
        return {
            (key, language)
            for key, entry in keys.items()
            for language in scores.get(key, ())
            if language in entry.languages
        }

    return bool(counted(benchmark) - counted(other))


def mean_over_languages(task: Task, by_language: Mapping[str, ByMetric]) -> float:
    """Average a task's major score over languages, in the order in which XTREME rounds: languages, then metrics.

    Raises:
        EvaluationError: If there is no language, or a score is missing.
    """
    if not by_language:
        raise EvaluationError(f"the task '{task.name}' has no language to average over", key=task.name)
    for scores in by_language.values():
        major(task.metric, scores)
    return mean([mean([scores[name] for scores in by_language.values()]) for name in MAJOR[task.metric]])


def _task_average(task: Task, entry: Entry, by_language: Mapping[str, ByMetric]) -> Average | None:
    """Average one task; None where none of its languages counts."""
    if not by_language:
        mean_over_languages(task, by_language)
    counted = {language: by_language[language] for language in entry.languages if language in by_language}
    if not counted:
        return None
    others = {language: scores for language, scores in counted.items() if language != SOURCE_LANGUAGE}
    english = major(task.metric, counted[SOURCE_LANGUAGE]) if SOURCE_LANGUAGE in counted else None
    zero_shot = mean_over_languages(task, others) if others else None
    return Average(
        score=mean_over_languages(task, counted),
        english=english,
        zero_shot=zero_shot,
        gap=None if english is None or zero_shot is None else english - zero_shot,
        missing=tuple(language for language in entry.languages if language not in counted),
    )


def _joined(entries: Sequence[Entry], tasks: Mapping[str, Average]) -> Average:
    """Average tasks; ``missing`` names whole tasks, and tasks with the languages that they lack."""
    found = [tasks[entry.task] for entry in entries if entry.task in tasks]
    missing = [
        entry.task if entry.task not in tasks else f"{entry.task} ({' '.join(tasks[entry.task].missing)})"
        for entry in entries
        if entry.task not in tasks or tasks[entry.task].is_partial
    ]
    return Average(
        score=mean([average.score for average in found]),
        english=_mean_of_present([average.english for average in found]),
        zero_shot=_mean_of_present([average.zero_shot for average in found]),
        gap=_mean_of_present([average.gap for average in found]),
        missing=tuple(missing),
    )


def mean(values: Collection[float]) -> float:
    """Return the plain mean of at least one value."""
    # Not `adaptstilts.results.rows.mean`, which sums exactly: the last digit would differ from that of stored scores.
    return sum(values) / len(values)


def _mean_of_present(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return mean(present) if present else None


def _benchmark(name: BenchmarkName, title: str) -> Benchmark:
    """Collect the tasks that belong to a benchmark."""
    entries = [
        Entry(task.name, task.folder or task.name, task.group.value, task.official(name))
        for task in benchmark_tasks(name)
        if task.group is not None
    ]
    return Benchmark(name.value, title, tuple(entries))


XTREME = _benchmark(BenchmarkName.XTREME, "XTREME")
"""Nine tasks in four groups."""

XTREME_R = _benchmark(BenchmarkName.XTREME_R, "XTREME-R")
"""Ten tasks in four groups (Ruder et al. 2021). Tatoeba's encoder is trained on SQuAD there: a task of its own."""

BENCHMARKS = (XTREME, XTREME_R)
