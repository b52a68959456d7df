"""Leaderboard submissions: finished predictions of one setting of a study, in XTREME's submission format."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adaptstilts.errors import ConfigError, EvaluationError, StoreError
from adaptstilts.evaluate.benchmark import BENCHMARKS, Benchmark, Entry
from adaptstilts.files import expanded
from adaptstilts.formatting import number_text, system_reason, visible
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import DataPlace, Stage, StageKind
from adaptstilts.study.plan.jobs import Cell, PredictJob, job_of
from adaptstilts.study.select import Wanted, choose_cells, setting_text
from adaptstilts.study.stage_data import StageData, data_of
from adaptstilts.study.stages.predictions import load_predictions
from adaptstilts.study.study import RUN_HINT, Study
from adaptstilts.submission.check_folder import published_rows, task_of
from adaptstilts.submission.folder import write_predictions
from adaptstilts.submission.leaderboard import leaderboard_content
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Metric, Split, Task


@dataclass
class TaskFiles:
    """Files of one task of the benchmark: which were written, and why others were not.

    Attributes:
        setting: Flags of the setting it is taken from; empty if the study does not have the task.
        written: Languages whose file was written.
        other_split: Languages predicted on another split than the leaderboard's, with that split.
        unfinished: Languages whose predictions are planned but not finished.
        missing: Languages that the study does not predict.
        notes: Remarks on the files, one sentence each.
    """

    setting: str = ""
    written: list[str] = field(default_factory=list)
    other_split: dict[str, str] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SubmittedStudy:
    """Result of writing a submission.

    Attributes:
        any_split: Whether files of other splits than the leaderboard's were written too.
        tasks: Files by the task's folder, in the benchmark's order.
    """

    folder: Path
    benchmark: Benchmark
    any_split: bool
    tasks: dict[str, TaskFiles]

    @property
    def count(self) -> int:
        """Number of files written."""
        return sum(len(files.written) for files in self.tasks.values())

    def record(self) -> dict[str, Any]:
        """Return the result as plain values."""
        tasks = {name: dict(vars(files)) for name, files in self.tasks.items()}
        lacking = any(files.missing or files.unfinished for files in self.tasks.values())
        is_complete = not lacking and not self.is_short
        return {"folder": str(self.folder), "files": self.count, "is_complete": is_complete, "tasks": tasks}

    @property
    def is_short(self) -> bool:
        """Whether files were left out because they are of another split than the leaderboard's."""
        return any(files.other_split for files in self.tasks.values()) and not self.any_split

    def text(self) -> str:
        """Return the result for a terminal: a line per task, what is missing, and what to do about it."""
        lines = [f"{'task':<12}{'files':>10}  setting"]
        for entry in self.benchmark.entries:
            files = self.tasks[entry.folder]
            done = f"{len(files.written)} of {len(entry.languages)}"
            lines.append(f"{entry.folder:<12}{done:>10}  {files.setting or 'not in this study'}".rstrip())
            if files.setting and files.missing:
                lines.append(f"  missing: {' '.join(files.missing)}")
            if files.unfinished:
                lines.append(f"  not finished: {' '.join(files.unfinished)}")
            if files.other_split:
                what = (
                    "from another split than the leaderboard's" if self.any_split else "left out, not the leaderboard's"
                )
                shown = ", ".join(f"{language} ({split})" for language, split in files.other_split.items())
                lines.append(f"  {what}: {shown}")
            lines += [f"  note: {note}" for note in files.notes]
        if self.is_short:
            lines.append("predict the leaderboard's split with: evaluation.submission=true, then adaptstilts run")
        return "\n".join([*map(visible, lines), f"wrote {number_text(self.count, 'file')} to {self.folder}"])


def submit_study(
    study: Study,
    folder: Path,
    wanted: Wanted,
    benchmark: Benchmark = BENCHMARKS[0],
    *,
    any_split: bool = False,
    force: bool = False,
) -> SubmittedStudy:
    """Write the leaderboard folder of a study from its finished predictions.

    The folder appears complete or not at all.

    Args:
        study: The study.
        folder: Where to write.
        wanted: Which setting to write.
        benchmark: Benchmark whose tasks and languages are written.
        any_split: Also write predictions on other splits than the leaderboard's.
        force: Replace an earlier submission in the folder.

    Raises:
        ConfigError: If the study predicts only some rows, or not exactly one setting is named.
        StoreError: If no prediction of the setting is finished, or the folder cannot be written.
    """
    with study.settings_named():
        _check_whole(study, wanted)
        _check_target(folder, force=force)
        kinds = {StageKind.PREDICT, StageKind.DATA, *([StageKind.TRAIN] if wanted.best else [])}
        done = study.store.find_all([stage for stage in study.plan.stages if stage.kind in kinds])
        cells = choose_cells(study.plan, done, wanted)
        finished = _Finished(study, done)
        place = expanded(folder).absolute()
        unfinished = place.with_name(f".{place.name}.part-{os.getpid()}")
        try:
            tasks = {
                entry.folder: _write_task(unfinished, entry, cells, finished, any_split=any_split)
                for entry in benchmark.entries
            }
            submitted = SubmittedStudy(folder, benchmark, any_split, tasks)
            if not submitted.count:
                raise StoreError(
                    "no finished predictions to submit", path=study.config.store, hint=_next_step(submitted)
                )
            _put_in_place(unfinished, place)
        except OSError as error:
            hint = "Give another folder."
            raise StoreError(f"cannot be written: {system_reason(error)}", path=folder, hint=hint) from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return submitted


def _check_whole(study: Study, wanted: Wanted) -> None:
    for variant in study.variants:
        most = variant.config.data.max_evaluation
        if most is not None and wanted.variant in {None, variant.label}:
            problem = f"the study predicts only {number_text(most, 'row')} per language, a submission needs all"
            raise ConfigError(problem, key="data.max_evaluation", hint="Run it with data.max_evaluation=null.")


class _Finished:
    """Finished predictions of a study, and the English sentences that Tatoeba's predictions are ordered by."""

    def __init__(self, study: Study, done: Mapping[str, Artefact]) -> None:
        self.plan = study.plan
        self.done = done
        own = study.variants[0].config.data
        self._own = DataPlace(own.root, own.quoting)
        self._opened: dict[StageData, DataRoot] = {}

    def stages(self, cell: Cell, task: Task) -> dict[str, tuple[str, Split]]:
        """Return by language the key of the stage that predicts it and the split, preferably the leaderboard's."""
        found: dict[str, tuple[str, Split]] = {}
        for key in (*cell.predict, *cell.hidden):
            job = job_of(self.plan.stage(key), PredictJob)
            for language, split in job.languages if job is not None else ():
                if language not in found or split is task.test_split:
                    found[language] = (key, split)
        return found

    def content(self, key: str, task: Task, language: str, split: Split) -> tuple[Any, str]:
        """Return a language's predictions in the leaderboard's form, and a remark on them."""
        record = load_predictions(self.done[key], language, task)
        if record.get("direction") == "foreign_to_english" and task.metric is Metric.TATOEBA_ACCURACY:
            raise EvaluationError(
                f"{task.name} was searched from '{language}' into English",
                key="retrieval.direction",
                value="foreign_to_english",
                allowed=["english_to_foreign"],
                hint="The leaderboard takes one row for each English sentence; run with the allowed direction.",
            )
        english = self._english(self.plan.stage(key), language, split)
        return leaderboard_content(task, record["predictions"], english)

    def _english(self, stage: Stage, language: str, split: Split) -> list[str]:
        job = job_of(stage, PredictJob)
        task = None if job is None else get_task(job.task)
        if task is None or task.metric is not Metric.TATOEBA_ACCURACY:
            return []
        found = data_of(stage, self.plan, self.done, self._own)
        if found not in self._opened:
            self._opened[found] = found.open()
        bitext = self._opened[found].load_bitext(task, split, language)
        return [sentence.text for sentence in bitext.english]


def _write_task(
    folder: Path, entry: Entry, cells: Mapping[str, Cell], finished: _Finished, *, any_split: bool
) -> TaskFiles:
    task, cell = task_of(entry), cells.get(entry.task)
    if task is None or cell is None:
        return TaskFiles(missing=list(entry.languages))
    files = TaskFiles(setting=setting_text(cell))
    stages = finished.stages(cell, task)
    for language in entry.languages:
        if language not in stages:
            files.missing.append(language)
            continue
        key, split = stages[language]
        if key not in finished.done:
            files.unfinished.append(language)
            continue
        if split is not task.test_split:
            files.other_split[language] = split.value
        if split is task.test_split or any_split:
            content, note = finished.content(key, task, language, split)
            write_predictions(folder, task, language, content)
            files.written.append(language)
            files.notes += [f"{language}: {text}" for text in (note, _count_note(task, language, content)) if text]
    return files


def _count_note(task: Task, language: str, content: Any) -> str:  # noqa: ANN401 - one type per task
    rows = None if task.metric is Metric.BUCC_F1 else published_rows(task, language)
    return "" if rows is None or rows == len(content) else f"{number_text(len(content), 'row')}, but {rows:,} published"


def _next_step(submitted: SubmittedStudy) -> str:
    if submitted.is_short:
        return (
            "All are of another split: run with evaluation.submission=true, or write them with any_split (--any-split)."
        )
    return RUN_HINT


def _check_target(folder: Path, *, force: bool) -> None:
    """Refuse to replace anything but an earlier submission, and that without --force."""
    if folder.exists() and not folder.is_dir():
        raise StoreError("is a file", path=folder, hint="Give a folder.")
    held = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    known = {entry.folder for benchmark in BENCHMARKS for entry in benchmark.entries}
    others = [name for name in held if name not in known]
    if held and (others or not force):
        what = f"contains files that are not of a submission: {', '.join(others[:3])}" if others else "is not empty"
        hint = "Give another folder." if others else "Give another folder, or replace it with force (--force)."
        raise StoreError(what, path=folder, hint=hint)


def _put_in_place(unfinished: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}.old-{os.getpid()}")
    if folder.exists():
        folder.replace(old)
    unfinished.replace(folder)
    shutil.rmtree(old, ignore_errors=True)
