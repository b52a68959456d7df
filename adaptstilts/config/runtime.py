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


class ResumeSection(Section):
    """Checkpoints within a training stage, from which it resumes after an interruption; the result is the same."""

    every_steps: int | None = Field(None, ge=1, description="Optimiser steps between two checkpoints; null: by time.")
    every_minutes: float | None = Field(
        10, gt=0, description="Minutes between two checkpoints; null: by steps. With both, whichever comes first."
    )
    keep: int = Field(2, ge=1, le=100, description="Checkpoints kept; an older one is used if the newest is damaged.")


class ParallelSection(Section):
    """Data-parallel training: several processes, each with its own GPU, run one training stage together."""

    processes: int = Field(
        1, ge=1, le=64, description="Processes per training stage; process n uses GPU n, or the CPU if there is none."
    )
    backbone: Literal["replicated", "sharded"] = Field(
        "replicated",
        description="replicated: every process holds the whole frozen backbone; sharded: each holds a part of it, "
        "which takes less memory and more communication. Trained weights are whole in every process.",
    )
