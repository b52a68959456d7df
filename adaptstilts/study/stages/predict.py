"""Prediction stages: the predictions of one network for one target, in one or several languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from adaptstilts.engine.journal import StepCallback
from adaptstilts.evaluate.predict import predict
from adaptstilts.models.backbone import load_encoder
from adaptstilts.models.network import Assembly, EncoderLoader, TaskNetwork, assemble
from adaptstilts.study.plan.jobs import PredictJob
from adaptstilts.study.stages.examples import Examples
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.study.stages.match import match
from adaptstilts.study.stages.predictions import LanguageResult, save_predictions
from adaptstilts.study.stages.retrieve import retrieve
from adaptstilts.study.stages.weights import prediction_assembly
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind


class LastNetwork:
    """Cache of the network used last, since consecutive prediction stages often share it."""

    def __init__(self, device: torch.device, load: EncoderLoader = load_encoder) -> None:
        self._device = device
        self._load = load
        self._kept: tuple[tuple[Assembly, object], TaskNetwork] | None = None

    def get(self, assembly: Assembly, content: object = None) -> TaskNetwork:
        """Return the network of an assembly, frozen and on the device.

        ``content`` identifies the content of its files: of another one, it is another network.
        """
        if self._kept is None or self._kept[0] != (assembly, content):
            self._kept = None  # freed first, so that two networks are never in memory together
            self._kept = ((assembly, content), assemble(assembly, self._load).to(self._device))
        return self._kept[1]

    def drop(self) -> None:
        """Free the memory of the cached network."""
        self._kept = None


def predict_stage(
    job: PredictJob, inputs: Inputs, examples: Examples, folder: Path, networks: LastNetwork, on_step: StepCallback
) -> None:
    """Predict a target in the languages of a job, and write predictions and raw scores of each language.

    Args:
        folder: Output folder, for ``predictions/<language>.json`` and ``raw/<language>.npz``.
        on_step: Called with the number of languages done.

    Raises:
        AdaptstiltsError: If data or checkpoints cannot be used.
    """
    assembly = prediction_assembly(job, inputs)
    with inputs.reading():
        network = networks.get(assembly, inputs.content)
    for result in _PREDICT[get_task(job.task).kind](network, job, examples, folder, on_step):
        save_predictions(result, folder)


def _decode(
    network: TaskNetwork, job: PredictJob, examples: Examples, _: Path, on_step: StepCallback
) -> Iterator[LanguageResult]:
    """Decode the scores that the head gives to each example."""
    task = get_task(job.task)
    labels = examples.root.labels(task)
    for index, (language, split) in enumerate(job.languages):
        on_step(index, len(job.languages), language)
        rows = examples.evaluation(task, split, language, job.max_evaluation)
        what = (split, language, job.max_evaluation)
        encoded = examples.encoded(task, rows, job.backbone, job.lengths, what=what)
        found = predict(network, task, labels, encoded, batch_tokens=job.batch_tokens, precision=job.precision)
        note = "; ".join(examples.root.left_out(task, split, language))
        yield LanguageResult(language, split, found, len(rows), note)


def _match(
    network: TaskNetwork, job: PredictJob, examples: Examples, _: Path, on_step: StepCallback
) -> Iterator[LanguageResult]:
    return match(network, job, examples, on_step)


_PREDICT: dict[Kind, Callable[[TaskNetwork, PredictJob, Examples, Path, StepCallback], Iterator[LanguageResult]]] = {
    Kind.CLASSIFY: _decode,
    Kind.CHOOSE: _decode,
    Kind.TAG: _decode,
    Kind.EXTRACT: _decode,
    Kind.RETRIEVE: retrieve,
    Kind.MATCH: _match,
}
"""Functions that predict a target of each kind, language by language; see `predict_stage` for their arguments."""
