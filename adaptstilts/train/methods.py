"""The tables of methods and of what they train: the one place that gives a method its meaning. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from adaptstilts.config.schema import Family, MethodName
from adaptstilts.models.attachments import Attachment
from adaptstilts.models.bottlenecks import ADAPTER, FUSION

Use = Literal["none", "start", "below", "fused"]
Group = Literal["full", "adapter"]


@dataclass(frozen=True)
class WeightFamily:
    """What a training run trains, beside the head.

    Attributes:
        name: Name in configurations; its training settings stand under it.
        attachment: What is attached to the frozen backbone and trains; None where the backbone trains.
        one: What people call it.
        many: The same in the plural.
        group: The group of result tables and price columns that it counts in.
        alone: The method that trains it from the backbone on one task, as intermediate runs do; empty where none can.
    """

    name: Family
    attachment: Attachment | None
    one: str
    many: str
    group: Group
    alone: str


FAMILIES: dict[str, WeightFamily] = {
    family.name: family
    for family in (
        WeightFamily("full", None, "full model", "full models", "full", "direct"),
        WeightFamily("adapter", ADAPTER, "adapter", "adapters", "adapter", "adapter"),
        WeightFamily("fusion", FUSION, "fusion", "fusions", "adapter", ""),
    )
}


@dataclass(frozen=True)
class Method:
    """One row of the table.

    Attributes:
        name: Name in configurations and tables.
        family: What it trains, and whose training settings apply.
        intermediate: Family of the intermediate runs it builds on; None where it uses none.
        use: What it does with them: nothing, start from one, put one frozen below, or fuse several frozen.
        identity: Whether a new adapter starts as the exact identity.
        says: One line for people.
        untrained: What its network is on a target without training data, for people.
        untrained_as: Method whose network is the same there.
    """

    name: MethodName
    family: Family
    intermediate: Family | None
    use: Use
    identity: bool
    says: str
    untrained: str
    untrained_as: MethodName

    @property
    def attachment(self) -> Attachment | None:
        """What it attaches to the frozen backbone and trains; None where it trains the backbone."""
        return FAMILIES[self.family].attachment

    @property
    def source_attachment(self) -> Attachment | None:
        """What its intermediate runs have trained; None for full models and where there are none."""
        return None if self.intermediate is None else FAMILIES[self.intermediate].attachment


_BACKBONE = "the backbone itself"
_WITH_ADAPTER = "the backbone with the intermediate adapter"

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("direct", "full", None, "none", False, "full model, target task only", _BACKBONE, "direct"),
        Method(
            "full", "full", "full", "start", False, "full model, intermediate then target",
            "the intermediate model itself", "full",
        ),
        Method("adapter", "adapter", None, "none", False, "target adapter on the frozen backbone", _BACKBONE, "direct"),
        Method(
            "stack", "adapter", "adapter", "below", True, "new adapter over the frozen one", _WITH_ADAPTER, "stack"
        ),
        Method(
            "continue", "adapter", "adapter", "start", False, "intermediate adapter goes on", _WITH_ADAPTER, "stack"
        ),
        Method(
            "fuse", "fusion", "adapter", "fused", False, "AdapterFusion over frozen adapters",
            "plain average of the adapters", "fuse",
        ),
    )
}  # fmt: skip
"""The six methods; the head trains in all. Intermediate runs are runs of `WeightFamily.alone`."""
