"""What the commands validate, run and report do with a study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from adaptstilts.engine.perform import perform
from adaptstilts.engine.protocols import StageRequest, Watcher
from adaptstilts.engine.resources import computes
from adaptstilts.engine.scheduler import Outcome, failed_lines, run_graph
from adaptstilts.engine.signals import sigterm_as_exit
from adaptstilts.errors import DamagedError, StoreError, UnfinishedError, WriteError
from adaptstilts.formatting import number_text
from adaptstilts.results.report import ReportFiles
from adaptstilts.store.manifest import KEY_DIGITS, digits_of
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store
from adaptstilts.study.engine import local_runner, open_engine
from adaptstilts.study.machine import check_device_of, check_what_is_here, unchecked_here
from adaptstilts.study.ownership import check_results_folder, check_writable, claim_results_folder
from adaptstilts.study.plan.check_inputs import (
    backbones_of,
    check_backbones,
    check_hub,
    unfinished,
)
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.results_folder import place_report, report_what_is_there
from adaptstilts.study.stages.contamination import look_for_overlaps
from adaptstilts.study.study import RUN_HINT, Study

WatcherFactory = Callable[[Plan], AbstractContextManager[Watcher]]
"""Makes the watcher of a run, once the plan is known."""
_MOST_CAUSES = 3
"""Failed stages that an error names."""


@dataclass(frozen=True)
class StudyResult:
    """Result of a run or a report, as the command line shows it.

    Attributes:
        files: Files written, and the tables as text.
        made: Number of stages made this time.
        skipped: Number of stages that were finished before.
        failed: One line per failed or left-out stage.
    """

    files: ReportFiles
    made: int
    skipped: int
    failed: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {
            "made": self.made,
            "skipped": self.skipped,
            "failed": list(self.failed),
            "files": [str(path) for path in self.files.paths],
        }


def validate_study(study: Study, on_message: Callable[[str], None]) -> tuple[str, ...]:
    """Check a study before anything is computed: settings, files, rows, backbones, leaks and overlaps.

    ``on_message`` is called with a line about overlaps.

    Returns:
        A line about each thing that was not checked.

    Raises:
        AdaptstiltsError: If anything in it cannot be used.
    """
    with study.settings_named():
        check_results_folder(study)
        plan = study.check()
        _check_store(study, plan)
        unchecked = check_backbones(backbones_of(plan.stages))
        unchecked += unchecked_here(study, plan, _computing(plan, study.store))
        for line in study.missing_files():
            on_message(line)
        look_for_overlaps(study.variants, plan, study.store, on_message)
    return unchecked


def run_study(study: Study, watch: WatcherFactory, *, rebuild: bool = False) -> StudyResult:
    """Make all missing stages of a study and write its report.

    Args:
        study: The study to run.
        watch: Makes the watcher, which is called with the progress of the run.
        rebuild: Check every byte of the study's artefacts, and make damaged ones again.

    Returns:
        What was made, skipped and written. Stages that fail are listed in it, and finished work is kept.

    Raises:
        AdaptstiltsError: If the study cannot be planned, or nothing of it can be reported.
    """
    from adaptstilts.study.stages.runner import remove_finished_checkpoints  # noqa: PLC0415 - brings torch
    from adaptstilts.study.stages.train_parallel import check_not_launched  # noqa: PLC0415 - brings torch

    check_not_launched()
    study = study.placed_for_engine()
    with study.settings_named():
        check_results_folder(study)
        check_what_is_here(study)
        study.plan_anew()  # files may have changed since it was planned
        store = study.store
        if check_hub(backbones_of(_computing(study.plan, store))):
            study.plan_anew()  # now the commit is known, which keys hold, and what the backbone can take
        plan = study.check()
        _check_store(study, plan)
        store.remove_leftovers()
        remove_finished_checkpoints(plan.stages, store)
        left = _computing(plan, store)
        check_backbones(backbones_of(left))
        check_device_of(study.config, plan, left)
        claim_results_folder(study)
        with sigterm_as_exit(), watch(plan) as watcher:
            for line in study.missing_files():
                watcher.noted(line)
            outcome = run_graph(
                plan,
                store,
                open_engine(study, watcher.stepped, watcher.noted),
                watcher,
                retries=study.config.engine.retries,
                rebuild=rebuild,
                when_data_is_there=partial(look_for_overlaps, study.variants, plan, store, watcher.noted),
            )
        return _report(study, outcome)


def _check_store(study: Study, plan: Plan) -> None:
    """Check that the store of a study can be written, if anything is still to be stored."""
    if unfinished(plan, study.store):
        check_writable(study.store.root, f"Set {study.store_key}=FOLDER.")


def _computing(plan: Plan, store: Store) -> list[Stage]:
    """Return the unfinished stages that need a backbone."""
    return [stage for stage in unfinished(plan, store) if computes(stage)]


def report_study(study: Study) -> StudyResult:
    """Write the report of the stages that are finished.

    Raises:
        AdaptstiltsError: If nothing is finished.
    """
    with study.settings_named():
        check_results_folder(study)
        errors: list[DamagedError] = []
        outcome = Outcome(done=study.store.find_all(study.plan.stages, on_damage=errors.append))
        damaged = {digits_of(error.folder): error for error in errors}
        found = ((stage, damaged.get(stage.key[:KEY_DIGITS])) for stage in study.plan.stages)
        outcome.failures |= {stage.key: error for stage, error in found if error is not None}
        for stage in study.plan.summaries:
            is_open = stage.key not in outcome.done and stage.key not in outcome.failures
            if is_open and all(key in outcome.done for key in stage.inputs):
                _make_summary(study, stage, outcome)
        return _report(study, outcome)


def _make_summary(study: Study, stage: Stage, outcome: Outcome) -> None:
    """Make the tables or the report; if another process is making it, the report is written without storing it."""
    request = StageRequest(stage, study.plan.inputs_of(stage))
    result = perform(request, study.store, local_runner(study.config), lambda done, total, note: None)
    if isinstance(result.error, WriteError):
        raise result.error
    if result.error is not None:  # such as an artefact that it reads and that is damaged: the others are reported
        outcome.failures[stage.key] = result.error
        return
    artefact = study.store.find(stage)
    if artefact is not None:
        outcome.done[stage.key] = artefact


def _report(study: Study, outcome: Outcome) -> StudyResult:
    failed = failed_lines(study.plan, outcome)
    tables, report = (outcome.done.get(stage.key) for stage in study.plan.summaries)
    try:
        whole = None if tables is None or report is None else place_report(study, tables, report)
    except DamagedError as error:
        _drop(outcome, error)
        whole = None
    files = whole or _partial(study, outcome, failed)
    failed = failed_lines(study.plan, outcome)
    return StudyResult(
        files=files,
        made=len(outcome.made),
        skipped=len(outcome.done) - len(outcome.made),
        failed=failed,
    )


def _causes(failed: Sequence[str]) -> list[str]:
    """Return the first lines about failed stages, and how many more there are."""
    more = len(failed) - _MOST_CAUSES
    return [*failed[:_MOST_CAUSES], *([f"and {number_text(more, 'more stage')}"] if more > 0 else [])]


def _partial(study: Study, outcome: Outcome, failed: Sequence[str]) -> ReportFiles:
    scores = {key for cell in study.plan.cells for key in cell.score}
    if scores and not scores & outcome.done.keys():
        if failed:
            counts = f"{len(outcome.failures)} failed, {len(outcome.left_out)} left out"
            problem = f"no finished score to report: of {number_text(len(study.plan.stages), 'stage')} {counts}"
            raise UnfinishedError(problem, causes=_causes(failed[: len(outcome.failures)]))
        raise StoreError("no finished score to report", path=study.config.store, hint=RUN_HINT)
    while True:
        missing = failed_lines(study.plan, outcome)
        try:
            return report_what_is_there(study, outcome.done, missing)
        except DamagedError as error:
            # What a damaged artefact says is left out, and the rest is reported.
            if not _drop(outcome, error) or (scores and not scores & outcome.done.keys()):
                raise


def _drop(outcome: Outcome, error: DamagedError) -> bool:
    """Count a damaged artefact as a failure of its stage; return whether it was among the finished ones."""
    digits = digits_of(error.folder)
    key = next((key for key in outcome.done if key[:KEY_DIGITS] == digits), None)
    if key is None:
        return False
    del outcome.done[key]
    outcome.failures.setdefault(key, error)
    return True
