"""Recipes: the training settings of whatever a configuration leaves open, by family of weights and by task.

Sources, also of the recipes that tasks declare. Full models: the run-configuration writer of jiant's XTREME guide, by
the authors of X-STILTs (learning rate, epochs, batch size, length per target task; simple-API defaults of 3 epochs and
length 256 for intermediate tasks). Adapters and fusion: the published run configurations of Poth et al. 2021
(efficient-task-transfer): learning rate 1e-4 (fusion 5e-5), up to 15 epochs, patience 4, no warm-up, no weight decay,
batch size and length per task. The tasks that train only XTREME-R's new targets: XTREME's scripts for xlm-roberta-large
(train_xcopa.sh, train_lareqa.sh, train_mewslix.sh); of these, adapters take batch size and lengths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Literal

from adaptstilts.config.schema import Family, TrainOverride, TrainSection

PhaseName = Literal["intermediate", "target"]


@dataclass(frozen=True)
class TrainSettings:
    """Complete settings of one training run, with no value left open; fields as in `TrainSection`."""

    learning_rate: float
    epochs: int
    batch_size: int
    max_length: int
    warmup: float
    weight_decay: float
    patience: int | None
    max_steps: int | None = None
    doc_stride: int = 128
    max_query_length: int = 64
    accumulation: int = 1
    adam_epsilon: float = 1e-8
    clip_norm: float = 1.0
    evaluate_every: int | None = None
    evaluate_examples: int | None = 500
    precision: str = "auto"
    gradient_checkpointing: bool = field(default=False, metadata={"key": False})  # changes memory and time only

    def steps(self, examples: int) -> int:
        """Return the optimiser steps of a run over so many examples, unless patience ends it earlier."""
        steps = self.epochs * math.ceil(examples / self.batch_size)
        return steps if self.max_steps is None else min(steps, self.max_steps)


_FULL = TrainSettings(
    learning_rate=1e-5, epochs=3, batch_size=32, max_length=256, warmup=0.1, weight_decay=0.01, patience=30
)
_ADAPTER = TrainSettings(
    learning_rate=1e-4, epochs=15, batch_size=32, max_length=128, warmup=0.0, weight_decay=0.0, patience=4
)
_SETTINGS: dict[Family, TrainSettings] = {
    "full": _FULL,
    "adapter": _ADAPTER,
    "fusion": replace(_ADAPTER, learning_rate=5e-5),
}
"""Settings of each family for tasks that change nothing."""


@dataclass(frozen=True)
class PartialSettings:
    """Settings that a task does not train with as others of its family do; None where it does. See `TrainSettings`."""

    learning_rate: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    max_length: int | None = None
    max_query_length: int | None = None
    warmup: float | None = None
    weight_decay: float | None = None


@dataclass(frozen=True)
class Recipe:
    """How a task is trained where a configuration says nothing; sources in the module's docstring.

    Attributes:
        full: Settings of full models.
        full_target: Settings of full models in the target phase, which override ``full``.
        adapter: Settings of adapters and fusions.
    """

    full: PartialSettings = PartialSettings()
    full_target: PartialSettings = PartialSettings()
    adapter: PartialSettings = PartialSettings()

    def settings(self, phase: PhaseName, family: Family) -> TrainSettings:
        """Return complete settings.

        Args:
            phase: Phase in which the task is trained.
            family: What is trained.
        """
        changes: dict[Family, tuple[PartialSettings, ...]] = {
            "full": (self.full, self.full_target) if phase == "target" else (self.full,),
            "adapter": (self.adapter,),
            "fusion": (self.adapter,),
        }
        return reduce(_with, changes[family], _SETTINGS[family])


def _with(settings: TrainSettings, step: PartialSettings) -> TrainSettings:
    return replace(settings, **{name: value for name, value in vars(step).items() if value is not None})


def resolve(
    section: TrainSection,
    override: TrainOverride | None,
    *,
    recipe: Recipe,
    phase: PhaseName,
    family: Family,
) -> TrainSettings:
    """Combine the recipe of a training task, the section of its phase and family, and the task's override.

    Args:
        section: Settings of the phase for this family.
        override: Settings of this task, if any.
        recipe: Recipe of the training task.
        phase: Phase in which it is trained.
        family: What is trained.

    Returns:
        Settings with nothing left open.
    """
    chosen = {key: value for key, value in section.model_dump().items() if value is not None}
    explicit = section.model_fields_set
    for key in ("evaluate_examples",):  # null is a value here: all dev examples
        if key in explicit and getattr(section, key) is None:
            chosen[key] = None
    if override is not None:
        chosen.update({key: value for key, value in override.model_dump().items() if value is not None})
    return replace(recipe.settings(phase, family), **chosen)
