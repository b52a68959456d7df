"""Progress of a study on the terminal: a line per finished stage, and a dashboard below the lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from adaptstilts.formatting import estimate_text, visible
from adaptstilts.progress.plain import plain, plain_lines
from adaptstilts.progress.watcher import StudyWatcher
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.status import Running, Status
from adaptstilts.study.status_text import left_text, place

if TYPE_CHECKING:
    from typing_extensions import Self

_DRAWINGS_PER_SECOND = 2.0
_BAR_WIDTH = 20


def draw(status: Status, *, most_rows: int) -> RenderableType:
    """Draw a status: one bar for the whole study, counts per kind of stage, and a row with a bar per running stage.

    Returns something that rich can print. At most ``most_rows`` running stages are drawn; the others are counted.
    """
    done = status.total("done")
    head = Table.grid(padding=(0, 1))
    for _ in range(3):
        head.add_column(no_wrap=True, overflow="ellipsis")
    head.add_column()  # wraps, so that the others stay whole
    left = left_text(status) if status.seconds_left else ""
    head.add_row("study", ProgressBar(max(1, status.stages), done, width=_BAR_WIDTH), f"{done}/{status.stages}", left)
    rows: list[RenderableType] = [head, _kinds(status)]
    if status.running:
        rows.append(_running_table(status.running[:most_rows]))
    if len(status.running) > most_rows:
        rows.append(Text(f"and {len(status.running) - most_rows} more running", style="dim"))
    rows += [
        plain(f"lost: {beat.name} ({place(beat)}, silent for {estimate_text(beat.age)})", "red") for beat in status.lost
    ]
    return Group(*rows)


def _kinds(status: Status) -> Text:
    text = Text("      ")
    for kind, states in status.counts.items():
        text.append(f"{visible(kind)} {states['done']}/{sum(states.values())}   ", style="dim")
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
        name = Text.assemble(plain(beat.name), plain(f"  {where}" if where else "", "dim"))
        table.add_row(name, bar, steps, plain(beat.note), left)
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


class TerminalWatcher(StudyWatcher):
    """Shows the progress of a run on stderr: a dashboard on a terminal, lines only elsewhere.

    Args:
        plan: The plan that is carried out.
        console: Where to draw.
        workers: See `StudyWatcher`.
        store: See `StudyWatcher`.
    """

    def __init__(self, plan: Plan, console: Console, *, workers: int = 1, store: Path | None = None) -> None:
        super().__init__(plan, workers=workers, store=store)
        self._console = console
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

    def line(self, text: str, style: str = "") -> None:
        """Write a line above the dashboard."""
        self._console.print(plain_lines(text, style), soft_wrap=True)
