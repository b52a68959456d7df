"""Tasks from a Python file: the task literals that it holds at its top level."""

from __future__ import annotations

import ast
from pathlib import Path
from types import CodeType

from adaptstilts.arguments import path_of
from adaptstilts.errors import AdaptstiltsError, ConfigError, problems_of, raise_all
from adaptstilts.files import read_bytes
from adaptstilts.formatting import system_reason
from adaptstilts.tasks.registry import all_or_none, is_own, register
from adaptstilts.tasks.spec import Task

_MOST_BYTES = 1 << 22
_HINT = "See docs/tasks.md for an example."


def register_from_file(path: Path | str, *, replace: bool = False) -> tuple[Task, ...]:
    """Execute a Python file and register the tasks that its top level names, in their order.

    Args:
        path: The file; it is executed as Python, so it must be one that can be trusted.
        replace: As in `adaptstilts.tasks.registry.register`.

    Returns:
        The tasks of the file; none is registered if one cannot be.

    Raises:
        ConfigError: If the file cannot be read or executed, holds no task, or one that cannot be registered.
        ProblemsError: For several problems of its tasks.
    """
    path = path_of("path", path)
    source = _read(path)
    tree, code = _compiled(source, path)
    problems: list[AdaptstiltsError] = []
    with all_or_none():  # a file may also register tasks itself
        named = _tasks(_executed(code, path))
        if not named:
            raise ConfigError("holds no task", path=path, hint=f"Write NAME = Task(...) at its top level. {_HINT}")
        lines = _lines(tree)
        first: dict[str, int | None] = {}
        for name, task in named.items():
            line = lines.get(name)
            if task.name in first:
                problems.append(_twice(task.name, path, first[task.name], line))
                continue
            first[task.name] = line
            try:
                register(task, replace=replace)
            except AdaptstiltsError as error:
                problems += [_placed(problem, path, line) for problem in problems_of(error)]
        raise_all(problems)
    return tuple(named.values())


def _read(path: Path) -> bytes:
    hint = f"Give a Python file with tasks. {_HINT}"
    try:
        return read_bytes(path, _MOST_BYTES, ConfigError, hint)
    except ValueError as error:
        raise ConfigError("no file can have this name", path=path, hint=hint) from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {system_reason(error)}", path=path, hint=hint) from error


def _compiled(source: bytes, path: Path) -> tuple[ast.Module, CodeType]:
    try:
        tree = ast.parse(source, str(path))
        return tree, compile(tree, str(path), "exec")
    except SyntaxError as error:
        raise ConfigError(f"not Python ({error.msg})", path=path, line=error.lineno, hint=_HINT) from error
    except ValueError as error:
        raise ConfigError(f"not Python ({error})", path=path, hint=_HINT) from error
    except (RecursionError, MemoryError) as error:  # thousands of brackets
        raise ConfigError("not Python (nested too deep)", path=path, hint=_HINT) from error


def _executed(code: CodeType, path: Path) -> dict[str, object]:
    """Return the names at the top level of a file after its execution."""
    names: dict[str, object] = {"__name__": path.stem, "__file__": str(path)}
    try:
        exec(code, names)
    except AdaptstiltsError as error:
        raise _placed(error, path, _line_in(error, path)) from error
    except (Exception, SystemExit) as error:  # whatever the file does wrong
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise ConfigError(text, path=path, line=_line_in(error, path), hint=_HINT) from error
    return names


def _tasks(names: dict[str, object]) -> dict[str, Task]:
    """Return the tasks by the first name that each has; those that the file imports from the package are left out."""
    found: dict[str, Task] = {}
    for name, value in names.items():
        if isinstance(value, Task) and value not in found.values() and not is_own(value):
            found[name] = value
    return found


def _twice(task: str, path: Path, first: int | None, line: int | None) -> ConfigError:
    """Return the error of a file with two tasks of one name, of which the first stands in the line ``first``."""
    place = "" if first is None else f" in line {first}"
    return ConfigError(
        f"'{task}' is the name of the task{place}, too", path=path, line=line, hint="Rename or remove one of the two."
    )


def _lines(tree: ast.Module) -> dict[str, int]:
    """Return the line in which each name of the top level is last assigned."""
    found: dict[str, int] = {}
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Name) and isinstance(statement.ctx, ast.Store):
            found[statement.id] = max(statement.lineno, found.get(statement.id, 0))
    return found


def _line_in(error: BaseException, path: Path) -> int | None:
    """Return the last line of the file that was being executed when an error was raised."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _placed(error: AdaptstiltsError, path: Path, line: int | None) -> AdaptstiltsError:
    """Name the file and the line in an error that names no file."""
    if error.path is None:
        error.path, error.line = path, line
    return error
