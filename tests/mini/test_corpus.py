"""Running text, exact offsets, parallel lines."""

import time
from collections.abc import Iterator

import pytest

from adaptstilts.mini.corpus import offsets, parallel_sentences, text
from adaptstilts.mini.languages.registry import grammars
from adaptstilts.mini.meaning import Clause, Phrase, Role, Sentence, Word


def sentence(*forms: str, spaced: bool = True) -> Sentence:
    marks = "¿?.。"
    return Sentence(tuple(Word(form, "PUNCT" if form in marks else "X", Role.OTHER) for form in forms), spaced)


def test_text_puts_no_space_before_closing_or_after_opening_punctuation() -> None:
    assert text([sentence("¿", "Quién", "llora", "?"), sentence("Anna", ".")]) == "¿Quién llora? Anna."


def test_text_puts_no_spaces_when_the_language_has_none() -> None:
    parts = [sentence("安", "哭", "。", spaced=False), sentence("他", "笑", "。", spaced=False)]
    assert text(parts) == "安哭。他笑。"


@pytest.mark.parametrize("code", grammars())
def test_offsets_point_at_each_word(code: str) -> None:
    grammar = grammars()[code]
    clause = Clause("buy", Phrase("Anna"), Phrase("apple", "red", 3, False), Phrase("market"), "monday")
    parts = [grammar.say(clause), grammar.ask(clause, Role.OBJECT), grammar.say(clause, "then")]
    whole = text(parts)
    for part, spans in zip(parts, offsets(parts), strict=True):
        assert [whole[start:end] for start, end in spans] == [word.form for word in part.words]


def parallel_lines(seed: int, count: int) -> Iterator[dict[str, str]]:
    for line in parallel_sentences(seed, count):
        yield {code: text(sentences) for code, sentences in line.items()}


def test_parallel_lines_are_equal_when_seeds_are_equal() -> None:
    assert list(parallel_lines(4, 50)) == list(parallel_lines(4, 50))
    assert list(parallel_lines(4, 50)) != list(parallel_lines(5, 50))


def test_parallel_lines_have_every_language_and_some_questions() -> None:
    lines = list(parallel_lines(1, 400))
    assert all(tuple(line) == tuple(grammars()) and all(line.values()) for line in lines)
    assert 20 < sum("?" in line["en"] for line in lines) < 120
    assert len({line["en"] for line in lines}) > 350


def test_parallel_lines_are_fast() -> None:
    start = time.process_time()
    assert sum(1 for _ in parallel_lines(1, 1000)) == 1000
    assert time.process_time() - start < 10
