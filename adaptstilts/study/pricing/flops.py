"""Floating-point operations, parameters and saved tensors of a network, by formula. Free of torch.

A multiply-add is two operations, and matrix products are all that is counted, as in torch's FLOP counter and in Kaplan
et al. 2020. With width d and feed-forward width f, a token's forward pass in one block takes 8 d^2 + 4 d f in the
projections and the feed-forward (6 d f with a gate), and 4 n d in attention over n tokens. What an attachment takes it
says itself; see `adaptstilts.models.bottlenecks`.

The backward pass takes as much again for each operand that needs a gradient. Weights that are frozen need none. What
enters the lowest trained tensor needs none either: where adapters train, nothing below the first of them does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from adaptstilts.models.architecture import BackboneShape
from adaptstilts.models.attachments import AttachmentShape
from adaptstilts.tasks.kinds import FACTS, KindFacts
from adaptstilts.tasks.spec import Kind

Trained = Literal["encoder", "attachment", "nothing"]


@dataclass(frozen=True)
class Flops:
    """Operations of one pass.

    Attributes:
        forward: Of the forward pass.
        backward: Of the backward pass.
    """

    forward: float
    backward: float

    @property
    def step(self) -> float:
        """Both."""
        return self.forward + self.backward


@dataclass(frozen=True)
class Build:
    """What a network is made of beside its backbone.

    Attributes:
        trained: What trains; the head does wherever anything does.
        attached: What is attached; None for a plain backbone.
        head: Kind of task whose head it has; None for retrieval.
        outputs: Classes or tags.
    """

    trained: Trained
    attached: AttachmentShape | None = None
    head: Kind | None = None
    outputs: int = 0

    @property
    def frozen(self) -> int:
        """Frozen adapters: below a new one, or fused."""
        return 0 if self.attached is None else self.attached.frozen


def sequence_flops(shape: BackboneShape, build: Build, tokens: float, blocks: int | None = None) -> Flops:
    """Count the operations of one sequence.

    Args:
        shape: The backbone.
        build: What is attached to it, and what trains.
        tokens: Sub-tokens of the sequence, padding included.
        blocks: Blocks that are run; None for all.

    Returns:
        Operations; the backward pass is none where nothing trains.
    """
    run = shape.layers if blocks is None else blocks
    attention = 4.0 * tokens * tokens * shape.width
    linear = tokens * (8.0 * shape.width**2 + shape.feed_forward_flops)
    attached = 0.0 if build.attached is None else build.attached.forward_flops(shape, tokens)
    head = _head_flops(shape.width, build, tokens)
    forward = run * (attention + linear + attached) + head
    if build.trained == "encoder":
        return Flops(forward, 2.0 * forward)
    if build.trained == "nothing" or build.attached is None:
        return Flops(forward, 0.0)
    upper = 2.0 * attention + linear + build.attached.backward_flops(shape, tokens, is_lowest=False)
    # In the first block nothing below the first trained tensor has a gradient.
    lowest = build.attached.backward_flops(shape, tokens, is_lowest=True)
    return Flops(forward, (run - 1) * upper + lowest + 2.0 * head)


def _head_flops(width: int, build: Build, tokens: float) -> float:
    """Operations of the head: on the first token, or on all of them."""
    if build.head is None:
        return 0.0
    facts = FACTS[build.head]
    read = tokens if facts.scores_tokens else 1.0
    return read * ((facts.head_layers - 1) * 2.0 * width**2 + 2.0 * width * _last_width(width, build, facts))


def _last_width(width: int, build: Build, facts: KindFacts) -> int:
    """Numbers that the last layer of a head gives: scores, or a vector."""
    return (build.outputs if facts.outputs is None else facts.outputs) or width


@dataclass(frozen=True)
class Parameters:
    """Parameters of a network by part.

    Attributes:
        encoder: Of the backbone.
        attached: Of the attachment on top, in all blocks.
        head: Of the head.
        trained: Of the parts that train.
        total: Of everything.
    """

    encoder: int
    attached: int
    head: int
    trained: int
    total: int


def parameters(shape: BackboneShape, build: Build) -> Parameters:
    """Count parameters, exactly.

    Args:
        shape: The backbone.
        build: What is attached to it, and what trains.

    Returns:
        The counts.
    """
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
