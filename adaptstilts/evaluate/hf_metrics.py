"""The metrics as objects of the Hugging Face `evaluate` library, for use outside of a study; no network is needed.

``load("chunk_f1")`` makes one, and so does ``evaluate.load(hf_metrics.__file__, "chunk_f1")``. All scores are in
percent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import evaluate

from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.metrics import accuracy, accuracy_f1, bucc_scores, chunk_scores
from adaptstilts.evaluate.qa import mlqa_scores, squad2_scores, squad_scores

_WORD, _NUMBER = datasets.Value("string"), datasets.Value("int64")
_UNCUT = datasets.Value("float64")
"""Type of classes and rows: whole numbers would be cut out of probabilities, without a word."""
_ANSWER = {"id": _WORD, "prediction_text": _WORD}
_GOLD_ANSWERS = {"id": _WORD, "answers": {"text": datasets.Sequence(_WORD), "answer_start": datasets.Sequence(_NUMBER)}}
_ANSWER_HELP = "One record with id and prediction_text for each question."
_GOLD_HELP = "One record with id and answers (text, answer_start) for each question, as in SQuAD."


@dataclass(frozen=True)
class MetricSpec:
    """What the library needs to know of a metric.

    Attributes:
        description: What it measures.
        citation: Where it comes from.
        features: Types of one prediction and one reference.
        help: Argument names and what they take, in the form of a docstring's lines.
        returns: Names of the scores.
        scores: Function of predictions, references and options that gives them.
    """

    description: str
    citation: str
    features: tuple[Any, Any]
    help: Mapping[str, str]
    returns: str
    scores: Callable[..., dict[str, float]]


def _accuracy(predictions: Sequence[Any], references: Sequence[Any]) -> dict[str, float]:
    return {"accuracy": accuracy(predictions, references)}


def _binary(predictions: Sequence[float], references: Sequence[float]) -> dict[str, float]:
    for name, classes in (("predictions", predictions), ("references", references)):
        wrong = next((one for one in classes if one not in {0, 1}), None)
        if wrong is not None:
            raise EvaluationError(f"{wrong:.15g} is not a class", key=name, allowed=(0, 1))
    return accuracy_f1([int(one) for one in predictions], [int(one) for one in references])


def _rows(predictions: Sequence[float], references: Sequence[float]) -> dict[str, float]:
    """Score row numbers; references that are all rows say how many there are, as in `adaptstilts.submission`."""
    is_whole = set(references) == set(range(len(references)))
    for name, rows in (("predictions", predictions), ("references", references)):
        wrong = next((row for row in rows if not _is_row(row, len(references) if is_whole else None)), None)
        if wrong is not None:
            allowed = [f"0 to {len(references) - 1}" if is_whole else "0, 1, 2, ..."]
            raise EvaluationError(f"row {wrong:.15g} does not exist", key=name, allowed=allowed, hint="Count from 0.")
    return _accuracy(predictions, references)


def _is_row(number: float, count: int | None) -> bool:
    return number >= 0 and float(number).is_integer() and (count is None or number < count)


def _pooled_bucc(predictions: Sequence[Any], references: Sequence[Any]) -> dict[str, float]:
    return bucc_scores(_pool(predictions, "predictions"), _pool(references, "references"))


def _pool(collections: Sequence[Sequence[Sequence[str]]], name: str) -> set[tuple[str, str]]:
    """Join the pairs of all collections; equal ids of two collections stay apart."""
    pooled: set[tuple[str, str]] = set()
    for number, pairs in enumerate(collections):
        for pair in pairs:
            if len(pair) != 2:
                raise EvaluationError(f"{list(pair)} is not a foreign id and an English id", key=name)
            joined = (f"{number}:{pair[0]}", pair[1])
            if joined in pooled:
                raise EvaluationError(
                    f"the pair {' '.join(pair)} is there twice", key=name, hint="Keep one of the two."
                )
            pooled.add(joined)
    return pooled


def _answers(records: Sequence[Mapping[str, Any]], field: str, name: str) -> dict[str, Any]:
    """Return a field of SQuAD's records by question id."""
    found = {record["id"]: record[field] for record in records}
    if len(found) < len(records):
        twice = Counter(record["id"] for record in records).most_common(1)[0][0]
        raise EvaluationError(f"the question id '{twice}' is there twice", key=name, hint="Give each question one id.")
    return found


def _by_question(scores: Callable[..., dict[str, float]]) -> Callable[..., dict[str, float]]:
    """Let a function of answers by question id take SQuAD's records."""

    def of_records(
        predictions: Sequence[Mapping[str, Any]], references: Sequence[Mapping[str, Any]], **options: str
    ) -> dict[str, float]:
        answers = _answers(predictions, "prediction_text", "predictions")
        gold = {name: answer["text"] for name, answer in _answers(references, "answers", "references").items()}
        unknown = next((name for name in answers if name not in gold), None)
        if unknown is not None:
            raise EvaluationError(f"'{unknown}' is not the id of a reference", key="predictions", value=unknown)
        return scores(answers, gold, **options)

    return of_records


METRICS: Mapping[str, MetricSpec] = {
    "accuracy": MetricSpec(
        description="Share of right labels, in percent.",
        citation="Hu et al. 2020",
        features=(_WORD, _WORD),
        help={
            "predictions": "Label words or numbers, one for each example.",
            "references": "Gold labels in the same order.",
        },
        returns="accuracy",
        scores=_accuracy,
    ),
    "accuracy_f1": MetricSpec(
        description="Accuracy and F1 of class 1 (QQP), in percent.",
        citation="Wang et al. 2018 (GLUE)",
        features=(_UNCUT, _UNCUT),
        help={"predictions": "0 or 1 for each example.", "references": "Gold classes in the same order."},
        returns="accuracy, f1",
        scores=_binary,
    ),
    "bucc": MetricSpec(
        description="Precision, recall and F1 of mined sentence pairs, in percent.",
        citation="Zweigenbaum et al. 2018",
        features=(datasets.Sequence(datasets.Sequence(_WORD)),) * 2,
        help={
            "predictions": "For each collection, its mined pairs [foreign id, English id].",
            "references": "For each collection, its gold pairs. The pairs of all collections are pooled.",
        },
        returns="f1, precision, recall",
        scores=_pooled_bucc,
    ),
    "chunk_f1": MetricSpec(
        description="Micro F1 over chunks by the rules of seqeval 0.0.12 (PAN-X, UDPOS), in percent.",
        citation="Hu et al. 2020",
        features=(datasets.Sequence(_WORD),) * 2,
        help={
            "predictions": "Tags, one list for each sentence; BIO or bare.",
            "references": "Gold tags, one list for each sentence.",
        },
        returns="f1, precision, recall, token_accuracy, chunk_f1_seqeval1 (the F1 by the rules of seqeval 1.2.2)",
        scores=chunk_scores,
    ),
    "mlqa": MetricSpec(
        description="Exact match and F1 with MLQA's normaliser of the answer language, in percent.",
        citation="Lewis et al. 2020",
        features=(_ANSWER, _GOLD_ANSWERS),
        help={
            "predictions": _ANSWER_HELP,
            "references": _GOLD_HELP,
            "language": 'ISO 639-1 code of the answers, such as "de".',
        },
        returns="exact_match, f1",
        scores=_by_question(mlqa_scores),
    ),
    "squad": MetricSpec(
        description="Exact match and F1 of SQuAD 1.1 (XQuAD, TyDiQA), in percent.",
        citation="Rajpurkar et al. 2016",
        features=(_ANSWER, _GOLD_ANSWERS),
        help={"predictions": _ANSWER_HELP, "references": _GOLD_HELP},
        returns="exact_match, f1",
        scores=_by_question(squad_scores),
    ),
    "squad2": MetricSpec(
        description="Exact match and F1 of SQuAD 2.0, in which questions may have no answer, in percent.",
        citation="Rajpurkar et al. 2018",
        features=(_ANSWER, _GOLD_ANSWERS),
        help={"predictions": _ANSWER_HELP, "references": f"{_GOLD_HELP} Both may be empty."},
        returns="exact_match, f1; with both sorts of question also answerable_exact_match, answerable_f1, "
        "unanswerable_accuracy",
        scores=_by_question(squad2_scores),
    ),
    "tatoeba": MetricSpec(
        description="Share of English sentences whose nearest foreign sentence is the right one, in percent.",
        citation="Artetxe and Schwenk 2019",
        features=(_UNCUT, _UNCUT),
        help={
            "predictions": "For each English sentence the row (from 0) of the foreign sentence found.",
            "references": "The right rows.",
        },
        returns="accuracy",
        scores=_rows,
    ),
}
"""The metrics by name."""


class AdaptstiltsMetric(evaluate.Metric):  # type: ignore[misc]
    """The metric of `METRICS` that the library's ``config_name`` names."""

    @property
    def name(self) -> str:
        """Name under which `evaluate.combine` reports it."""
        return f"adaptstilts_{self.config_name}"

    def _info(self) -> evaluate.MetricInfo:
        if self.config_name not in METRICS:
            name = self.config_name
            raise EvaluationError(f"'{name}' is not a metric", value=name, allowed=METRICS)
        spec = METRICS[self.config_name]
        arguments = "\n".join(f"    {name}: {text}" for name, text in spec.help.items())
        return evaluate.MetricInfo(
            description=spec.description,
            citation=spec.citation,
            inputs_description=f"\nArgs:\n{arguments}\n\nReturns:\n    {spec.returns}\n",
            features=datasets.Features(dict(zip(("predictions", "references"), spec.features, strict=True))),
        )

    def _compute(self, predictions: Sequence[Any], references: Sequence[Any], **options: str) -> dict[str, float]:
        spec = METRICS[self.config_name]
        wanted = spec.help.keys() - {"predictions", "references"}
        for name in sorted(wanted ^ options.keys()):
            problem = "this argument is missing" if name in wanted else "no argument of this metric"
            hint = spec.help.get(name)
            raise EvaluationError(problem, key=name, value=name, allowed=() if hint else sorted(spec.help), hint=hint)
        return spec.scores(predictions, references, **options)


def load(name: str, *, cache_dir: Path | str | None = None) -> AdaptstiltsMetric:
    """Make a metric of the `evaluate` library, with `compute`, `add` and `add_batch`.

    Args:
        name: One of `METRICS`.
        cache_dir: Folder in which the library keeps an (empty) folder for each metric; its own cache where None, which
            the environment variable ``HF_HOME`` moves. Examples stay in memory.

    Raises:
        EvaluationError: If there is no such metric.
    """
    return AdaptstiltsMetric(name, keep_in_memory=True, cache_dir=None if cache_dir is None else str(cache_dir))
