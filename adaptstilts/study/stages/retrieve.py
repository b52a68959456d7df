"""Prediction for retrieval targets: sentence vectors, search or mining, and the sweep over layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from adaptstilts.config.retrieval import FITTED, RetrievalSettings, layer_at
from adaptstilts.encoding.features import Encoded, EncodeSettings
from adaptstilts.engine.journal import StepCallback
from adaptstilts.evaluate.gold import gold_of
from adaptstilts.evaluate.metrics import MAJOR, score_examples
from adaptstilts.evaluate.predict import Predicted, layer_vectors, sentence_vectors
from adaptstilts.evaluate.retrieval import Found, ScoredPair, Side, fit_threshold, mine_pairs, pairs_above, search
from adaptstilts.models.network import TaskNetwork
from adaptstilts.results.layers import LAYERS_FILE, best_layer
from adaptstilts.store.json_files import write_json
from adaptstilts.study.plan.jobs import PredictJob
from adaptstilts.study.plan.retrieval import require_dev, use_of
from adaptstilts.study.stages.examples import Examples
from adaptstilts.study.stages.predictions import LanguageResult
from adaptstilts.tasks.examples import Bitext
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split, Task

N_BEST_NEIGHBOURS = 10
"""Number of nearest sentences kept for each query (Tatoeba)."""
_MAX_BYTES_IN_MEMORY = 1 << 30
"""Maximum bytes in memory of one side's vectors of all layers; larger ones are held in a temporary file."""

Compared: TypeAlias = "list[ScoredPair] | Found"
"""Two collections compared: the pairs that are mined, or what is found for each query."""


@dataclass(frozen=True)
class _LayerResult:
    """Result of one layer on one split: pairs or neighbours (None if not needed later), threshold and scores."""

    found: Compared | None
    threshold: float
    scores: dict[str, float]


@dataclass(frozen=True)
class _RetrievalRun:
    """Settings and data of one encoder's prediction of one retrieval target."""

    network: TaskNetwork
    job: PredictJob
    settings: RetrievalSettings
    task: Task
    examples: Examples
    scratch: Path

    @property
    def mines(self) -> bool:
        return use_of(self.task) == "mine"

    @property
    def blocks(self) -> int:
        return int(self.network.encoder.config.num_hidden_layers)

    def fitting_split(self, language: str, split: Split) -> Split:
        """Return the dev split if it has gold labels, else the split that is scored."""
        return Split.DEV if self.examples.root.is_labelled(self.task, Split.DEV, language) else split

    def bitext(self, language: str, split: Split) -> Bitext:
        return self.examples.bitext(self.task, split, language, self.job.max_evaluation)

    def compare(self, bitext: Bitext, foreign: NDArray[np.float32], english: NDArray[np.float32]) -> Compared:
        """Mine pairs, or search for each query, depending on the task."""
        if not self.mines:
            return search(foreign, english, settings=self.settings, keep=N_BEST_NEIGHBOURS)
        both = ((bitext.foreign, foreign), (bitext.english, english))
        sides = (Side([item.id for item in side], [item.text for item in side], rows) for side, rows in both)
        return mine_pairs(*sides, settings=self.settings)

    def layer_result(self, bitext: Bitext, found: Compared, *, keep: bool) -> _LayerResult:
        """Fit the threshold of mined pairs, and score the layer if the study sweeps over layers."""
        threshold = fit_threshold(found, bitext.gold or ()) if isinstance(found, list) else 0.0
        scores: dict[str, float] = {}
        if self.settings.sweep:
            predictions = pairs_above(found, threshold) if isinstance(found, list) else found.rows.tolist()
            gold = gold_of(self.task, bitext, (), direction=self.settings.direction)
            scores = score_examples(self.task.metric, predictions, gold, bitext.language)
        return _LayerResult(found if keep else None, threshold, scores)


def retrieve(
    network: TaskNetwork, job: PredictJob, examples: Examples, folder: Path, on_step: StepCallback
) -> Iterator[LanguageResult]:
    """Retrieve in every language of a job, with one pass of the encoder over each sentence.

    Args:
        folder: Folder for `LAYERS_FILE`, written at the end, and for temporary files of large vectors.
        on_step: Called with the number of languages done.

    Yields:
        One result per language.

    Raises:
        DataError: If the layer is to be fitted and a language has no labelled dev split.
    """
    if job.retrieval is None:
        raise TypeError(f"{job.task} has no retrieval settings")
    run = _RetrievalRun(network, job, job.retrieval, get_task(job.task), examples, folder)
    layers = range(run.blocks + 1) if run.settings.sweep else (_fixed_layer(run),)
    results: dict[str, dict[int, _LayerResult]] = {}
    chosen: int | None = None if run.settings.layer == FITTED else _fixed_layer(run)
    if chosen is None:
        for index, (language, split) in enumerate(job.languages):
            on_step(index, len(job.languages), f"{language}, all layers")
            require_dev(examples.root, run.task, language)
            results[language] = _evaluate_layers(run, language, split, layers, kept=layers)
        chosen = best_layer(_majors(run.task, results))
    for index, (language, split) in enumerate(job.languages):
        on_step(index, len(job.languages), language)
        if language not in results:
            results[language] = _evaluate_layers(run, language, split, layers, kept=(chosen,))
        yield _result(run, language, split, results[language][chosen], layer=chosen)
        results[language] = {
            layer: _LayerResult(None, one.threshold, one.scores) for layer, one in results[language].items()
        }
    _write_layers(run, results, chosen)


def _fixed_layer(run: _RetrievalRun) -> int:
    layer = run.settings.layer
    if layer == FITTED:
        raise TypeError("the layer is not fixed")
    return layer_at(layer, run.blocks, run.settings.blocks)


def _evaluate_layers(
    run: _RetrievalRun, language: str, split: Split, layers: Sequence[int], *, kept: Sequence[int]
) -> dict[int, _LayerResult]:
    """Compare the two sides of the split that thresholds and layers are fitted on, with the vectors of each layer."""
    fitting = run.fitting_split(language, split)
    if not (run.mines or run.settings.sweep):
        fitting = split
    bitext = run.bitext(language, fitting)
    kept = kept if fitting is split else ()
    files = [run.scratch / f"{side}.vectors" for side in ("foreign", "english")]
    try:
        foreign, english = (
            _vectors(run, _encoded(run, bitext, fitting, side=file.stem), layers, file) for file in files
        )
        return {
            layer: run.layer_result(bitext, run.compare(bitext, foreign[index], english[index]), keep=layer in kept)
            for index, layer in enumerate(layers)
        }
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def _encoded(run: _RetrievalRun, bitext: Bitext, split: Split, *, side: str) -> Encoded:
    sentences = bitext.foreign if side == "foreign" else bitext.english
    what = (split, bitext.language, side, run.job.max_evaluation)
    return run.examples.encoded(
        run.task, sentences, run.job.backbone, EncodeSettings(run.settings.max_length), what=what
    )


def _vectors(run: _RetrievalRun, encoded: Encoded, layers: Sequence[int], file: Path) -> NDArray[np.float32]:
    """Compute sentence vectors, shape (layers, sentences, width), in a memory-mapped file if they are large."""
    pooling, job = run.settings.pooling, run.job
    if len(layers) == 1:
        one = sentence_vectors(
            run.network,
            encoded,
            layer=layers[0],
            pooling=pooling,
            batch_tokens=job.batch_tokens,
            precision=job.precision,
        )
        return one[None]
    shape = (len(layers), len(encoded.features), int(run.network.encoder.config.hidden_size))
    is_large = 4 * int(np.prod(shape)) > _MAX_BYTES_IN_MEMORY
    into: NDArray[np.float32] = (
        np.memmap(file, dtype=np.float32, mode="w+", shape=shape) if is_large else np.zeros(shape, dtype=np.float32)
    )
    layer_vectors(
        run.network, encoded, pooling=pooling, into=into, batch_tokens=job.batch_tokens, precision=job.precision
    )
    return into


def _result(
    run: _RetrievalRun, language: str, split: Split, layer_result: _LayerResult, *, layer: int
) -> LanguageResult:
    """Predict the scored split with the fitted threshold, searching again unless the results were kept."""
    bitext = run.bitext(language, split)
    found = layer_result.found
    if found is None:
        sides = (
            _vectors(run, _encoded(run, bitext, split, side=side), (layer,), run.scratch / side)[0]
            for side in ("foreign", "english")
        )
        found = run.compare(bitext, *sides)
    fitted = [f"layer {layer}"] if run.settings.layer == FITTED else []
    direction = {"direction": run.settings.direction}
    if isinstance(found, Found):
        near = found.nearest
        raw = {"nearest": near.indices, "similarities": near.similarities}
        predicted = Predicted(found.rows.tolist(), raw)
        note = _fitted_note(run, language, split, fitted)
        return LanguageResult(language, split, predicted, len(found.rows), note, direction)
    mined = sorted(pairs_above(found, layer_result.threshold))
    raw = {
        "foreign": np.array([pair.foreign for pair in found]),
        "english": np.array([pair.english for pair in found]),
        "scores": np.array([pair.score for pair in found], dtype=np.float64),
        "threshold": np.array(layer_result.threshold),
    }
    note = _fitted_note(run, language, split, [*fitted, "threshold"])
    predicted = Predicted([list(pair) for pair in mined], raw)
    return LanguageResult(language, split, predicted, len(bitext.english), note, direction)


def _fitted_note(run: _RetrievalRun, language: str, split: Split, what: Sequence[str]) -> str:
    if not what:
        return ""
    fitting = run.fitting_split(language, split)
    also = ", which is also scored" if fitting is split else ""
    return f"{' and '.join(what)} fitted on {fitting.value}{also}"


def _majors(task: Task, results: dict[str, dict[int, _LayerResult]]) -> dict[str, dict[int, float]]:
    """Compute the major score by language and layer."""
    return {
        language: {
            layer: sum(layer_result.scores[name] for name in MAJOR[task.metric]) / len(MAJOR[task.metric])
            for layer, layer_result in by_layer.items()
        }
        for language, by_layer in results.items()
    }


def _sweep_note(run: _RetrievalRun, split: Split) -> str:
    """Note that mining fits a threshold at each layer on the split that is scored."""
    return f"threshold fitted on {split.value}, which is also scored" if run.mines else ""


def _write_layers(run: _RetrievalRun, results: dict[str, dict[int, _LayerResult]], chosen: int) -> None:
    rows = [
        {
            "language": language,
            "split": run.fitting_split(language, split).value,
            "layer": layer,
            "note": _sweep_note(run, run.fitting_split(language, split)),
            "scores": layer_result.scores,
        }
        for language, split in run.job.languages
        for layer, layer_result in results[language].items()
        if layer_result.scores
    ]
    fitted_on = Split.DEV.value if run.settings.layer == FITTED else None
    write_json(
        run.scratch / LAYERS_FILE, {"used": chosen, "blocks": run.blocks, "fitted_on": fitted_on, "layers": rows}
    )
