"""What a prediction stage does for a retrieval target: sentence vectors, search or mining, the sweep over layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

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
from adaptstilts.study.plan.retrieval import require_dev
from adaptstilts.tasks.examples import Bitext
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Metric, Split, Task

if TYPE_CHECKING:
    from adaptstilts.study.stages.examples import Examples

N_BEST_NEIGHBOURS = 10
"""Nearest sentences kept for each query (Tatoeba)."""
_MOST_IN_MEMORY = 1 << 30
"""Bytes of one side's vectors of all layers; more are kept in a file while they are needed."""


class LanguageResult(NamedTuple):
    """What was retrieved in one language.

    Attributes:
        language: ISO 639-1 code.
        split: Split that is scored.
        found: Predictions and raw scores.
        note: What a reader of the score must know.
        queries: Sentences searched for; for mining, English sentences.
    """

    language: str
    split: Split
    found: Predicted
    note: str
    queries: int


@dataclass(frozen=True)
class _Trial:
    """One layer on one split: what was found (None where it is not needed again), threshold and scores."""

    found: list[ScoredPair] | Found | None
    threshold: float
    scores: dict[str, float]


@dataclass(frozen=True)
class _Run:
    """One encoder on one retrieval target."""

    network: TaskNetwork
    job: PredictJob
    settings: RetrievalSettings
    task: Task
    examples: Examples
    scratch: Path

    @property
    def mines(self) -> bool:
        return self.task.metric is Metric.BUCC_F1

    @property
    def blocks(self) -> int:
        return int(self.network.encoder.config.num_hidden_layers)

    def fitting_split(self, language: str, split: Split) -> Split:
        """The dev split where its gold is there, else the one that is scored."""
        return Split.DEV if self.examples.root.is_labelled(self.task, Split.DEV, language) else split

    def bitext(self, language: str, split: Split) -> Bitext:
        return self.examples.bitext(self.task, split, language, self.job.max_evaluation)

    def compare(self, bitext: Bitext, foreign: NDArray[np.float32], english: NDArray[np.float32]) -> Any:  # noqa: ANN401
        """Mined pairs, or what a search found."""
        if not self.mines:
            return search(foreign, english, settings=self.settings, keep=N_BEST_NEIGHBOURS)
        both = ((bitext.foreign, foreign), (bitext.english, english))
        sides = (Side([item.id for item in side], [item.text for item in side], rows) for side, rows in both)
        return mine_pairs(*sides, settings=self.settings)

    def trial(self, bitext: Bitext, found: list[ScoredPair] | Found, *, keep: bool) -> _Trial:
        """Fit the threshold of mined pairs, and score where all layers are."""
        threshold = fit_threshold(found, bitext.gold or ()) if isinstance(found, list) else 0.0
        scores: dict[str, float] = {}
        if self.settings.sweep:
            predictions = pairs_above(found, threshold) if isinstance(found, list) else found.rows.tolist()
            gold = gold_of(self.task.metric, bitext, (), direction=self.settings.direction)
            scores = score_examples(self.task.metric, predictions, gold, bitext.language)
        return _Trial(found if keep else None, threshold, scores)


def retrieve(
    network: TaskNetwork, job: PredictJob, examples: Examples, folder: Path, on_step: StepCallback
) -> Iterator[LanguageResult]:
    """Retrieve in every language of a job, each sentence passing the encoder once.

    Args:
        network: The encoder.
        job: What to do.
        examples: Data.
        folder: Where `LAYERS_FILE` is written at the end; large vectors lie there meanwhile.
        on_step: Told how many languages are done.

    Yields:
        One result per language.

    Raises:
        DataError: If a layer is to be fitted where there is no labelled dev split.
    """
    if job.retrieval is None:
        raise TypeError(f"{job.task} has no retrieval settings")
    run = _Run(network, job, job.retrieval, get_task(job.task), examples, folder)
    layers = range(run.blocks + 1) if run.settings.sweep else (_fixed_layer(run),)
    tried: dict[str, dict[int, _Trial]] = {}
    chosen: int | None = None if run.settings.layer == FITTED else _fixed_layer(run)
    if chosen is None:
        for index, (language, split) in enumerate(job.languages):
            on_step(index, len(job.languages), f"{language}, all layers")
            require_dev(examples.root, run.task, language)
            tried[language] = _try_layers(run, language, split, layers, kept=layers)
        chosen = best_layer(_majors(run.task, tried))
    for index, (language, split) in enumerate(job.languages):
        on_step(index, len(job.languages), language)
        if language not in tried:
            tried[language] = _try_layers(run, language, split, layers, kept=(chosen,))
        yield _result(run, language, split, tried[language][chosen], layer=chosen)
        tried[language] = {layer: _Trial(None, one.threshold, one.scores) for layer, one in tried[language].items()}
    _write_layers(run, tried, chosen)


def _fixed_layer(run: _Run) -> int:
    layer = run.settings.layer
    if layer == FITTED:
        raise TypeError("the layer is not fixed")
    return layer_at(layer, run.blocks, run.settings.blocks)


def _try_layers(
    run: _Run, language: str, split: Split, layers: Sequence[int], *, kept: Sequence[int]
) -> dict[int, _Trial]:
    """Compare the two sides of the split that thresholds and layers are fitted on, by each layer."""
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
            layer: run.trial(bitext, run.compare(bitext, foreign[index], english[index]), keep=layer in kept)
            for index, layer in enumerate(layers)
        }
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def _encoded(run: _Run, bitext: Bitext, split: Split, *, side: str) -> Encoded:
    sentences = bitext.foreign if side == "foreign" else bitext.english
    what = (split, bitext.language, side, run.job.max_evaluation)
    return run.examples.encoded(
        run.task, sentences, run.job.backbone, EncodeSettings(run.settings.max_length), what=what
    )


def _vectors(run: _Run, encoded: Encoded, layers: Sequence[int], file: Path) -> NDArray[np.float32]:
    """Sentence vectors, shape (layers, sentences, width); those of all layers may lie in a file."""
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
    is_large = 4 * int(np.prod(shape)) > _MOST_IN_MEMORY
    into: NDArray[np.float32] = (
        np.memmap(file, dtype=np.float32, mode="w+", shape=shape) if is_large else np.zeros(shape, dtype=np.float32)
    )
    layer_vectors(
        run.network, encoded, pooling=pooling, into=into, batch_tokens=job.batch_tokens, precision=job.precision
    )
    return into


def _result(run: _Run, language: str, split: Split, trial: _Trial, *, layer: int) -> LanguageResult:
    """Predict the scored split, from what is known of it or anew, with the threshold of the trial."""
    bitext = run.bitext(language, split)
    found = trial.found
    if found is None:
        sides = (
            _vectors(run, _encoded(run, bitext, split, side=side), (layer,), run.scratch / side)[0]
            for side in ("foreign", "english")
        )
        found = run.compare(bitext, *sides)
    fitted = [f"layer {layer}"] if run.settings.layer == FITTED else []
    if isinstance(found, Found):
        near = found.nearest
        raw = {"nearest": near.indices, "similarities": near.similarities}
        predicted = Predicted(found.rows.tolist(), raw)
        return LanguageResult(language, split, predicted, _fitted_note(run, language, split, fitted), len(found.rows))
    mined = sorted(pairs_above(found, trial.threshold))
    raw = {
        "foreign": np.array([pair.foreign for pair in found]),
        "english": np.array([pair.english for pair in found]),
        "scores": np.array([pair.score for pair in found], dtype=np.float64),
        "threshold": np.array(trial.threshold),
    }
    note = _fitted_note(run, language, split, [*fitted, "threshold"])
    return LanguageResult(language, split, Predicted([list(pair) for pair in mined], raw), note, len(bitext.english))


def _fitted_note(run: _Run, language: str, split: Split, what: Sequence[str]) -> str:
    if not what:
        return ""
    fitting = run.fitting_split(language, split)
    also = ", which is also scored" if fitting is split else ""
    return f"{' and '.join(what)} fitted on {fitting.value}{also}"


def _majors(task: Task, tried: dict[str, dict[int, _Trial]]) -> dict[str, dict[int, float]]:
    """Major score by language and layer."""
    return {
        language: {
            layer: sum(trial.scores[name] for name in MAJOR[task.metric]) / len(MAJOR[task.metric])
            for layer, trial in trials.items()
        }
        for language, trials in tried.items()
    }


def _sweep_note(run: _Run, split: Split) -> str:
    """Scores of mining have a threshold of their own at each layer, fitted on the very split they are scored on."""
    return f"threshold fitted on {split.value}, which is also scored" if run.mines else ""


def _write_layers(run: _Run, tried: dict[str, dict[int, _Trial]], chosen: int) -> None:
    rows = [
        {
            "language": language,
            "split": run.fitting_split(language, split).value,
            "layer": layer,
            "note": _sweep_note(run, run.fitting_split(language, split)),
            "scores": trial.scores,
        }
        for language, split in run.job.languages
        for layer, trial in tried[language].items()
        if trial.scores
    ]
    fitted_on = Split.DEV.value if run.settings.layer == FITTED else None
    write_json(
        run.scratch / LAYERS_FILE, {"used": chosen, "blocks": run.blocks, "fitted_on": fitted_on, "layers": rows}
    )
