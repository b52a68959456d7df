"""Samples of data sets; the rows depend on their number and the limit alone, so parallel files stay parallel."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from adaptstilts.tasks.examples import Bitext, Sentence

T = TypeVar("T")

HELD_OUT_MOST = 500
"""Maximum number of rows held out; jiant chooses checkpoints by 500 dev examples."""
_HELD_OUT_SHARE = 10


def positions(count: int, limit: int) -> list[int]:
    """Draw positions (from 0, ascending) evenly at random; the draw depends on the two numbers only.

    The first rows would not do: data sets are sorted by topic, treebank or premise, and every third row of XNLI has the
    same label.
    """
    return sorted(random.Random(count).sample(range(count), min(limit, count)))


def sample(rows: list[T], limit: int | None) -> list[T]:
    """Return at most ``limit`` rows, in their order; all of them for None."""
    return rows if limit is None or limit >= len(rows) else [rows[at] for at in positions(len(rows), limit)]


def held_out_count(rows: int) -> int:
    """Return how many training rows take the place of a dev set: one in ten, at least 1, at most `HELD_OUT_MOST`."""
    return max(1, min(rows // _HELD_OUT_SHARE, HELD_OUT_MOST))


def hold_out(rows: list[T], count: int) -> tuple[list[T], list[T]]:
    """Split rows into those that stay and ``count`` rows that are held out, each in their order."""
    chosen = set(positions(len(rows), count))
    kept = [row for at, row in enumerate(rows) if at not in chosen]
    return kept, [rows[at] for at in sorted(chosen)]


def shrink(bitext: Bitext, limit: int | None) -> Bitext:
    """Return a bitext with at most ``limit`` sentences per side, in their order; all of them for None.

    If every sentence has a partner (Tatoeba), all that are kept do; else (BUCC2018) at least half of them do where
    there are enough pairs, and the rest have none.
    """
    if limit is None or limit >= max(len(bitext.foreign), len(bitext.english)):
        return bitext
    if bitext.gold is None:
        foreign, english = (tuple(sample(list(side), limit)) for side in _sides(bitext))
        return Bitext(bitext.language, foreign, english, None)
    order = {sentence.id: at for at, sentence in enumerate(bitext.foreign)}
    gold = sorted(bitext.gold, key=lambda pair: (order[pair[0]], pair[1]))
    paired = [{pair[0] for pair in gold}, {pair[1] for pair in gold}]
    single = [[item for item in side if item.id not in ids] for side, ids in zip(_sides(bitext), paired, strict=True)]
    pairs = sample(gold, max(limit // 2, limit - min(map(len, single))))
    sides = []
    for at, side in enumerate(_sides(bitext)):
        kept = {pair[at] for pair in pairs}
        kept |= {item.id for item in sample(single[at], limit - len(kept))}
        sides.append(tuple(item for item in side if item.id in kept))
    return Bitext(bitext.language, sides[0], sides[1], frozenset(pairs))


def _sides(bitext: Bitext) -> tuple[Sequence[Sentence], Sequence[Sentence]]:
    return bitext.foreign, bitext.english
