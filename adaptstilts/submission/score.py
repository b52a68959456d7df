"""Scores of a folder of predictions, with the averages of XTREME and XTREME-R, as values and as text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from adaptstilts.errors import DataError
from adaptstilts.evaluate.benchmark import (
    BENCHMARKS,
    XTREME,
    XTREME_R,
    Average,
    BenchmarkScores,
    benchmark_scores,
    counts_more,
    mean,
)
from adaptstilts.evaluate.metrics import score_examples
from adaptstilts.formatting import aligned, decimal_text, number_text, visible
from adaptstilts.submission.folder import (
    match_to_labels,
    read_labels,
    read_predictions,
    submission_path,
    submitted_languages,
)
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.tasks.spec import Metric, Task

Scores: TypeAlias = dict[str, dict[str, dict[str, float]]]
"""Percent by task, language and name of the score."""


@dataclass(frozen=True)
class FolderScores:
    """Scores of a folder, with a note of one sentence on each thing that was left out."""

    scores: Scores
    notes: tuple[str, ...]


def score_folder(
    predictions: Path, labels: Path, tasks: Sequence[str] | None = None, languages: Sequence[str] | None = None
) -> FolderScores:
    """Score a folder of predictions in XTREME's submission layout against a folder of labels in the same layout.

    Tasks and languages are by default all that both folders hold; scores are in the registry's order.

    Raises:
        ConfigError: If a task is unknown.
        DataError: If a folder is missing, a given task or language has no files, nothing is left to score, or a file
            is malformed.
    """
    for folder in (predictions, labels):
        _require_folder(folder)
    notes: list[str] = []
    chosen = _present_tasks(predictions, notes) if tasks is None else _selected_tasks(predictions, labels, tasks)
    present = {task.name: _common_languages(predictions, labels, task, notes) for task in chosen}
    _require_languages(languages or (), present, predictions)
    scores: Scores = {}
    for task in chosen:
        for language in present[task.name]:
            if languages is None or language in languages:
                files = (submission_path(predictions, task, language), submission_path(labels, task, language))
                found, note = _score_and_note(files[0], files[1], task, language)
                scores.setdefault(task.name, {})[language] = found
                notes.extend(note)
    if not scores:
        raise DataError(
            "there is nothing to score",
            path=predictions,
            allowed=[f"<task>/test-<language>.tsv or .json, in {labels} too"],
            hint="; ".join(notes) or None,
        )
    return FolderScores(scores, tuple(notes))


def averages(scores: FolderScores) -> tuple[BenchmarkScores, ...]:
    """Average the scores of a folder as XTREME and XTREME-R do, in this order.

    Raises:
        EvaluationError: If a task has no language, or a score is missing.
    """
    return tuple(benchmark_scores(benchmark, scores.scores, by_folder=True) for benchmark in BENCHMARKS)


def score_record(scores: FolderScores) -> dict[str, Any]:
    """Return scores as plain values: by task, language and name; also ``averages`` by benchmark, and ``notes``."""
    by_benchmark = {found.benchmark.name: found.record() for found in averages(scores)}
    return {**scores.scores, "averages": by_benchmark, "notes": list(scores.notes)}


def score_text(scores: FolderScores) -> str:
    """Return scores as text for a terminal: a table per task, the benchmarks' averages, and the notes.

    All values are percent with one decimal; languages run down, metrics across. XTREME-R's averages are left out if
    they would count nothing that XTREME's do not.
    """
    blocks = [_task_table(task, by_language) for task, by_language in scores.scores.items()]
    has_more = counts_more(XTREME_R, XTREME, scores.scores, by_folder=True)
    blocks += [
        _averages_text(found)
        for found in averages(scores)
        if found.overall is not None and (found.benchmark is XTREME or has_more)
    ]
    if scores.notes:
        blocks.append("\n".join(visible(f"note: {note}") for note in scores.notes))
    return "\n\n".join(blocks)


def _task_table(name: str, by_language: Mapping[str, Mapping[str, float]]) -> str:
    metrics = tuple(dict.fromkeys(metric for scores in by_language.values() for metric in scores))
    # SQuAD 2.0 has no scores of answerable questions where there are none.
    common = [metric for metric in metrics if all(metric in scores for scores in by_language.values())]
    means = {metric: mean([scores[metric] for scores in by_language.values()]) for metric in common}
    rows = [
        (f"  {label}", *(f"{values[metric]:.1f}" if metric in values else "-" for metric in metrics))
        for label, values in (*by_language.items(), (f"mean of {len(by_language)}", means))
    ]
    return "\n".join(aligned([(name, *metrics), *rows], "<>"))


def _averages_text(found: BenchmarkScores) -> str:
    """Return the averages in XTREME's columns: tasks below their groups, the overall score, and what is missing."""
    heading = found.benchmark.title if found.is_complete else f"{found.benchmark.title}, partial"
    rows = [(heading, "score", "English", "zero-shot", "gap")]
    for group, average in found.groups.items():
        rows.append(_average_row(f"  {group.replace('_', ' ')}", average))
        rows += [
            _average_row(f"    {entry.folder}", found.tasks[entry.task])
            for entry in found.benchmark.entries
            if entry.group == group and entry.task in found.tasks
        ]
    if found.overall is not None:
        rows.append(_average_row("  overall", found.overall))
    lines = aligned(rows, "<>")
    if found.missing_tasks:
        lines.append(f"  without {', '.join(found.missing_tasks)}")
    lines += [f"  {task} without {', '.join(languages)}" for task, languages in found.missing_languages.items()]
    return "\n".join(lines)


def _average_row(label: str, average: Average) -> tuple[str, str, str, str, str]:
    values = (average.score, average.english, average.zero_shot, average.gap)
    score, english, zero_shot, gap = ("-" if value is None else decimal_text(value) for value in values)
    return (f"{label}, partial" if average.is_partial else label, score, english, zero_shot, gap)


def _score_and_note(predictions: Path, labels: Path, task: Task, language: str) -> tuple[dict[str, float], list[str]]:
    gold = read_labels(labels, task)
    found = match_to_labels(read_predictions(predictions, task), gold)
    notes = []
    if isinstance(gold.content, Mapping) and len(found) < len(gold.content):
        lacking = len(gold.content) - len(found)
        notes.append(
            f"{task.name}/{language}: no prediction for {lacking} of "
            f"{number_text(len(gold.content), 'question')}, scored 0"
        )
    wanted = gold.content
    if task.metric is Metric.ACCURACY_F1:
        # The positive class is known by its index, whatever its word.
        found, wanted = ([task.labels.index(word) for word in words] for words in (found, wanted))
    return score_examples(task.metric, found, wanted, language), notes


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise DataError(
            "is not a folder",
            path=folder,
            hint="Give the folder that holds one subfolder for each task, such as xnli/.",
        )


def _require_languages(languages: Collection[str], present: Mapping[str, Collection[str]], predictions: Path) -> None:
    found = {language for of_task in present.values() for language in of_task}
    for language in languages:
        if language not in found:
            raise DataError(
                f"no task has both predictions and labels for '{language}'",
                path=predictions,
                value=language,
                allowed=sorted(found),
            )


def _present_tasks(predictions: Path, notes: list[str]) -> list[Task]:
    found = {entry.name for entry in predictions.iterdir() if entry.is_dir()}
    known = [task for task in all_tasks() if task.name in found]
    notes.extend(
        f"skipped {name}/, which is not a task of this package"
        for name in sorted(found - {task.name for task in known})
    )
    return known


def _selected_tasks(predictions: Path, labels: Path, names: Sequence[str]) -> list[Task]:
    selected = {get_task(name).name for name in names}
    for name in sorted(selected):
        for folder in (predictions, labels):
            _require_folder(folder / name)
    return [task for task in all_tasks() if task.name in selected]


def _common_languages(predictions: Path, labels: Path, task: Task, notes: list[str]) -> list[str]:
    found, wanted = submitted_languages(predictions, task), submitted_languages(labels, task)
    for given, other, what in ((wanted, found, "predictions"), (found, wanted, "labels")):
        lacking = [language for language in given if language not in other]
        if lacking:
            notes.append(f"{task.name}: no {what} for {', '.join(lacking)}")
    outside = [language for language in found if language in wanted and language not in task.languages]
    if outside:
        notes.append(f"{task.name}: {', '.join(outside)} scored although not among the task's languages")
    return [language for language in found if language in wanted]
