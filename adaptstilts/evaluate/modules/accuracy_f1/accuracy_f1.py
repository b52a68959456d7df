"""Accuracy and F1 of class 1 (QQP), in percent."""

from __future__ import annotations

from collections.abc import Sequence

import datasets
import evaluate

from adaptstilts.evaluate.metrics import accuracy_f1

_INPUTS = """
Args:
    predictions: 0 or 1 for each example.
    references: Gold classes in the same order.

Returns:
    accuracy, f1
"""


class AdaptstiltsAccuracyF1(evaluate.Metric):  # type: ignore[misc]
    """Accuracy and F1 of class 1 (QQP), in percent."""

    def _info(self) -> evaluate.MetricInfo:
        features = {"predictions": datasets.Value("int64"), "references": datasets.Value("int64")}
        return evaluate.MetricInfo(
            description="Accuracy and F1 of class 1 (QQP), in percent.",
            citation="Wang et al. 2018 (GLUE)",
            inputs_description=_INPUTS,
            features=datasets.Features(features),
        )

    def _compute(self, predictions: Sequence[int], references: Sequence[int]) -> dict[str, float]:
        return accuracy_f1(list(predictions), list(references))


METRIC = AdaptstiltsAccuracyF1
