"""How the machine computes: settings that are part of no stage's key, like the device."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from adaptstilts.config.section import Section

Attention = Literal["auto", "flash", "efficient", "cudnn", "math"]
"""Which of torch's kernels compute attention; `adaptstilts.runtime.attention_by` says which may be used for each."""


class RuntimeSection(Section):
    """How the machine computes; part of no stage's key, like the device."""

    attention: Attention = Field(
        "auto",
        description="Kernels of attention in encoders that use torch's (docs/training.md). auto: on a GPU flash and "
        "efficient, where they can be used, else math; on a CPU torch's own choice. flash, efficient, cudnn: that one "
        "where it can be used. math: matrix products. cudnn plans anew for every shape of a batch, and is not "
        "repeatable; efficient and cudnn need a GPU.",
    )
