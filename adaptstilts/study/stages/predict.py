"""Prediction stages: the predictions of one network for one target, in one or several languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from adaptstilts.engine.journal import StepCallback
from adaptstilts.evaluate.predict import Predicted, predict
from adaptstilts.models.backbone import load_encoder
from adaptstilts.models.network import Assembly, EncoderLoader, TaskNetwork, assemble
from adaptstilts.store.json_files import write_json
from adaptstilts.study.layout import PREDICTIONS_FOLDER, RAW_FOLDER
from adaptstilts.study.plan.jobs import PredictJob
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.study.stages.match import match
from adaptstilts.study.stages.retrieve import retrieve
from adaptstilts.study.stages.weights import prediction_assembly
from adaptstilts.tasks.registry import get_task

if TYPE_CHECKING:
    from adaptstilts.study.stages.examples import Examples


class LastNetwork:
    """Cache of the network used last, since consecutive prediction stages often share it."""

    def __init__(self, device: torch.device, load: EncoderLoader = load_encoder) -> None:
        self._device = device
        self._load = load
        self._kept: tuple[Assembly, TaskNetwork] | None = None

    def get(self, assembly: Assembly) -> TaskNetwork:
        """Return the network of an assembly, frozen and on the device."""
        if self._kept is None or self._kept[0] != assembly:
            self._kept = None  # freed first, so that two networks are never in memory together
            self._kept = (assembly, assemble(assembly, self._load).to(self._device))
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
    task = get_task(job.task)
    network = networks.get(prediction_assembly(job, inputs))
    if job.retrieval is not None:
        for language, split, found, note, count in retrieve(network, job, examples, folder, on_step):
            record = {"split": split.value, "examples": count, "note": note, "direction": job.retrieval.direction}
            _write(folder, language, record, found)
        return
    if task.pool is not None:
        for language, split, found, note, count in match(network, job, examples, on_step):
            _write(folder, language, {"split": split.value, "examples": count, "note": note}, found)
        return
    for index, (language, split) in enumerate(job.languages):
        on_step(index, len(job.languages), language)
        rows = examples.evaluation(task, split, language, job.max_evaluation)
        settings = job.lengths
        what = (split, language, job.max_evaluation)
        encoded = examples.encoded(task, rows, job.backbone, settings, what=what)
        labels = examples.root.labels(task)
        found = predict(network, task, labels, encoded, batch_tokens=job.batch_tokens, precision=job.precision)
        _write(folder, language, {"split": split.value, "examples": len(rows), "note": ""}, found)


def _write(folder: Path, language: str, record: dict[str, Any], found: Predicted) -> None:
    write_json(folder / PREDICTIONS_FOLDER / f"{language}.json", {**record, "predictions": found.predictions})
    raw = folder / RAW_FOLDER / f"{language}.npz"
    raw.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(raw, **found.raw)  # type: ignore[arg-type]
