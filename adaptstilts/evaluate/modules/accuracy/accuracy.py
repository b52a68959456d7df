"""Share of right labels, in percent."""

from __future__ import annotations

from collections.abc import Sequence

import datasets
import evaluate

from adaptstilts.evaluate.metrics import accuracy

_INPUTS = """
Args:
    predictions: Label words or numbers, one for each example.
    references: Gold labels in the same order.

Returns:
    accuracy
"""


class AdaptstiltsAccuracy(evaluate.Metric):  # type: ignore[misc]
    """Share of right labels, in percent."""

    def _info(self) -> evaluate.MetricInfo:
        features = {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
        return evaluate.MetricInfo(
            description="Share of right labels, in percent.",
            citation="Hu et al. 2020",
            inputs_description=_INPUTS,
            features=datasets.Features(features),
        )

    def _compute(self, predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        return {"accuracy": accuracy(list(predictions), list(references))}


METRIC = AdaptstiltsAccuracy
