"""From finished stages to tidy rows: one per score, one per training run."""

from __future__ import annotations

from collections.abc import Mapping

from adaptstilts.analyse.results import ResultRow, RunRow
from adaptstilts.evaluate.metrics import MAJOR
from adaptstilts.study.plan import Cell, Plan
from adaptstilts.study.stages import TrainJob
from adaptstilts.study.store import Artefact
from adaptstilts.tasks.registry import get_task
from adaptstilts.train.methods import METHODS

SCORES_FILE = "scores.json"
TRAINING_FILE = "training.json"


def result_rows(plan: Plan, done: Mapping[str, Artefact]) -> list[ResultRow]:
    """Return the scores of all cells whose scoring is finished.

    Args:
        plan: The study's plan.
        done: Finished artefacts by key.

    Returns:
        One row per method, source, target, language, metric and seed.
    """
    rows: list[ResultRow] = []
    for cell in plan.cells:
        if cell.score is not None and cell.score in done:
            rows += _rows_of(cell, done[cell.score].read_json(SCORES_FILE))
    return rows


def _rows_of(cell: Cell, scores: Mapping[str, Mapping[str, object]]) -> list[ResultRow]:
    majors = MAJOR[get_task(cell.target).metric]
    family = "full" if METHODS[cell.method].family == "full" else "adapter"
    rows = []
    for language, record in scores.items():
        notes = [note for note in (cell.note, str(record["note"])) if note]
        values = record["scores"]
        if not isinstance(values, Mapping):
            raise TypeError(f"scores of {cell.target} in {language} are not a table")
        rows += [
            ResultRow(
                method=cell.method,
                family=family,
                source=cell.source,
                target=cell.target,
                language=language,
                metric=metric,
                value=float(value),
                is_major=metric in majors,
                split=str(record["split"]),
                examples=int(str(record["examples"])),
                seed=cell.seed,
                note="; ".join(notes),
            )
            for metric, value in values.items()
        ]
    return rows


def run_rows(plan: Plan, done: Mapping[str, Artefact]) -> list[RunRow]:
    """Return what each finished training run was, did and cost; each run once, however many cells use it.

    Args:
        plan: The study's plan.
        done: Finished artefacts by key.

    Returns:
        One row per run.
    """
    owner = {cell.train: cell for cell in reversed(plan.cells) if cell.train is not None}
    rows: list[RunRow] = []
    for stage in plan.stages:
        if not isinstance(stage.job, TrainJob) or stage.key not in done:
            continue
        record = done[stage.key].read_json(TRAINING_FILE)
        cell = owner.get(stage.key)
        is_intermediate = cell is None
        rows.append(
            RunRow(
                method="" if cell is None else cell.method,
                family=METHODS[stage.job.method].family,
                source=stage.job.task if is_intermediate else "+".join(source.task for source in stage.job.sources),
                target="" if cell is None else cell.target,
                seed=stage.job.seed,
                trained_parameters=int(record["trained_parameters"]),
                total_parameters=int(record["total_parameters"]),
                artefact_bytes=int(record["artefact_bytes"]),
                train_seconds=float(record["seconds"]),
                train_examples=int(record["examples"]),
                best_dev=record["best_dev"],
                stage=stage.name,
            )
        )
    return rows


def training_notes(plan: Plan, done: Mapping[str, Artefact]) -> list[str]:
    """Return what differs from the published set-up in the training sets of finished runs, each remark once."""
    notes: dict[str, None] = {}
    for stage in plan.stages:
        if isinstance(stage.job, TrainJob) and stage.key in done:
            notes.update(dict.fromkeys(done[stage.key].read_json(TRAINING_FILE)["notes"]))
    return sorted(notes)
