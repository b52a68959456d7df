"""Words of tagged sentences are cut as inside running text, whatever the tokenizer does about spaces."""

import random

import pytest
from tokenizers_tiny import FAMILIES, LINES, tiny

from adaptstilts.encoding.encode import encode
from adaptstilts.encoding.features import EncodeSettings
from adaptstilts.encoding.subtokens import backend_of, frame_of
from adaptstilts.encoding.words import has_unspaced, lacks_prefix_space, tokenise_words
from adaptstilts.errors import CheckpointError
from adaptstilts.tasks.examples import TagExample
from adaptstilts.tasks.registry import get_task

UDPOS = get_task("udpos")
SPACED = [word for line in LINES for word in line.split() if not has_unspaced(word)]


def metaspace(scheme: str):
    """XLM-R's pieces, with the space before a text always, only before the first word, or never."""
    from tokenizers import Tokenizer, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer.from_str(tiny("xlm-roberta").backend_tokenizer.to_str())
    backend.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme=scheme)
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", pad_token="<pad>")


def byte_level(*, prefix_space: bool):
    from transformers import PreTrainedTokenizerFast

    backend = tiny("modernbert").backend_tokenizer
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="[PAD]", add_prefix_space=prefix_space)


TOKENIZERS = {
    **{family: lambda family=family: tiny(family) for family in FAMILIES},
    **{f"metaspace {scheme}": lambda scheme=scheme: metaspace(scheme) for scheme in ("always", "first", "never")},
    "byte level with prefix space": lambda: byte_level(prefix_space=True),
}


@pytest.mark.parametrize("name", TOKENIZERS)
def test_tagged_sentence_has_the_sub_tokens_of_its_running_text_after_other_text(name):
    tokenizer, rng = TOKENIZERS[name](), random.Random(4)
    frame = frame_of(tokenizer)
    before = len(tokenizer("a", add_special_tokens=False)["input_ids"])
    for _ in range(50):
        words = tuple(rng.choice(SPACED) for _ in range(rng.randint(1, 12)))
        encoded = encode(UDPOS, [TagExample("0", words, None)], tokenizer, EncodeSettings())
        running = tokenizer(" ".join(("a", *words)), add_special_tokens=False)["input_ids"][before:]
        row = list(encoded.features[0].input_ids)
        assert row == [*frame.opening, *running, *frame.closing]
        assert encoded.replaced == 0


@pytest.mark.parametrize("name", TOKENIZERS)
def test_prefix_space_is_lacking_only_where_pieces_hold_spaces_and_none_is_put_before_a_text(name):
    lacking = {"mmbert", "mmbert-two-openings", "modernbert", "metaspace never"}
    assert lacks_prefix_space(backend_of(TOKENIZERS[name]())) == (name in lacking)


@pytest.mark.parametrize("name", ["mmbert", "modernbert", "metaspace never"])
def test_words_in_scripts_without_spaces_are_cut_without_one(name):
    tokenizer = TOKENIZERS[name]()
    pieces = tokenise_words(tokenizer, ("老师", "。", "ที่"))
    assert {word: list(ids) for word, ids in pieces.items()} == {
        word: tokenizer(word, add_special_tokens=False)["input_ids"] for word in pieces
    }


def test_words_of_xlm_r_are_those_of_the_words_alone():
    tokenizer = tiny("xlm-roberta")
    pieces = tokenise_words(tokenizer, (*SPACED, "老师"))
    assert {word: list(ids) for word, ids in pieces.items()} == {
        word: tokenizer(word, add_special_tokens=False)["input_ids"] for word in pieces
    }


def test_word_that_cannot_be_encoded_is_refused_where_the_tokenizer_has_no_unknown_token():
    settings = EncodeSettings(max_length=16)
    with pytest.raises(CheckpointError, match="has no unknown token to stand for 'zzzzzzzz"):
        encode(UDPOS, [TagExample("0", ("z" * 60,), None)], byte_level(prefix_space=True), settings)
