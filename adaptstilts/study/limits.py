"""What a backbone can take, compared with what a plan asks of it, before anything is computed. Free of torch."""

from __future__ import annotations

from pathlib import Path

from adaptstilts.errors import AdaptstiltsError, ConfigError, raise_all
from adaptstilts.models.backbone import read_config
from adaptstilts.study.plan import Plan
from adaptstilts.study.stages import PredictJob, Reference, TrainJob
from adaptstilts.tasks.features import EncodeSettings, check_settings
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind

_OFFSET = 2
"""Positions that XLM-R keeps for padding: it counts from padding id + 1."""


def check_limits(plan: Plan, backbone: Reference) -> None:
    """Check lengths and layers of all stages.

    Args:
        plan: The plan.
        backbone: Its backbone; for a hub id only the lengths' lower ends can be checked.

    Raises:
        ConfigError: For one problem.
        ProblemsError: For several.
    """
    config = read_config(Path(backbone.location)) if Path(backbone.location).is_dir() else {}
    positions, layers = config.get("max_position_embeddings"), config.get("num_hidden_layers")
    problems: dict[str, AdaptstiltsError] = {}
    for stage in plan.stages:
        job = stage.job
        if isinstance(job, TrainJob):
            length, stride, query = job.settings.max_length, job.settings.doc_stride, job.settings.max_query_length
        elif isinstance(job, PredictJob):
            length, stride, query = job.max_length, job.doc_stride, job.max_query_length
        else:
            continue
        kind = get_task(job.task).kind
        for key, asked in (("max_length", length), ("max_query_length", query if kind is Kind.MATCH else 0)):
            if isinstance(positions, int) and asked > positions - _OFFSET:
                most = positions - _OFFSET
                problem = f"{asked} sub-tokens for {job.task} are more than the backbone's {most} positions"
                problems.setdefault(problem, ConfigError(problem, key=key, hint=f"Set a smaller {key}."))
        try:
            check_settings(EncodeSettings(length, stride, query), kind)
        except ConfigError as error:
            problems.setdefault(str(error), error)
        retrieval = job.retrieval if isinstance(job, PredictJob) else None
        # A preset's layer is mapped to the backbone's depth, and a fitted one is found there.
        layer = retrieval.layer if retrieval is not None and retrieval.blocks is None else None
        if isinstance(layers, int) and isinstance(layer, int) and layer > layers:
            problem = f"layer {layer} of a backbone with {layers} layers for {job.task}"
            allowed = (f"0 to {layers}",)
            hint = f"retrieval.overrides.{job.task}.layer stands over it."
            problems.setdefault(problem, ConfigError(problem, key="retrieval.layer", allowed=allowed, hint=hint))
    raise_all(list(problems.values()))
