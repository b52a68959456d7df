"""Choice of the place where progress is shown: the terminal, a notebook, or nowhere."""

from __future__ import annotations

from pathlib import Path

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
    """Return a console on stderr; in a notebook too it writes plain lines, as bars there need further packages."""
    return Console(stderr=True, force_jupyter=False)
