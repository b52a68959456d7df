"""Rows of the result tables, collected from finished stages: one per score, one per training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adaptstilts.evaluate.metrics import MAJOR
from adaptstilts.formatting import merged_lines
from adaptstilts.results.analyses import READS, get_analysis
from adaptstilts.results.layers import LAYERS_FILE
from adaptstilts.results.rows import ResultRow, RunRow
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.record import Record
from adaptstilts.study.layout import SCORES_FILE, TRAINING_FILE
from adaptstilts.study.plan.jobs import AnalyseJob, Cell, Notes, Run
from adaptstilts.tasks.registry import benchmark_tasks, get_task
from adaptstilts.tasks.spec import BenchmarkName
from adaptstilts.train.methods import METHODS

_TITLES = {BenchmarkName.XTREME: "XTREME", BenchmarkName.XTREME_R: "XTREME-R"}


def result_rows(job: AnalyseJob, done: Mapping[str, Artefact]) -> list[ResultRow]:
    """Collect the scores of all cells whose scoring is finished.

    Args:
        done: Finished artefacts by key.

    Returns:
        One row per method, source, target, language, metric, seed and variant.
    """
    return [
        row
        for cell in job.cells
        for key in cell.score
        if key in done
        for row in _rows_of(cell, done[key].record(SCORES_FILE))
    ]


def _rows_of(cell: Cell, scores: Record) -> list[ResultRow]:
    majors = MAJOR[get_task(cell.target).metric]
    family = METHODS[cell.method].family
    rows = []
    for language in scores:
        record = scores.record(language)
        notes = [note for note in (cell.note, record.text("note")) if note]
        values = record.record("scores")
        rows += [
            ResultRow(
                method=cell.method,
                family=family,
                source=cell.source,
                target=cell.target,
                language=language,
                metric=metric,
                value=float(values.number(metric)),
                is_major=metric in majors,
                split=record.text("split"),
                examples=record.count("examples"),
                seed=cell.seed,
                note="; ".join(notes),
                variant=cell.variant,
            )
            for metric in values
        ]
    return rows


def run_rows(job: AnalyseJob, done: Mapping[str, Artefact]) -> list[RunRow]:
    """Collect one row per finished training run, however many cells use it.

    Args:
        done: Finished artefacts by key.
    """
    rows: list[RunRow] = []
    every = tuple(remarks.variant for remarks in job.remarks)
    for run in job.runs:
        if run.key not in done:
            continue
        record = done[run.key].record(TRAINING_FILE)
        rows.append(
            RunRow(
                method=run.method,
                family=run.family,
                source=run.source,
                target=run.target,
                seed=run.seed,
                trained_parameters=record.count("trained_parameters"),
                total_parameters=record.count("total_parameters"),
                artefact_bytes=record.count("artefact_bytes"),
                train_seconds=float(record.number("seconds")),
                train_examples=record.count("examples"),
                best_dev=None if record.values.get("best_dev") is None else record.number("best_dev"),
                stage=run.stage,
                variant="" if run.variants == every else "; ".join(run.variants),
                attention=record.text("attention"),
            )
        )
    return rows


def notes(job: AnalyseJob, done: Mapping[str, Artefact]) -> list[str]:
    """Collect the notes on a study's benchmark, training sets and retrieval settings.

    Args:
        done: Finished artefacts by key.

    Returns:
        Sentences without repetitions; those that do not hold for all variants begin with the variants.
    """
    found = {
        remarks.variant: [
            *benchmark_notes(remarks.targets, BenchmarkName(remarks.benchmark)),
            *training_notes([run for run in job.runs if remarks.variant in run.variants], done),
            *retrieval_notes(remarks, [cell for cell in job.cells if cell.variant == remarks.variant], done),
        ]
        for remarks in job.remarks
    }
    return merged_lines(found)


def benchmark_notes(targets: Sequence[str], benchmark: BenchmarkName) -> list[str]:
    """Name the targets that are no tasks of the benchmark, if there are any."""
    inside = benchmark_tasks(benchmark)
    outside = [name for name in targets if get_task(name) not in inside]
    if not outside:
        return []
    return [f"{', '.join(outside)}: no task of {_TITLES[benchmark]}, in none of its averages"]


def training_notes(runs: Sequence[Run], done: Mapping[str, Artefact]) -> list[str]:
    """Collect the differences of finished runs' training sets from the published set-up, without repetitions."""
    found: dict[str, None] = {}
    for run in runs:
        if run.key in done:
            found.update(dict.fromkeys(done[run.key].record(TRAINING_FILE).texts("notes")))
    return sorted(found)


def analysis_rows(job: AnalyseJob, done: Mapping[str, Artefact]) -> dict[str, list[Any]]:
    """Compute the rows of each analysis from the finished predictions that it reads, by name of the analysis."""
    found: dict[str, list[Any]] = {}
    for name, reads in READS.items():
        cells = [cell for cell in job.cells if reads(get_task(cell.target))]
        predictions = [(cell, done[key]) for cell in cells for key in cell.predict if key in done]
        if predictions:
            analysis = get_analysis(name)
            found[name] = [row for cell, artefact in predictions for row in analysis.rows(cell, artefact)]
    return found


def retrieval_notes(remarks: Notes, cells: Sequence[Cell], done: Mapping[str, Artefact]) -> list[str]:
    """Describe the settings in effect and the layers used, in one note per retrieval target.

    Args:
        remarks: Notes that name the targets with their settings.
        cells: Cells of the study, or of one variant.
        done: Finished artefacts by key.
    """
    used: dict[str, set[str]] = {target: set() for target, _ in remarks.retrieval}
    for cell in cells:
        for key in cell.predict if cell.target in used else ():
            if key in done:
                record = done[key].record(LAYERS_FILE)
                used[cell.target].add(f"layer {record.count('used')} of {record.count('blocks')}")
    return [
        line + (f" Used: {', '.join(sorted(used[target]))}." if used[target] else "")
        for target, line in remarks.retrieval
    ]
