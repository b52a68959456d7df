import pytest

from adaptstilts.readers.sampling import hold_out, positions, sample, shrink
from adaptstilts.tasks.examples import Bitext, Sentence


def bitext(foreign: int, english: int, pairs: int | None) -> Bitext:
    gold = None if pairs is None else frozenset((f"f{index}", f"e{index}") for index in range(pairs))
    return Bitext(
        "de",
        tuple(Sentence(f"f{index}", "x") for index in range(foreign)),
        tuple(Sentence(f"e{index}", "x") for index in range(english)),
        gold,
    )


def test_positions_are_the_same_for_the_same_numbers_and_ascend():
    assert positions(100, 10) == positions(100, 10)
    assert positions(100, 10) == sorted(set(positions(100, 10)))
    assert positions(100, 10) != list(range(10))


def test_positions_do_not_follow_a_period_of_three():
    counts = [sum(position % 3 == rest for position in positions(999, 333)) for rest in range(3)]
    assert min(counts) > 80


def test_sample_returns_everything_when_limit_is_not_below_the_count():
    rows = [1, 2, 3]
    assert sample(rows, None) == rows
    assert sample(rows, 3) == rows
    assert sample(rows, 5) == rows


def test_hold_out_keeps_every_row_once():
    kept, held = hold_out(list(range(20)), 5)
    assert len(held) == 5
    assert sorted(kept + held) == list(range(20))
    assert kept == sorted(kept)


def test_shrink_keeps_only_pairs_when_every_sentence_has_a_partner():
    small = shrink(bitext(50, 50, 50), 10)
    assert small.gold is not None
    assert len(small.foreign) == len(small.english) == len(small.gold) == 10
    assert {sentence.id for sentence in small.english} == {pair[1] for pair in small.gold}


def test_shrink_fills_half_with_sentences_without_partner_when_there_are_some():
    small = shrink(bitext(60, 80, 30), 20)
    assert small.gold is not None
    assert (len(small.foreign), len(small.english), len(small.gold)) == (20, 20, 10)


def test_shrink_takes_all_pairs_when_they_are_few():
    small = shrink(bitext(60, 80, 3), 20)
    assert small.gold is not None
    assert (len(small.foreign), len(small.english), len(small.gold)) == (20, 20, 3)


@pytest.mark.parametrize("limit", [None, 80, 100])
def test_shrink_changes_nothing_when_limit_is_not_below_the_longer_side(limit):
    whole = bitext(60, 80, 30)
    assert shrink(whole, limit) is whole


def test_shrink_samples_either_side_when_gold_is_hidden():
    small = shrink(bitext(60, 80, None), 20)
    assert (len(small.foreign), len(small.english), small.gold) == (20, 20, None)
