"""Registry of all tasks by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from adaptstilts.errors import AdaptstiltsError, ConfigError, raise_all
from adaptstilts.tasks import checklist, intermediate, xtreme, xtreme_r
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.spec import BenchmarkName, Group, Phase, Task

_TASKS: dict[str, Task] = {
    task.name: task
    for tasks in (intermediate.TASKS, xtreme.TASKS, xtreme_r.TASKS, xtreme_r.TRAINING_TASKS, checklist.TASKS)
    for task in tasks
}
_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")


def register(task: Task) -> None:
    """Add a task, so that configurations can name it.

    The registration holds for this process alone: a process that reads a plan with the task must register it too.

    Args:
        task: A task of a known kind; the tasks it names must be registered before it.

    Raises:
        ConfigError: If another task has its name, or it lacks what its kind needs.
        ProblemsError: For several such problems.
    """
    raise_all(list(_problems(task)))
    _TASKS[task.name] = task


def _problems(task: Task) -> Iterator[AdaptstiltsError]:
    """Yield the reasons why a task cannot be registered."""
    name, facts, size = task.name, FACTS[task.kind], task.size
    if name in _TASKS:
        yield ConfigError(f"there is a task '{name}' already", value=name, hint="Give the new one another name.")
    if not _NAME.fullmatch(name):
        yield ConfigError(f"'{name}' cannot name a task", allowed=["lower case letters, digits and underscores"])
    for role, other in (("train_task", task.train_task), ("after", task.after)):
        if other is not None and other not in _TASKS:
            yield ConfigError(f"'{other}', the {role} of '{name}', is not a task", value=other, allowed=_TASKS)
    has_labels = bool(task.labels or task.labels_from_data)
    if has_labels != facts.has_labels:
        needs = "needs label words" if facts.has_labels else "has no label words"
        yield ConfigError(f"'{name}': a task of kind {task.kind.value} {needs}", key="labels")
    if task.labels_from_data and size.tags < 1:
        yield ConfigError(f"'{name}' learns its tags from its data; give their number", key="size.tags")
    if facts.sequences is None and size.choices < 2:
        yield ConfigError(f"'{name}': a question has at least two choices", key="size.choices")
    if task.phase is Phase.TARGET and facts.has_candidates != (task.pool is not None):
        needs = "needs a pool of candidates" if facts.has_candidates else "has no pool of candidates"
        yield ConfigError(f"'{name}': a target of kind {task.kind.value} {needs}", key="pool")


def intermediate_tasks() -> tuple[Task, ...]:
    """Return the paper's nine intermediate tasks in the order of its tables."""
    return intermediate.TASKS


def target_tasks() -> tuple[Task, ...]:
    """Return XTREME's nine target tasks in its order; for XTREME-R see `benchmark_tasks`."""
    return xtreme.TASKS


def benchmark_tasks(benchmark: BenchmarkName) -> tuple[Task, ...]:
    """Return the target tasks of a benchmark, group by group."""
    found = [task for task in _TASKS.values() if benchmark in task.benchmarks]
    groups = list(Group)
    return tuple(sorted(found, key=lambda task: groups.index(task.group) if task.group else len(groups)))


def all_tasks() -> tuple[Task, ...]:
    """Return all tasks: the paper's intermediate ones, targets, those that only train targets, registered ones last."""
    return tuple(_TASKS.values())


def get_task(name: str) -> Task:
    """Return the task of a name.

    Raises:
        ConfigError: If there is none; the message suggests a near match.
    """
    if name not in _TASKS:
        lowered = name.lower()
        hint = f"Did you mean '{lowered}'?" if lowered in _TASKS else "See: adaptstilts tasks"
        raise ConfigError(f"'{name}' is not a task", value=lowered, allowed=_TASKS, hint=hint)
    return _TASKS[name]


def training_task(task: Task) -> Task:
    """Return the task whose training and dev sets train a task: itself, or its ``train_task``."""
    return task if task.train_task is None else get_task(task.train_task)


def training_chain(task: Task) -> tuple[Task, ...]:
    """Return the tasks that a task is trained on, in order; its own training task is the last."""
    last = training_task(task)
    return (last,) if last.after is None else (*training_chain(get_task(last.after)), last)
