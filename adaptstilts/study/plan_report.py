"""The last stages of a plan: the tables of a study, and its report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from adaptstilts import __version__
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.study.planner import Planner
from adaptstilts.study.retrieval import settings_line
from adaptstilts.study.stages import AnalyseJob, Cell, Compared, ReportJob, Run, Stage, TrainJob
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind, Split
from adaptstilts.train.methods import METHODS

if TYPE_CHECKING:
    from adaptstilts.report.setting import RunSetting


def report_stages(planner: Planner, cells: tuple[Cell, ...], published: RunSetting | None) -> tuple[Stage, Stage]:
    """Plan the tables and the report of all that is planned so far.

    Args:
        planner: The stages so far.
        cells: What the study wants to know.
        published: The study's set-up, for a comparison with published scores; None for none.

    Returns:
        The stage of the tables and that of the report; neither is taken in yet.
    """
    config = planner.config
    analyse = analyse_job(planner, cells)
    needed: dict[str, None] = dict.fromkeys(run.key for run in analyse.runs)
    for cell in analyse.cells:
        needed.update(dict.fromkeys((*cell.score, *cell.predict)))
    tables = planner.make("analyse: tables of all results", "tables", analyse, tuple(needed))
    compared = _compared(planner)
    report = ReportJob(
        analysis=tables.key,
        title=config.title or config.name,
        published=published,
        compared=compared,
        data=_compared_files(planner, compared),
        version=__version__,
    )
    return tables, planner.make("report", "report", report, (*planner.data_inputs, tables.key))


def analyse_job(planner: Planner, cells: tuple[Cell, ...]) -> AnalyseJob:
    """Return what is put into tables."""
    targets = [get_task(name) for name in dict.fromkeys(cell.target for cell in cells)]
    retrieval = [task for task in targets if task.kind is Kind.RETRIEVE]
    names = {task.name for task in retrieval}
    return AnalyseJob(
        cells=tuple(replace(cell, predict=cell.predict if cell.target in names else (), hidden=()) for cell in cells),
        runs=_runs(planner, cells),
        retrieval=tuple((task.name, settings_line(planner.config.retrieval, task)) for task in retrieval),
        benchmark=planner.config.evaluation.benchmark,
        version=__version__,
    )


def _runs(planner: Planner, cells: tuple[Cell, ...]) -> tuple[Run, ...]:
    """Each training run once, however many cells use it; the first of them names it."""
    owner = {cell.train: cell for cell in reversed(cells) if cell.train is not None}
    runs = []
    for stage in planner.stages.values():
        job = stage.job
        if not isinstance(job, TrainJob):
            continue
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


def _compared(planner: Planner) -> Compared:
    trained = dict.fromkeys(stage.job.task for stage in planner.stages.values() if isinstance(stage.job, TrainJob))
    scored = []
    for name in planner.config.target.tasks:
        task = get_task(name)
        scored.append((name, planner.facts.languages(task) or planner.facts.hidden_languages(task)))
    return Compared(tuple(trained), tuple(scored))


def _compared_files(planner: Planner, compared: Compared) -> tuple[str, ...]:
    """Fingerprints of English sets that are compared but decide no other stage."""
    wanted = [(get_task(name), split) for name in compared.trained for split in (Split.TRAIN, Split.DEV)]
    for name, languages in compared.scored:
        task = get_task(name)
        if task.kind is not Kind.RETRIEVE and SOURCE_LANGUAGE not in dict(languages):
            wanted += [(task, split) for split in (Split.TEST, Split.DEV)]
    found = (planner.facts.english_files(task, split) for task, split in wanted)
    return tuple(dict.fromkeys(digest for digest in found if digest is not None))
