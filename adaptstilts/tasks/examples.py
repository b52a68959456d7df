"""Examples as the readers return them: one frozen dataclass per kind of task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class PairExample:
    """A sentence or a pair of sentences with a class.

    Attributes:
        id: Unique within its file.
        label: Index into the task's labels; None where hidden.
    """

    id: str
    first: str
    second: str | None
    label: int | None


@dataclass(frozen=True)
class ChoiceExample:
    """A prompt with several continuations or answers, one of which is right.

    Attributes:
        id: Unique within its file.
        prompt: Context, with the question where there is one.
        choices: At least two.
        label: Index of the right one; None where hidden.
    """

    id: str
    prompt: str
    choices: tuple[str, ...]
    label: int | None


@dataclass(frozen=True)
class TagExample:
    """A sentence of words with one tag each.

    Attributes:
        id: Unique within its file.
        tags: Indices into the task's labels, one per word; None where hidden.
    """

    id: str
    words: tuple[str, ...]
    tags: tuple[int, ...] | None


@dataclass(frozen=True)
class Answer:
    """An answer as it stands in the context; ``start`` is its character offset, from 0."""

    text: str
    start: int


@dataclass(frozen=True)
class SpanExample:
    """A question about a context.

    Attributes:
        id: Unique within its file (made so by position where the publisher's ids are not).
        answers: Gold answers; empty when the question is unanswerable; None where hidden.
    """

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...] | None


@dataclass(frozen=True)
class Sentence:
    """A sentence of a retrieval collection; ``id`` is unique in its language."""

    id: str
    text: str


@dataclass(frozen=True)
class Candidate:
    """An entry of a pool in which queries are searched.

    Attributes:
        id: Unique in its pool.
        context: Surrounding text that is encoded with it, if any.
        answers: The ``target`` of each query that it is right for.
    """

    id: str
    text: str
    context: str | None
    answers: tuple[str, ...]


@dataclass(frozen=True)
class MatchExample:
    """A query to be matched with a candidate.

    Attributes:
        id: Unique within its file.
        target: Right candidates have this among their ``answers``; None where hidden.
        candidate: The right candidate, in training; None where candidates lie in a pool.
    """

    id: str
    query: str
    target: str | None
    candidate: Candidate | None = None


@dataclass(frozen=True)
class Bitext:
    """Two collections of sentences to be matched.

    Attributes:
        language: ISO 639-1 code of the non-English side.
        gold: Pairs (foreign id, English id); None where hidden.
    """

    language: str
    foreign: tuple[Sentence, ...]
    english: tuple[Sentence, ...]
    gold: frozenset[tuple[str, str]] | None


Example: TypeAlias = PairExample | ChoiceExample | TagExample | SpanExample | MatchExample
