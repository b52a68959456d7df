"""Chunks of tag sequences by the rules of seqeval 0.0.12, the version behind XTREME's published figures.

Later versions of seqeval read the type of a tag as everything after its first letter, so that ``CCONJ`` and ``SCONJ``
become one type; version 0.0.12 takes the part after the last hyphen, or the whole tag where there is none. UDPOS scores
differ between the two, PAN-X scores hardly. The rule of version 1.2.2 is available too, for comparison with figures
made by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

Version = Literal["0.0.12", "1.2.2"]
"""Versions of seqeval whose rules are available."""

_BEFORE_TEXT = ""
_AFTER_SENTENCE = "O"


class Chunk(NamedTuple):
    """A run of words that form one unit, such as an entity; see `find_chunks` for how positions are counted.

    Attributes:
        kind: Type of the chunk: what follows the last hyphen of its tags, or the whole bare tag.
        last: Position of its last word.
    """

    kind: str
    first: int
    last: int


class ChunkCounts(NamedTuple):
    """Chunks predicted, gold, and both (with equal type and borders), for micro-averaged precision and recall."""

    correct: int
    predicted: int
    gold: int


def find_chunks(sentences: Sequence[Sequence[str]], *, version: Version = "0.0.12") -> set[Chunk]:
    """Find all chunks of a list of tagged sentences.

    Tags may be BIO (IOBES works too) or bare. The first letter of a tag decides how it joins its neighbours, also where
    the tag is bare: ``B...`` and ``S...`` open a chunk, ``S...`` and ``E...`` close one, ``O...`` and ``....`` lie
    outside; a change of type always ends a chunk. ``I-X`` opens a chunk where none of type ``X`` is open. Hence bare
    ``SYM`` and ``SCONJ`` are chunks of one word and equal neighbours of all other parts of speech are merged.

    ``version`` changes only how the type of a tag is read. Positions run through all sentences, with one step between
    two. Source: behaviour of seqeval 0.0.12 and 1.2.2 (`seqeval.metrics.sequence_labeling.get_entities`).
    """
    found: set[Chunk] = set()
    before, first, position = _BEFORE_TEXT, 0, 0
    for sentence in sentences:
        for tag in (*sentence, _AFTER_SENTENCE):
            ends, starts = _border(before, tag, version)
            if ends:
                found.add(Chunk(_kind(before, version), first, position - 1))
            if starts:
                first = position
            before = tag
            position += 1
    return found


def count_chunks(
    predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]], *, version: Version = "0.0.12"
) -> ChunkCounts:
    """Count the chunks that two taggings of the same sentences share; `adaptstilts.evaluate.metrics` checks lengths."""
    found, wanted = find_chunks(predicted, version=version), find_chunks(gold, version=version)
    return ChunkCounts(len(found & wanted), len(found), len(wanted))


def _prefix(tag: str) -> str:
    return tag[0] if tag else "O"


def _kind(tag: str, version: Version) -> str:
    if version == "0.0.12":
        return tag.rpartition("-")[2]
    return tag[1:].split("-", maxsplit=1)[-1] or "_"


@lru_cache(maxsize=4096)
def _border(before: str, tag: str, version: Version) -> tuple[bool, bool]:
    """Say whether a chunk ends before `tag`, and whether one starts with it."""
    left, right = _prefix(before), _prefix(tag)
    changes = _kind(before, version) != _kind(tag, version)
    ends = left in "ES" or (left in "BI" and right in "BSO") or (left not in "O." and changes)
    starts = right in "BS" or (left in "ESO" and right in "EI") or (right not in "O." and changes)
    return ends, starts
