"""Whole studies: plan, carry out, collect, report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from adaptstilts.config.schema import StudyConfig
from adaptstilts.config.sweep import variants
from adaptstilts.errors import StoreError
from adaptstilts.report.files import ReportFiles, write_report
from adaptstilts.report.overlaps import add_overlaps
from adaptstilts.study.additions import additions, study_notes
from adaptstilts.study.check import check_can_run, check_hub
from adaptstilts.study.collect import result_rows, run_rows
from adaptstilts.study.engines.choose import open_engine, placed_for_engine
from adaptstilts.study.execute import Outcome, Watcher, carry_out, failed_lines
from adaptstilts.study.needs import needs_of
from adaptstilts.study.overlaps import find_overlaps, look_for_overlaps
from adaptstilts.study.plan import Plan
from adaptstilts.study.setup import check_study, open_store, plan_study, results_folder
from adaptstilts.study.variants import by_data

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
    from adaptstilts.study.runners import remove_finished_checkpoints  # noqa: PLC0415 - brings torch

    config = placed_for_engine(config)
    for variant in variants(config):
        check_can_run(variant.config)
    plan = check_study(config)
    store = open_store(config)
    store.remove_leftovers()
    remove_finished_checkpoints(plan.stages, store)
    check_hub(plan, store)
    _make_results_folder(config)
    with watch(plan) as watcher:
        outcome = carry_out(
            plan,
            store,
            open_engine(config, store, watcher.stepped, needs_of(config, plan), watcher.noted),
            watcher,
            retries=config.engine.retries,
            rebuild=rebuild,
            when_data_is_there=partial(look_for_overlaps, config, plan, store, watcher.noted),
        )
    return _report(config, plan, outcome)


def _make_results_folder(config: StudyConfig) -> None:
    folder = results_folder(config)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot be written: {error.strerror}", path=folder, hint="Set results=FOLDER.") from error


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
    return _report(config, plan, Outcome(done=store.find_all(plan.stages)))


def _report(config: StudyConfig, plan: Plan, outcome: Outcome) -> StudyResult:
    failed = failed_lines(plan, outcome)
    rows = result_rows(plan, outcome.done)
    if not rows and any(cell.score is not None for cell in plan.cells):
        if failed:  # the watcher was told what each stage said
            raise StoreError(f"no finished score to report: {len(failed)} stages failed or were left out")
        raise StoreError("no finished score to report", path=config.store, hint="Start with: adaptstilts run")
    notes = [f"{len(failed)} stages are missing: {failed[0]}"] if failed else []
    notes += study_notes(config, plan, outcome.done)
    runs = run_rows(plan, outcome.done)
    title = config.title or config.name
    more = additions(config, plan, outcome.done, rows)
    files = write_report(results_folder(config), rows, runs, title=title, notes=notes, more=more)
    groups = by_data(config, plan)
    for variant, part in groups:
        found = find_overlaps(variant.config, part, open_store(config))
        if found is not None:
            add_overlaps(files.report, found, f"data of {variant.label}" if len(groups) > 1 else "")
    return StudyResult(
        files=files,
        made=len(outcome.made),
        skipped=len(outcome.done) - len(outcome.made),
        failed=failed,
    )
