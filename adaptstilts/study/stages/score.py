"""Scoring stages: comparison of predictions with gold labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from adaptstilts.evaluate.gold import gold_of
from adaptstilts.evaluate.metrics import score_examples
from adaptstilts.study.plan.jobs import ScoreJob
from adaptstilts.study.stages.examples import Examples
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.study.stages.match import right_candidates
from adaptstilts.study.stages.predictions import load_predictions
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind

Records: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By language, what `adaptstilts.study.stages.predictions.load_predictions` returns."""


def score_stage(job: ScoreJob, inputs: Inputs, examples: Examples) -> dict[str, dict[str, Any]]:
    """Score the predictions of one stage in each language.

    Returns:
        ``scores`` (percent by metric), ``split``, ``examples`` and ``note`` by language.

    Raises:
        EvaluationError: If predictions and gold labels do not match.
    """
    task = get_task(job.task)
    artefact = inputs.artefact(job.predictions)
    records = {language: load_predictions(artefact, language, task) for language, _ in job.languages}
    return {
        language: {
            "scores": score_examples(task.metric, records[language]["predictions"], gold, language),
            "split": records[language]["split"],
            "examples": records[language]["examples"],
            "note": records[language]["note"],
        }
        for language, gold in _GOLD[task.kind](job, examples, records)
    }


def _labels(job: ScoreJob, examples: Examples, _: Records) -> Iterator[tuple[str, Any]]:
    task = get_task(job.task)
    labels = examples.root.labels(task)
    for language, split in job.languages:
        rows = examples.evaluation(task, split, language, job.max_evaluation)
        yield language, gold_of(task, rows, labels)


def _translations(job: ScoreJob, examples: Examples, records: Records) -> Iterator[tuple[str, Any]]:
    task = get_task(job.task)
    for language, split in job.languages:
        bitext = examples.bitext(task, split, language, job.max_evaluation)
        yield language, gold_of(task, bitext, (), direction=records[language]["direction"])


def _candidates(job: ScoreJob, examples: Examples, _: Records) -> Iterator[tuple[str, Any]]:
    yield from right_candidates(job, examples).items()


_GOLD: dict[Kind, Callable[[ScoreJob, Examples, Records], Iterator[tuple[str, Any]]]] = {
    Kind.CLASSIFY: _labels,
    Kind.CHOOSE: _labels,
    Kind.TAG: _labels,
    Kind.EXTRACT: _labels,
    Kind.RETRIEVE: _translations,
    Kind.MATCH: _candidates,
}
"""Functions that give, for a target of each kind, the languages of a job and their gold labels."""
