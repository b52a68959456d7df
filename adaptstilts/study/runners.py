"""What each kind of stage does on this machine."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adaptstilts.config.schema import StudyConfig
from adaptstilts.mini.write import write_mini
from adaptstilts.models.backbone import EncoderCache
from adaptstilts.runtime import environment, make_deterministic, pick_device, set_threads
from adaptstilts.study.collect import SCORES_FILE
from adaptstilts.study.examples import Examples
from adaptstilts.study.files import DATA_FOLDER, write_json
from adaptstilts.study.heartbeats import stage_file
from adaptstilts.study.inputs import MINI
from adaptstilts.study.journal import LOGS_FOLDER, Journal, StageLog, StepCallback
from adaptstilts.study.run_predict import LastNetwork, predict_stage
from adaptstilts.study.run_report import analyse_stage, report_stage
from adaptstilts.study.run_score import score_stage
from adaptstilts.study.run_train import train_stage
from adaptstilts.study.stages import AnalyseJob, DataJob, PredictJob, ReportJob, ScoreJob, Stage, TrainJob, describe
from adaptstilts.study.store import Artefact, Store
from adaptstilts.train.trackers import TrackedRun, tracked


@dataclass(frozen=True)
class Inputs:
    """Artefacts a stage needs.

    Attributes:
        stages: The stages that make them.
        store: Where they are.
    """

    stages: tuple[Stage, ...]
    store: Store

    def artefact(self, key: str) -> Artefact:
        """Return a finished input."""
        found = self.store.open(next(stage for stage in self.stages if stage.key == key))
        if found is None:
            raise RuntimeError(f"input {key[:16]} is not finished")
        return found


class LocalRunner:
    """Runs stages in this process, one at a time; data and tokenizer stay loaded between them.

    Args:
        config: The study; of it the data root, reader options, device, threads, trackers and name are used, all
            else is in the stages.
    """

    def __init__(self, config: StudyConfig) -> None:
        set_threads(config.threads)
        for name in ("transformers", "adapters"):  # both report every new head as a newly initialised weight
            logging.getLogger(name).setLevel(logging.ERROR)
        self.device = pick_device(config.device)
        make_deterministic(self.device)
        self.data_root = config.data.root
        self.quoting = config.data.quoting
        self.environment = environment()
        self.tracking = config.tracking
        self.project = config.name
        self._examples: dict[Path, Examples] = {}
        self.encoders = EncoderCache(self.device)
        self.networks = LastNetwork(self.device, self.encoders.load)

    def run(self, stage: Stage, inputs: tuple[Stage, ...], store: Store, on_step: StepCallback) -> Artefact:
        """Make the artefact of one stage; see `adaptstilts.study.execute.Runner`."""
        with Journal(store.root).stage(stage, on_step) as log:
            with self._tracked(stage, store, log), store.writing(stage, self.environment) as folder:
                self._make(stage, Inputs(inputs, store), folder, log)
            artefact = Inputs((stage,), store).artefact(stage.key)
            log.made(artefact)
        return artefact

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
            train_stage(job, finished, self._data(finished), folder, self.device, log, self.encoders.load)
        elif isinstance(job, PredictJob):
            predict_stage(job, finished, self._data(finished), folder, self.networks, log.stepped)
        elif isinstance(job, ScoreJob):
            scores = score_stage(job, finished, self._data(finished))
            write_json(folder / SCORES_FILE, scores)
        elif isinstance(job, AnalyseJob):
            analyse_stage(job, finished.stages, finished.store, folder)
        elif isinstance(job, ReportJob):
            tables = finished.artefact(job.analysis)
            report_stage(job, tables, self._data(finished).root, finished.store, folder)

    @contextlib.contextmanager
    def _tracked(self, stage: Stage, store: Store, log: StageLog) -> Iterator[None]:
        if not isinstance(stage.job, TrainJob) or not self.tracking:
            yield
            return
        run = TrackedRun(stage.name, stage_file(stage), project=self.project, settings=describe(stage.job))
        with tracked(self.tracking, run, store.root / LOGS_FOLDER) as trackers:
            log.followers.append(trackers)
            yield

    def _data(self, inputs: Inputs) -> Examples:
        root = Path(self.data_root).expanduser()
        if self.data_root == MINI:
            key = next(stage.key for stage in inputs.stages if isinstance(stage.job, DataJob))
            root = inputs.artefact(key).file(DATA_FOLDER)
        if root not in self._examples:
            self._examples[root] = Examples(root, quoting=self.quoting)
        return self._examples[root]
