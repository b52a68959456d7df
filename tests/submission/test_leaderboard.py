import pytest

from adaptstilts.errors import EvaluationError
from adaptstilts.submission.leaderboard import leaderboard_content, published_ids, sorted_rows
from adaptstilts.tasks.registry import get_task


def test_tatoeba_rows_follow_the_sorted_english_side():
    english = ["It rains.", "Anna sleeps.", "We go.", "Anna sleeps."]
    # Sorted: Anna (row 1), Anna (row 3), It, We.
    assert sorted_rows([30, 10, 20, 11], english) == [10, 11, 30, 20]
    assert leaderboard_content(get_task("tatoeba"), [30, 10, 20, 11], english) == ([10, 11, 30, 20], "")


def test_tatoeba_rows_stay_where_the_english_side_is_sorted_already():
    assert sorted_rows([2, 0, 1], ["A", "B", "a"]) == [2, 0, 1]


def test_tatoeba_gold_of_the_sorted_copy_is_the_row_in_the_foreign_file():
    # The right answer to row i of the unsorted files is i; of the sorted file it is where the sentence came from.
    english = ["c", "a", "b"]
    gold = sorted_rows([0, 1, 2], english)
    assert gold == [1, 2, 0]
    assert [english[row] for row in gold] == sorted(english)


def test_tatoeba_raises_when_numbers_differ():
    with pytest.raises(EvaluationError, match="2 predictions for 3 English sentences"):
        sorted_rows([1, 2], ["a", "b", "c"])


def test_repeated_ids_lose_their_position_and_the_last_answer_stays():
    found = published_ids({"q#10": "wrong place", "q1#0": "a"})
    assert found == ({"q#10": "wrong place", "q1#0": "a"}, "")
    numbered = {"q1#2": "c", "q1#0": "a", "q2#1": "b"}
    assert published_ids(numbered) == (
        {"q1": "c", "q2": "b"},
        "3 questions share 2 ids: the last answer of each is written",
    )


@pytest.mark.parametrize("answers", [{"a#0": "x", "b#1": "y"}, {"a": "x"}, {}, {"a#0": "x", "a": "y"}])
def test_ids_that_are_not_numbered_by_the_reader_stay(answers: dict[str, str]):
    assert published_ids(answers) == (answers, "")


def test_pairs_become_a_set_and_no_pair_is_noted():
    task = get_task("bucc2018")
    assert leaderboard_content(task, [["de-2", "en-1"], ["de-1", "en-2"]]) == (
        frozenset({("de-2", "en-1"), ("de-1", "en-2")}),
        "",
    )
    assert leaderboard_content(task, []) == (frozenset(), "no pair was mined, the file is empty")


def test_classes_and_tags_stay_as_they_are():
    assert leaderboard_content(get_task("xnli"), [2, 0]) == ([2, 0], "")
    assert leaderboard_content(get_task("udpos"), [["X"], ["NOUN"]]) == ([["X"], ["NOUN"]], "")
