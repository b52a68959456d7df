"""Share of English sentences whose nearest foreign sentence is the right one, in percent."""

from __future__ import annotations

from collections.abc import Sequence

import datasets
import evaluate

from adaptstilts.evaluate.metrics import accuracy

_INPUTS = """
Args:
    predictions: For each English sentence the row (from 0) of the foreign sentence found.
    references: The right rows.

Returns:
    accuracy
"""


class AdaptstiltsTatoeba(evaluate.Metric):  # type: ignore[misc]
    """Share of English sentences whose nearest foreign sentence is the right one, in percent."""

    def _info(self) -> evaluate.MetricInfo:
        features = {"predictions": datasets.Value("int64"), "references": datasets.Value("int64")}
        return evaluate.MetricInfo(
            description="Share of English sentences whose nearest foreign sentence is the right one, in percent.",
            citation="Artetxe and Schwenk 2019",
            inputs_description=_INPUTS,
            features=datasets.Features(features),
        )

    def _compute(self, predictions: Sequence[int], references: Sequence[int]) -> dict[str, float]:
        return {"accuracy": accuracy(list(predictions), list(references))}


METRIC = AdaptstiltsTatoeba
