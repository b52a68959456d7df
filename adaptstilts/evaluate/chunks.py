"""Chunks of tag sequences by the rules of seqeval 0.0.12, the version behind XTREME's published figures.

Later versions of seqeval read the type of a tag as everything after its first letter, so that ``CCONJ`` and ``SCONJ``
become one type; version 0.0.12 takes the part after the last hyphen, or the whole tag where there is none. UDPOS scores
differ between the two, PAN-X scores hardly.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_BEFORE_TEXT = ""
_AFTER_SENTENCE = "O"


class Chunk(NamedTuple):
    """A run of words that belong together.

    Attributes:
        kind: Type of the chunk: what follows the last hyphen of its tags, or the whole bare tag.
        first: Position of its first word; see `find_chunks` for how positions are counted.
        last: Position of its last word.
    """

    kind: str
    first: int
    last: int


class ChunkCounts(NamedTuple):
    """What micro-averaged precision, recall and F1 are made of.

    Attributes:
        correct: Chunks that are predicted and gold, with equal type and equal borders.
        predicted: Chunks predicted.
        gold: Chunks in the gold tags.
    """

    correct: int
    predicted: int
    gold: int


def find_chunks(sentences: Sequence[Sequence[str]]) -> set[Chunk]:
    """Find all chunks of a list of tagged sentences.

    Tags may be BIO (IOBES works too) or bare. The first letter of a tag decides how it joins its neighbours, also where
    the tag is bare: ``B...`` and ``S...`` open a chunk, ``S...`` and ``E...`` close one, ``O...`` and ``....`` lie
    outside; a change of type always ends a chunk. ``I-X`` opens a chunk where none of type ``X`` is open. Hence bare
    ``SYM`` and ``SCONJ`` are chunks of one word and equal neighbours of all other parts of speech are merged.

    Args:
        sentences: One list of non-empty tags for each sentence.

    Returns:
        The chunks. Positions run through all sentences, with one step between two sentences.

    Source: behaviour of seqeval 0.0.12 (`seqeval.metrics.sequence_labeling.get_entities`).
    """
    found: set[Chunk] = set()
    before, first, position = _BEFORE_TEXT, 0, 0
    for sentence in sentences:
        for tag in (*sentence, _AFTER_SENTENCE):
            ends, starts = _border(before, tag)
            if ends:
                found.add(Chunk(_kind(before), first, position - 1))
            if starts:
                first = position
            before = tag
            position += 1
    return found


def count_chunks(predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> ChunkCounts:
    """Count the chunks that two taggings of the same sentences share.

    Args:
        predicted: Predicted tags, one list for each sentence.
        gold: Gold tags. Lengths are not compared here; `adaptstilts.evaluate.metrics` does so.

    Returns:
        The three counts.
    """
    found, wanted = find_chunks(predicted), find_chunks(gold)
    return ChunkCounts(len(found & wanted), len(found), len(wanted))


def _prefix(tag: str) -> str:
    return tag[0] if tag else "O"


def _kind(tag: str) -> str:
    return tag.rpartition("-")[2]


@lru_cache(maxsize=4096)
def _border(before: str, tag: str) -> tuple[bool, bool]:
    """Say whether a chunk ends before `tag`, and whether one starts with it."""
    left, right = _prefix(before), _prefix(tag)
    changes = _kind(before) != _kind(tag)
    ends = left in "ES" or (left in "BI" and right in "BSO") or (left not in "O." and changes)
    starts = right in "BS" or (left in "ESO" and right in "EI") or (right not in "O." and changes)
    return ends, starts
