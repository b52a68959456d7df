"""Scores outside a study: folders of predictions in XTREME's submission layout, and published figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from adaptstilts.api.shown import Shown
from adaptstilts.arguments import optional_text_of, path_of, text_of, texts_of
from adaptstilts.results.published import of_task, published_text
from adaptstilts.submission.check_folder import check_folder, get_benchmark
from adaptstilts.submission.score import score_folder, score_record, score_text


def published_scores(task: str | None = None) -> Shown:
    """List published scores with their sources and settings.

    Args:
        task: A task, to list all its figures; by default the mean of every task.

    Raises:
        ConfigError: If no figure of the task is known.
    """
    found = of_task(optional_text_of("task", task))
    return Shown([asdict(item) for item in found], published_text(found))


def score_predictions(
    predictions: Path | str,
    gold: Path | str,
    *,
    tasks: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
) -> Shown:
    """Score a folder of predictions in XTREME's submission layout.

    Args:
        predictions: Folder of predictions: ``<task>/test-<language>.tsv|json``.
        gold: Folder of labels in the same layout.
        tasks: Only these tasks.
        languages: Only these languages.

    Returns:
        Scores per language, task, group and overall, as XTREME averages them, and what is missing.

    Raises:
        AdaptstiltsError: If files are missing, malformed or do not fit together.
    """
    scores = score_folder(
        path_of("predictions", predictions),
        path_of("gold", gold),
        _names("tasks", tasks),
        _names("languages", languages),
    )
    return Shown(score_record(scores), score_text(scores))


def check_submission(
    folder: Path | str,
    gold: Path | str | None = None,
    *,
    tasks: Sequence[str] | None = None,
    benchmark: str = "xtreme",
) -> Shown:
    """List everything that is wrong with a folder in XTREME's submission layout, and score it if labels are given.

    Args:
        folder: Folder of predictions.
        gold: Folder of labels in the same layout.
        tasks: Check only these tasks.
        benchmark: ``xtreme`` or ``xtreme_r``.

    Raises:
        AdaptstiltsError: If there is no such folder, task or benchmark.
    """
    place, labels = path_of("folder", folder), None if gold is None else path_of("gold", gold)
    checked = check_folder(place, labels, get_benchmark(text_of("benchmark", benchmark)), _names("tasks", tasks))
    return Shown(checked.record(), checked.text(), problems=tuple(checked.problems))


def _names(argument: str, given: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if given is None else texts_of(argument, given)
