"""Processes that claim: several at once, and one that is killed while it holds."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

from repository import ROOT

Claim = Callable[[int], AbstractContextManager[bool]]


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
            with claim(turn) as is_mine:
                won.append(is_mine)
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
