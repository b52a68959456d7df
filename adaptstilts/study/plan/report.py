"""The last stages of a plan: the tables of a study, and its report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from adaptstilts import __version__
from adaptstilts.results.analyses import reads
from adaptstilts.store.stage import Stage, StageMaker
from adaptstilts.study.plan.builder import Planner
from adaptstilts.study.plan.data_sets import compared_sets
from adaptstilts.study.plan.jobs import (
    AnalyseJob,
    Cell,
    Notes,
    OverlapCheck,
    ReportJob,
    ReportView,
    Run,
    TrainJob,
    jobs_of,
)
from adaptstilts.study.plan.retrieval import retrieves, settings_line
from adaptstilts.tasks.registry import get_task
from adaptstilts.train.methods import METHODS

if TYPE_CHECKING:
    from adaptstilts.results.setting import RunSetting


def report_stages(planner: Planner, cells: tuple[Cell, ...], published: RunSetting | None) -> tuple[Stage, Stage]:
    """Plan the tables and the report of all stages so far; these two are not added to the planner.

    Args:
        planner: Stages so far.
        cells: Cells of the tables.
        published: Set-up of the study for comparison with published scores; None for no comparison.
    """
    config = planner.config
    targets = tuple(dict.fromkeys(config.target.tasks))
    retrieval = [task for task in map(get_task, targets) if retrieves(task)]
    lines = tuple((task.name, settings_line(config.retrieval, task)) for task in retrieval)
    tables = AnalyseJob(
        cells=cells_for_tables(cells),
        runs=_runs(planner, cells),
        remarks=(Notes(targets, config.evaluation.benchmark, lines),),
        version=__version__,
    )
    return last_stages(
        tables, config.title or config.name, (ReportView(published),), (_compared(planner),), planner.make
    )


def last_stages(
    tables: AnalyseJob, title: str, shown: tuple[ReportView, ...], compared: tuple[OverlapCheck, ...], make: StageMaker
) -> tuple[Stage, Stage]:
    """Make the stages of a study's tables and report.

    ``title`` is the heading of the report, ``shown`` are its studies, and ``compared`` is searched for leaks and
    overlaps.
    """
    needed = dict.fromkeys(run.key for run in tables.runs)
    for cell in tables.cells:
        needed.update(dict.fromkeys((*cell.score, *cell.predict)))
    first = make("analyse: tables of all results", "tables", tables, tuple(needed))
    report = ReportJob(first.key, title, shown, compared, __version__)
    worlds = dict.fromkeys(item.world for item in compared if item.world is not None)
    return first, make("report", "report", report, (*worlds, first.key))


def cells_for_tables(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Return cells with only the predictions that an analysis reads."""
    return tuple(
        replace(cell, predict=cell.predict if reads(get_task(cell.target)) else (), hidden=()) for cell in cells
    )


def _runs(planner: Planner, cells: tuple[Cell, ...]) -> tuple[Run, ...]:
    """Return each training run once, named by the first cell that uses it."""
    owner = {cell.train: cell for cell in reversed(cells) if cell.train is not None}
    runs = []
    for stage, job in jobs_of(planner.stages.values(), TrainJob):
        cell = owner.get(stage.key)
        runs.append(
            Run(
                key=stage.key,
                method="" if cell is None else cell.method,
                family=METHODS[job.method].family,
                source=job.task if cell is None else "+".join(source.task for source in job.sources),
                target="" if cell is None else cell.target,
                seed=job.seed,
                stage=stage.name,
            )
        )
    return tuple(runs)


def _compared(planner: Planner) -> OverlapCheck:
    trained = dict.fromkeys(job.task for _, job in jobs_of(planner.stages.values(), TrainJob))
    scored = []
    for name in planner.config.target.tasks:
        task = get_task(name)
        scored.append((name, planner.facts.languages(task) or planner.facts.hidden_languages(task)))
    compared = OverlapCheck(tuple(trained), tuple(scored), world=next(iter(planner.data_inputs), None))
    found = map(planner.facts.set_files, compared_sets(compared))
    return replace(compared, data=tuple(dict.fromkeys(digest for digest in found if digest is not None)))
