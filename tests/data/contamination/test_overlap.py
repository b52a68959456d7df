import numpy as np
import pytest

from adaptstilts.data.contamination.overlap import (
    compare,
    fingerprint,
    joined,
    normalise,
    repeated_rows,
    rows_of,
    texts,
)
from adaptstilts.tasks.examples import Bitext, ChoiceExample, PairExample, Sentence, SpanExample, TagExample

LONG = "The old library opened in the morning."
OTHER = "Nobody knew where the river ended."


def pair(first, second):
    return PairExample("0", first, second, 0)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("He said: “Don't!”", "hesaiddont"),
        ("Ｆｕｌｌ width, ﬁne", "fullwidthfine"),
        ("a\u00a0b\tc\n d", "abcd"),
        ("STRASSE straße", "strassestrasse"),
        ("C++ costs $5.", "c++costs$5"),
        ("कि", "कि"),
        ("... !?", ""),
    ],
)
def test_normalise_keeps_letters_digits_marks_and_symbols(text, form):
    assert normalise(text) == form


def test_normalise_makes_a_text_and_its_tokens_equal():
    assert normalise("They don't know, do they?") == normalise("They do n't know , do they ?")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (Sentence("0", "a b"), ("a b",)),
        (TagExample("0", ("a", "b"), None), ("a b",)),
        (PairExample("0", "a", None, None), ("a",)),
        (PairExample("0", "a", "b", None), ("a", "b")),
        (ChoiceExample("0", "p", ("a", "b"), None), ("p", "a", "b")),
        (SpanExample("0", "question", "context", None), ("context", "question")),
    ],
)
def test_texts_put_the_passage_first(row, expected):
    assert texts(row) == expected


def test_compare_counts_rows_passages_and_questions_of_the_evaluation_set():
    training = fingerprint(
        [pair(LONG, "It was a cold and early morning."), pair("Somebody else wrote this one.", OTHER)]
    )
    evaluation = fingerprint(
        [
            pair("the OLD library opened, in the morning", "It was a cold and early morning"),  # the same row
            pair("It was a cold and early morning.", LONG),  # the same row the other way round
            pair(LONG, "A statement that is nowhere else."),  # the passage
            pair("A passage that is nowhere else.", OTHER),  # the question
            pair("Neither of them is", "to be found anywhere."),
        ]
    )
    found = compare(evaluation, training)
    assert (found.rows, found.same_rows, found.same_passages, found.same_questions) == (5, 2, 3, 3)
    assert not found.is_none


def test_compare_finds_a_context_with_another_question():
    training = fingerprint([SpanExample("0", "Who opened it, and why so early?", LONG, ())])
    evaluation = fingerprint([SpanExample("1", "When did the library open?", LONG, ())])
    found = compare(evaluation, training)
    assert (found.same_rows, found.same_passages, found.same_questions) == (0, 1, 0)


def test_compare_leaves_short_texts_and_choices_aside():
    training = fingerprint([pair("Yes.", "No."), ChoiceExample("0", LONG, (OTHER, "x"), 0)])
    evaluation = fingerprint([pair("Yes.", "No."), Sentence("0", OTHER)])
    assert compare(evaluation, training).is_none


def test_compare_with_an_empty_set_finds_nothing():
    assert compare(fingerprint([Sentence("0", LONG)]), fingerprint([])).is_none
    assert compare(fingerprint([]), fingerprint([Sentence("0", LONG)])).rows == 0


def test_chinese_sentences_are_long_enough_at_seven_characters():
    assert fingerprint([Sentence("0", "老师打开图书馆")]).rows[0] != 0
    assert fingerprint([Sentence("0", "老师打开门了")]).rows[0] == 0


def test_repeated_rows_counts_all_but_the_first():
    rows = [Sentence("0", LONG), Sentence("1", OTHER), Sentence("2", LONG.upper()), Sentence("3", f" {LONG}")]
    short = [Sentence("4", "Yes."), Sentence("5", "Yes.")]
    assert repeated_rows(fingerprint([*rows, *short])) == 2


def test_joined_sets_are_as_one():
    one, other = [Sentence("0", LONG)], [Sentence("1", OTHER), Sentence("2", LONG)]
    assert np.array_equal(joined([fingerprint(one), fingerprint(other)]).rows, fingerprint([*one, *other]).rows)
    assert repeated_rows(joined([fingerprint(one), fingerprint(other)])) == 1
    assert len(joined([]).rows) == 0


def test_rows_of_a_bitext_are_those_of_one_side():
    bitext = Bitext("de", (Sentence("0", "Guten Tag"),), (Sentence("0", "Good day"),), None)
    assert [row.text for row in rows_of(bitext)] == ["Guten Tag"]
    assert [row.text for row in rows_of(bitext, english=True)] == ["Good day"]
    assert rows_of([]) == []


def test_prints_take_24_bytes_per_row_whatever_the_texts():
    prints = fingerprint(Sentence(str(number), f"{LONG * 50} {number}") for number in range(100))
    assert sum(part.nbytes for part in (prints.rows, prints.passages, prints.questions)) == 2400
