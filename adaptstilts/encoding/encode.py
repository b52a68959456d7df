"""Encoding of examples as sub-token ids, by kind of task; free of torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from adaptstilts.encoding.features import Encoded, EncodeSettings, check_settings
from adaptstilts.encoding.match import encode_matches
from adaptstilts.encoding.pairs import encode_choices, encode_pairs, encode_sentences
from adaptstilts.encoding.spans import encode_spans
from adaptstilts.encoding.subtokens import frame_of
from adaptstilts.encoding.tags import encode_tags
from adaptstilts.tasks.examples import Candidate, Example, Sentence
from adaptstilts.tasks.spec import Kind, Task

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_ENCODERS: dict[Kind, Callable[[Any, PreTrainedTokenizerFast, EncodeSettings], Encoded]] = {
    Kind.CLASSIFY: encode_pairs,
    Kind.CHOOSE: encode_choices,
    Kind.TAG: encode_tags,
    Kind.EXTRACT: encode_spans,
    Kind.RETRIEVE: encode_sentences,
    Kind.MATCH: encode_matches,
}


def encode(
    task: Task,
    examples: Sequence[Example] | Sequence[Sentence] | Sequence[Candidate],
    tokenizer: PreTrainedTokenizerFast,
    settings: EncodeSettings,
) -> Encoded:
    """Encode the examples of a task, the sentences of one side of a retrieval task, or candidates of a pool.

    Args:
        examples: Examples of the task's kind.
        tokenizer: A fast tokenizer, as `adaptstilts.models.backbone.load_tokenizer` returns it.

    Raises:
        ConfigError: If a length is too small.
        CheckpointError: If the tokenizer is not a fast one, or has no token that separates texts.
    """
    check_settings(settings, task.kind)
    frame = frame_of(tokenizer)
    encoded = _ENCODERS[task.kind](examples, tokenizer, settings)
    return replace(encoded, specials=(len(frame.opening), len(frame.closing)))
