"""Processes that claim: several at once, one that is killed while it holds, and this one at work on a stage."""

from __future__ import annotations

import contextlib
import multiprocessing
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from repository import ROOT

from adaptstilts.engine.journal import Journal, StageLog
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store

Claim = Callable[[int], AbstractContextManager[object]]


def race(claim: Claim, *, processes: int, rounds: int) -> list[list[int]]:
    """Let processes claim at the same moment, round by round; return which of them had it in each round.

    All hold what they have until everybody has tried.
    """
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(processes), context.Queue()

    def compete(number: int) -> None:
        won = []
        for turn in range(rounds):
            barrier.wait(60)
            with claim(turn) as held:
                won.append(bool(held))
                barrier.wait(60)
        results.put((number, won))

    workers = [context.Process(target=compete, args=(number,)) for number in range(processes)]
    for worker in workers:
        worker.start()
    found = dict(results.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join()
    return [[number for number in range(processes) if found[number][turn]] for turn in range(rounds)]


def start_holder(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a process that runs code which claims, prints a line, and sleeps."""
    holder = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "True"
    return holder


@contextlib.contextmanager
def at_work(root: Path, stage: Stage, worker: str = "") -> Iterator[StageLog]:
    """Claim a stage and open its log, as an engine does."""
    with Store(root).claim(stage) as progress, Journal(root, worker).stage(stage, progress=progress) as log:
        assert progress is not None
        yield log
