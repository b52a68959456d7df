"""Sub-tokens of single words, cut as they are inside running text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from adaptstilts.encoding.features import Ids
from adaptstilts.encoding.subtokens import plain_ids, tokenise

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# Blocks of Unicode 15 whose scripts put no space between words: Thai and Lao, Tibetan, Burmese, Khmer, Chinese
# characters with their punctuation, kana, and full-width forms.
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3000, 0x312F),
    (0x31A0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF00, 0xFFEF), (0x20000, 0x323AF),
)  # fmt: skip
_ANCHOR = "a"
_PROBES = ("a", "the", "1")
"""Texts by which a tokenizer is asked how it cuts a word after a space."""


def is_unspaced(character: str) -> bool:
    """Whether a character's script puts no space between words."""
    code = ord(character)
    return any(first <= code <= last for first, last in _UNSPACED)


def lacks_prefix_space(tokenizer: PreTrainedTokenizerFast) -> bool:
    """Whether a word by itself is cut differently from the same word after a space, and a space before it mends that.

    That is so for byte-level and Gemma's byte-pair encoding, whose pieces hold the space, where the tokenizer does not
    put one before a text. XLM-R's, T5's and DeBERTa's tokenizers do; BERT's pieces hold no space.
    """
    anchor = plain_ids(tokenizer, _ANCHOR)
    inside = [plain_ids(tokenizer, f"{_ANCHOR} {word}")[len(anchor) :] for word in _PROBES]
    alone = [plain_ids(tokenizer, word) for word in _PROBES]
    spaced = [plain_ids(tokenizer, f" {word}") for word in _PROBES]
    return inside == spaced != alone


def tokenise_words(tokenizer: PreTrainedTokenizerFast, words: Iterable[str]) -> dict[str, Ids]:
    """Cut words into sub-tokens as they are cut inside running text, first words of sentences included.

    A tokenizer that lacks the space before a word gets one, except before a word in a script without spaces.

    Args:
        tokenizer: A fast tokenizer.
        words: Words; repetitions cost nothing.

    Returns:
        Distinct word -> sub-token ids.
    """
    if not lacks_prefix_space(tokenizer):
        return tokenise(tokenizer, words)
    texts = {word: word if is_unspaced(word[:1] or " ") else f" {word}" for word in words}
    pieces = tokenise(tokenizer, texts.values())
    return {word: pieces[text] for word, text in texts.items()}
