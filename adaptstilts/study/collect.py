"""From finished stages to tidy rows: one per score, one per training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adaptstilts.analyse.layers import LayerRow
from adaptstilts.analyse.results import ResultRow, RunRow
from adaptstilts.config.schema import RetrievalSection
from adaptstilts.evaluate.metrics import MAJOR
from adaptstilts.study.plan import Cell, Plan
from adaptstilts.study.retrieval import settings_line
from adaptstilts.study.stages import PredictJob, TrainJob
from adaptstilts.study.store import Artefact
from adaptstilts.study.variants import labels_of, users_of
from adaptstilts.tasks.registry import benchmark_tasks, get_task
from adaptstilts.tasks.spec import BenchmarkName
from adaptstilts.train.methods import METHODS

SCORES_FILE = "scores.json"
TRAINING_FILE = "training.json"
LAYERS_FILE = "layers.json"
"""Of the predictions of a retrieval target: the layer that was used, and the scores of all where they were swept."""
_TITLES = {BenchmarkName.XTREME: "XTREME", BenchmarkName.XTREME_R: "XTREME-R"}


def result_rows(plan: Plan, done: Mapping[str, Artefact]) -> list[ResultRow]:
    """Return the scores of all cells whose scoring is finished.

    Args:
        plan: The study's plan.
        done: Finished artefacts by key.

    Returns:
        One row per method, source, target, language, metric, seed and variant.
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
                variant=cell.variant,
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
    every, used = labels_of(plan), users_of(plan)
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
                variant="" if used[stage.key] == every else "; ".join(used[stage.key]),
            )
        )
    return rows


def benchmark_notes(targets: Sequence[str], benchmark: BenchmarkName) -> list[str]:
    """Return a remark on the targets that are no tasks of the benchmark, if there are any."""
    inside = benchmark_tasks(benchmark)
    outside = [name for name in targets if get_task(name) not in inside]
    if not outside:
        return []
    return [f"{', '.join(outside)}: no task of {_TITLES[benchmark]}, in none of its averages"]


def training_notes(plan: Plan, done: Mapping[str, Artefact]) -> list[str]:
    """Return what differs from the published set-up in the training sets of finished runs, each remark once."""
    notes: dict[str, None] = {}
    for stage in plan.stages:
        if isinstance(stage.job, TrainJob) and stage.key in done:
            notes.update(dict.fromkeys(done[stage.key].read_json(TRAINING_FILE)["notes"]))
    return sorted(notes)


def layer_rows(plan: Plan, done: Mapping[str, Artefact]) -> list[LayerRow]:
    """Return the scores by layer of all cells whose layers were swept.

    Args:
        plan: The study's plan.
        done: Finished artefacts by key.

    Returns:
        One row per method, source, target, seed, language, layer, metric and variant.
    """
    rows: list[LayerRow] = []
    for cell in plan.cells:
        job = plan.stage(cell.predict).job
        if isinstance(job, PredictJob) and job.retrieval is not None and job.retrieval.sweep and cell.predict in done:
            rows += _layers_of(cell, done[cell.predict].read_json(LAYERS_FILE))
    return rows


def _layers_of(cell: Cell, record: Mapping[str, Any]) -> list[LayerRow]:
    majors = MAJOR[get_task(cell.target).metric]
    return [
        LayerRow(
            method=cell.method,
            source=cell.source,
            target=cell.target,
            seed=cell.seed,
            language=item["language"],
            layer=item["layer"],
            is_used=item["layer"] == record["used"],
            metric=metric,
            value=float(value),
            is_major=metric in majors,
            split=item["split"],
            note="; ".join(part for part in (cell.note, item["note"]) if part),
            variant=cell.variant,
        )
        for item in record["layers"]
        for metric, value in item["scores"].items()
    ]


def retrieval_notes(section: RetrievalSection, plan: Plan, done: Mapping[str, Artefact]) -> list[str]:
    """Return, for each retrieval target, the settings in effect and the layers that were used.

    Args:
        section: Retrieval section of the study.
        plan: Its plan.
        done: Finished artefacts by key.

    Returns:
        One remark per target.
    """
    used: dict[str, dict[str, None]] = {}
    for cell in plan.cells:
        job = plan.stage(cell.predict).job
        if isinstance(job, PredictJob) and job.retrieval is not None:
            words = used.setdefault(cell.target, {})
            if cell.predict in done:
                record = done[cell.predict].read_json(LAYERS_FILE)
                words[f"layer {record['used']} of {record['blocks']}"] = None
    return [
        settings_line(section, get_task(target)) + (f" Used: {', '.join(sorted(words))}." if words else "")
        for target, words in used.items()
    ]
