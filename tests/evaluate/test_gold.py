from __future__ import annotations

import pytest

from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.gold import gold_of, match_gold
from adaptstilts.evaluate.metrics import score_examples
from adaptstilts.tasks.examples import (
    Answer,
    Bitext,
    Candidate,
    ChoiceExample,
    Example,
    MatchExample,
    PairExample,
    Sentence,
    SpanExample,
    TagExample,
)
from adaptstilts.tasks.registry import get_task

NLI = get_task("xnli").labels
TAGS = ("O", "B-PER", "I-PER")


def pair(label: int | None) -> PairExample:
    return PairExample("p7", "It rains.", "It is wet.", label)


def span(*answers: str, name: str = "q1") -> SpanExample:
    return SpanExample(name, "Who?", "Anna met Bo.", tuple(Answer(text, 0) for text in answers))


def side(*names: str) -> tuple[Sentence, ...]:
    return tuple(Sentence(name, f"text {name}") for name in names)


@pytest.mark.parametrize(
    ("task", "examples", "labels", "expected"),
    [
        ("xnli", [pair(2), pair(0)], NLI, [2, 0]),
        ("hellaswag", [ChoiceExample("c", "And then?", ("a", "b"), 1)], (), [1]),
        ("panx", [TagExample("t", ("Anna", "Kurz", "kam"), (1, 2, 0))], TAGS, [["B-PER", "I-PER", "O"]]),
        ("xquad", [span("Anna", "Bo"), span("Bo", name="q2")], (), {"q1": ["Anna", "Bo"], "q2": ["Bo"]}),
        ("squad2", [span()], (), {"q1": []}),
    ],
    ids=["classes", "choices", "tags", "answers", "unanswerable"],
)
def test_gold_has_the_form_of_its_metric(task: str, examples: list[Example], labels: tuple[str, ...], expected):
    assert gold_of(get_task(task), examples, labels) == expected


def test_gold_of_mined_pairs_is_the_pairs():
    gold = frozenset({("de-1", "en-2")})
    assert gold_of(get_task("bucc2018"), Bitext("de", side("de-1"), side("en-1", "en-2"), gold), ()) == gold


def test_gold_of_nearest_sentences_is_the_row_of_each_translation():
    gold = frozenset({("f1", "e1"), ("f2", "e2"), ("f3", "e3")})
    bitext = Bitext("de", side("f2", "f3", "f1"), side("e1", "e2", "e3"), gold)
    assert gold_of(get_task("tatoeba"), bitext, ()) == [2, 0, 1]


def test_gold_of_the_other_direction_is_the_row_of_the_english_translation():
    gold = frozenset({("f1", "e1"), ("f2", "e2"), ("f3", "e3")})
    bitext = Bitext("de", side("f2", "f3", "f1"), side("e1", "e2", "e3"), gold)
    assert gold_of(get_task("tatoeba"), bitext, (), direction="foreign_to_english") == [1, 2, 0]


def test_gold_scores_itself_at_100():
    for name, examples, labels in (
        ("xnli", [pair(2), pair(0)], NLI),
        ("panx", [TagExample("t", ("Anna", "kam"), (1, 0))], TAGS),
    ):
        task = get_task(name)
        gold = gold_of(task, examples, labels)
        assert set(score_examples(task.metric, gold, gold).values()) == {100.0}


@pytest.mark.parametrize(
    ("task", "examples", "name"),
    [
        ("xnli", [pair(0), pair(None)], "p7"),
        ("panx", [TagExample("t3", ("a",), None)], "t3"),
        ("xquad", [SpanExample("q9", "Who?", "Anna.", None)], "q9"),
        ("bucc2018", Bitext("de", side("f"), side("e"), None), "de-en"),
        ("tatoeba", Bitext("sw", side("f"), side("e"), None), "sw-en"),
    ],
)
def test_gold_raises_with_the_name_when_a_label_is_hidden(task: str, examples: list[Example] | Bitext, name: str):
    with pytest.raises(EvaluationError, match=f"the label of '{name}' is hidden. Score on a labelled split"):
        gold_of(get_task(task), examples, TAGS)


def test_gold_of_the_other_direction_raises_when_a_foreign_sentence_has_no_translation():
    bitext = Bitext("de", side("f1", "f2"), side("e1"), frozenset({("f1", "e1")}))
    with pytest.raises(EvaluationError, match=r"no translation of 1 foreign sentence of de-en, the first is 'f2'"):
        gold_of(get_task("tatoeba"), bitext, (), direction="foreign_to_english")


def test_gold_raises_when_an_english_sentence_has_no_translation():
    bitext = Bitext("de", side("f1"), side("e1", "e2", "e3"), frozenset({("f1", "e1")}))
    with pytest.raises(EvaluationError, match=r"no translation of 2 English sentences of de-en, the first is 'e2'"):
        gold_of(get_task("tatoeba"), bitext, ())


def test_gold_of_pairs_is_the_candidate_of_each_query():
    pairs = [MatchExample(name, "?", "c1", Candidate("c1", "x", None, ("c1",))) for name in ("q1", "q2")]
    assert gold_of(get_task("lareqa"), pairs, ()) == {"q1": ["c1"], "q2": ["c1"]}


def test_match_gold_is_every_candidate_that_answers_the_target():
    queries = [MatchExample("q1", "?", "t1"), MatchExample("q2", "?", "t2")]
    right = {"t1": ["en_1", "de_1"], "t2": ["en_2"], "t3": ["en_3"]}
    assert match_gold(queries, right, "lareqa") == {"q1": ["en_1", "de_1"], "q2": ["en_2"]}


@pytest.mark.parametrize(
    ("target", "message"),
    [(None, "the label of 'q1' is hidden"), ("t9", "no candidate of lareqa is right for query 'q1'.*find 't9'")],
)
def test_match_gold_is_refused_when_a_target_is_hidden_or_not_in_the_pool(target: str | None, message: str):
    with pytest.raises(EvaluationError, match=message):
        match_gold([MatchExample("q1", "?", target)], {"t1": ["c"]}, "lareqa")
