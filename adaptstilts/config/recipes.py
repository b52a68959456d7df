"""Recipes: training settings per task, used for whatever a configuration leaves open.

Sources. Full models: the run-configuration writer of jiant's XTREME guide, by the authors of X-STILTs (learning rate,
epochs, batch size, length per target task; simple-API defaults of 3 epochs and length 256 for intermediate tasks).
Adapters and fusion: the published run configurations of Poth et al. 2021 (efficient-task-transfer): learning rate 1e-4
(fusion 5e-5), up to 15 epochs, patience 4, no warm-up, no weight decay, lengths per task. Tasks that only train
XTREME-R's new targets: XTREME's scripts for xlm-roberta-large (train_xcopa.sh, train_lareqa.sh, train_mewslix.sh), of
which adapters take batch size and lengths.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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


_FULL = TrainSettings(
    learning_rate=1e-5, epochs=3, batch_size=32, max_length=256, warmup=0.1, weight_decay=0.01, patience=30
)
_ADAPTER = TrainSettings(
    learning_rate=1e-4, epochs=15, batch_size=32, max_length=128, warmup=0.0, weight_decay=0.0, patience=4
)

# Full models, by training task: (epochs, batch size, length) of the target phase in jiant's XTREME guide.
_FULL_TARGET: dict[str, tuple[int, int, int]] = {
    "mnli": (2, 32, 256),
    "pawsx": (5, 32, 256),
    "udpos": (10, 32, 256),
    "panx": (10, 32, 256),
    "squad1": (2, 16, 384),
    "tydiqa": (2, 16, 384),
}
_QUESTION_LENGTH = 384
# Adapters, by training task: (batch size, length) in Poth et al. 2021; tydiqa as their SQuAD.
_ADAPTER_TASK: dict[str, tuple[int, int]] = {
    "mnli": (32, 128),
    "squad1": (16, 384),
    "squad2": (16, 384),
    "tydiqa": (16, 384),
    "hellaswag": (16, 200),
    "cosmosqa": (16, 128),
    "commonsenseqa": (16, 80),
}


# Tasks that train XTREME-R's new targets: (learning rate, epochs, batch size, length) in XTREME's scripts, which use
# neither warm-up nor weight decay. The scripts of dual encoders take four micro-batches per step and compare a query
# with the candidates of its own micro-batch only. `accumulation: 4` does the same; without it each query has four times
# as many candidates.
_XTREME_R: dict[str, tuple[float, int, int, int]] = {
    "siqa": (3e-5, 5, 32, 128),
    "copa": (3e-5, 5, 32, 128),
    "squad_r": (2e-5, 3, 16, 256),
    "wikipairs": (1e-5, 2, 32, 64),
}
_QUERY_LENGTH: dict[str, int] = {"squad_r": 96, "wikipairs": 64}


def recipe(task: str, phase: PhaseName, family: Family) -> TrainSettings:
    """Return the recipe of a training task; its sources are in the module's docstring."""
    settings = _recipe(task, phase, family)
    return replace(settings, max_query_length=_QUERY_LENGTH[task]) if task in _QUERY_LENGTH else settings


def _recipe(task: str, phase: PhaseName, family: Family) -> TrainSettings:
    if family == "full":
        settings = _FULL
        if task in _XTREME_R:
            rate, epochs, batch_size, max_length = _XTREME_R[task]
            settings = replace(settings, learning_rate=rate, warmup=0.0, weight_decay=0.0)
            return replace(settings, epochs=epochs, batch_size=batch_size, max_length=max_length)
        if phase == "target" and task in _FULL_TARGET:
            epochs, batch_size, max_length = _FULL_TARGET[task]
            return replace(settings, epochs=epochs, batch_size=batch_size, max_length=max_length)
        return replace(settings, max_length=_QUESTION_LENGTH) if task in {"squad1", "squad2"} else settings
    settings = replace(_ADAPTER, learning_rate=5e-5) if family == "fusion" else _ADAPTER
    if task in _ADAPTER_TASK or task in _XTREME_R:
        batch_size, max_length = _ADAPTER_TASK[task] if task in _ADAPTER_TASK else _XTREME_R[task][2:]
        return replace(settings, batch_size=batch_size, max_length=max_length)
    return settings


def resolve(
    section: TrainSection,
    override: TrainOverride | None,
    *,
    task: str,
    phase: PhaseName,
    family: Family,
) -> TrainSettings:
    """Combine the recipe of a training task, the section of its phase and family, and the task's override.

    Where several give a value, the override wins over the section, and the section over the recipe.
    """
    chosen = {key: value for key, value in section.model_dump().items() if value is not None}
    explicit = section.model_fields_set
    for key in ("evaluate_examples",):  # null is a value here: all dev examples
        if key in explicit and getattr(section, key) is None:
            chosen[key] = None
    if override is not None:
        chosen.update({key: value for key, value in override.model_dump().items() if value is not None})
    return replace(recipe(task, phase, family), **chosen)
