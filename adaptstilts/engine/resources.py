"""Resources: what a stage needs, and which GPUs a machine has. Free of torch."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from adaptstilts.errors import EngineError
from adaptstilts.formatting import number_text
from adaptstilts.store.stage import Stage, StageKind

_MEBIBYTE = 1 << 20
_SHARE_KEPT_FREE = 0.08
"""Share of a GPU's memory reserved for its context, other programs and errors of the estimate."""


@dataclass(frozen=True)
class Needs:
    """Resources that one stage needs while it runs.

    Attributes:
        computes: Whether it runs a network; else it needs no GPU.
        gpu_bytes: Memory on each GPU it uses; 0 if that is not known.
    """

    computes: bool
    gpu_bytes: int


def computes(stage: Stage) -> bool:
    """Say whether a stage runs a network, and so needs a GPU."""
    return stage.kind in {StageKind.TRAIN, StageKind.PREDICT}


NeedsOf = Callable[[Stage], Needs]
"""Estimates the resources of a stage."""


@dataclass(frozen=True)
class Machine:
    """GPUs of a machine.

    Attributes:
        gpus: Bytes of memory that stages may use on each GPU.
        names: Name of each GPU in ``CUDA_VISIBLE_DEVICES``.
    """

    gpus: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    def grouped(self, size: int) -> Machine:
        """Return the machine with groups of ``size`` neighbouring GPUs in place of single ones.

        Such a group serves a stage that uses several GPUs; its memory is that of its smallest GPU. GPUs that do not
        fill a group are left out. A machine without GPUs is returned unchanged.

        Raises:
            EngineError: If there are GPUs, but fewer than ``size``.
        """
        if self.gpus and size > len(self.gpus):
            raise EngineError(
                f"{number_text(size, 'process')} of one stage need a GPU each, and there are {len(self.gpus)}",
                key="parallel.processes",
                value=size,
                allowed=range(1, len(self.gpus) + 1),
            )
        starts = range(0, len(self.gpus) - size + 1, size)
        memory = tuple(min(self.gpus[start : start + size]) for start in starts)
        return Machine(memory, tuple(",".join(self.names[start : start + size]) for start in starts))


def this_machine(device: str) -> Machine:
    """Find the GPUs of this machine without loading torch.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``, as in the configuration.

    Returns:
        GPUs that ``device`` and ``CUDA_VISIBLE_DEVICES`` allow; none for ``cpu``, or if the driver's tool
        ``nvidia-smi`` is missing or fails.
    """
    tool = shutil.which("nvidia-smi")
    if device == "cpu" or tool is None:
        return Machine()
    try:
        output = subprocess.run(
            [tool, "--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits"],
            capture_output=True, text=True, check=True, timeout=30,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return Machine()
    rows = [[part.strip() for part in line.split(",")] for line in output.splitlines() if line.count(",") == 2]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [index for index, _, _ in rows] if visible is None else [name for name in visible.split(",") if name]
    memory = {name: int(size) for index, uuid, size in rows for name in (index, uuid) if size.isdigit()}
    known = [(name, memory[name]) for name in names if name in memory]
    if device.startswith("cuda:"):
        known = known[int(device[5:]) :][:1]
    sizes = tuple(int(size * _MEBIBYTE * (1 - _SHARE_KEPT_FREE)) for _, size in known)
    return Machine(sizes, tuple(name for name, _ in known))
