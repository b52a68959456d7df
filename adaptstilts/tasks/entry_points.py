"""Tasks of installed packages: what the entry points of the group ``adaptstilts.tasks`` give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points

from adaptstilts.errors import ConfigError
from adaptstilts.tasks.spec import Task

GROUP = "adaptstilts.tasks"


def tasks_of_packages() -> Iterator[tuple[str, Task | ConfigError]]:
    """Yield the tasks of installed packages, or what is wrong with a package, each with the package's name.

    The value of an entry point is a task, several tasks, or a function that returns them.
    """
    for point in sorted(entry_points(group=GROUP), key=lambda point: (_package(point), point.name)):
        try:
            yield from ((_package(point), task) for task in _tasks(point.load()))
        except Exception as error:  # noqa: BLE001, PERF203 - whatever the package does wrong
            yield _package(point), package_error(_package(point), f"{type(error).__name__}: {error}", point.name)


def package_error(package: str, problem: str, name: str) -> ConfigError:
    """Return an error about the tasks of an installed package; ``name`` is that of the task or of the entry point."""
    return ConfigError(
        f"the tasks of the package '{package}' cannot be used: {problem}",
        key=GROUP,
        value=name,
        hint=f"Update the package or uninstall it: pip uninstall {package}",
    )


def _tasks(loaded: object) -> Iterable[Task]:
    found = loaded() if callable(loaded) else loaded
    several = [found] if isinstance(found, Task) else found
    if not isinstance(several, list | tuple) or not all(isinstance(task, Task) for task in several):
        raise TypeError(f"expected a Task, several, or a function that returns them, found {type(found).__name__}")
    return several


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.module
