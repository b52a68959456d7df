"""Training of a SentencePiece unigram vocabulary, saved in XLM-R's layout for fast and slow tokenizers alike."""

from __future__ import annotations

import io
import json
import math
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adaptstilts.config.pretrain import VocabularySection
from adaptstilts.errors import CheckpointError, ConfigError
from adaptstilts.pretrain.xlmr import tokenizer_from_pieces

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

MODEL_FILE = "sentencepiece.bpe.model"
"""Name of XLM-R's SentencePiece file (a unigram model, whatever its name says)."""
_SPACE = "\u2581"
_SPECIALS = ("<unk>", "<s>", "</s>")
_ALPHABET_MARGIN = 4.0
"""Distance in score from the rarest learnt piece down to the letters that are added, in nats."""
# Scripts of the 50 languages of XTREME and XTREME-R; Han and Hangul letters come from text alone.
_RANGES: dict[str, tuple[tuple[int, int], ...]] = {
    "ASCII": ((0x21, 0x7E),),
    "Latin": ((0xA1, 0x17F), (0x18F, 0x18F), (0x1A0, 0x1A1), (0x1AF, 0x1B0), (0x218, 0x21B), (0x259, 0x259),
              (0x300, 0x304), (0x323, 0x323), (0x1E0C, 0x1E0D), (0x1E62, 0x1E63), (0x1EA0, 0x1EF9)),
    "Greek": ((0x386, 0x3CE),),
    "Cyrillic": ((0x400, 0x45F), (0x490, 0x49B), (0x4A2, 0x4A3), (0x4AE, 0x4B1), (0x4BA, 0x4BB), (0x4D8, 0x4D9),
                 (0x4E8, 0x4E9)),
    "Hebrew": ((0x5B0, 0x5C2), (0x5D0, 0x5EA)),
    "Arabic": ((0x60C, 0x60C), (0x61B, 0x61B), (0x61F, 0x61F), (0x621, 0x652), (0x660, 0x669), (0x670, 0x671),
               (0x679, 0x679), (0x67E, 0x67E), (0x686, 0x686), (0x688, 0x688), (0x691, 0x691), (0x698, 0x698),
               (0x6A9, 0x6A9), (0x6AF, 0x6AF), (0x6BA, 0x6BA), (0x6BE, 0x6BE), (0x6C1, 0x6C3), (0x6CC, 0x6CC),
               (0x6D2, 0x6D4), (0x6F0, 0x6F9)),
    "Devanagari": ((0x901, 0x96F),),
    "Bengali": ((0x981, 0x9EF),),
    "Gurmukhi": ((0xA01, 0xA74),),
    "Gujarati": ((0xA81, 0xAEF),),
    "Tamil": ((0xB82, 0xBEF),),
    "Telugu": ((0xC01, 0xC6F),),
    "Malayalam": ((0xD02, 0xD7F),),
    "Thai": ((0xE01, 0xE5B),),
    "Burmese": ((0x1000, 0x104F),),
    "Georgian": ((0x10D0, 0x10FA),),
    "General punctuation": ((0x200C, 0x200D), (0x2010, 0x2027), (0x2030, 0x203A), (0x20AC, 0x20AC)),
    "CJK punctuation": ((0x3001, 0x3003), (0x3008, 0x3011), (0x301C, 0x301C)),
    "Kana": ((0x3041, 0x3096), (0x30A1, 0x30FC)),
}  # fmt: skip


def alphabet() -> tuple[str, ...]:
    """Return the letters, signs and digits of the scripts of XTREME's and XTREME-R's languages, by code point.

    All are single characters that SentencePiece's normalisation (nmt_nfkc) leaves unchanged. Chinese characters and
    Korean syllables are not included.
    """
    found: dict[str, None] = {}
    for parts in _RANGES.values():
        for first, last in parts:
            for code in range(first, last + 1):
                character = chr(code)
                if unicodedata.category(character)[0] not in "CZ" and unicodedata.is_normalized("NFKC", character):
                    found[character] = None
    return tuple(sorted(found))


def train_tokenizer(
    lines: Iterable[str],
    settings: VocabularySection,
    folder: Path,
    *,
    whole_words: Mapping[str, int] | None = None,
    unspaced_words: Iterable[str] = (),
    max_length: int = 512,
) -> PreTrainedTokenizerFast:
    """Learn pieces from text and save a tokenizer with XLM-R's ids (<s> 0, <pad> 1, </s> 2, <unk> 3, <mask> last).

    Equal input gives equal files. Both `AutoTokenizer` and XLM-R's slow tokenizer open the folder.

    Args:
        lines: Text to learn from, about one sentence per line.
        settings: Size and contents of the vocabulary.
        folder: Where the tokenizer's files are written.
        whole_words: Words that become one piece each, with their frequencies.
        unspaced_words: Those of ``whole_words`` that also occur without a space before them (Chinese).
        max_length: Most sub-tokens that the model takes.

    Raises:
        ConfigError: If the text cannot give a vocabulary of that size.
    """
    learnt = _learn(lines, settings)
    pieces = _scored_pieces(learnt)
    lowest = min(pieces.values())
    _add_words(pieces, whole_words or {}, frozenset(unspaced_words), lowest)
    if settings.alphabets:
        for character in alphabet():
            pieces.setdefault(character, lowest - _ALPHABET_MARGIN)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MODEL_FILE
    path.write_bytes(_with_pieces(learnt, pieces).SerializeToString(deterministic=True))
    return _save(path, folder, max_length)


def _learn(lines: Iterable[str], settings: VocabularySection) -> Any:  # noqa: ANN401 - protobuf message
    """Return SentencePiece's model of the text, as a protobuf message."""
    import sentencepiece  # noqa: PLC0415
    from sentencepiece import sentencepiece_model_pb2  # noqa: PLC0415

    written = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_writer=written,
            model_type="unigram",
            vocab_size=settings.pieces,
            hard_vocab_limit=False,
            character_coverage=settings.character_coverage,
            normalization_rule_name="nmt_nfkc",
            unk_id=0, bos_id=1, eos_id=2, pad_id=-1,
            num_threads=1,
            minloglevel=2,
        )  # fmt: skip
    except RuntimeError as error:
        problem = f"SentencePiece cannot learn {settings.pieces} pieces from this text: {error}"
        raise ConfigError(problem, key="vocabulary.pieces", value=settings.pieces) from error
    return sentencepiece_model_pb2.ModelProto.FromString(written.getvalue())


def _scored_pieces(model: Any) -> dict[str, float]:  # noqa: ANN401 - protobuf message
    return {entry.piece: entry.score for entry in model.pieces[len(_SPECIALS) :]}


def _add_words(pieces: dict[str, float], words: Mapping[str, int], unspaced: frozenset[str], lowest: float) -> None:
    """Give each word one piece that beats its parts: its log frequency, but at least the score of its best split."""
    total = sum(words.values())
    for word, count in sorted(words.items()):
        score = max(math.log(count / total), lowest)
        is_mark = not any(character.isalpha() for character in word)
        forms = [_SPACE + word, word] if is_mark or word in unspaced else [_SPACE + word]
        for form in forms:
            pieces[form] = max(pieces.get(form, score), score)
    if words:
        pieces.setdefault(_SPACE, lowest)


def _with_pieces(model: Any, pieces: Mapping[str, float]) -> Any:  # noqa: ANN401 - protobuf message
    """Return the model with these pieces after the special ones, best first."""
    changed = type(model)()
    changed.CopyFrom(model)
    del changed.pieces[len(_SPECIALS) :]
    for piece, score in sorted(pieces.items(), key=lambda item: (-item[1], item[0])):
        changed.pieces.add(piece=piece, score=score)
    changed.trainer_spec.vocab_size = len(changed.pieces)
    changed.trainer_spec.ClearField("input")
    changed.trainer_spec.ClearField("model_prefix")
    return changed


def _save(path: Path, folder: Path, max_length: int) -> PreTrainedTokenizerFast:
    tokenizer = tokenizer_from_pieces(path, max_length)
    expected = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": len(tokenizer) - 1}
    found = tokenizer.get_vocab()
    wrong = {name: found.get(name) for name, index in expected.items() if found.get(name) != index}
    if wrong:
        raise CheckpointError(f"ids {wrong} are not those of XLM-R's layout", path=path, allowed=expected.items())
    tokenizer.save_pretrained(str(folder))
    _remove_paths(folder / "tokenizer_config.json")
    return tokenizer


def _remove_paths(path: Path) -> None:
    """Remove the paths of this machine from the tokenizer's config."""
    config = json.loads(path.read_text(encoding="utf-8"))
    for key in ("vocab_file", "name_or_path", "tokenizer_file"):
        config.pop(key, None)
    path.write_text(json.dumps(config, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")
