"""Watching a study or a store from outside: the same drawing as of a run, until nothing is left to do."""

from __future__ import annotations

import time
from collections.abc import Callable

from adaptstilts.progress.choose import error_console
from adaptstilts.progress.dashboard import Dashboard, draw
from adaptstilts.progress.notebook import MOST_ROWS, contents, in_notebook, output_of_cell
from adaptstilts.progress.plain import plain
from adaptstilts.study.status import Status
from adaptstilts.study.status_text import head_line


def watch(look: Callable[[], Status], every: float) -> None:
    """Draw a status again and again until nothing is left to do or the user interrupts.

    On anything but a terminal or a notebook it writes a line each time.

    Args:
        look: Returns the present status.
        every: Seconds between two looks.
    """
    try:
        if in_notebook():
            _watch_in_cell(look, every)
        else:
            _watch_on_terminal(look, every)
    except KeyboardInterrupt:
        return


def _watch_on_terminal(look: Callable[[], Status], every: float) -> None:
    console = error_console()
    seen = look()
    with Dashboard(console, lambda: seen):
        while not seen.is_over:
            if not console.is_interactive:
                console.print(plain(head_line(seen)), soft_wrap=True)
            time.sleep(every)
            seen = look()


def _watch_in_cell(look: Callable[[], Status], every: float) -> None:
    show = output_of_cell()
    while True:
        seen = look()
        show(contents(draw(seen, most_rows=MOST_ROWS)))
        if seen.is_over:
            return
        time.sleep(every)
