"""Rows of ids equal those that each family's own tokenizer makes, for one text and for two."""

import random

import numpy as np
import pytest
from tokenizers_tiny import FAMILIES, LINES, tiny

from adaptstilts.encoding.encode import encode
from adaptstilts.encoding.features import EncodeSettings
from adaptstilts.encoding.spans import NO_ANSWER
from adaptstilts.encoding.subtokens import Frame, frame_of
from adaptstilts.errors import CheckpointError
from adaptstilts.evaluate.decode import Window, answer_question
from adaptstilts.tasks.examples import Answer, PairExample, SpanExample, TagExample
from adaptstilts.tasks.registry import get_task

MNLI, XQUAD, UDPOS, SQUAD2 = (get_task(name) for name in ("mnli", "xquad", "udpos", "squad2"))
WORDS = [*(word for line in LINES for word in line.split()), "Zürich", "日本", "\u200b", "¿", "  ", "🙂"]
FRAMES = {
    "xlm-roberta": ("<s>", "</s> </s>", "</s>"),
    "xlm-roberta-xl": ("<s>", "</s> </s>", "</s>"),
    "bert": ("[CLS]", "[SEP]", "[SEP]"),
    "bert-uncased": ("[CLS]", "[SEP]", "[SEP]"),
    "bert-xlmr": ("<s>", "</s> </s>", "</s>"),
    "deberta-v2": ("[CLS]", "[SEP]", "[SEP]"),
    "mt5": ("", "</s>", "</s>"),
    "umt5": ("", "</s>", "</s>"),
    "mmbert": ("<bos>", "<eos>", "<eos>"),
    "mmbert-two-openings": ("<bos>", "<eos> <bos>", "<eos>"),
    "modernbert": ("[CLS]", "[SEP]", "[SEP]"),
}


def texts(rng: random.Random, count: int) -> list[str]:
    return [" ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 30))) for _ in range(count)]


def test_every_tiny_tokenizer_has_its_frame_here():
    assert FRAMES.keys() == FAMILIES.keys()


@pytest.mark.parametrize("family", FAMILIES)
def test_frame_is_the_one_that_the_family_is_known_for(family):
    tokenizer = tiny(family)
    frame = frame_of(tokenizer)
    parts = (frame.opening, frame.middle, frame.closing)
    assert tuple(" ".join(tokenizer.convert_ids_to_tokens(part)) for part in parts) == FRAMES[family]
    assert frame.has_types == (family in {"bert", "bert-uncased", "deberta-v2"})


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_and_token_types_of_texts_and_pairs_equal_those_of_the_tokenizer_whole_and_cut(family):
    tokenizer, rng = tiny(family), random.Random(7)
    firsts, seconds = texts(rng, 60), texts(rng, 60)
    for length in (16, 33, 512):
        settings = EncodeSettings(max_length=length)
        limits = {"truncation": "longest_first", "max_length": length, "return_token_type_ids": True}
        for second in (seconds, [None] * len(firsts)):
            pairs = [PairExample(str(row), *both, 0) for row, both in enumerate(zip(firsts, second, strict=True))]
            expected = [tokenizer(pair.first, pair.second, **limits) for pair in pairs]
            features = encode(MNLI, pairs, tokenizer, settings).features
            assert [list(feature.input_ids) for feature in features] == [one["input_ids"] for one in expected]
            if frame_of(tokenizer).has_types:
                types = [[int(at >= item.segments[0]) for at in range(item.size)] for item in features]
                assert types == [one["token_type_ids"] for one in expected]


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_and_their_absence_have_the_right_places_in_every_frame(family):
    context = "Die Ärztin schläft nicht, weil der Zug langsam ist."
    answers = (Answer("Zug", context.index("Zug")),)
    examples = [SpanExample("0", "Who?", context, answers), SpanExample("1", "Who?", context, ())]
    answered, unanswered = encode(XQUAD, examples, tiny(family), EncodeSettings(max_length=384)).features
    start, end = answered.target
    assert "Zug" in context[answered.offsets[start, 0] : answered.offsets[end, 1]]
    assert unanswered.target == NO_ANSWER
    assert answered.offsets[0].tolist() == [-1, -1]  # the place of "no answer" is never the context's
    logits = np.zeros(unanswered.size, dtype=np.float32)
    logits[0] = 9.0
    window = Window(start=logits, end=logits, offsets=unanswered.offsets)
    assert answer_question(context, [window], unanswerable=True).text == ""


def test_question_without_sub_tokens_leaves_the_place_of_no_answer_to_a_special_token():
    example = SpanExample("0", "", "Die Nacht", (Answer("Die", 0),))
    feature = encode(SQUAD2, [example], tiny("mt5"), EncodeSettings(max_length=384)).features[0]
    assert tiny("mt5").convert_ids_to_tokens(feature.input_ids[0]) == "</s>"
    assert feature.offsets[0].tolist() == [-1, -1]
    assert min(feature.target) >= feature.context_first == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_words_of_tagged_sentences_own_the_sub_tokens_between_the_special_tokens(family):
    tokenizer = tiny(family)
    feature = encode(UDPOS, [TagExample("0", ("Die", "Nacht"), (0, 1))], tokenizer, EncodeSettings()).features[0]
    frame = frame_of(tokenizer)
    inside = feature.words[len(frame.opening) : feature.size - len(frame.closing)]
    assert sorted(set(inside.tolist())) == [0, 1]
    assert (feature.words == -1).sum() == len(frame.opening) + len(frame.closing)


@pytest.mark.parametrize("family", FAMILIES)
def test_encoded_examples_say_how_many_special_tokens_stand_around_them(family):
    encoded = encode(MNLI, [PairExample("0", "Die Nacht", None, 0)], tiny(family), EncodeSettings())
    expected = [len(part.split()) for part in FRAMES[family][::2]]
    assert list(encoded.specials) == expected


def reframed(family: str, single: str, pair: str):
    """A tokenizer of the family with another post-processor."""
    from tokenizers import Tokenizer, processors
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer.from_str(tiny(family).backend_tokenizer.to_str())
    names = [name for name in ("<bos>", "<eos>") if name in single + pair]
    tokens = [(name, backend.token_to_id(name)) for name in names]
    backend.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=tokens)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>")
    tokenizer.name_or_path = "folder/odd"
    return tokenizer


def test_frame_without_closing_token_gives_every_word_its_sub_tokens():
    tokenizer = reframed("mmbert", "<bos> $A", "<bos> $A <bos> $B")
    assert frame_of(tokenizer) == Frame((2,), (2,), ())
    feature = encode(UDPOS, [TagExample("0", ("Die", "a"), (0, 1))], tokenizer, EncodeSettings()).features[0]
    assert feature.words[-1] == 1


@pytest.mark.parametrize(
    ("single", "pair", "problem"),
    [
        ("$A", "$A $B", "puts no token between two texts"),
        ("<bos> $A <eos>", "<bos> $B <eos> $A <eos>", "does not keep the order of two texts"),
        ("<bos> $A", "<bos> $A <eos> $B <eos>", "does not frame one text with the tokens that it puts around two"),
        ("<bos> $A", "<bos>:0 $A:0 <eos>:1 $B:1", r"token types \[0, 0, 1, 1\]"),
    ],
)
def test_frame_that_cannot_be_used_is_refused_with_the_reason(single, pair, problem):
    with pytest.raises(CheckpointError, match=rf"folder/odd: tokenizer PreTrainedTokenizerFast .*{problem}"):
        frame_of(reframed("mmbert", single, pair))
