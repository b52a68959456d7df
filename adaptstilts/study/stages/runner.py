"""What each kind of stage does on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from adaptstilts.config.schema import StudyConfig
from adaptstilts.engine.journal import LOGS_FOLDER, StageLog
from adaptstilts.mini.write import write_mini
from adaptstilts.models.backbone import EncoderCache
from adaptstilts.runtime import environment, make_deterministic, pick_device, quiet_libraries, set_threads
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.json_files import write_json
from adaptstilts.store.stage import DataPlace, Stage, describe
from adaptstilts.store.store import Store
from adaptstilts.study.layout import DATA_FOLDER, SCORES_FILE
from adaptstilts.study.plan.data_facts import MINI
from adaptstilts.study.plan.jobs import AnalyseJob, DataJob, PredictJob, ReportJob, ScoreJob, TrainJob
from adaptstilts.study.stages.contamination import open_data
from adaptstilts.study.stages.examples import Examples
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.study.stages.predict import LastNetwork, predict_stage
from adaptstilts.study.stages.report import report_stage, write_study_tables
from adaptstilts.study.stages.score import score_stage
from adaptstilts.study.stages.train import train_stage
from adaptstilts.study.stages.train_parallel import TrainRequest, check_processes, train_in_processes
from adaptstilts.train.checkpoints import Checkpoints, remove_checkpoints, resume_folder
from adaptstilts.train.trackers import TrackedRun, tracked


def remove_finished_checkpoints(stages: tuple[Stage, ...], store: Store) -> None:
    """Remove checkpoints of stages whose artefact is there: a run was killed between the two."""
    stale = [stage for stage in stages if resume_folder(store.root, stage.key).is_dir()]
    for key in store.present(stale):
        remove_checkpoints(store.root, key)


class LocalRunner:
    """Runs stages in this process, one at a time; data and tokenizer stay loaded between them.

    Args:
        config: The study; of it the data root, reader options, device, threads, trackers and name are used, all
            else is in the stages.
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
        self.environment = environment()
        self.tracking = config.tracking
        self.project = config.name
        self._examples: dict[tuple[Path, str], Examples] = {}
        self.encoders = EncoderCache(self.device)
        self.networks = LastNetwork(self.device, self.encoders.load)

    def run(self, stage: Stage, inputs: tuple[Stage, ...], store: Store, log: StageLog) -> Artefact:
        """Make the artefact of one stage; see `adaptstilts.engine.protocols.Runner`."""
        with self._tracked(stage, store, log), store.writing(stage, self.environment) as folder:
            self._make(stage, Inputs(inputs, store), folder, log)
        if isinstance(stage.job, TrainJob):
            remove_checkpoints(store.root, stage.key)
        return Inputs((stage,), store).artefact(stage.key)

    def _make(self, stage: Stage, finished: Inputs, folder: Path, log: StageLog) -> None:
        job = stage.job
        if isinstance(job, TrainJob | PredictJob):
            self.encoders.keep(job.backbone.location, job.backbone.revision)
        if isinstance(job, DataJob):
            write_mini(
                folder / DATA_FOLDER,
                seed=job.seed,
                train=job.train,
                evaluation=job.evaluation,
                low_resource=job.low_resource,
            )
        elif isinstance(job, TrainJob):
            self.networks.drop()
            self._train(stage, job, finished, folder, log)
        elif isinstance(job, PredictJob):
            predict_stage(job, finished, self._data(stage, finished), folder, self.networks, log.stepped)
        elif isinstance(job, ScoreJob):
            scores = score_stage(job, finished, self._data(stage, finished))
            write_json(folder / SCORES_FILE, scores)
        elif isinstance(job, AnalyseJob):
            write_study_tables(job, finished.records(), folder)
        elif isinstance(job, ReportJob):
            worlds = {item.world: finished.artefact(item.world) for item in job.compared if item.world is not None}
            roots = [open_data(item, self.place, worlds) for item in job.compared]
            report_stage(job, finished.artefact(job.analysis), roots, finished.store, folder)

    @contextlib.contextmanager
    def _tracked(self, stage: Stage, store: Store, log: StageLog) -> Iterator[None]:
        if not isinstance(stage.job, TrainJob) or not self.tracking:
            yield
            return
        run = TrackedRun(stage.name, stage.folder, project=self.project, settings=describe(stage.job))
        with tracked(self.tracking, run, store.root / LOGS_FOLDER) as trackers:
            log.followers.append(trackers)
            yield

    def _train(self, stage: Stage, job: TrainJob, finished: Inputs, folder: Path, log: StageLog) -> None:
        """Train in this process, or in several that it starts; go on from a checkpoint where there is one."""
        root, key = finished.store.root, stage.key
        if self.parallel.processes == 1:
            checkpoints = Checkpoints(resume_folder(root, key), key, self.resume, log)
            data = self._data(stage, finished)
            train_stage(job, finished, data, folder, self.device, log, self.encoders.load, checkpoints=checkpoints)
            return
        request = TrainRequest(
            job=job,
            key=key,
            inputs=finished,
            data_root=self._data_root(stage, finished),
            quoting=(stage.place or self.place).quoting,
            folder=folder,
            store=root,
            device=self.device.type,
            threads=self.threads,
            resume=self.resume,
            parallel=self.parallel,
        )
        train_in_processes(request, log)

    def _data(self, stage: Stage, inputs: Inputs) -> Examples:
        place = stage.place or self.place
        known = (self._data_root(stage, inputs), place.quoting)
        if known not in self._examples:
            self._examples[known] = Examples(known[0], quoting=place.quoting)
        return self._examples[known]

    def _data_root(self, stage: Stage, inputs: Inputs) -> Path:
        root = (stage.place or self.place).root
        if root != MINI:
            return Path(root).expanduser()
        key = next(stage.key for stage in inputs.stages if isinstance(stage.job, DataJob))
        return inputs.artefact(key).file(DATA_FOLDER)
