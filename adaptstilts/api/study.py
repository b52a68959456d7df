"""A study in Python: load it, plan it, run it, and read what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adaptstilts.api.plan import StudyPlan, plan_study, why_stage
from adaptstilts.api.shown import Shown, preformatted
from adaptstilts.arguments import (
    flag_of,
    function_of,
    optional_text_of,
    path_of,
    text_of,
    texts_of,
    whole_number_of,
)
from adaptstilts.config.load import load_study as read_study
from adaptstilts.config.schema import StudyConfig
from adaptstilts.formatting import number_text, visible
from adaptstilts.runtime import prepare_process
from adaptstilts.shipped import shipped_configs
from adaptstilts.study import study
from adaptstilts.study.pricing.devices import DEFAULT_DEVICE, DEFAULT_UTILISATION

if TYPE_CHECKING:
    import pandas as pd

    from adaptstilts.api.outcome import RunResult
    from adaptstilts.api.status import StatusReader, StudyStatus
    from adaptstilts.study.stages.finished import FinishedNetwork

Names = str | Sequence[str] | None
"""One name, several, or None for all."""


def load_study(source: Path | str | Mapping[str, Any], *overrides: str) -> Study:
    """Read a study's settings.

    Args:
        source: A YAML file, the name of a configuration that comes with the package, such as ``quickstart``, or a
            mapping with what a file would contain.
        overrides: ``key=value`` settings with dotted keys, which override those of the source, such as
            ``"seeds=[1,2]"``; values are YAML.

    Raises:
        AdaptstiltsError: If the file or its settings cannot be used; all problems at once.

    Example:
        >>> study = load_study("quickstart", "seeds=[1,2]", "target.tasks=[xnli]")
        >>> study.name, study.config.seeds
        ('quickstart', (1, 2))
        >>> load_study({"name": "mine", "target": {"tasks": ["xnli"]}}).config.backbone
        'mini'
    """
    return Study(source, overrides)


class Study:
    """A study: its settings, and what is done with them; `load_study` makes it.

    Finished work is found in the study's store by its content. Another object with the same settings, or the command
    line, goes on where this one stopped.
    """

    def __init__(self, source: Path | str | Mapping[str, Any], overrides: Sequence[str] = ()) -> None:
        self._source = source
        is_list = isinstance(overrides, Sequence) and not isinstance(overrides, str | bytes)
        self._overrides = tuple(overrides) if is_list else texts_of("overrides", overrides)
        self._study = study.Study.load(source, self._overrides)

    def __repr__(self) -> str:
        return visible(f"<study '{self.name}' from {self.place}>")

    @property
    def name(self) -> str:
        """Name of the study, and of its results folder."""
        return self._study.config.name

    @property
    def config(self) -> StudyConfig:
        """All settings, defaults included."""
        return self._study.config

    @property
    def place(self) -> str:
        """File of the settings, or name of a configuration of the package; ``<dict>`` if they come from a mapping."""
        path = self._study.origin.path
        return path.stem if isinstance(path, Path) and path in shipped_configs() else str(path)

    @property
    def keys(self) -> tuple[str, ...]:
        """Content keys of all stages.

        Raises:
            AdaptstiltsError: If the study cannot be planned.
        """
        return tuple(stage.key for stage in self._study.plan.stages)

    @property
    def results_folder(self) -> Path:
        """Folder of the tables, the figures and the report."""
        return self._study.results_folder

    def validate(self, *, on_message: Callable[[str], None] | None = None) -> Shown:
        """Check settings, tasks, languages, backbone, tokenizer and every row of the data; nothing is trained.

        The answer shows what the tokenizer does to the words of each language (docs/tokenizers.md), and says what could
        not be checked yet; the record has it under ``unchecked``.

        Args:
            on_message: Called with each remark as soon as it is known.

        Raises:
            AdaptstiltsError: If anything cannot be used; all problems at once.
        """
        from adaptstilts.data.tokenizer_findings import table, unreadable, values  # noqa: PLC0415 - planning needs none of it
        from adaptstilts.study.session import validate_study  # noqa: PLC0415 - planning needs none of it
        from adaptstilts.study.tokenizers import check_tokenizers, unmeasured  # noqa: PLC0415 - planning needs none of it

        told = function_of("on_message", on_message)
        notes: list[str] = []

        def note(text: str) -> None:
            notes.append(text)
            if told is not None:
                told(text)

        prepare_process()
        unchecked = validate_study(self._study, note)
        checks = check_tokenizers(self._study)
        unchecked += unmeasured(self._study, checks)
        problems = unreadable(checks)
        plan = self._study.plan
        record = {
            "config": self.place,
            "stages": len(plan.stages),
            "cells": len(plan.cells),
            "ok": not problems,
            "unchecked": list(unchecked),
            "tokenizers": values(checks),
        }
        counts = f"{number_text(len(plan.stages), 'stage')} for {number_text(len(plan.cells), 'table cell')}"
        fine = f"{self.place}: fine, {counts}"
        left = "\n".join(visible(f"not checked: {line}") for line in unchecked)
        parts = [table(checks), left, "" if problems else fine]
        return Shown(record, "\n\n".join(part for part in parts if part), tuple(notes), problems)

    def plan(self, device: str = DEFAULT_DEVICE, utilisation: float = DEFAULT_UTILISATION) -> StudyPlan:
        """Show the stages, what they cost on a device, and what sharing saves; needs no GPU.

        Args:
            device: Device to estimate for, such as ``h100``, ``a100`` or ``cpu``.
            utilisation: Share of the device's peak rate that training reaches, above 0 and at most 1.

        Raises:
            AdaptstiltsError: If the study cannot be planned, or there is no such device.

        Example:
            >>> plan = load_study("quickstart", "methods=[direct]", "target.tasks=[xnli]").plan("cpu")
            >>> plan.stages.groupby("kind")["name"].count()["predict"].item()  # eight languages
            8
        """
        return plan_study(self._study, device=device, utilisation=utilisation)

    def why(self, stage: str) -> Shown:
        """Explain why a stage would run; see `StudyPlan.why`, which prices the plan first."""
        return why_stage(self._study, text_of("stage", stage))

    def run(
        self,
        *,
        engine: str | None = None,
        workers: int | None = None,
        rebuild: bool = False,
        progress: bool = True,
    ) -> RunResult:
        """Train and evaluate what is missing, and write tables and figures; finished stages are skipped.

        Ctrl-C, or the stop button of a notebook, leaves finished stages in the store.

        Args:
            engine: ``local``, ``ray`` or ``slurm``; by default that of the study.
            workers: Number of stages at the same time; by default that of the study.
            rebuild: Find damaged artefacts and make them again.
            progress: Whether to show progress.

        Returns:
            Counts, tables and figures. Stages that failed are listed; the others are finished.

        Raises:
            AdaptstiltsError: If the study cannot be planned, or nothing of it can be reported.
        """
        from adaptstilts.api.outcome import outcome_of  # noqa: PLC0415 - planning needs none of it
        from adaptstilts.progress.choose import study_watcher  # noqa: PLC0415 - planning needs none of it
        from adaptstilts.study.session import run_study  # noqa: PLC0415 - planning needs none of it

        prepare_process()
        is_shown, is_rebuilt = flag_of("progress", progress), flag_of("rebuild", rebuild)
        self._study.plan_anew()
        chosen = self._with(engine, workers)
        store = chosen.store.root
        result = run_study(
            chosen,
            lambda plan: study_watcher(plan, workers=chosen.config.workers, store=store, is_shown=is_shown),
            rebuild=is_rebuilt,
        )
        return outcome_of(result)

    def report(self) -> RunResult:
        """Write tables and figures of the stages that are finished.

        Raises:
            AdaptstiltsError: If nothing is finished.
        """
        from adaptstilts.api.outcome import outcome_of  # noqa: PLC0415 - planning needs none of it
        from adaptstilts.study.session import report_study  # noqa: PLC0415 - planning needs none of it

        return outcome_of(report_study(self._study))

    def status(self, *, options: Sequence[str] = ()) -> StudyStatus:
        """Show how far the study is, whoever runs it: stages by state, failures, and the time left.

        Args:
            options: Options that the command which continues the study needs.
        """
        return self._status_reader().status(options=options)

    def watch(self, every: float = 5.0) -> None:
        """Draw the status every so many seconds until all stages are done or the user interrupts."""
        self._status_reader().watch(every)

    def results(self) -> pd.DataFrame:
        """Return the finished scores: one row per method, source, target, language, metric, seed and variant.

        The columns are those of ``results.csv``, whose rows these are once the study is finished: method, family,
        source, target, language, metric, value (percent), is_major, split, examples, seed, note, variant.

        Raises:
            StoreError: If no score is finished.
        """
        from adaptstilts.api.frames import results_frame  # noqa: PLC0415

        return results_frame(self._study)

    def predictions(
        self,
        *,
        task: Names = None,
        language: Names = None,
        method: Names = None,
        source: Names = None,
        seed: int | Sequence[int] | None = None,
        variant: Names = None,
        split: Names = None,
    ) -> pd.DataFrame:
        """Return the finished predictions, one row per example; every argument keeps only what it names.

        Raises:
            AdaptstiltsError: If the study has no predictions that the arguments name.
        """
        from adaptstilts.predictions.frame import predictions_frame  # noqa: PLC0415 - brings numpy

        return predictions_frame(
            self._study,
            task=task,
            language=language,
            method=method,
            source=source,
            seed=seed,
            variant=variant,
            split=split,
        )

    def network(
        self,
        task: str | None = None,
        *,
        method: str | None = None,
        source: str | None = None,
        seed: int | None = None,
        variant: str | None = None,
    ) -> FinishedNetwork:
        """Load the network that predicts a task: a torch module in evaluation mode, with its tokenizer.

        What follows from the rest may be left out, such as the seed of a study that has one.

        Args:
            task: Target task.
            method: Method, such as ``direct`` or ``stack``.
            source: Intermediate task; for a fusion, names joined by ``+``; ``none`` for networks without one.
            seed: Seed.
            variant: Label of a variant of a sweep.

        Raises:
            ConfigError: If not exactly one table cell of the study fits.
            StoreError: If its training is not finished.
        """
        from adaptstilts.api.network import load_network  # noqa: PLC0415 - brings torch

        prepare_process()
        filters = {"task": task, "method": method, "source": source, "seed": seed, "variant": variant}
        return load_network(self._study, filters)

    def submit(  # noqa: PLR0913 - a setting each
        self,
        to: Path | str,
        *,
        method: str | None = None,
        source: str | None = None,
        seed: int | None = None,
        variant: str | None = None,
        best: bool = False,
        benchmark: str | None = None,
        any_split: bool = False,
        force: bool = False,
    ) -> Shown:
        """Write the finished predictions of one setting in the format of XTREME's leaderboard.

        Args:
            to: Folder to write to.
            method: Method whose predictions are written.
            source: Its intermediate task, or ``none``.
            seed: Its seed.
            variant: In a sweep, its variant, by label.
            best: Choose the setting for each task, by the English dev score.
            benchmark: ``xtreme`` or ``xtreme_r``; by default that of the study.
            any_split: Also write predictions on other splits than the leaderboard's.
            force: Replace an earlier submission.

        Raises:
            ConfigError: If not exactly one setting is named.
            StoreError: If no prediction of it is finished, or the folder cannot be written.
        """
        from adaptstilts.study.select import Wanted  # noqa: PLC0415 - planning needs none of it
        from adaptstilts.study.submit import submit_study  # noqa: PLC0415 - planning needs none of it
        from adaptstilts.submission.check_folder import get_benchmark  # noqa: PLC0415 - planning needs none of it

        wanted = Wanted(method, source, seed, flag_of("best", best), variant)
        any_split, force = flag_of("any_split", any_split), flag_of("force", force)
        which = get_benchmark(optional_text_of("benchmark", benchmark) or self.config.evaluation.benchmark)
        done = submit_study(self._study, path_of("to", to), wanted, which, any_split=any_split, force=force)
        return Shown(done.record(), done.text())

    def _repr_html_(self) -> str:
        return preformatted(repr(self))

    def _with(self, engine: str | None, workers: int | None) -> study.Study:
        """Return the study with another engine or number of workers, which decide no key."""
        changes = [f"engine.name={text_of('engine', engine)}"] if engine is not None else []
        changes += [f"workers={whole_number_of('workers', workers)}"] if workers is not None else []
        if not changes:
            return self._study
        # The source is not read again: it may have changed since.
        written = self._study.written
        kept = written.model_dump(mode="json", include={"name", "target", "engine", "workers"}, exclude_unset=True)
        read, _ = read_study(kept, changes)
        config = written.model_copy(update={"engine": read.engine, "workers": read.workers})
        return study.Study(config, self._study.origin, self._study.base)

    def _status_reader(self) -> StatusReader:
        from adaptstilts.api.status import StatusReader  # noqa: PLC0415 - planning needs none of it
        from adaptstilts.study.status import Observer  # noqa: PLC0415 - planning needs none of it

        words = ["CONFIG" if isinstance(self._source, Mapping) else str(self._source), *self._overrides]
        return StatusReader(Observer(self._study.store, self._study.plan), words)
