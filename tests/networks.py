"""Small random networks as training sets them up, with the description that prices go by."""

from __future__ import annotations

from array import array
from pathlib import Path

import torch
from transformers import XLMRobertaConfig, XLMRobertaModel

from adaptstilts.config.schema import AdapterSection, FusionSection
from adaptstilts.encoding.features import Feature
from adaptstilts.models.adapters import AdapterHost
from adaptstilts.models.backbone import load_encoder
from adaptstilts.models.batches import collate
from adaptstilts.models.bottlenecks import ADAPTER
from adaptstilts.models.heads import spec_for
from adaptstilts.models.shape import BackboneShape
from adaptstilts.study.pricing.flops import Build
from adaptstilts.study.stages.weights import starting_assembly
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.losses import loss_sum
from adaptstilts.train.methods import METHODS
from adaptstilts.train.setup import build_network

METHOD_NAMES = ("direct", "full", "adapter", "stack", "continue", "fuse")
FUSED = ("qqp", "squad1", "ccg")
REDUCTION = 6
ROWS = 2
_TAGS = ("a", "b", "c")


def save_encoder(folder: Path, shape: BackboneShape) -> Path:
    """Save an encoder of a shape with random weights; return the folder."""
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.inner,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.segments,
    )
    XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def save_adapters(encoder: Path, folder: Path, kind: str = "seq_bn") -> list[tuple[str, Path]]:
    """Save a random adapter for each of `FUSED`; return (task, folder) of each."""
    host = AdapterHost(load_encoder(str(encoder)))
    made = [(task, folder / task) for task in FUSED]
    for task, place in made:
        host.add(task, AdapterSection(kind=kind, reduction_factor=REDUCTION), seed=1, identity=False)
        host.save(task, place)
    return made


def build_of(method, shape, head, *, adapter="seq_bn", fusion="dynamic"):
    """Describe what `network_of` makes."""
    row = METHODS[method]
    if row.family == "full":
        return Build("encoder", head=head, outputs=3)
    own = AdapterSection(kind=adapter, reduction_factor=REDUCTION)
    below = [ADAPTER.shape(own, shape.width, ())] * {"below": 1, "fused": len(FUSED)}.get(row.use, 0)
    section = FusionSection(kind=fusion) if row.use == "fused" else own
    return Build("attachment", row.attachment.shape(section, shape.width, below), head, 3)


def network_of(method, folder, adapters, head, *, adapter="seq_bn", fusion="dynamic"):
    """Set up the network of a training run; `full` starts from the bare encoder."""
    adapters = [] if method == "full" else adapters
    row = METHODS[method]
    count = {"below": 1, "fused": len(FUSED)}.get(row.use, 1 if method == "continue" else 0)
    section = (
        FusionSection(kind=fusion) if row.use == "fused" else AdapterSection(kind=adapter, reduction_factor=REDUCTION)
    )
    assembly = starting_assembly(row, "mnli", str(folder), sources=adapters[:count], section=section, seed=1)
    return build_network(row, assembly, task="mnli", head=spec_for(head, _TAGS), seed=1)


def batch_of(head: Kind, length: int):
    """Make a batch of two full sequences."""
    ids = [array("i", [5 + index % 40 for index in range(length)]) for _ in range(ROWS)]
    if head is Kind.CHOOSE:
        return collate([Feature(tuple(ids), 0, 0)], head, 1)
    target = {Kind.TAG: [1] * length, Kind.EXTRACT: (1, 2)}.get(head, 1)
    return collate([Feature((row,), target, index) for index, row in enumerate(ids)], head, 1)


def saved_bytes(network, head, length):
    """Bytes that autograd keeps for the backward pass, parameters not included."""
    batch = batch_of(head, length)
    own = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    network.train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = loss_sum(head, batch.scores(network), batch.targets)
    assert loss.requires_grad
    return sum(kept.values())
