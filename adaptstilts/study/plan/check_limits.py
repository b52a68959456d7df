"""Checks of a plan against the limits of its backbone: input lengths, layers, pooling and precision. Free of torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from adaptstilts.config.recipes import PhaseName
from adaptstilts.config.retrieval import RetrievalSettings
from adaptstilts.config.schema import StudyConfig
from adaptstilts.encoding.features import ShortLength, short_lengths
from adaptstilts.errors import AdaptstiltsError, ConfigError, raise_all
from adaptstilts.formatting import number_text
from adaptstilts.models.architecture import Architecture, architecture_of
from adaptstilts.models.backbone import known_config
from adaptstilts.store.stage import Stage
from adaptstilts.study.plan.jobs import BackboneRef, PredictJob, TrainJob, intermediate_runs, job_of
from adaptstilts.study.plan.plan import Plan
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task, training_task
from adaptstilts.train.methods import METHODS


class BackboneLimits(NamedTuple):
    """What a backbone's config.json says of the inputs it takes.

    Attributes:
        architecture: Its table row.
        most: Sub-tokens it has positions for.
        layers: Its blocks.
    """

    architecture: Architecture | None = None
    most: int | None = None
    layers: int | None = None


def check_limits(config: StudyConfig, plan: Plan, backbone: BackboneLimits) -> None:
    """Check the input lengths, layers, pooling and precision of all stages.

    Raises:
        ConfigError: For one problem.
        ProblemsError: For several.
    """
    architecture, most, layers = backbone
    overflowing = architecture.model_type if architecture is not None and architecture.overflows_in_fp16 else None
    short: dict[tuple[str, ShortLength], dict[str, None]] = defaultdict(dict)
    long: dict[tuple[str, str, int], dict[str, None]] = defaultdict(dict)
    problems: dict[str, AdaptstiltsError] = {}
    intermediate = intermediate_runs(plan.stages)
    for stage in plan.stages:
        prediction = job_of(stage, PredictJob)
        job = job_of(stage, TrainJob) or (None if prediction is None or prediction.trained is not None else prediction)
        retrieval = None if prediction is None else prediction.retrieval
        if job is not None:
            phase: PhaseName = "intermediate" if stage.key in intermediate else "target"
            place = partial(_key, config, job, phase, retrieves=retrieval is not None)
            lengths, kind = job.lengths, get_task(job.task).kind
            for found in short_lengths(lengths, kind):
                short[place(found.key), found][job.task] = None
            for name, asked in (
                ("max_length", lengths.max_length),
                ("max_query_length", lengths.max_query_length if FACTS[kind].query == "own_row" else 0),
            ):
                if most is not None and asked > most:
                    long[place(name), name, asked][job.task] = None
        if overflowing and isinstance(job, TrainJob) and job.settings.precision == "fp16":
            problems.setdefault(f"fp16 {place('precision')}", _overflow(overflowing, place("precision")))
        if overflowing and prediction is not None and prediction.precision == "fp16":
            problems.setdefault("fp16 evaluation", _overflow(overflowing, "evaluation.precision"))
        if prediction is not None and architecture is not None and _lacks_first_token(architecture, retrieval):
            problems.setdefault(f"cls {prediction.task}", _no_first_token(architecture, config, prediction.task))
        # A preset's layer is mapped to the backbone's depth, and a fitted one is found there.
        layer = retrieval.layer if retrieval is not None and retrieval.blocks is None else None
        if prediction is not None and layers is not None and isinstance(layer, int) and layer > layers:
            problem = f"layer {layer} of a backbone with {number_text(layers, 'layer')} for {prediction.task}"
            allowed = (f"0 to {layers}",)
            hint = f"Set it lower, here or in retrieval.overrides.{prediction.task}.layer."
            problems.setdefault(problem, ConfigError(problem, key="retrieval.layer", allowed=allowed, hint=hint))
    too_long = [
        ConfigError(
            f"{asked} sub-tokens for {', '.join(tasks)} are more than the backbone's {most} positions",
            key=key,
            hint=f"Set a smaller {name}.",
        )
        for (key, name, asked), tasks in long.items()
    ]
    raise_all([*too_long, *(found.error(key, tasks) for (key, found), tasks in short.items()), *problems.values()])


def precision_settings(plan: Plan, stages: Sequence[Stage]) -> dict[str, str]:
    """Return the arithmetic that stages of a plan ask for, by its setting."""
    intermediate = intermediate_runs(plan.stages)
    found: dict[str, str] = {}
    for stage in stages:
        job = stage.job
        if isinstance(job, TrainJob):
            phase = "intermediate" if stage.key in intermediate else "target"
            found[f"{phase}.{METHODS[job.method].family}.precision"] = job.settings.precision
        elif isinstance(job, PredictJob):
            found["evaluation.precision"] = job.precision
    return found


def limits_of(backbone: BackboneRef) -> BackboneLimits:
    """Read the limits of a backbone; of one on the hub that is not in its cache they are not known.

    Only minimum lengths are checked against unknown limits; loading the backbone checks the rest.

    Raises:
        CheckpointError: If its config.json is refused.
    """
    config = known_config(backbone.location, backbone.revision)
    if config is None:
        return BackboneLimits()
    architecture = architecture_of(config, Path(backbone.location) / "config.json")
    layers = config.get(architecture.sizes["layers"])
    return BackboneLimits(architecture, architecture.longest(config), layers if isinstance(layers, int) else None)


def _lacks_first_token(architecture: Architecture, retrieval: RetrievalSettings | None) -> bool:
    return retrieval is not None and retrieval.pooling == "cls" and architecture.pooling != "first"


def _no_first_token(architecture: Architecture, config: StudyConfig, task: str) -> ConfigError:
    section, own = config.retrieval, config.retrieval.overrides.get(task)
    key = f"retrieval.overrides.{task}.pooling"
    is_preset = section.pooling is None and (own is None or own.pooling is None)
    if own is None or own.pooling is None:
        key = "retrieval.preset" if is_preset else "retrieval.pooling"
    allowed = ("mean", "mean_no_specials")
    return ConfigError(
        f"pooling cls for {task} takes the vector of a first token such as <s>, and tokenizers of "
        f"{architecture.model_type} put none before a text",
        key=key,
        value=section.preset if is_preset else "cls",
        allowed=() if is_preset else allowed,
        hint=f"Set retrieval.overrides.{task}.pooling to one of: {', '.join(allowed)}." if is_preset else None,
    )


def _overflow(model_type: str, key: str) -> ConfigError:
    return ConfigError(
        f"activations of {model_type} exceed the range of fp16", key=key, value="fp16", allowed=("auto", "bf16", "fp32")
    )


def _key(config: StudyConfig, job: TrainJob | PredictJob, phase: PhaseName, name: str, *, retrieves: bool) -> str:
    """Return the key by which a length of a stage is set or could be: the task's override, else the general one."""
    if retrieves:
        section, task, general = config.retrieval.overrides, job.task, "retrieval"
    else:
        section, task = getattr(config, phase).overrides, training_task(get_task(job.task)).name
        general = f"{phase}.{METHODS[job.method].family}"
    own = section.get(task)
    is_own = own is not None and getattr(own, name, None) is not None
    return f"{general.partition('.')[0]}.overrides.{task}.{name}" if is_own else f"{general}.{name}"
