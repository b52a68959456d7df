import pytest
from tokenizers_tiny import FAMILIES, save_tokenizer, special_ids, tiny


@pytest.mark.parametrize("family", FAMILIES)
def test_tiny_tokenizer_opens_from_its_folder_and_encodes_the_same(family, tmp_path):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(save_tokenizer(family, tmp_path)))
    texts = ("Die Ärztin schläft nicht, weil der Zug langsam ist.", "教师 打开了旧图书馆 नदी 1987")
    assert tokenizer.is_fast
    assert tokenizer(*texts)["input_ids"] == tiny(family)(*texts)["input_ids"]
    assert tokenizer(texts[0])["input_ids"] == tiny(family)(texts[0])["input_ids"]
    assert tokenizer.pad_token_id == special_ids(family)["pad_token_id"]
