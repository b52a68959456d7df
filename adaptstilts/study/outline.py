"""A plan as a table: every stage, whether it is there, and what sharing saves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from adaptstilts.study.plan import Plan
from adaptstilts.study.stages import StageKind, TrainJob
from adaptstilts.study.store import Store
from adaptstilts.study.variants import labels_of

_NAME_WIDTH = 60


def outline(plan: Plan, store: Store, retrieval: Sequence[str]) -> dict[str, Any]:
    """Describe a plan as plain values.

    Args:
        plan: The plan.
        store: Where finished artefacts are.
        retrieval: Settings in effect for each retrieval target, a line each.

    Returns:
        ``stages`` (name, kind, key, done, used_by), ``runs`` (training runs planned, and what loops over methods,
        sources, targets and seeds would have started without sharing), ``adapters`` (how many stages use each
        intermediate adapter), ``retrieval`` (the settings in effect for each retrieval target), and for a sweep
        ``variants`` (their labels).
    """
    done = store.present(plan.stages)
    used = Counter(key for stage in plan.stages for key in stage.inputs)
    labels = labels_of(plan)
    stages = [
        {
            "name": stage.name,
            "kind": stage.kind.value,
            "key": stage.key,
            "done": stage.key in done,
            "used_by": used[stage.key],
        }
        for stage in plan.stages
    ]
    intermediate = {
        source.key for stage in plan.stages if isinstance(stage.job, TrainJob) for source in stage.job.sources
    }
    shared = [{"name": stage.name, "used_by": used[stage.key]} for stage in plan.stages if stage.key in intermediate]
    return {
        "stages": stages,
        "training_runs": sum(stage.kind is StageKind.TRAIN for stage in plan.stages),
        "training_runs_without_sharing": plan.requested_runs,
        "shared_runs": shared,
        "cells": len(plan.cells),
        "retrieval": list(retrieval),
        **({"variants": list(labels)} if any(labels) else {}),
    }


def outline_text(record: dict[str, Any]) -> str:
    """Return the outline for a terminal."""
    # In a sweep the end of a name tells stages apart.
    names = record.get("variants", ())
    width = max([_NAME_WIDTH, *(len(stage["name"]) for stage in record["stages"] if names)])
    lines = [f"{'':2}{'stage':<{width}} {'kind':<8} {'used by':>7}"]
    for stage in record["stages"]:
        mark = "ok" if stage["done"] else "  "
        lines.append(f"{mark:2}{stage['name'][:width]:<{width}} {stage['kind']:<8} {stage['used_by']:>7}")
    done = sum(stage["done"] for stage in record["stages"])
    runs, naive = record["training_runs"], record["training_runs_without_sharing"]
    lines += [
        "",
        *record["retrieval"],
        f"{len(record['stages'])} stages, {done} of them finished, for {record['cells']} table cells",
        f"{runs} training runs; loops that share nothing would start {naive}",
    ]
    lines += [f"{len(names)} variants:", *(f"  {name}" for name in names)] if names else []
    return "\n".join(lines)
