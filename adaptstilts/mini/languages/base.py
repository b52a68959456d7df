"""What every language of the mini world must be able to do."""

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
        """Realise a statement.

        Args:
            clause: What is said.
            connective: ``and``, ``then``, ``but`` or ``because`` to open the sentence with, or None.

        Returns:
            The sentence with closing punctuation; each word carries its role, part of speech and entity type, and
            the words of one constituent (including its case particles or adpositions) share one role.
        """
        ...

    def ask(self, clause: Clause, asked: Role) -> Sentence:
        """Realise a question about one constituent.

        Args:
            clause: The whole event, with the constituent that is asked for filled in.
            asked: `Role.SUBJECT`, `Role.OBJECT`, `Role.PLACE` or `Role.TIME`.

        Returns:
            The question; the constituent asked for is replaced by the question word.
        """
        ...
