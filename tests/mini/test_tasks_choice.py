"""Multiple choice: one right answer, equally often at each position."""

from collections import Counter
from random import Random

import pytest

from adaptstilts.mini import concepts, preferences
from adaptstilts.mini.tasks_choice import common_sense, continuations, explanations

MAKERS = {"continuations": (continuations, 4), "explanations": (explanations, 4), "common_sense": (common_sense, 5)}


@pytest.mark.parametrize("name", MAKERS)
def test_choices_are_balanced_and_different(name: str) -> None:
    make, width = MAKERS[name]
    items = make(200, Random(1), set())
    assert all(len(set(item.answers)) == len(item.answers) == width for item in items)
    assert Counter(item.label for item in items) == dict.fromkeys(range(width), 200 // width)


@pytest.mark.parametrize("name", MAKERS)
def test_choices_avoid_what_was_seen(name: str) -> None:
    make, _ = MAKERS[name]
    seen: set[str] = set()
    make(60, Random(2), seen)
    make(60, Random(2), seen)
    assert len(seen) == 120


def test_continuations_have_a_context_that_does_not_hold_the_right_ending() -> None:
    for item in continuations(200, Random(3), set()):
        assert item.context.endswith(".") and not item.question
        assert item.answers[item.label].removeprefix("Then ") not in item.context


def test_explanations_ask_what_is_not_told() -> None:
    items = explanations(150, Random(4), set())
    assert {item.question.split()[0] for item in items} == {"What", "Why"}
    assert all(item.answers[item.label] not in item.context for item in items)


def test_common_sense_has_no_wrong_answer_that_the_verb_takes() -> None:
    fed = [item for item in common_sense(1500, Random(5), set()) if "feed" in item.question]
    assert fed
    for item in fed:
        others = set(item.answers) - {item.answers[item.label]}
        assert others.isdisjoint(preferences.objects_of("feed")) and others.isdisjoint(concepts.NOUNS["animal"])
