"""Training runs small enough to be interrupted, split and repeated in a test."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Any

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.encoding.features import IGNORED, Feature
from adaptstilts.tasks.spec import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from adaptstilts.models.network import TaskNetwork

METHODS = ("full", "adapter", "stack", "fuse")
SETTINGS = TrainSettings(
    learning_rate=5e-3,
    epochs=4,
    batch_size=8,
    max_length=32,
    warmup=0.2,
    weight_decay=0.1,
    patience=3,
    accumulation=2,
    evaluate_every=2,
    adam_epsilon=1e-4,
)
"""12 steps over 20 items, two micro-batches each, of which the last of an epoch are of two items."""


def items(kind: Kind = Kind.CLASSIFY, count: int = 20) -> list[Feature]:
    """Make items of 3 to 9 sub-tokens whose label can be learnt."""
    made = []
    for index in range(count):
        label, size = index % 2, 1 + index * 5 % 7
        ids = array("i", (0, *(10 + 50 * label + (index * 7 + place) % 50 for place in range(size)), 2))
        target: Any = array("i", (IGNORED, *[label] * size, IGNORED)) if kind is Kind.TAG else label
        rows = (ids, ids[:3]) if kind is Kind.MATCH else (ids,)
        made.append(Feature(rows, index if kind is Kind.MATCH else target, index))
    return made


def network(
    method: str, kind: Kind = Kind.CLASSIFY, *, dropout: float = 0.1, model_type: str | None = None
) -> TaskNetwork:
    """Build a network of two layers, 16 wide, of which what the method trains requires gradients.

    Its encoder is an XLM-R, or a small one of another type as `architectures` describes it.
    """
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    from adaptstilts.config.schema import AdapterSection, FusionSection
    from adaptstilts.models.adapters import AdapterHost, Composition
    from adaptstilts.models.heads import new_head, spec_for
    from adaptstilts.models.network import TaskNetwork

    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=120,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=40,
        type_vocab_size=1,
        initializer_range=0.2,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    if model_type is None:
        encoder: Any = XLMRobertaModel(config, add_pooling_layer=False)
    else:
        encoder = made_of_type(model_type)
    made = TaskNetwork(encoder, new_head(spec_for(kind, ("a", "b")), 16, dropout, seed=1), None)
    if method == "full":
        return made
    made.attached = AdapterHost(encoder)
    names = {"adapter": ("target_x",), "stack": ("low", "target_x"), "fuse": ("low", "other")}[method]
    for seed, name in enumerate(names):
        made.attached.add(name, AdapterSection(reduction_factor=4, dropout=dropout), seed=seed, identity=False)
    fusion = "fusion_x" if method == "fuse" else ""
    if fusion:
        made.attached.add_fusion(fusion, names, FusionSection(), seed=5)
    made.attached.activate(Composition(names, fusion))
    made.requires_grad_(False)
    made.attached.train_only([fusion or "target_x"])
    assert made.head is not None
    made.head.requires_grad_(True)
    return made


def made_of_type(model_type: str) -> Any:
    """Make a random encoder of a type, two layers, 16 wide."""
    import transformers
    from architectures import config_of

    from adaptstilts.models.architecture import ARCHITECTURES

    row = ARCHITECTURES[model_type]
    config = config_of(model_type, width=16, layers=2, vocabulary=120)
    for name, value in row.settings.items():
        setattr(config, name, value)
    return getattr(transformers, row.auto_class).from_config(config, attn_implementation=row.attention)


def penalty(made: TaskNetwork, method: str) -> Callable[[], Tensor] | None:
    """Return the regularisation of a fusion."""
    attached = made.attached
    return (lambda: 0.01 * attached.regularisation("fusion_x")) if method == "fuse" and attached is not None else None


def score(made: TaskNetwork) -> float:
    """Score the training items by their loss: rises at first, and falls when weights go astray."""
    import torch

    from adaptstilts.models.batches import collate
    from adaptstilts.train.losses import loss_sum

    assert made.head is not None
    batch = collate(items(made.head.spec.kind), made.head.spec.kind, 1)
    with torch.inference_mode():
        loss = float(loss_sum(made.head.spec.kind, batch.scores(made), batch.targets))  # type: ignore[arg-type]
    return -loss if math.isfinite(loss) else -math.inf
