"""Sub-tokens of single words, cut as they are inside running text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from adaptstilts.encoding.features import Ids
from adaptstilts.encoding.subtokens import backend_of, tokenise

if TYPE_CHECKING:
    from tokenizers import Tokenizer  # type: ignore[import-untyped]
    from transformers import PreTrainedTokenizerFast

# Blocks of Unicode 15 whose scripts put no space between words: Thai and Lao, Tibetan, Burmese, Khmer, Chinese
# characters with their punctuation, kana, and full-width forms.
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3000-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff00-\uffef\U00020000-\U000323af]"
)
_ANCHOR = "a"
_PROBES = ("a", "the", "1")
"""Texts by which a tokenizer is asked how it cuts a word after a space."""


def has_unspaced(text: str) -> bool:
    """Whether any character of a text is in a script that puts no space between words."""
    return not text.isascii() and _UNSPACED.search(text) is not None


def begins_unspaced(text: str) -> bool:
    """Whether the first character of a text is in a script that puts no space between words."""
    return _UNSPACED.match(text) is not None


def lacks_prefix_space(backend: Tokenizer) -> bool:
    """Whether a word by itself is cut differently from the same word after a space, and a space before it mends that.

    That is so for byte-level and Gemma's byte-pair encoding, whose pieces hold the space, where the tokenizer does not
    put one before a text. XLM-R's, T5's and DeBERTa's tokenizers do; BERT's pieces hold no space.

    Args:
        backend: A fast tokenizer's core, as `adaptstilts.encoding.subtokens.backend_of` returns it.
    """
    alone = [_ids(backend, word) for word in _PROBES]
    spaced = [_ids(backend, f" {word}") for word in _PROBES]
    return inside_text(backend, _PROBES) == spaced != alone


def inside_text(backend: Tokenizer, words: Iterable[str]) -> list[list[int]]:
    """Return the sub-tokens that each word has in a text, after another word and a space."""
    anchor = len(_ids(backend, _ANCHOR))
    return [_ids(backend, f"{_ANCHOR} {word}")[anchor:] for word in words]


def as_tagged(backend: Tokenizer, words: Iterable[str]) -> dict[str, str]:
    """Return the text that is encoded for each word of a tagged sentence: the word, or a space and the word."""
    if not lacks_prefix_space(backend):
        return {word: word for word in words}
    return {word: word if begins_unspaced(word) else f" {word}" for word in words}


def _ids(backend: Tokenizer, text: str) -> list[int]:
    ids: list[int] = backend.encode(text, add_special_tokens=False).ids
    return ids


def tokenise_words(tokenizer: PreTrainedTokenizerFast, words: Iterable[str]) -> dict[str, Ids]:
    """Cut words into sub-tokens as they are cut inside running text, first words of sentences included.

    A tokenizer that lacks the space before a word gets one, except before a word in a script without spaces.

    Args:
        tokenizer: A fast tokenizer.
        words: Words; repetitions cost nothing.

    Returns:
        Distinct word -> sub-token ids.
    """
    texts = as_tagged(backend_of(tokenizer), words)
    pieces = tokenise(tokenizer, texts.values())
    return {word: pieces[text] for word, text in texts.items()}
