"""Texts that occur in two data sets, or twice in one; pure functions over examples.

Texts are compared by 64-bit fingerprints of their normal form, so that a set of a million rows takes 24 bytes per row,
whatever the length of its texts. Two different texts of a million share a fingerprint with a chance of about one in
forty million.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from adaptstilts.tasks.examples import Bitext, ChoiceExample, Example, MatchExample, PairExample, Sentence, TagExample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHORTEST_BYTES = 20
"""Length in UTF-8 bytes of the shortest normal form compared; anyone may have written less ("Thank you very much.")."""

_NOT_COMPARED = 0
_FINGERPRINT_BYTES = 8
_MODULUS = 1 << (8 * _FINGERPRINT_BYTES)
_DROPPED_CATEGORIES = frozenset("PZC")

Row: TypeAlias = Example | Sentence


class _Kept(dict[int, "int | None"]):
    """Translation table that drops characters which do not count; filled as characters occur."""

    def __missing__(self, code: int) -> int | None:
        kept = None if unicodedata.category(chr(code))[0] in _DROPPED_CATEGORIES else code
        self[code] = kept
        return kept


_KEPT = _Kept()


def normalise(text: str) -> str:
    """Return the form in which texts are compared.

    Unicode NFKC, case folded, without punctuation, white space and control characters; letters, digits, marks and
    symbols (``+``, ``$``) stay. Dropping all white space makes a text and its tokens equal.
    """
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return folded.casefold().translate(_KEPT)


@dataclass(frozen=True)
class Prints:
    """Fingerprints of the rows of a set; 0 where a text is missing or too short to be compared.

    Attributes:
        rows: Of all texts of a row together, in any order; shape (rows,).
        passages: Of the context, prompt, premise, first sentence, or the sentence itself; shape (rows,).
        questions: Of the question, hypothesis or second sentence; 0 for kinds without one; shape (rows,).
    """

    rows: NDArray[np.uint64]
    passages: NDArray[np.uint64]
    questions: NDArray[np.uint64]

    @cached_property
    def known_rows(self) -> NDArray[np.uint64]:
        """Distinct fingerprints of rows, sorted."""
        return _sorted(self.rows)

    @cached_property
    def known_texts(self) -> NDArray[np.uint64]:
        """Distinct fingerprints of passages and questions, sorted."""
        import numpy as np  # noqa: PLC0415

        return _sorted(np.concatenate((self.passages, self.questions)))


@dataclass(frozen=True)
class Overlap:
    """How much of an evaluation set occurs in a training set; all counts are rows of the evaluation set.

    Attributes:
        rows: All rows.
        same_rows: Rows all of whose texts are those of one training row, in any order.
        same_passages: Rows whose passage occurs among the training texts.
        same_questions: Rows whose question occurs among the training texts.
    """

    rows: int
    same_rows: int
    same_passages: int
    same_questions: int

    @property
    def is_none(self) -> bool:
        """Whether nothing is shared."""
        return not (self.same_rows or self.same_passages or self.same_questions)


def fingerprint(examples: Iterable[Row]) -> Prints:
    """Return the fingerprints of examples of any kind, or of the sentences of one side of a bitext."""
    import numpy as np  # noqa: PLC0415 - slow to import, and a study that is only planned does without

    values = np.fromiter((value for row in examples for value in _fingerprints(row)), dtype=np.uint64)
    table = values.reshape(-1, 3)
    return Prints(*(np.ascontiguousarray(column) for column in table.T))


def joined(parts: Iterable[Prints]) -> Prints:
    """Return the fingerprints of several sets as those of one."""
    import numpy as np  # noqa: PLC0415

    columns = list(zip(*((part.rows, part.passages, part.questions) for part in parts), strict=True))
    if not columns:
        return fingerprint(())
    return Prints(*(np.concatenate(column) for column in columns))


def compare(evaluation: Prints, training: Prints) -> Overlap:
    """Count the rows of an evaluation set that occur in a training set."""
    return Overlap(
        rows=len(evaluation.rows),
        same_rows=_shared(evaluation.rows, training.known_rows),
        same_passages=_shared(evaluation.passages, training.known_texts),
        same_questions=_shared(evaluation.questions, training.known_texts),
    )


def repeated_rows(prints: Prints) -> int:
    """Return how many rows of a set have the same texts as an earlier one."""
    import numpy as np  # noqa: PLC0415

    return int(np.count_nonzero(prints.rows != _NOT_COMPARED)) - len(prints.known_rows)


def rows_of(loaded: list[Example] | Bitext, *, english: bool = False) -> Iterable[Row]:
    """Return the rows of a split to compare: its examples, or one side of a bitext (the foreign one by default)."""
    if isinstance(loaded, Bitext):
        return loaded.english if english else loaded.foreign
    return loaded


def texts(row: Row) -> tuple[str, ...]:
    """Return the texts of a row: the passage first, the question second where its kind has one, then the choices."""
    if isinstance(row, Sentence):
        return (row.text,)
    if isinstance(row, TagExample):
        return (" ".join(row.words),)
    if isinstance(row, PairExample):
        return (row.first,) if row.second is None else (row.first, row.second)
    if isinstance(row, ChoiceExample):
        return (row.prompt, *row.choices)
    if isinstance(row, MatchExample):
        return (row.query,) if row.candidate is None else (row.candidate.text, row.query)
    return (row.context, row.question)


def _fingerprints(row: Row) -> tuple[int, int, int]:
    forms = [normalise(text).encode("utf-8", "surrogatepass") for text in texts(row)]
    hashes = [int.from_bytes(hashlib.blake2b(form, digest_size=_FINGERPRINT_BYTES).digest(), "big") for form in forms]
    whole = sum(hashes) % _MODULUS if sum(map(len, forms)) >= SHORTEST_BYTES else _NOT_COMPARED
    passage = hashes[0] if len(forms[0]) >= SHORTEST_BYTES else _NOT_COMPARED
    has_question = len(forms) > 1 and not isinstance(row, ChoiceExample) and len(forms[1]) >= SHORTEST_BYTES
    return whole, passage, hashes[1] if has_question else _NOT_COMPARED


def _sorted(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    import numpy as np  # noqa: PLC0415

    return np.unique(values[values != _NOT_COMPARED])


def _shared(values: NDArray[np.uint64], known: NDArray[np.uint64]) -> int:
    import numpy as np  # noqa: PLC0415

    if not len(known):
        return 0
    places = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return int(np.count_nonzero((known[places] == values) & (values != _NOT_COMPARED)))
