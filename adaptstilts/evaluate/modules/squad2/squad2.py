"""Exact match and F1 of SQuAD 2.0, in which questions may have no answer, in percent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate

from adaptstilts.evaluate.qa import squad2_scores

_INPUTS = """
Args:
    predictions: One record with id and prediction_text for each question.
    references: One record with id and answers (text, answer_start) for each question, as in SQuAD. Both may be empty.

Returns:
    exact_match, f1; with both sorts of question also answerable_exact_match, answerable_f1, unanswerable_accuracy
"""


class AdaptstiltsSquad2(evaluate.Metric):  # type: ignore[misc]
    """Exact match and F1 of SQuAD 2.0, in which questions may have no answer, in percent."""

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
            description="Exact match and F1 of SQuAD 2.0, in which questions may have no answer, in percent.",
            citation="Rajpurkar et al. 2018",
            inputs_description=_INPUTS,
            features=datasets.Features(features),
        )

    def _compute(self, predictions: Sequence[dict[str, Any]], references: Sequence[dict[str, Any]]) -> dict[str, float]:
        answers = {record["id"]: record["prediction_text"] for record in predictions}
        gold = {record["id"]: record["answers"]["text"] for record in references}
        return squad2_scores(answers, gold)


METRIC = AdaptstiltsSquad2
