"""Table of devices that a plan can be priced for, with the rates and memory their makers state. Free of torch.

Sources: the data sheets of NVIDIA's H200, H100, A100, L40S, L4, A10, V100 and T4 GPUs, and the white papers of the Ada
(RTX 4090) and Ampere GA102 (RTX 3090) architectures. Rates are those of dense matrix products (data sheets often print
twice as much, with sparsity), on tensor cores with sums in fp32 for half precision, and on ordinary cores for fp32,
since torch does not use TF32 by default. A gigabyte counts as 10^9 bytes; cards have a little more, which the driver
and torch's own overhead use up.

`cpu` is a nominal machine, not a measured one: eight cores at 3 GHz with two 8-wide fused multiply-adds per cycle, and
32 GB.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from adaptstilts.arguments import number_of
from adaptstilts.errors import ConfigError

Arithmetic = Literal["fp32", "fp16", "bf16"]
DEFAULT_DEVICE = "h100"
DEFAULT_UTILISATION = 0.4
"""Share of the peak rate that a well-filled training step reaches on a data centre GPU."""
_TERA = 10**12
_GIGA = 10**9


@dataclass(frozen=True)
class Device:
    """Peak rates and memory of a device.

    Attributes:
        name: Name on the command line.
        title: Full name.
        fp32: Operations per second in fp32 (a multiply-add is two).
        fp16: Operations per second in fp16.
        bf16: Operations per second in bf16; None if the hardware has none.
        memory: Memory in bytes.
    """

    name: str
    title: str
    fp32: float
    fp16: float
    bf16: float | None
    memory: int

    def arithmetic(self, precision: str) -> Arithmetic:
        """Resolve a ``precision`` setting: ``auto`` is bf16 on GPUs that have it, else fp32."""
        if precision == "auto":
            return "bf16" if self.bf16 is not None and self.name != "cpu" else "fp32"
        return precision  # type: ignore[return-value]

    def rate(self, precision: str) -> float:
        """Return the peak rate of a ``precision`` setting, in operations per second."""
        arithmetic = self.arithmetic(precision)
        if arithmetic == "fp32":
            return self.fp32
        return self.fp16 if arithmetic == "fp16" else self.bf16 or self.fp32

    def is_of(self, environment: Mapping[str, str] | None) -> bool:
        """Return whether the environment recorded in an artefact names this device; one without a GPU is `cpu`."""
        gpu = (environment or {}).get("gpu")
        if gpu is None:
            return self.name == "cpu" and environment is not None
        model = self.name.partition("-")[0].replace("rtx", "rtx ")
        return isinstance(gpu, str) and re.search(rf"\b{model}\b", gpu.lower()) is not None


def _device(name: str, title: str, rates: tuple[float, float, float | None], memory: int) -> Device:
    fp32, fp16, bf16 = rates
    half = None if bf16 is None else bf16 * _TERA
    return Device(name, title, fp32 * _TERA, fp16 * _TERA, half, memory * _GIGA)


DEVICES: dict[str, Device] = {
    device.name: device
    for device in (
        _device("h200", "NVIDIA H200 SXM 141 GB", (67, 989.5, 989.5), 141),
        _device("h100", "NVIDIA H100 SXM 80 GB", (67, 989.5, 989.5), 80),
        _device("h100-pcie", "NVIDIA H100 PCIe 80 GB", (51, 756, 756), 80),
        _device("a100", "NVIDIA A100 80 GB", (19.5, 312, 312), 80),
        _device("a100-40", "NVIDIA A100 40 GB", (19.5, 312, 312), 40),
        _device("l40s", "NVIDIA L40S 48 GB", (91.6, 362, 362), 48),
        _device("l4", "NVIDIA L4 24 GB", (30.3, 121, 121), 24),
        _device("a10", "NVIDIA A10 24 GB", (31.2, 125, 125), 24),
        _device("rtx4090", "NVIDIA GeForce RTX 4090 24 GB", (82.6, 165.2, 165.2), 24),
        _device("rtx3090", "NVIDIA GeForce RTX 3090 24 GB", (35.6, 71, 71), 24),
        _device("v100", "NVIDIA V100 SXM2 32 GB", (15.7, 125, None), 32),
        _device("v100-16", "NVIDIA V100 SXM2 16 GB", (15.7, 125, None), 16),
        _device("t4", "NVIDIA T4 16 GB", (8.1, 65, None), 16),
        _device("cpu", "CPU, nominal: 8 cores, 3 GHz, AVX2, 32 GB", (0.768, 0.768, 0.768), 32),
    )
}


def get_device(name: str) -> Device:
    """Look up a device by its name.

    Raises:
        ConfigError: If it is not in `DEVICES`.
    """
    if name not in DEVICES:
        raise ConfigError(f"'{name}' is not a device to price for", key="device", value=name, allowed=DEVICES)
    return DEVICES[name]


def check_utilisation(utilisation: float) -> float:
    """Return a share of the peak rate if it is valid.

    Raises:
        ConfigError: If it is not above 0 and at most 1.
    """
    if not 0 < number_of("utilisation", utilisation, least=-math.inf) <= 1:
        raise ConfigError(
            f"{utilisation} is not a share of the peak rate", key="utilisation", allowed=("above 0, at most 1",)
        )
    return utilisation
