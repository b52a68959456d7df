"""The one training loop. Methods differ in what trains and where weights start, never here."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.errors import TrainingError
from adaptstilts.models.network import TaskNetwork, restore_state, trained_state
from adaptstilts.runtime import autocast, derive_seed, half_dtype
from adaptstilts.tasks.features import Feature
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.batches import Batch, collate, grouped_batches
from adaptstilts.train.losses import hide_padding, loss_sum, target_count
from adaptstilts.train.optim import build_optimizer, build_schedule

StepReport = Callable[[int, int, float], None]
"""Called after each optimiser step with (step, steps in all, loss)."""


@dataclass(frozen=True)
class FitReport:
    """What a training run did.

    Attributes:
        steps: Optimiser steps taken.
        planned_steps: Steps of the schedule.
        best_step: Step whose weights were kept.
        best_dev: Dev score at that step, in percent; NaN without a dev set.
        dev_scores: (step, score) of every evaluation.
        losses: Mean loss of every twentieth of the run.
        seconds: Wall time, dev scores included.
        examples: Training examples.
        stopped_early: Whether patience ended it before its last step.
    """

    steps: int
    planned_steps: int
    best_step: int
    best_dev: float
    dev_scores: tuple[tuple[int, float], ...]
    losses: tuple[float, ...]
    seconds: float
    examples: int
    stopped_early: bool


@dataclass
class _Progress:
    """Mutable state of a run between steps."""

    step: int = 0
    best_step: int = 0
    best_dev: float = -math.inf
    best_state: dict[str, Tensor] = field(default_factory=dict)
    dev_scores: list[tuple[int, float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    worse: int = 0


def fit(
    network: TaskNetwork,
    items: Sequence[Feature],
    settings: TrainSettings,
    *,
    kind: Kind,
    seed: int,
    score_dev: Callable[[TaskNetwork], float] | None,
    penalty: Callable[[], Tensor] | None = None,
    on_step: StepReport | None = None,
) -> FitReport:
    """Train a prepared network and leave the best weights in it.

    Args:
        network: As `adaptstilts.train.phases.prepare` returns it, on its device; what requires gradients trains.
        items: Training items; at least one.
        settings: Optimisation.
        kind: Kind of task.
        seed: Decides order and dropout.
        score_dev: Score on the English dev set, higher is better; None keeps the last weights.
        penalty: Regularisation added to each step's loss (fusion).
        on_step: Progress callback.

    Returns:
        What happened.

    Raises:
        TrainingError: If there is nothing to train on or the loss is not finite.
    """
    if not items:
        raise TrainingError("no training examples", hint="Look at data.max_train and at the task's training file.")
    started = time.perf_counter()
    total = planned_steps(len(items), settings)
    every = settings.evaluate_every or max(1, math.ceil(len(items) / settings.batch_size))
    device = next(network.parameters()).device
    torch.manual_seed(derive_seed(seed, "dropout"))
    optimizer = build_optimizer(network, settings)
    schedule = build_schedule(optimizer, settings, total)
    scaler = torch.GradScaler(device.type, enabled=half_dtype(device, settings.precision) is torch.float16)
    if settings.gradient_checkpointing:
        network.encoder.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    state = _Progress()
    stopped = False
    while state.step < total and not stopped:
        epoch = state.step // max(1, math.ceil(len(items) / settings.batch_size))
        for batch in grouped_batches(items, settings.batch_size, seed=derive_seed(seed, "order", epoch)):
            network.train()
            loss = _backward(network, [items[index] for index in batch], settings, kind, scaler, penalty)
            if not math.isfinite(loss):
                raise TrainingError(
                    f"the loss is {loss} at step {state.step + 1}", hint="Lower the learning rate, or use bf16 or fp32."
                )
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(trained, settings.clip_norm)
            scaler.step(optimizer)
            scaler.update()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            state.step += 1
            state.losses.append(loss)
            if on_step is not None:
                on_step(state.step, total, loss)
            if score_dev is not None and (state.step % every == 0 or state.step == total):
                stopped = _evaluate(network, score_dev, state, settings)
            if stopped or state.step >= total:
                break
    if state.best_state:
        restore_state(network, state.best_state)
    network.eval()
    return _report(state, total, len(items), time.perf_counter() - started, stopped)


def planned_steps(examples: int, settings: TrainSettings) -> int:
    """Return the optimiser steps of a run over ``examples`` examples."""
    steps = settings.epochs * math.ceil(examples / settings.batch_size)
    return min(steps, settings.max_steps) if settings.max_steps is not None else steps


def _backward(
    network: TaskNetwork,
    items: Sequence[Feature],
    settings: TrainSettings,
    kind: Kind,
    scaler: torch.GradScaler,
    penalty: Callable[[], Tensor] | None,
) -> float:
    """Accumulate the gradient of one optimiser step; return its mean loss."""
    device = next(network.parameters()).device
    size = math.ceil(len(items) / settings.accumulation)
    batches = [collate(items[first : first + size], kind).to(device) for first in range(0, len(items), size)]
    count = sum(target_count(kind, _targets(batch)) for batch in batches)
    total = 0.0
    for index, batch in enumerate(batches):
        with autocast(device, settings.precision):
            scores = batch.scores(network)
            if kind is Kind.EXTRACT:
                scores = hide_padding(scores, batch.attention_mask)
            loss = loss_sum(kind, scores, _targets(batch)) / max(1, count)
        if penalty is not None and index == 0:
            loss = loss + penalty()
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        total += float(loss.detach())
    return total


def _targets(batch: Batch) -> Tensor:
    if batch.targets is None:
        raise TrainingError("a training example has no label", hint="Training needs labelled files.")
    return batch.targets


def _evaluate(
    network: TaskNetwork, score_dev: Callable[[TaskNetwork], float], state: _Progress, settings: TrainSettings
) -> bool:
    """Score the dev set, keep the weights if they are the best, and say whether patience is over."""
    network.eval()
    with torch.inference_mode():
        score = score_dev(network)
    state.dev_scores.append((state.step, score))
    if score > state.best_dev:
        state.best_dev, state.best_step, state.worse = score, state.step, 0
        state.best_state = trained_state(network)
    else:
        state.worse += 1
    return settings.patience is not None and state.worse >= settings.patience


def _report(state: _Progress, total: int, examples: int, seconds: float, stopped: bool) -> FitReport:
    stride = max(1, math.ceil(len(state.losses) / 20))
    chunks = [state.losses[first : first + stride] for first in range(0, len(state.losses), stride)]
    return FitReport(
        steps=state.step,
        planned_steps=total,
        best_step=state.best_step if state.best_state else state.step,
        best_dev=state.best_dev if state.best_state else math.nan,
        dev_scores=tuple(state.dev_scores),
        losses=tuple(sum(chunk) / len(chunk) for chunk in chunks),
        seconds=seconds,
        examples=examples,
        stopped_early=stopped and state.step < total,
    )
