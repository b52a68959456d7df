"""All tasks by name."""

from __future__ import annotations

from adaptstilts.errors import ConfigError
from adaptstilts.tasks import checklist, intermediate, xtreme, xtreme_r
from adaptstilts.tasks.spec import BenchmarkName, Group, Task

_TASKS: dict[str, Task] = {
    task.name: task
    for tasks in (intermediate.TASKS, xtreme.TASKS, xtreme_r.TASKS, xtreme_r.TRAINING_TASKS, checklist.TASKS)
    for task in tasks
}


def intermediate_tasks() -> tuple[Task, ...]:
    """Return the intermediate tasks in the order of the paper's tables."""
    return intermediate.TASKS


def target_tasks() -> tuple[Task, ...]:
    """Return XTREME's nine target tasks in its order; for XTREME-R's see `benchmark_tasks`."""
    return xtreme.TASKS


def benchmark_tasks(benchmark: BenchmarkName) -> tuple[Task, ...]:
    """Return the target tasks of a benchmark, group by group."""
    found = [task for task in _TASKS.values() if benchmark in task.benchmarks]
    groups = list(Group)
    return tuple(sorted(found, key=lambda task: groups.index(task.group) if task.group else len(groups)))


def all_tasks() -> tuple[Task, ...]:
    """Return the intermediate tasks, XTREME's targets, XTREME-R's, what trains only these, and what is in none."""
    return tuple(_TASKS.values())


def get_task(name: str) -> Task:
    """Return one task.

    Args:
        name: Its name.

    Returns:
        The task.

    Raises:
        ConfigError: If there is none of that name; a near match is suggested.
    """
    if name not in _TASKS:
        lowered = name.lower()
        hint = f"Did you mean '{lowered}'?" if lowered in _TASKS else "See: adaptstilts tasks"
        raise ConfigError(f"'{name}' is not a task", value=lowered, allowed=_TASKS, hint=hint)
    return _TASKS[name]


def training_task(task: Task) -> Task:
    """Return the task on whose training and dev sets a task is trained.

    Args:
        task: Any task.

    Returns:
        Itself, or the task named by its ``train_task``.
    """
    return task if task.train_task is None else get_task(task.train_task)


def training_chain(task: Task) -> tuple[Task, ...]:
    """Return the tasks on which a task is trained, one after the other.

    Args:
        task: Any task that has training data.

    Returns:
        Its training task last, before it what that is trained after, and so on.
    """
    last = training_task(task)
    return (last,) if last.after is None else (*training_chain(get_task(last.after)), last)
