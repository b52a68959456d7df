"""Runner that carries out every kind of stage in the current process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptstilts.config.schema import StudyConfig
from adaptstilts.contents import Pins
from adaptstilts.engine.journal import LOGS_FOLDER, StageLog
from adaptstilts.files import expanded
from adaptstilts.mini.write import write_mini
from adaptstilts.models.backbone import EncoderCache
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.runtime import (
    attention_by,
    attention_text,
    environment,
    make_deterministic,
    pick_device,
    quiet_libraries,
    set_threads,
)
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.json_files import write_json
from adaptstilts.store.stage import DataPlace, Stage, StageKind, describe
from adaptstilts.store.store import Store
from adaptstilts.study.layout import DATA_FOLDER, SCORES_FILE
from adaptstilts.study.plan.data_facts import MINI_ROOT
from adaptstilts.study.plan.jobs import AnalyseJob, DataJob, PredictJob, ReportJob, ScoreJob, TrainJob
from adaptstilts.study.stages.contamination import open_data
from adaptstilts.study.stages.examples import Examples
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.study.stages.predict import LastNetwork, predict_stage
from adaptstilts.study.stages.report import report_stage, write_study_tables
from adaptstilts.study.stages.score import score_stage
from adaptstilts.study.stages.train import train_stage
from adaptstilts.study.stages.train_parallel import TrainRequest, check_processes, train_in_processes
from adaptstilts.study.stages.unchanged import unchanged
from adaptstilts.tasks.registry import check_declaration, outside_tasks
from adaptstilts.train.checkpoints import Checkpoints, remove_checkpoints, resume_folder
from adaptstilts.train.trackers import TrackedRun, tracked


def remove_finished_checkpoints(stages: tuple[Stage, ...], store: Store) -> None:
    """Remove the checkpoints of finished stages, which remain if a run is killed right after writing its artefact."""
    stale = [stage for stage in stages if resume_folder(store.root, stage.key).is_dir()]
    for key in store.present(stale):
        remove_checkpoints(store.root, key)


class StageRunner:
    """Runner that carries out stages one at a time in this process; data and tokenizer stay loaded between them.

    Args:
        config: Study configuration; only settings of the machine and the trackers, the data section and the name are
            used, since the stages hold all others.
    """

    def __init__(self, config: StudyConfig) -> None:
        set_threads(config.threads)
        quiet_libraries()
        self.device = pick_device(config.device)
        make_deterministic(self.device)
        check_processes(self.device, config.parallel.processes)
        self.resume = config.resume
        self.parallel = config.parallel
        self.threads = config.threads
        self.place = DataPlace(config.data.root, config.data.quoting)
        self.attention = config.runtime.attention
        self.environment = environment() | {"attention": attention_text(self.device, self.attention)}
        self.tracking = config.tracking
        self.project = config.name
        self.pins = Pins()
        self._examples: dict[tuple[Path, str], Examples] = {}
        self.encoders = EncoderCache(self.device)
        self.networks = LastNetwork(self.device, self.encoders.load)

    def run(self, stage: Stage, inputs: tuple[Stage, ...], store: Store, log: StageLog) -> Artefact:
        """Carry out one stage and write its artefact; see `adaptstilts.engine.protocols.Runner`."""
        if isinstance(stage.job, TrainJob | PredictJob | ScoreJob):
            check_declaration(stage.job.task, stage.job.declared)
        with (
            self._tracked(stage, store, log),
            attention_by(self.device, self.attention),
            store.writing(stage, self.environment) as folder,
        ):
            run = StageRun(stage, Inputs(inputs, store, self.pins), folder, log)
            quoting = (stage.place or self.place).quoting
            with unchanged(stage, run.inputs, self._roots(run), quoting):
                _MAKE[type(stage.job)](self, stage.job, run)
        if stage.kind is StageKind.TRAIN:
            remove_checkpoints(store.root, stage.key)
        return Inputs((stage,), store).artefact(stage.key)

    @contextlib.contextmanager
    def _tracked(self, stage: Stage, store: Store, log: StageLog) -> Iterator[None]:
        if stage.kind is not StageKind.TRAIN or not self.tracking:
            yield
            return
        run = TrackedRun(stage.name, stage.folder, project=self.project, settings=describe(stage.job))
        with tracked(self.tracking, run, store.root / LOGS_FOLDER) as trackers:
            log.followers.append(trackers)
            yield

    def examples(self, run: StageRun) -> Examples:
        """Return the examples that a stage reads, cached because the stages of a study share them."""
        place = run.stage.place or self.place
        cache_key = (self.data_root(run), place.quoting)
        if cache_key not in self._examples:
            self._examples[cache_key] = Examples(cache_key[0], quoting=place.quoting, pins=self.pins)
        return self._examples[cache_key]

    def _roots(self, run: StageRun) -> tuple[DataRoot | None, ...]:
        """Return the data that a stage reads, for a report one per comparison; None for what the store checks."""
        job = run.stage.job
        if isinstance(job, ReportJob):
            return tuple(None if item.world is not None else open_data(item, self.place, {}) for item in job.compared)
        if isinstance(job, TrainJob | PredictJob | ScoreJob) and (run.stage.place or self.place).root != MINI_ROOT:
            return (self.examples(run).root,)
        return (None,)

    def data_root(self, run: StageRun) -> Path:
        """Return the folder of the data that a stage reads: the configured one, or an input's generated world."""
        root = (run.stage.place or self.place).root
        if root != MINI_ROOT:
            return expanded(root)
        world = next(stage.key for stage in run.inputs.stages if stage.kind is StageKind.DATA)
        return run.inputs.artefact(world).file(DATA_FOLDER)


@dataclass(frozen=True)
class StageRun:
    """One attempt at a stage, with its inputs, output folder and log."""

    stage: Stage
    inputs: Inputs
    folder: Path
    log: StageLog


def _generate(runner: StageRunner, job: DataJob, run: StageRun) -> None:
    write_mini(
        run.folder / DATA_FOLDER,
        seed=job.seed,
        train=job.train,
        evaluation=job.evaluation,
        low_resource=job.low_resource,
    )


def _train(runner: StageRunner, job: TrainJob, run: StageRun) -> None:
    """Train in this process or in several new ones, from the last checkpoint if there is one."""
    runner.networks.drop()
    runner.encoders.keep(job.backbone.location, job.backbone.revision, job.backbone.fingerprint)
    root, key = run.inputs.store.root, run.stage.key
    if runner.parallel.processes == 1:
        checkpoints = Checkpoints(resume_folder(root, key), key, runner.resume, run.log)
        train_stage(
            job,
            run.inputs,
            runner.examples(run),
            run.folder,
            runner.device,
            run.log,
            runner.encoders.load,
            checkpoints=checkpoints,
            attention=runner.environment["attention"],
        )
        return
    for stage in run.inputs.stages:  # opened by other processes, and compared at the end by this one
        run.inputs.artefact(stage.key)
    request = TrainRequest(
        job=job,
        key=key,
        inputs=run.inputs,
        data_root=runner.data_root(run),
        quoting=(run.stage.place or runner.place).quoting,
        folder=run.folder,
        store=root,
        device=runner.device.type,
        threads=runner.threads,
        resume=runner.resume,
        parallel=runner.parallel,
        attention=runner.attention,
        tasks=outside_tasks(),
    )
    train_in_processes(request, run.log)


def _predict(runner: StageRunner, job: PredictJob, run: StageRun) -> None:
    runner.encoders.keep(job.backbone.location, job.backbone.revision, job.backbone.fingerprint)
    predict_stage(job, run.inputs, runner.examples(run), run.folder, runner.networks, run.log.stepped)


def _score(runner: StageRunner, job: ScoreJob, run: StageRun) -> None:
    write_json(run.folder / SCORES_FILE, score_stage(job, run.inputs, runner.examples(run)))


def _analyse(runner: StageRunner, job: AnalyseJob, run: StageRun) -> None:
    write_study_tables(job, run.inputs.records(), run.folder)


def _report(runner: StageRunner, job: ReportJob, run: StageRun) -> None:
    worlds = {item.world: run.inputs.artefact(item.world) for item in job.compared if item.world is not None}
    roots = [open_data(item, runner.place, worlds, runner.pins) for item in job.compared]
    report_stage(job, run.inputs.artefact(job.analysis), roots, run.inputs.store, run.folder)


_MAKE: dict[type, Callable[[StageRunner, Any, StageRun], None]] = {
    DataJob: _generate,
    TrainJob: _train,
    PredictJob: _predict,
    ScoreJob: _score,
    AnalyseJob: _analyse,
    ReportJob: _report,
}
"""Functions that make the artefact of each kind of job; a new kind is a job class and a row here."""
