"""Encoding of questions about contexts: sliding windows, with offsets into the characters of the context."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from adaptstilts.encoding.features import Encoded, EncodeSettings, SpanFeature
from adaptstilts.encoding.subtokens import frame_of, tokenise, tokenise_with_offsets
from adaptstilts.tasks.examples import SpanExample
from adaptstilts.tasks.spec import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerFast

NO_ANSWER = (0, 0)
"""Target of a window without the answer: both ends on the first sub-token of the row, which is never the context's.

It is ``<s>`` or ``[CLS]`` where the tokenizer has such a token, and the first sub-token of the question (of an
empty one, the separator) for T5.
"""


def encode_spans(
    examples: Sequence[SpanExample], tokenizer: PreTrainedTokenizerFast, settings: EncodeSettings
) -> Encoded:
    """Encode questions about contexts as pairs of question and window, one feature or more per question.

    The target is the first gold answer. A window that does not hold all of it has `NO_ANSWER`, as has every window of
    an unanswerable question. Windows move by ``doc_stride`` sub-tokens, or by a whole window if that is less.
    """
    frame = frame_of(tokenizer)
    contexts = tokenise_with_offsets(tokenizer, (example.context for example in examples))
    questions = tokenise(tokenizer, (example.question for example in examples))
    features: list[SpanFeature] = []
    truncated = 0
    for index, example in enumerate(examples):
        question = questions[example.question]
        truncated += len(question) > settings.max_query_length
        question = question[: settings.max_query_length]
        ids, offsets = contexts[example.context]
        answer = _answer_tokens(example, offsets)
        context_first = len(frame.opening) + len(question) + len(frame.middle)
        room = frame.room(settings.max_length, pair=True) - len(question)
        for first, after in _windows(len(ids), room, settings.doc_stride):
            target = None
            if example.answers is not None:
                inside = answer is not None and first <= answer[0] and answer[1] < after
                shift = context_first - first
                target = (answer[0] + shift, answer[1] + shift) if inside and answer else NO_ANSWER
            row = frame.around(question, ids[first:after])
            features.append(
                SpanFeature(
                    (row,), target, index, offsets[first:after], context_first, segments=frame.segments(question)
                )
            )
    return Encoded(Kind.EXTRACT, examples, features, truncated)


def _windows(tokens: int, room: int, stride: int) -> Iterator[tuple[int, int]]:
    """Yield the first token of each window and the token after its last; at least one window."""
    first = 0
    while True:
        after = min(first + room, tokens)
        yield first, after
        if after == tokens:
            return
        first += min(room, stride)


def _answer_tokens(example: SpanExample, offsets: NDArray[np.int32]) -> tuple[int, int] | None:
    """Return the first and the last context token of the first gold answer.

    White space around the answer is ignored. A character that no token covers is given to the token after it at the
    answer's start, to the one before it at its end.
    """
    if not example.answers or not len(offsets):
        return None
    answer = example.answers[0]
    text = answer.text.strip()
    if not text:
        return None
    start = answer.start + answer.text.index(text)
    # Sub-tokens of one character share its range, and normalisation may reorder marks: compare running maxima.
    starts = np.maximum.accumulate(offsets[:, 0])
    ends = np.maximum.accumulate(offsets[:, 1])
    first = int(np.searchsorted(ends, start, side="right"))
    last = int(np.searchsorted(starts, start + len(text) - 1, side="right")) - 1
    return (first, last) if first <= last < len(offsets) else None
