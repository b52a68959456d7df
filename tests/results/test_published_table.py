"""A run beside published scores."""

import pytest

from adaptstilts.results.grid import TERMINAL_WIDTH, Grid, terminal_text
from adaptstilts.results.published import published_grids
from adaptstilts.results.rows import ResultRow
from adaptstilts.results.setting import RunSetting
from adaptstilts.tasks.registry import get_task

LARGE = RunSetting("FacebookAI/xlm-roberta-large", is_large=True)


def scored(
    method: str, source: str, target: str, metric: str, values: dict[str, float], *, split: str = "test", note: str = ""
) -> list[ResultRow]:
    return [
        ResultRow(method, "full", source, target, code, metric, value, True, split, 20, seed, note)
        for seed in (1, 2)
        for code, value in values.items()
    ]


def flat(method: str, source: str, target: str, metric: str, value: float, *, split: str = "test") -> list[ResultRow]:
    """The same score in all of a task's languages."""
    return scored(method, source, target, metric, dict.fromkeys(get_task(target).languages, value), split=split)


def cells(grid: Grid) -> list[list[str]]:
    return [list(row) for row in grid.rows]


def test_means_stand_beside_those_of_the_same_metric_only():
    rows = [
        *flat("direct", "", "xquad", "exact_match", 50.0),
        *flat("direct", "", "xquad", "f1", 70.0),
        *flat("full", "squad2", "xquad", "exact_match", 51.0),
        *flat("full", "squad2", "xquad", "f1", 69.0),
        *flat("full", "mnli", "xquad", "exact_match", 49.0),
        *flat("full", "mnli", "xquad", "f1", 69.5),
    ]
    (grid,) = published_grids(rows, LARGE)
    assert grid.header == (
        "target", "metric", "languages", "direct", "with intermediate", "XLM-R Large", "X-STILTs",
    )  # fmt: skip
    assert cells(grid) == [
        ["xquad", "exact_match", "11 of 11", "50.0", "51.0¹", "60.8²", "63.3²"],
        ["xquad", "f1", "11 of 11", "70.0", "69.5³", "76.6² ⁴", "77.2⁴  78.7²"],
    ]
    assert grid.footnotes[0] == "¹ full: squad2"
    assert grid.footnotes[1].startswith("² RemBERT paper (Chung et al. 2021), Table 16")
    assert grid.footnotes[2] == "³ full: mnli"
    assert grid.footnotes[3].endswith("of question answering F1 only")


def test_mean_over_part_of_the_languages_is_in_brackets_and_leaves_others_of_the_run_aside():
    rows = scored("direct", "", "xnli", "accuracy", {"en": 80.0, "de": 70.0, "nl": 10.0})
    means, languages = published_grids(rows, LARGE)
    assert cells(means)[0][:5] == ["xnli", "accuracy", "2 of 15", "(75.0)", "-"]
    assert [row[:2] for row in cells(languages)] == [["en", "80.0"], ["de", "70.0"]]
    assert "In brackets: the mean over fewer languages than the published one." in means.footnotes


def test_languages_stand_beside_published_ones_with_their_setting():
    rows = [
        *scored("direct", "", "pawsx", "accuracy", {"en": 90.0, "ko": 70.0}),
        *scored("stack", "qqp", "pawsx", "accuracy", {"en": 91.0}),
    ]
    _, grid = published_grids(rows, LARGE)
    assert grid.title == "Beside published scores: pawsx, accuracy, by language"
    assert grid.header == ("language", "direct", "stack: qqp", "XLM-R Large")
    assert cells(grid) == [["en", "90.0", "91.0", "94.7¹"], ["ko", "70.0", "-", "79.0¹"]]
    assert grid.footnotes == (
        "¹ ERNIE-M, PaddlePaddle/ERNIE ernie-m/README_zh.md, tables of results: XTREME's run language by language, as "
        "the ERNIE-M README quotes it",
    )


def test_retrieval_has_no_published_mean_and_tells_split_and_what_the_run_did():
    note = "no training data: the backbone itself; threshold fitted on dev"
    rows = scored("direct", "", "bucc2018", "f1", {"de": 60.0, "zh": 50.0}, note=note)
    (grid,) = published_grids(rows, RunSetting("l", is_large=True, retrieval={"bucc2018": "bucc2018: layer 7."}))
    assert cells(grid) == [["de", "60.0", "77.7¹"], ["zh", "50.0", "66.5¹"]]
    assert "layer 14 of 24, mean over all sub-tokens" in grid.footnotes[0]
    assert grid.footnotes[1:] == (
        "bucc2018: scored on test, published for dev.",
        "bucc2018: no training data: the backbone itself.",
        "bucc2018: threshold fitted on dev.",
        "bucc2018: layer 7.",
    )


def test_split_that_is_not_the_benchmarks_is_marked_at_the_target():
    on_dev = flat("direct", "", "tydiqa", "f1", 60.0, split="dev")
    assert cells(published_grids(on_dev, LARGE)[0])[0][0] == "tydiqa"
    rows = flat("direct", "", "udpos", "f1", 60.0, split="dev")
    (grid,) = published_grids(rows, LARGE)
    assert cells(grid)[0][0] == "udpos¹"
    assert grid.footnotes[0] == "¹ udpos: scored on dev, published for test"


def test_other_backbone_and_fewer_rows_are_told_below_the_table():
    rows = flat("direct", "", "panx", "f1", 60.0)
    setting = RunSetting("mini", is_large=False, max_train=1600, max_evaluation=20)
    (grid,) = published_grids(rows, setting)
    assert grid.footnotes[-2:] == (
        "This study's backbone is 'mini'; the published scores are those of XLM-R Large.",
        "This study uses at most 1,600 training rows per task and 20 evaluation rows per language; the published ones "
        "use all.",
    )
    (grid,) = published_grids(rows, LARGE)
    assert not [note for note in grid.footnotes if note.startswith("This study")]


def test_other_backbone_is_told_once_for_all_tables():
    rows = scored("direct", "", "xnli", "accuracy", {"en": 80.0}) + scored(
        "direct", "", "pawsx", "accuracy", {"en": 9.0}
    )
    grids = published_grids(rows, RunSetting("mini", is_large=False))
    assert len(grids) == 3
    assert [sum(note.startswith("This study's backbone") for note in grid.footnotes) for grid in grids] == [1, 0, 0]


@pytest.mark.parametrize("target", ["multichecklist"])
def test_nothing_is_shown_where_nothing_is_published(target: str):
    assert published_grids(flat("direct", "", target, "accuracy", 50.0), LARGE) == ()


def test_table_of_all_targets_fits_into_the_terminal():
    metrics = {
        "xnli": ("accuracy",), "pawsx": ("accuracy",), "udpos": ("f1",), "panx": ("f1",),
        "xquad": ("exact_match", "f1"), "mlqa": ("exact_match", "f1"), "tydiqa": ("exact_match", "f1"),
    }  # fmt: skip
    rows = [
        row
        for target, names in metrics.items()
        for metric in names
        for method, source in (("direct", ""), ("adapter", ""), ("continue", "commonsenseqa"))
        for row in flat(method, source, target, metric, 66.6)
    ]
    grid = published_grids(rows, LARGE)[0]
    assert len(grid.rows) == 10
    assert max(map(len, terminal_text([grid]).splitlines())) <= TERMINAL_WIDTH
    assert not [line for line in terminal_text([grid]).splitlines() if "…" in line]
