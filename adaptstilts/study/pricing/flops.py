"""Formulas for the floating-point operations and parameters of a network. Free of torch.

A multiply-add is two operations, and matrix products are all that is counted, as in torch's FLOP counter and in Kaplan
et al. 2020. With width d, attention width a (d in most encoders) and feed-forward width f, a token's forward pass in
one block takes 8 d a + 4 d f in the projections and the feed-forward (6 d f with a gate), and 4 n a in attention over n
tokens. DeBERTa also compares every token with r relative positions, twice, in 4 r a, and projects these once for a
batch, in 4 r d a. For attachments see `adaptstilts.models.bottlenecks`.

The backward pass takes the same number of operations again for each operand that needs a gradient. Frozen weights need
none, nor do the inputs of the lowest trained tensor: if only adapters train, nothing below the first of them does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from adaptstilts.models.attachments import AttachmentShape
from adaptstilts.models.shape import BackboneShape
from adaptstilts.tasks.kinds import FACTS, KindFacts
from adaptstilts.tasks.spec import Kind

Trained = Literal["encoder", "attachment", "nothing"]


@dataclass(frozen=True)
class Flops:
    """Operations of a forward and a backward pass; a multiply-add is two."""

    forward: float
    backward: float

    @property
    def step(self) -> float:
        """Operations of both passes together."""
        return self.forward + self.backward


@dataclass(frozen=True)
class Build:
    """Description of a network apart from its backbone: attachments, head, and what trains.

    Attributes:
        trained: The part that trains; the head trains with it.
        attached: Sizes of the attachments; None for a plain backbone.
        head: Kind of task that the head is for; None for retrieval.
        outputs: Number of classes or tags.
    """

    trained: Trained
    attached: AttachmentShape | None = None
    head: Kind | None = None
    outputs: int = 0

    @property
    def frozen(self) -> int:
        """Number of frozen adapters: below a new one, or fused."""
        return 0 if self.attached is None else self.attached.frozen


def sequence_flops(
    shape: BackboneShape, build: Build, tokens: float, blocks: int | None = None, *, batch: float = 1.0
) -> Flops:
    """Count the operations on one sequence; the backward pass takes none if nothing trains.

    Args:
        tokens: Sub-tokens in the sequence, padding included.
        blocks: Number of blocks that are run; None for all.
        batch: Sequences in a batch, which share what is computed once for it.
    """
    run = shape.layers if blocks is None else blocks
    attention, relative = shape.attention_flops(tokens), shape.relative_flops(tokens)
    linear = tokens * shape.linear_flops
    shared = shape.relative_projection_flops() / max(batch, 1.0)
    attached = 0.0 if build.attached is None else build.attached.forward_flops(shape, tokens)
    head = _head_flops(shape.width, build, tokens)
    forward = run * (attention + relative + shared + linear + attached) + head
    if build.trained == "encoder":
        return Flops(forward, 2.0 * forward)
    if build.trained == "nothing" or build.attached is None:
        return Flops(forward, 0.0)
    # Frozen relative positions need no gradient.
    upper = 2.0 * attention + relative + linear + build.attached.backward_flops(shape, tokens, is_lowest=False)
    # In the first block nothing below the first trained tensor needs a gradient.
    lowest = build.attached.backward_flops(shape, tokens, is_lowest=True)
    return Flops(forward, (run - 1) * upper + lowest + 2.0 * head)


def _head_flops(width: int, build: Build, tokens: float) -> float:
    """Count the forward operations of the head, on the first token or on all of them."""
    if build.head is None:
        return 0.0
    facts = FACTS[build.head]
    read = tokens if facts.scores_tokens else 1.0
    return read * ((facts.head_layers - 1) * 2.0 * width**2 + 2.0 * width * _last_width(width, build, facts))


def _last_width(width: int, build: Build, facts: KindFacts) -> int:
    """Return the output width of a head's last layer: its number of scores, or the width of a vector."""
    return (build.outputs if facts.outputs is None else facts.outputs) or width


@dataclass(frozen=True)
class Parameters:
    """Number of parameters of a network by part.

    Attributes:
        attached: Parameters of the top attachment, in all blocks; frozen ones below it count in the total only.
        trained: Parameters of the parts that train.
    """

    encoder: int
    attached: int
    head: int
    trained: int
    total: int


def parameters(shape: BackboneShape, build: Build) -> Parameters:
    """Count the parameters of a network exactly."""
    own, attached = 0, 0
    if build.attached is not None:
        own, attached = build.attached.own_parameters(shape), build.attached.parameters(shape)
    head = _head_parameters(shape.width, build)
    bodies = {"encoder": shape.parameters + head, "attachment": own + head, "nothing": 0}
    return Parameters(
        encoder=shape.parameters,
        attached=own,
        head=head,
        trained=bodies[build.trained],
        total=shape.parameters + attached + head,
    )


def _head_parameters(width: int, build: Build) -> int:
    if build.head is None:
        return 0
    facts = FACTS[build.head]
    return (width + 1) * ((facts.head_layers - 1) * width + _last_width(width, build, facts))
