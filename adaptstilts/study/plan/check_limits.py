"""What a backbone can take, compared with what a plan asks of it, before anything is computed. Free of torch."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from pathlib import Path

from adaptstilts.config.recipes import PhaseName
from adaptstilts.config.schema import StudyConfig
from adaptstilts.encoding.features import ShortLength, short_lengths
from adaptstilts.errors import AdaptstiltsError, ConfigError, raise_all
from adaptstilts.models.backbone import read_config
from adaptstilts.study.plan.jobs import BackboneRef, PredictJob, TrainJob, job_of
from adaptstilts.study.plan.plan import Plan
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task, training_task
from adaptstilts.train.methods import METHODS

_OFFSET = 2
"""Positions that XLM-R keeps for padding: it counts from padding id + 1."""


def check_limits(config: StudyConfig, plan: Plan, backbone: BackboneRef) -> None:
    """Check lengths and layers of all stages.

    Args:
        config: The study.
        plan: Its plan.
        backbone: Its backbone; for a hub id only the lengths' lower ends can be checked.

    Raises:
        ConfigError: For one problem.
        ProblemsError: For several.
    """
    shape = read_config(Path(backbone.location)) if Path(backbone.location).is_dir() else {}
    positions, layers = shape.get("max_position_embeddings"), shape.get("num_hidden_layers")
    most = positions - _OFFSET if isinstance(positions, int) else None
    short: dict[tuple[str, ShortLength], dict[str, None]] = defaultdict(dict)
    long: dict[tuple[str, str, int], dict[str, None]] = defaultdict(dict)
    problems: dict[str, AdaptstiltsError] = {}
    intermediate = {source.key for stage in plan.stages for source in getattr(stage.job, "sources", ())}
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
        # A preset's layer is mapped to the backbone's depth, and a fitted one is found there.
        layer = retrieval.layer if retrieval is not None and retrieval.blocks is None else None
        if prediction is not None and isinstance(layers, int) and isinstance(layer, int) and layer > layers:
            problem = f"layer {layer} of a backbone with {layers} layers for {prediction.task}"
            allowed = (f"0 to {layers}",)
            hint = f"retrieval.overrides.{prediction.task}.layer stands over it."
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


def _key(config: StudyConfig, job: TrainJob | PredictJob, phase: PhaseName, name: str, *, retrieves: bool) -> str:
    """Return where a length of a stage is set, or would be: for its task, else for all tasks."""
    if retrieves:
        section, task, general = config.retrieval.overrides, job.task, "retrieval"
    else:
        section, task = getattr(config, phase).overrides, training_task(get_task(job.task)).name
        general = f"{phase}.{METHODS[job.method].family}"
    own = section.get(task)
    is_own = own is not None and getattr(own, name, None) is not None
    return f"{general.partition('.')[0]}.overrides.{task}.{name}" if is_own else f"{general}.{name}"
