"""Training of one stage in several processes, which are started, monitored and ended here.

The processes find each other like those of ``torchrun``: through a store that this process hosts, with the same
environment variables. No process outlives its parent, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.distributed import TCPStore  # type: ignore[attr-defined]

from adaptstilts.config.runtime import ParallelSection, ResumeSection
from adaptstilts.engine.journal import StepNumbers
from adaptstilts.engine.signals import delaying_signals, end_with_parent, sigterm_as_exit
from adaptstilts.engine.spawning import without_main_module
from adaptstilts.errors import AdaptstiltsError, ConfigError, TrainingError
from adaptstilts.formatting import number_text
from adaptstilts.runtime import (
    attention_by,
    attention_kernels,
    attention_text,
    half_dtype,
    make_deterministic,
    pick_device,
    quiet_libraries,
    set_threads,
)
from adaptstilts.store.holding import Progress
from adaptstilts.study.plan.jobs import TrainJob
from adaptstilts.study.stages.examples import Examples
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.study.stages.train import TrainingLog, train_stage
from adaptstilts.tasks.registry import adopt
from adaptstilts.train.checkpoints import Checkpoints, resume_folder
from adaptstilts.train.distributed import LostProcessError, joined

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from adaptstilts.config.schema import StudyConfig
    from adaptstilts.tasks.spec import Task

_HOST = "127.0.0.1"
_FAILURE_SECONDS = 5.0
"""Seconds that the other processes have to report their errors after one has failed."""
_CHECKPOINT_SECONDS = 20.0
"""Seconds that the first process has to write a last checkpoint when the run is interrupted."""


@dataclass(frozen=True)
class TrainRequest:
    """Everything that a process needs to carry out a training stage.

    Attributes:
        key: Content key of the stage.
        quoting: Option of the readers; see `adaptstilts.config.schema.DataSection`.
        folder: Output folder of the stage.
        store: Folder of the store, for checkpoints.
        device: Kind of device: ``cpu`` or ``cuda``.
        threads: CPU threads of all processes together; None for torch's own number.
        resume: Settings of checkpoints.
        parallel: Number of processes, and whether the frozen backbone is sharded.
        attention: As `runtime.attention` in a configuration.
        tasks: Outside tasks, which a new process has not registered.
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
    attention: str = "auto"
    tasks: tuple[Task, ...] = ()


def check_device(config: StudyConfig, precisions: Mapping[str, str]) -> None:
    """Check that this machine has the device of a study, one for each process of a stage, and what it is to do.

    Args:
        precisions: Arithmetic that is asked for, by its setting.

    Raises:
        ConfigError: See `pick_device`, `check_processes`, `attention_kernels` and `half_dtype`.
    """
    device = pick_device(config.device)
    check_processes(device, config.parallel.processes)
    attention_kernels(device, config.runtime.attention)
    for key, precision in precisions.items():
        half_dtype(device, precision, key)


def check_processes(device: torch.device, processes: int) -> None:
    """Check that each process can have a GPU of its own.

    Raises:
        ConfigError: If there are more processes than GPUs, or several processes and one named GPU.
    """
    if processes == 1 or device.type == "cpu":
        return
    if ":" in str(device):
        raise ConfigError(
            f"{processes} processes cannot share {device}", key="device", hint="Set device=cuda, or one process."
        )
    if processes > torch.cuda.device_count():
        raise ConfigError(
            f"{number_text(processes, 'process')} on a machine with {number_text(torch.cuda.device_count(), 'GPU')}",
            key="parallel.processes",
            hint="Each process needs a GPU of its own.",
        )


def check_not_launched() -> None:
    """Check that no launcher has started several copies of this command, since it starts the processes itself.

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
        log: Receives the events of the first process.

    Raises:
        AdaptstiltsError: If a process raised it; `TrainingError` if a process died.
        OSError: If a file cannot be written.
    """
    server = TCPStore(_HOST, 0, is_master=True, wait_for_workers=False)
    training = _TrainingProcesses(request, server.port, log)
    with sigterm_as_exit():
        try:
            training.start()
            training.watch()
        except (KeyboardInterrupt, SystemExit):
            training.end_after_checkpoint()
            raise
        finally:
            training.end()
    training.raise_failure()


@dataclass
class _TrainingProcesses:
    """The processes of one stage, as their parent manages them."""

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
            process = context.Process(target=_run_process, args=arguments, name=f"train-{rank}", daemon=True)
            with without_main_module():
                process.start()
            writer.close()
            self.processes.append(process)
            self.readers[reader] = rank

    def watch(self) -> None:
        """Forward the processes' events until all have ended, or until the time to report errors is over."""
        deadline = None
        while self.readers and (deadline is None or time.monotonic() < deadline):
            for reader in wait(list(self.readers), timeout=1.0):
                self._receive(reader)  # type: ignore[arg-type]
            if deadline is None and (self.failures or any(self.codes.values())):
                deadline = time.monotonic() + _FAILURE_SECONDS

    def _receive(self, reader: Connection[Any, Any]) -> None:
        rank = self.readers[reader]
        try:
            with delaying_signals():
                kind, *content = reader.recv()
        except (EOFError, OSError):  # the process is over, perhaps in the middle of a message
            del self.readers[reader]
            self.processes[rank].join()
            self.codes[rank] = self.processes[rank].exitcode or 0
            return
        if kind == "failure":
            self.failures[rank] = content[0]
        else:
            getattr(self.log, kind)(*content)

    def end_after_checkpoint(self) -> None:
        """Let the first process finish its step and write a checkpoint, for which it needs the others."""
        if self.processes and self.processes[0].is_alive():
            self.processes[0].terminate()
        deadline = time.monotonic() + _CHECKPOINT_SECONDS
        while 0 in self.readers.values() and time.monotonic() < deadline:
            for reader in wait(list(self.readers), timeout=1.0):
                self._receive(reader)  # type: ignore[arg-type]

    def end(self) -> None:
        """Kill the processes that still run."""
        for process in self.processes:
            if process.is_alive():
                process.kill()
        for process in self.processes:
            process.join()

    def raise_failure(self) -> None:
        """Raise the first cause: an error in a process or its death, before errors of others that lost contact."""
        errors = [error for _, error in sorted(self.failures.items())]
        causes = [error for error in errors if not isinstance(error, LostProcessError)]
        if causes:
            raise causes[0]
        size = len(self.processes)
        for rank, code in sorted(self.codes.items()):
            if code < 0:
                raise TrainingError(
                    f"process {rank} of {size} was ended by {signal.Signals(-code).name}",
                    hint="It may have run out of memory. The same command resumes from the last checkpoint.",
                )
            if code > 0 and rank not in self.failures:
                raise RuntimeError(f"process {rank} of {size} failed; see its traceback above")
        if errors:
            raise errors[0]


def _run_process(rank: int, port: int, request: TrainRequest, writer: Connection[Any, Any]) -> None:
    """Run one of the processes from start to exit."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # only the parent handles it
    if rank:  # the first process, which writes the checkpoint, needs the others for its last step
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end_with_parent()
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
        take_part(request, lambda *event: writer.send(event) if rank == 0 else None)
    except (AdaptstiltsError, OSError) as error:
        writer.send(("failure", error))
        writer.close()
        os._exit(1)  # without waiting for the broken process group
    writer.close()
    # At once: threads of torch's process groups may still run, and abort an interpreter that is being taken down.
    os._exit(0)


class _ForwardingLog:
    """Log of a training run that forwards all events to the parent process.

    Args:
        send: See `take_part`.
    """

    def __init__(self, send: Callable[..., None]) -> None:
        self.progress = Progress()
        self._send = send

    def stepped(self, done: int, total: int, note: str = "", numbers: StepNumbers | None = None) -> None:
        """Forward the number of steps done."""
        self.progress.done = done
        self._send("stepped", done, total, note, numbers)

    def dev(self, step: int, score: float, seconds: float = 0.0) -> None:
        """Forward a dev score and the seconds that scoring took."""
        self._send("dev", step, score, seconds)

    def summary(self, record: dict[str, Any]) -> None:
        """Forward the final numbers of the run."""
        self._send("summary", record)

    def checkpoint(self, step: int, seconds: float) -> None:
        """Forward that a checkpoint was written, and the seconds it took."""
        self._send("checkpoint", step, seconds)

    def resumed(self, step: int) -> None:
        """Forward the step from which the run was resumed."""
        self._send("resumed", step)

    def noted(self, text: str) -> None:
        """Forward a message on a checkpoint that is damaged or cannot be written."""
        self._send("noted", text)


def take_part(request: TrainRequest, send: Callable[..., None]) -> None:
    """Carry out a training stage as one process of a group, whose environment variables any launcher may have set.

    Args:
        request: Request that is the same in every process.
        send: Called with the name of a method of `TrainingLog` and its arguments.

    Raises:
        AdaptstiltsError: If the stage cannot be carried out.
    """
    adopt(request.tasks)
    is_sharded = request.parallel.backbone == "sharded"
    with ExitStack() as stack, joined(cpu=request.device == "cpu", is_sharded=is_sharded) as group:
        make_deterministic(group.device)
        stack.enter_context(attention_by(group.device, request.attention))
        log = _ForwardingLog(send)
        checkpoints = Checkpoints(resume_folder(request.store, request.key), request.key, request.resume, log)
        train_stage(
            request.job,
            request.inputs,
            Examples(request.data_root, quoting=request.quoting, pins=request.inputs.pins),
            request.folder,
            group.device,
            log,
            checkpoints=checkpoints,
            group=group,
            attention=attention_text(group.device, request.attention),
        )
