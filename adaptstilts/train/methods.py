"""Tables of transfer methods and of the families of weights they train. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from adaptstilts.config.schema import Family, MethodName
from adaptstilts.models.attachments import Attachment
from adaptstilts.models.bottlenecks import ADAPTER, FUSION

Use = Literal["none", "start", "below", "fused"]
GroupName = Literal["full", "adapter"]


@dataclass(frozen=True)
class ResultGroup:
    """A group of families whose results and prices are shown together.

    Attributes:
        name: Name in prices.
        plural: Name in reports.
        reference: Method without an intermediate task that the group's other methods are compared with.
    """

    name: GroupName
    plural: str
    reference: MethodName


RESULT_GROUPS: dict[str, ResultGroup] = {
    group.name: group
    for group in (ResultGroup("full", "full models", "direct"), ResultGroup("adapter", "adapters", "adapter"))
}


@dataclass(frozen=True)
class WeightFamily:
    """A family of weights that training runs train in addition to the head.

    Attributes:
        name: Name in configurations, and of the section with its training settings.
        attachment: Attachment to the frozen backbone that trains; None if the backbone itself trains.
        singular: Name of one in reports.
        plural: Name of several in reports.
        group: Group of result tables and price columns that it belongs to.
    """

    name: Family
    attachment: Attachment | None
    singular: str
    plural: str
    group: GroupName


FAMILIES: dict[Family, WeightFamily] = {
    family.name: family
    for family in (
        WeightFamily("full", None, "full model", "full models", "full"),
        WeightFamily("adapter", ADAPTER, "adapter", "adapters", "adapter"),
        WeightFamily("fusion", FUSION, "fusion", "fusions", "adapter"),
    )
}


def group_of(family: str) -> ResultGroup:
    """Return the group that a family's results are shown in."""
    return next(RESULT_GROUPS[row.group] for name, row in FAMILIES.items() if name == family)


@dataclass(frozen=True)
class Method:
    """A transfer method, as one row of the table.

    Attributes:
        name: Name in configurations and tables.
        family: Family of the weights it trains, whose training settings apply.
        intermediate: Family of the intermediate runs it builds on; None if it uses none.
        use: Use of the intermediate weights: ``none``, ``start`` from one, stack on one frozen ``below``, or train a
            fusion over several frozen ones (``fused``).
        identity: Whether a new adapter starts as the exact identity.
        summary: Description of one line, for tables and plans.
        untrained: Description of its network for a target without training data.
        untrained_as: Method that has the same network for such a target.
    """

    name: MethodName
    family: Family
    intermediate: Family | None
    use: Use
    identity: bool
    summary: str
    untrained: str
    untrained_as: MethodName

    @property
    def attachment(self) -> Attachment | None:
        """Attachment to the frozen backbone that it trains; None if it trains the backbone."""
        return FAMILIES[self.family].attachment

    @property
    def source_attachment(self) -> Attachment | None:
        """Attachment that its intermediate runs train; None for full models, or if it uses no intermediate runs."""
        return None if self.intermediate is None else FAMILIES[self.intermediate].attachment


_BACKBONE = "the backbone itself"
_WITH_ADAPTER = "the backbone with the intermediate adapter"

METHODS: dict[MethodName, Method] = {
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
            "continue", "adapter", "adapter", "start", False, "intermediate adapter, trained further",
            _WITH_ADAPTER, "stack",
        ),
        Method(
            "fuse", "fusion", "adapter", "fused", False, "AdapterFusion over frozen adapters",
            "plain average of the adapters", "fuse",
        ),
    )
}  # fmt: skip
"""Transfer methods by name; all of them train the head. Intermediate runs use a `single_task_method`."""


def single_task_method(family: Family) -> Method:
    """Return the method that trains a family on one task, starting from the backbone, as intermediate runs do.

    Raises:
        ValueError: If there is none, as for fusions.
    """
    for method in METHODS.values():
        if method.family == family and method.use == "none":
            return method
    raise ValueError(f"no method trains the family '{family}' on a single task")
