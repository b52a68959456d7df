"""Data-parallel training: communication between the processes that share one run.

Gradients are summed by the package's own few calls, not by a wrapper around the network. Parameters that had no part in
a batch (a second head, a fusion in a layer without adapters) therefore need no option: where one process has no
gradient it counts as zero, and where none has one the optimiser leaves the parameter alone, as in a single process.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from adaptstilts.errors import TrainingError
from adaptstilts.formatting import reason_of

TIMEOUT = timedelta(minutes=30)
"""How long a process waits for the others; longer than the longest scoring of a dev set."""
BUCKET = 1 << 25
"""Numbers that are summed in one call: 128 MiB in single precision."""
T = TypeVar("T")


class LostProcessError(TrainingError):
    """Another process of the run is gone or does not answer."""


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that share one run, as seen from one of them; a single process communicates nothing.

    Attributes:
        rank: Number of this process; process 0 scores, writes and reports.
        device: Where this process computes.
        is_sharded: Whether frozen weights are spread over the processes, so that every forward pass needs all of them.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    is_sharded: bool = False

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    @property
    def scores(self) -> bool:
        """Whether this process runs the network over the dev set."""
        return self.is_first or self.is_sharded

    def own(self, parts: Sequence[T]) -> list[tuple[int, T]]:
        """Return this process's share of a step's micro-batches, with their numbers."""
        return list(enumerate(parts))[self.rank :: self.size]

    def sum_gradients(self, parameters: Sequence[nn.Parameter], loss: float) -> float:
        """Sum gradients over all processes in place, and return the sum of their losses.

        The parameters come in the same order in every process. A process that is gone raises `LostProcessError`.
        """
        if self.size == 1:
            return loss
        facts = torch.tensor([loss, *(float(one.grad is not None) for one in parameters)], dtype=torch.float64)
        known = self._sum(facts.to(self.device)).tolist()
        used = [one for one, count in zip(parameters, known[1:], strict=True) if count]
        for bucket in _buckets(used):
            parts = [torch.zeros_like(one) if one.grad is None else one.grad for one in bucket]
            flat = self._sum(torch.cat([part.flatten() for part in parts]))
            pieces = torch.split(flat, [one.numel() for one in bucket])
            for one, piece in zip(bucket, pieces, strict=True):
                one.grad = piece.view_as(one)
        return float(known[0])

    def from_first(self, value: float) -> float:
        """Return process 0's value of a number."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        self._broadcast(shared)
        return float(shared.item())

    def copy_from_first(self, tensors: Sequence[Tensor]) -> None:
        """Overwrite tensors with those of process 0, so that all start alike."""
        if self.size > 1:
            for tensor in tensors:
                self._broadcast(tensor.detach())

    def _sum(self, tensor: Tensor) -> Tensor:
        with _losses_named(self):
            distributed.all_reduce(tensor)
        return tensor

    def _broadcast(self, tensor: Tensor) -> None:
        with _losses_named(self):
            distributed.broadcast(tensor, src=0)


SINGLE_PROCESS = ProcessGroup()
"""The group of a run in one process."""


@contextlib.contextmanager
def joined(*, cpu: bool, is_sharded: bool = False) -> Iterator[ProcessGroup]:
    """Join the processes that the environment names; a group of one process without such variables.

    The variables are those of ``torchrun`` and ``accelerate launch`` (``RANK``, ``WORLD_SIZE``, ``LOCAL_RANK``,
    ``MASTER_ADDR``, ``MASTER_PORT``); accelerate reads them and picks the device: process n on ``cuda:n`` with nccl, or
    with ``cpu`` all on the CPU with gloo. ``is_sharded`` spreads frozen weights (`adaptstilts.train.sharding`). The
    group ends with the block.
    """
    from accelerate import PartialState  # noqa: PLC0415 - takes a second, and one process needs none of it

    state: Any = PartialState(cpu=cpu, timeout=TIMEOUT)
    yield ProcessGroup(int(state.process_index), int(state.num_processes), state.device, is_sharded)
    state.destroy_process_group()
    PartialState._reset_state()


@contextlib.contextmanager
def _losses_named(group: ProcessGroup) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        first = reason_of(error)
        raise LostProcessError(
            f"process {group.rank} of {group.size} lost the others: {first}",
            hint="The same command resumes from the last checkpoint.",
        ) from error


def _buckets(parameters: Sequence[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """Split parameters into groups of one type and bounded size."""
    bucket: list[nn.Parameter] = []
    room = BUCKET
    for parameter in parameters:
        if bucket and (parameter.numel() > room or parameter.dtype is not bucket[0].dtype):
            yield bucket
            bucket, room = [], BUCKET
        bucket.append(parameter)
        room -= parameter.numel()
    if bucket:
        yield bucket
