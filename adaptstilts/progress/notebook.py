"""Progress of a study in a notebook: one output below the cell, which is redrawn."""

from __future__ import annotations

import io
import math
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from adaptstilts.progress.dashboard import draw
from adaptstilts.progress.plain import plain_lines
from adaptstilts.progress.style import PLAIN_STYLE
from adaptstilts.progress.watcher import StudyWatcher
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import Stage
from adaptstilts.study.plan.plan import Plan

if TYPE_CHECKING:
    from typing_extensions import Self

_SECONDS_BETWEEN_DRAWINGS = 0.5
"""Each drawing is a message to the browser, and stages of a small study take a fraction of a second."""
_MOST_LINES = 3
MOST_ROWS = 8
"""Rows of running stages in a drawing below a cell."""
_WIDTH = 100
_HTML = f'<pre style="{PLAIN_STYLE}">{{code}}</pre>'

Show = Callable[[dict[str, str]], None]
"""Shows contents by MIME type; each call replaces what the one before it has shown."""


def in_notebook() -> bool:
    """Say whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


def output_of_cell() -> Show:
    """Return a function that shows contents in one output of the cell that is being run."""
    from IPython.display import display  # noqa: PLC0415

    handle: Any = None

    def show(contents: dict[str, str]) -> None:
        nonlocal handle
        if handle is None:
            handle = display(contents, raw=True, display_id=True)
        else:
            handle.update(contents, raw=True)

    return show


class NotebookWatcher(StudyWatcher):
    """Shows the progress of a run as one output: bars, the last stages, and remarks and failures, which stay.

    Args:
        plan: The plan that is carried out.
        show: Shows the drawing.
        workers: See `StudyWatcher`.
        store: See `StudyWatcher`.
    """

    def __init__(self, plan: Plan, show: Show, *, workers: int = 1, store: Path | None = None) -> None:
        super().__init__(plan, workers=workers, store=store)
        self._show = show
        self._remarks: list[Text] = []
        self._recent: deque[Text] = deque(maxlen=_MOST_LINES)
        self._drawn_at = -math.inf

    def __enter__(self) -> Self:
        """Show the study before its first stage."""
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state below the cell."""
        self._recent.clear()
        if kind is not None:
            self._remarks.append(Text("stopped; finished stages are kept, and running the study again resumes"))
        self._draw()

    def started(self, stage: Stage, left: int, worker: str = "") -> None:
        """Show a stage as running."""
        super().started(stage, left, worker)
        self._draw_if_due()

    def stepped(self, stage: Stage, done: int, total: int, note: str) -> None:
        """Move a stage's bar."""
        super().stepped(stage, done, total, note)
        self._draw_if_due()

    def finished(self, stage: Stage, artefact: Artefact) -> None:
        """Show a finished stage's line."""
        super().finished(stage, artefact)
        self._draw_if_due()

    def noted(self, text: str) -> None:
        """Show a remark, which stays."""
        self._remarks.append(plain_lines(text))

    def line(self, text: str, style: str = "") -> None:
        """Show a line until others push it out; a failure stays."""
        (self._remarks if style else self._recent).append(plain_lines(text, style))

    def _draw_if_due(self) -> None:
        if time.perf_counter() - self._drawn_at >= _SECONDS_BETWEEN_DRAWINGS:
            self._draw()

    def _draw(self) -> None:
        drawing = Group(draw(self.status(), most_rows=MOST_ROWS), *self._remarks, *self._recent)
        self._show(contents(drawing))
        self._drawn_at = time.perf_counter()


def contents(drawing: RenderableType) -> dict[str, str]:
    """Return what rich can print as contents by MIME type, with colours and whole bars."""
    # No terminal is written to.
    console = Console(
        file=io.StringIO(),
        record=True,
        width=_WIDTH,
        force_terminal=True,
        force_jupyter=False,
        color_system="truecolor",
    )
    console.print(drawing)
    html = console.export_html(inline_styles=True, code_format=_HTML, clear=False)
    return {"text/html": html, "text/plain": console.export_text()}
