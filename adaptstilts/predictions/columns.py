"""Stored predictions of each kind as columns of a frame, one entry per row."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from tokenize import TokenError
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.metrics import score_examples
from adaptstilts.formatting import number_text, reason_of
from adaptstilts.predictions.known import Known, Part
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.record import wrong_content
from adaptstilts.study.layout import RAW_FOLDER
from adaptstilts.study.plan.retrieval import use_of
from adaptstilts.study.stages.predictions import load_predictions
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.spec import Kind, Metric, Task

SPAN = np.dtype([("text", object), ("start", np.int32), ("end", np.int32), ("score", np.float32)])
"""A possible answer: its text without white space around it, the characters of the context that it covers (``end`` is
the first one after it), and the sum of its logits. The entry "no answer" has an empty text, from -1 to -1."""
NEIGHBOUR = np.dtype([("id", object), ("similarity", np.float32)])
"""A sentence or candidate near a query."""
PAIRED = np.dtype([("id", object), ("margin", np.float64), ("kept", np.bool_)])
"""An English sentence that is proposed as a translation, its margin, and whether that reaches the threshold."""

_NO_ARRAYS = (
    ValueError, TypeError, OSError, EOFError, KeyError, MemoryError, SyntaxError, TokenError, BadZipFile, zlib.error
)  # fmt: skip
"""Errors of numpy on files that hold no arrays."""
_EXACT_MATCH = {
    Metric.SQUAD: "exact_match",
    Metric.SQUAD2: "exact_match",
    Metric.MLQA: "exact_match",
    Metric.CHECKLIST: "question_accuracy",
}
"""Score of one question that says, by 100 or 0, whether its answer is right."""


@dataclass(frozen=True)
class Stored:
    """Predictions of one language as `adaptstilts.study.stages.predictions.save_predictions` has written them."""

    predictions: Any
    raw: Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Columns:
    """Columns of a frame that depend on predictions; see `adaptstilts.predictions.frame.predictions_frame`."""

    prediction: list[Any]
    correct: list[Any]
    confidence: list[Any]
    scores: list[Any]


def load_stored(artefact: Artefact, language: str, task: Task) -> Stored:
    """Read the predictions and raw scores of one language.

    Raises:
        DamagedError: If a file is missing or damaged.
    """
    path = artefact.file(f"{RAW_FOLDER}/{language}.npz")
    try:
        with np.load(path) as file:
            raw = dict(file)
    except _NO_ARRAYS as error:
        raise wrong_content(f"damaged: {reason_of(error)}", path, artefact.folder) from error
    return Stored(load_predictions(artefact, language, task)["predictions"], raw)


def columns_of(part: Part, known: Known, artefact: Artefact) -> Columns:
    """Return the columns of one language's predictions.

    Raises:
        DamagedError: If a file is missing or damaged.
        EvaluationError: If they are predictions of other examples.
    """
    stored = load_stored(artefact, part.language, part.task)
    given = known.ids if _is_pairs(part) else stored.predictions
    if len(given) != len(known.ids) or (isinstance(given, dict) and set(given) != set(known.ids)):
        raise EvaluationError(
            f"{number_text(len(given), 'prediction')} of {part.task.name} in '{part.language}', but "
            f"{number_text(len(known.ids), 'example')}",
            path=artefact.folder,
            hint="Rebuild them: study.run(rebuild=True), or adaptstilts run CONFIG --rebuild.",
        )
    try:
        return COLUMNS[part.task.kind](part, known, stored)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        # A manifest vouches for the files, not for what they say.
        problem = f"the predictions in '{part.language}' do not fit their raw scores: {type(error).__name__}: {error}"
        raise wrong_content(problem, artefact.folder, artefact.folder) from error


def _is_pairs(part: Part) -> bool:
    """Say whether predictions are mined pairs, of which there may be any number."""
    return FACTS[part.task.kind].is_bitext and use_of(part.task) == "mine"


def softmax(scores: NDArray[Any]) -> NDArray[np.float64]:
    """Return the softmax over the last axis; minus infinity has no share, and a row without scores is NaN."""
    values = scores.astype(np.float64)
    highest = values.max(axis=-1, keepdims=True)
    shares: NDArray[np.float64] = np.exp(values - np.where(np.isfinite(highest), highest, 0))
    with np.errstate(invalid="ignore"):
        shares /= shares.sum(axis=-1, keepdims=True)
    return shares


def _classes(_: Part, known: Known, stored: Stored) -> Columns:
    prediction = [known.referred[label] for label in stored.predictions]
    logits = stored.raw["logits"]
    return Columns(prediction, _equal(prediction, known.gold), _share(logits, stored.predictions), list(logits))


def _choices(_: Part, known: Known, stored: Stored) -> Columns:
    logits = stored.raw["logits"]
    # Questions with fewer alternatives than others are filled up with minus infinity.
    scores = list(logits) if np.isfinite(logits).all() else [row[row > -np.inf] for row in logits]
    correct = _equal(stored.predictions, known.gold)
    return Columns(stored.predictions, correct, _share(logits, stored.predictions), scores)


def _share(logits: NDArray[Any], predicted: Sequence[int]) -> list[float]:
    """Return the softmax of each row's logits at the predicted class."""
    shares: list[float] = softmax(logits)[np.arange(len(logits)), np.asarray(predicted, dtype=np.int64)].tolist()
    return shares


def _tags(_: Part, known: Known, stored: Stored) -> Columns:
    places = {label: place for place, label in enumerate(known.referred)}
    logits, ends = stored.raw["logits"], np.cumsum(stored.raw["lengths"])
    confidence = _share(logits, [places[tag] for tags in stored.predictions for tag in tags])
    borders = list(zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True))
    correct = [
        None if gold is None else _equal(tags, gold) for tags, gold in zip(stored.predictions, known.gold, strict=True)
    ]
    return Columns(
        stored.predictions,
        correct,
        [confidence[first:after] for first, after in borders],
        [logits[first:after] for first, after in borders],
    )


def _spans(part: Part, known: Known, stored: Stored) -> Columns:
    prediction = [stored.predictions[name] for name in known.ids]
    scores = np.where(np.isnan(stored.raw["scores"]), -np.inf, stored.raw["scores"])
    chosen = np.zeros(len(scores), dtype=np.int64)
    if part.task.unanswerable:
        scores = np.column_stack([scores, stored.raw["null_scores"]])
        chosen = np.where([text == "" for text in prediction], scores.shape[1] - 1, 0)
    name = _EXACT_MATCH[part.task.metric]
    correct = [
        None if gold is None else score_examples(part.task.metric, {key: text}, {key: gold}, part.language)[name] == 100
        for key, text, gold in zip(known.ids, prediction, known.gold, strict=True)
    ]
    return Columns(prediction, correct, _share(scores, chosen.tolist()), _best_spans(part, known, stored))


def _best_spans(part: Part, known: Known, stored: Stored) -> list[Any]:
    """Return the best spans of each question, and "no answer" after them where a task allows it."""
    starts, ends = stored.raw["starts"], stored.raw["ends"]
    held = starts >= 0
    counts = held.sum(axis=1)
    table = np.zeros((len(starts), starts.shape[1] + 1), dtype=SPAN)
    for field, values in (("start", starts), ("end", ends), ("score", stored.raw["scores"])):
        table[field][:, :-1] = values
    characters = zip(held.nonzero()[0].tolist(), starts[held].tolist(), ends[held].tolist(), strict=True)
    table["text"][held.nonzero()] = [known.referred[row][first:after].strip() for row, first, after in characters]
    last = (np.arange(len(table)), counts)
    for field, value in (("text", ""), ("start", -1), ("end", -1), ("score", stored.raw["null_scores"])):
        table[field][last] = value
    lengths = (counts + part.task.unanswerable).tolist()
    return [spans[:length] for spans, length in zip(table, lengths, strict=True)]


def _retrieved(part: Part, known: Known, stored: Stored) -> Columns:
    return _RETRIEVED[use_of(part.task)](known, stored)


def _found(known: Known, stored: Stored) -> Columns:
    """Return the sentence that is chosen for each query, and those nearest to it."""
    nearest, similarities = stored.raw["nearest"], stored.raw["similarities"]
    names = np.array(known.referred, dtype=object)
    prediction = names[np.asarray(stored.predictions, dtype=np.int64)].tolist()
    is_chosen = nearest == np.asarray(stored.predictions)[:, None]
    # With a margin over more neighbours than are kept, the chosen sentence may not be among these.
    shares = np.where(is_chosen.any(axis=1), (softmax(similarities) * is_chosen).sum(axis=1), np.nan)
    return Columns(
        prediction, _equal(prediction, known.gold), shares.tolist(), _neighbours(names[nearest], similarities)
    )


def _mined(known: Known, stored: Stored) -> Columns:
    """Return the pairs that are kept for each foreign sentence, and those that were proposed."""
    raw = stored.raw
    proposed: dict[str, list[tuple[str, float, bool]]] = {}
    pairs = (raw[name].tolist() for name in ("foreign", "english", "scores"))
    kept = {(foreign, english) for foreign, english in stored.predictions}
    for foreign, english, margin in zip(*pairs, strict=True):
        proposed.setdefault(foreign, []).append((english, margin, (foreign, english) in kept))
    prediction = [[name for name, _, is_kept in proposed.get(query, ()) if is_kept] for query in known.ids]
    correct = [
        None if gold is None else set(found) == set(gold) for found, gold in zip(prediction, known.gold, strict=True)
    ]
    scores = [np.array(proposed.get(query, []), dtype=PAIRED) for query in known.ids]
    return Columns(prediction, correct, [np.nan] * len(prediction), scores)


_RETRIEVED: dict[str, Callable[[Known, Stored], Columns]] = {"search": _found, "mine": _mined}
"""Functions for the two uses of sentence retrieval."""


def _matched(_: Part, known: Known, stored: Stored) -> Columns:
    from adaptstilts.models.batches import SCALE  # noqa: PLC0415 - loads torch

    found = [stored.predictions[name] for name in known.ids]
    prediction = [ids[0] for ids in found]
    correct = [None if gold is None else first in gold for first, gold in zip(prediction, known.gold, strict=True)]
    similarities = stored.raw["similarities"]
    names = np.empty(similarities.shape, dtype=object)
    names[:] = found
    shares = softmax(SCALE * similarities)[:, 0]
    return Columns(prediction, correct, shares.tolist(), _neighbours(names, similarities))


def _neighbours(names: NDArray[Any], similarities: NDArray[Any]) -> list[Any]:
    table = np.empty(names.shape, dtype=NEIGHBOUR)
    table["id"], table["similarity"] = names, similarities
    return list(table)


def _equal(found: Sequence[Any], gold: Sequence[Any]) -> list[bool | None]:
    return [None if label is None else one == label for one, label in zip(found, gold, strict=True)]


COLUMNS: dict[Kind, Callable[[Part, Known, Stored], Columns]] = {
    Kind.CLASSIFY: _classes,
    Kind.CHOOSE: _choices,
    Kind.TAG: _tags,
    Kind.EXTRACT: _spans,
    Kind.RETRIEVE: _retrieved,
    Kind.MATCH: _matched,
}
"""Functions that make the columns of each kind."""
