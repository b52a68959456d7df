"""Inference, duplicates and paraphrases: gold follows from the meanings, labels are balanced."""

from collections import Counter
from random import Random

import pytest

from adaptstilts.mini.corpus import realise, text
from adaptstilts.mini.languages.registry import grammars
from adaptstilts.mini.logic import judge
from adaptstilts.mini.meaning import Clause
from adaptstilts.mini.tasks_pairs import Pair, duplicates, inference, paraphrases

MAKERS = {"inference": inference, "duplicates": duplicates, "paraphrases": paraphrases}


def content(clause: Clause) -> tuple[object, ...]:
    return (clause.verb, clause.negated, clause.subject.head, clause.object and clause.object.head)


@pytest.mark.parametrize("name", MAKERS)
def test_pairs_are_balanced_and_different(name: str) -> None:
    pairs = MAKERS[name](300, Random(1), set())
    counts = Counter(pair.label for pair in pairs)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len({pair.key() for pair in pairs}) == 300


@pytest.mark.parametrize("name", MAKERS)
def test_pairs_avoid_what_was_seen(name: str) -> None:
    seen: set[tuple[str, str]] = set()
    first = MAKERS[name](100, Random(1), seen)
    second = MAKERS[name](100, Random(1), seen)
    assert {pair.key() for pair in first}.isdisjoint(pair.key() for pair in second)


@pytest.mark.parametrize("length", [1, 3])
def test_inference_label_is_the_verdict_on_the_sentence_that_it_is_about(length: int) -> None:
    for pair in inference(150, Random(2), set(), sentences=(length,), steps=length):
        assert len(pair.first) == length
        hypothesis = pair.second[0][0]
        verdicts = {judge(clause, hypothesis) for clause, _ in pair.first}
        assert pair.label in verdicts


def test_inference_tells_little_by_the_word_not() -> None:
    pairs = inference(1500, Random(3), set())
    for label in ("entailment", "neutral", "contradiction"):
        denied = [pair.second[0][0].negated for pair in pairs if pair.label == label]
        assert 0.25 < sum(denied) / len(denied) < 0.55, label


def test_paraphrases_say_the_same_things_and_the_others_do_not() -> None:
    for pair in paraphrases(200, Random(4), set()):
        same = Counter(clause for clause, _ in pair.first) == Counter(clause for clause, _ in pair.second)
        assert same == (pair.label == "1")


def test_paraphrase_labels_share_most_words() -> None:
    def overlap(pair: Pair) -> float:
        left, right = (set(side.lower().replace(".", "").split()) for side in pair.key())
        return len(left & right) / len(left | right)

    pairs = paraphrases(300, Random(5), set())
    for label in ("0", "1"):
        scores = [overlap(pair) for pair in pairs if pair.label == label]
        assert sum(scores) / len(scores) > 0.75


def test_duplicates_ask_for_the_same_of_the_same_event() -> None:
    for pair in duplicates(200, Random(6), set()):
        (first, asked), (second, also_asked) = pair.first[0], pair.second[0]
        if pair.label == "1":
            assert asked is also_asked and content(first) == content(second)


@pytest.mark.parametrize("code", grammars())
def test_paraphrases_differ_in_every_language(code: str) -> None:
    grammar = grammars()[code]
    pairs = paraphrases(100, Random(7), set())
    alike = [pair for pair in pairs if text(realise(grammar, pair.first)) == text(realise(grammar, pair.second))]
    assert alike == []
