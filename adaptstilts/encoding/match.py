"""Encoding of queries and candidates for dual encoders, each in a row of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adaptstilts.encoding.features import Encoded, EncodeSettings, Feature, Ids
from adaptstilts.encoding.pairs import longest_first
from adaptstilts.encoding.subtokens import Frame, frame_of, tokenise
from adaptstilts.tasks.examples import Candidate, MatchExample
from adaptstilts.tasks.spec import Kind

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def encode_matches(
    items: Sequence[MatchExample | Candidate], tokenizer: PreTrainedTokenizerFast, settings: EncodeSettings
) -> Encoded:
    """Encode queries, queries with their candidates (for training), or candidates.

    A query has at most ``max_query_length`` sub-tokens; a candidate, its text or the pair of text and context, has at
    most ``max_length``, special tokens included. Of a text and a context that are too long the longer is cut first, at
    its end.

    Returns:
        One feature per item: the row of the query, followed by that of its candidate where it has one; or the row of
        the candidate. The target of a pair is the number of its candidate among the distinct ones.
    """
    frame = frame_of(tokenizer)
    pieces = tokenise(tokenizer, (text for item in items for text in _texts(item)))
    numbers: dict[str, int] = {}
    features = []
    truncated = 0
    for index, item in enumerate(items):
        target = None
        if isinstance(item, Candidate):
            rows = [_candidate_row(item, pieces, frame, settings.max_length)]
        else:
            whole = pieces[item.query]
            query = whole[: frame.room(settings.max_query_length, pair=False)]
            rows = [(frame.around(query), query, len(whole))]
            if item.candidate is not None:
                rows.append(_candidate_row(item.candidate, pieces, frame, settings.max_length))
                target = numbers.setdefault(item.candidate.id, len(numbers))
        truncated += any(len(row) < length for row, _, length in rows)
        segments = frame.segments(*(first for _, first, _ in rows))
        features.append(Feature(tuple(row for row, _, _ in rows), target, index, segments=segments))
    return Encoded(Kind.MATCH, items, features, truncated)


def _texts(item: MatchExample | Candidate) -> tuple[str, ...]:
    if isinstance(item, Candidate):
        return (item.text,) if item.context is None else (item.text, item.context)
    return (item.query,) if item.candidate is None else (item.query, *_texts(item.candidate))


def _candidate_row(item: Candidate, pieces: dict[str, Ids], frame: Frame, most: int) -> tuple[Ids, Ids, int]:
    """Return the row of a candidate, its first text in it, and how many sub-tokens of text it has uncut."""
    text = pieces[item.text]
    if item.context is None:
        cut = text[: frame.room(most, pair=False)]
        return frame.around(cut), cut, len(text)
    context, room = pieces[item.context], frame.room(most, pair=True)
    whole = len(text) + len(context)
    first, second = (len(text), len(context)) if whole <= room else longest_first(len(text), len(context), room)
    return frame.around(text[:first], context[:second]), text[:first], whole
