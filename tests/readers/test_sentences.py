import time

import pytest

from adaptstilts.readers.sentences import sentence_spans


@pytest.mark.parametrize(
    "sentences",
    [
        ["Anna came.", "She left at 5 p.m. that day.", "Who knows?", "Nobody!"],
        ['He said "Go."', "Then he went."],
        ["Dr. King met Mr. J. R. Tolkien in St. Louis on Jan. 5 in No. 7.", "It rained."],
        ["The U.S. Army came.[2]", "It was late (very late.)", "(They slept.)"],
        ["Was it 3.14 or e.g. 2?", "\u201cYes.\u201d", "7 men came."],
        ["One ends without a stop"],
    ],
)
def test_sentences_are_found_where_they_were_joined(sentences):
    text = "  ".join(sentences)
    assert [text[start:end] for start, end in sentence_spans(text)] == sentences


def test_sentences_cover_everything_but_the_white_space_between_them():
    text = " Anna came. \n\n She left! Why? \u00a0 "
    spans = sentence_spans(text)
    assert [text[start:end] for start, end in spans] == ["Anna came.", "She left!", "Why?"]
    covered = {at for start, end in spans for at in range(start, end)}
    assert not "".join(letter for at, letter in enumerate(text) if at not in covered).strip()
    assert sentence_spans(" \n") == []


@pytest.mark.parametrize("text", ["a. A" * 50_000, "aaaaaaaa. A" * 20_000, "a" * 200_000 + ". A", ".]]]" * 50_000])
def test_sentences_of_any_text_are_found_soon(text):
    started = time.monotonic()
    sentence_spans(text)
    assert time.monotonic() - started < 5
