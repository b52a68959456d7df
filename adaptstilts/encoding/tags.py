"""Encoding of tagged sentences: labels on first sub-tokens, long sentences split into parts."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from adaptstilts.encoding.features import IGNORED, Encoded, EncodeSettings, Ids, TagFeature
from adaptstilts.encoding.subtokens import Frame, frame_of
from adaptstilts.encoding.words import tokenise_words
from adaptstilts.errors import CheckpointError
from adaptstilts.tasks.examples import TagExample
from adaptstilts.tasks.spec import Kind

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def encode_tags(
    examples: Sequence[TagExample], tokenizer: PreTrainedTokenizerFast, settings: EncodeSettings
) -> Encoded:
    """Encode tagged sentences word by word: one feature or more per sentence, none for one without words.

    A word has the sub-tokens that it has inside running text (`adaptstilts.encoding.words.tokenise_words`), and its
    label stands on the first of them. A sentence that is too long is split at word boundaries into parts that are as
    long as possible; `adaptstilts.evaluate.decode.decode_tags` joins their predictions. A word without a sub-token, or
    with more than fit into a row, becomes ``<unk>``, as in XTREME.
    """
    frame = frame_of(tokenizer)
    room = frame.room(settings.max_length, pair=False)
    pieces = tokenise_words(tokenizer, (word for example in examples for word in example.words))
    odd = {word for word, ids in pieces.items() if not 0 < len(ids) <= room}
    if odd:
        unknown = _unknown(tokenizer, next(iter(odd)))
        pieces.update((word, unknown) for word in odd)
    features = []
    for index, example in enumerate(examples):
        words = [pieces[word] for word in example.words]
        for first, after in _parts([len(ids) for ids in words], room):
            tags = None if example.tags is None else example.tags[first:after]
            features.append(_feature(words[first:after], tags, frame, (index, first)))
    replaced = sum(word in odd for example in examples for word in example.words) if odd else 0
    return Encoded(Kind.TAG, examples, features, replaced=replaced)


def _unknown(tokenizer: PreTrainedTokenizerFast, word: str) -> Ids:
    if tokenizer.unk_token_id is None:
        raise CheckpointError(
            f"tokenizer {type(tokenizer).__name__} has no unknown token to stand for '{word}', which has no sub-token "
            "or more than fit into a row",
            path=tokenizer.name_or_path or None,
            hint="Set unk_token in its tokenizer_config.json.",
        )
    return array("i", [int(tokenizer.unk_token_id)])


def _parts(sizes: Sequence[int], room: int) -> Iterator[tuple[int, int]]:
    """Cut words into runs that fit: yield the first word of each run and the word after its last."""
    first = used = 0
    for word, size in enumerate(sizes):
        if used + size > room:
            yield first, word
            first, used = word, 0
        used += size
    if first < len(sizes):
        yield first, len(sizes)


def _feature(words: Sequence[Ids], tags: Sequence[int] | None, frame: Frame, at: tuple[int, int]) -> TagFeature:
    positions = array("i")
    body = array("i")
    for ids in words:
        positions.append(len(frame.opening) + len(body))
        body.extend(ids)
    row = frame.around(body)
    target = None
    if tags is not None:
        target = array("i", [IGNORED]) * len(row)
        for position, tag in zip(positions, tags, strict=True):
            target[position] = tag
    return TagFeature(
        (row,), target, at[0], positions, at[1], closing=len(frame.closing), segments=frame.segments(body)
    )
