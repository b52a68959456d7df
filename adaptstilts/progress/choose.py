"""Choice of the place where progress is shown: the terminal, a notebook, or nowhere."""

from __future__ import annotations

import io
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO, cast

from rich.console import Console

from adaptstilts.progress.dashboard import TerminalWatcher
from adaptstilts.progress.notebook import NotebookWatcher, in_notebook, output_of_cell
from adaptstilts.progress.watcher import StudyWatcher
from adaptstilts.study.plan.plan import Plan


def study_watcher(plan: Plan, *, workers: int, store: Path, is_shown: bool) -> StudyWatcher:
    """Return the watcher of a run.

    Args:
        workers: Number of stages that run at the same time.
        store: Folder of the store, from which the progress of workers elsewhere is read.
        is_shown: Whether to show anything.
    """
    if not is_shown:
        return StudyWatcher(plan, workers=workers, store=store)
    if in_notebook():
        return NotebookWatcher(plan, output_of_cell(), workers=workers, store=store)
    return TerminalWatcher(plan, error_console(), workers=workers, store=store)


def error_console() -> Console:
    """Return a console on stderr; in a notebook too it writes plain lines, as bars there need further packages.

    Progress that cannot be written, such as after a terminal has gone, is dropped: the work goes on.
    """
    return Console(file=cast("TextIO", _Dropping(sys.stderr)), force_jupyter=False)


class _Dropping:
    """A stream that drops what another one cannot write; in all else, that stream."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = io.StringIO() if stream is None else stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of a stream
        return getattr(self._stream, name)
