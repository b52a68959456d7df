"""The tables of a study."""

from dataclasses import replace

import pytest

from adaptstilts.errors import EvaluationError
from adaptstilts.results.grid import TERMINAL_WIDTH, terminal_text
from adaptstilts.results.rows import ResultRow, RunRow, TaskScore, task_scores
from adaptstilts.results.tables import best_grid, cost_grid, source_label, transfer_grid, zero_shot_grid
from adaptstilts.results.transfer import Scope, best_per_target, transfer_tables


def test_transfer_grid_lays_out_all_methods_with_costs(scores: list[TaskScore], runs: list[RunRow]):
    grid = transfer_grid(transfer_tables(scores), runs)
    assert grid.title == "Points above or below 'direct', mean over all languages"
    assert grid.header == ("method, task", "xnli", "tatoeba¹", "mean", "trained", "file")
    assert grid.rows == (
        ("direct, score", "70.0", "20.0²", "45.0", "3.90 M", "15.6 MB"),
        ("full", "", "", "", "", ""),
        (" mnli", "+3.5", "+12.0", "+7.8", "3.90 M", "15.6 MB"),
        (" qqp", "-2.5", "-0.5", "-1.5", "3.90 M", "15.6 MB"),
        ("adapter", "-0.5", "0.0²", "-0.2", "25.0 k", "100 kB"),
        ("stack", "", "", "", "", ""),
        (" mnli", "+1.5", "+5.0", "+3.2", "25.0 k", "100 kB"),
        (" qqp", "-0.2", "-2.5", "-1.4", "27.0 k", "108 kB"),
        ("continue", "", "", "", "", ""),
        (" mnli", "0.0", "+5.0", "+2.5", "-", "-"),
        (" qqp", "0.0", "-2.5", "-1.2", "-", "-"),
        ("fuse: mnli+qqp", "+1.5", "+1.0", "+1.2", "66.0 k", "264 kB"),
    )
    assert grid.sections == {1, 5, 8}
    assert grid.footnotes == (
        "¹ dev set is the test set",
        "² the backbone itself",
        "task: the intermediate task.",
        "trained: parameters with gradients, heads included; file: size of what a target run saves.",
    )


def test_transfer_grid_leaves_costs_out_when_there_are_no_runs(scores: list[TaskScore]):
    assert transfer_grid(transfer_tables(scores)).header == ("method, task", "xnli", "tatoeba¹", "mean")


def test_transfer_grid_shows_spread_when_there_are_two_seeds(rows: list[ResultRow]):
    more = [replace(row, seed=2, value=row.value + (2 if row.method == "full" else 0)) for row in rows]
    grid = transfer_grid(transfer_tables(task_scores([*rows, *more])))
    assert grid.rows[0][1] == "70.0\n±0.0"
    # Differences 3.5 and 5.5: mean 4.5, sample deviation sqrt(2).
    assert grid.rows[2][1] == "+4.5\n±1.4"
    assert "±: standard deviation over seeds." in grid.footnotes


def test_transfer_grid_brackets_means_and_names_gaps_when_a_cell_is_missing(scores: list[TaskScore]):
    kept = [score for score in scores if (score.method, score.target) != ("stack", "tatoeba")]
    grid = transfer_grid(transfer_tables(kept))
    assert grid.rows[6] == (" mnli", "+1.5", "-", "(+1.5)")
    assert "Means in brackets are over the targets for which the row has a difference." in grid.footnotes
    assert "No difference yet: stack tatoeba." in grid.footnotes


def test_transfer_grid_counts_tasks_and_lists_them_below_when_a_fusion_is_long(scores: list[TaskScore]):
    long = "anliplus+mnli+qqp+squad2"
    renamed = [replace(score, source=long) if score.method == "fuse" else score for score in scores]
    grid = transfer_grid(transfer_tables(renamed))
    assert grid.rows[-1][0] == "fuse: 4 tasks³"
    assert grid.footnotes[-2] == "³ anliplus, mnli, qqp, squad2"


def test_transfer_grid_rejects_tables_of_different_kinds(scores: list[TaskScore]):
    mixed = [*transfer_tables(scores), *transfer_tables(scores, scope=Scope.ENGLISH)]
    with pytest.raises(EvaluationError, match="'full' and 'full' differ in reference, languages or targets"):
        transfer_grid(mixed)
    with pytest.raises(EvaluationError, match="0 transfer tables"):
        transfer_grid([])


def test_transfer_grid_fits_the_terminal_when_nine_tasks_meet_nine_targets(scores: list[TaskScore]):
    sources = ["anliplus", "mnli", "qqp", "squad2", "squad1", "hellaswag", "ccg", "cosmosqa", "commonsenseqa"]
    targets = ["xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba"]
    like = scores[0]
    made = [replace(like, target=target) for target in targets]
    made += [replace(like, method="full", source=source, target=target) for source in sources for target in targets]
    runs = [
        RunRow("full", "full", s, "xnli", 1, 270_000_000, 280_000_000, 1_100_000_000, 1.0, 1, None, s) for s in sources
    ]
    lines = terminal_text([transfer_grid(transfer_tables(made), runs)]).splitlines()
    assert max(map(len, lines)) <= TERMINAL_WIDTH
    assert not any("…" in line for line in lines)
    # Title, blank, header, rule, reference, method, nine sources, blank, two footnotes: no row was broken.
    assert len(lines) == 6 + len(sources) + 3


def test_best_grid_names_the_winner_and_warns_of_the_choice(scores: list[TaskScore]):
    grid = best_grid(best_per_target(transfer_tables(scores)))
    assert grid.rows == (("xnli", "full", "mnli", "73.5", "+3.5"), ("tatoeba", "full", "mnli", "32.0", "+12.0"))
    assert grid.header[-1] == "vs 'direct'"
    assert grid.footnotes[0] == "Mean of the differences: +7.8."
    assert "Chosen on the scores shown" in grid.footnotes[1]


def test_cost_grid_counts_intermediate_runs_once(runs: list[RunRow]):
    grid = cost_grid(runs)
    assert grid.rows == (
        ("intermediate", "full", "1", "3.90 M", "97.5 %", "15.6 MB", "60 s"),
        ("intermediate", "adapter", "2", "25.0 k", "0.6 %", "100 kB", "60 s"),
        ("direct", "full", "1", "3.90 M", "97.5 %", "15.6 MB", "1.5 min"),
        ("full", "full", "2", "3.90 M", "97.5 %", "15.6 MB", "3.0 min"),
        ("adapter", "adapter", "1", "25.0 k", "0.6 %", "100 kB", "60 s"),
        ("stack", "adapter", "2", "25.0 k to 27.0 k", "0.7 %", "100 kB to 108 kB", "2.0 min"),
        ("fuse", "fusion", "1", "66.0 k", "1.7 %", "264 kB", "10 min"),
        ("all", "", "10", "", "", "", "20 min"),
    )


def test_cost_grid_counts_a_target_run_that_others_start_from_as_intermediate(runs: list[RunRow]):
    kept = [run for run in runs if (run.family, run.source, run.target) != ("full", "mnli", "")]
    grid = cost_grid(kept)
    counts = {row[:2]: row[2] for row in grid.rows}
    # The run of `direct` on XNLI trains on MNLI, and `full` from MNLI starts from it.
    assert counts["intermediate", "full"] == "1"
    assert ("direct", "full") not in counts
    assert counts["all", ""] == "9"
    assert grid.footnotes[-1] == (
        "Counted as intermediate runs, though they are also target runs: 'direct' on xnli (trained on mnli)."
    )


def test_cost_grid_counts_the_first_run_of_a_chain_with_its_method(runs: list[RunRow]):
    like = replace(runs[0], source="siqa", stage="train stack: mnli > siqa, seed 1", family="adapter")
    plain = replace(runs[0], source="siqa", stage="train direct: siqa, seed 1")
    own = replace(runs[0], source="squad1", stage="train direct: squad1, seed 1")
    fused = replace(runs[0], source="siqa", stage="train fuse: mnli+qqp > siqa, seed 1", family="fusion")
    rows = [row[:3] for row in cost_grid([like, plain, own, fused]).rows]
    assert rows == [
        ("intermediate", "full", "1"),
        ("direct", "full", "1"),
        ("stack", "adapter", "1"),
        ("fuse", "fusion", "1"),
        ("all", "", "4"),
    ]


def test_zero_shot_grid_shows_english_the_others_and_the_gap(scores: list[TaskScore]):
    grid = zero_shot_grid(scores)
    rows = grid.rows
    assert rows[0] == ("xnli", "direct", "2", "70.0", "80.0", "60.0", "20.0")
    # The mean of both sources: English 82 and 79, German 65 and 56.
    assert rows[1] == ("xnli", "full", "2", "70.5", "80.5", "60.5", "20.0")
    assert rows[6] == ("tatoeba¹", "direct", "2", "20.0", "-", "20.0", "-")
    assert grid.footnotes[0] == "¹ dev set is the test set"


@pytest.mark.parametrize(
    ("source", "label"),
    [("", "none"), ("commonsenseqa", "commonsenseqa"), ("mnli+qqp", "mnli+qqp"), ("a" * 9 + "+" + "b" * 9, "2 tasks")],
)
def test_source_label_counts_only_long_fusions(source: str, label: str):
    assert source_label(source) == label
