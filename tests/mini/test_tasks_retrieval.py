"""Parallel sentences and collections to be mined."""

from random import Random

from adaptstilts.mini.languages.registry import grammars
from adaptstilts.mini.tasks_retrieval import mining, parallel


def test_parallel_texts_differ_in_every_language() -> None:
    texts = parallel(150, Random(1), set())
    for code in grammars():
        assert len({item[code] for item in texts}) == 150


def test_mining_has_distractors_on_both_sides_and_gold_that_fits() -> None:
    texts = parallel(30, Random(2), set())
    mined = mining("de", texts, 10, Random(3))
    foreign, english = dict(mined.foreign), dict(mined.english)
    assert (len(foreign), len(english), len(mined.gold)) == (20, 20, 10)
    meanings = {(item["de"], item["en"]) for item in texts}
    assert all((foreign[left], english[right]) in meanings for left, right in mined.gold)
    matched = {(foreign[left], english[right]) for left, right in mined.gold}
    assert {
        (left, right) for left, right in meanings if left in foreign.values() and right in english.values()
    } == matched
