"""What is being written and has not got its name yet: the folder of an artefact, and files beside their target.

Whoever takes over a stage takes away the folder of its former maker, who may only have slept. Libraries make a folder
that is missing anew: the writer therefore keeps its folder open, and compares it with the one that now has its name.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from adaptstilts.errors import TakenOverError
from adaptstilts.files import clear
from adaptstilts.store.process import SEPARATOR, Mark, here, is_alive


class Unfinished(contextlib.AbstractContextManager["Unfinished"]):
    """The folder of an artefact that is being written, as a context manager around the writing.

    Attributes:
        is_moved: Whether the folder has been moved to the artefact's place.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_moved = False
        self._handle: int | None = None

    def __enter__(self) -> Unfinished:
        """Open the folder."""
        try:
            with contextlib.suppress(PermissionError):  # systems that open no folders
                self._handle = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError as error:
            self.check(error)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Turn any error into `TakenOverError` if another process has taken the folder away, its likely cause.

        An error stays as it is if the whole store is gone, such as a disk that is no longer mounted.
        """
        try:
            is_known = isinstance(error, TakenOverError) or self.is_moved or not self.path.parent.is_dir()
            if isinstance(error, Exception) and not is_known:
                self.check(error)
        finally:
            if self._handle is not None:
                os.close(self._handle)

    def check(self, cause: Exception | None = None) -> None:
        """Raise `TakenOverError` if the folder is another one, or none, by now."""
        with contextlib.suppress(FileNotFoundError):
            found = self.path.stat()
            if self._handle is None or os.path.samestat(found, os.fstat(self._handle)):
                return
        problem = "another process has taken over this stage, since this one seemed dead"
        raise TakenOverError(problem, path=self.path) from cause


@contextlib.contextmanager
def beside(target: Path) -> Iterator[Path]:
    """Yield a path beside a target for what is to stand there; on leaving it becomes the target.

    If the block raises, nothing is kept; should this process be killed, the next one with this target removes it.

    Raises:
        OSError: If it cannot be moved to the target.
    """
    start = f".{target.name}{SEPARATOR}"
    for name in os.listdir(target.parent):  # noqa: PTH208 - only names count
        mark = Mark.parse(name.removeprefix(start)) if name.startswith(start) else None
        if mark is not None and is_alive(mark) is False:
            clear(target.with_name(name), ignore_errors=True)
    partial = target.with_name(f"{start}{here().text}")
    try:
        yield partial
        partial.replace(target)
    finally:
        clear(partial, ignore_errors=True)
