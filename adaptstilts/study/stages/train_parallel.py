"""One training stage in several processes: started here, watched, and ended together.

The processes find each other as those of ``torchrun`` do: through a store that this process hosts, by the same
environment variables. None outlives its parent, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.distributed import TCPStore  # type: ignore[attr-defined]

from adaptstilts.config.schema import ParallelSection, ResumeSection
from adaptstilts.engine.journal import StepNumbers
from adaptstilts.engine.signals import sigterm_as_exit
from adaptstilts.errors import AdaptstiltsError, ConfigError, TrainingError
from adaptstilts.runtime import make_deterministic, quiet_libraries, set_threads
from adaptstilts.store.leases import Progress
from adaptstilts.study.plan.jobs import TrainJob
from adaptstilts.study.stages.examples import Examples
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.study.stages.train import TrainingLog, train_stage
from adaptstilts.train.checkpoints import Checkpoints, resume_folder
from adaptstilts.train.distributed import LostProcessError, joined

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

_HOST = "127.0.0.1"
_GRACE = 5.0
"""Seconds in which the others may say what happened when one process has failed."""
_FAREWELL = 20.0
"""Seconds in which the first process may write a last checkpoint when the run is to end."""


@dataclass(frozen=True)
class TrainRequest:
    """All that a process needs to carry out a training stage.

    Attributes:
        job: What to train.
        key: Key of the stage.
        inputs: Stages it builds on, finished.
        data_root: Folder with the data.
        quoting: Option of the readers.
        folder: Where the stage's files go.
        store: Folder of the store, for checkpoints.
        device: Kind of device: ``cpu`` or ``cuda``.
        threads: CPU threads of all processes together; None for torch's own number.
        resume: When checkpoints are written.
        parallel: How many processes, and where the frozen backbone lies.
    """

    job: TrainJob
    key: str
    inputs: Inputs
    data_root: Path
    quoting: str
    folder: Path
    store: Path
    device: str
    threads: int | None
    resume: ResumeSection
    parallel: ParallelSection


def check_processes(device: torch.device, processes: int) -> None:
    """Refuse more processes than a machine has GPUs, or several on a GPU that is named.

    Raises:
        ConfigError: If so.
    """
    if processes == 1 or device.type == "cpu":
        return
    if ":" in str(device):
        raise ConfigError(
            f"{processes} processes cannot share {device}", key="device", hint="Set device=cuda, or one process."
        )
    if processes > torch.cuda.device_count():
        raise ConfigError(
            f"{processes} processes on a machine with {torch.cuda.device_count()} GPUs",
            key="parallel.processes",
            hint="Each process needs a GPU of its own.",
        )


def check_not_launched() -> None:
    """Refuse to run a study in every process of a launcher: this package starts the processes itself.

    Raises:
        ConfigError: If ``torchrun``, ``accelerate launch`` or the like has started several copies of this command.
    """
    size = os.environ.get("WORLD_SIZE", "1")
    if "RANK" in os.environ and size.isdigit() and int(size) > 1:
        raise ConfigError(
            f"this command was started {size} times by a launcher",
            key="parallel.processes",
            hint=f"Start it once, with parallel.processes={size}.",
        )


def train_in_processes(request: TrainRequest, log: TrainingLog) -> None:
    """Carry out a training stage in several processes on this machine.

    Args:
        request: What to do.
        log: Told by the first process what it would tell its own.

    Raises:
        AdaptstiltsError: What a process raised; `TrainingError` if one died.
        OSError: If a file cannot be written.
    """
    server = TCPStore(_HOST, 0, is_master=True, wait_for_workers=False)
    team = _Team(request, server.port, log)
    with sigterm_as_exit():
        try:
            team.start()
            team.watch()
        except (KeyboardInterrupt, SystemExit):
            team.ask_to_end()
            raise
        finally:
            team.end()
    team.raise_failure()


@dataclass
class _Team:
    """The processes of one stage, seen from their parent."""

    request: TrainRequest
    port: int
    log: TrainingLog
    processes: list[SpawnProcess] = field(default_factory=list)
    readers: dict[Connection[Any, Any], int] = field(default_factory=dict)
    failures: dict[int, AdaptstiltsError | OSError] = field(default_factory=dict)
    codes: dict[int, int] = field(default_factory=dict)

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        for rank in range(self.request.parallel.processes):
            reader, writer = context.Pipe(duplex=False)
            arguments = (rank, self.port, self.request, writer)
            process = context.Process(target=_work, args=arguments, name=f"train-{rank}", daemon=True)
            process.start()
            writer.close()
            self.processes.append(process)
            self.readers[reader] = rank

    def watch(self) -> None:
        """Pass on what the processes tell until all have ended, or one failed and the others had their time."""
        deadline = None
        while self.readers and (deadline is None or time.monotonic() < deadline):
            for reader in wait(list(self.readers), timeout=1.0):
                self._take(reader)  # type: ignore[arg-type]
            if deadline is None and (self.failures or any(self.codes.values())):
                deadline = time.monotonic() + _GRACE

    def _take(self, reader: Connection[Any, Any]) -> None:
        rank = self.readers[reader]
        try:
            kind, *content = reader.recv()
        except EOFError:  # the process is over
            del self.readers[reader]
            self.processes[rank].join()
            self.codes[rank] = self.processes[rank].exitcode or 0
            return
        if kind == "failure":
            self.failures[rank] = content[0]
        else:
            getattr(self.log, kind)(*content)

    def ask_to_end(self) -> None:
        """Let the first process finish its step and write and tell of a checkpoint; it needs the others for that."""
        if self.processes and self.processes[0].is_alive():
            self.processes[0].terminate()
        deadline = time.monotonic() + _FAREWELL
        while 0 in self.readers.values() and time.monotonic() < deadline:
            for reader in wait(list(self.readers), timeout=1.0):
                self._take(reader)  # type: ignore[arg-type]

    def end(self) -> None:
        """End every process that is left."""
        for process in self.processes:
            if process.is_alive():
                process.kill()
        for process in self.processes:
            process.join()

    def raise_failure(self) -> None:
        """Raise what went wrong first: an error of a process, its death, and only then that others missed it."""
        told = [error for _, error in sorted(self.failures.items())]
        causes = [error for error in told if not isinstance(error, LostProcessError)]
        if causes:
            raise causes[0]
        size = len(self.processes)
        for rank, code in sorted(self.codes.items()):
            if code < 0:
                raise TrainingError(
                    f"process {rank} of {size} was ended by {signal.Signals(-code).name}",
                    hint="Out of memory? The same command goes on from the last checkpoint.",
                )
            if code > 0 and rank not in self.failures:
                raise RuntimeError(f"process {rank} of {size} failed; its traceback stands above")
        if told:
            raise told[0]


def _work(rank: int, port: int, request: TrainRequest, writer: Connection[Any, Any]) -> None:
    """Be one of the processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to handle
    if rank:  # the first process, which writes the checkpoint, needs the others for its last step
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    size = request.parallel.processes
    threads = max(1, (request.threads or torch.get_num_threads()) // size)
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size),
        "LOCAL_WORLD_SIZE": str(size),
        "MASTER_ADDR": _HOST,
        "MASTER_PORT": str(port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        "OMP_NUM_THREADS": str(threads),
    }
    set_threads(threads)
    quiet_libraries()
    try:
        take_part(request, lambda *told: writer.send(told) if rank == 0 else None)
    except (AdaptstiltsError, OSError) as error:
        writer.send(("failure", error))
        writer.close()
        os._exit(1)  # without waiting for a group that is broken
    writer.close()
    # At once: threads of torch's process groups may still run, and abort an interpreter that is being taken down.
    os._exit(0)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _Telling:
    """Passes what a training run tells its log on to the process that started it.

    Args:
        tell: See `take_part`.
    """

    def __init__(self, tell: Callable[..., None]) -> None:
        self.progress = Progress()
        self._tell = tell

    def stepped(self, done: int, total: int, note: str = "", numbers: StepNumbers | None = None) -> None:
        """So many steps are done."""
        self.progress.done = done
        self._tell("stepped", done, total, note, numbers)

    def dev(self, step: int, score: float, seconds: float = 0.0) -> None:
        """The dev set was scored after a step."""
        self._tell("dev", step, score, seconds)

    def summary(self, record: dict[str, Any]) -> None:
        """The run is over; these are its numbers."""
        self._tell("summary", record)

    def checkpoint(self, step: int, seconds: float) -> None:
        """A checkpoint was written after a step, which took so many seconds."""
        self._tell("checkpoint", step, seconds)

    def resumed(self, step: int) -> None:
        """The run goes on after a step that an earlier attempt has done."""
        self._tell("resumed", step)

    def noted(self, text: str) -> None:
        """A checkpoint is damaged, or cannot be written."""
        self._tell("noted", text)


def take_part(request: TrainRequest, tell: Callable[..., None]) -> None:
    """Carry out a training stage as one of the processes that the environment names; any launcher may have set it.

    Args:
        request: What to do, the same in every process.
        tell: Called with the name of a method of `TrainingLog` and what to call it with.

    Raises:
        AdaptstiltsError: If the stage cannot be carried out.
    """
    with joined(cpu=request.device == "cpu", is_sharded=request.parallel.backbone == "sharded") as group:
        make_deterministic(group.device)
        log = _Telling(tell)
        checkpoints = Checkpoints(resume_folder(request.store, request.key), request.key, request.resume, log)
        train_stage(
            request.job,
            request.inputs,
            Examples(request.data_root, quoting=request.quoting),
            request.folder,
            group.device,
            log,
            checkpoints=checkpoints,
            group=group,
        )
