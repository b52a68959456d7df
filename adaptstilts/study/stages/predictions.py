"""Predictions of a target in one language, and their files in an artefact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adaptstilts.store.artefact import Artefact
from adaptstilts.store.json_files import write_json
from adaptstilts.study.layout import PREDICTIONS_FOLDER, RAW_FOLDER
from adaptstilts.tasks.spec import Split

if TYPE_CHECKING:
    from adaptstilts.evaluate.predict import Predicted


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


def load_predictions(artefact: Artefact, language: str) -> dict[str, Any]:
    """Read what `save_predictions` has written of a language, except the raw scores.

    Returns:
        ``predictions``, ``split``, ``examples``, ``note`` and the entries of ``settings``.
    """
    record: dict[str, Any] = artefact.read_json(f"{PREDICTIONS_FOLDER}/{language}.json")
    return record
