"""What is said, before any language says it: concepts, noun phrases, clauses and the words that realise them.

The generator composes `Clause` values; each language of `adaptstilts.mini.languages` turns the same value into a
`Sentence`. Gold labels are read off the meanings, so they hold in every language.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(str, Enum):
    """What a word or a constituent does in its clause; answers and questions are found by it."""

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
        head: Concept id of a noun, or of a name when ``head`` is a `names` concept.
        adjective: Concept id of an attributive adjective, if any.
        number: 1 for the singular; 2 to 9 for a counted plural, written as a digit or a numeral word.
        definite: Whether the hearer knows which one is meant (``the`` against ``a``).
    """

    head: str
    adjective: str | None = None
    number: int = 1
    definite: bool = True


@dataclass(frozen=True)
class Clause:
    """One event or state.

    An event has ``verb`` set to a verb concept; a state has ``verb`` set to ``be`` and exactly one of ``predicate``
    (adjective concept) and ``kind`` (noun concept: "Anna is a doctor").

    Attributes:
        verb: Concept id of the verb, or ``be``.
        subject: Who or what.
        object: Direct object of a transitive verb.
        place: Where: a place noun or a city name.
        time: When: concept id of a time word.
        negated: Whether it is denied.
        predicate: Adjective said of the subject, with ``be``.
        kind: Noun said of the subject, with ``be``.
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
        role: Constituent it belongs to.
        concept: Concept id it realises; empty for pure grammar (articles, case particles, punctuation).
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
        words: Its words in order, closing punctuation included.
        spaced: Whether the language puts spaces between words (Chinese does not).
    """

    words: tuple[Word, ...]
    spaced: bool = True
