"""Prediction stages: one network, one target, all its languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from adaptstilts.evaluate.predict import Predicted, default_layer, predict, sentence_vectors
from adaptstilts.evaluate.retrieval import (
    Side,
    find_neighbours,
    fit_threshold,
    mine_pairs,
    normalise,
    pairs_above,
)
from adaptstilts.models.network import Assembly, TaskNetwork, assemble
from adaptstilts.study.execute import StepCallback
from adaptstilts.study.files import PREDICTIONS_FOLDER, write_json
from adaptstilts.study.run_train import ADAPTER_FOLDER, ENCODER_FOLDER, FUSION_FOLDER, HEAD_FOLDER, Inputs
from adaptstilts.study.stages import PredictJob
from adaptstilts.tasks.features import EncodeSettings
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind, Metric, Sentence, Split, Task
from adaptstilts.train.methods import METHODS, fusion_name, target_adapter

if TYPE_CHECKING:
    from adaptstilts.study.examples import Examples

RAW_FOLDER = "raw"
N_BEST_NEIGHBOURS = 10
"""Nearest foreign sentences kept for each English one (Tatoeba)."""
_AVERAGE = "fusion_average"


def predict_stage(
    job: PredictJob, inputs: Inputs, examples: Examples, folder: Path, device: torch.device, on_step: StepCallback
) -> None:
    """Predict all languages of a target and write predictions and raw scores, one file each per language.

    Args:
        job: What to predict with which network.
        inputs: The runs the network comes from.
        examples: Data.
        folder: Where to write: ``predictions/<language>.json`` and ``raw/<language>.npz``.
        device: Where to compute.
        on_step: Told how many languages are done.

    Raises:
        AdaptstiltsError: If data or checkpoints cannot be used.
    """
    task = get_task(job.task)
    network = assemble(network_of(job, inputs)).to(device)
    for index, (language, split) in enumerate(job.languages):
        on_step(index, len(job.languages), language)
        if task.kind is Kind.RETRIEVE:
            found, note, count = _retrieve(network, job, task, examples, language, split)
        else:
            rows = examples.evaluation(task, split, language, job.max_evaluation)
            settings = EncodeSettings(job.max_length, job.doc_stride, job.max_query_length)
            what = (split, language, job.max_evaluation)
            encoded = examples.encoded(task, rows, job.backbone, settings, what=what)
            labels = examples.root.labels(task)
            found = predict(network, task, labels, encoded, batch_tokens=job.batch_tokens, precision=job.precision)
            note, count = "", len(rows)
        record = {"split": split.value, "examples": count, "note": note, "predictions": found.predictions}
        write_json(folder / PREDICTIONS_FOLDER / f"{language}.json", record)
        raw = folder / RAW_FOLDER / f"{language}.npz"
        raw.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(raw, **found.raw)  # type: ignore[arg-type]


def network_of(job: PredictJob, inputs: Inputs) -> Assembly:
    """Return the files a job's network is put together from."""
    method = METHODS[job.method]
    encoder, revision = job.backbone.location, job.backbone.revision
    trained = inputs.artefact(job.trained) if job.trained is not None else None
    if method.family == "full":
        source = trained or (inputs.artefact(job.sources[0].key) if job.sources else None)
        if source is None:
            return Assembly(encoder, revision)
        head = source.file(HEAD_FOLDER) if trained is not None else None
        return Assembly(str(source.file(ENCODER_FOLDER)), head=head)
    adapters = tuple((source.task, inputs.artefact(source.key).file(ADAPTER_FOLDER)) for source in job.sources)
    if trained is None or job.trained_task is None:
        return Assembly(encoder, revision, adapters, average=_AVERAGE if job.average else "")
    # A retrieval target borrows a fusion trained on another task, without that task's head.
    own_head = job.retrieval is None
    if method.use == "fused":
        fusion = trained.file(FUSION_FOLDER)
        name = fusion_name(job.trained_task)
        return Assembly(encoder, revision, adapters, fusion=(name, fusion), head=fusion if own_head else None)
    adapter = trained.file(ADAPTER_FOLDER)
    return Assembly(encoder, revision, (*adapters, (target_adapter(job.trained_task), adapter)), head=adapter)


def _retrieve(
    network: TaskNetwork, job: PredictJob, task: Task, examples: Examples, language: str, split: Split
) -> tuple[Predicted, str, int]:
    sides = _vectors(network, job, task, examples, language, split)
    foreign, english = sides
    if task.metric is Metric.TATOEBA_ACCURACY:
        k = min(N_BEST_NEIGHBOURS, len(foreign.ids))
        near = find_neighbours(normalise(english.vectors), normalise(foreign.vectors), k=k)
        rows = near.indices[:, 0].tolist()
        return Predicted(rows, {"nearest": near.indices, "similarities": near.similarities}), "", len(rows)
    neighbours = job.retrieval.neighbours if job.retrieval is not None else 4
    pairs = mine_pairs(foreign, english, k=neighbours)
    fitted_on = _threshold_split(task, examples, language, split)
    if fitted_on is split:
        fitting = pairs
    else:
        fitting = mine_pairs(*_vectors(network, job, task, examples, language, fitted_on), k=neighbours)
    gold = examples.bitext(task, fitted_on, language, job.max_evaluation).gold
    threshold = fit_threshold(fitting, gold or ())
    mined = sorted(pairs_above(pairs, threshold))
    raw = {
        "foreign": np.array([pair.foreign for pair in pairs]),
        "english": np.array([pair.english for pair in pairs]),
        "scores": np.array([pair.score for pair in pairs], dtype=np.float64),
        "threshold": np.array(threshold),
    }
    note = f"threshold fitted on {fitted_on.value}"
    if fitted_on is split:
        note += ", which is also scored"
    return Predicted([list(pair) for pair in mined], raw), note, len(english.ids)


def _threshold_split(task: Task, examples: Examples, language: str, split: Split) -> Split:
    """BUCC's threshold is fitted on the dev gold; where only one split is there, on that."""
    return Split.DEV if examples.root.is_labelled(task, Split.DEV, language) else split


def _vectors(
    network: TaskNetwork, job: PredictJob, task: Task, examples: Examples, language: str, split: Split
) -> tuple[Side, Side]:
    if job.retrieval is None:
        raise TypeError(f"{task.name} has no retrieval settings")
    bitext = examples.bitext(task, split, language, job.max_evaluation)
    settings = EncodeSettings(job.max_length)
    blocks = network.encoder.config.num_hidden_layers
    layer = default_layer(blocks) if job.retrieval.layer is None else job.retrieval.layer
    return (
        _side(network, job, task, examples, bitext.foreign, (split, language, "foreign"), settings, layer),
        _side(network, job, task, examples, bitext.english, (split, language, "english"), settings, layer),
    )


def _side(
    network: TaskNetwork,
    job: PredictJob,
    task: Task,
    examples: Examples,
    sentences: tuple[Sentence, ...],
    what: tuple[Any, ...],
    settings: EncodeSettings,
    layer: int,
) -> Side:
    encoded = examples.encoded(task, sentences, job.backbone, settings, what=(*what, job.max_evaluation))
    pooling = job.retrieval.pooling if job.retrieval is not None else "mean"
    vectors = sentence_vectors(
        network,
        encoded,
        layer=layer,
        pooling=pooling,
        batch_tokens=job.batch_tokens,
        precision=job.precision,
    )
    return Side(
        ids=[sentence.id for sentence in sentences], texts=[sentence.text for sentence in sentences], vectors=vectors
    )
