"""Scores of a frame of predictions, or of any part of one: equal to those of the study on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Real
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any

from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.metrics import score_examples
from adaptstilts.predictions.frame import FRAME_HINT, LABELS, require_predictions, require_sentences, tasks_in
from adaptstilts.study.plan.retrieval import use_of
from adaptstilts.tasks.spec import Kind, Metric, Task

if TYPE_CHECKING:
    import pandas

COLUMNS = (*LABELS, "metric", "value", "examples")


def score_frame(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Score predictions, for each study, variant, seed, method, source, task, language and split of a frame.

    Each is scored by the metric of its task on the rows that are there; rows whose labels are hidden are left out. A
    row that occurs several times, as in a sample with replacement, counts each time.

    Returns:
        One row per score, with the columns of the origin, ``metric``, ``value`` in percent and ``examples``, the number
        of rows.

    Raises:
        EvaluationError: If it is not a frame of predictions, has other values than one, such as numbers in place of
            labels, or has a row per word: metrics of tags need whole sentences.
    """
    import pandas  # noqa: PLC0415 - loaded only where a frame is made

    require_predictions(frame, (*LABELS, "id", "prediction", "gold"))
    tasks = tasks_in(frame)
    if any(task.kind is Kind.MATCH for task in tasks.values()):
        require_predictions(frame, ("scores",))
    labelled = frame[frame["gold"].notna()]
    rows: list[tuple[Any, ...]] = []
    for origin, part in labelled.groupby(list(LABELS), sort=False, dropna=False):
        labels = dict(zip(LABELS, origin, strict=True))
        task = tasks[labels["task"]]
        _check_values(task, part)
        predictions, gold = _ARGUMENTS[task.kind](task, part)
        scores = score_examples(task.metric, predictions, gold, labels["language"])
        rows += [(*origin, metric, value, len(part)) for metric, value in scores.items()]
    return pandas.DataFrame(rows, columns=list(COLUMNS))


def _check_values(task: Task, part: pandas.DataFrame) -> None:
    """Refuse predictions and gold of other types or words than those of a task: they would count as wrong answers."""
    for column in ("prediction", "gold"):
        for row, value in zip(part.index, part[column], strict=True):
            wanted = _misfit(task, column, value)
            if wanted is not None:
                problem = f"row {row}: the {column} {shortened(value)} is not {wanted}"
                raise EvaluationError(problem, key="frame", allowed=task.labels, hint=FRAME_HINT)


def _misfit(task: Task, column: str, value: object) -> str | None:
    """Return what a prediction or a gold label should be and is not; None if it fits.

    That tags are lists is left to `require_sentences`.
    """
    is_text, is_list = isinstance(value, str), isinstance(value, list | tuple)
    words = value if isinstance(value, list | tuple) else (value,)
    if task.kind is Kind.CLASSIFY:
        fits, wanted = is_text and _are_labels(task, words), f"a label of {task.name}"
    elif task.kind is Kind.TAG:
        fits, wanted = not is_list or _are_labels(task, words), f"a list of tags of {task.name}"
    elif task.kind is Kind.CHOOSE:
        fits = not isinstance(value, bool) and isinstance(value, Real) and float(value).is_integer()
        wanted = "the number of a choice"
    elif task.kind is Kind.EXTRACT and column == "gold":
        fits, wanted = is_list and all(isinstance(word, str) for word in words), "a list of texts"
    elif task.kind is Kind.EXTRACT or (task.kind is Kind.RETRIEVE and use_of(task) == "search"):
        fits, wanted = is_text, "text"
    else:
        fits, wanted = task.kind is not Kind.RETRIEVE or is_list, "a list of ids"
    return None if fits else wanted


def _are_labels(task: Task, words: Iterable[object]) -> bool:
    """Say whether words are labels of a task; of one whose labels are those of its data, any words are."""
    return all(word in task.labels if task.labels else isinstance(word, str) for word in words)


def _classes(task: Task, part: pandas.DataFrame) -> tuple[Any, Any]:
    if task.metric is not Metric.ACCURACY_F1:
        return _lists(task, part)
    # The F1 of a class needs to know which is the positive one: the second.
    found, wanted = _lists(task, part)
    return [task.labels.index(word) for word in found], [task.labels.index(word) for word in wanted]


def _lists(_: Task, part: pandas.DataFrame) -> tuple[Any, Any]:
    return part["prediction"].tolist(), part["gold"].tolist()


def _tags(task: Task, part: pandas.DataFrame) -> tuple[Any, Any]:
    require_sentences(part)
    return _lists(task, part)


def _answers(_: Task, part: pandas.DataFrame) -> tuple[Any, Any]:
    names = _names(part)
    return dict(zip(names, part["prediction"], strict=True)), dict(zip(names, part["gold"], strict=True))


def _sentences(task: Task, part: pandas.DataFrame) -> tuple[Any, Any]:
    if use_of(task) == "search":
        return _lists(task, part)
    names = _names(part)
    found, wanted = (
        {(name, other) for name, others in zip(names, part[column], strict=True) for other in others}
        for column in ("prediction", "gold")
    )
    return found, wanted


def _candidates(_: Task, part: pandas.DataFrame) -> tuple[Any, Any]:
    names = _names(part)
    found = {name: scores["id"].tolist() for name, scores in zip(names, part["scores"], strict=True)}
    return found, dict(zip(names, part["gold"], strict=True))


def _names(part: pandas.DataFrame) -> list[str]:
    """Return the ids, with a number after those that occur again; the metrics tell rows apart by them."""
    repeated = part.groupby("id", sort=False).cumcount().tolist()
    return [f"{name}#{number}" if number else name for name, number in zip(part["id"], repeated, strict=True)]


_ARGUMENTS: dict[Kind, Callable[[Task, pandas.DataFrame], tuple[Any, Any]]] = {
    Kind.CLASSIFY: _classes,
    Kind.CHOOSE: _lists,
    Kind.TAG: _tags,
    Kind.EXTRACT: _answers,
    Kind.RETRIEVE: _sentences,
    Kind.MATCH: _candidates,
}
"""Functions that make, of the rows of a task of each kind, predictions and gold as the metrics take them."""
