"""Descriptions of tasks, as plain values and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adaptstilts.formatting import aligned
from adaptstilts.tasks.registry import training_chain, training_task
from adaptstilts.tasks.spec import Task

_WIDEST = 44
_LEGEND = """\
phase: intermediate tasks are trained first, target tasks are evaluated; training tasks only serve to train a target
benchmark: xtreme is XTREME, xtreme_r is XTREME-R; -: in neither
kind: classify a text or a pair, tag words, extract an answer from a text, choose an answer, retrieve or match sentences
trains on: the task with the training set; a > b: trained on a, then on b; -: no training
languages: ISO 639-1 codes, of long lists their number first; after a plus sign those that XTREME-R adds
More about each task, such as labels, sources and licences: adaptstilts tasks --json"""


def summarise(task: Task) -> dict[str, Any]:
    """Describe a task as plain values.

    Returns:
        ``name``, ``title``, ``phase``, ``kind``, ``group``, ``metric``, ``labels``, ``languages``, ``languages_r``
        (those that XTREME-R adds), ``benchmarks``, ``trains_on`` (None where nothing is trained),
        ``trains_after`` (trained before that, or None), ``training_rows``, ``hub``, ``licence``, ``citation``.
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
        "trains_after": training_task(task).after if task.trains else None,
        "training_rows": task.rows,
        "hub": None if task.hub is None else task.hub.repository,
        "licence": task.licence,
        "citation": task.citation,
    }


def table(tasks: Sequence[Task]) -> str:
    """Return a table of tasks for a terminal, one line each, with a legend of its columns below."""
    rows = [("name", "phase", "benchmark", "kind", "metric", "trains on", "languages")]
    for task in tasks:
        chain = " > ".join(each.name for each in training_chain(task)) if task.trains else "-"
        benchmarks = " ".join(benchmark.value for benchmark in task.benchmarks) or "-"
        facts = (task.phase.value, benchmarks, task.kind.value, task.metric.value)
        rows.append((task.name, *facts, chain, _languages(task)))
    return "\n".join([*aligned(rows, "<"), "", _LEGEND])


def _languages(task: Task) -> str:
    codes, more = " ".join(task.languages), " ".join(task.languages_r)
    if len(codes) > _WIDEST:
        added = f" + {len(task.languages_r)}" if more else ""
        return f"{len(task.languages)}{added}: {codes[:36]} ..."
    return f"{codes} + {more}" if more else codes
