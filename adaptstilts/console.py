"""What a person sees while a plan is carried out: one line per finished stage, a bar, and the time left."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from adaptstilts.errors import AdaptstiltsError
from adaptstilts.study.plan import Plan
from adaptstilts.study.stages import Stage, StageKind
from adaptstilts.study.store import Artefact

if TYPE_CHECKING:
    from typing_extensions import Self

_FIRST_GUESS_SECONDS = {StageKind.DATA: 10.0, StageKind.TRAIN: 10.0, StageKind.PREDICT: 3.0, StageKind.SCORE: 0.3}

_SECONDS_BETWEEN_LINES = 10.0
"""Between two lines on the same download, where no bar can be drawn."""


class _Drawing:
    """Bars that are drawn between entering and leaving, on a terminal only; lines are written anywhere.

    Args:
        console: Where to draw.
        columns: What a bar consists of.
    """

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
        if self._console.is_interactive:  # elsewhere the library would add an empty line
            self._progress.stop()

    def line(self, text: str) -> None:
        """Write a line."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class TerminalWatcher(_Drawing):
    """Draws progress on stderr; on anything but a terminal it writes lines only.

    Args:
        plan: The plan that is carried out; its stages give the estimate of the time left.
        console: Where to draw.
        workers: Stages that run side by side.
    """

    def __init__(self, plan: Plan, console: Console, *, workers: int = 1) -> None:
        super().__init__(
            console,
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self._workers = workers
        self._waiting = Counter(stage.kind for stage in plan.stages)
        self._seconds: dict[StageKind, list[float]] = defaultdict(list)
        self._bars: dict[str, TaskID] = {}
        self._running: dict[str, float] = {}
        self._all: TaskID = self._progress.add_task("study", total=len(plan.stages), note="")

    def skipped(self, stages: list[Stage]) -> None:
        """Say how many stages are there already."""
        for stage in stages:
            self._waiting[stage.kind] -= 1
        self._progress.update(self._all, completed=len(stages))
        if stages:
            kinds = Counter(stage.kind.value for stage in stages)
            parts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
            self.line(f"skipping {len(stages)} finished stages ({parts})")

    def started(self, stage: Stage, left: int) -> None:
        """Show the running stage and the time left."""
        self._running[stage.key] = time.perf_counter()
        self._progress.update(self._all, note=f"about {_duration(self._left())} left")
        self._bars[stage.key] = self._progress.add_task(stage.name, total=None, note="")

    def stepped(self, done: int, total: int, note: str) -> None:
        """Move the running stage's bar."""
        for bar in self._bars.values():
            self._progress.update(bar, completed=done, total=total, note=note)

    def finished(self, stage: Stage, artefact: Artefact) -> None:
        """Write the stage's line."""
        self._seconds[stage.kind].append(time.perf_counter() - self._running[stage.key])
        self._close(stage)
        done = int(self._progress.tasks[0].completed)
        total = int(self._progress.tasks[0].total or 0)
        self.line(f"[{done}/{total}] {stage.name}: {artefact.seconds:.1f} s, about {_duration(self._left())} left")

    def noted(self, text: str) -> None:
        """Write a line."""
        self.line(text)

    def failed(self, stage: Stage, error: AdaptstiltsError) -> None:
        """Write the error."""
        self._close(stage)
        self.line(f"failed: {stage.name}: {error}")

    def _close(self, stage: Stage) -> None:
        self._waiting[stage.kind] -= 1
        self._running.pop(stage.key, None)
        if stage.key in self._bars:
            self._progress.remove_task(self._bars.pop(stage.key))
        self._progress.advance(self._all)

    def _left(self) -> float:
        total = 0.0
        for kind, count in self._waiting.items():
            seen = self._seconds[kind]
            mean = sum(seen) / len(seen) if seen else _FIRST_GUESS_SECONDS[kind]
            total += mean * count
        return total / self._workers


class FetchWatcher(_Drawing):
    """Draws what a fetch does on stderr: a bar per download with speed and time left, a line per finished split.

    On anything but a terminal downloads are told in lines, at most one in ten seconds.

    Args:
        console: Where to draw.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(
            console,
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._bars: dict[str, TaskID] = {}
        self._started: dict[str, tuple[float, int]] = {}
        self._said = 0.0

    def arrived(self, name: str, done: int, total: int | None) -> None:
        """Move a download's bar."""
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=total)
            self._started[name] = (time.perf_counter(), done)
        self._progress.update(self._bars[name], completed=done, total=total)
        if done == total:
            self._progress.remove_task(self._bars.pop(name))
            self.line(f"downloaded {name}, {_size(done)}")
        elif not self._console.is_interactive and time.perf_counter() - self._said > _SECONDS_BETWEEN_LINES:
            self._said = time.perf_counter()
            self.line(f"{name}: {_size(done)}{self._left(name, done, total)}")

    def _left(self, name: str, done: int, total: int | None) -> str:
        if total is None:
            return ""
        began, already = self._started[name]
        speed = (done - already) / max(time.perf_counter() - began, 1e-9)
        left = f", about {_duration((total - done) / speed)} left" if speed > 0 else ""
        return f" of {_size(total)}{left}"

    def converted(self, name: str, done: int, total: int) -> None:
        """Write a split's line."""
        self.line(f"[{done}/{total}] {name}")


class CheckWatcher(_Drawing):
    """Draws how far a check of a data folder is, on a terminal only.

    Args:
        console: Where to draw.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(
            console,
            TextColumn("checking {task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._bar = self._progress.add_task("", total=None)

    def stepped(self, done: int, total: int, note: str) -> None:
        """Move the bar."""
        self._progress.update(self._bar, completed=done, total=total, description=note)


class VerifyWatcher(_Drawing):
    """Draws how far reading a store is, with the time left: a bar on a terminal, else a line every ten seconds.

    Args:
        console: Where to draw.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(
            console,
            TextColumn("reading {task.description}"),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._bar = self._progress.add_task("", total=None)
        self._began = self._said = time.perf_counter()

    def read(self, done: int, total: int, note: str) -> None:
        """Move the bar."""
        self._progress.update(self._bar, completed=done, total=total, description=note)
        now = time.perf_counter()
        if not self._console.is_interactive and now - self._said > _SECONDS_BETWEEN_LINES:
            self._said = now
            left = (now - self._began) * (total - done) / max(done, 1)
            self.line(f"{_size(done)} of {_size(total)} read, about {_duration(left)} left")


def _size(count: int) -> str:
    if count < 1_000_000:
        return f"{count / 1e3:.1f} kB"
    return f"{count / 1e6:.1f} MB"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
