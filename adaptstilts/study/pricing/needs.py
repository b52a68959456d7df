"""What a stage takes of a machine: from its price to what the engine packs by."""

from __future__ import annotations

from collections.abc import Sequence

from adaptstilts.config.sweep import Variant
from adaptstilts.engine.resources import Needs, NeedsOf, computes
from adaptstilts.store.stage import Stage
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.pricing.cost import Pricing
from adaptstilts.study.pricing.devices import DEFAULT_DEVICE, DEFAULT_UTILISATION, get_device


def needs_of(variants: Sequence[Variant], plan: Plan) -> NeedsOf:
    """Return a function that tells what stages of a study take.

    Args:
        variants: All variants of the study.
        plan: Its plan.

    Returns:
        The function. Memory is that of a GPU with bf16, and 0 where the backbone's shape is not known.
    """
    pricing = Pricing(variants, plan, get_device(DEFAULT_DEVICE), DEFAULT_UTILISATION)

    def needs(stage: Stage) -> Needs:
        price = pricing.price(stage)
        memory = None if price is None else price.memory
        return Needs(computes(stage), 0 if memory is None else int(memory.total))

    return needs
