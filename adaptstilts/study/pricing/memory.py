"""Memory that a stage takes at its peak, and bytes that it writes, by formula. Free of torch.

Weights, gradients and AdamW's two moments are held in fp32 (4 bytes each), whatever precision the products have; in
half precision the blocks' weights are held once more in 2 bytes for the backward pass. What is saved for the backward
pass, per sub-token and block of width d and feed-forward width f, was counted on small models with torch's
scaled-dot-product attention:

- everything trains: 10 d + 2 f values in half precision, 16 d + 2 f in fp32;
- frozen below adapters: 7 d + f and 12 d + f;
- each adapter that AdapterFusion fuses adds 3 d and 4 d.

Of frozen weights that are spread over processes each holds its part; the copies in half precision are whole in each, as
the backward pass needs them, and so are for a moment the word vectors, before there is anything else to keep.

A batch is taken to be full of inputs of the greatest length, which happens: inputs of like length stand together.
"""

from __future__ import annotations

from dataclasses import dataclass

from adaptstilts.models.architecture import BackboneShape
from adaptstilts.study.pricing.devices import Arithmetic
from adaptstilts.study.pricing.flops import Build, Parameters, parameters
from adaptstilts.tasks.spec import Kind

_FLOAT = 4
_HALF = 2
_LOGIT_COPIES = 3
"""Scores, their softmax and its gradient."""
_SAFETENSORS_BYTES = 140
"""Header of one tensor in a safetensors file."""
_PICKLED_BYTES = 500
"""What torch.save adds to one tensor."""
_SETTINGS_BYTES = 2_000
"""Settings beside weights, and what the run says of itself."""


@dataclass(frozen=True)
class Memory:
    """Bytes a stage holds at its peak.

    Attributes:
        weights: Of everything, copies in half precision included.
        gradients: Of what trains.
        optimizer: AdamW's moments.
        activations: Saved for the backward pass, or live in a forward pass.
    """

    weights: float
    gradients: float
    optimizer: float
    activations: float

    @property
    def total(self) -> float:
        """All of it; the optimizer's own copies come when the activations are gone."""
        return self.weights + self.optimizer + self.gradients + max(self.activations, self.gradients)

    def times(self, count: int) -> Memory:
        """Return what several such processes hold together."""
        return Memory(count * self.weights, count * self.gradients, count * self.optimizer, count * self.activations)


def training_memory(
    shape: BackboneShape,
    build: Build,
    arithmetic: Arithmetic,
    *,
    sequences: float,
    tokens: int,
    checkpointing: bool = False,
    shards: int = 1,
) -> Memory:
    """Estimate the peak of a training run.

    Args:
        shape: The backbone.
        build: What is attached to it, and what trains.
        arithmetic: Of the forward and backward passes.
        sequences: Sequences of a micro-batch.
        tokens: Sub-tokens of each, padding included.
        checkpointing: Whether activations are recomputed block by block.
        shards: Processes over which the frozen weights are spread.

    Returns:
        Its parts, in one process.
    """
    counts = parameters(shape, build)
    size = _FLOAT if arithmetic == "fp32" else _HALF
    block = _saved_values(shape, build, arithmetic) * size
    blocks = block + shape.layers * shape.width * size if checkpointing else shape.layers * block
    logits = build.outputs * _LOGIT_COPIES * _FLOAT if build.head is Kind.TAG else 0
    activations = sequences * tokens * (blocks + logits)
    is_sharded = shards > 1 and build.trained != "encoder"
    return Memory(
        weights=_weights(shape, counts, arithmetic, shards if is_sharded else 1),
        gradients=_FLOAT * counts.trained,
        optimizer=2.0 * _FLOAT * counts.trained,
        activations=max(activations, _FLOAT * shape.vocabulary * shape.width) if is_sharded else activations,
    )


def prediction_memory(shape: BackboneShape, build: Build, arithmetic: Arithmetic, *, batch_tokens: int) -> Memory:
    """Estimate the peak of a prediction: the weights, and a few tensors of one block.

    Args:
        shape: The backbone.
        build: What is attached to it.
        arithmetic: Of the forward pass.
        batch_tokens: Sub-tokens of a batch.

    Returns:
        Its parts.
    """
    live = 2 * shape.inner + (8 + 2 * build.frozen) * shape.width
    size = _FLOAT if arithmetic == "fp32" else _HALF
    weights = _FLOAT * parameters(shape, build).total
    return Memory(float(weights), 0.0, 0.0, float(batch_tokens * live * size))


def _weights(shape: BackboneShape, counts: Parameters, arithmetic: Arithmetic, shards: int) -> float:
    frozen = counts.total - counts.trained
    copies = 0 if arithmetic == "fp32" else _HALF * (counts.total - shape.embedding_parameters)
    return float(_FLOAT * (counts.trained + frozen / shards) + copies)


def _saved_values(shape: BackboneShape, build: Build, arithmetic: Arithmetic) -> float:
    is_single = arithmetic == "fp32"
    if build.trained == "encoder":
        return (16 if is_single else 10) * shape.width + 2 * shape.inner
    attached = 0.0 if build.attached is None else build.attached.saved_values(shape, is_half=not is_single)
    return (12 if is_single else 7) * shape.width + shape.inner + attached


def written_bytes(shape: BackboneShape, build: Build) -> int:
    """Return the bytes of the artefact of a training run.

    Full models are written once as safetensors; adapters, fusions and heads also as the ``.bin`` that the `adapters`
    library reads.

    Args:
        shape: The backbone.
        build: What trained.

    Returns:
        Bytes, with the files' own overhead.
    """
    counts = parameters(shape, build)
    twice = _SAFETENSORS_BYTES + _PICKLED_BYTES
    head_tensors = 4 if build.head in {Kind.CLASSIFY, Kind.CHOOSE} else 2
    head = 2 * _FLOAT * counts.head + head_tensors * twice
    if build.attached is None:
        body = _FLOAT * counts.encoder + shape.tensors * _SAFETENSORS_BYTES
    else:
        body = 2 * _FLOAT * counts.attached + build.attached.own_tensors(shape) * twice
    return body + head + _SETTINGS_BYTES
