"""Decoding of the model's logits into predictions: classes, choices, tags and answers.

Everything takes plain arrays, so that decoding can be repeated from the logits kept on disk. Of equal scores the lowest
class, the earliest and then the shortest span wins. NaN or shapes that do not fit together raise `EvaluationError`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from adaptstilts.errors import EvaluationError
from adaptstilts.formatting import number_text

Logits: TypeAlias = NDArray[np.floating]
Integers: TypeAlias = NDArray[np.integer]
Scalar = TypeVar("Scalar", bound=np.generic)

MAX_ANSWER_TOKENS = 30
N_BEST = 20
NULL_THRESHOLD = 0.0


class SpanScore(NamedTuple):
    """A candidate answer: characters ``start_char`` up to, not including, ``end_char``; score: start plus end logit."""

    start_char: int
    end_char: int
    score: float


@dataclass(frozen=True)
class Window:
    """The model's output for one window of a question with its context.

    Attributes:
        start: Start logits, shape (tokens,).
        end: End logits, shape (tokens,).
        offsets: Characters of the context that each token covers, from the first to after the last, shape (tokens, 2);
            (-1, -1) for tokens of the question and special tokens.
        null: Position of the token that stands for "no answer" (`adaptstilts.encoding.spans.NO_ANSWER`).
    """

    start: Logits
    end: Logits
    offsets: Integers
    null: int = 0


@dataclass(frozen=True)
class SpanAnswer:
    """The answer to one question: text cut from the context without white space around it, empty for "no answer".

    Attributes:
        best: Candidates, best first; may be empty where the context has no tokens.
        null_score: Score of "no answer": the lowest sum of the null token's logits over the windows.
    """

    text: str
    best: tuple[SpanScore, ...]
    null_score: float


def decode_classes(logits: Logits) -> list[int]:
    """Choose the class with the highest of its logits, shape (examples, classes)."""
    if logits.ndim != 2 or logits.shape[1] == 0:
        raise EvaluationError(
            f"logits of shape {logits.shape} cannot be decoded",
            allowed=["(examples, classes)"],
            hint="Pass the output of the classification head.",
        )
    _require_numbers(logits)
    return [int(label) for label in logits.argmax(axis=1)]


def decode_choices(logits: Sequence[Logits]) -> list[int]:
    """Choose the alternative with the highest logit, from one array of shape (alternatives,) per example."""
    return [decode_classes(np.asarray(scores)[None])[0] for scores in logits]


def decode_tags(parts: Iterable[tuple[Logits, Integers]], words: int) -> list[int]:
    """Give every word of a sentence the tag with the highest score on its first sub-token.

    Args:
        parts: The parts into which a long sentence was split, at least one: logits of shape (tokens, labels) with the
            word that each token belongs to, shape (tokens,), counted from 0 through the whole sentence; -1 for special
            tokens. Where parts overlap, the first part that holds a word decides.
        words: Number of words in the sentence; each must have a sub-token.
    """
    tags = np.full(words, -1, dtype=np.int64)
    for logits, word_of_token in parts:
        if logits.ndim != 2 or word_of_token.shape != logits.shape[:1]:
            raise EvaluationError(
                f"logits of shape {logits.shape} do not fit word numbers of shape {word_of_token.shape}",
                allowed=["(tokens, labels) and (tokens,)"],
            )
        inside, first = np.unique(word_of_token, return_index=True)
        first, inside = first[inside >= 0], inside[inside >= 0]
        if len(inside) and inside[-1] >= words:
            raise EvaluationError(
                f"a token belongs to word {int(inside[-1])} (counted from 0), but the sentence has "
                f"{number_text(words, 'word')}",
                hint="Pass the word numbers of the same sentence.",
            )
        new = tags[inside] < 0
        tags[inside[new]] = decode_classes(logits[first[new]]) if new.any() else []
    missing = np.flatnonzero(tags < 0)
    if len(missing):
        raise EvaluationError(
            f"word {int(missing[0])} (counted from 0) of {words} has no sub-token to take a tag from",
            hint="Split long sentences instead of cutting them, and encode words without sub-tokens as <unk>.",
        )
    return [int(tag) for tag in tags]


def best_spans(
    start: Logits, end: Logits, offsets: Integers, max_length: int = MAX_ANSWER_TOKENS, n_best: int = N_BEST
) -> list[SpanScore]:
    """Find the best spans of one window, among all spans of context tokens up to a length.

    Args:
        start: Start logits, shape (tokens,); minus infinity rules a token out.
        end: End logits, shape (tokens,).
        offsets: Characters that each token covers, shape (tokens, 2); (-1, -1) for tokens outside the context.
        max_length: Longest span in tokens.
        n_best: Maximum number of spans.

    Returns:
        Spans that cover at least one character, best first; equal scores in order of start, then of length.
    """
    _require_window(start, end, offsets)
    if max_length < 1 or n_best < 1:
        raise EvaluationError(
            f"answers of up to {number_text(max_length, 'token')} and the {n_best} best of them cannot be searched",
            allowed=["1 or more for both"],
        )
    context = np.flatnonzero(offsets[:, 0] >= 0)
    if len(context) == 0:
        return []
    first, after = int(context[0]), int(context[-1]) + 1
    spans, lengths = offsets[first:after], min(max_length, after - first)
    starts = np.where(spans[:, 0] >= 0, start[first:after].astype(np.float64), -np.inf)
    ends = np.where(spans[:, 0] >= 0, end[first:after].astype(np.float64), -np.inf)
    # Cell (i, d) of a table is the span from token i to token i + d.
    end_chars = _windows(spans[:, 1], lengths, fill=-1)
    scores = starts[:, None] + _windows(ends, lengths, fill=-np.inf)
    return _rank_spans(np.where(end_chars > spans[:, :1], scores, -np.inf), spans, n_best)


def merge_windows(windows: Iterable[Sequence[SpanScore]], n_best: int = N_BEST) -> list[SpanScore]:
    """Merge the best spans of all windows of a question; a span found in several keeps its highest score."""
    highest: dict[tuple[int, int], float] = {}
    for spans in windows:
        for first, after, score in spans:
            highest[first, after] = max(score, highest.get((first, after), score))
    ranked = sorted(highest.items(), key=lambda item: (-item[1], item[0]))
    return [SpanScore(first, after, score) for (first, after), score in ranked[:n_best]]


def answer_question(
    context: str,
    windows: Sequence[Window],
    *,
    unanswerable: bool = False,
    null_threshold: float = NULL_THRESHOLD,
    max_length: int = MAX_ANSWER_TOKENS,
    n_best: int = N_BEST,
) -> SpanAnswer:
    """Choose the answer to a question from the outputs of all its windows, at least one.

    Args:
        context: The original text; the offsets count its characters.
        windows: Outputs of the windows.
        unanswerable: Whether "no answer" is allowed (SQuAD 2.0).
        null_threshold: "No answer" is chosen if its score exceeds the best span's by more than this.
        max_length: Longest answer in tokens.
        n_best: Number of candidates to keep.
    """
    if not windows:
        raise EvaluationError("a question has no window to answer from", hint="Encode every question at least once.")
    for window in windows:
        if window.offsets.size and int(window.offsets.max()) > len(context):
            raise EvaluationError(
                f"a token ends at character {int(window.offsets.max())}, but the context has {len(context)}",
                hint="Pass the context that was encoded, unchanged.",
            )
    found = [best_spans(window.start, window.end, window.offsets, max_length, n_best) for window in windows]
    best = [span for span in merge_windows(found, n_best) if context[span.start_char : span.end_char].strip()]
    null_score = min(float(window.start[window.null] + window.end[window.null]) for window in windows)
    is_null = not best or (unanswerable and null_score - best[0].score > null_threshold)
    text = "" if is_null else _cut(context, best[0].start_char, best[0].end_char)
    return SpanAnswer(text, tuple(best), null_score)


def _cut(context: str, first: int, after: int) -> str:
    """Return the text of a span without white space around it, but with format characters that belong to its words.

    Tokenizers drop format characters (U+200B, U+200E), so that no span covers those between a word and the white space
    beside it. XTREME's scripts answer with whole words of the context there, and gold answers have these characters.
    """
    start, end = first, after
    while end < len(context) and unicodedata.category(context[end]) == "Cf":
        end += 1
    while start > 0 and unicodedata.category(context[start - 1]) == "Cf":
        start -= 1
    if end < len(context) and not context[end].isspace():
        end = after
    if start > 0 and not context[start - 1].isspace():
        start = first
    return context[start:end].strip()


def _windows(values: NDArray[Scalar], length: int, *, fill: float) -> NDArray[Scalar]:
    """Slide a window over values: row i holds values i to i + length - 1, padded at the end; shape (values, length)."""
    padded = np.concatenate([values, np.full(length - 1, fill, dtype=values.dtype)])
    return np.lib.stride_tricks.sliding_window_view(padded, length)


def _rank_spans(scores: Logits, offsets: Integers, n_best: int) -> list[SpanScore]:
    """Turn the best cells of a table of scores, shape (tokens, lengths), into spans of characters."""
    flat = scores.ravel()
    wanted = min(len(flat), n_best)
    bar = -np.partition(-flat, wanted - 1)[wanted - 1]
    cells = np.flatnonzero((flat >= bar) & (flat > -np.inf))
    cells = cells[np.argsort(-flat[cells], kind="stable")][:n_best]
    first, length = np.divmod(cells, scores.shape[1])
    columns = (offsets[first, 0].tolist(), offsets[first + length, 1].tolist(), flat[cells].tolist())
    return [SpanScore(*span) for span in zip(*columns, strict=True)]


def _require_window(start: Logits, end: Logits, offsets: Integers) -> None:
    if start.ndim != 1 or end.shape != start.shape or offsets.shape != (len(start), 2):
        raise EvaluationError(
            f"start, end and offsets of shapes {start.shape}, {end.shape} and {offsets.shape} do not fit together",
            allowed=["(tokens,), (tokens,) and (tokens, 2)"],
            hint="Pass all three of the same window.",
        )
    _require_numbers(start)
    _require_numbers(end)


def _require_numbers(logits: Logits) -> None:
    if np.isnan(logits).any():
        raise EvaluationError(
            "a logit is not a number", allowed=["numbers"], hint="Check the checkpoint, or predict in single precision."
        )
