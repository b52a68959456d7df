"""Scoring stages: comparison of predictions with gold labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adaptstilts.evaluate.gold import gold_of
from adaptstilts.evaluate.metrics import score_examples
from adaptstilts.study.layout import PREDICTIONS_FOLDER
from adaptstilts.study.plan.jobs import ScoreJob
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.study.stages.match import right_candidates
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Metric

if TYPE_CHECKING:
    from adaptstilts.study.stages.examples import Examples


def score_stage(job: ScoreJob, inputs: Inputs, examples: Examples) -> dict[str, dict[str, Any]]:
    """Score the predictions of one stage in each language.

    Returns:
        ``scores`` (percent by metric), ``split``, ``examples`` and ``note`` by language.

    Raises:
        EvaluationError: If predictions and gold labels do not match.
    """
    task = get_task(job.task)
    artefact = inputs.artefact(job.predictions)
    labels = examples.root.labels(task)
    right = right_candidates(job, examples) if task.pool is not None else {}
    table: dict[str, dict[str, Any]] = {}
    for language, split in job.languages:
        record = artefact.read_json(f"{PREDICTIONS_FOLDER}/{language}.json")
        predictions = record["predictions"]
        if task.metric is Metric.BUCC_F1:
            predictions = {(foreign, english) for foreign, english in predictions}
        if FACTS[task.kind].is_bitext:
            bitext = examples.bitext(task, split, language, job.max_evaluation)
            gold = gold_of(task.metric, bitext, labels, direction=record["direction"])
        elif task.pool is not None:
            gold = right[language]
        else:
            gold = gold_of(task.metric, examples.evaluation(task, split, language, job.max_evaluation), labels)
        table[language] = {
            "scores": score_examples(task.metric, predictions, gold, language),
            "split": record["split"],
            "examples": record["examples"],
            "note": record["note"],
        }
    return table
