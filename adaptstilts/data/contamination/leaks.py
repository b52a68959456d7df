"""Detection of rows in other languages in a set that should be English; pure functions over examples.

Three signs, from certain to likely; a row counts for the first that it shows:

- *id*: the id begins with the English name of another language, as in TyDiQA-GoldP (``finnish-...``). Certain.
- *script*: most letters of the row belong to another script than Latin. Certain for a row of ordinary text.
- *words*: function words of another language in Latin script outnumber the English ones two to one, at least three of
  them. Likely at best, and the language it names is a guess.

How far *words* can be trusted, measured on slices of public data sets by ``benchmarks/foreign_rows.py``: 3 of some
56,000 English rows of all kinds show it. Of rows in other languages it finds 70 to 99 % of paragraphs with a question
(XQuAD, MLQA, TyDiQA), 51 to 87 % of sentence pairs (XNLI, PAWS-X), 18 to 78 % of single sentences of news (least for
Hungarian, Finnish and Estonian), and 1 to 35 % of the short sentences of Tatoeba. So it finds that a language was mixed
in, not which rows: see `MOST_SHARE`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from adaptstilts.data.contamination.function_words import ENGLISH, languages_by_word
from adaptstilts.data.contamination.overlap import Row, texts
from adaptstilts.languages import SOURCE_LANGUAGE, all_languages, get_language

MOST_SHARE = 0.01
"""Share of rows up to which script and words count as names, quotations and noise, not as a leak."""
FEWEST_ROWS = 3
"""Least number of rows that make a leak by script or words, however small the set."""
FEWEST_WORDS = 3
"""Least number of function words of another language that make a row one in that language."""

_LETTERS_BEYOND_LATIN = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff\u2c60-\u2c7f\ua720-\ua7ff\uff21-\uff5a]")
_LETTERS = re.compile(r"[^\W\d_]")
_WORDS = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f]+[^\W\d_]*)*")
_ID_LANGUAGE = re.compile(r"([a-z]+)-")
_MOST_WORDS = 120
"""Most words of a text that are examined."""


@dataclass
class Leak:
    """Counts of rows in other languages in an English set.

    Attributes:
        rows: All rows examined.
        by_id: By the language that the id names.
        by_script: By the script of most letters, as Unicode names it in lower case.
        by_words: By the language (ISO 639-1) of the function words.
        example: Id of the first such row; empty where there is none.
    """

    rows: int = 0
    by_id: Counter[str] = field(default_factory=Counter)
    by_script: Counter[str] = field(default_factory=Counter)
    by_words: Counter[str] = field(default_factory=Counter)
    example: str = ""

    @property
    def foreign_rows(self) -> int:
        """Rows that show any of the signs."""
        return self.by_id.total() + self.by_script.total() + self.by_words.total()

    @property
    def is_leak(self) -> bool:
        """Whether other languages were mixed in.

        One id is enough; the other signs need `FEWEST_ROWS` rows, and `MOST_SHARE` of all.
        """
        return bool(self.by_id) or self.foreign_rows >= max(FEWEST_ROWS, MOST_SHARE * self.rows)

    def signs(self) -> str:
        """Return the counts in one line, ``by id: arabic 5, finnish 3; by script: greek 1``; empty if all are 0."""
        named = (("id", self.by_id), ("script", self.by_script), ("words", self.by_words))
        return "; ".join(
            f"by {sign}: " + ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
            for sign, counts in named
            if counts
        )


def find_leak(examples: Iterable[Row]) -> Leak:
    """Count the rows in other languages in an English set of examples or sentences."""
    leak = Leak()
    for row in examples:
        leak.rows += 1
        for counts, sign in ((leak.by_id, language_of_id(row.id)), *_signs(leak, " ".join(texts(row)))):
            if sign:
                counts[sign] += 1
                leak.example = leak.example or row.id
                break
    return leak


def _signs(leak: Leak, text: str) -> Iterable[tuple[Counter[str], str]]:
    yield leak.by_script, foreign_script(text)
    yield leak.by_words, foreign_words(text)


def language_of_id(name: str) -> str:
    """Return the language, other than English, that the id of a row begins with.

    Returns:
        English name in lower case (``finnish`` for ``finnish-4711-0``); empty where the id names none.
    """
    found = _ID_LANGUAGE.match(name)
    return found[1] if found and found[1] in _language_names() else ""


def foreign_script(text: str) -> str:
    """Return the script of a text most of whose letters are not Latin.

    Returns:
        First word of the Unicode names of its most frequent non-Latin letters, in lower case (``cyrillic``); empty
        where at least half of the letters are Latin.
    """
    if text.isascii():
        return ""
    beyond = _LETTERS_BEYOND_LATIN.findall(text)
    if 2 * len(beyond) <= len(_LETTERS.findall(text)):
        return ""
    return Counter(map(_script, beyond)).most_common(1)[0][0]


def foreign_words(text: str) -> str:
    """Return the language whose function words a text in Latin script holds instead of English ones.

    Returns:
        ISO 639-1 code; empty where fewer than `FEWEST_WORDS` were found, or at most twice as many as English ones.
    """
    by_word = languages_by_word()
    words = _WORDS.findall(unicodedata.normalize("NFC", text[: 12 * _MOST_WORDS]).casefold())[:_MOST_WORDS]
    others = [by_word[word] for word in words if word in by_word]
    if len(others) < FEWEST_WORDS:
        return ""
    code, count = Counter(code for codes in others for code in codes).most_common(1)[0]
    english = sum(word in ENGLISH for word in words)
    return code if count >= FEWEST_WORDS and count > 2 * english else ""


@cache
def _language_names() -> frozenset[str]:
    source = get_language(SOURCE_LANGUAGE)
    return frozenset(known.name.lower() for known in all_languages() if known != source)


@cache
def _script(letter: str) -> str:
    return unicodedata.name(letter, "unknown").split()[0].lower()
