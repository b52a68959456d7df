"""The predictions of a study as one pandas data frame with a row per example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any

import numpy as np

from adaptstilts.errors import EvaluationError
from adaptstilts.formatting import number_text
from adaptstilts.predictions.columns import Columns, columns_of
from adaptstilts.predictions.known import Known, Part, StudyData, part_of
from adaptstilts.predictions.selection import Selected, select
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import DataPlace, StageKind
from adaptstilts.study.filters import Filter
from adaptstilts.study.study import Study
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Task

if TYPE_CHECKING:
    import pandas

LABELS = ("study", "variant", "seed", "method", "source", "task", "language", "split")
"""Columns that say where a prediction comes from."""
COLUMNS = (*LABELS, "row", "id", "group", "prediction", "gold", "correct", "confidence", "scores")
WORD = "word"
"""Column that `token_rows` adds."""
_OBJECTS = ("prediction", "gold", "scores")
_BY_WORD = ("prediction", "gold", "correct", "confidence", "scores")


def predictions_frame(
    study: Study,
    *,
    task: Filter = None,
    language: Filter = None,
    method: Filter = None,
    source: Filter = None,
    seed: Filter = None,
    variant: Filter = None,
    split: Filter = None,
) -> pandas.DataFrame:
    """Return the finished predictions of a study, one row per example; ``docs/predictions.md`` shows every kind.

    A row stands for an example of a classification task, a question, a tagged sentence, a sentence that is searched
    for (Tatoeba), a foreign sentence (BUCC2018) or a query (dual encoders). Predictions that several cells of the
    study share appear once for each. A filter is a value or several; ``none`` as ``source`` selects settings without an
    intermediate task.

    Returns:
        Rows in the order of the study's cells, of languages and of the data files, with these columns:

        - ``study``, ``variant``, ``seed``, ``method``, ``source``, ``task``, ``language``, ``split``: origin; variant
          and source are empty where there is none.
        - ``row``: position in the data files of that language and split, from 0.
        - ``id``: the example's own id, unique within language and split.
        - ``group``: a digest of what several examples have in common: the first text of a pair, the prompt of a choice,
          the context of a question, the first paragraph with an answer (LAReQA); the entity's id in Mewsli-X; empty for
          tags, single sentences, sentence retrieval and hidden labels of dual encoders.
        - ``prediction``, ``gold``, ``correct``: by kind; gold and correct are None (correct: NA) where labels are
          hidden. Classes are words, choices indices from 0, tags lists of words. Answers are texts, gold a list of
          them, correct by exact match of the task's metric. Tatoeba: ids of sentences. BUCC2018: lists of ids of
          English sentences, correct where both hold the same. Dual encoders: id of the first candidate, gold the ids
          of all right ones.
        - ``confidence``: softmax at the prediction, over ``scores``; of dual encoders with the scale of training. NaN
          where there is none (BUCC2018).
        - ``scores``: logits of the classes or choices, shape (classes,); of tags, shape (words, tags); else a
          structured array with the fields of `adaptstilts.predictions.columns`, best first.

        ``attrs`` holds ``labels``, by variant and task the label words in the order of the logits (tags that are read
        from data may differ between variants), and ``unfinished``, the names of selected stages that are not finished.

    Raises:
        AdaptstiltsError: If the study has no predictions that the filters admit, it cannot be planned, an artefact is
            damaged, or the data are gone.
    """
    import pandas  # noqa: PLC0415 - loaded only where a frame is made

    filters = {
        "task": task,
        "language": language,
        "method": method,
        "source": source,
        "seed": seed,
        "variant": variant,
        "split": split,
    }
    with study.settings_named():
        selected = select(study.plan, filters)
        data = [stage for stage in study.plan.stages if stage.kind is StageKind.DATA]
        done = study.store.find_all({stage.key: stage for stage in (*data, *(one.stage for one in selected))}.values())
        reader = _Reader(study, done)
        parts = [reader.rows(one) for one in selected if one.stage.key in done]
    unfinished = dict.fromkeys(one.stage.name for one in selected if one.stage.key not in done)
    values = {name: _joined([part.column(name) for part in parts]) for name in COLUMNS}
    frame = pandas.DataFrame(
        {name: pandas.Series(value, dtype=_type(name, parts)) for name, value in values.items()}, columns=list(COLUMNS)
    )
    frame.attrs = {"labels": reader.labels, "unfinished": tuple(unfinished)}
    return frame


def token_rows(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Return one row per word of the tagged sentences in a frame; rows of other tasks are left out.

    The new column ``word``, after ``row``, is the position in the sentence, from 0; ``prediction``, ``gold``,
    ``correct`` and ``confidence`` are those of the word, ``scores`` its logits, shape (tags,).

    Raises:
        EvaluationError: If it is not a frame of predictions with a row per sentence.
    """
    import pandas  # noqa: PLC0415 - loaded only where a frame is made

    require_predictions(frame, ("task", "row", *_BY_WORD))
    words_labelled = {name for name, task in tasks_in(frame).items() if FACTS[task.kind].labels_words}
    tagged = frame[frame["task"].isin(words_labelled)]
    require_sentences(tagged)
    lengths = [len(tags) for tags in tagged["prediction"]]
    words = tagged.iloc[np.repeat(np.arange(len(tagged)), lengths)].reset_index(drop=True)
    for name in _BY_WORD:
        by_sentence = zip(tagged[name], lengths, strict=True)
        flat = _objects([item for value, count in by_sentence for item in ([None] * count if value is None else value)])
        words[name] = pandas.Series(flat, dtype=_WORD_TYPES.get(name, object))
    places = np.array([place for count in lengths for place in range(count)], dtype=np.int64)
    words.insert(words.columns.get_loc("row") + 1, WORD, places)
    words.attrs = dict(frame.attrs)
    return words


def require_predictions(frame: object, columns: Sequence[str]) -> None:
    """Check that a frame has columns of predictions, and a row per example.

    Raises:
        EvaluationError: If it has not.
    """
    import pandas  # noqa: PLC0415 - loaded only where a frame is made

    hint = FRAME_HINT
    if not isinstance(frame, pandas.DataFrame):
        raise EvaluationError(f"a value of type {type(frame).__name__} is not a pandas frame", key="frame", hint=hint)
    if WORD in frame:
        hint = "Give the frame that token_rows was given; token accuracy is the mean of the column correct."
        raise EvaluationError("this frame has a row per word, not per example", key="frame", hint=hint)
    missing = [name for name in columns if name not in frame]
    if missing:
        what = "frame of study.results() has scores, not predictions: it" if "metric" in frame else "frame"
        raise EvaluationError(f"the {what} lacks the columns {', '.join(missing)}", key="frame", hint=hint)


def tasks_in(frame: pandas.DataFrame) -> dict[str, Task]:
    """Return the tasks of a frame of predictions by name, in the order in which they occur.

    Raises:
        EvaluationError: If a value of the column ``task`` or ``language`` is not text.
        ConfigError: If a task is unknown.
    """
    for column in ("task", "language"):
        for name in frame[column].unique():
            if not isinstance(name, str):
                problem = f"the column {column} has the value {name}, which is not text"
                raise EvaluationError(problem, key="frame", hint=FRAME_HINT)
    return {name: get_task(name) for name in frame["task"].unique()}


def require_sentences(tagged: pandas.DataFrame) -> None:
    """Check that each prediction of tagged sentences is a list, and each gold label one of equal length or None.

    Raises:
        EvaluationError: If one is not.
    """
    for label, found, gold in zip(tagged.index, tagged["prediction"], tagged["gold"], strict=True):
        if not isinstance(found, list | tuple):
            problem = f"row {label}: the prediction {shortened(found)} is not a list of tags"
            raise EvaluationError(problem, key="frame", hint=FRAME_HINT)
        if gold is not None and (not isinstance(gold, list | tuple) or len(gold) != len(found)):
            problem = (
                f"row {label}: gold {shortened(gold)} does not have a tag for each of {number_text(len(found), 'word')}"
            )
            raise EvaluationError(problem, key="frame", hint=FRAME_HINT)


FRAME_HINT = (
    "Give a frame of study.predictions(), or rows of it with all columns (to_pickle keeps it, to_csv does not)."
)
_WORD_TYPES = {"correct": "boolean", "confidence": "float64"}


@dataclass(frozen=True)
class _Rows:
    """Rows of one language of one cell."""

    labels: Mapping[str, str | int]
    known: Known
    columns: Columns
    by_word: bool

    def column(self, name: str) -> Any:  # noqa: ANN401 - an array or a list
        count = len(self.known.ids)
        if name in self.labels:
            return [self.labels[name]] * count
        facts = {"row": self.known.rows, "id": self.known.ids, "group": self.known.groups, "gold": self.known.gold}
        return facts[name] if name in facts else getattr(self.columns, name)


class _Reader:
    """Reads selected predictions; each artefact and each data file is read once, however many cells share it."""

    def __init__(self, study: Study, done: Mapping[str, Artefact]) -> None:
        own = study.variants[0].config.data
        self._name = study.config.name
        self._done = done
        self._data = StudyData(study.plan, done, DataPlace(own.root, own.quoting))
        self._read: dict[tuple[str, str], tuple[Part, Known, Columns]] = {}
        self.labels: dict[str, dict[str, tuple[str, ...]]] = {}

    def rows(self, selected: Selected) -> _Rows:
        key = (selected.stage.key, selected.language)
        if key not in self._read:
            part = part_of(selected)
            known = self._data.of(selected.stage).known(part)
            self._read[key] = (part, known, columns_of(part, known, self._done[selected.stage.key]))
        part, known, columns = self._read[key]
        if FACTS[part.task.kind].has_labels:
            self.labels.setdefault(selected.cell.variant, {})[part.task.name] = tuple(known.referred)
        labels = {"study": self._name, **selected.values}
        return _Rows(labels, known, columns, FACTS[part.task.kind].labels_words)


def _joined(parts: Sequence[Sequence[Any]]) -> Any:  # noqa: ANN401 - what pandas takes
    return _objects([value for part in parts for value in part])


def _objects(values: Sequence[Any]) -> Any:  # noqa: ANN401
    """Return values as an array of objects, so that arrays among them stay what they are."""
    return np.fromiter(values, dtype=object, count=len(values))


def _type(name: str, parts: Sequence[_Rows]) -> Any:  # noqa: ANN401 - types as pandas takes them
    if name in {"seed", "row"}:
        return "int64"
    if name in _OBJECTS or (name in _WORD_TYPES and any(part.by_word for part in parts)):
        return object
    return _WORD_TYPES.get(name, str)
