"""Scores of a folder of predictions, and XTREME's aggregation over languages, tasks and groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from adaptstilts.errors import DataError, EvaluationError
from adaptstilts.evaluate.metrics import MAJOR, major, score_examples
from adaptstilts.evaluate.submission import (
    match_to_labels,
    read_labels,
    read_predictions,
    submission_path,
    submitted_languages,
)
from adaptstilts.tasks.registry import all_tasks, get_task, target_tasks
from adaptstilts.tasks.spec import Kind, Metric, Task

Scores: TypeAlias = dict[str, dict[str, dict[str, float]]]
"""Percent by task, language and name of the score."""


@dataclass(frozen=True)
class FolderScores:
    """The scores of a folder.

    Attributes:
        scores: Percent by task, language and name of the score.
        notes: What was left out, one sentence each.
    """

    scores: Scores
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Aggregate:
    """XTREME's averages, in percent.

    Attributes:
        tasks: Mean over a task's languages of its major score (span extraction: mean of exact match and F1).
        groups: Mean over the group's tasks, for the groups of which a task is present.
        overall: Mean over the target tasks that are present; None where there is none.
        missing_tasks: Target tasks without scores, in XTREME's order. The overall figure is XTREME's only where this
            and the next are empty.
        missing_languages: Languages without scores, for the target tasks that have some.
    """

    tasks: dict[str, float]
    groups: dict[str, float]
    overall: float | None
    missing_tasks: tuple[str, ...]
    missing_languages: dict[str, tuple[str, ...]]

    @property
    def is_complete(self) -> bool:
        """Whether all nine target tasks are there with all their languages."""
        return not self.missing_tasks and not self.missing_languages


def score_file(predictions: Path, labels: Path, task: Task, language: str) -> dict[str, float]:
    """Score one file of predictions.

    Args:
        predictions: Predictions in XTREME's submission format.
        labels: Labels of the same task and language.
        task: The task.
        language: ISO 639-1 code.

    Returns:
        Percent by name of the score.

    Raises:
        DataError: If a file cannot be read or the two do not fit together; with file and line.
    """
    return _score_and_note(predictions, labels, task, language)[0]


def score_folder(
    predictions: Path, labels: Path, tasks: Sequence[str] | None = None, languages: Sequence[str] | None = None
) -> FolderScores:
    """Score a folder of predictions in XTREME's submission layout.

    Args:
        predictions: Folder with one subfolder for each task.
        labels: Folder with the labels in the same layout.
        tasks: Tasks to score; all that both folders hold where None.
        languages: ISO 639-1 codes to score; all that both folders hold where None.

    Returns:
        The scores, tasks and languages in the registry's order, and notes on what was left out.

    Raises:
        ConfigError: If a task is unknown.
        DataError: If a folder is missing, a task or language asked for has no files, nothing is left to score, or a
            file is malformed.
    """
    for folder in (predictions, labels):
        _require_folder(folder)
    notes: list[str] = []
    chosen = _present_tasks(predictions, notes) if tasks is None else _asked_tasks(predictions, labels, tasks)
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


def aggregate(scores: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Aggregate:
    """Average scores as XTREME does: over languages, then over tasks; every language and every task counts the same.

    Args:
        scores: Percent by task, language and name of the score. Tasks that are not targets get a mean of their own and
            enter no other.

    Returns:
        The averages, and what is missing for XTREME's own figure.

    Raises:
        ConfigError: If a task is unknown.
        EvaluationError: If a task has no language, or a score is missing.
    """
    means = {name: _mean_over_languages(get_task(name), by_language) for name, by_language in scores.items()}
    targets = [task for task in target_tasks() if task.name in means]
    groups: dict[str, list[float]] = {}
    for task in targets:
        if task.group is not None:
            groups.setdefault(task.group.value, []).append(means[task.name])
    missing = {
        task.name: tuple(language for language in task.languages if language not in scores[task.name])
        for task in targets
    }
    return Aggregate(
        tasks=means,
        groups={group: _mean(values) for group, values in groups.items()},
        overall=_mean([means[task.name] for task in targets]) if targets else None,
        missing_tasks=tuple(task.name for task in target_tasks() if task.name not in means),
        missing_languages={name: absent for name, absent in missing.items() if absent},
    )


def score_text(scores: FolderScores) -> str:
    """Return scores as text for a terminal: a table per task, XTREME's averages, and the notes.

    Args:
        scores: What `score_folder` returns.

    Returns:
        Percent with one decimal; languages down, metrics across.
    """
    blocks = [_task_table(task, by_language) for task, by_language in scores.scores.items()]
    averages = _averages_text(aggregate(scores.scores))
    blocks += [averages] if averages else []
    if scores.notes:
        blocks.append("\n".join(f"note: {note}" for note in scores.notes))
    return "\n\n".join(blocks)


def _task_table(name: str, by_language: Mapping[str, Mapping[str, float]]) -> str:
    metrics = tuple(dict.fromkeys(metric for scores in by_language.values() for metric in scores))
    # SQuAD 2.0 has no scores of answerable questions where there are none.
    common = [metric for metric in metrics if all(metric in scores for scores in by_language.values())]
    means = {metric: _mean([scores[metric] for scores in by_language.values()]) for metric in common}
    widths = {metric: max(16, len(metric) + 2) for metric in metrics}
    lines = [f"{name:<12}" + "".join(f"{metric:>{widths[metric]}}" for metric in metrics)]
    for label, values in (*by_language.items(), (f"mean of {len(by_language)}", means)):
        texts = [f"{values[metric]:.1f}" if metric in values else "-" for metric in metrics]
        cells = (f"{text:>{width}}" for text, width in zip(texts, widths.values(), strict=True))
        lines.append(f"  {label:<10}" + "".join(cells))
    return "\n".join(lines)


def _averages_text(averages: Aggregate) -> str:
    if averages.overall is None:
        return ""
    heading = "XTREME" if averages.is_complete else "XTREME, what there is of it"
    lines = [f"{heading:<40}{'percent':>10}"]
    lines += [f"  {group.replace('_', ' '):<38}{value:>10.1f}" for group, value in averages.groups.items()]
    lines.append(f"  {'overall':<38}{averages.overall:>10.1f}")
    if averages.missing_tasks:
        lines.append(f"  without {', '.join(averages.missing_tasks)}")
    for task, languages in averages.missing_languages.items():
        lines.append(f"  {task} without {', '.join(languages)}")
    return "\n".join(lines)


def _score_and_note(predictions: Path, labels: Path, task: Task, language: str) -> tuple[dict[str, float], list[str]]:
    gold = read_labels(labels, task)
    found = match_to_labels(read_predictions(predictions, task), gold)
    notes = []
    if task.kind is Kind.EXTRACT and len(found) < len(gold.content):
        lacking = len(gold.content) - len(found)
        notes.append(
            f"{task.name}/{language}: {lacking} of {len(gold.content)} questions have no prediction and score 0"
        )
    wanted = gold.content
    if task.metric is Metric.ACCURACY_F1:
        # The positive class is known by its place, whatever its word.
        found, wanted = ([task.labels.index(word) for word in words] for words in (found, wanted))
    return score_examples(task.metric, found, wanted, language), notes


def _mean_over_languages(task: Task, by_language: Mapping[str, Mapping[str, float]]) -> float:
    if not by_language:
        raise EvaluationError(f"the task '{task.name}' has no language to average over", key=task.name)
    for scores in by_language.values():
        major(task.metric, scores)
    # First over languages, then over exact match and F1: the order in which XTREME rounds.
    return _mean([_mean([scores[name] for scores in by_language.values()]) for name in MAJOR[task.metric]])


def _mean(values: Collection[float]) -> float:
    return sum(values) / len(values)


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
        f"skipped {name}/, which is no task of this package" for name in sorted(found - {task.name for task in known})
    )
    return known


def _asked_tasks(predictions: Path, labels: Path, names: Sequence[str]) -> list[Task]:
    asked = {get_task(name).name for name in names}
    for name in sorted(asked):
        for folder in (predictions, labels):
            _require_folder(folder / name)
    return [task for task in all_tasks() if task.name in asked]


def _common_languages(predictions: Path, labels: Path, task: Task, notes: list[str]) -> list[str]:
    found, wanted = submitted_languages(predictions, task), submitted_languages(labels, task)
    for given, other, what in ((wanted, found, "predictions"), (found, wanted, "labels")):
        lacking = [language for language in given if language not in other]
        if lacking:
            notes.append(f"{task.name}: no {what} for {', '.join(lacking)}")
    outside = [language for language in found if language in wanted and language not in task.languages]
    if outside:
        notes.append(f"{task.name}: {', '.join(outside)} not among the task's languages, scored all the same")
    return [language for language in found if language in wanted]
