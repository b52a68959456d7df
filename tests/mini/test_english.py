"""English, the reference grammar: hand-checked sentences."""

from dataclasses import replace

import pytest

from adaptstilts.mini.corpus import text
from adaptstilts.mini.languages.english import GRAMMAR
from adaptstilts.mini.meaning import Clause, Phrase, Role

BUY = Clause("buy", Phrase("Anna"), Phrase("apple", "red", 3, False), Phrase("market"), "monday")
LOVE = Clause("love", Phrase("child"), Phrase("cat", "old", definite=False))


def say(clause: Clause, connective: str | None = None) -> str:
    return text([GRAMMAR.say(clause, connective)])


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        (BUY, "Anna bought three red apples at the market on Monday."),
        (replace(BUY, negated=True), "Anna did not buy three red apples at the market on Monday."),
        (LOVE, "The child loves an old cat."),
        (replace(LOVE, subject=Phrase("child", number=2)), "The two children love an old cat."),
        (replace(LOVE, negated=True), "The child does not love an old cat."),
        (Clause("be", Phrase("Anna"), kind="doctor"), "Anna is a doctor."),
        (Clause("be", Phrase("mouse", number=2), predicate="small", negated=True), "The two mice are not small."),
        (Clause("drink_v", Phrase("Omar"), Phrase("water", definite=False)), "Omar drank water."),
        (
            Clause("cook_v", Phrase("cook"), Phrase("egg", definite=False), Phrase("Rome")),
            "The cook cooked an egg in Rome.",
        ),
        (Clause("cry", Phrase("Omar"), time="yesterday"), "Omar cried yesterday."),
    ],
)
def test_say_gives_plain_english(clause: Clause, expected: str) -> None:
    assert say(clause) == expected


@pytest.mark.parametrize("connective", ["and", "then", "but", "because"])
def test_say_opens_with_the_connective(connective: str) -> None:
    assert say(LOVE, connective) == f"{connective.capitalize()} the child loves an old cat."


@pytest.mark.parametrize(
    ("clause", "asked", "expected"),
    [
        (BUY, Role.SUBJECT, "Who bought three red apples at the market on Monday?"),
        (BUY, Role.OBJECT, "What did Anna buy at the market on Monday?"),
        (BUY, Role.PLACE, "Where did Anna buy three red apples on Monday?"),
        (BUY, Role.TIME, "When did Anna buy three red apples at the market?"),
        (replace(LOVE, subject=Phrase("child", number=2)), Role.SUBJECT, "Who loves an old cat?"),
        (replace(LOVE, object=Phrase("Omar")), Role.OBJECT, "Who does the child love?"),
        (Clause("be", Phrase("soup"), predicate="hot"), Role.SUBJECT, "What is hot?"),
    ],
)
def test_ask_replaces_the_constituent_by_the_question_word(clause: Clause, asked: Role, expected: str) -> None:
    assert text([GRAMMAR.ask(clause, asked)]) == expected


def test_ask_why_keeps_every_constituent() -> None:
    assert text([GRAMMAR.ask_why(BUY)]) == "Why did Anna buy three red apples at the market on Monday?"


def test_say_marks_roles_parts_of_speech_and_names() -> None:
    words = GRAMMAR.say(replace(BUY, place=Phrase("Rome"))).words
    assert [
        (word.form, word.upos, word.role, word.entity) for word in words if word.role in (Role.PLACE, Role.SUBJECT)
    ] == [
        ("Anna", "PROPN", Role.SUBJECT, "PER"),
        ("in", "ADP", Role.PLACE, ""),
        ("Rome", "PROPN", Role.PLACE, "LOC"),
    ]
