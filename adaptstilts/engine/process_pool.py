"""Worker processes of this machine: independent stages run side by side, each worker on its own, or on its GPU.

Results do not depend on the number of workers: each stage seeds itself, and its key says what decides it. Small models
gain most, since one stage cannot keep several cores, or a large GPU, busy. A worker that dies takes only its own stage
with it; another one takes its place.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from adaptstilts.engine.in_process import StageStep
from adaptstilts.engine.journal import StepCallback
from adaptstilts.engine.protocols import MakeRunner, StageRequest, StageResult
from adaptstilts.engine.signals import sigterm_as_exit
from adaptstilts.engine.worker import perform_here
from adaptstilts.errors import CrashError, EngineError
from adaptstilts.store.store import Store

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from adaptstilts.engine.resources import Machine, Needs, NeedsOf

_GOODBYE_SECONDS = 5.0
"""Time that a worker without work is given to end by itself."""
_FAREWELL_SECONDS = 20.0
"""The same with work: to finish a training step and write a checkpoint."""
_SECONDS_BETWEEN_STEPS = 0.1
"""Between two messages on how far a stage is."""


@dataclass
class _Worker:
    """One worker process, as its parent sees it."""

    number: int
    process: SpawnProcess
    pipe: Connection
    gpu: int | None
    request: StageRequest | None = None
    last: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Bug:
    """An exception that is no result: the text of its traceback."""

    text: str


class ProcessEngine:
    """Carries stages out in worker processes.

    Args:
        workers: How many there are.
        make_runner: Makes the runner of each worker.
        store: Where artefacts go.
        on_step: Told how far each running stage is.
        machine: GPUs of this machine and their memory.
        needs: Memory that a stage takes on a GPU.
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
        """Whether all workers are at work."""
        busy = sum(worker.request is not None for worker in self._workers)
        return busy >= self._most

    def has_room(self, request: StageRequest) -> bool:
        """Whether a worker is free whose GPU, if it has one, has memory left for this stage."""
        return self._free(request) is not None

    def submit(self, request: StageRequest) -> None:
        """Give a request to a free worker; one that has the network in memory is preferred."""
        number = self._free(request)
        if number is None:
            raise RuntimeError("no worker is free")
        worker = next((worker for worker in self._workers if worker.number == number), None) or self._start(number)
        worker.request, worker.last = request, frozenset(request.stage.inputs)
        try:
            worker.pipe.send(request)
        except (BrokenPipeError, ConnectionResetError):
            return  # it has died: the next wait sees that its process has ended

    def results(self, seconds: float | None) -> Sequence[StageResult]:
        """Wait for messages of workers, or for one of them to die."""
        handles = [handle for worker in self._workers for handle in (worker.pipe, worker.process.sentinel)]
        spoke = wait(handles, seconds)
        heard = [worker for worker in self._workers if worker.pipe in spoke or worker.process.sentinel in spoke]
        return [result for worker in heard for result in self._hear(worker)]

    def close(self, *, at_once: bool) -> None:
        """End all workers."""
        for worker in self._workers:
            if at_once:
                worker.process.terminate()
            else:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    worker.pipe.send(None)
        deadline = time.monotonic() + (_FAREWELL_SECONDS if at_once else _GOODBYE_SECONDS)
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
        self._workers = []

    def _hear(self, worker: _Worker) -> list[StageResult]:
        """Read all that a worker has said; a dead one is lost with its request, and its place is free again."""
        results: list[StageResult] = []
        try:
            while worker.pipe.poll():
                results += self._understand(worker, worker.pipe.recv())
        except (EOFError, ConnectionResetError):
            pass
        else:
            if worker.process.exitcode is None:
                return results
        worker.process.join(_GOODBYE_SECONDS)
        self._workers.remove(worker)
        worker.pipe.close()
        if worker.request is not None:
            error = EngineError(f"a worker process died ({_how(worker.process.exitcode)})")
            results.append(StageResult(worker.request.stage.key, "lost", error))
        return results

    def _end(self, worker: _Worker) -> None:
        """End a worker that met what nobody foresaw, such as a GPU in disorder: the next stage gets a fresh one."""
        worker.process.terminate()
        worker.process.join(_GOODBYE_SECONDS)

    def _understand(self, worker: _Worker, message: object) -> list[StageResult]:
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
        """Number of a free worker, or of one to start; on GPUs the one whose GPU has most memory left."""
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
        """Bytes that each stage needs which computes on a GPU; 0 where that is not known."""
        running = [worker.request for worker in self._workers if worker.request is not None and worker.gpu == gpu]
        needs = [self._needs_of(request) for request in running]
        return [need.gpu_bytes for need in needs if need.computes]

    def _needs_of(self, request: StageRequest) -> Needs:
        """What a request takes; where its worker was lost before, the estimate is not believed: a GPU to itself."""
        needs = self._needs(request.stage)
        return replace(needs, gpu_bytes=0) if request.tries else needs

    def _left(self, gpu: int) -> int:
        """Bytes of a GPU that no running stage needs; none beside a stage whose need is not known."""
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
        process.start()
        theirs.close()
        worker = _Worker(number, process, ours, gpu)
        self._workers.append(worker)
        return worker


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit status {code}"


def _work(pipe: Connection, make_runner: MakeRunner, store: Store, changes: Mapping[str, str]) -> None:
    """Carry requests out until there are no more; an interruption of the terminal is the parent's to handle.

    SIGTERM ends the worker: a training run first finishes its step and leaves a checkpoint.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    os.environ.update(changes)  # before torch is there
    said = 0.0

    def stepped(done: int, total: int, note: str) -> None:
        nonlocal said
        if done == total or time.monotonic() - said > _SECONDS_BETWEEN_STEPS:
            said = time.monotonic()
            pipe.send((done, total, note))

    with sigterm_as_exit(), contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while (request := pipe.recv()) is not None:
            pipe.send(_result(make_runner, store, request, stepped))


def _result(make_runner: MakeRunner, store: Store, request: StageRequest, on_step: StepCallback) -> StageResult | _Bug:
    try:
        return perform_here(make_runner, store, request, on_step)
    except Exception:  # noqa: BLE001 - told in the parent, where it ends the run
        return _Bug(traceback.format_exc())


def _end_with_parent() -> None:
    """End this process as soon as its parent is no more, even where the parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
