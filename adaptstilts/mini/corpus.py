"""Plain text of the mini world: joined words, exact offsets, and parallel lines for pretraining."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeAlias

from adaptstilts.mini.languages.base import Grammar
from adaptstilts.mini.languages.registry import grammars
from adaptstilts.mini.meaning import Clause, Role, Sentence, Word
from adaptstilts.mini.world import Story, pick, tell

_OPENING = frozenset("¿¡")
_LINE_LENGTHS = (1, 2, 3)
_REASON_RATE = 0.15
_QUESTION_RATE = 0.15

Line: TypeAlias = tuple[tuple[Clause, "str | Role | None"], ...]
"""Clauses, a statement with its connective or None, a question with the role that is asked for."""


def text(sentences: Sequence[Sentence]) -> str:
    """Join the sentences of one language to running text, with spaces and punctuation as the language has them."""
    pieces: list[str] = []
    previous: Word | None = None
    for sentence in sentences:
        for word in sentence.words:
            if sentence.spaced and _is_apart(previous, word):
                pieces.append(" ")
            pieces.append(word.form)
            previous = word
    return "".join(pieces)


def offsets(sentences: Sequence[Sentence]) -> list[list[tuple[int, int]]]:
    """Return the position of each word in the result of `text`, by sentence, as (first character, end)."""
    found: list[list[tuple[int, int]]] = []
    position = 0
    previous: Word | None = None
    for sentence in sentences:
        spans: list[tuple[int, int]] = []
        for word in sentence.words:
            position += sentence.spaced and _is_apart(previous, word)
            spans.append((position, position + len(word.form)))
            position += len(word.form)
            previous = word
        found.append(spans)
    return found


def _is_apart(previous: Word | None, word: Word) -> bool:
    """Return whether a space separates two words of a language that has spaces."""
    if previous is None or previous.form in _OPENING:
        return False
    return word.upos != "PUNCT" or word.form in _OPENING


def parallel_sentences(seed: int, count: int) -> Iterator[dict[str, list[Sentence]]]:
    """Yield lines of one to three sentences from one story, with the same meaning in every language, by language code.

    Some lines put a question before the statement that answers it, and some name a cause after "because". Words carry
    their concepts; for the text of a line see `text`.
    """
    rng = Random(seed)
    languages = grammars()
    made = 0
    while made < count:
        for part in _lines(rng, tell(rng)):
            if made == count:
                return
            yield {code: realise(grammar, part) for code, grammar in languages.items()}
            made += 1


def realise(grammar: Grammar, line: Line) -> list[Sentence]:
    """Express a line in one language."""
    return [
        grammar.ask(clause, manner) if isinstance(manner, Role) else grammar.say(clause, manner)
        for clause, manner in line
    ]


def _lines(rng: Random, story: Story) -> Iterator[Line]:
    """Cut a story into lines; turn some into question and answer, or effect and cause."""
    steps = list(zip(story.clauses, story.connectives, strict=True))
    position = 0
    while position < len(steps):
        length = pick(rng, _LINE_LENGTHS, 0.2)
        part = steps[position : position + length]
        position += length
        draw = rng.random()
        if draw < _QUESTION_RATE:
            clause = part[0][0]
            part_roles = [role for role, value in askable(clause).items() if value]
            yield ((clause, pick(rng, part_roles, 0.0)), (clause, None))
        elif len(part) == 2 and draw > 1 - _REASON_RATE:
            yield ((part[1][0], None), (part[0][0], "because"))
        else:
            yield tuple(part)


def askable(clause: Clause) -> dict[Role, bool]:
    """Return for each kind of question whether the clause answers it."""
    return {
        Role.SUBJECT: True,
        Role.OBJECT: clause.object is not None,
        Role.PLACE: clause.place is not None,
        Role.TIME: clause.time is not None,
    }
