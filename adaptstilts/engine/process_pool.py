"""Worker processes of this machine: each runs independent stages, on its own GPU if there is one.

Results do not depend on the number of workers: each stage seeds itself, and its key covers everything that decides its
result. Small models gain most, since one stage cannot keep several cores, or a large GPU, busy. A worker that dies
loses only its current stage, and another one replaces it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from adaptstilts.addresses import shown_address
from adaptstilts.engine.in_process import StageStep
from adaptstilts.engine.journal import StepCallback
from adaptstilts.engine.protocols import MakeRunner, StageRequest, StageResult
from adaptstilts.engine.signals import end_with_parent, sigterm_as_exit
from adaptstilts.engine.spawning import without_main_module
from adaptstilts.engine.worker import perform_here
from adaptstilts.errors import CrashError, EngineError
from adaptstilts.store.store import Store

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from adaptstilts.engine.resources import Machine, Needs, NeedsOf

_IDLE_EXIT_SECONDS = 5.0
"""Time that an idle worker is given to end by itself."""
_BUSY_EXIT_SECONDS = 20.0
"""Time that a busy worker is given to finish a training step and write a checkpoint."""
_SECONDS_BETWEEN_STEPS = 0.1
"""Shortest time between two progress messages of a worker."""


@dataclass
class _Worker:
    """One worker process, as its parent sees it.

    Attributes:
        last: Inputs of its last request, whose network it may still have in memory.
    """

    number: int
    process: SpawnProcess
    pipe: Connection
    gpu: int | None
    request: StageRequest | None = None
    last: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Bug:
    """Traceback of an unexpected exception in a worker."""

    text: str


class ProcessEngine:
    """Runs stages in worker processes.

    Args:
        workers: Number of processes.
        make_runner: Makes the runner of each worker.
        store: Where artefacts go.
        on_step: Called with the progress of each running stage.
        machine: GPUs of this machine and their memory.
        needs: Estimates the GPU memory of a stage.
    """

    def __init__(
        self,
        workers: int,
        make_runner: MakeRunner,
        store: Store,
        on_step: StageStep,
        machine: Machine,
        needs: NeedsOf,
    ) -> None:
        self._most = workers
        self._make_runner = make_runner
        self._store = store
        self._on_step = on_step
        self._machine = machine
        self._needs = needs
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []

    @property
    def is_full(self) -> bool:
        """Whether all workers are busy."""
        busy = sum(worker.request is not None for worker in self._workers)
        return busy >= self._most

    def has_room(self, request: StageRequest) -> bool:
        """Whether a worker is free and its GPU, if it has one, has enough memory left for this stage."""
        return self._free(request) is not None

    def submit(self, request: StageRequest) -> None:
        """Give a request to a free worker, preferably to one that has its network in memory."""
        number = self._free(request)
        if number is None:
            raise RuntimeError("no worker is free")
        worker = next((worker for worker in self._workers if worker.number == number), None) or self._start(number)
        worker.request, worker.last = request, frozenset(request.stage.inputs)
        try:
            worker.pipe.send(request)
        except (BrokenPipeError, ConnectionResetError):
            return  # the worker died; the next wait notices that its process has ended

    def results(self, seconds: float | None) -> Sequence[StageResult]:
        """Wait until a worker sends a message or dies."""
        handles = [handle for worker in self._workers for handle in (worker.pipe, worker.process.sentinel)]
        ready = wait(handles, seconds)
        active = [worker for worker in self._workers if worker.pipe in ready or worker.process.sentinel in ready]
        return [result for worker in active for result in self._read_messages(worker)]

    def close(self, *, at_once: bool) -> None:
        """End all workers."""
        for worker in self._workers:
            if at_once:
                worker.process.terminate()
            else:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    worker.pipe.send(None)
        deadline = time.monotonic() + (_BUSY_EXIT_SECONDS if at_once else _IDLE_EXIT_SECONDS)
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
        self._workers = []

    def _read_messages(self, worker: _Worker) -> list[StageResult]:
        """Read all messages of a worker; if it is dead, report its request as lost and free its place."""
        results: list[StageResult] = []
        try:
            while worker.pipe.poll():
                results += self._handle(worker, worker.pipe.recv())
        except (EOFError, ConnectionResetError):
            pass
        else:
            if worker.process.exitcode is None:
                return results
        worker.process.join(_IDLE_EXIT_SECONDS)
        self._workers.remove(worker)
        worker.pipe.close()
        if worker.request is not None:
            error = EngineError(f"a worker process died ({_exit_reason(worker.process.exitcode)})")
            results.append(StageResult(worker.request.stage.key, "lost", error))
        return results

    def _end(self, worker: _Worker) -> None:
        """End a worker that met an unexpected error, such as a GPU fault: the next stage gets a fresh one."""
        worker.process.terminate()
        worker.process.join(_IDLE_EXIT_SECONDS)

    def _handle(self, worker: _Worker, message: object) -> list[StageResult]:
        """Act on a worker's message (a result, steps done, or a bug); return the result if it is one."""
        if isinstance(message, _Bug):
            raise RuntimeError(f"a worker process met a bug:\n{message.text}")
        if isinstance(message, StageResult):
            worker.request = None
            if isinstance(message.error, CrashError):
                self._end(worker)
            return [message]
        if worker.request is not None and isinstance(message, tuple):
            self._on_step(worker.request.stage, *message)
        return []

    def _free(self, request: StageRequest) -> int | None:
        """Return the number of a free worker, or of one to start; on GPUs the one whose GPU has most memory left."""
        busy = {worker.number for worker in self._workers if worker.request is not None}
        last = {worker.number: worker.last for worker in self._workers}
        free = [number for number in range(self._most) if number not in busy]
        wanted_inputs = frozenset(request.stage.inputs)
        free.sort(key=lambda number: -len(last.get(number, frozenset()) & wanted_inputs))
        if not free or not self._machine.gpus:
            return free[0] if free else None
        wanted = self._needs_of(request)
        if not wanted.computes:
            return free[0]
        idle = [number for number in free if not self._computing_on(self._gpu_of(number))]
        left = {number: self._left(self._gpu_of(number)) for number in idle or free}
        best = max(left, key=lambda number: left[number])
        return best if idle or 0 < wanted.gpu_bytes <= left[best] else None

    def _gpu_of(self, number: int) -> int:
        return number % len(self._machine.gpus)

    def _computing_on(self, gpu: int) -> list[int]:
        """Return the bytes that each stage needs which runs a network on a GPU; 0 if that is not known."""
        running = [worker.request for worker in self._workers if worker.request is not None and worker.gpu == gpu]
        needs = [self._needs_of(request) for request in running]
        return [need.gpu_bytes for need in needs if need.computes]

    def _needs_of(self, request: StageRequest) -> Needs:
        """Return a request's needs; after a lost worker its memory counts as unknown, so it gets its own GPU."""
        needs = self._needs(request.stage)
        return replace(needs, gpu_bytes=0) if request.losses else needs

    def _left(self, gpu: int) -> int:
        """Return the bytes of a GPU that no running stage needs; 0 beside a stage whose need is not known."""
        taken = self._computing_on(gpu)
        return 0 if 0 in taken else self._machine.gpus[gpu] - sum(taken)

    def _start(self, number: int) -> _Worker:
        gpu = self._gpu_of(number) if self._machine.gpus else None
        ours, theirs = self._context.Pipe()
        changes = {} if gpu is None else {"CUDA_VISIBLE_DEVICES": self._machine.names[gpu]}
        process = self._context.Process(
            target=_work,
            args=(theirs, self._make_runner, self._store, changes),
            name=f"worker-{number}",
            daemon=False,
        )
        with without_main_module():
            process.start()
        theirs.close()
        worker = _Worker(number, process, ours, gpu)
        self._workers.append(worker)
        return worker


def _exit_reason(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit status {code}"


def _work(pipe: Connection, make_runner: MakeRunner, store: Store, changes: Mapping[str, str]) -> None:
    """Carry out requests until there are no more; Ctrl-C in the terminal is left to the parent.

    SIGTERM ends the worker: a training run first finishes its step and leaves a checkpoint.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    os.environ.update(changes)  # before torch is imported
    last_sent = 0.0

    def stepped(done: int, total: int, note: str) -> None:
        nonlocal last_sent
        if done == total or time.monotonic() - last_sent > _SECONDS_BETWEEN_STEPS:
            last_sent = time.monotonic()
            pipe.send((done, total, note))

    with sigterm_as_exit(), contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while (request := pipe.recv()) is not None:
            pipe.send(_result(make_runner, store, request, stepped))


def _result(make_runner: MakeRunner, store: Store, request: StageRequest, on_step: StepCallback) -> StageResult | _Bug:
    try:
        return perform_here(make_runner, store, request, on_step)
    except Exception:  # noqa: BLE001 - raised again in the parent, where it ends the run
        return _Bug(shown_address(traceback.format_exc()))
