"""Precision, recall and F1 of mined sentence pairs, in percent."""

from __future__ import annotations

from collections.abc import Sequence

import datasets
import evaluate

from adaptstilts.evaluate.metrics import bucc_scores

_INPUTS = """
Args:
    predictions: For each collection, its mined pairs [foreign id, English id].
    references: For each collection, its gold pairs. The pairs of all collections are pooled.

Returns:
    f1, precision, recall
"""


class AdaptstiltsBucc(evaluate.Metric):  # type: ignore[misc]
    """Precision, recall and F1 of mined sentence pairs, in percent."""

    def _info(self) -> evaluate.MetricInfo:
        features = {
            "predictions": datasets.Sequence(datasets.Sequence(datasets.Value("string"))),
            "references": datasets.Sequence(datasets.Sequence(datasets.Value("string"))),
        }
        return evaluate.MetricInfo(
            description="Precision, recall and F1 of mined sentence pairs, in percent.",
            citation="Zweigenbaum et al. 2018",
            inputs_description=_INPUTS,
            features=datasets.Features(features),
        )

    def _compute(
        self, predictions: Sequence[Sequence[Sequence[str]]], references: Sequence[Sequence[Sequence[str]]]
    ) -> dict[str, float]:
        return bucc_scores(_pool(predictions), _pool(references))


def _pool(collections: Sequence[Sequence[Sequence[str]]]) -> set[tuple[str, str]]:
    """Join the pairs of all collections; equal ids of two collections stay apart."""
    return {(f"{number}:{foreign}", english) for number, pairs in enumerate(collections) for foreign, english in pairs}


METRIC = AdaptstiltsBucc
