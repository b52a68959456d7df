"""A plan as a table: every stage, whether it is there, and what sharing saves."""

from __future__ import annotations

from collections import Counter
from typing import Any

from adaptstilts.config.schema import RetrievalSection
from adaptstilts.study.plan import Plan
from adaptstilts.study.retrieval import settings_line
from adaptstilts.study.stages import StageKind, TrainJob
from adaptstilts.study.store import Store
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind


def outline(plan: Plan, store: Store, retrieval: RetrievalSection) -> dict[str, Any]:
    """Describe a plan as plain values.

    Args:
        plan: The plan.
        store: Where finished artefacts are.
        retrieval: Retrieval section of the study.

    Returns:
        ``stages`` (name, kind, key, done, used_by), ``runs`` (training runs planned, and what loops over methods,
        sources, targets and seeds would have started without sharing), ``adapters`` (how many stages use each
        intermediate adapter), ``retrieval`` (the settings in effect for each retrieval target).
    """
    used = Counter(key for stage in plan.stages if stage.kind is not StageKind.ANALYSE for key in stage.inputs)
    stages = [
        {
            "name": stage.name,
            "kind": stage.kind.value,
            "key": stage.key,
            "done": store.find(stage) is not None,
            "used_by": used[stage.key],
        }
        for stage in plan.stages
    ]
    intermediate = {
        source.key for stage in plan.stages if isinstance(stage.job, TrainJob) for source in stage.job.sources
    }
    targets = [get_task(name) for name in dict.fromkeys(cell.target for cell in plan.cells)]
    shared = [{"name": stage.name, "used_by": used[stage.key]} for stage in plan.stages if stage.key in intermediate]
    return {
        "stages": stages,
        "training_runs": sum(stage.kind is StageKind.TRAIN for stage in plan.stages),
        "training_runs_without_sharing": plan.requested_runs,
        "shared_runs": shared,
        "cells": len(plan.cells),
        "retrieval": [settings_line(retrieval, task) for task in targets if task.kind is Kind.RETRIEVE],
    }


def outline_text(record: dict[str, Any]) -> str:
    """Return the outline for a terminal."""
    lines = [f"{'':2}{'stage':<60} {'kind':<8} {'used by':>7}"]
    for stage in record["stages"]:
        mark = "ok" if stage["done"] else "  "
        lines.append(f"{mark:2}{stage['name'][:60]:<60} {stage['kind']:<8} {stage['used_by']:>7}")
    done = sum(stage["done"] for stage in record["stages"])
    runs, naive = record["training_runs"], record["training_runs_without_sharing"]
    lines += [
        "",
        *record["retrieval"],
        f"{len(record['stages'])} stages, {done} of them finished, for {record['cells']} table cells",
        f"{runs} training runs; loops that share nothing would start {naive}",
    ]
    return "\n".join(lines)
