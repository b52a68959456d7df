"""Formulas for the peak memory of a stage and the bytes it writes. Free of torch.

Weights, gradients and AdamW's two moments are held in fp32 (4 bytes each) at any precision of the products; in half
precision the blocks' weights are held once more in 2 bytes for the backward pass. The values saved for the backward
pass, per sub-token and block of width d and feed-forward width f, were counted on small models with torch's
scaled-dot-product attention:

- full model: 10 d + 2 f values in half precision, 16 d + 2 f in fp32;
- frozen blocks below adapters: 7 d + f in half precision, 12 d + f in fp32;
- each adapter under AdapterFusion: 3 d in half precision, 4 d in fp32, in addition;
- encoders without an attention kernel: the scores of every head, n of them per sub-token in a sequence of n, as often
  as `BackboneShape.kept_scores` says.

If frozen weights are sharded over processes, each process holds its part of them. Their copies in half precision are
whole in each process, since the backward pass needs them, and so are the word vectors for a moment at the start of a
step, when no activations are held yet.

Batches are assumed to be full of inputs of maximum length, which occurs because inputs of similar length are grouped.
"""

from __future__ import annotations

from dataclasses import dataclass

from adaptstilts.models.shape import BackboneShape
from adaptstilts.study.pricing.devices import Arithmetic
from adaptstilts.study.pricing.flops import Build, Parameters, parameters
from adaptstilts.tasks.kinds import FACTS

_FLOAT = 4
_HALF = 2
_LOGIT_COPIES = 3
"""Copies of the scores of taggers: scores, softmax and its gradient."""
_SAFETENSORS_BYTES = 140
"""Header of one tensor in a safetensors file."""
_PICKLED_BYTES = 500
"""Bytes that torch.save adds to one tensor."""
_SETTINGS_BYTES = 2_000
"""Bytes of the configuration files and the training record."""


@dataclass(frozen=True)
class Memory:
    """Peak memory of a stage in bytes, by part.

    Attributes:
        weights: All weights, including copies in half precision.
        gradients: Gradients of the parameters that train.
        optimizer: AdamW's moments.
        activations: Values saved for the backward pass, or live in a forward pass.
    """

    weights: float
    gradients: float
    optimizer: float
    activations: float

    @property
    def total(self) -> float:
        """Peak in bytes; AdamW's temporary copies, as large as the gradients, arise when the activations are freed."""
        return self.weights + self.optimizer + self.gradients + max(self.activations, self.gradients)

    def times(self, count: int) -> Memory:
        """Return the memory of several such processes together."""
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
    """Estimate the peak memory of one process in a training run.

    Args:
        arithmetic: Precision of the forward and backward passes.
        sequences: Sequences in a micro-batch.
        tokens: Sub-tokens in each sequence, padding included.
        checkpointing: Whether activations are recomputed block by block.
        shards: Number of processes over which the frozen weights are sharded.
    """
    counts = parameters(shape, build)
    size = _FLOAT if arithmetic == "fp32" else _HALF
    block = _saved_values(shape, build, arithmetic) * size + shape.kept_scores * shape.heads * tokens * size
    blocks = block + shape.layers * shape.width * size if checkpointing else shape.layers * block
    has_token_scores = build.head is not None and FACTS[build.head].labels_words
    logits = build.outputs * _LOGIT_COPIES * _FLOAT if has_token_scores else 0
    activations = sequences * tokens * (blocks + logits)
    is_sharded = shards > 1 and build.trained != "encoder"
    return Memory(
        weights=_weights(shape, counts, arithmetic, shards if is_sharded else 1),
        gradients=_FLOAT * counts.trained,
        optimizer=2.0 * _FLOAT * counts.trained,
        activations=max(activations, _FLOAT * shape.vocabulary * shape.width) if is_sharded else activations,
    )


def prediction_memory(shape: BackboneShape, build: Build, arithmetic: Arithmetic, *, batch_tokens: int) -> Memory:
    """Estimate the peak memory of a prediction: the weights, and a few tensors of one block.

    Args:
        arithmetic: Precision of the forward pass.
        batch_tokens: Sub-tokens in a batch, padding included.
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
        return (16 if is_single else 10) * shape.width + (2 + shape.kept_inner) * shape.inner
    attached = 0.0 if build.attached is None else build.attached.saved_values(shape, is_half=not is_single)
    return (12 if is_single else 7) * shape.width + shape.inner + attached


def written_bytes(shape: BackboneShape, build: Build) -> int:
    """Compute the bytes of a training run's artefact, including the overhead of the file formats.

    Full models are written once as safetensors; adapters, fusions and heads also as the ``.bin`` that the `adapters`
    library reads.
    """
    counts = parameters(shape, build)
    twice = _SAFETENSORS_BYTES + _PICKLED_BYTES
    head_tensors = 0 if build.head is None else 2 * FACTS[build.head].head_layers
    head = 2 * _FLOAT * counts.head + head_tensors * twice
    if build.attached is None:
        body = _FLOAT * counts.encoder + shape.tensors * _SAFETENSORS_BYTES
    else:
        body = 2 * _FLOAT * counts.attached + build.attached.own_tensors(shape) * twice
    return body + head + _SETTINGS_BYTES
