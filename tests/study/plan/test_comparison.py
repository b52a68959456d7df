import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from adaptstilts.config.schema import StudyConfig
from adaptstilts.results.setting import RunSetting
from adaptstilts.study.plan.comparison import run_setting


def config(backbone: str, **data: object) -> StudyConfig:
    return StudyConfig.model_validate({"name": "x", "backbone": backbone, "data": data})


def test_run_setting_holds_what_limits_the_rows():
    found = run_setting(config("mini", max_train=160, max_evaluation=20))
    assert found == RunSetting("mini", is_large=False, max_train=160, max_evaluation=20)


@pytest.mark.parametrize(
    ("name", "is_large"),
    [("FacebookAI/xlm-roberta-large", True), ("FacebookAI/xlm-roberta-base", False)],
)
def test_run_setting_judges_a_hub_id_by_its_name(name: str, is_large: bool):
    assert run_setting(config(name)).is_large is is_large


@pytest.mark.parametrize(("layers", "is_large"), [(24, True), (12, False)])
def test_run_setting_judges_a_folder_by_its_shape(tmp_path: Path, layers: int, is_large: bool):
    shape = {
        "model_type": "xlm-roberta", "hidden_size": 1024, "num_hidden_layers": layers, "vocab_size": 250002,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(shape), encoding="utf-8")
    save_file({"weight": np.zeros(1, dtype=np.float32)}, tmp_path / "model.safetensors")
    (tmp_path / "sentencepiece.bpe.model").write_bytes(b"{}")
    assert run_setting(config(str(tmp_path))).is_large is is_large


def test_run_setting_tells_the_layer_of_retrieval_targets():
    values = {"name": "x", "target": {"tasks": ["xnli", "tatoeba"]}, "retrieval": {"layer": 3, "pooling": "cls"}}
    found = run_setting(StudyConfig.model_validate(values)).retrieval
    assert list(found) == ["tatoeba"]
    assert "layer 3, vector of `<s>`, cosine" in found["tatoeba"]
