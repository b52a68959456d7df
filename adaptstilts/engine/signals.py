"""SIGTERM as an exception, so that everything is closed in order, and workers that end with their parent."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

TERMINATED = 128 + signal.SIGTERM
"""Exit status of a process ended by SIGTERM, as shells report it."""
_DELAYED = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def sigterm_as_exit() -> Iterator[None]:
    """Turn SIGTERM into `SystemExit` while the block runs, unless another handler is installed.

    Only the first signal counts: later ones, such as those of a batch system that repeats itself, do not interrupt the
    closing.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    is_ending = False

    def leave(_: int, __: FrameType | None) -> None:
        nonlocal is_ending
        if not is_ending:
            is_ending = True
            sys.exit(TERMINATED)

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextlib.contextmanager
def delaying_signals() -> Iterator[None]:
    """Delay SIGTERM and Ctrl-C until the block is over; only works in the main thread.

    For blocks that read a message: one that is read by half would make the rest of its stream unreadable.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    previous = {number: signal.signal(number, lambda got, _: came.append(got)) for number in _DELAYED}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for late in came:
            signal.raise_signal(late)


def end_with_parent() -> None:
    """End this worker process as soon as its parent has ended, even if the parent was killed.

    Does nothing in a process that `multiprocessing` has not started.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
