"""What a tokenizer does to the rows of a language: sub-tokens per word, unknown letters, changed words, offsets."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from adaptstilts.encoding.words import as_tagged, begins_unspaced, has_unspaced, inside_text

if TYPE_CHECKING:
    from tokenizers import Tokenizer  # type: ignore[import-untyped]

MOST_ROWS = 500
"""Rows of a task and language that are measured."""
MOST_CHARACTERS = 20_000
"""Characters of a task and language that are measured; contexts of questions are long."""
MOST_WORDS = 4000
"""Distinct words of a language whose round trip is measured."""
MOST_PLACED = 300
"""Distinct words of a language that are compared inside and at the start of a text."""

_HIDDEN = ("Zs", "Zl", "Zp", "Cc", "Cf")


@dataclass(frozen=True)
class Reading:
    """How a tokenizer reads the rows of one language; all shares are from 0 to 1.

    Attributes:
        language: ISO 639-1 code.
        tasks: Tasks whose rows were measured.
        rows: Texts that were measured.
        is_unspaced: Whether most of the text is in scripts without spaces between words.
        per_word: Sub-tokens per word.
        per_character: Sub-tokens per visible character.
        unknown: Share of visible characters that stand in unknown sub-tokens.
        changed: Share of words without unknown parts that decoding does not give back, up to Unicode's NFKC.
        lowered: Share of words that come back in lower case and are otherwise the same.
        lost: Characters (letters and marks apart) that changed words lose, most frequent first.
        example: A changed word, and what decoding gives for it.
        uncovered: Share of visible characters that the offsets of no sub-token cover.
        starts_differ: Share of words that are cut differently at the start of a text and inside it.
        tags_differ: Share of words that are cut differently in tagged sentences and inside a text.
    """

    language: str
    tasks: tuple[str, ...]
    rows: int
    is_unspaced: bool
    per_word: float
    per_character: float
    unknown: float
    changed: float
    lowered: float
    lost: tuple[str, ...]
    example: tuple[str, str] | None
    uncovered: float
    starts_differ: float
    tags_differ: float


def sampled(texts: Sequence[str], seed: str) -> list[str]:
    """Return at most `MOST_ROWS` texts of at most `MOST_CHARACTERS` in all, drawn by a seed, in their order.

    A first text that is longer is cut.
    """
    order = random.Random(seed).sample(range(len(texts)), min(len(texts), MOST_ROWS))
    sizes = accumulate(len(texts[place]) for place in order)
    kept = sorted(place for place, size in zip(order, sizes, strict=True) if size <= MOST_CHARACTERS)
    return [texts[place] for place in kept] or [texts[place][:MOST_CHARACTERS] for place in order[:1]]


def read_language(
    backend: Tokenizer, unknown_id: int | None, language: str, texts: Sequence[str], tasks: Iterable[str]
) -> Reading:
    """Measure how a tokenizer reads texts of one language.

    Args:
        backend: A fast tokenizer's core, without truncation and padding.
        unknown_id: Id of its unknown token; None if it has none.
        language: ISO 639-1 code.
        texts: At least one text.
        tasks: Tasks that they are from.
    """
    pieces = characters = unknown = uncovered = 0
    for text, encoding in zip(texts, backend.encode_batch(texts, add_special_tokens=False), strict=True):
        visible = [unicodedata.category(character) not in _HIDDEN for character in text]
        covered, hidden = _coverage(text, encoding.ids, encoding.offsets, unknown_id)
        pieces += len(encoding.ids)
        characters += sum(visible)
        if 1 in hidden:
            unknown += sum(is_visible and is_unknown for is_visible, is_unknown in zip(visible, hidden, strict=True))
        uncovered += sum(is_visible and not is_in for is_visible, is_in in zip(visible, covered, strict=True))
    words = _words(texts)
    single = sum(count for word, count in words.items() if begins_unspaced(word))
    trips = _RoundTrips(backend, unknown_id, words)
    spaced = [word for word in words if not begins_unspaced(word)][:MOST_PLACED]
    inside = inside_text(backend, spaced)
    tagged = as_tagged(backend, spaced)
    return Reading(
        language,
        tuple(dict.fromkeys(tasks)),
        rows=len(texts),
        is_unspaced=single * 2 > words.total(),
        per_word=_share(pieces, words.total()),
        per_character=_share(pieces, characters),
        unknown=_share(unknown, characters),
        changed=_share(trips.changed, trips.compared),
        lowered=_share(trips.lowered, trips.compared),
        lost=tuple(character for character, _ in trips.lost.most_common(8)),
        example=trips.example,
        uncovered=_share(uncovered, characters),
        starts_differ=_different(backend, spaced, inside),
        tags_differ=_different(backend, [tagged[word] for word in spaced], inside),
    )


def _words(texts: Iterable[str]) -> Counter[str]:
    """Count the words of texts; in scripts without spaces, the characters with their marks."""
    found: Counter[str] = Counter()
    for word, count in Counter(word for text in texts for word in text.split()).items():
        for part in _parts(word) if has_unspaced(word) else (word,):
            found[part] += count
    return found


def _parts(word: str) -> Iterable[str]:
    """Yield the characters of scripts without spaces, with their marks, and what stands between them."""
    run = ""
    for character in word:
        is_mark = unicodedata.category(character)[0] == "M"
        if run and not is_mark and (has_unspaced(character) or begins_unspaced(run)):
            yield run
            run = ""
        run += character
    yield run


def _coverage(
    text: str, ids: Sequence[int], offsets: Sequence[tuple[int, int]], unknown_id: int | None
) -> tuple[bytearray, bytearray]:
    """Return for each character whether a sub-token covers it, and whether an unknown one does.

    A mark that normalisation has merged into the letter before it is covered with that letter.
    """
    covered, unknown = bytearray(len(text)), bytearray(len(text))
    for token, (start, end) in zip(ids, offsets, strict=True):
        covered[start:end] = b"\1" * (end - start)
        if token == unknown_id:
            unknown[start:end] = b"\1" * (end - start)
    at = covered.find(0)
    while at >= 0:
        if at and covered[at - 1] and unicodedata.category(text[at])[0] == "M":
            covered[at] = 1
        at = covered.find(0, at + 1)
    return covered, unknown


class _RoundTrips:
    """Counts of words that do not come back when their sub-tokens are decoded.

    Attributes:
        compared: Words without unknown parts.
        changed: Those that come back differently.
        lowered: Those of them that come back in lower case only.
        lost: Letters and marks that changed words lose, case aside.
        example: The first of the most frequent changed words, and what comes back.
    """

    def __init__(self, backend: Tokenizer, unknown_id: int | None, words: Counter[str]) -> None:
        self.compared = self.changed = self.lowered = 0
        self.lost: Counter[str] = Counter()
        self.example: tuple[str, str] | None = None
        chosen = words.most_common(MOST_WORDS)
        encodings = backend.encode_batch([word for word, _ in chosen], add_special_tokens=False)
        known = [
            (word, count, encoding.ids)
            for (word, count), encoding in zip(chosen, encodings, strict=True)
            if unknown_id not in encoding.ids
        ]
        decoded = backend.decode_batch([ids for _, _, ids in known], skip_special_tokens=False)
        for (word, count, _), found in zip(known, decoded, strict=True):
            self._compare(word, found, count)

    def _compare(self, word: str, found: str, count: int) -> None:
        self.compared += count
        ours, theirs = _comparable(word), _comparable(found)
        if ours == theirs:
            return
        self.changed += count
        if ours.lower() == theirs:
            self.lowered += count
        lost = Counter(unicodedata.normalize("NFD", ours.lower()))
        lost.subtract(unicodedata.normalize("NFD", theirs.lower()))
        self.lost.update({character: times * count for character, times in lost.items() if times > 0})
        self.example = self.example or (word, found.strip())


def _comparable(text: str) -> str:
    """Return a text without white space and invisible characters, in Unicode's NFKC, which most tokenizers apply."""
    normal = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if normal.isalnum():
        return normal
    return "".join(character for character in normal if unicodedata.category(character) not in _HIDDEN)


def _different(backend: Tokenizer, texts: Sequence[str], expected: Sequence[Sequence[int]]) -> float:
    encodings = backend.encode_batch(texts, add_special_tokens=False)
    return _share(sum(found.ids != ids for found, ids in zip(encodings, expected, strict=True)), len(texts))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
