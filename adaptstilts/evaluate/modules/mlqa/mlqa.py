"""Exact match and F1 with MLQA's normaliser of the answer language, in percent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate

from adaptstilts.evaluate.qa import mlqa_scores

_INPUTS = """
Args:
    predictions: One record with id and prediction_text for each question.
    references: One record with id and answers (text, answer_start) for each question, as in SQuAD.
    language: ISO 639-1 code of the answers, such as "de".

Returns:
    exact_match, f1
"""


class AdaptstiltsMlqa(evaluate.Metric):  # type: ignore[misc]
    """Exact match and F1 with MLQA's normaliser of the answer language, in percent."""

    def _info(self) -> evaluate.MetricInfo:
        features = {
            "predictions": {"id": datasets.Value("string"), "prediction_text": datasets.Value("string")},
            "references": {
                "id": datasets.Value("string"),
                "answers": {
                    "text": datasets.Sequence(datasets.Value("string")),
                    "answer_start": datasets.Sequence(datasets.Value("int64")),
                },
            },
        }
        return evaluate.MetricInfo(
            description="Exact match and F1 with MLQA's normaliser of the answer language, in percent.",
            citation="Lewis et al. 2020",
            inputs_description=_INPUTS,
            features=datasets.Features(features),
        )

    def _compute(
        self, predictions: Sequence[dict[str, Any]], references: Sequence[dict[str, Any]], language: str
    ) -> dict[str, float]:
        answers = {record["id"]: record["prediction_text"] for record in predictions}
        gold = {record["id"]: record["answers"]["text"] for record in references}
        return mlqa_scores(answers, gold, language)


METRIC = AdaptstiltsMlqa
