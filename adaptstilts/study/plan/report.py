"""The last stages of a plan: the tables of a study, and its report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from adaptstilts import __version__
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.store.stage import Stage, StageMaker
from adaptstilts.study.plan.builder import Planner
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
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split
from adaptstilts.train.methods import METHODS

if TYPE_CHECKING:
    from adaptstilts.results.setting import RunSetting


def report_stages(planner: Planner, cells: tuple[Cell, ...], published: RunSetting | None) -> tuple[Stage, Stage]:
    """Plan the tables and the report of all that is planned so far.

    Args:
        planner: The stages so far.
        cells: What the study wants to know.
        published: The study's set-up, for a comparison with published scores; None for none.

    Returns:
        The stage of the tables and that of the report; neither is taken in.
    """
    config = planner.config
    targets = tuple(dict.fromkeys(config.target.tasks))
    retrieval = [task for task in map(get_task, targets) if retrieves(task)]
    lines = tuple((task.name, settings_line(config.retrieval, task)) for task in retrieval)
    tables = AnalyseJob(
        cells=told_cells(cells),
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
    """Make the stages of a study's tables and of its report.

    Args:
        tables: What is put into tables.
        title: Heading of the report.
        shown: What the report shows.
        compared: What is looked through for leaks and overlaps.
        make: Builds stages.

    Returns:
        The two stages.
    """
    needed = dict.fromkeys(run.key for run in tables.runs)
    for cell in tables.cells:
        needed.update(dict.fromkeys((*cell.score, *cell.predict)))
    first = make("analyse: tables of all results", "tables", tables, tuple(needed))
    report = ReportJob(first.key, title, shown, compared, __version__)
    worlds = dict.fromkeys(item.world for item in compared if item.world is not None)
    return first, make("report", "report", report, (*worlds, first.key))


def told_cells(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Return cells without the predictions that no table tells of: all but those of retrieval, which tell layers."""
    return tuple(
        replace(cell, predict=cell.predict if retrieves(get_task(cell.target)) else (), hidden=()) for cell in cells
    )


def _runs(planner: Planner, cells: tuple[Cell, ...]) -> tuple[Run, ...]:
    """Each training run once, however many cells use it; the first of them names it."""
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
    return replace(compared, data=_files_of(planner, compared))


def _files_of(planner: Planner, compared: OverlapCheck) -> tuple[str, ...]:
    """Fingerprints of English sets that are compared, whether or not they decide another stage."""
    wanted = [(get_task(name), split) for name in compared.trained for split in (Split.TRAIN, Split.DEV)]
    for name, languages in compared.scored:
        task = get_task(name)
        if not FACTS[task.kind].is_bitext and SOURCE_LANGUAGE not in dict(languages):
            wanted += [(task, split) for split in (Split.TEST, Split.DEV)]
    found = (planner.facts.english_files(task, split) for task, split in wanted)
    return tuple(dict.fromkeys(digest for digest in found if digest is not None))
