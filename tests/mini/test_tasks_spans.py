"""Questions on stories: the answer stands in the story once, in every language."""

from random import Random

import pytest

from adaptstilts.mini.corpus import realise, text
from adaptstilts.mini.languages.registry import grammars
from adaptstilts.mini.meaning import Clause, Phrase, Role
from adaptstilts.mini.tasks_spans import Question, answer_span, readings

STORY = (
    (Clause("buy", Phrase("Anna"), Phrase("apple", "red", definite=False), Phrase("market")), None),
    (Clause("eat", Phrase("Omar"), Phrase("apple", "red"), time="yesterday"), "then"),
)


@pytest.mark.parametrize(
    ("position", "role", "expected"),
    [
        (0, Role.OBJECT, "a red apple"),
        (0, Role.PLACE, "at the market"),
        (1, Role.SUBJECT, "Omar"),
        (1, Role.TIME, "yesterday"),
    ],
)
def test_answer_span_covers_the_whole_constituent(position: int, role: Role, expected: str) -> None:
    sentences = realise(grammars()["en"], STORY)
    span = answer_span(sentences, Question(STORY[position][0], role, position))
    assert span is not None
    assert text(sentences)[span[0] : span[1]] == expected


def test_answer_span_is_none_when_the_story_does_not_tell() -> None:
    sentences = realise(grammars()["en"], STORY)
    assert answer_span(sentences, Question(STORY[0][0], Role.TIME, None)) is None
    assert answer_span(sentences, Question(STORY[0][0], Role.TIME, 0)) is None


@pytest.mark.parametrize("code", grammars())
def test_readings_have_their_answer_in_the_text(code: str) -> None:
    grammar = grammars()[code]
    for reading in readings(60, Random(1), set(), sentences=(3, 4)):
        sentences = realise(grammar, reading.context)
        for question in reading.questions:
            span = answer_span(sentences, question)
            assert span is not None
            answer = text(sentences)[span[0] : span[1]]
            assert answer and answer == answer.strip()


def test_readings_leave_the_wanted_share_unanswerable() -> None:
    items = readings(300, Random(2), set(), sentences=(3, 4), unanswerable=1 / 3)
    assert sum(item.questions[0].answered_by is None for item in items) == 100


def test_readings_ask_for_every_role_with_and_without_answer() -> None:
    items = readings(400, Random(3), set(), sentences=(3, 4), unanswerable=1 / 3)
    found = {(item.questions[0].role, item.questions[0].answered_by is None) for item in items}
    assert found == {
        (role, hidden) for role in (Role.SUBJECT, Role.OBJECT, Role.PLACE, Role.TIME) for hidden in (True, False)
    }


def test_readings_avoid_stories_seen_before() -> None:
    seen: set[str] = set()
    readings(50, Random(4), seen, sentences=(2,))
    readings(50, Random(4), seen, sentences=(2,))
    assert len(seen) == 100
