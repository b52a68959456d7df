"""The report says how many rows of each task, split and language were read."""

from __future__ import annotations

from adaptstilts.results.read_rows import rows_grid
from adaptstilts.results.rows import ResultRow, RunRow


def result(target, language, examples, variant=""):
    return ResultRow("direct", "full", "", target, language, "accuracy", 50.0, True, "test", examples, 1, "", variant)


def run(source, target, examples):
    return RunRow("direct", "full", source, target, 1, 1, 1, 1, 1.0, examples, None, "stage")


def test_rows_are_named_per_task_split_and_language():
    grid = rows_grid(
        [result("xnli", "en", 100), result("xnli", "de", 100), result("xnli", "sw", 96), result("xnli", "sw", 90, "b")],
        [run("mnli", "", 400), run("mnli", "xnli", 400), run("mnli+squad1", "", 9), run("mnli+squad1", "udpos", 50)],
    )
    assert grid is not None
    assert grid.rows == (
        ("mnli", "train", "400 in en"),
        ("udpos", "train", "50 in en"),
        ("xnli", "test", "100 in each of 2 languages: en, de; 90 or 96 in sw"),
    )


def test_nothing_is_shown_before_anything_was_read():
    assert rows_grid([], []) is None
