"""Meanings, independent of any language: concepts, noun phrases, clauses, and the words that realise them.

The generator composes `Clause` values; each language of `adaptstilts.mini.languages` turns the same value into a
`Sentence`. Gold labels are read off the meanings, so they hold in every language.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(str, Enum):
    """Function of a word or a constituent in its clause; answers and questions are found by it."""

    SUBJECT = "subject"
    OBJECT = "object"
    PLACE = "place"
    TIME = "time"
    VERB = "verb"
    PREDICATE = "predicate"
    OTHER = "other"


@dataclass(frozen=True)
class Phrase:
    """A noun phrase or a name.

    Attributes:
        head: Concept id of a noun or a name.
        adjective: Concept id of an attributive adjective.
        number: 1 for the singular; 2 to 9 for a counted plural, written as a digit or a numeral word.
        definite: Whether the hearer knows which one is meant (``the``, not ``a``).
    """

    head: str
    adjective: str | None = None
    number: int = 1
    definite: bool = True


@dataclass(frozen=True)
class Clause:
    """One event or state.

    An event has ``verb`` set to a verb concept; a state has ``verb`` set to ``be`` and exactly one of ``predicate``
    (adjective concept) and ``kind`` (noun concept: "Anna is a doctor"). ``place`` is a place noun or a city name,
    ``time`` the concept id of a time word.
    """

    verb: str
    subject: Phrase
    object: Phrase | None = None
    place: Phrase | None = None
    time: str | None = None
    negated: bool = False
    predicate: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Word:
    """A word as it stands in a sentence.

    Attributes:
        form: Inflected surface form, no spaces inside.
        upos: Universal part-of-speech tag (one of XTREME's 17).
        role: Role of the constituent that it belongs to.
        concept: Concept id; empty for grammatical words (articles, case particles, punctuation).
        entity: ``PER``, ``LOC`` or ``ORG`` for a name, else empty.
    """

    form: str
    upos: str
    role: Role
    concept: str = ""
    entity: str = ""


@dataclass(frozen=True)
class Sentence:
    """A realised clause or question.

    Attributes:
        words: Words in order, closing punctuation included.
        spaced: Whether the language puts spaces between words (Chinese does not).
    """

    words: tuple[Word, ...]
    spaced: bool = True
