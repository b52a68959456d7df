"""Floating-point operations, parameters and saved tensors of a network, by formula. Free of torch.

A multiply-add is two operations, and matrix products are all that is counted, as in torch's FLOP counter and in Kaplan
et al. 2020. With width d, feed-forward width f, bottleneck width r, and N fused adapters, a token's forward pass in one
block takes

- 8 d^2 + 4 d f in the projections and the feed-forward, and 4 n d in attention over n tokens,
- 4 d r in each bottleneck,
- 2 (1 + 2 N) d^2 + 4 N d in an AdapterFusion as the `adapters` library computes it: a query, and keys and values of all
  N outputs (without value matrix: 2 (1 + N) d^2 + 4 N d).

The backward pass takes as much again for each operand that needs a gradient. Weights that are frozen need none. What
enters the lowest trained tensor needs none either: where adapters train, nothing below the first of them does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from adaptstilts.study.pricing.dimensions import BackboneShape
from adaptstilts.tasks.kinds import FACTS, KindFacts
from adaptstilts.tasks.spec import Kind

Trained = Literal["encoder", "adapter", "fusion", "nothing"]


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
        trained: The part that trains; its head does wherever anything does.
        adapter: Kind of the bottlenecks; None where there are none.
        bottleneck: Their inner width.
        frozen: Frozen bottlenecks at each place: below a new one, or fused.
        fusion: Kind of the fusion; None where there is none.
        head: Kind of task whose head it has; None for retrieval.
        outputs: Classes or tags.
    """

    trained: Trained
    adapter: str | None = None
    bottleneck: int = 0
    frozen: int = 0
    fusion: str | None = None
    head: Kind | None = None
    outputs: int = 0

    @property
    def has_own_adapter(self) -> bool:
        """Whether there is an adapter besides the frozen ones, whether it trains here or did."""
        return self.adapter is not None and self.fusion is None

    @property
    def places(self) -> int:
        """Places of a block that have bottlenecks: after attention too for ``double_seq_bn``."""
        return 0 if self.adapter is None else 2 if self.adapter == "double_seq_bn" else 1


def bottleneck_width(width: int, reduction_factor: float) -> int:
    """Return the inner width of a bottleneck, as the `adapters` library rounds it."""
    return max(1, int(width // reduction_factor))


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
    linear = tokens * (8.0 * shape.width**2 + 4.0 * shape.width * shape.inner)
    place = _place_forward(shape.width, build, tokens)
    head = _head_flops(shape.width, build, tokens)
    forward = run * (attention + linear + build.places * place) + head
    if build.trained == "nothing":
        return Flops(forward, 0.0)
    if build.trained == "encoder":
        return Flops(forward, 2.0 * forward)
    full = _place_backward(shape.width, build, tokens, is_lowest=False)
    upper = 2.0 * attention + linear + build.places * full
    # In the first block nothing below the first bottleneck has a gradient.
    lowest = _place_backward(shape.width, build, tokens, is_lowest=True)
    if build.places == 2:
        lowest += full + tokens * 4.0 * shape.width * shape.inner
    return Flops(forward, (run - 1) * upper + lowest + 2.0 * head)


def _place_forward(width: int, build: Build, tokens: float) -> float:
    bottlenecks = build.frozen + (1 if build.has_own_adapter else 0)
    found = bottlenecks * 4.0 * width * build.bottleneck
    if build.fusion is not None:
        projections = 1 + build.frozen * (2 if build.fusion == "dynamic" else 1)
        found += 2.0 * projections * width**2 + 4.0 * build.frozen * width
    return tokens * found


def _place_backward(width: int, build: Build, tokens: float, *, is_lowest: bool) -> float:
    """Gradients of the bottlenecks of one place; at the lowest one none for what enters it."""
    square, thin, count = 2.0 * width**2, 2.0 * width * build.bottleneck, build.frozen
    if build.fusion is None:
        own = 3.0 * thin if is_lowest else 4.0 * thin  # two for weights, one or two for inputs
        return tokens * (own + (0.0 if is_lowest else count * 2.0 * thin))
    has_values = build.fusion == "dynamic"
    projections = 1 + count * (2 if has_values else 1)
    inputs = 0.0 if is_lowest else projections * square + count * 2.0 * thin
    products = 2.0 * count * width * (3.0 if is_lowest and not has_values else 4.0)
    return tokens * (projections * square + inputs + products)


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
        adapter: Of one adapter, in all blocks.
        fusion: Of the fusion, in all blocks.
        head: Of the head.
        trained: Of the parts that train.
        total: Of everything.
    """

    encoder: int
    adapter: int
    fusion: int
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
    width, places = shape.width, shape.layers * build.places
    adapter = places * (2 * width * build.bottleneck + build.bottleneck + width)
    fusion = 0
    if build.fusion is not None:
        values = width * width if build.fusion == "dynamic" else 0  # the value matrix has no bias
        fusion = places * (2 * (width * width + width) + values)
    head = _head_parameters(width, build)
    bodies = {"encoder": shape.parameters, "adapter": adapter, "fusion": fusion, "nothing": 0}
    attached = (build.frozen + (1 if build.has_own_adapter else 0)) * adapter + fusion
    return Parameters(
        encoder=shape.parameters,
        adapter=adapter,
        fusion=fusion,
        head=head,
        trained=bodies[build.trained] + (head if build.trained != "nothing" else 0),
        total=shape.parameters + attached + head,
    )


def _head_parameters(width: int, build: Build) -> int:
    if build.head is None:
        return 0
    facts = FACTS[build.head]
    return (width + 1) * ((facts.head_layers - 1) * width + _last_width(width, build, facts))
