"""Tasks as plain values and as a table, for people and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adaptstilts.tasks.registry import training_task
from adaptstilts.tasks.spec import Task


def summarise(task: Task) -> dict[str, Any]:
    """Return what a user asks of a task, as plain values.

    Args:
        task: The task.

    Returns:
        ``name``, ``title``, ``phase``, ``kind``, ``group``, ``metric``, ``labels``, ``languages``, ``languages_r``
        (those that XTREME-R adds), ``benchmarks``, ``trains_on`` (None where nothing is trained), ``training_rows``,
        ``hub``, ``licence``, ``citation``.
    """
    return {
        "name": task.name,
        "title": task.title,
        "phase": task.phase.value,
        "kind": task.kind.value,
        "group": None if task.group is None else task.group.value,
        "metric": task.metric.value,
        "labels": list(task.labels),
        "languages": list(task.languages),
        "languages_r": list(task.languages_r),
        "benchmarks": [benchmark.value for benchmark in task.benchmarks],
        "trains_on": training_task(task).name if task.trains else None,
        "training_rows": task.rows,
        "hub": None if task.hub is None else task.hub.repository,
        "licence": task.licence,
        "citation": task.citation,
    }


def table(tasks: Sequence[Task]) -> str:
    """Return a table of tasks for a terminal, one line each."""
    lines = [f"{'name':<16}{'phase':<14}{'kind':<10}{'metric':<18}{'trains on':<11}languages"]
    for task in tasks:
        record = summarise(task)
        codes = " ".join(record["languages"])
        shown = codes if len(codes) <= 44 else f"{len(record['languages'])}: {codes[:36]} ..."
        lines.append(
            f"{task.name:<16}{task.phase.value:<14}{task.kind.value:<10}{task.metric.value:<18}"
            f"{record['trains_on'] or '-':<11}{shown}"
        )
    return "\n".join(lines)
