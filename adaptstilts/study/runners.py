"""What each kind of stage does on this machine."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from adaptstilts.config.schema import StudyConfig
from adaptstilts.mini.write import write_mini
from adaptstilts.runtime import environment, make_deterministic, pick_device, set_threads
from adaptstilts.study.collect import SCORES_FILE
from adaptstilts.study.examples import Examples
from adaptstilts.study.execute import StepCallback
from adaptstilts.study.files import DATA_FOLDER, write_json
from adaptstilts.study.inputs import MINI
from adaptstilts.study.launch import TrainRequest, check_not_launched, check_processes, train_in_processes
from adaptstilts.study.run_predict import predict_stage
from adaptstilts.study.run_score import score_stage
from adaptstilts.study.run_train import train_stage
from adaptstilts.study.stages import DataJob, PredictJob, ScoreJob, Stage, TrainJob
from adaptstilts.study.store import Artefact, Store
from adaptstilts.train.resume import Checkpoints, remove_checkpoints, resume_folder


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
        found = self.store.find(next(stage for stage in self.stages if stage.key == key))
        if found is None:
            raise RuntimeError(f"input {key[:16]} is not finished")
        return found


def remove_finished_checkpoints(stages: tuple[Stage, ...], store: Store) -> None:
    """Remove checkpoints of stages whose artefact is there: a run was killed between the two."""
    for stage in stages:
        if resume_folder(store.root, stage.key).is_dir() and store.find(stage) is not None:
            remove_checkpoints(store.root, stage.key)


class LocalRunner:
    """Runs stages in this process, one at a time; data and tokenizer stay loaded between them.

    Args:
        config: The study; of it the data root, reader options, device and threads are used, all else is in the stages.
    """

    def __init__(self, config: StudyConfig) -> None:
        set_threads(config.threads)
        for name in ("transformers", "adapters"):  # both report every new head as a newly initialised weight
            logging.getLogger(name).setLevel(logging.ERROR)
        self.device = pick_device(config.device)
        make_deterministic(self.device)
        check_not_launched()
        check_processes(self.device, config.parallel.processes)
        self.resume = config.resume
        self.parallel = config.parallel
        self.threads = config.threads
        self.data_root = config.data.root
        self.quoting = config.data.quoting
        self.environment = environment()
        self._examples: dict[Path, Examples] = {}

    def run(self, stage: Stage, inputs: tuple[Stage, ...], store: Store, on_step: StepCallback) -> Artefact:
        """Make the artefact of one stage; see `adaptstilts.study.execute.Runner`."""
        finished = Inputs(inputs, store)
        with store.writing(stage, self.environment) as folder:
            job = stage.job
            if isinstance(job, DataJob):
                write_mini(
                    folder / DATA_FOLDER,
                    seed=job.seed,
                    train=job.train,
                    evaluation=job.evaluation,
                    low_resource=job.low_resource,
                )
            elif isinstance(job, TrainJob):
                self._train(stage.key, job, finished, folder, on_step)
            elif isinstance(job, PredictJob):
                predict_stage(job, finished, self._data(finished), folder, self.device, on_step)
            elif isinstance(job, ScoreJob):
                scores = score_stage(job, finished, self._data(finished))
                write_json(folder / SCORES_FILE, scores)
        if isinstance(stage.job, TrainJob):
            remove_checkpoints(store.root, stage.key)
        return Inputs((stage,), store).artefact(stage.key)

    def _train(self, key: str, job: TrainJob, finished: Inputs, folder: Path, on_step: StepCallback) -> None:
        """Train in this process, or in several that it starts; go on from a checkpoint where there is one."""
        root = finished.store.root
        if self.parallel.processes == 1:
            checkpoints = Checkpoints(resume_folder(root, key), key, self.resume)
            data = self._data(finished)
            train_stage(job, finished, data, folder, self.device, on_step, checkpoints=checkpoints)
            return
        request = TrainRequest(
            job=job,
            key=key,
            inputs=finished,
            data_root=self._data_root(finished),
            quoting=self.quoting,
            folder=folder,
            store=root,
            device=self.device.type,
            threads=self.threads,
            resume=self.resume,
            parallel=self.parallel,
        )
        train_in_processes(request, on_step)

    def _data(self, inputs: Inputs) -> Examples:
        root = self._data_root(inputs)
        if root not in self._examples:
            self._examples[root] = Examples(root, quoting=self.quoting)
        return self._examples[root]

    def _data_root(self, inputs: Inputs) -> Path:
        if self.data_root != MINI:
            return Path(self.data_root).expanduser()
        key = next(stage.key for stage in inputs.stages if isinstance(stage.job, DataJob))
        return inputs.artefact(key).file(DATA_FOLDER)
