"""Sentence retrieval: exact nearest neighbours, margin mining (BUCC2018) and search (Tatoeba).

Similarities are computed block by block, each block once for both directions, so memory stays at one block plus the
neighbours whatever the size of the collections. Equal similarities are ordered by index, lowest first. Vectors have
shape (sentences, width); empty sides, widths that differ or fewer neighbours than 1 raise `EvaluationError`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from adaptstilts.config.retrieval import PRESETS, RetrievalSettings
from adaptstilts.config.schema import Margin, Similarity
from adaptstilts.errors import EvaluationError
from adaptstilts.formatting import number_text

Vectors: TypeAlias = NDArray[np.floating]
Pair: TypeAlias = tuple[str, str]

MINING = PRESETS["xtreme-paper"]["mine"]
SEARCH = PRESETS["xtreme-paper"]["search"]
_BLOCK = 1024
_SAMPLE = 256


@dataclass(frozen=True)
class Neighbours:
    """The most similar rows of a collection for each query: shape (queries, k), largest similarity first."""

    similarities: Vectors
    indices: NDArray[np.int64]


@dataclass(frozen=True)
class Side:
    """One language side of a bitext to be mined, with a vector per sentence; equal texts are mined as one."""

    ids: Sequence[str]
    texts: Sequence[str]
    vectors: Vectors


class ScoredPair(NamedTuple):
    """A candidate translation: ids of the foreign and the English sentence, and their margin."""

    foreign: str
    english: str
    score: float


class Matches(NamedTuple):
    """One-to-one matches of two collections, best first: rows of the left and the right one, and margins."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    scores: NDArray[np.float64]

    def take(self, positions: NDArray[np.int64]) -> Matches:
        """Return the matches at the given positions, in that order."""
        return Matches(self.left[positions], self.right[positions], self.scores[positions])


def comparable(vectors: Vectors, similarity: Similarity) -> NDArray[np.float32]:
    """Prepare vectors for a similarity: unit length for cosines, unchanged otherwise; in single precision.

    Vectors that are not finite raise `EvaluationError`.
    """
    return normalise(vectors) if similarity == "cosine" else _lengths(vectors)[0]


def normalise(vectors: Vectors) -> NDArray[np.float32]:
    """Scale vectors to unit length in single precision; a zero vector stays zero, others must be finite."""
    single, lengths = _lengths(vectors)
    # Multiply by the reciprocal in single precision, as faiss does: thresholds agree with XTREME's to the last bit.
    scales = np.reciprocal(np.where(lengths == 0, 1, lengths).astype(np.float32))
    return single * scales[:, None]


def _lengths(vectors: Vectors) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return vectors and their lengths in single precision, after checking them."""
    if vectors.ndim != 2 or vectors.size == 0:
        raise EvaluationError(
            f"sentence vectors of shape {vectors.shape} cannot be searched",
            allowed=["(sentences, width), both at least 1"],
            hint="Check that both sides hold sentences.",
        )
    single: NDArray[np.float32] = vectors.astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", single, single))
    broken = np.flatnonzero(~np.isfinite(lengths))
    if len(broken):
        raise EvaluationError(
            f"the vector of sentence {int(broken[0])} (counted from 0) holds values that are not finite",
            allowed=["finite numbers"],
            hint="Encode in single precision, or check the checkpoint.",
        )
    return single, lengths


def find_neighbours(
    queries: Vectors, collection: Vectors, *, k: int = 1, similarity: Similarity = "cosine", block: int = _BLOCK
) -> Neighbours:
    """Find the most similar rows of a collection, exactly.

    Args:
        queries: As `comparable` returns them.
        collection: As `comparable` returns them.
        k: Number of neighbours; a collection with fewer rows gives fewer.
        similarity: Dot product (of unit vectors it is the cosine), or 1 / (1 + squared distance).
        block: Rows of a block of similarities on each side.
    """
    _require_comparable(queries, collection, k)
    best = _Best(len(queries), min(k, len(collection)))
    for row, column, similarities in _blocks(queries, collection, block, similarity):
        best.add(similarities, row, column)
    return best.neighbours()


def find_neighbours_both_ways(
    left: Vectors, right: Vectors, *, k: int, similarity: Similarity = "cosine", block: int = _BLOCK
) -> tuple[Neighbours, Neighbours]:
    """Find the neighbours of left rows on the right and the reverse in one pass; arguments as in `find_neighbours`."""
    _require_comparable(left, right, k)
    forward = _Best(len(left), min(k, len(right)))
    backward = _Best(len(right), min(k, len(left)))
    for row, column, similarities in _blocks(left, right, block, similarity):
        forward.add(similarities, row, column)
        backward.add(similarities.T, column, row)
    return forward.neighbours(), backward.neighbours()


def margins(neighbours: Neighbours, means: Vectors, other_means: Vectors, *, margin: Margin = "ratio") -> Vectors:
    """Relate each similarity to the mean similarity of both sentences to their own neighbours.

    Args:
        neighbours: Neighbours of the queries.
        means: Mean similarity of each query to its neighbours, shape (queries,).
        other_means: Mean similarity of each row of the collection to its neighbours, shape (rows,).
        margin: ``ratio`` divides by the mean of the two means, ``distance`` subtracts it, ``none`` leaves the
            similarity as it is. A ratio above 1 or a distance above 0 means that a pair is closer than its
            neighbourhood.

    Source: Artetxe & Schwenk 2019, functions ratio, distance and absolute.
    """
    if margin == "none":
        return neighbours.similarities
    nearby: Vectors = (means[:, None] + other_means[neighbours.indices]) / 2
    found: Vectors = neighbours.similarities / nearby if margin == "ratio" else neighbours.similarities - nearby
    return found


def match(left: Vectors, right: Vectors, *, settings: RetrievalSettings = MINING) -> Matches:
    """Match two collections, as `comparable` returns them, by margin; best match first.

    Every sentence proposes its best candidate among its neighbours. By the rule ``max`` the proposals of both sides are
    taken from the highest margin down, each sentence at most once, as long as margins are positive. ``forward`` keeps
    every left sentence's proposal, ``backward`` every right one's, ``intersection`` those that both sides make. Equal
    margins come in the order left sentences first, then by index.

    Source: XTREME's ``mine_bitext``, which for l2 mixes dot products of the pairs with distances of the neighbours;
    here both are 1 / (1 + squared distance).
    """
    k = settings.neighbours or 1
    forward, backward = find_neighbours_both_ways(left, right, k=k, similarity=settings.similarity)
    means, other_means = forward.similarities.mean(axis=1), backward.similarities.mean(axis=1)
    right_of_left, left_scores = _best_candidate(forward, margins(forward, means, other_means, margin=settings.margin))
    left_of_right, right_scores = _best_candidate(
        backward, margins(backward, other_means, means, margin=settings.margin)
    )
    ours = Matches(np.arange(len(left)), right_of_left, left_scores.astype(np.float64))
    theirs = Matches(left_of_right, np.arange(len(right)), right_scores.astype(np.float64))
    if settings.candidates == "max":
        return _matches_of_both(ours, theirs)
    if settings.candidates == "intersection":
        agreed = np.flatnonzero(left_of_right[right_of_left] == ours.left)
        ours = ours.take(agreed)
    return _best_first(theirs if settings.candidates == "backward" else ours)


def _matches_of_both(ours: Matches, theirs: Matches) -> Matches:
    left, right = np.concatenate([ours.left, theirs.left]), np.concatenate([ours.right, theirs.right])
    ranked = _best_first(Matches(left, right, np.concatenate([ours.scores, theirs.scores])))
    taken = np.array(_take_greedily(ranked.left, ranked.right, len(ours.left), len(theirs.left)), dtype=np.int64)
    taken = taken[ranked.scores[taken] > 0]
    return ranked.take(taken)


def _best_first(matches: Matches) -> Matches:
    order = np.argsort(-matches.scores, kind="stable")
    return matches.take(order)


def mine_pairs(foreign: Side, english: Side, *, settings: RetrievalSettings = MINING) -> list[ScoredPair]:
    """Mine candidate translations (BUCC2018): all of them, best first, so that a threshold can be fitted.

    Sentences with equal text are one sentence to the search, with the vector of the last of them. By the rule
    ``xtreme`` no pair is given for a sentence whose text occurs more than once on its side; by ``jiant`` all pairs of
    the ids that share the texts. The foreign side is the left one of `match`.
    """
    foreign_ids, foreign_vectors = _distinct(foreign)
    english_ids, english_vectors = _distinct(english)
    sides = (comparable(vectors, settings.similarity) for vectors in (foreign_vectors, english_vectors))
    matches = match(*sides, settings=settings)
    pairs: list[ScoredPair] = []
    for left, right, score in zip(*(column.tolist() for column in matches), strict=True):
        if settings.duplicates == "xtreme" and len(foreign_ids[left]) + len(english_ids[right]) > 2:
            continue
        pairs.extend(ScoredPair(source, target, score) for source in foreign_ids[left] for target in english_ids[right])
    return pairs


def fit_threshold(pairs: Sequence[ScoredPair], gold: Collection[Pair]) -> float:
    """Find the score above which mined pairs have the best F1 against gold; 0 where no candidate is right.

    The threshold lies midway between the last pair to keep and the next lower score. Where all pairs are worth keeping
    it is the lowest score itself, since `pairs_above` keeps equal scores (XTREME's script stops with an error there).
    Of several cuts with the same F1 the one that keeps fewest pairs wins. Pairs of equal score are kept or dropped
    together.

    Candidates may come in any order; gold holds pairs (foreign id, English id), at least one.
    """
    wanted = set(gold)
    if not wanted:
        raise EvaluationError(
            "a threshold cannot be fitted without gold pairs", hint="Fit it on a split whose gold pairs are known."
        )
    if not pairs:
        return 0.0
    ranked = sorted(pairs, key=lambda pair: -pair.score)
    scores = np.array([pair.score for pair in ranked])
    correct = np.cumsum([(pair.foreign, pair.english) in wanted for pair in ranked])
    kept = np.arange(1, len(ranked) + 1)
    precision, recall = correct / kept, correct / len(wanted)
    f1 = 2 * precision * recall / np.where(correct == 0, 1, precision + recall)
    is_cut = np.append(scores[1:] < scores[:-1], True)
    best = int(np.argmax(np.where(is_cut, f1, -1.0)))
    if correct[best] == 0:
        return 0.0
    return float(scores[best] if best + 1 == len(ranked) else (scores[best] + scores[best + 1]) / 2)


def pairs_above(pairs: Sequence[ScoredPair], threshold: float) -> set[Pair]:
    """Return the pairs (foreign id, English id) whose score is at least the threshold."""
    return {(pair.foreign, pair.english) for pair in pairs if pair.score >= threshold}


@dataclass(frozen=True)
class Found:
    """Row of the other side chosen for each query, shape (queries,), and the most similar rows whatever the margin."""

    rows: NDArray[np.int64]
    nearest: Neighbours


def search(foreign: Vectors, english: Vectors, *, settings: RetrievalSettings = SEARCH, keep: int = 1) -> Found:
    """Find the translation of every sentence of one side, given by the direction, on the other (Tatoeba).

    Without a margin it is the nearest sentence; with one, the sentence with the largest margin among the neighbours
    that the margin considers. ``keep`` is the number of nearest sentences to report per query. Rows count from 0.
    """
    sides = [comparable(vectors, settings.similarity) for vectors in (english, foreign)]
    queries, collection = sides if settings.direction == "english_to_foreign" else reversed(sides)
    k = settings.neighbours or 1
    if settings.margin == "none":
        near = find_neighbours(queries, collection, k=keep, similarity=settings.similarity)
        return Found(near.indices[:, 0], near)
    both = find_neighbours_both_ways(queries, collection, k=max(k, keep), similarity=settings.similarity)
    near, means, other_means = both[0], *(side.similarities[:, :k].mean(axis=1) for side in both)
    first = Neighbours(near.similarities[:, :k], near.indices[:, :k])
    rows, _ = _best_candidate(first, margins(first, means, other_means, margin=settings.margin))
    return Found(rows, Neighbours(near.similarities[:, :keep], near.indices[:, :keep]))


class _Best:
    """The best `k` seen so far for each query, filled block by block in ascending order of the collection."""

    def __init__(self, queries: int, k: int) -> None:
        self._similarities = np.full((queries, k), -np.inf, dtype=np.float32)
        self._indices = np.zeros((queries, k), dtype=np.int64)
        self._k = k

    def add(self, similarities: Vectors, first_query: int, first_row: int) -> None:
        """Add the similarities of some queries to the next rows of the collection."""
        queries, rows = similarities.shape
        part = slice(first_query, first_query + queries)
        if first_row == 0:
            passing = similarities >= self._first_bar(similarities)
        else:
            # Of equal similarities the earlier row wins, so a later one must be larger.
            passing = similarities > self._similarities[part, -1:]
        # Read in memory order: the similarities of the second direction come transposed.
        if passing.flags.c_contiguous:
            query, row = np.divmod(np.flatnonzero(passing), rows)
        else:
            row, query = np.divmod(np.flatnonzero(passing.T), queries)
        if len(query) == 0:
            return
        known = np.isfinite(self._similarities[part])
        all_queries = np.concatenate([np.nonzero(known)[0], query])
        all_scores = np.concatenate([self._similarities[part][known], similarities[query, row]])
        all_indices = np.concatenate([self._indices[part][known], row + first_row])
        order = np.lexsort((all_indices, -all_scores, all_queries))
        starts = np.searchsorted(all_queries[order], np.arange(queries))
        rank = np.arange(len(order)) - starts[all_queries[order]]
        keep, rank = order[rank < self._k], rank[rank < self._k]
        self._similarities[part][all_queries[keep], rank] = all_scores[keep]
        self._indices[part][all_queries[keep], rank] = all_indices[keep]

    def _first_bar(self, similarities: Vectors) -> Vectors:
        """Return a value that the best k of each query reach: the k-th best of a sample of the rows."""
        sample = similarities[:, : max(_SAMPLE, self._k)]
        if sample.shape[1] <= self._k:
            return np.full((len(similarities), 1), -np.inf, dtype=similarities.dtype)
        bar: Vectors = -np.partition(-sample, self._k - 1, axis=1)[:, self._k - 1 : self._k]
        return bar

    def neighbours(self) -> Neighbours:
        return Neighbours(self._similarities, self._indices)


def _blocks(left: Vectors, right: Vectors, block: int, similarity: Similarity) -> Iterator[tuple[int, int, Vectors]]:
    squares = [np.einsum("ij,ij->i", side, side) for side in (left, right)] if similarity == "l2" else []
    for row in range(0, len(left), block):
        for column in range(0, len(right), block):
            products = left[row : row + block] @ right[column : column + block].T
            if squares:
                sums = squares[0][row : row + block, None] + squares[1][column : column + block]
                # Rounding may take the distance of equal vectors below zero.
                products = 1 / (1 + np.maximum(sums - 2 * products, 0))
            yield row, column, products


def _best_candidate(neighbours: Neighbours, scores: Vectors) -> tuple[NDArray[np.int64], Vectors]:
    chosen = scores.argmax(axis=1)
    rows = np.arange(len(scores))
    return neighbours.indices[rows, chosen], scores[rows, chosen]


def _take_greedily(left: NDArray[np.int64], right: NDArray[np.int64], lefts: int, rights: int) -> list[int]:
    """Return the positions of the pairs that are kept, in order, when each row of either side may occur once."""
    free_left, free_right = bytearray(b"\x01") * lefts, bytearray(b"\x01") * rights
    taken = []
    for position, (one, other) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        if free_left[one] and free_right[other]:
            free_left[one] = free_right[other] = 0
            taken.append(position)
    return taken


def _distinct(side: Side) -> tuple[list[list[str]], Vectors]:
    """Group the ids of equal texts, in order of first occurrence, with the vector of the last occurrence.

    White space around a text makes no difference: XTREME's scripts cut it off when they read the sentences.
    """
    lengths = {len(side.ids), len(side.texts), len(side.vectors)}
    if len(lengths) > 1:
        raise EvaluationError(
            f"{number_text(len(side.ids), 'id')}, {number_text(len(side.texts), 'sentence')} and "
            f"{number_text(len(side.vectors), 'vector')} on one side",
            allowed=["equal numbers"],
            hint="Encode every sentence exactly once.",
        )
    groups: dict[str, tuple[list[str], list[int]]] = {}
    for row, (name, text) in enumerate(zip(side.ids, side.texts, strict=True)):
        ids, rows = groups.setdefault(text.strip(), ([], []))
        ids.append(name)
        rows.append(row)
    last = [rows[-1] for _, rows in groups.values()]
    return [ids for ids, _ in groups.values()], side.vectors[last]


def _require_comparable(left: Vectors, right: Vectors, k: int) -> None:
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1] or 0 in (len(left), len(right)):
        raise EvaluationError(
            f"vectors of shapes {left.shape} and {right.shape} cannot be compared",
            allowed=["(sentences, width) with equal width, at least one sentence each"],
            hint="Encode both sides with the same model and layer.",
        )
    if k < 1:
        raise EvaluationError(f"{number_text(k, 'neighbour')} cannot be searched", value=k, allowed=["1 or more"])
