"""Averages of XTREME and XTREME-R over the settings of a study, and their tables."""

from dataclasses import replace

import pytest

from adaptstilts.evaluate.benchmark import XTREME, XTREME_R
from adaptstilts.results.rows import ResultRow
from adaptstilts.results.totals import SCORE_COLUMNS, Setting, benchmark_grids, score_rows, setting_scores


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


def test_tables_of_the_mini_world_do_not_claim_to_be_the_benchmarks():
    assert [grid.title for grid in benchmark_grids(ROWS, is_generated=True)][:2] == [
        "Scores on the mini world, averaged as in XTREME: tasks",
        "Scores on the mini world, averaged as in XTREME: groups and overall",
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


def test_tables_show_tasks_then_groups_and_overall_for_every_setting(rows: list[ResultRow]):
    tasks, groups = benchmark_grids(rows)
    assert tasks.title == "XTREME scores: tasks"
    assert tasks.header == ("method", "intermediate", "xnli", "tatoeba¹")
    assert tasks.rows[:3] == (
        ("direct", "none", "(70.0)", "(20.0)"),
        ("full", "mnli", "(73.5)", "(32.0)"),
        ("full", "qqp", "(67.5)", "(19.5)"),
    )
    assert len(tasks.rows) == 9
    assert groups.title == "XTREME scores: groups and overall"
    assert groups.header[2:] == ("classification", "retrieval", "overall", "English", "zero-shot", "gap")
    # xnli 73.5 (82 and 65), tatoeba 32 (no English)
    assert groups.rows[1] == ("full", "mnli", "(73.5)", "(32.0)", "(52.8)", "82.0", "48.5", "17.0")


def test_footnotes_say_what_is_missing_once_when_all_settings_lack_the_same(rows: list[ResultRow]):
    tasks, groups = benchmark_grids(rows)
    assert tasks.footnotes[0] == "¹ dev set is the test set"
    assert tasks.footnotes[1:] == (
        "In brackets: partial, not XTREME's own figure. Missing: pawsx, udpos, panx, xquad, mlqa, tydiqa, bucc2018, "
        "xnli in 13 languages, tatoeba in 34 languages.",
    )
    assert any("partial" in note for note in groups.footnotes)
    assert "English and gap (English minus the other languages): means over the tasks that have English." in (
        groups.footnotes
    )


def test_one_footnote_names_what_single_settings_lack(rows: list[ResultRow]):
    kept = [row for row in rows if (row.method, row.target) != ("fuse", "tatoeba")]
    kept = [row for row in kept if (row.source, row.language) != ("mnli", "sw")]
    kept = [row for row in kept if (row.method, row.source, row.target, row.language) != ("full", "qqp", "xnli", "de")]
    tasks, _ = benchmark_grids(kept)
    (line,) = [note for note in tasks.footnotes if "partial" in note]
    assert line == (
        "In brackets: partial, not XTREME's own figure. Missing: pawsx, udpos, panx, xquad, mlqa, tydiqa, bucc2018, "
        "tatoeba (fuse from mnli+qqp, seed 1), xnli in 13 to 14 languages, tatoeba in 34 to 35 languages "
        "(8 of 9 models)."
    )
    assert tasks.rows[-1] == ("fuse", "mnli+qqp", "(71.5)", "-")


def test_footnote_names_few_missing_languages_one_by_one():
    languages = {"pawsx": ["en", "de", "es"], "udpos": []}
    found = [
        ResultRow("direct", "full", "", task, code, "accuracy", 50.0, True, "test", 9, 1)
        for task, codes in languages.items()
        for code in codes
    ]
    (line,) = [note for note in benchmark_grids(found)[0].footnotes if "partial" in note]
    assert line.endswith(", bucc2018, tatoeba, pawsx in fr ja ko zh.")


def test_seeds_are_averaged_in_tables(rows: list[ResultRow]):
    twice = [*rows, *(replace(row, seed=2, value=row.value + 3) for row in rows)]
    tasks, groups = benchmark_grids(twice)
    assert tasks.rows[0] == ("direct", "none", "(71.5)", "(21.5)")
    assert groups.rows[0][4] == "(46.5)"
    assert "Means over up to 2 seeds; scores.csv has each." in tasks.footnotes


def test_complete_scores_stand_without_brackets_and_xtreme_r_has_tables_of_its_own(rows: list[ResultRow]):
    sample = replace(rows[0], metric="accuracy")
    metrics = {"udpos": ["f1"], "panx": ["f1"], "bucc2018": ["f1"]}
    qa = ["exact_match", "f1"]
    complete = [
        replace(sample, target=entry.task, language=language, metric=metric, value=float(rank))
        for rank, entry in enumerate(XTREME.entries)
        for language in entry.languages
        for metric in metrics.get(entry.task, qa if entry.group == "question_answering" else ["accuracy"])
    ]
    grids = benchmark_grids(complete)
    assert [grid.title.split()[0] for grid in grids] == ["XTREME", "XTREME"]
    assert grids[0].rows[0][2:] == ("0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0", "8.0")
    assert grids[1].rows[0][2:7] == ("0.5", "2.5", "5.0", "7.5", "4.0")
    assert not any("partial" in note for grid in grids for note in grid.footnotes)
    more = [*complete, replace(sample, target="udpos", language="pl", metric="f1", value=41.0)]
    titles = [grid.title for grid in benchmark_grids(more)]
    assert titles[2:] == ["XTREME-R scores: tasks", "XTREME-R scores: groups and overall"]


def test_there_is_no_table_without_scores():
    assert benchmark_grids([]) == ()
