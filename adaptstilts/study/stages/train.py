"""Training stages: the training of one network from a job and its inputs, and the saving of its weights."""

from __future__ import annotations

import dataclasses
import errno
import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from safetensors import SafetensorError

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.encoding.features import EncodeSettings
from adaptstilts.engine.journal import StepNumbers
from adaptstilts.evaluate.gold import gold_of
from adaptstilts.evaluate.match import predict_pairs
from adaptstilts.evaluate.metrics import major, score_examples
from adaptstilts.evaluate.predict import predict
from adaptstilts.models.backbone import load_encoder
from adaptstilts.models.heads import save_head, spec_for
from adaptstilts.models.network import EncoderLoader, TaskNetwork, parameter_counts, save_encoder
from adaptstilts.readers.data_root import TrainingData
from adaptstilts.readers.sampling import sample
from adaptstilts.store.holding import Progress
from adaptstilts.store.json_files import write_json
from adaptstilts.study.layout import ENCODER_FOLDER, HEAD_FOLDER, TRAINING_FILE
from adaptstilts.study.plan.jobs import TrainJob
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.study.stages.weights import training_assembly
from adaptstilts.tasks.examples import ChoiceExample
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Task
from adaptstilts.train.checkpoints import CheckpointLog, Checkpoints
from adaptstilts.train.distributed import SINGLE_PROCESS, ProcessGroup
from adaptstilts.train.loop import FitReport, RunContext, fit
from adaptstilts.train.methods import METHODS, Method
from adaptstilts.train.optim import learning_rate
from adaptstilts.train.setup import build_network
from adaptstilts.train.sharding import shard_frozen, to_cpu

if TYPE_CHECKING:
    from adaptstilts.study.stages.examples import Examples


_DEV_BATCH_TOKENS = 8192


def train_stage(  # noqa: PLR0913 - job, data and output, and three optional ways of running
    job: TrainJob,
    inputs: Inputs,
    examples: Examples,
    folder: Path,
    device: torch.device,
    log: TrainingLog,
    load: EncoderLoader = load_encoder,
    *,
    checkpoints: Checkpoints | None = None,
    group: ProcessGroup = SINGLE_PROCESS,
    attention: str = "torch's choice",
) -> None:
    """Train one network and write its trained parts.

    Args:
        inputs: Artefacts of the intermediate runs that the job builds on.
        folder: Output folder: ``encoder`` and ``head`` for full models, else ``adapter`` or ``fusion`` (with the
            head), and ``training.json``.
        log: Receives steps, dev scores and the result.
        checkpoints: Stores the state of the run, and restores an earlier one; None for no checkpoints.
        group: Processes that each make this call to carry out the stage together; the first of them writes.
        attention: How torch computes attention, for the record.

    Raises:
        AdaptstiltsError: If data or checkpoints cannot be used.
    """
    method, task = METHODS[job.method], get_task(job.task)
    data = examples.training(task, job.max_train, hold_out=job.hold_out)
    labels = examples.root.labels(task)
    settings = job.lengths
    assembly = training_assembly(job, inputs)
    with inputs.reading():
        network = build_network(
            method, assembly, task=task.name, head=spec_for(task.kind, labels), seed=job.seed, load=load
        ).to(device)
    group = shard_frozen(network, group)
    what = ("train", job.max_train, job.hold_out)
    encoded = examples.encoded(task, data.train, job.backbone, settings, what=what)
    report = fit(
        network,
        encoded.features,
        job.settings,
        kind=task.kind,
        seed=job.seed,
        score_dev=_with_logging(dev_scorer(job, task, labels, data, examples, settings), log)
        if group.scores
        else _refuse_to_score,
        penalty=_penalty(network, job, method),
        context=RunContext(partial(_log_step, log, job.settings), checkpoints, group),
    )
    if not group.is_first:
        return
    to_cpu(network, group)
    _save_with_os_errors(network, job, method, data, folder)
    record = _record(report, network, data, folder)
    implementation = network.architecture.attention
    record["attention"] = attention if implementation == "sdpa" else implementation
    record |= {"processes": group.size, "resume_notes": [] if checkpoints is None else checkpoints.notes}
    record |= {"truncated": encoded.truncated, "replaced_words": encoded.replaced, "labels": list(labels)}
    write_json(folder / TRAINING_FILE, record)
    log.summary(record)


def _log_step(log: TrainingLog, settings: TrainSettings, step: int, total: int, loss: float) -> None:
    rate = learning_rate(step, settings, total)
    log.stepped(step, total, f"loss {loss:.3f}", StepNumbers(loss, rate, settings.batch_size))


def _with_logging(score_dev: Callable[[TaskNetwork], float], log: TrainingLog) -> Callable[[TaskNetwork], float]:
    """Wrap dev scoring so that it logs score and time, which the log excludes from examples per second."""

    def score(network: TaskNetwork) -> float:
        started = time.perf_counter()
        found = score_dev(network)
        log.dev(log.progress.done, found, time.perf_counter() - started)
        return found

    return score


def dev_scorer(
    job: TrainJob,
    task: Task,
    labels: tuple[str, ...],
    data: TrainingData,
    examples: Examples,
    settings: EncodeSettings,
) -> Callable[[TaskNetwork], float]:
    """Return a function that scores a network on a sample of the dev set, as the major metric in percent."""
    most = job.settings.evaluate_examples
    dev = sample(data.dev, most)
    encoded = examples.encoded(task, dev, job.backbone, settings, what=("dev", job.max_train, job.hold_out, most))
    gold = gold_of(task, dev, labels)

    def score(network: TaskNetwork) -> float:
        precision = job.settings.precision
        if FACTS[task.kind].has_candidates:
            found = predict_pairs(network, encoded, batch_tokens=_DEV_BATCH_TOKENS, precision=precision)
        else:
            found = predict(network, task, labels, encoded, batch_tokens=_DEV_BATCH_TOKENS, precision=precision)
        return major(task.metric, score_examples(task.metric, found.predictions, gold))

    return score


def _refuse_to_score(_: TaskNetwork) -> float:
    raise RuntimeError("only the first process of a group scores the dev set")


def _penalty(network: TaskNetwork, job: TrainJob, method: Method) -> Callable[[], torch.Tensor] | None:
    if method.attachment is None:
        return None
    return method.attachment.penalty(network.attached, method.attachment.name(job.task), job.new_attachment)


def _save_with_os_errors(network: TaskNetwork, job: TrainJob, method: Method, data: TrainingData, folder: Path) -> None:
    """Save, and raise `OSError` if the disk is full, since both libraries raise other errors then."""
    try:
        _save(network, job, method, data, folder)
    except SafetensorError as error:
        raise OSError(errno.EIO, str(error), str(folder)) from error
    except RuntimeError as error:
        if "PytorchStreamWriter" not in str(error):
            raise
        raise OSError(errno.EIO, str(error).splitlines()[0], str(folder)) from error


def _save(network: TaskNetwork, job: TrainJob, method: Method, data: TrainingData, folder: Path) -> None:
    first = data.train[0]
    choices = len(first.choices) if isinstance(first, ChoiceExample) else 2
    head = network.head
    if head is None:
        raise TypeError("a trained network has a head")
    kind = method.attachment
    if kind is None:
        save_encoder(network, folder / ENCODER_FOLDER)
        save_head(head, job.task, folder / HEAD_FOLDER, network.encoder.config, choices=choices)
    else:
        kind.save(network.attached, kind.name(job.task), folder / kind.kind_name, head, choices=choices)


def _record(report: FitReport, network: TaskNetwork, data: TrainingData, folder: Path) -> dict[str, Any]:
    trained, total = parameter_counts(network)
    record = dataclasses.asdict(report)
    record["best_dev"] = None if math.isnan(report.best_dev) else report.best_dev
    record |= {
        "trained_parameters": trained,
        "total_parameters": total,
        "artefact_bytes": sum(path.stat().st_size for path in folder.rglob("*.safetensors")),
        "dev_examples": len(data.dev),
        "notes": list(data.notes),
    }
    return record


class TrainingLog(CheckpointLog, Protocol):
    """Receiver of the events of a training run; `StageLog` implements it."""

    progress: Progress

    def stepped(self, done: int, total: int, note: str = "", numbers: StepNumbers | None = None) -> None:
        """Record the number of steps done."""
        ...

    def dev(self, step: int, score: float, seconds: float = 0.0) -> None:
        """Record a dev score and the seconds that scoring took."""
        ...

    def summary(self, record: dict[str, Any]) -> None:
        """Record the final numbers of the run."""
        ...
