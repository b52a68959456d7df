"""Declarations of tasks, and the examples of each kind of task; called, the package lists all tasks."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adaptstilts.tasks.summary import TaskTable


class _CallablePackage(ModuleType):
    """This package as an object that can be called.

    ``adaptstilts.tasks`` is a function for users and this package for Python, which binds a package as an attribute of
    its parent whenever one of its modules is imported. A package that can be called is both, in any order of imports.
    """

    def __call__(self) -> TaskTable:
        """Return all tasks, the paper's intermediate ones first, registered ones last."""
        from adaptstilts.tasks.summary import tasks  # noqa: PLC0415 - the package's modules import the package

        return tasks()


sys.modules[__name__].__class__ = _CallablePackage
