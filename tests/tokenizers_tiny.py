"""Tiny fast tokenizers, one of each family, built in memory by the `tokenizers` library from a few sentences.

`save_tokenizer(family, folder)` writes one as `AutoTokenizer` opens it, beside a config.json of its model type.
"""

from __future__ import annotations

import functools
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

# Written for the tests: short sentences in five scripts, so that the pieces are whole words in some and single
# characters in others.
TEXT = """
The teacher opened the old library in the morning and read a long letter to the children.
Nobody knew where the river ended, but the farmer followed it for nine days.
Who bought the red bicycle in Berlin? Anna bought it from her friend on Friday.
The doctor did not sleep because the train was slow and the night was cold.
Is it true that the company sold its three boats in 1987? Yes, for 4,500 dollars.
Der Lehrer öffnete am Morgen die alte Bücherei und las den Kindern einen langen Brief vor.
Die Ärztin schläft nicht, weil der Zug langsam und die Nacht kalt ist.
Учитель открыл старую библиотеку утром и прочитал детям длинное письмо.
Никто не знал, где кончается река, но фермер шёл вдоль неё девять дней.
शिक्षक ने सुबह पुराना पुस्तकालय खोला और बच्चों को एक लंबा पत्र पढ़ा।
किसान नौ दिनों तक नदी के किनारे चलता रहा, पर नदी कहाँ समाप्त होती है यह किसी को नहीं पता था।
老师早上打开了旧图书馆，给孩子们读了一封很长的信。
没有人知道河流在哪里结束，但是农夫沿着河走了九天。
安娜星期五在北京从朋友那里买了一辆红色的自行车。
فتح المعلم المكتبة القديمة في الصباح وقرأ رسالة طويلة للأطفال.
"""
LINES = TEXT.strip().splitlines()
PIECES = 400
SPACE = "▁"


class Family(NamedTuple):
    """How a family's tokenizer is made, and the class that opens it."""

    model_type: str
    tokenizer_class: str
    build: Callable[[], Tokenizer]
    specials: dict[str, str]
    options: dict[str, object]


def _substrings(words: Iterable[str], longest: int = 6) -> list[tuple[str, int]]:
    """Substrings of words with their counts, all letters and the most frequent of the others.

    The library's unigram and WordPiece trainers give another vocabulary in each process.
    """
    counts: Counter[str] = Counter()
    for word in words:
        for start in range(len(word)):
            for end in range(start + 1, min(start + longest, len(word)) + 1):
                counts[word[start:end]] += 1
    ranked = sorted(counts.items(), key=lambda entry: (len(entry[0]) > 1, -entry[1] * len(entry[0]), entry[0]))
    return ranked[:PIECES]


def _unigram(specials: list[str], unknown: str) -> Tokenizer:
    """A unigram model with the special tokens first."""
    from tokenizers import Tokenizer, models

    found = _substrings(SPACE + word for line in LINES for word in line.split())
    total = sum(count for _, count in found)
    learnt = [(piece, math.log(count / total)) for piece, count in found]
    return Tokenizer(models.Unigram([*((name, 0.0) for name in specials), *learnt], unk_id=specials.index(unknown)))


def _framed(tokenizer: Tokenizer, single: str, pair: str, specials: list[str]) -> Tokenizer:
    from tokenizers import processors

    tokens = [(name, tokenizer.token_to_id(name)) for name in specials]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=tokens)
    return tokenizer


def _metaspace(tokenizer: Tokenizer) -> Tokenizer:
    from tokenizers import Regex, decoders, normalizers, pre_tokenizers

    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="always")
    return tokenizer


def _xlm_roberta() -> Tokenizer:
    tokenizer = _metaspace(_unigram(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], "<unk>"))
    return _framed(tokenizer, "<s> $A </s>", "<s> $A </s> </s> $B </s>", ["<s>", "</s>"])


def _deberta() -> Tokenizer:
    tokenizer = _metaspace(_unigram(["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"], "[UNK]"))
    return _framed(tokenizer, "[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", ["[CLS]", "[SEP]"])


def _t5() -> Tokenizer:
    tokenizer = _metaspace(_unigram(["<pad>", "</s>", "<unk>"], "<unk>"))
    return _framed(tokenizer, "$A </s>", "$A </s> $B </s>", ["</s>"])


def _wordpiece(*, lowercase: bool) -> Tokenizer:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=None)
    splitter = pre_tokenizers.BertPreTokenizer()
    texts = (normalizer.normalize_str(line) for line in LINES)
    found = _substrings(word for text in texts for word, _ in splitter.pre_tokenize_str(text))
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(piece for piece, _ in found)]
    pieces += [f"##{piece}" for piece, _ in found]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.WordPiece()
    return _framed(tokenizer, "[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", ["[CLS]", "[SEP]"])


def _gemma(*, second_opening: bool = False) -> Tokenizer:
    """Gemma's: byte-pair encoding of text whose spaces are ▁, none put before it; unknown letters become bytes."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    byte_pieces = [f"<0x{value:02X}>" for value in range(256)]
    learner = Tokenizer(models.BPE(unk_token="<unk>"))
    learner.normalizer = normalizers.Replace(" ", SPACE)
    # Gemma's own merges never cross a word boundary.
    learner.pre_tokenizer = pre_tokenizers.Split(SPACE, "merged_with_next")
    trainer = trainers.BpeTrainer(
        vocab_size=PIECES + 256, special_tokens=[*specials, *byte_pieces], show_progress=False
    )
    learner.train_from_iterator(LINES, trainer)
    learnt = json.loads(learner.to_str())["model"]
    merges = [tuple(merge) for merge in learnt["merges"]]
    model = models.BPE(learnt["vocab"], merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Replace(" ", SPACE)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()])
    pair = "<bos> $A <eos> <bos> $B <eos>" if second_opening else "<bos> $A <eos> $B <eos>"
    return _framed(tokenizer, "<bos> $A <eos>", pair, ["<bos>", "<eos>"])


def _byte_level(*, prefix_space: bool = False) -> Tokenizer:
    """ModernBERT's English one: byte-level byte-pair encoding."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    specials = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=PIECES,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return _framed(tokenizer, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]", ["[CLS]", "[SEP]"])


_BERT = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
_XLMR = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "cls": "<s>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}
_GEMMA = {
    "bos": "<bos>",
    "pad": "<pad>",
    "eos": "<eos>",
    "cls": "<bos>",
    "sep": "<eos>",
    "unk": "<unk>",
    "mask": "<mask>",
}
_T5 = {"pad": "<pad>", "eos": "</s>", "unk": "<unk>"}
_PLAIN = "PreTrainedTokenizerFast"
_NO_TYPES = {"model_input_names": ["input_ids", "attention_mask"]}

FAMILIES = {
    "xlm-roberta": Family("xlm-roberta", "XLMRobertaTokenizerFast", _xlm_roberta, _XLMR, {}),
    "xlm-roberta-xl": Family("xlm-roberta-xl", "XLMRobertaTokenizerFast", _xlm_roberta, _XLMR, {}),
    "bert": Family("bert", "BertTokenizerFast", functools.partial(_wordpiece, lowercase=False), _BERT,
                   {"do_lower_case": False}),
    "bert-uncased": Family("bert", "BertTokenizerFast", functools.partial(_wordpiece, lowercase=True), _BERT,
                           {"do_lower_case": True}),
    # multilingual-E5: a BERT with XLM-R's vocabulary.
    "bert-xlmr": Family("bert", "XLMRobertaTokenizerFast", _xlm_roberta, _XLMR, {}),
    "deberta-v2": Family("deberta-v2", "DebertaV2TokenizerFast", _deberta, _BERT, {}),
    "mt5": Family("mt5", "T5TokenizerFast", _t5, _T5, {"extra_ids": 0, "additional_special_tokens": []}),
    "umt5": Family("umt5", "T5TokenizerFast", _t5, _T5, {"extra_ids": 0, "additional_special_tokens": []}),
    # mmBERT: a ModernBERT with Gemma 2's vocabulary.
    "mmbert": Family("modernbert", _PLAIN, _gemma, _GEMMA, _NO_TYPES),
    "mmbert-two-openings": Family("modernbert", _PLAIN, functools.partial(_gemma, second_opening=True), _GEMMA,
                                  _NO_TYPES),
    "modernbert": Family("modernbert", _PLAIN, _byte_level, _BERT, _NO_TYPES),
}  # fmt: skip


@functools.cache
def tiny(family: str) -> PreTrainedTokenizerFast:
    """A family's tokenizer; shared, so not to be changed."""
    import transformers

    row = FAMILIES[family]
    names = {f"{name}_token": token for name, token in row.specials.items()}
    opening = getattr(transformers, row.tokenizer_class)
    return opening(tokenizer_object=row.build(), model_max_length=512, **names, **row.options)


def save_tokenizer(family: str, folder: Path) -> Path:
    """Write a family's tokenizer and the least of a config.json; return the folder."""
    tokenizer = tiny(family)
    tokenizer.save_pretrained(str(folder))
    config = {"model_type": FAMILIES[family].model_type, "vocab_size": len(tokenizer), **special_ids(family)}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def special_ids(family: str) -> dict[str, int]:
    """The ids of special tokens as a config.json names them, such as ``pad_token_id``."""
    tokenizer = tiny(family)
    names = [f"{name}_token_id" for name in ("pad", "bos", "eos", "cls", "sep")]
    return {name: getattr(tokenizer, name) for name in names if getattr(tokenizer, name) is not None}
