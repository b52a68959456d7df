"""Micro F1 over chunks by the rules of seqeval 0.0.12 (PAN-X, UDPOS), in percent."""

from __future__ import annotations

from collections.abc import Sequence

import datasets
import evaluate

from adaptstilts.evaluate.metrics import chunk_scores

_INPUTS = """
Args:
    predictions: Tags, one list for each sentence; BIO or bare.
    references: Gold tags, one list for each sentence.

Returns:
    f1, precision, recall, token_accuracy
"""


class AdaptstiltsChunkF1(evaluate.Metric):  # type: ignore[misc]
    """Micro F1 over chunks by the rules of seqeval 0.0.12 (PAN-X, UDPOS), in percent."""

    def _info(self) -> evaluate.MetricInfo:
        features = {
            "predictions": datasets.Sequence(datasets.Value("string")),
            "references": datasets.Sequence(datasets.Value("string")),
        }
        return evaluate.MetricInfo(
            description="Micro F1 over chunks by the rules of seqeval 0.0.12 (PAN-X, UDPOS), in percent.",
            citation="Hu et al. 2020",
            inputs_description=_INPUTS,
            features=datasets.Features(features),
        )

    def _compute(self, predictions: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> dict[str, float]:
        return chunk_scores(list(predictions), list(references))


METRIC = AdaptstiltsChunkF1
