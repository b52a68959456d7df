"""Progress of a study on the terminal: a line per finished stage, and a dashboard below the lines."""

from __future__ import annotations

import math
import os
import platform
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from adaptstilts.engine.heartbeats import Beat, Failure, read_beats
from adaptstilts.errors import AdaptstiltsError
from adaptstilts.formatting import estimate_text
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import Stage, describe
from adaptstilts.store.store import Store
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.status import Observer, Running, Status, summarise
from adaptstilts.study.status_text import left_text, place

if TYPE_CHECKING:
    from typing_extensions import Self

_DRAWINGS_PER_SECOND = 2.0
_SECONDS_BETWEEN_STORE_READS = 2.0
_BAR_WIDTH = 20


def draw(status: Status, *, most_rows: int) -> RenderableType:
    """Draw a status: one bar for the whole study, counts per kind of stage, and a row with a bar per running stage.

    Returns something that rich can print. At most ``most_rows`` running stages are drawn; the others are counted.
    """
    done = status.total("done")
    head = Table.grid(padding=(0, 1))
    for _ in range(4):
        head.add_column(no_wrap=True, overflow="ellipsis")
    left = left_text(status) if status.seconds_left else ""
    head.add_row("study", ProgressBar(max(1, status.stages), done, width=_BAR_WIDTH), f"{done}/{status.stages}", left)
    rows: list[RenderableType] = [head, _kinds(status)]
    if status.running:
        rows.append(_running_table(status.running[:most_rows]))
    if len(status.running) > most_rows:
        rows.append(Text(f"and {len(status.running) - most_rows} more running", style="dim"))
    rows += [
        Text(f"lost: {beat.name} ({place(beat)}, silent for {estimate_text(beat.age)})", "red") for beat in status.lost
    ]
    return Group(*rows)


def _kinds(status: Status) -> Text:
    text = Text("      ")
    for kind, states in status.counts.items():
        text.append(f"{kind} {states['done']}/{sum(states.values())}   ", style="dim")
    for state in ("failed", "left_out", "lost", "damaged"):
        if status.total(state):
            text.append(f"{status.total(state)} {state.replace('_', ' ')}   ", style="red")
    if status.examples_per_second:
        text.append(f"{status.examples_per_second:.0f} training examples/s", style="dim")
    return text


def _running_table(running: Sequence[Running]) -> Table:
    places = {each.beat.host for each in running}
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column(width=_BAR_WIDTH)
    for _ in range(3):
        table.add_column(no_wrap=True)
    for each in running:
        beat = each.beat
        total = beat.total or None
        bar = ProgressBar(total, beat.done, width=_BAR_WIDTH, pulse=total is None, animation_time=beat.seconds)
        steps = f"{beat.done}/{beat.total}" if total else estimate_text(beat.seconds)
        left = "" if each.seconds_left is None else f"{estimate_text(each.seconds_left)} left"
        where = beat.worker or (place(beat) if len(places) > 1 else "")
        name = Text.assemble(beat.name, (f"  {where}" if where else "", "dim"))
        table.add_row(name, bar, steps, beat.note, left)
    return table


class Dashboard:
    """Redraws a status continuously while its context is open, on an interactive terminal only.

    Args:
        console: Where to draw.
        look: Returns the status to draw; called from another thread.
    """

    def __init__(self, console: Console, look: Callable[[], Status]) -> None:
        self._console = console
        self._look = look
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Start drawing."""
        if self._console.is_interactive:  # on other outputs rich would add an empty line
            self._live = Live(
                console=self._console,
                transient=True,
                refresh_per_second=_DRAWINGS_PER_SECOND,
                get_renderable=lambda: draw(self._look(), most_rows=max(1, self._console.height - 6)),
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing and leave the terminal as it was."""
        if self._live is not None:
            self._live.stop()


class TerminalWatcher:
    """Shows the progress of a run on stderr: a dashboard on a terminal, lines only elsewhere.

    Args:
        plan: The plan that is carried out.
        console: Where to draw.
        workers: Number of stages that run at the same time.
        store: Folder of the store, from which measured times and the heartbeats of workers elsewhere are read. Without
            it, only the calls of this watcher count.
    """

    def __init__(self, plan: Plan, console: Console, *, workers: int = 1, store: Path | None = None) -> None:
        self._plan = plan
        self._console = console
        self._workers = workers
        self._store = store
        self._observer = Observer(Store(store if store is not None else Path()), plan)
        self._lock = threading.RLock()  # one thread draws while another reports
        self._closed = 0
        self._done: set[str] = set()
        self._failures: dict[str, Failure] = {}
        self._own: dict[str, Beat] = {}
        self._began: dict[str, float] = {}
        self._beats: dict[str, Beat] = {}
        self._read_at = -math.inf
        self._dashboard = Dashboard(console, self.status)

    def __enter__(self) -> Self:
        """Start drawing."""
        self._dashboard.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing and leave the terminal as it was."""
        self._dashboard.__exit__(kind, error, trace)

    def skipped(self, stages: list[Stage]) -> None:
        """Write how many stages are finished already."""
        with self._lock:
            self._done.update(stage.key for stage in stages)
            self._closed = len(stages)
        if stages:
            kinds = Counter(stage.kind.value for stage in stages)
            parts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
            self.line(f"skipping {len(stages)} finished stages ({parts})")

    def started(self, stage: Stage, left: int, worker: str = "") -> None:
        """Show a stage as running."""
        beat = Beat(stage.key, stage.name, stage.kind.value, platform.node(), os.getpid(), worker)
        with self._lock:
            self._own[stage.key] = beat
            self._began[stage.key] = time.perf_counter()

    def stepped(self, stage: Stage, done: int, total: int, note: str) -> None:
        """Move a stage's bar."""
        with self._lock:
            if stage.key in self._own:
                self._own[stage.key] = replace(self._own[stage.key], done=done, total=total, note=note)

    def requeued(self, stage: Stage) -> None:
        """Remove a stage's bar, as the stage waits again."""
        with self._lock:
            self._own.pop(stage.key, None)
            self._began.pop(stage.key, None)

    def finished(self, stage: Stage, artefact: Artefact) -> None:
        """Write a finished stage's line."""
        with self._lock:
            self._close(stage)
            self._done.add(stage.key)
            if self._store is None:
                self._observer.pace.add(stage.kind.value, describe(stage.job), artefact.seconds, stage.inputs)
            left = estimate_text(self.status().seconds_left or 0.0)
            count = f"{self._closed}/{len(self._plan.stages)}"
        self.line(f"[{count}] {stage.name}: {artefact.seconds:.1f} s, about {left} left")

    def noted(self, text: str) -> None:
        """Write a line."""
        self.line(text)

    def failed(self, stage: Stage, error: AdaptstiltsError) -> None:
        """Write a failed stage's error."""
        failure = Failure(
            key=stage.key,
            name=stage.name,
            kind=stage.kind.value,
            error=str(error),
            type=type(error).__name__,
            host=platform.node(),
            pid=os.getpid(),
            worker="",
            when="",
            log="",
        )
        with self._lock:
            self._close(stage)
            self._failures[stage.key] = failure
        self.line(f"failed: {stage.name}: {error}", style="red")

    def line(self, text: str, style: str = "") -> None:
        """Write a line above the dashboard."""
        self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def status(self) -> Status:
        """Return the status of the study, from this watcher's calls and from the heartbeats in the store."""
        with self._lock:
            if self._store is not None and time.perf_counter() - self._read_at >= _SECONDS_BETWEEN_STORE_READS:
                self._read_at = time.perf_counter()
                self._done.update(self._observer.made().keys())
                self._beats = {beat.key: beat for beat in read_beats(self._observer.store)}
            beats = {key: beat for key, beat in self._beats.items() if key not in self._failures}
            beats |= {key: self._merged(beat, beats.get(key)) for key, beat in self._own.items()}
            failures = list(self._failures.values())
            return summarise(
                self._plan, self._done, list(beats.values()), failures, self._observer.pace, workers=self._workers
            )

    def _merged(self, own: Beat, stored: Beat | None) -> Beat:
        """Return the newest facts on a stage that this process runs; its own step counts beat the stored ones."""
        beat = own if stored is None else stored
        seconds = time.perf_counter() - self._began[own.key]
        steps = own if own.total else beat
        return replace(
            beat,
            worker=own.worker or beat.worker,
            seconds=seconds if stored is None else beat.seconds,
            done=steps.done,
            total=steps.total,
            note=steps.note,
        )

    def _close(self, stage: Stage) -> None:
        self._closed += 1
        self._own.pop(stage.key, None)
        self._began.pop(stage.key, None)
        self._beats.pop(stage.key, None)
