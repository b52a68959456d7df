import json
import unicodedata

import pytest

from adaptstilts.config.pretrain import VocabularySection
from adaptstilts.errors import ConfigError
from adaptstilts.pretrain.tokenizer import MODEL_FILE, alphabet, train_tokenizer

LINES = [
    "the cat sat on the mat", "the dog ran to the river", "a bird sang in the garden", "two cats drank cold milk",
    "кошка спала на ковре", "собака бежала к реке", "猫睡在地毯上", "狗跑到河边", "बिल्ली दूध पीती है",
    "der Hund schläft im Garten",
] * 3  # fmt: skip
WORDS = {"gardener": 3, "кошка": 5, "猫": 4, "。": 9, "ज़मीन": 2}
SETTINGS = VocabularySection(pieces=150, sample_lines=100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(LINES, SETTINGS, folder, whole_words=WORDS, unspaced_words=["猫"], max_length=62)
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def test_alphabet_holds_single_normalised_characters_without_han():
    letters = alphabet()
    assert len(letters) == len(set(letters))
    assert all(unicodedata.normalize("NFKC", letter) == letter for letter in letters)
    assert {"a", "ß", "ğ", "ж", "ώ", "ע", "ی", "क", "ம", "ก", "ა", "မ", "か"} <= set(letters)
    assert not any(unicodedata.name(letter, "").startswith(("CJK UNIFIED", "HANGUL")) for letter in letters)


def test_ids_follow_the_layout_of_xlm_r(tokenizer):
    ids = tokenizer.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>"])
    assert ids == [0, 1, 2, 3]
    assert tokenizer.mask_token_id == len(tokenizer) - 1
    assert tokenizer("the cat", "a dog").input_ids.count(2) == 3
    assert tokenizer.model_max_length == 62


def test_fast_and_slow_tokenizers_agree_on_every_script(folder, tokenizer):
    from transformers import XLMRobertaTokenizer

    slow = XLMRobertaTokenizer.from_pretrained(folder)
    assert len(slow) == len(tokenizer)
    texts = [*LINES, "Zwölf  Boxkämpfer", "ＡＢＣ ﬁ １２", "แมว 고양이 γάτα", "कहाँ ज़मीन", "<mask> x </s>", "¿ Qué ?"]
    assert [slow(text).input_ids for text in texts] == [tokenizer(text).input_ids for text in texts]


def test_whole_words_are_one_piece_with_and_without_space_where_they_need_it(tokenizer):
    assert tokenizer.tokenize("gardener кошка") == ["▁gardener", "▁кошка"]
    assert tokenizer.tokenize("猫。") == ["▁猫", "。"]
    assert "猫" in tokenizer.get_vocab()
    assert "gardener" not in tokenizer.get_vocab()


def test_letters_of_scripts_that_no_line_has_are_pieces(tokenizer):
    assert tokenizer.unk_token_id not in tokenizer("แมว γάτα ქათამი").input_ids
    assert tokenizer.unk_token_id in tokenizer("고양이").input_ids


def test_equal_input_gives_equal_files_without_a_path_of_this_machine(folder, tmp_path):
    train_tokenizer(LINES, SETTINGS, tmp_path, whole_words=WORDS, unspaced_words=["猫"], max_length=62)
    for name in (MODEL_FILE, "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name
        assert str(tmp_path).encode() not in (tmp_path / name).read_bytes()
    assert "vocab_file" not in json.loads((tmp_path / "tokenizer_config.json").read_text())


def test_training_names_the_setting_when_the_text_is_too_small(tmp_path):
    with pytest.raises(ConfigError, match=r"vocabulary\.pieces: SentencePiece cannot learn 100 pieces"):
        train_tokenizer([], VocabularySection(pieces=100), tmp_path)
