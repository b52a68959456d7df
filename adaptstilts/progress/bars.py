"""Progress of downloads and checks on the terminal: lines, bars, and the time left."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from adaptstilts.formatting import estimate_text, size_text
from adaptstilts.progress.plain import plain, plain_lines

if TYPE_CHECKING:
    from typing_extensions import Self

_SECONDS_BETWEEN_LINES = 10.0
"""Shortest time between two progress lines when no bar can be drawn."""


class _Description(ProgressColumn):
    """Column with what is being done, as plain text, behind some words."""

    def __init__(self, before: str = "") -> None:
        super().__init__()
        self._before = before

    def render(self, task: Task) -> Text:
        """Return the description of a bar."""
        return plain(f"{self._before}{task.description}")


class _Drawing:
    """Progress bars that are drawn while their context is open, on a terminal only; lines are written anywhere."""

    def __init__(self, console: Console, *columns: ProgressColumn) -> None:
        self._console = console
        self._progress = Progress(*columns, console=console, transient=True)

    def __enter__(self) -> Self:
        """Start drawing."""
        if self._console.is_interactive:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing and leave the terminal as it was."""
        if self._console.is_interactive:  # on other outputs rich would add an empty line
            self._progress.stop()

    def line(self, text: str) -> None:
        """Write a line."""
        self._console.print(plain_lines(text), soft_wrap=True)


class FetchWatcher(_Drawing):
    """Shows a download on stderr: a bar per file with speed and time left, and a line per finished split.

    On anything but a terminal it writes lines instead of bars, at most one in ten seconds.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(
            console,
            _Description(),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._bars: dict[str, TaskID] = {}
        self._started: dict[str, tuple[float, int]] = {}
        self._last_line = 0.0

    def arrived(self, name: str, done: int, total: int | None) -> None:
        """Move a download's bar."""
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=total)
            self._started[name] = (time.perf_counter(), done)
        self._progress.update(self._bars[name], completed=done, total=total)
        if done == total:
            self._progress.remove_task(self._bars.pop(name))
            self.line(f"downloaded {name}, {size_text(done)}")
        elif not self._console.is_interactive and time.perf_counter() - self._last_line > _SECONDS_BETWEEN_LINES:
            self._last_line = time.perf_counter()
            self.line(f"{name}: {size_text(done)}{self._left(name, done, total)}")

    def _left(self, name: str, done: int, total: int | None) -> str:
        if total is None:
            return ""
        began, already = self._started[name]
        speed = (done - already) / max(time.perf_counter() - began, 1e-9)
        left = f", about {estimate_text((total - done) / speed)} left" if speed > 0 else ""
        return f" of {size_text(total)}{left}"

    def converted(self, name: str, done: int, total: int) -> None:
        """Write a split's line."""
        self.line(f"[{done}/{total}] {name}")


class CheckWatcher(_Drawing):
    """Draws the progress of a check of a data folder, on a terminal only."""

    def __init__(self, console: Console) -> None:
        super().__init__(
            console,
            _Description("checking "),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._bar = self._progress.add_task("", total=None)

    def stepped(self, done: int, total: int, note: str) -> None:
        """Move the bar."""
        self._progress.update(self._bar, completed=done, total=total, description=note)


class VerifyWatcher(_Drawing):
    """Shows the progress of reading a store, with the time left: a bar on a terminal, else a line every ten seconds."""

    def __init__(self, console: Console) -> None:
        super().__init__(
            console,
            _Description("reading "),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._bar = self._progress.add_task("", total=None)
        self._began = self._last_line = time.perf_counter()

    def read(self, done: int, total: int, note: str) -> None:
        """Move the bar."""
        self._progress.update(self._bar, completed=done, total=total, description=note)
        now = time.perf_counter()
        if not self._console.is_interactive and now - self._last_line > _SECONDS_BETWEEN_LINES:
            self._last_line = now
            left = (now - self._began) * (total - done) / max(done, 1)
            self.line(f"{size_text(done)} of {size_text(total)} read, about {estimate_text(left)} left")
