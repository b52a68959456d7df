from pathlib import Path

import torch

from adaptstilts.models.backbone import load_encoder
from adaptstilts.models.network import Assembly
from adaptstilts.study.stages.predict import LastNetwork


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
