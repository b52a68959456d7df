"""Parts that several grammars share: classes of nouns, cached words, sentence endings, lexicon tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from adaptstilts.errors import DataError
from adaptstilts.formatting import number_text
from adaptstilts.mini import concepts
from adaptstilts.mini.meaning import Role, Sentence, Word

WOMEN: frozenset[str] = frozenset({
    "Anna", "Maria", "Lena", "Sara", "Nina", "Clara", "Irina", "Mina", "Vera", "Julia", "Emma", "Olga",
})  # fmt: skip
"""First names of women; the other persons are men."""

PEOPLE: frozenset[str] = frozenset(("person", *concepts.NOUNS["person"], *concepts.PERSONS))
"""Concepts that stand for human beings."""

ANIMALS: frozenset[str] = frozenset(("animal", *concepts.NOUNS["animal"]))
"""Concepts that stand for animals."""

PROFESSIONS: frozenset[str] = frozenset({
    "teacher", "doctor", "farmer", "student", "soldier", "singer", "cook", "driver", "writer", "nurse", "king", "judge",
})  # fmt: skip
"""Kinds of person that German and Spanish predicate without an article ("Anna ist Lehrerin")."""

MASS: frozenset[str] = frozenset({
    "food", "bread", "rice", "meat", "soup", "cheese", "water", "milk", "tea", "coffee", "juice", "wine", "clothing",
    "grass",
})  # fmt: skip
"""Nouns that take no indefinite article ("Anna trank Wasser")."""

ENTITIES: dict[str, str] = {
    **dict.fromkeys(concepts.PERSONS, "PER"),
    **dict.fromkeys(concepts.CITIES, "LOC"),
    **dict.fromkeys(concepts.ORGANISATIONS, "ORG"),
}
"""Name -> its entity type."""


def is_woman(head: str) -> bool:
    """Return whether a phrase with this head names a woman (of the nouns, only those that say so themselves)."""
    return head in WOMEN or head in {"woman", "nurse"}


def asked_as(head: str) -> str:
    """Return the concept that asks for a phrase with this head: ``who`` for people and companies, else ``what``."""
    return "who" if head in PEOPLE or ENTITIES.get(head) == "ORG" else "what"


@lru_cache(maxsize=1 << 16)
def word(form: str, upos: str, role: Role, concept: str = "", entity: str = "") -> Word:
    """Return the word with these attributes; equal words are one object."""
    return Word(form, upos, role, concept, entity)


@lru_cache(maxsize=1 << 16)
def capitalised(first: Word) -> Word:
    """Return the word with a capital letter, as the first of a sentence."""
    return Word(first.form[0].upper() + first.form[1:], first.upos, first.role, first.concept, first.entity)


def close(words: Sequence[Word], mark: str, opening: str = "", *, spaced: bool = True) -> Sentence:
    """Make a sentence: capitalise the first of its words and add punctuation marks, which have `Role.OTHER`."""
    opened = (word(opening, "PUNCT", Role.OTHER),) if opening else ()
    return Sentence((*opened, capitalised(words[0]), *words[1:], word(mark, "PUNCT", Role.OTHER)), spaced)


def read_table(text: str, columns: int) -> dict[str, tuple[str, ...]]:
    """Read a lexicon table: one concept per line, then its forms, separated by spaces.

    Raises:
        DataError: If a line does not have `columns` forms, or a concept occurs twice.
    """
    table: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        concept, *forms = line.split()
        if len(forms) != columns:
            raise DataError(
                f"lexicon line '{line.strip()}' has {number_text(len(forms), 'form')}, not {columns}", line=number
            )
        if concept in table:
            raise DataError(f"concept '{concept}' comes twice in the lexicon", line=number, value=concept)
        table[concept] = tuple(forms)
    return table


def read_pairs(text: str) -> dict[str, str]:
    """Read a lexicon list: concept, form, concept, form and so on, separated by spaces or line breaks.

    Raises:
        DataError: If a form is missing, or a concept occurs twice.
    """
    items = text.split()
    if len(items) % 2:
        raise DataError(f"lexicon list ends with '{items[-1]}', which has no form", value=items[-1])
    pairs = dict(zip(items[::2], items[1::2], strict=True))
    if len(pairs) < len(items) // 2:
        twice = next(concept for concept in pairs if items[::2].count(concept) > 1)
        raise DataError(f"concept '{twice}' comes twice in the lexicon", value=twice)
    return pairs
