"""Tidy rows, their files, and XTREME's aggregation, with numbers worked out by hand."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from adaptstilts.errors import DataError, EvaluationError
from adaptstilts.results.rows import ResultRow, RunRow, mean, read_csv, spread, task_scores, write_csv

ROW = ResultRow(
    method="full",
    family="full",
    source="mnli",
    target="xnli",
    language="en",
    metric="accuracy",
    value=100 / 3,
    is_major=True,
    split="test",
    examples=2490,
    seed=1,
    note='says "one", two;\nthree é',
)
RUN = RunRow(
    method="stack",
    family="adapter",
    source="mnli",
    target="xnli",
    seed=1,
    trained_parameters=24_000,
    total_parameters=4_000_000,
    artefact_bytes=98_000,
    train_seconds=0.1 + 0.2,
    train_examples=2000,
    best_dev=None,
    stage="xnli by stack from mnli",
    attention="flash, efficient, math",
)


def rows_of(values: dict[str, float], **changes: object) -> list[ResultRow]:
    row = replace(ROW, note="", **changes)
    return [replace(row, language=language, value=value) for language, value in values.items()]


def test_read_csv_returns_equal_rows_when_floats_and_texts_are_awkward(tmp_path: Path):
    rows = (ROW, replace(ROW, value=5e-324, is_major=False, note="", source=""), replace(ROW, value=0.1))
    write_csv(tmp_path / "deep" / "results.csv", rows, ResultRow)
    assert read_csv(tmp_path / "deep" / "results.csv", ResultRow) == rows


def test_read_csv_returns_equal_runs_when_dev_score_is_missing(tmp_path: Path):
    runs = (RUN, replace(RUN, best_dev=71.25))
    write_csv(tmp_path / "runs.csv", runs, RunRow)
    assert read_csv(tmp_path / "runs.csv", RunRow) == runs


def test_a_file_from_before_a_column_was_added_is_read(tmp_path: Path):
    write_csv(tmp_path / "runs.csv", [RUN], RunRow)
    lines = (tmp_path / "runs.csv").read_text().splitlines()
    assert lines[0].endswith(",stage,variant,attention")
    before = [lines[0].removesuffix(",attention"), lines[1].removesuffix(',"flash, efficient, math"')]
    (tmp_path / "runs.csv").write_text("\n".join(before) + "\n")
    assert read_csv(tmp_path / "runs.csv", RunRow) == (replace(RUN, attention=""),)


def test_write_csv_keeps_the_order_of_the_fields_and_leaves_no_other_file(tmp_path: Path):
    write_csv(tmp_path / "results.csv", [], ResultRow)
    header = "method,family,source,target,language,metric,value,is_major,split,examples,seed,note,variant\n"
    assert (tmp_path / "results.csv").read_text() == header
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]
    assert read_csv(tmp_path / "results.csv", ResultRow) == ()


def test_read_csv_names_file_when_it_is_missing(tmp_path: Path):
    with pytest.raises(DataError, match=r"results\.csv: no such results file"):
        read_csv(tmp_path / "results.csv", ResultRow)


def test_read_csv_names_file_when_it_is_not_utf8(tmp_path: Path):
    (tmp_path / "results.csv").write_bytes(b"method\xff")
    with pytest.raises(DataError, match=r"results\.csv: byte 6 is not UTF-8"):
        read_csv(tmp_path / "results.csv", ResultRow)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2490", "many", r"results\.csv:2: examples: 'many' is not a whole number"),
        ("true", "yes", r"results\.csv:2: is_major: 'yes' is not true or false"),
        ("50.5", "nan", r"results\.csv:2: value: 'nan' is not a finite number"),
        ("50.5", "", r"results\.csv:2: value: '' is not a finite number"),
        (",1,,\n", ",1,\n", r"results\.csv:2: 12 columns, expected 13"),
        ("metric,", "metrik,", r"results\.csv:1: 'metrik' is not a column\. Did you mean 'metric'\?"),
        ("seed,note", "seed,seed", r"results\.csv:1: column 'seed' is given twice"),
        (",seed,note", ",note", r"results\.csv:1: columns are missing: seed"),
    ],
)
def test_read_csv_names_line_and_column_when_text_is_wrong(tmp_path: Path, old: str, new: str, message: str):
    path = tmp_path / "results.csv"
    write_csv(path, [replace(ROW, value=50.5, note="")], ResultRow)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        read_csv(path, ResultRow)


def test_task_scores_averages_languages_when_one_metric_is_major():
    rows = [*rows_of({"en": 80.0, "de": 70.0, "sw": 45.0}), *rows_of({"en": 1.0}, metric="f1", is_major=False)]
    (score,) = task_scores(rows)
    assert score.by_language == (("en", 80.0), ("de", 70.0), ("sw", 45.0))
    assert score.mean == 65.0
    assert score.english == 80.0
    assert score.zero_shot_mean == 57.5
    assert score.transfer_gap == 22.5


def test_task_scores_averages_exact_match_and_f1_when_both_are_major():
    exact = rows_of({"en": 60.0, "hi": 41.0}, target="xquad", metric="exact_match")
    overlap = rows_of({"en": 72.0, "hi": 58.0}, target="xquad", metric="f1")
    (score,) = task_scores([*exact, *overlap])
    assert score.by_language == (("en", 66.0), ("hi", 49.5))
    assert score.mean == (50.5 + 65.0) / 2


def test_task_scores_has_no_english_and_no_gap_when_target_is_retrieval():
    (score,) = task_scores(rows_of({"de": 30.0, "ru": 20.0}, target="tatoeba"))
    assert (score.mean, score.english, score.zero_shot_mean, score.transfer_gap) == (25.0, None, 25.0, None)


def test_task_scores_has_no_zero_shot_mean_when_only_english_was_scored():
    (score,) = task_scores(rows_of({"en": 30.0}))
    assert (score.zero_shot_mean, score.transfer_gap) == (None, None)


def test_task_scores_keeps_settings_and_seeds_apart():
    rows = [*rows_of({"en": 1.0}), *rows_of({"en": 2.0}, seed=2), *rows_of({"en": 3.0}, source="qqp")]
    assert [(score.source, score.seed, score.mean) for score in task_scores(rows)] == [
        ("mnli", 1, 1.0),
        ("mnli", 2, 2.0),
        ("qqp", 1, 3.0),
    ]


def test_task_scores_lists_each_note_once_and_tells_of_dev_splits():
    rows = [replace(row, note="one; two" if row.language == "en" else "two") for row in rows_of({"en": 1.0, "de": 2.0})]
    rows += rows_of({"kk": 3.0}, split="dev")
    assert task_scores(rows)[0].notes == ("one", "two", "scored on the dev split: kk")
    assert task_scores(rows_of({"en": 1.0, "de": 2.0}, split="dev"))[0].notes == ("scored on the dev split",)


def test_task_scores_rejects_a_score_that_stands_twice():
    with pytest.raises(EvaluationError, match="accuracy of en is given twice for xnli by full from mnli, seed 1"):
        task_scores([*rows_of({"en": 1.0}), *rows_of({"en": 1.0})])


def test_task_scores_rejects_a_value_that_is_not_finite():
    with pytest.raises(EvaluationError, match="accuracy of de is nan"):
        task_scores(rows_of({"en": 1.0, "de": math.nan}))


def test_task_scores_rejects_languages_with_different_major_metrics():
    rows = [*rows_of({"en": 1.0, "de": 2.0}, metric="f1"), *rows_of({"en": 1.0}, metric="exact_match")]
    with pytest.raises(EvaluationError, match=r"\['exact_match', 'f1'\] in en, \['f1'\] in de"):
        task_scores(rows)


def test_mean_is_rounded_once_and_rejects_nothing_at_all():
    assert mean([0.1] * 10) == 0.1
    with pytest.raises(EvaluationError, match="got 0"):
        mean([])


def test_spread_is_the_sample_deviation_or_none_for_one_value():
    assert spread([1.0, 3.0, 5.0]) == 2.0
    assert spread([1.0]) is None
