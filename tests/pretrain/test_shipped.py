"""The committed miniature is what its configuration says."""

import json

import pytest
from repository import ROOT

from adaptstilts.config.load import load
from adaptstilts.config.pretrain import PretrainSection
from adaptstilts.pretrain.pretrain import pretrain

FOLDER = ROOT / "checkpoints" / "mini"
MOST_BYTES = 6_000_000


def test_shipped_backbone_is_the_finished_run_of_its_configuration():
    lines = []
    report = pretrain(load(ROOT / "configs" / "pretrain_mini.yaml", (), PretrainSection), FOLDER, lines.append)
    assert report.is_finished
    assert "finished already" in lines[0]
    assert set(report.held_out) == {"de", "en", "es", "hi", "ru", "sw", "tr", "zh"}


def test_shipped_backbone_is_small_and_names_no_machine():
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    for path in files:
        if path.suffix in {".json", ".jsonl", ".md"}:
            assert "/tmp" not in path.read_text(encoding="utf-8"), path.name


def test_shipped_weights_fill_the_library_s_model_and_guess_a_word():
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    model, info = AutoModelForMaskedLM.from_pretrained(FOLDER, output_loading_info=True)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))["dtype"] == "float16"
    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    batch = tokenizer("The farmer <mask> the cow. </s> </s> Der Bauer fütterte die Kuh.", return_tensors="pt")
    scores = model.float().eval()(**batch).logits[0]
    place = batch.input_ids[0].tolist().index(tokenizer.mask_token_id)
    assert "▁fed" in tokenizer.convert_ids_to_tokens(scores[place].topk(5).indices.tolist())


@pytest.mark.parametrize(
    "word", ["▁teacher", "▁Lehrer", "▁maestro", "▁учитель", "▁öğretmen", "▁mwalimu", "▁शिक्षक", "老师"]
)
def test_words_of_the_mini_world_are_one_piece(word):
    from transformers import AutoTokenizer

    assert word in AutoTokenizer.from_pretrained(FOLDER).get_vocab()
