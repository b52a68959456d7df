"""Registry of all tasks by name: those of the package, and those that are registered from outside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from adaptstilts.errors import AdaptstiltsError, ConfigError, problems_of, raise_all
from adaptstilts.languages import SOURCE_LANGUAGE, declare_language
from adaptstilts.suggestions import near_matches
from adaptstilts.tasks import beyond_xtreme, checklist, intermediate, xtreme, xtreme_r
from adaptstilts.tasks.entry_points import package_error, tasks_of_packages
from adaptstilts.tasks.files import problems_of_layouts
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.spec import (
    METRICS,
    BenchmarkName,
    Group,
    Kind,
    Metric,
    Phase,
    Split,
    Task,
    declared,
    declared_whole,
)

_OWN: dict[str, Task] = {
    task.name: task
    for tasks in (
        intermediate.TASKS,
        xtreme.TASKS,
        xtreme_r.TASKS,
        xtreme_r.TRAINING_TASKS,
        checklist.TASKS,
        beyond_xtreme.TASKS,
    )
    for task in tasks
}
"""Tasks of this package."""
_TASKS: dict[str, Task] = dict(_OWN)
TASKS_HINT = "See: adaptstilts tasks. A task of your own is known with --tasks-from FILE or, in Python, register_task"
"""What to do about a name that no task has."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")


def _declare_languages() -> None:
    for task in _OWN.values():
        for code in task.languages:
            declare_language(code)


_declare_languages()


def register(task: Task, *, replace: bool = False) -> None:
    """Add a task from outside the package, so that configurations can name it.

    It holds for this process and for the workers that a study starts from it. Registering an equal task again does
    nothing.

    Args:
        task: A task of a known kind; the tasks it names must be registered before it.
        replace: Whether it takes the place of another declaration that was registered under its name.

    Raises:
        ConfigError: If another task has its name, or it lacks what its kind needs.
        ProblemsError: For several such problems.
    """
    _require_task(task)
    known = _TASKS.get(task.name)
    if task == known and task.name not in _OWN:
        return
    raise_all(list(_problems(task, replace=replace)))
    _TASKS[task.name] = task


def _require_task(task: object) -> None:
    if not isinstance(task, Task):
        hint = "Those of a Python file: register_tasks_from(FILE). More: adaptstilts docs tasks."
        raise ConfigError(f"a value of type {type(task).__name__} is not a Task", key="task", hint=hint)


def adopt(tasks: Iterable[Task]) -> None:
    """Register the outside tasks of the process that started this one, in place of any that are here.

    That process has checked them. They may come in any order: one that was replaced can name one registered after it.

    Raises:
        ConfigError: If this version of the package has a task of its own under one of the names.
    """
    for task in tasks:
        if task.name in _OWN:
            raise ConfigError(
                f"there is a task '{task.name}' already", value=task.name, hint="Workers need the same package version."
            )
        for code in task.languages:
            declare_language(code)
        _TASKS[task.name] = task


def is_own(task: Task) -> bool:
    """Say whether a declaration is one of the package's own."""
    return any(task is own for own in _OWN.values())


def outside_tasks() -> tuple[Task, ...]:
    """Return the registered tasks that are not the package's own, in the order of registration."""
    _add_tasks_of_packages()
    return tuple(task for name, task in _TASKS.items() if name not in _OWN)


@contextmanager
def all_or_none() -> Iterator[None]:
    """Return a context that undoes every registration within it if it ends by an error."""
    _add_tasks_of_packages()  # once in a process, so not within the block
    before = dict(_TASKS)
    try:
        yield
    except BaseException:
        _TASKS.clear()
        _TASKS.update(before)
        raise


def broken_packages(missing: Sequence[str]) -> tuple[AdaptstiltsError, ...]:
    """Return one error for each fault of an installed package that may be why tasks are missing.

    A name that is like that of a known task is taken to be misspelt.
    """
    faults = _add_tasks_of_packages()
    unlike = [name for name in missing if not near_matches(name, _TASKS)]
    return faults if unlike else tuple(fault for fault in faults if fault.value in set(missing))


@cache
def _add_tasks_of_packages() -> tuple[AdaptstiltsError, ...]:
    """Register the tasks of installed packages when the registry is first asked; return their faults."""
    faults: list[AdaptstiltsError] = []
    for package, found in tasks_of_packages():
        if isinstance(found, ConfigError):
            faults.append(found)
            continue
        try:
            register(found)
        except AdaptstiltsError as error:
            faults += [package_error(package, str(problem), found.name) for problem in problems_of(error)]
    return tuple(faults)


def declaration_digest(task: Task) -> str:
    """Return the digest of a declaration for keys of stages.

    Of a task of the package it covers what decides results (`declared`), of any other the whole declaration, so that
    two tasks of one name never share a result.
    """
    return declared(task) if _OWN.get(task.name) == task else declared_whole(task)


def check_declaration(name: str, planned: str) -> None:
    """Check that the declaration of a task is the one whose digest counts in the keys of a plan.

    Raises:
        ConfigError: If the task was declared anew after the study was planned, or is another one in this worker.
    """
    if declaration_digest(get_task(name)) != planned:
        raise ConfigError(
            f"the declaration of '{name}' is not the one that the study was planned with",
            value=name,
            hint="Load the study again after a change of its tasks; workers need the same version of the package.",
        )


def _problems(task: Task, *, replace: bool) -> Iterator[AdaptstiltsError]:
    """Yield the reasons why a task cannot be registered."""
    name = task.name
    if name in _TASKS and (name in _OWN or not replace):
        hint = "Give the new one another name."
        if name not in _OWN:
            hint = "Give the new one another name or, in Python, register it with replace=True."
        yield ConfigError(f"there is a task '{name}' already", value=name, hint=hint)
    if not _NAME.fullmatch(name):
        yield ConfigError(f"'{name}' cannot name a task", allowed=["lower case letters, digits and underscores"])
    for role, other in (("train_task", task.train_task), ("after", task.after)):
        if other is not None and other not in _TASKS:
            yield ConfigError(f"'{other}', the {role} of '{name}', is not a task", value=other, allowed=_TASKS)
    if name in _TASKS and _is_circular(task):
        yield ConfigError(f"'{name}' would be trained on itself", value=name, hint="Correct its train_task or after.")
    if task.benchmarks and name not in _OWN:
        hint = "Leave benchmarks empty: their averages are over their own tasks."
        yield ConfigError(f"'{name}' is no task of {task.benchmarks[0].value}", key="benchmarks", hint=hint)
    yield from _problems_of_kind(task)
    yield from _problems_of_languages(task)
    yield from _problems_of_files(task)


def _is_circular(task: Task) -> bool:
    """Say whether a task leads back to itself by way of the tasks that it names, which only replacement can bring."""
    seen: set[str] = set()
    ahead = [task]
    while ahead:
        current = ahead.pop()
        named = {other for other in (current.train_task, current.after) if other in _TASKS} - seen
        if task.name in named:
            return True
        seen |= named
        ahead += [_TASKS[other] for other in named]
    return False


def _problems_of_kind(task: Task) -> Iterator[AdaptstiltsError]:
    name, facts, size = task.name, FACTS[task.kind], task.size
    if task.metric not in METRICS[task.kind]:
        allowed = [metric.value for metric in METRICS[task.kind]]
        problem = f"'{name}': a task of kind {task.kind.value} is not scored by {task.metric.value}"
        yield ConfigError(problem, key="metric", value=task.metric.value, allowed=allowed)
    if task.unanswerable and task.kind is not Kind.EXTRACT:
        yield ConfigError(f"'{name}': only tasks of kind extract have questions without an answer", key="unanswerable")
    has_labels = bool(task.labels or task.labels_from_data)
    if has_labels != facts.has_labels:
        needs = "needs label words" if facts.has_labels else "has no label words"
        yield ConfigError(f"'{name}': a task of kind {task.kind.value} {needs}", key="labels")
    yield from _problems_of_labels(task)
    if task.labels_from_data and size.tags < 1:
        yield ConfigError(f"'{name}' learns its tags from its data; give their number", key="size.tags")
    if facts.sequences is None and size.choices < 2:
        yield ConfigError(f"'{name}': a question has at least two choices", key="size.choices")
    if task.phase is Phase.TARGET and facts.has_candidates != (task.pool is not None):
        needs = "needs a pool of candidates" if facts.has_candidates else "has no pool of candidates"
        yield ConfigError(f"'{name}': a target of kind {task.kind.value} {needs}", key="pool")


def _problems_of_labels(task: Task) -> Iterator[AdaptstiltsError]:
    if task.labels and task.labels_from_data:
        problem = f"'{task.name}' gives label words and learns them from its data"
        yield ConfigError(problem, key="labels_from_data", hint="Leave one of the two out.")
    for label in dict.fromkeys(label for label in task.labels if task.labels.count(label) > 1):
        yield ConfigError(f"'{task.name}': '{label}' is given twice", key="labels", value=label)
    if len(task.labels) == 1:
        yield ConfigError(f"'{task.name}' has only one label word, '{task.labels[0]}'", key="labels", hint="Give two.")
    if task.labels and task.metric is Metric.ACCURACY_F1 and len(task.labels) != 2:
        problem = f"'{task.name}': accuracy_f1 is for two classes, not {len(task.labels)}"
        yield ConfigError(problem, key="metric", hint="The second label word is the positive class.")


def _problems_of_languages(task: Task) -> Iterator[AdaptstiltsError]:
    if not task.languages:
        yield ConfigError(f"'{task.name}' names no language", key="languages")
    every = task.languages + task.languages_r
    for code in dict.fromkeys(every):
        if every.count(code) > 1:
            yield ConfigError(f"'{task.name}': '{code}' is given twice", key="languages", value=code)
        try:
            declare_language(code)
        except ConfigError as error:
            yield error
    if task.trains and task.train_task is None and SOURCE_LANGUAGE not in task.languages:
        hint = "Add 'en', or name another task as train_task, or set trains=False."
        yield ConfigError(f"'{task.name}' is trained in English, which it lacks", key="languages", hint=hint)


def _problems_of_files(task: Task) -> Iterator[AdaptstiltsError]:
    name = task.name
    if task.trains and task.train_task is None and Split.TRAIN not in task.layouts:
        hint = "Add Split.TRAIN, or name another task as train_task, or set trains=False."
        yield ConfigError(f"'{name}' has no training files", key="layouts", hint=hint)
    if task.phase is Phase.TARGET and not {Split.DEV, Split.TEST} & set(task.layouts):
        yield ConfigError(f"'{name}' is a target without dev and test files", key="layouts")
    yield from problems_of_layouts(task)
    if task.folder and not _NAME.fullmatch(task.folder):
        allowed = ["lower case letters, digits and underscores"]
        yield ConfigError(f"'{name}': '{task.folder}' cannot be its folder", key="folder", allowed=allowed)


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
    _add_tasks_of_packages()
    return tuple(_TASKS.values())


def get_task(name: str) -> Task:
    """Return the task of a name.

    Raises:
        ConfigError: If there is none; the message suggests a near match.
        ProblemsError: If there is none, and a package that may have it could not be loaded.
    """
    if name not in _TASKS:
        _add_tasks_of_packages()
    if name not in _TASKS:
        unknown = ConfigError(f"'{name}' is not a task", value=name, allowed=_TASKS, hint=TASKS_HINT)
        raise_all([unknown, *broken_packages([name])])
    return _TASKS[name]


def training_task(task: Task) -> Task:
    """Return the task whose training and dev sets train a task: itself, or its ``train_task``."""
    return task if task.train_task is None else get_task(task.train_task)


def training_chain(task: Task) -> tuple[Task, ...]:
    """Return the tasks that a task is trained on, in order; its own training task is the last."""
    last = training_task(task)
    return (last,) if last.after is None else (*training_chain(get_task(last.after)), last)
