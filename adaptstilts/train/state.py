"""Snapshots of a training run between two steps, and their restoration."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from adaptstilts.encoding.features import Feature
from adaptstilts.models.network import TaskNetwork, restore_state, trained_state
from adaptstilts.train.checkpoints import Snapshot

_WEIGHTS, _OPTIMIZER, _CUDA = "weights/", "optimizer/", "random/cuda/"
_TORCH = "random/torch"


@dataclass
class TrainingProgress:
    """Progress of a run so far.

    Attributes:
        step: Optimiser steps taken.
        best_step: Step of the best dev score; 0 before the first.
        best_state: Trained weights of that step, on the CPU; empty before the first.
        dev_scores: (step, score) of every evaluation.
        losses: Loss of every step.
        worse: Number of evaluations since the best one.
        seconds: Wall time before the last start.
        resumed_at: Steps at which it resumed after an interruption.
    """

    step: int = 0
    best_step: int = 0
    best_dev: float = -math.inf
    best_state: dict[str, Tensor] = field(default_factory=dict)
    dev_scores: list[tuple[int, float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    worse: int = 0
    seconds: float = 0.0
    resumed_at: list[int] = field(default_factory=list)


@dataclass
class TrainingRun:
    """A training run: network, optimiser, schedule, gradient scaler and progress."""

    network: TaskNetwork
    optimizer: AdamW
    schedule: LambdaLR
    scaler: torch.GradScaler
    progress: TrainingProgress = field(default_factory=TrainingProgress)


def run_digest(network: TaskNetwork, items: Sequence[Feature]) -> str:
    """Return a digest of the trained tensors (names and shapes) and the training items (number and size).

    A checkpoint is used only by a run with the same digest.
    """
    shapes = [(name, list(value.shape)) for name, value in network.named_parameters() if value.requires_grad]
    facts = [len(items), sum(item.size for item in items), sorted(shapes)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def take_snapshot(run: TrainingRun, *, batches_per_epoch: int, seconds: float) -> Snapshot:
    """Copy everything that decides how a run continues from here (between two steps), except frozen weights.

    ``seconds`` is the wall time of the run so far.
    """
    progress = run.progress
    state = run.optimizer.state_dict()
    tensors = {_WEIGHTS + name: tensor for name, tensor in trained_state(run.network).items()}
    tensors[_TORCH] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors |= {f"{_CUDA}{index}": value for index, value in enumerate(torch.cuda.get_rng_state_all())}
    for number, kept in state["state"].items():
        tensors |= {f"{_OPTIMIZER}{number}/{name}": value.to("cpu", copy=True) for name, value in kept.items()}
    epoch, batch = divmod(progress.step, batches_per_epoch)
    numpy_state: Any = np.random.get_state(legacy=True)
    values: dict[str, Any] = {
        "optimizer": [
            {key: value for key, value in group.items() if key != "params"} for group in state["param_groups"]
        ],
        "schedule": run.schedule.state_dict(),
        "scaler": run.scaler.state_dict(),
        "epoch": epoch,
        "batch": batch,
        "numpy": [numpy_state[0], np.asarray(numpy_state[1]).tolist(), *numpy_state[2:]],
        "python": random.getstate(),
        "progress": {
            key.name: getattr(progress, key.name) for key in dataclasses.fields(progress) if key.name != "best_state"
        },
    }
    values["progress"]["seconds"] = seconds
    return Snapshot(progress.step, tensors, values, progress.best_step, dict(progress.best_state))


def put_back(run: TrainingRun, snapshot: Snapshot) -> None:
    """Restore a snapshot into a fresh run with equal `run_digest`, and add its step to those of earlier resumptions."""
    values, tensors = snapshot.values, snapshot.tensors
    restore_state(run.network, _below(tensors, _WEIGHTS))
    state = run.optimizer.state_dict()
    kept: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _below(tensors, _OPTIMIZER).items():
        number, _, key = name.partition("/")
        kept.setdefault(int(number), {})[key] = tensor
    groups = [
        group | {key: tuple(value) if isinstance(value, list) else value for key, value in saved.items()}
        for group, saved in zip(state["param_groups"], values["optimizer"], strict=True)
    ]
    run.optimizer.load_state_dict({"state": kept, "param_groups": groups})
    run.schedule.load_state_dict(values["schedule"])
    if values["scaler"] and run.scaler.is_enabled():
        run.scaler.load_state_dict(values["scaler"])
    _put_random_states_back(snapshot)
    known = dict(values["progress"])
    known["dev_scores"] = [(step, score) for step, score in known["dev_scores"]]
    known["resumed_at"] = [*known["resumed_at"], snapshot.step]
    run.progress = TrainingProgress(**known, best_state=dict(snapshot.best))


def _put_random_states_back(snapshot: Snapshot) -> None:
    torch.set_rng_state(snapshot.tensors[_TORCH])
    cuda = _below(snapshot.tensors, _CUDA)
    if cuda and torch.cuda.device_count() == len(cuda):
        torch.cuda.set_rng_state_all([cuda[str(index)] for index in range(len(cuda))])
    name, words, *rest = snapshot.values["numpy"]
    np.random.set_state((name, np.array(words, dtype=np.uint32), *rest))
    version, words, following = snapshot.values["python"]
    random.setstate((version, tuple(words), following))


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
