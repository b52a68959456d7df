"""Inference labels of hand-written pairs."""

from dataclasses import replace

import pytest

from adaptstilts.mini.logic import Verdict, is_mixed, judge, related
from adaptstilts.mini.meaning import Clause, Phrase

FACT = Clause("buy", Phrase("Anna"), Phrase("apple", "red"), Phrase("market"), "monday")
APPLE = Phrase("apple", "red")
E, N, C = Verdict.ENTAILMENT, Verdict.NEUTRAL, Verdict.CONTRADICTION


@pytest.mark.parametrize(
    ("hypothesis", "expected"),
    [
        (FACT, E),
        (replace(FACT, place=None), E),
        (replace(FACT, object=Phrase("fruit"), time=None), E),
        (replace(FACT, verb="get"), E),
        (replace(FACT, object=replace(APPLE, definite=False)), E),
        (replace(FACT, negated=True), C),
        (replace(FACT, place=None, negated=True), C),
        (replace(FACT, place=Phrase("garden")), C),
        (replace(FACT, time="friday"), C),
        (replace(FACT, time="friday", negated=True), E),
        (replace(FACT, object=Phrase("apple", "green")), C),
        (replace(FACT, object=Phrase("apple", "red", 2)), C),
        (replace(FACT, place=Phrase("Rome")), N),
        (replace(FACT, subject=Phrase("Omar")), N),
        (replace(FACT, object=Phrase("banana")), N),
        (replace(FACT, object=Phrase("banana"), negated=True), N),
        (replace(FACT, verb="eat"), N),
        (replace(FACT, object=Phrase("apple", "good")), N),
        (replace(FACT, place=Phrase("market", "old")), N),
    ],
)
def test_judge_labels_a_hypothesis_on_a_fact(hypothesis: Clause, expected: Verdict) -> None:
    assert judge(FACT, hypothesis) is expected


@pytest.mark.parametrize(
    ("hypothesis", "expected"),
    [
        (Clause("buy", Phrase("Anna"), Phrase("apple"), negated=True), N),
        (Clause("buy", Phrase("Anna"), Phrase("apple")), N),
        (FACT, C),
        (replace(FACT, subject=Phrase("Anna"), place=Phrase("market", "old"), negated=True), E),
        (replace(FACT, time="friday"), N),
    ],
)
def test_judge_turns_entailment_round_when_the_premise_is_denied(hypothesis: Clause, expected: Verdict) -> None:
    assert judge(replace(FACT, negated=True), hypothesis) is expected


def test_judge_opposes_antonyms_of_states() -> None:
    hot = Clause("be", Phrase("soup"), predicate="hot")
    assert judge(hot, replace(hot, predicate="cold")) is C
    assert judge(hot, replace(hot, predicate="cold", negated=True)) is E
    assert judge(hot, replace(hot, predicate="good")) is N
    assert judge(hot, replace(hot, subject=Phrase("food"))) is E


def test_is_mixed_sees_new_beside_excluded() -> None:
    assert is_mixed(FACT, replace(FACT, time="friday", place=Phrase("Rome")))
    assert not is_mixed(FACT, replace(FACT, time="friday"))


def test_related_sees_hypernyms_and_general_verbs_both_ways() -> None:
    assert related("buy", "get") and related("get", "buy") and related("fruit", "apple")
    assert not related("apple", "banana") and not related("buy", "steal")
