import json

import pytest
from tokenizers_tiny import save_tokenizer

from adaptstilts.encoding.subtokens import frame_of
from adaptstilts.errors import CheckpointError
from adaptstilts.models.backbone import load_tokenizer


@pytest.fixture
def deberta(tmp_path):
    return save_tokenizer("deberta-v2", tmp_path)


def set_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(("types", "has_types"), [(0, False), (1, False), (2, True)])
def test_token_types_are_made_only_if_the_encoder_tells_two_of_them_apart(deberta, types, has_types):
    set_config(deberta, type_vocab_size=types)
    assert frame_of(load_tokenizer(str(deberta))).has_types is has_types


def test_padding_id_of_the_encoder_that_is_not_the_tokenizers_is_refused_with_both(deberta):
    set_config(deberta, pad_token_id=3)
    message = (
        r"pad_token_id: the tokenizer's padding id is 0, the encoder's is 3\. Set pad_token_id in its config\.json"
    )
    with pytest.raises(CheckpointError, match=message):
        load_tokenizer(str(deberta))
