"""Interface that every language of the mini world implements."""

from __future__ import annotations

from typing import Protocol

from adaptstilts.mini.meaning import Clause, Role, Sentence


class Grammar(Protocol):
    """A language of the mini world; each language module exposes one as ``GRAMMAR``.

    Attributes:
        code: ISO 639-1 code.
        spaced: Whether words are separated by spaces.
        lexicon: Concept id -> citation form, for every concept of `adaptstilts.mini.concepts` (names included).
    """

    code: str
    spaced: bool
    lexicon: dict[str, str]

    def say(self, clause: Clause, connective: str | None = None) -> Sentence:
        """Realise a statement, opened by ``and``, ``then``, ``but`` or ``because`` if one is given.

        The sentence has closing punctuation. Each word carries its role, part of speech and entity type; the words of
        one constituent (including its case particles or adpositions) share one role.
        """
        ...

    def ask(self, clause: Clause, asked: Role) -> Sentence:
        """Realise a question in which the question word replaces the constituent asked for.

        `clause` is the whole event with that constituent filled in; `asked` is its role: subject, object, place or
        time.
        """
        ...
