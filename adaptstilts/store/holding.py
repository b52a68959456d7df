"""Holding leases while a block of code runs: taking them, sending heartbeats from a thread, giving them back."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from adaptstilts.store.leases import Lease, Leases, is_held_here, new_lease

_LONGEST_WAIT = 2.0
"""Seconds that the end of a stage waits for a heartbeat that is being written."""


@dataclass
class Progress:
    """Progress of the holder of a lease: updated by its work, written by the thread that renews the lease.

    Attributes:
        done: Steps done; optimiser steps of a training run, languages of predictions.
        total: Steps in all; 0 until the work reports a number.
        note: Last note, such as the loss.
        first: Steps done at the attempt's first report; more than 0 after resuming from a checkpoint.
        before: Seconds before that report: reading data, loading the backbone.
        examples_per_second: Training speed; None if unknown.
        worker: Name that the engine gives the worker; may be empty.
        is_taken_over: Whether another process holds the lease by now, so that the work is in vain; not written.
    """

    done: int = 0
    total: int = 0
    note: str = ""
    first: int = 0
    before: float = 0.0
    examples_per_second: float | None = None
    worker: str = ""
    is_taken_over: bool = False


@contextlib.contextmanager
def hold(places: Sequence[Leases], name: str, work: Mapping[str, Any] | None = None) -> Iterator[Progress | None]:
    """Hold a lease in several places while the block runs, if it is free in all; never waits.

    Args:
        places: Where to take it, in this order.
        work: ``key``, ``name`` and ``kind`` of the stage to make; None for other work.

    Yields:
        The progress, for the block to update; None if another process or thread holds the lease.

    Raises:
        OSError: If a folder cannot be written.
        StoreError: If an address cannot be used.
    """
    progress = Progress()
    started = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    began = time.perf_counter()

    def doing() -> dict[str, Any]:
        seconds = round(time.perf_counter() - began, 3)
        state = {**dataclasses.asdict(progress), "started": started, "seconds": seconds}
        del state["is_taken_over"]
        return {} if work is None else {**work, **state}

    with contextlib.ExitStack() as stack:
        held: list[tuple[Leases, Lease]] = []
        for leases in places:
            lease = new_lease(name, doing())
            stack.callback(leases.release, lease)
            if not leases.take(lease):
                stack.close()
                yield None
                return
            held.append((leases, lease))
        stack.enter_context(_kept_fresh(held, progress, doing))
        yield progress


@contextlib.contextmanager
def _kept_fresh(
    held: Sequence[tuple[Leases, Lease]], progress: Progress, doing: Callable[[], dict[str, Any]]
) -> Iterator[None]:
    """Renew leases from a thread while the block runs, more often while there is progress.

    The work never waits for the file system, and its end only so long. Errors are ignored: a heartbeat must not end
    the work, nor may the signs end while the work goes on.
    """
    done = threading.Event()

    def renew() -> None:
        written = [(dataclasses.replace(progress), time.monotonic()) for _ in held]
        while not done.wait(min(leases.pause for leases, _ in held)):
            for number, (leases, lease) in enumerate(held):
                if not is_held_here(lease):  # given back, though an interruption kept the block from saying so
                    return
                last, when = written[number]
                pause = leases.pause_without_steps if progress == last else leases.pause
                if time.monotonic() - when >= pause and not done.is_set():
                    written[number] = (dataclasses.replace(progress), time.monotonic())
                    with contextlib.suppress(Exception):
                        progress.is_taken_over = not leases.refresh(lease, doing()) or progress.is_taken_over
                    if done.is_set():  # maybe long ago, and the lease was given back while this was being written
                        leases.release(lease)

    thread = threading.Thread(target=renew, daemon=True, name="lease")
    try:
        thread.start()
        yield
    finally:
        done.set()
        if thread.is_alive():
            thread.join(_LONGEST_WAIT)
