"""Device, precision, seeds, and a record of the environment; torch is imported inside the functions."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import logging
import os
import platform
import warnings
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import TYPE_CHECKING

from adaptstilts.errors import ConfigError

if TYPE_CHECKING:
    import torch

_SDP_NAMES = {
    "flash": "FLASH_ATTENTION",
    "efficient": "EFFICIENT_ATTENTION",
    "cudnn": "CUDNN_ATTENTION",
    "math": "MATH",
}
"""Names of torch's attention kernels in a configuration and in torch."""
ATTENTION_ON_CPU = ("flash", "math")
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


@contextlib.contextmanager
def without_notes_on_settings() -> Iterator[None]:
    """Silence what transformers says of settings in a config.json: what it cannot take becomes an error anyway."""
    logger = logging.getLogger("transformers.configuration_utils")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


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


@contextlib.contextmanager
def attention_by(device: torch.device, name: str) -> Iterator[None]:
    """Select the kernels that torch's attention may use inside the block.

    cuDNN's are never among them unless they are asked for: they plan anew for every shape of a batch, and their
    gradients are not repeatable. Where a kernel cannot be used, such as flash in a batch with padding, the next one is.

    Args:
        name: As `runtime.attention` in a configuration.

    Raises:
        ConfigError: If the kernel does not exist on this device.
    """
    from torch.nn.attention import SDPBackend, sdpa_kernel  # noqa: PLC0415

    names = attention_kernels(device, name)
    if not names:
        yield
        return
    kernels = [getattr(SDPBackend, _SDP_NAMES[kernel]) for kernel in names]
    if "set_priority" in inspect.signature(sdpa_kernel).parameters:
        with sdpa_kernel(kernels, set_priority=True):
            yield
    else:
        # This torch puts cuDNN's last, so that it would never be used beside another one.
        with sdpa_kernel(kernels[:1] if name == "cudnn" else kernels):
            yield


def attention_kernels(device: torch.device, name: str) -> tuple[str, ...]:
    """Return the kernels of attention that `name` means on `device`, the first choice first; empty for torch's choice.

    Raises:
        ConfigError: If there is no such kernel on this device.
    """
    is_gpu = device.type == "cuda"
    if name == "auto":
        return ("flash", "efficient", "math") if is_gpu else ()
    if not is_gpu and name not in ATTENTION_ON_CPU:
        raise ConfigError(
            f"'{name}' needs a GPU, and the device is {device.type}",
            key="runtime.attention",
            allowed=("auto", *ATTENTION_ON_CPU),
            hint="More: adaptstilts docs training.",
        )
    return (name,) if name == "math" else (name, "math")


def attention_text(device: torch.device, name: str) -> str:
    """Return how attention is computed, for the record of a result: ``flash, efficient, math``."""
    return ", ".join(attention_kernels(device, name)) or "torch's choice"


class Backward:
    """How gradients are computed: repeatably where all operations can.

    Flash and efficient attention have repeatable gradients only where torch is told to fail at any operation that has
    none. If one fails so, the process goes on without, and torch warns at what is not repeatable.
    """

    def __init__(self) -> None:
        self._is_strict = True

    def run(self, compute: Callable[[], float], start_again: Callable[[], None], device: torch.device) -> float:
        """Compute gradients; call `start_again` before they are computed a second time."""
        if not (self._is_strict and _may_be_strict(device)):
            return compute()
        try:
            with _strict():
                return compute()
        except RuntimeError as error:
            if _NOT_REPEATABLE not in str(error):
                raise
        self._is_strict = False
        start_again()
        return compute()


_NOT_REPEATABLE = "does not have a deterministic implementation"


def _may_be_strict(device: torch.device) -> bool:
    """Say whether repeatable gradients were asked for (`make_deterministic`) and cuDNN's attention was not."""
    import torch  # noqa: PLC0415

    asked = device.type == "cuda" and torch.are_deterministic_algorithms_enabled()
    return asked and not torch.backends.cuda.cudnn_sdp_enabled()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def _strict() -> Iterator[None]:
    """Let torch fail at operations that are not repeatable."""
    import torch  # noqa: PLC0415

    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
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


def half_dtype(device: torch.device, precision: str, key: str = "precision") -> torch.dtype | None:
    """Return the half-precision type that `precision` means on `device`, or None for fp32; fp16 needs a GPU.

    Args:
        key: The setting, for the error.

    Raises:
        ConfigError: If the device has no such arithmetic.
    """
    import torch  # noqa: PLC0415

    if precision == "auto":
        return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else None
    if precision == "fp16" and device.type == "cpu":
        problem = f"fp16 needs a GPU, and the device is {device.type}"
        raise ConfigError(problem, key=key, value=precision, allowed=("auto", "fp32", "bf16"))
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
