from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from adaptstilts.evaluate.predict import Predicted
from adaptstilts.models.backbone import load_encoder
from adaptstilts.models.network import Assembly
from adaptstilts.study.stages import predict as stage
from adaptstilts.study.stages.examples import Examples
from adaptstilts.study.stages.predict import LastNetwork
from adaptstilts.tasks.spec import Kind, Split


def test_network_is_put_together_once_for_predictions_that_follow_each_other(tiny_encoder_folder: Path):
    loaded: list[str] = []

    def load(location: str, revision: str | None) -> object:
        loaded.append(location)
        return load_encoder(location, revision)

    networks = LastNetwork(torch.device("cpu"), load)
    assembly = Assembly(str(tiny_encoder_folder))
    first = networks.get(assembly)
    assert networks.get(Assembly(str(tiny_encoder_folder))) is first
    assert len(loaded) == 1
    assert not any(parameter.requires_grad for parameter in first.parameters())
    networks.get(Assembly(str(tiny_encoder_folder), "another revision"))
    assert networks.get(assembly) is not first
    assert len(loaded) == 3


def test_network_is_forgotten_when_its_memory_is_needed(tiny_encoder_folder: Path):
    networks = LastNetwork(torch.device("cpu"))
    first = networks.get(Assembly(str(tiny_encoder_folder)))
    networks.drop()
    assert networks.get(Assembly(str(tiny_encoder_folder))) is not first


def test_what_was_left_out_of_a_file_is_a_note_on_its_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for language, word in (("de", " "), ("fr", "Paris")):
        path = tmp_path / "panx" / f"test-{language}.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"Anna\tB-PER\n{word}\tO\n\n", encoding="utf-8")
    examples = Examples(tmp_path)
    monkeypatch.setattr(examples, "encoded", lambda *_, **__: None)
    monkeypatch.setattr(stage, "predict", lambda *_, **__: Predicted([], {}))
    nothing = dict.fromkeys(("max_evaluation", "backbone", "lengths", "batch_tokens", "precision"))
    job = SimpleNamespace(task="panx", languages=(("de", Split.TEST), ("fr", Split.TEST)), **nothing)
    results = stage._PREDICT[Kind.TAG](None, job, examples, tmp_path, lambda *_: None)
    assert [result.note for result in results] == ["panx: 1 blank word left out of test-de.tsv", ""]
