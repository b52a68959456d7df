"""Descriptions of tasks, as plain values and as a table."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any, overload

from adaptstilts.formatting import aligned, visible
from adaptstilts.tasks.registry import all_tasks, training_chain, training_task
from adaptstilts.tasks.spec import Task

_WIDEST = 44
_LEGEND = """\
phase: intermediate tasks are trained first, target tasks are evaluated; training tasks only serve to train a target
benchmark: xtreme is XTREME, xtreme_r is XTREME-R; -: in neither
kind: classify a text or a pair, tag words, extract an answer from a text, choose an answer, retrieve or match sentences
trains on: the task with the training set; a > b: trained on a, then on b; -: no training
languages: ISO 639-1 codes, of long lists their number first; after a plus sign those that XTREME-R adds
More about each task, such as labels, sources and licences: adaptstilts tasks --json (in Python: tasks().record)"""


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


class TaskTable(Sequence[Task]):
    """Tasks in order, which print as a table."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tuple(tasks)

    @property
    def record(self) -> list[dict[str, Any]]:
        """The tasks as plain values; see `summarise`."""
        return [summarise(task) for task in self]

    @overload
    def __getitem__(self, index: int) -> Task: ...

    @overload
    def __getitem__(self, index: slice) -> TaskTable: ...

    def __getitem__(self, index: int | slice) -> Task | TaskTable:
        return TaskTable(self._tasks[index]) if isinstance(index, slice) else self._tasks[index]

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks)

    def __repr__(self) -> str:
        return table(self)

    def _repr_html_(self) -> str:
        head, *rows = _rows(self)
        heads = "".join(f"<th>{html.escape(visible(cell))}</th>" for cell in head)
        lines = ("".join(f"<td>{html.escape(visible(cell))}</td>" for cell in row) for row in rows)
        legend = html.escape(_LEGEND).replace("\n", "<br>")
        return f"<table><tr>{heads}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table><p>{legend}</p>"


def tasks() -> TaskTable:
    """Return all tasks, the paper's intermediate ones first, registered ones last.

    Example:
        >>> [task.name for task in tasks() if task.kind.value == "retrieve"]
        ['bucc2018', 'tatoeba', 'tatoeba_r']
    """
    return TaskTable(all_tasks())


def table(tasks: Sequence[Task]) -> str:
    """Return a table of tasks for a terminal, one line each, with a legend of its columns below."""
    return "\n".join([*aligned(_rows(tasks), "<"), "", _LEGEND])


def _rows(tasks: Sequence[Task]) -> list[tuple[str, ...]]:
    """Return the cells of the table, its head first."""
    rows: list[tuple[str, ...]] = [("name", "phase", "benchmark", "kind", "metric", "trains on", "languages")]
    for task in tasks:
        chain = " > ".join(each.name for each in training_chain(task)) if task.trains else "-"
        benchmarks = " ".join(benchmark.value for benchmark in task.benchmarks) or "-"
        facts = (task.phase.value, benchmarks, task.kind.value, task.metric.value)
        rows.append((task.name, *facts, chain, _languages(task)))
    return rows


def _languages(task: Task) -> str:
    codes, more = " ".join(task.languages), " ".join(task.languages_r)
    if len(codes) > _WIDEST:
        added = f" + {len(task.languages_r)}" if more else ""
        return f"{len(task.languages)}{added}: {codes[:36]} ..."
    return f"{codes} + {more}" if more else codes
