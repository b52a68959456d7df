"""Means over fewer seeds or languages than a study has are marked wherever they stand."""

from __future__ import annotations

import pytest

from adaptstilts.evaluate.benchmark import XTREME
from adaptstilts.results.rows import ResultRow, TaskScore, task_scores
from adaptstilts.results.summary import summarise
from adaptstilts.results.tables import transfer_grid, zero_shot_grid
from adaptstilts.results.totals import benchmark_grids, score_rows
from adaptstilts.results.transfer import transfer_tables
from adaptstilts.results.variants import variant_means

LANGUAGES = ("en", "de", "sw")


def rows(*lacking: tuple[str, int, str], variant: str = "") -> list[ResultRow]:
    """Scores of two methods with two seeds in three languages, but for (method, seed, language)."""
    return [
        ResultRow(method, "full", source, "xnli", code, "accuracy", 50.0, True, "test", 9, seed, variant=variant)
        for method, source in (("direct", ""), ("full", "mnli"))
        for seed in (1, 2)
        for code in LANGUAGES
        if (method, seed, code) not in lacking
    ]


WITHOUT_SEED = tuple(("full", 2, code) for code in LANGUAGES)


def scores(*lacking: tuple[str, int, str]) -> tuple[TaskScore, ...]:
    return task_scores(rows(*lacking))


def test_nothing_is_marked_where_nothing_is_missing():
    found = scores()
    (cell,) = transfer_tables(found)[0].cells
    assert cell.notes == ()
    assert summarise(found).endswith("All figures are means over 2 seeds.")
    assert all(mean.is_complete for mean in variant_means(found))


@pytest.mark.parametrize("method", ["direct", "full"])
def test_a_language_that_one_seed_lacks_is_named_beside_the_mean(method):
    found = scores((method, 2, "sw"))
    marked = [score for score in found if score.notes]
    assert [(score.method, score.seed, score.notes) for score in marked] == [
        (method, 2, ("partial mean: not scored in sw",))
    ]
    assert "partial mean: not scored in sw" in " ".join(transfer_grid(transfer_tables(found)).footnotes)
    assert "2 to 3" in [row[2] for row in zero_shot_grid(found).rows]
    assert [mean.is_complete for mean in variant_means(found)] == [name != method for name in ("direct", "full")]
    notes = [row[-2] for row in score_rows(rows((method, 2, "sw"))) if row[5] == "task"]
    assert notes.count("partial mean: not scored in sw") == 2  # once for each benchmark


def test_a_seed_that_one_setting_lacks_is_counted_beside_the_mean():
    found = scores(*WITHOUT_SEED)
    assert [cell.notes for cell in transfer_tables(found)[0].cells] == [("over 1 of 2 seeds",)]
    assert summarise(found).endswith("All figures are means over up to 2 seeds.")
    assert [mean.is_complete for mean in variant_means(found)] == [True, False]


def test_a_task_that_a_seed_lacks_is_in_brackets_in_the_tables_of_benchmarks(monkeypatch):
    whole = tuple(code for entry in XTREME.entries if entry.task == "xquad" for code in entry.languages)
    made = [
        ResultRow("direct", "full", "", task, code, metric, 50.0, True, "test", 9, seed)
        for task, metrics, codes in (("xquad", ("exact_match", "f1"), whole), ("xnli", ("accuracy",), ("en",)))
        for seed in (1, 2)
        for code in codes
        for metric in metrics
        if (task, seed) != ("xquad", 2)
    ]
    (row,) = benchmark_grids(made)[0].rows
    assert row[2:] == ("(50.0)", "(50.0)")
    (row,) = benchmark_grids([one for one in made if one.seed == 1])[0].rows
    assert row[2:] == ("(50.0)", "50.0")


def test_variants_may_be_scored_in_languages_of_their_own():
    made = [*rows(variant="languages=en+de+sw"), *(row for row in rows(variant="languages=en") if row.language == "en")]
    assert all(score.notes == () for score in task_scores(made))
