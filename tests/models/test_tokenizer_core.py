import json
import subprocess
import sys

import pytest
from tokenizers_tiny import FAMILIES, LINES, save_tokenizer, tiny

from adaptstilts.errors import CheckpointError
from adaptstilts.models.tokenizer_core import load_core


@pytest.mark.parametrize("family", FAMILIES)
def test_core_cuts_texts_as_the_tokenizer_does_and_knows_its_unknown_token(family, tmp_path):
    core = load_core(str(save_tokenizer(family, tmp_path)))
    expected = tiny(family)(LINES, add_special_tokens=False)["input_ids"]
    assert [item.ids for item in core.backend.encode_batch(LINES, add_special_tokens=False)] == expected
    assert core.unknown_id == tiny(family).unk_token_id


def test_core_of_bert_follows_its_tokenizer_config(tmp_path):
    path = save_tokenizer("bert", tmp_path) / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "do_lower_case": True}))
    core = load_core(str(tmp_path))
    assert core.backend.normalizer.normalize_str("Ä") == "a"


def test_core_of_xlm_r_needs_no_transformers(tmp_path):
    save_tokenizer("xlm-roberta", tmp_path)
    code = (
        "import sys; from adaptstilts.models.tokenizer_core import load_core; load_core(sys.argv[1]); "
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_core_of_a_broken_file_is_refused_with_its_path(tmp_path):
    (save_tokenizer("xlm-roberta", tmp_path) / "tokenizer.json").write_text('{"model": {"vocab": 3}}')
    with pytest.raises(
        CheckpointError, match=r"tokenizer\.json: model\.vocab: 3 is refused: it must be a list or an object"
    ):
        load_core(str(tmp_path))


def test_core_on_the_hub_is_taken_from_the_cache_only(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CheckpointError, match=r"nobody/tiny: its tokenizer is not in the hub's cache"):
        load_core("nobody/tiny")
    save_tokenizer("xlm-roberta", tmp_path / "models--nobody--tiny" / "snapshots" / ("0" * 40))
    assert load_core("nobody/tiny").unknown_id == tiny("xlm-roberta").unk_token_id
    with pytest.raises(CheckpointError, match="not in the hub's cache"):
        load_core("nobody/tiny", "v2")
