"""Columns of each kind from stored predictions: what small studies do not show."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from adaptstilts.errors import DamagedError, EvaluationError
from adaptstilts.predictions.columns import _EXACT_MATCH, COLUMNS, Columns, Stored, columns_of, softmax
from adaptstilts.predictions.frame import LABELS, predictions_frame
from adaptstilts.predictions.known import Known, Part, part_of
from adaptstilts.predictions.scores import score_frame
from adaptstilts.predictions.selection import select
from adaptstilts.store.stage import StageKind
from adaptstilts.study.study import Study
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.tasks.spec import Kind, Split


def columns(task: str, known: Known, predictions: Any, **raw: Any) -> Columns:
    part = Part(get_task(task), "en", Split.TEST, (("en", Split.TEST),), None, None, ())
    return COLUMNS[part.task.kind](part, known, Stored(predictions, {name: np.array(raw[name]) for name in raw}))


def known(ids: list[str], gold: list[Any], referred: list[str] | None = None) -> Known:
    return Known(range(len(ids)), ids, [""] * len(ids), gold, referred or [])


def test_softmax_gives_minus_infinity_no_share_and_nothing_to_an_empty_row():
    shares = softmax(np.array([[0.0, -np.inf, 0.0], [-np.inf] * 3, [1e4, 0.0, 0.0]]))
    assert shares[0].tolist() == [0.5, 0, 0.5]
    assert np.isnan(shares[1]).all()
    assert shares[2].tolist() == [1, 0, 0]


def test_choices_beyond_those_of_a_question_are_left_out():
    logits = np.array([[0.0, 0.0, -np.inf], [0.0, 0.0, 0.0]], dtype=np.float32)
    found = columns("xcopa", known(["a", "b"], [0, None]), [1, 2], logits=logits)
    assert [scores.tolist() for scores in found.scores] == [[0, 0], [0, 0, 0]]
    assert found.confidence == pytest.approx([1 / 2, 1 / 3])
    assert found.correct == [False, None]


def answers(task: str, predictions: dict[str, str], gold: list[Any], nulls: list[float]) -> Columns:
    """Answers to three questions on "At noon": two spans, one span, no span."""
    facts = known(["a", "b", "c"], gold, ["At noon"] * 3)
    return columns(
        task,
        facts,
        predictions,
        starts=[[3, 2], [0, -1], [-1, -1]],
        ends=[[7, 7], [7, -1], [-1, -1]],
        scores=np.array([[2, 1], [1, np.nan], [np.nan, np.nan]], dtype=np.float32),
        null_scores=np.array(nulls, dtype=np.float32),
    )


def test_no_answer_is_the_last_span_of_a_task_that_knows_it():
    found = answers("squad2", {"c": "", "b": "", "a": "noon"}, [["noon"], [], None], [0, 3, 0])
    assert [spans["text"].tolist() for spans in found.scores] == [["noon", "noon", ""], ["At noon", ""], [""]]
    assert found.scores[0].tolist() == [("noon", 3, 7, 2), ("noon", 2, 7, 1), ("", -1, -1, 0)]
    assert found.prediction == ["noon", "", ""]
    assert found.correct == [True, True, None]
    first, second = math.exp(2) / (math.exp(2) + math.e + 1), math.exp(3) / (math.exp(3) + math.e)
    assert found.confidence == pytest.approx([first, second, 1], rel=1e-6)


def test_every_question_answering_metric_says_whether_one_answer_is_right():
    assert {task.metric for task in all_tasks() if task.kind is Kind.EXTRACT} <= set(_EXACT_MATCH)


def test_question_without_any_span_has_no_confidence():
    found = answers("squad1", {"a": "noon", "b": "At noon", "c": ""}, [["noon"], ["at Noon!"], None], [9, 9, 9])
    assert [len(spans) for spans in found.scores] == [2, 1, 0]
    assert found.correct == [True, True, None]
    assert found.confidence[:2] == pytest.approx([math.e / (math.e + 1), 1])
    assert math.isnan(found.confidence[2])


def test_sentence_that_a_margin_finds_beyond_the_nearest_has_no_confidence():
    found = columns(
        "tatoeba",
        known(["0", "1"], ["x", "z"], ["x", "y", "z"]),
        [1, 2],
        nearest=[[0, 1], [0, 1]],
        similarities=np.array([[0.5, 0.5], [0.5, 0.5]], dtype=np.float32),
    )
    assert found.prediction == ["y", "z"]
    assert found.correct == [False, True]
    assert found.confidence[0] == pytest.approx(0.5)
    assert math.isnan(found.confidence[1])


def test_mined_sentences_may_have_several_partners_or_none():
    found = columns(
        "bucc2018",
        known(["f1", "f2", "f3"], [["e1", "e2"], [], ["e3"]]),
        [["f1", "e1"], ["f1", "e2"]],
        foreign=["f1", "f3", "f1"],
        english=["e2", "e3", "e1"],
        scores=[1.3, 1.0, 1.2],
    )
    assert found.prediction == [["e2", "e1"], [], []]
    assert found.correct == [True, True, False]
    assert [pairs.tolist() for pairs in found.scores] == [
        [("e2", 1.3, True), ("e1", 1.2, True)],
        [],
        [("e3", 1.0, False)],
    ]


def test_f1_of_a_positive_class_comes_from_words_too():
    labels = get_task("qqp").labels
    words = [(labels[at], labels[wanted]) for at, wanted in ((0, 0), (1, 0), (1, 1))]
    origin = dict(zip(LABELS, ("s", "", 1, "direct", "", "qqp", "en", "dev"), strict=True))
    frame = pandas.DataFrame([{**origin, "id": str(at), "prediction": found, "gold": gold}
                              for at, (found, gold) in enumerate(words)])  # fmt: skip
    scores = dict(zip(*(score_frame(frame)[name] for name in ("metric", "value")), strict=True))
    assert scores == pytest.approx({"accuracy": 200 / 3, "f1": 200 / 3})


def test_damaged_scores_are_an_error_that_names_the_file(mini_study: Study, mini_config: Path, tmp_path: Path):
    shutil.copytree(mini_config.parent / "store", tmp_path / "store")
    study = Study.load(mini_config, [f"store={tmp_path / 'store'}"])
    stage = next(stage for stage in study.plan.stages if stage.kind is StageKind.PREDICT)
    path = study.store.folder(stage) / "raw" / "en.npz"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedError) as caught:
        predictions_frame(study, task="xnli", method="direct")
    assert caught.value.path == path


def test_predictions_of_another_number_of_examples_are_an_error(mini_study: Study):
    selected = select(mini_study.plan, {"task": "xquad", "language": "en", "method": "direct"})[0]
    artefact = mini_study.store.find(selected.stage)
    assert artefact is not None
    facts = known(["x-0-0"], [["noon"]], ["At noon"])
    with pytest.raises(EvaluationError, match="8 predictions of xquad in 'en', but 1 example\\."):
        columns_of(part_of(selected), facts, artefact)


def test_sweep_over_data_reads_the_files_of_each_variant(files_config: Path, tmp_path: Path):
    root, other = files_config.parent / "data", tmp_path / "data"
    shutil.copytree(root, other)
    path = other / "xcopa" / "val-en.jsonl"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:3]), encoding="utf-8")
    study = Study.load(files_config, [f"data.root=[{other}, {root}]"])
    frame = predictions_frame(study, task="xcopa", split="dev")
    assert frame["variant"].tolist() == [f"root={root}"] * 4
    assert frame["gold"].tolist() == [0, 0, 1, 1]
