"""Whole studies: plan, carry out, collect, report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from adaptstilts.config.schema import StudyConfig
from adaptstilts.config.sweep import variants
from adaptstilts.engine.perform import perform
from adaptstilts.engine.protocols import Order, Watcher
from adaptstilts.engine.scheduler import Outcome, carry_out, failed_lines
from adaptstilts.engine.signals import sigterm_as_exit
from adaptstilts.errors import StoreError
from adaptstilts.results.report import ReportFiles
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store
from adaptstilts.study.engine import open_engine, placed_for_engine
from adaptstilts.study.plan.check_inputs import check_can_run, check_hub
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.pricing.needs import needs_of
from adaptstilts.study.results_folder import make_folder, place_report, report_what_is_there
from adaptstilts.study.stages.contamination import data_roots, look_for_overlaps
from adaptstilts.study.study import check_study, open_store, plan_study, results_folder

WatcherFactory = Callable[[Plan], AbstractContextManager[Watcher]]
"""Makes what is told about progress, once the plan is known."""


@dataclass(frozen=True)
class StudyResult:
    """What a command shows at its end.

    Attributes:
        files: Files written, and the tables as text.
        made: Stages carried out this time.
        skipped: Stages that were there.
        failed: One line per failed or left-out stage.
    """

    files: ReportFiles
    made: int
    skipped: int
    failed: tuple[str, ...]

    def json_record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "made": self.made,
            "skipped": self.skipped,
            "failed": list(self.failed),
            "files": [str(path) for path in self.files.paths],
        }


def run_study(config: StudyConfig, watch: WatcherFactory, *, rebuild: bool = False) -> StudyResult:
    """Carry out what is missing of a study and write its report.

    Args:
        config: The study.
        watch: Makes the watcher of the run.
        rebuild: Throw damaged artefacts away and make them again; every byte of the study's artefacts is read.

    Returns:
        What came of it. Stages that failed are told in it; finished work is kept.

    Raises:
        AdaptstiltsError: If the study cannot be planned, or nothing of it can be reported.
    """
    from adaptstilts.study.stages.runner import remove_finished_checkpoints  # noqa: PLC0415 - brings torch
    from adaptstilts.study.stages.train_parallel import check_not_launched  # noqa: PLC0415 - brings torch

    check_not_launched()
    config = placed_for_engine(config)
    for variant in variants(config):
        check_can_run(variant.config)
    plan = check_study(config)
    store = open_store(config)
    store.remove_leftovers()
    remove_finished_checkpoints(plan.stages, store)
    check_hub(plan, store)
    make_folder(results_folder(config))
    with sigterm_as_exit(), watch(plan) as watcher:
        outcome = carry_out(
            plan,
            store,
            open_engine(config, store, watcher.stepped, needs_of(config, plan), watcher.noted),
            watcher,
            retries=config.engine.retries,
            rebuild=rebuild,
            when_data_is_there=partial(look_for_overlaps, config, plan, store, watcher.noted),
        )
    return _report(config, plan, store, outcome)


def report_study(config: StudyConfig) -> StudyResult:
    """Write the report of what is finished.

    Args:
        config: The study.

    Returns:
        What is finished.

    Raises:
        AdaptstiltsError: If nothing is finished.
    """
    plan = plan_study(config)
    store = open_store(config)
    outcome = Outcome(done=store.find_all(plan.stages))
    for stage in plan.stages[-2:]:
        if stage.key not in outcome.done and all(key in outcome.done for key in stage.inputs):
            _make_last(config, plan, store, stage, outcome)
    return _report(config, plan, store, outcome)


def _make_last(config: StudyConfig, plan: Plan, store: Store, stage: Stage, outcome: Outcome) -> None:
    """Make the tables or the report, unless another process is at it: it is then written without being kept."""
    from adaptstilts.study.stages.runner import LocalRunner  # noqa: PLC0415 - brings torch

    answer = perform(Order(stage, plan.inputs_of(stage)), store, LocalRunner(config), lambda done, total, note: None)
    if answer.error is not None:
        raise answer.error
    artefact = store.find(stage)
    if artefact is not None:
        outcome.done[stage.key] = artefact


def _report(config: StudyConfig, plan: Plan, store: Store, outcome: Outcome) -> StudyResult:
    failed = failed_lines(plan, outcome)
    tables, report = (outcome.done.get(stage.key) for stage in plan.stages[-2:])
    if tables is not None and report is not None:
        files = place_report(tables, report, results_folder(config))
    else:
        files = _partial(config, plan, store, outcome, failed)
    return StudyResult(
        files=files,
        made=len(outcome.made),
        skipped=len(outcome.done) - len(outcome.made),
        failed=failed,
    )


def _partial(config: StudyConfig, plan: Plan, store: Store, outcome: Outcome, failed: Sequence[str]) -> ReportFiles:
    scores = {key for cell in plan.cells for key in cell.score}
    if scores and not scores & outcome.done.keys():
        if failed:  # the watcher was told what each stage said
            counts = f"{len(outcome.failures)} failed, {len(outcome.left_out)} left out"
            raise StoreError(f"no finished score to report: of {len(plan.stages)} stages {counts}")
        raise StoreError("no finished score to report", path=config.store, hint="Start with: adaptstilts run")
    missing = [f"{len(failed)} stages are missing: {failed[0]}"] if failed else []
    roots = data_roots(config, plan, store)
    return report_what_is_there(plan, outcome.done, roots, store, results_folder(config), missing)
