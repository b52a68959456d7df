"""Inference with a dual encoder: vectors of queries and candidates, and the nearest candidates of each query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from adaptstilts.encoding.features import Encoded, Feature
from adaptstilts.evaluate.metrics import TOP
from adaptstilts.evaluate.predict import Predicted, raw_scores
from adaptstilts.evaluate.retrieval import comparable, find_neighbours
from adaptstilts.models.network import TaskNetwork
from adaptstilts.tasks.examples import MatchExample


def unit_vectors(
    network: TaskNetwork, encoded: Encoded, *, batch_tokens: int, precision: str = "auto"
) -> NDArray[np.float32]:
    """Return unit vectors of queries or candidates in single precision, shape (features, width).

    ``encoded`` has features of one row each; see `adaptstilts.evaluate.predict` for the other arguments. A vector that
    is not finite raises `EvaluationError`, since it would have no nearest candidate.
    """
    vectors = np.stack(raw_scores(network, encoded, batch_tokens=batch_tokens, precision=precision))
    return comparable(vectors, "dot")


def nearest(
    examples: Sequence[MatchExample], queries: NDArray[np.float32], ids: Sequence[str], pool: NDArray[np.float32]
) -> Predicted:
    """Find the nearest candidates of each query, exactly, comparing vectors (rows, width) block by block.

    Returns:
        Ids of the 20 candidates with the largest dot products by id of the query, best first, of equal ones the earlier
        first; as raw arrays their ``similarities`` and rows of the pool, ``nearest``, both of shape (queries, 20).
    """
    found = find_neighbours(queries, pool, k=TOP)
    predictions = {
        example.id: [ids[row] for row in rows] for example, rows in zip(examples, found.indices.tolist(), strict=True)
    }
    return Predicted(predictions, {"nearest": found.indices, "similarities": found.similarities})


def predict_pairs(network: TaskNetwork, encoded: Encoded, *, batch_tokens: int, precision: str = "auto") -> Predicted:
    """Search for each query among the candidates of all given pairs, each candidate once; see `nearest`."""
    examples = [example for example in encoded.examples if isinstance(example, MatchExample)]
    ids: dict[str, Feature] = {}
    for feature in encoded.features:
        candidate = examples[feature.example].candidate
        if candidate is None:
            raise TypeError("a query without a candidate cannot be searched")
        ids.setdefault(candidate.id, Feature(feature.rows[1:], None, len(ids)))
    sides = [[Feature(item.rows[:1], None, item.example) for item in encoded.features], list(ids.values())]
    queries, pool = (
        unit_vectors(
            network,
            Encoded(encoded.kind, encoded.examples, side),
            batch_tokens=batch_tokens,
            precision=precision,
        )
        for side in sides
    )
    return nearest(examples, queries, list(ids), pool)
