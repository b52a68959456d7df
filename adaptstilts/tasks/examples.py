"""Examples as readers make them: one frozen dataclass per kind of task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class PairExample:
    """A sentence or a pair of sentences with a class.

    Attributes:
        id: Unique within its file.
        first: First (or only) text.
        second: Second text, if any.
        label: Index into the task's labels; None where the label is hidden.
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
        choices: The alternatives, at least two.
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
        words: The words.
        tags: Indices into the task's labels, as many as words; None where hidden.
    """

    id: str
    words: tuple[str, ...]
    tags: tuple[int, ...] | None


@dataclass(frozen=True)
class Answer:
    """An answer as it stands in the context.

    Attributes:
        text: Its characters.
        start: Character offset into the context, from 0.
    """

    text: str
    start: int


@dataclass(frozen=True)
class SpanExample:
    """A question on a context.

    Attributes:
        id: Unique within its file (made so by position where the publisher's ids are not).
        question: The question.
        context: The text that holds the answer.
        answers: Gold answers; empty when the question is unanswerable; None where hidden.
    """

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...] | None


@dataclass(frozen=True)
class Sentence:
    """A sentence of a retrieval collection.

    Attributes:
        id: Unique on its side.
        text: Its characters.
    """

    id: str
    text: str


@dataclass(frozen=True)
class Candidate:
    """What a query may find in a pool.

    Attributes:
        id: Unique in its pool.
        text: The candidate itself.
        context: Text around it that is encoded with it, if any.
        answers: Targets of the queries it is right for.
    """

    id: str
    text: str
    context: str | None
    answers: tuple[str, ...]


@dataclass(frozen=True)
class MatchExample:
    """A query with what it should find.

    Attributes:
        id: Unique within its file.
        query: Its text.
        target: What a candidate must answer to be right; None where hidden.
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
        foreign: Sentences in that language.
        english: English sentences.
        gold: Pairs (foreign id, English id); None where hidden.
    """

    language: str
    foreign: tuple[Sentence, ...]
    english: tuple[Sentence, ...]
    gold: frozenset[tuple[str, str]] | None


Example: TypeAlias = PairExample | ChoiceExample | TagExample | SpanExample | MatchExample
