"""Plain text of the mini world: joining words, exact offsets, and parallel lines for pretraining."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeAlias

from adaptstilts.mini.languages.base import Grammar
from adaptstilts.mini.languages.registry import grammars
from adaptstilts.mini.meaning import Clause, Role, Sentence
from adaptstilts.mini.world import Story, pick, tell

_LINE_LENGTHS = (1, 2, 3)
_REASON_RATE = 0.15
_QUESTION_RATE = 0.15

_Line: TypeAlias = list[tuple[Clause, "str | Role | None"]]


def text(sentences: Sequence[Sentence]) -> str:
    """Join sentences to running text.

    Args:
        sentences: Realised sentences of one language.

    Returns:
        Words with spaces where the language has them and none before punctuation; sentences likewise.
    """
    pieces: list[str] = []
    for sentence in sentences:
        gap = " " if sentence.spaced else ""
        for word in sentence.words:
            if pieces and word.upos != "PUNCT":
                pieces.append(gap)
            pieces.append(word.form)
    return "".join(pieces)


def offsets(sentences: Sequence[Sentence]) -> list[list[tuple[int, int]]]:
    """Tell where each word stands in the text that `text` makes.

    Args:
        sentences: Realised sentences of one language.

    Returns:
        For each sentence, for each word, its first character and the one after its last.
    """
    found: list[list[tuple[int, int]]] = []
    position = 0
    for sentence in sentences:
        spans: list[tuple[int, int]] = []
        for word in sentence.words:
            if position and sentence.spaced and word.upos != "PUNCT":
                position += 1
            spans.append((position, position + len(word.form)))
            position += len(word.form)
        found.append(spans)
    return found


def tokens(sentences: Sequence[Sentence]) -> list[str]:
    """Return the words of the sentences as written, punctuation included."""
    return [word.form for sentence in sentences for word in sentence.words]


def parallel_lines(seed: int, count: int) -> Iterator[dict[str, str]]:
    """Yield parallel lines: one to three sentences of one story, with the same meaning in every language.

    Some lines put a question before the statement that answers it, and some name a cause after "because".

    Args:
        seed: Seed of the generator; equal seeds give equal lines.
        count: Number of lines.

    Yields:
        Language code -> line.
    """
    rng = Random(seed)
    languages = grammars()
    made = 0
    while made < count:
        for part in _lines(rng, tell(rng)):
            if made == count:
                return
            yield {code: text(_realise(grammar, part)) for code, grammar in languages.items()}
            made += 1


def _realise(grammar: Grammar, line: _Line) -> list[Sentence]:
    return [
        grammar.ask(clause, manner) if isinstance(manner, Role) else grammar.say(clause, manner)
        for clause, manner in line
    ]


def _lines(rng: Random, story: Story) -> Iterator[_Line]:
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
            yield [(clause, pick(rng, part_roles, 0.0)), (clause, None)]
        elif len(part) == 2 and draw > 1 - _REASON_RATE:
            yield [(part[1][0], None), (part[0][0], "because")]
        else:
            yield list(part)


def askable(clause: Clause) -> dict[Role, bool]:
    """Tell for each kind of question whether the clause answers it."""
    return {
        Role.SUBJECT: True,
        Role.OBJECT: clause.object is not None,
        Role.PLACE: clause.place is not None,
        Role.TIME: clause.time is not None,
    }
