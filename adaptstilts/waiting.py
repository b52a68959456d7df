"""Waiting for libraries that have no limits of their own, such as the hub's: not for ever, and not for a trickle."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from adaptstilts.formatting import duration_text, size_text
from adaptstilts.limits import LEAST_RATE, MOST_DOWNLOAD_SECONDS, MOST_UNPACKED_BYTES, RATE_SECONDS

Answer = TypeVar("Answer")
_PAUSE = 0.1


class WaitedError(OSError):
    """A call was given up, since it broke a limit; the text names it."""


def in_time(call: Callable[[], Answer], progress: Callable[[], int] | None = None) -> Answer:
    """Return what a call returns, or give it up; its thread is left alone then, and ends with the process.

    Args:
        progress: Returns the bytes that the call has received so far; None for a call that receives few.

    Raises:
        WaitedError: If it takes longer than `limits.RATE_SECONDS`, or, with `progress`, is slower than
            `limits.LEAST_RATE`, goes on beyond `limits.MOST_DOWNLOAD_SECONDS`, or receives more than
            `limits.MOST_UNPACKED_BYTES`.
    """
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="waited")
    thread.start()
    _wait(thread, progress)
    if errors:
        raise errors[0]
    return answers[0]


def _wait(thread: threading.Thread, progress: Callable[[], int] | None) -> None:
    began = since = time.monotonic()
    first = before = progress() if progress is not None else 0
    rate = 0.0 if math.isinf(LEAST_RATE.value()) else LEAST_RATE.value()
    while True:
        thread.join(min(_PAUSE, RATE_SECONDS.value() / 10))
        if not thread.is_alive():
            return
        now = time.monotonic()
        if now - began > MOST_DOWNLOAD_SECONDS.value():
            seconds = duration_text(MOST_DOWNLOAD_SECONDS.value())
            raise WaitedError(f"not there after {seconds} ({MOST_DOWNLOAD_SECONDS.variable})")
        here = progress() if progress is not None else 0
        if here - first > MOST_UNPACKED_BYTES.value():
            most = size_text(MOST_UNPACKED_BYTES.value())
            raise WaitedError(f"more than {most} came ({MOST_UNPACKED_BYTES.variable})")
        if now - since >= RATE_SECONDS.value():
            if progress is None:
                raise WaitedError(f"no whole answer after {duration_text(now - since)} ({RATE_SECONDS.variable})")
            if here - before < rate * (now - since):
                raise WaitedError(
                    f"{size_text(here - before)} came in {duration_text(now - since)}, less than the "
                    f"{size_text(rate)} per second of {LEAST_RATE.variable}"
                )
            since, before = now, here
