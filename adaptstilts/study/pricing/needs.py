"""Resources that each stage of a study needs, estimated from its price, for the engine's scheduling."""

from __future__ import annotations

from collections.abc import Sequence

from adaptstilts.config.sweep import Variant
from adaptstilts.engine.resources import Needs, NeedsOf, computes
from adaptstilts.store.stage import Stage
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.pricing.cost import Pricing
from adaptstilts.study.pricing.devices import DEFAULT_DEVICE, DEFAULT_UTILISATION, get_device


def needs_of(variants: Sequence[Variant], plan: Plan) -> NeedsOf:
    """Return a function that estimates the resources of a study's stages.

    Returns:
        Function from a stage to its needs. Memory is in bytes, for a GPU with bf16; 0 if the backbone's shape is
        unknown.
    """
    pricing = Pricing(variants, plan, get_device(DEFAULT_DEVICE), DEFAULT_UTILISATION)

    def needs(stage: Stage) -> Needs:
        price = pricing.price(stage)
        memory = None if price is None else price.memory
        return Needs(computes(stage), 0 if memory is None else int(memory.total))

    return needs
