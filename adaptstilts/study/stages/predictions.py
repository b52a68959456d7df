"""Predictions of a target in one language, and their files in an artefact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from adaptstilts.store.artefact import Artefact
from adaptstilts.store.json_files import write_json
from adaptstilts.study.layout import PREDICTIONS_FOLDER, RAW_FOLDER
from adaptstilts.study.plan.retrieval import use_of
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.spec import Kind, Split, Task

if TYPE_CHECKING:
    from adaptstilts.evaluate.predict import Predicted


Form: TypeAlias = "tuple[Callable[[Any], bool], str]"
"""A check of predictions, and the form that it looks for."""


@dataclass(frozen=True)
class LanguageResult:
    """Predictions of a target in one language.

    Attributes:
        language: ISO 639-1 code.
        split: Split that is scored.
        found: Predictions and raw scores.
        examples: Number of examples or queries; for mining, of English sentences.
        note: Remark for readers of the score.
        settings: Settings that scoring needs to know: for sentence retrieval, the direction.
    """

    language: str
    split: Split
    found: Predicted
    examples: int
    note: str = ""
    settings: Mapping[str, str | None] = field(default_factory=dict)


def save_predictions(result: LanguageResult, folder: Path) -> None:
    """Write predictions and raw scores below the folder of an artefact."""
    record = {
        "split": result.split.value,
        "examples": result.examples,
        "note": result.note,
        **result.settings,
        "predictions": result.found.predictions,
    }
    write_json(folder / PREDICTIONS_FOLDER / f"{result.language}.json", record)
    raw = folder / RAW_FOLDER / f"{result.language}.npz"
    raw.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(raw, **result.found.raw)  # type: ignore[arg-type]


def load_predictions(artefact: Artefact, language: str, task: Task) -> dict[str, Any]:
    """Read what `save_predictions` has written of a language, except the raw scores.

    Args:
        task: The task that was predicted; its predictions have one form.

    Returns:
        ``predictions``, ``split``, ``examples``, ``note`` and the entries of ``settings``.

    Raises:
        DamagedError: If the file is missing or damaged, or holds something else.
    """
    record = artefact.record(f"{PREDICTIONS_FOLDER}/{language}.json")
    record.text("split"), record.text("note"), record.count("examples")
    is_mined = FACTS[task.kind].is_bitext and use_of(task) == "mine"
    if is_mined and record.values.get("direction", "") is not None:
        raise record.wrong("direction", "null")
    if FACTS[task.kind].is_bitext and not is_mined:
        record.text("direction")
    is_right, expected = _PAIRS if is_mined else _FORMS[task.kind]
    if not is_right(record.values.get("predictions")):
        raise record.wrong("predictions", expected)
    return dict(record.values)


def _are_numbers(value: object) -> bool:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_NUMBERS: Form = (_are_numbers, "a list of numbers from 0")
_PAIRS: Form = (
    lambda value: isinstance(value, list) and all(_are_texts(item) and len(item) == 2 for item in value),
    "a list of pairs of ids",
)
_FORMS: dict[Kind, Form] = {
    Kind.CLASSIFY: _NUMBERS,
    Kind.CHOOSE: _NUMBERS,
    Kind.RETRIEVE: _NUMBERS,
    Kind.TAG: (lambda value: isinstance(value, list) and all(map(_are_texts, value)), "a list of lists of tags"),
    Kind.EXTRACT: (
        lambda value: isinstance(value, dict) and all(isinstance(item, str) for item in value.values()),
        "a table of answers",
    ),
    Kind.MATCH: (
        lambda value: isinstance(value, dict) and all(map(_are_texts, value.values())),
        "a table of lists of ids",
    ),
}
"""Checks of predictions by kind of task, with the form that they should have."""
