"""The table of methods: what each one trains and where its weights start. Free of torch, for planning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from adaptstilts.config.schema import Family

Part = Literal["encoder", "adapter", "fusion", "head"]
Use = Literal["none", "start", "below", "fused"]


@dataclass(frozen=True)
class Method:
    """One row of the table.

    Attributes:
        name: Name in configurations and tables.
        family: Whose training settings apply.
        intermediate: Family of the intermediate runs it builds on; None where it uses none.
        use: What it does with them: nothing, start from one, put one frozen below, or fuse several frozen.
        trains: The parts that train; everything else is frozen and checked to be.
        identity: Whether a new adapter starts as the exact identity.
        says: One line for people.
    """

    name: str
    family: Family
    intermediate: Family | None
    use: Use
    trains: tuple[Part, ...]
    identity: bool
    says: str


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("direct", "full", None, "none", ("encoder", "head"), False, "full model, target task only"),
        Method("full", "full", "full", "start", ("encoder", "head"), False, "full model, intermediate then target"),
        Method("adapter", "adapter", None, "none", ("adapter", "head"), False, "target adapter on the frozen backbone"),
        Method("stack", "adapter", "adapter", "below", ("adapter", "head"), True, "new adapter over the frozen one"),
        Method("continue", "adapter", "adapter", "start", ("adapter", "head"), False, "intermediate adapter goes on"),
        Method("fuse", "fusion", "adapter", "fused", ("fusion", "head"), False, "AdapterFusion over frozen adapters"),
    )
}
"""The six methods. An intermediate run is itself a `direct` or an `adapter` run, on the intermediate task."""


def target_adapter(task: str) -> str:
    """Return the name, inside a network, of the adapter that is trained on `task`; no task name is its prefix."""
    return f"target_{task}"


def fusion_name(task: str) -> str:
    """Return the name of the fusion layer trained on `task`; fusions over the same adapters need their own."""
    return f"fusion_{task}"
