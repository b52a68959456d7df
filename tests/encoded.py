"""What encoded examples say, put back into words: the way back from sub-tokens, for round trips."""

from __future__ import annotations

from collections.abc import Sequence

from adaptstilts.encoding.features import Encoded, SpanFeature, TagFeature
from adaptstilts.tasks.examples import SpanExample


def join_tags(encoded: Encoded, predictions: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return one label per word of each sentence, given one per sub-token of each feature."""
    joined: list[list[int]] = [[] for _ in encoded.examples]
    for feature, row in zip(encoded.features, predictions, strict=True):
        assert isinstance(feature, TagFeature)
        assert len(row) == feature.size
        joined[feature.example] += [int(row[position]) for position in feature.positions]
    return joined


def span_text(encoded: Encoded, index: int, start: int, end: int) -> str:
    """Return the characters of the context that a span of sub-tokens covers; none outside the context."""
    feature = encoded.features[index]
    example = encoded.examples[feature.example]
    assert isinstance(feature, SpanFeature)
    assert isinstance(example, SpanExample)
    first, last = start - feature.context_first, end - feature.context_first
    if not 0 <= first <= last < len(feature.context_offsets):
        return ""
    return example.context[int(feature.context_offsets[first, 0]) : int(feature.context_offsets[last, 1])]
