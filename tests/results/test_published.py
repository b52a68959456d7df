"""Published scores: what is there, that slips in the file are refused, and a study's scores beside them."""

import re
import statistics
from pathlib import Path

import pytest

from adaptstilts.errors import ConfigError, DataError
from adaptstilts.evaluate.metrics import MAJOR
from adaptstilts.results.grid import TERMINAL_WIDTH, Grid, terminal_text
from adaptstilts.results.published import (
    FILE,
    MEAN,
    OTHER_TASKS,
    Figure,
    of_task,
    parse_published,
    published,
    published_grids,
    published_text,
)
from adaptstilts.results.rows import ResultRow
from adaptstilts.results.setting import RunSetting
from adaptstilts.tasks.registry import get_task


def rows() -> dict[tuple[str, str, str, str], dict[str, float]]:
    """Scores by language, by document and setting, system, task and metric."""
    found: dict[tuple[str, str, str, str], dict[str, float]] = {}
    for item in published():
        key = (f"{item.document}: {item.setting}", item.system, item.task, item.metric)
        found.setdefault(key, {})[item.language] = item.value
    return found


def value(system: str, task: str, metric: str, document: str) -> float:
    (found,) = (
        item.value
        for item in published()
        if (item.system, item.task, item.metric, item.language) == (system, task, metric, MEAN)
        and item.document.startswith(document)
    )
    return found


def test_every_figure_says_where_it_stands_and_how_it_was_made():
    assert len(published()) == 246
    for item in published():
        assert item.document
        assert item.place
        assert item.setting
        assert "recalled" not in f"{item.document} {item.place} {item.setting}".lower()


def test_figures_are_of_metrics_and_languages_that_our_tasks_have():
    scored = [item for item in published() if item.task not in OTHER_TASKS]
    assert {item.task for item in scored} == {
        "xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba",
    }  # fmt: skip
    for item in scored:
        task = get_task(item.task)
        assert item.language in {MEAN, *task.languages}
        assert item.metric in {*MAJOR[task.metric], "token_accuracy"}


@pytest.mark.parametrize(
    ("document", "system", "task", "metric", "expected"),
    [
        ("mT5", "X-STILTs", "tydiqa", "f1", 76.0),
        ("mT5", "mT5-XXL", "xnli", "accuracy", 85.0),
        ("RemBERT", "X-STILTs", "tydiqa", "exact_match", 59.5),
        ("RemBERT", "XLM-R Large", "udpos", "f1", 73.8),
        ("VECO", "VECO", "tatoeba", "accuracy", 75.1),
        ("XCOPA", "XLM-R Large", "xcopa", "accuracy", 68.69),
    ],
)
def test_figures_are_those_of_their_documents(document: str, system: str, task: str, metric: str, expected: float):
    assert value(system, task, metric, document) == expected


def test_means_of_the_documents_are_those_of_their_rows():
    checked = 0
    for (_, _, task, _), scores in rows().items():
        languages = {code: score for code, score in scores.items() if code != MEAN}
        expected = {"xcopa": 11}.get(task) or (len(get_task(task).languages) if task not in OTHER_TASKS else 0)
        if MEAN in scores and languages and len(languages) == expected:
            # Rows are rounded to one decimal, and so are the means.
            assert statistics.mean(languages.values()) == pytest.approx(scores[MEAN], abs=0.1)
            checked += 1
    assert checked == 4 + 1 + 2 + 1


def test_groups_of_the_leaderboard_are_the_means_of_their_tasks():
    for system in ("X-STILTs", "XLM-R Large"):

        def score(task: str, metric: str, system: str = system) -> float:
            return value(system, task, metric, "RemBERT")

        answers = [
            statistics.mean((score(task, "exact_match"), score(task, "f1"))) for task in ("xquad", "mlqa", "tydiqa")
        ]
        pairs = (score("xnli", "accuracy"), score("pawsx", "accuracy"))
        groups = {
            "classification": statistics.mean(pairs),
            "structured_prediction": statistics.mean((score("udpos", "f1"), score("panx", "f1"))),
            "question_answering": statistics.mean(answers),
        }
        for group, expected in groups.items():
            assert score("xtreme", group) == pytest.approx(expected, abs=0.7)


def test_retrieval_baseline_has_all_languages_and_no_mean_of_our_own():
    found = {task: {item.language for item in published() if "jiant-dev" in item.document and item.task == task}
             for task in ("bucc2018", "tatoeba")}  # fmt: skip
    assert found == {task: set(get_task(task).languages) for task in found}


def test_of_task_gives_one_task_or_the_means_of_all():
    assert {item.task for item in of_task("mlqa")} == {"mlqa"}
    assert {item.language for item in of_task(None)} == {MEAN}
    with pytest.raises(ConfigError, match=r"no published figure for 'pawx'\. Did you mean 'pawsx'\?"):
        of_task("pawx")


def test_text_numbers_the_sources_and_keeps_the_published_digits():
    text = published_text(
        [
            Figure("A", "xcopa", "accuracy", MEAN, 68.69, "Paper", "Table 1", "zero-shot"),
            Figure("B", "xcopa", "accuracy", "et", 71.0, "Paper", "Table 2", "zero-shot"),
            Figure("C", "xcopa", "accuracy", "ht", 50.5, "Paper", "Table 1", "zero-shot"),
        ]
    )
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[1:] == [
        "xcopa accuracy mean A 68.69 [1]",
        "xcopa accuracy et B 71.0 [2]",
        "xcopa accuracy ht C 50.5 [1]",
        "",
        "[1] Paper, Table 1: zero-shot",
        "[2] Paper, Table 2: zero-shot",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("udpos.f1: 74.9", "udpo.f1: 74.9", "X-STILTs udpo.f1 mean: 'udpo' is not a task. Did you mean 'udpos'?"),
        ("ja: 78.7", "jp: 78.7", "XLM-R Large pawsx.accuracy jp: 'jp' is not a language"),
        ("udpos.f1: 74.9", "udpos.f1: 749.0", "X-STILTs udpos.f1 mean: 749.0 is not a score"),
        ("udpos.f1: 74.9", "udpos.f1: 74", "X-STILTs udpos.f1 mean: 74 is not a score"),
        ("udpos.f1: 74.9", "udpos.f1: yes", "X-STILTs udpos.f1 mean: True is not a score"),
        ("source: rembert7", "source: rembert17", "source: 'rembert17' is not a source. Did you mean 'rembert"),
        ("beside: means", "besides: means", "tables: 'besides' is not a key. Did you mean 'beside'?"),
        ("beside: means", "beside: mean", "mBERT xnli.accuracy mean: 'mean' is not a place for a report"),
        ("source: veco", "source: fairseq", "sources: source 'veco' has no figure"),
    ],
)
def test_file_with_a_slip_is_refused_with_the_figure(tmp_path: Path, old: str, new: str, message: str):
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "published.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match=f"published.yaml: {re.escape(message)}"):
        parse_published(path)


def test_figure_that_stands_twice_is_refused(tmp_path: Path):
    text = FILE.read_text(encoding="utf-8")
    again = "  - source: veco\n    setting: zero-shot, by its own code\n    systems: {VECO: {xnli.accuracy: 79.8}}\n"
    path = tmp_path / "published.yaml"
    path.write_text(text + again, encoding="utf-8")
    with pytest.raises(DataError, match=r"VECO xnli\.accuracy mean: is given twice in one setting"):
        parse_published(path)


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
