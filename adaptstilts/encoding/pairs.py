"""Encoding of sentences, sentence pairs and multiple choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adaptstilts.encoding.features import Encoded, EncodeSettings, Feature
from adaptstilts.encoding.subtokens import frame_of, tokenise
from adaptstilts.tasks.examples import ChoiceExample, PairExample, Sentence
from adaptstilts.tasks.spec import Kind

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

CHOICE_SHARE = 0.75
"""Largest share of a row for a choice that does not fit beside its prompt."""


def encode_pairs(
    examples: Sequence[PairExample], tokenizer: PreTrainedTokenizerFast, settings: EncodeSettings
) -> Encoded:
    """Encode sentences and sentence pairs; of a pair that is too long the longer text is cut first, at its end."""
    frame = frame_of(tokenizer)
    texts = (text for example in examples for text in (example.first, example.second) if text is not None)
    pieces = tokenise(tokenizer, texts)
    features = []
    truncated = 0
    for index, example in enumerate(examples):
        first = pieces[example.first]
        second = None if example.second is None else pieces[example.second]
        room = frame.room(settings.max_length, pair=second is not None)
        if len(first) + (len(second) if second is not None else 0) > room:
            truncated += 1
            kept, kept_second = longest_first(len(first), 0 if second is None else len(second), room)
            first = first[:kept]
            second = None if second is None else second[:kept_second]
        row = frame.around(first, second)
        features.append(Feature((row,), example.label, index, segments=frame.segments(first)))
    return Encoded(Kind.CLASSIFY, examples, features, truncated)


def longest_first(first: int, second: int, room: int) -> tuple[int, int]:
    """Return how many sub-tokens of two texts to keep, cutting the longer one first.

    The result is that of the ``longest_first`` strategy of fast tokenizers, which gives the odd one to the longer text.

    Args:
        first: Sub-tokens of the first text.
        second: Sub-tokens of the second text.
        room: Sub-tokens to keep in all; fewer than both texts have.
    """
    half = room // 2
    if min(first, second) <= half:
        return (first, room - first) if first <= second else (room - second, second)
    return (half, room - half) if first <= second else (room - half, half)


def encode_choices(
    examples: Sequence[ChoiceExample], tokenizer: PreTrainedTokenizerFast, settings: EncodeSettings
) -> Encoded:
    """Encode multiple choice: one row of prompt and choice for each choice.

    A row that is too long loses the start of the prompt, since the choices continue its end (as in jiant). A choice
    that fills the row by itself is cut at its end to three quarters of it. Questions may differ in their number of
    choices.
    """
    frame = frame_of(tokenizer)
    pieces = tokenise(tokenizer, (text for example in examples for text in (example.prompt, *example.choices)))
    room = frame.room(settings.max_length, pair=True)
    features = []
    truncated = 0
    for index, example in enumerate(examples):
        prompt = pieces[example.prompt]
        rows, starts = [], []
        for choice in (pieces[text] for text in example.choices):
            most = max(room - len(prompt), int(room * CHOICE_SHARE))
            start = prompt[max(0, len(prompt) + min(len(choice), most) - room) :]
            rows.append(frame.around(start, choice[:most]))
            starts.append(start)
        truncated += any(len(prompt) + len(pieces[text]) > room for text in example.choices)
        features.append(Feature(tuple(rows), example.label, index, segments=frame.segments(*starts)))
    return Encoded(Kind.CHOOSE, examples, features, truncated)


def encode_sentences(
    sentences: Sequence[Sentence], tokenizer: PreTrainedTokenizerFast, settings: EncodeSettings
) -> Encoded:
    """Encode the sentences of one side of a retrieval task, without targets; long ones are cut at their end."""
    frame = frame_of(tokenizer)
    pieces = tokenise(tokenizer, (sentence.text for sentence in sentences))
    room = frame.room(settings.max_length, pair=False)
    whole = [pieces[sentence.text] for sentence in sentences]
    rows = [row[:room] for row in whole]
    features = [
        Feature((frame.around(row),), None, index, segments=frame.segments(row)) for index, row in enumerate(rows)
    ]
    return Encoded(Kind.RETRIEVE, sentences, features, sum(len(row) > room for row in whole))
