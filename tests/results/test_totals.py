"""Averages of XTREME and XTREME-R over the settings of a study."""

import pytest

from adaptstilts.evaluate.benchmark import XTREME, XTREME_R
from adaptstilts.results.rows import ResultRow
from adaptstilts.results.totals import SCORE_COLUMNS, Setting, score_rows, setting_scores


def rows_of(
    target: str,
    values: dict[str, float],
    *,
    metric: str = "accuracy",
    source: str = "",
    seed: int = 1,
    split: str = "test",
) -> list[ResultRow]:
    method = "full" if source else "direct"
    return [
        ResultRow(method, "full", source, target, language, metric, value, True, split, 100, seed)
        for language, value in values.items()
    ]


ROWS = [
    *rows_of("xnli", {"en": 80.0, "de": 70.0, "sw": 45.0}),
    *rows_of("xquad", {"en": 60.0, "de": 50.0}, metric="exact_match"),
    *rows_of("xquad", {"en": 80.0, "de": 71.0}, metric="f1"),
    *rows_of("udpos", {"en": 90.0, "pl": 60.0}, metric="f1", split="dev"),
    *rows_of("xnli", {"en": 82.0, "de": 74.0}, source="mnli"),
    *rows_of("xnli", {"en": 84.0, "de": 70.0}, source="mnli", seed=2),
]


def test_settings_and_seeds_are_averaged_one_by_one():
    found = setting_scores(ROWS, XTREME)
    assert [one.setting for one in found] == [
        Setting("direct", "full", "", 1),
        Setting("full", "full", "mnli", 1),
        Setting("full", "full", "mnli", 2),
    ]
    overall = [one.scores.overall for one in found]
    # xnli 65, xquad 65.25, udpos 90 (Polish does not count)
    assert [average.score for average in overall if average] == [pytest.approx(220.25 / 3), 78.0, 77.0]
    assert [average.gap for average in overall if average] == [16.0, 8.0, 14.0]


def test_languages_that_count_are_told_with_the_notes_of_their_task():
    (one, *_) = setting_scores(ROWS, XTREME)
    assert one.languages == {
        "xnli": {"en": 80.0, "de": 70.0, "sw": 45.0},
        "xquad": {"en": 70.0, "de": 60.5},
        "udpos": {"en": 90.0},
    }
    assert one.notes["udpos"] == ("scored on the dev split",)
    (one, *_) = setting_scores(ROWS, XTREME_R)
    assert one.languages["udpos"] == {"en": 90.0, "pl": 60.0}
    assert one.scores.tasks["udpos"].score == 75.0


def test_settings_without_a_score_that_counts_are_left_out():
    assert setting_scores(rows_of("xnli", {"pl": 3.0}), XTREME) == ()


def test_score_rows_hold_languages_tasks_groups_and_overall_of_both_benchmarks():
    rows = [dict(zip(SCORE_COLUMNS, row, strict=True)) for row in score_rows(ROWS)]
    own = [row for row in rows if row["benchmark"] == "xtreme" and not row["source"]]
    assert [(row["level"], row["group"], row["task"], row["language"], row["score"]) for row in own] == [
        ("language", "classification", "xnli", "en", 80.0),
        ("language", "classification", "xnli", "de", 70.0),
        ("language", "classification", "xnli", "sw", 45.0),
        ("task", "classification", "xnli", "", 65.0),
        ("language", "structured_prediction", "udpos", "en", 90.0),
        ("task", "structured_prediction", "udpos", "", 90.0),
        ("language", "question_answering", "xquad", "en", 70.0),
        ("language", "question_answering", "xquad", "de", 60.5),
        ("task", "question_answering", "xquad", "", 65.25),
        ("group", "classification", "", "", 65.0),
        ("group", "structured_prediction", "", "", 90.0),
        ("group", "question_answering", "", "", 65.25),
        ("overall", "", "", "", pytest.approx(220.25 / 3)),
    ]
    by_level = {row["level"]: row for row in own}
    assert by_level["overall"]["is_partial"] is True
    assert str(by_level["overall"]["missing"]).startswith(
        "xnli (ar bg el es fr hi ru th tr ur vi zh); pawsx; udpos (af "
    )
    assert [row["notes"] for row in own if row["task"] == "udpos" and row["level"] == "task"] == [
        "scored on the dev split"
    ]
    assert {row["seed"] for row in rows if row["source"] == "mnli"} == {1, 2}
    assert [row["score"] for row in rows if row["benchmark"] == "xtreme_r" and row["language"] == "pl"] == [60.0]
