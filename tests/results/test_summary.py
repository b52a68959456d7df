"""The paragraph that says what the numbers say."""

from dataclasses import replace

from adaptstilts.results.rows import TaskScore
from adaptstilts.results.summary import summarise


def test_summary_says_where_intermediate_training_helped_and_where_it_hurt(scores: list[TaskScore]):
    text = summarise(scores)
    assert "comparing `full` with `direct`, and `stack`, `continue` and `fuse` with `adapter`" in text
    # Against direct: full +3.5 and -2.5; against adapter (69.5): +2, +0.25, +0.5, +0.5, +2.
    assert "**xnli**: helped in 3 of 7 settings, most with `full` from mnli (+3.5)" in text
    assert "hurt in 1, with `full` from qqp (-2.5) (on average +0.9)." in text
    # Against 20: +12, -0.5, +5, -2.5, +5, -2.5, +1.
    assert "**tatoeba**: helped in 4 of 7 settings, most with `full` from mnli (+12.0); hurt in 2" in text
    assert text.endswith("All figures rest on one seed, so differences of a few points may be chance.")
    assert "\n" not in text


def test_summary_says_no_change_when_no_setting_moves_a_target(scores: list[TaskScore]):
    kept = [score for score in scores if score.method in {"direct", "full"} and score.source != "mnli"]
    assert "**xnli**: hurt with `full` from qqp (-2.5). **tatoeba**: no change with `full` from qqp (-0.5)." in (
        summarise(kept)
    )
    kept += [replace(score, source="squad1") for score in kept if score.source]
    assert "**tatoeba**: no change in 2 settings (on average -0.5)." in summarise(kept)
    assert "**xnli**: helped in none of 2 settings; hurt in 2, most with `full` from qqp (-2.5)" in summarise(kept)


def test_summary_counts_seeds_when_there_are_several(scores: list[TaskScore]):
    both = [*scores, *(replace(score, seed=2) for score in scores)]
    assert summarise(both).endswith("All figures are means over 2 seeds.")


def test_summary_says_so_when_nothing_can_be_compared(scores: list[TaskScore]):
    expected = "No setting with an intermediate task has been scored together with its reference."
    assert summarise([]) == expected
    assert summarise([score for score in scores if score.method in {"direct", "adapter"}]) == expected
