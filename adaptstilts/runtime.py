"""Device, precision, seeds, and a record of the environment; torch is imported inside the functions."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import platform
import warnings
from collections.abc import Iterator
from importlib import metadata
from typing import TYPE_CHECKING

from adaptstilts.errors import ConfigError

if TYPE_CHECKING:
    import torch

RECORDED_PACKAGES = ("adaptstilts", "torch", "transformers", "adapters", "peft", "datasets", "tokenizers", "numpy")


def prepare_process() -> None:
    """Set what torch and others read when they are imported or first used; variables that are set already stay."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads starve each other on a busy machine
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what deterministic matrix products on GPUs need
    # Libraries load tqdm, which asks for ipywidgets in a notebook; progress is shown without them.
    warnings.filterwarnings("ignore", message="IProgress not found")


def pick_device(name: str) -> torch.device:
    """Return the device for ``auto`` (the first GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        ConfigError: If the name is none of these or the device does not exist.
    """
    import torch  # noqa: PLC0415

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    allowed = ["auto", "cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if name == "cuda" and torch.cuda.is_available():
        return torch.device("cuda")
    if name not in allowed:
        raise ConfigError(f"'{name}' is not a device of this machine", key="device", value=name, allowed=allowed)
    return torch.device(name)


def quiet_libraries() -> None:
    """Silence transformers and adapters below errors: both report every new head as a newly initialised weight."""
    for name in ("transformers", "adapters"):
        logging.getLogger(name).setLevel(logging.ERROR)


@contextlib.contextmanager
def without_note_on_unused_weights() -> Iterator[None]:
    """Silence transformers' note on weights of a checkpoint that an encoder does not have: its pooler, its heads."""

    def is_wanted(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("Some weights of the model checkpoint at ")

    logger = logging.getLogger("transformers.modeling_utils")
    logger.addFilter(is_wanted)
    try:
        yield
    finally:
        logger.removeFilter(is_wanted)


def set_threads(threads: int | None) -> None:
    """Limit torch to a number of CPU threads; None keeps its default."""
    if threads is not None:
        import torch  # noqa: PLC0415

        torch.set_num_threads(threads)


def make_deterministic(device: torch.device) -> None:
    """Select the deterministic kernels of a GPU; torch warns and continues at an operation that has none.

    On a CPU with a fixed number of threads torch is deterministic already.
    """
    import torch  # noqa: PLC0415

    if device.type == "cuda":
        torch.use_deterministic_algorithms(True, warn_only=True)


def derive_seed(seed: int, *names: object) -> int:
    """Derive a seed (0 to 2**31 - 1) for a purpose, the same on every machine; different names give unrelated seeds."""
    text = "\x1f".join([str(seed), *(str(name) for name in names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") & 0x7FFFFFFF


@contextlib.contextmanager
def autocast(device: torch.device, precision: str) -> Iterator[None]:
    """Run forward passes in half precision if requested.

    ``precision`` is ``auto``, ``fp32``, ``bf16`` or ``fp16``; auto is bf16 on a GPU that has it, else fp32.
    """
    import torch  # noqa: PLC0415

    dtype = half_dtype(device, precision)
    if dtype is None:
        yield
    else:
        with torch.autocast(device_type=device.type, dtype=dtype):
            yield


def half_dtype(device: torch.device, precision: str) -> torch.dtype | None:
    """Return the half-precision type that `precision` means on `device`, or None for fp32; fp16 needs a GPU."""
    import torch  # noqa: PLC0415

    if precision == "auto":
        return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else None
    if precision == "fp16" and device.type == "cpu":
        raise ConfigError("fp16 needs a GPU", key="precision", allowed=("auto", "fp32", "bf16"))
    return {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


def environment() -> dict[str, str]:
    """Return what distinguishes two runs' environments: package versions, Python, system, processor kind, GPU."""
    import torch  # noqa: PLC0415

    record = {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()}
    installed = {item.metadata["Name"] for item in metadata.distributions()}
    record |= {name: metadata.version(name) if name in installed else "not installed" for name in RECORDED_PACKAGES}
    record["threads"] = str(torch.get_num_threads())
    record["cpus"] = str(os.cpu_count())
    if torch.cuda.is_available():
        record["gpu"] = torch.cuda.get_device_name(0)
    return record
