"""The training loop that all methods share; they differ only in which weights train and where they start."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.encoding.features import Feature
from adaptstilts.errors import CheckpointError, TrainingError
from adaptstilts.formatting import reason_of
from adaptstilts.models.network import TaskNetwork, restore_state, trained_state
from adaptstilts.runtime import Backward, autocast, derive_seed, half_dtype
from adaptstilts.tasks.kinds import micro_batch_count
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.batches import cut, grouped_batches, targets_in
from adaptstilts.train.checkpoints import Checkpoints
from adaptstilts.train.distributed import SINGLE_PROCESS, ProcessGroup
from adaptstilts.train.losses import loss_sum
from adaptstilts.train.optim import build_optimizer, build_schedule
from adaptstilts.train.state import TrainingProgress, TrainingRun, put_back, run_digest, take_snapshot

StepReport = Callable[[int, int, float], None]
"""Called after each optimiser step with (step, total steps, loss)."""


@dataclass(frozen=True)
class FitReport:
    """Outcome of a training run.

    Attributes:
        steps: Optimiser steps taken, of the ``planned_steps`` of the schedule.
        best_step: Step whose weights were kept.
        best_dev: Dev score at that step, in percent; NaN without a dev set.
        dev_scores: (step, score) of every evaluation.
        losses: Mean loss of every twentieth of the run.
        seconds: Wall time, dev scores included; of an interrupted run, that of the steps that count.
        examples: Number of training examples.
        stopped_early: Whether patience ended it before its last step.
        resumed_at: Steps at which it resumed after an interruption.
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
    resumed_at: tuple[int, ...] = ()


@dataclass(frozen=True)
class RunContext:
    """Callbacks, checkpoints and processes of a run; they do not change its result.

    Attributes:
        checkpoints: Where the run writes checkpoints and looks for one to resume from; None for a run without.
        group: The processes that share the run.
    """

    on_step: StepReport | None = None
    checkpoints: Checkpoints | None = None
    group: ProcessGroup = SINGLE_PROCESS


@dataclass(frozen=True)
class _Work:
    """Inputs that stay the same in every step."""

    items: Sequence[Feature]
    settings: TrainSettings
    kind: Kind
    seed: int
    penalty: Callable[[], Tensor] | None
    group: ProcessGroup
    trained: list[nn.Parameter]
    backward: Backward = field(default_factory=Backward)

    @property
    def per_epoch(self) -> int:
        return math.ceil(len(self.items) / self.settings.batch_size)

    @property
    def total(self) -> int:
        return self.settings.steps(len(self.items))

    def is_evaluation_due(self, step: int) -> bool:
        return step % (self.settings.evaluate_every or self.per_epoch) == 0 or step == self.total


def fit(
    network: TaskNetwork,
    items: Sequence[Feature],
    settings: TrainSettings,
    *,
    kind: Kind,
    seed: int,
    score_dev: Callable[[TaskNetwork], float] | None,
    penalty: Callable[[], Tensor] | None = None,
    context: RunContext | None = None,
) -> FitReport:
    """Train a prepared network and leave the best weights in it.

    A run that resumes from a checkpoint ends with the weights of an uninterrupted run, bit for bit on a CPU with the
    same number of threads. Processes that share a run end with the weights of one process with the same micro-batches,
    within rounding.

    Args:
        network: As `adaptstilts.train.setup.build_network` returns it, on its device; parameters that require gradients
            train.
        items: Training items; at least one.
        settings: Optimisation settings.
        kind: Kind of task.
        seed: Decides order and dropout.
        score_dev: Scores the English dev set, higher is better; None keeps the last weights.
        penalty: Regularisation added to each step's loss (fusion).
        context: Callbacks, checkpoints, other processes.

    Raises:
        TrainingError: If there is nothing to train on, the loss is not finite, or another process is gone.
    """
    if not items:
        raise TrainingError("no training examples", hint="Look at data.max_train and at the task's training file.")
    started = time.perf_counter()
    context = RunContext() if context is None else context
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    work = _Work(items, settings, kind, seed, penalty, context.group, trained)
    run = _set_up(network, settings, work.total)
    context.group.copy_from_first(trained)
    digest = run_digest(network, items)
    _resume(run, context, digest)
    checkpoints = context.checkpoints if context.group.is_first else None
    with nullcontext() if checkpoints is None else checkpoints.awaiting_sigterm():
        for batch in _batches(run, work):
            loss = _take_step(run, work, batch)
            if context.on_step is not None:
                context.on_step(run.progress.step, work.total, loss)
            if score_dev is not None and work.is_evaluation_due(run.progress.step):
                _evaluate(run, score_dev, context.group)
            if checkpoints is not None and checkpoints.is_due(run.progress.step):
                seconds = run.progress.seconds + time.perf_counter() - started
                checkpoints.write(take_snapshot(run, batches_per_epoch=work.per_epoch, seconds=seconds), digest)
                checkpoints.pass_sigterm_on()
    if run.progress.best_state:
        restore_state(network, run.progress.best_state)
    network.eval()
    return _report(run.progress, work, time.perf_counter() - started)


def _set_up(network: TaskNetwork, settings: TrainSettings, total: int) -> TrainingRun:
    device = next(network.parameters()).device
    optimizer = build_optimizer(network, settings)
    schedule = build_schedule(optimizer, settings, total)
    scaler = torch.GradScaler(device.type, enabled=half_dtype(device, settings.precision) is torch.float16)
    if settings.gradient_checkpointing:
        network.encoder.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return TrainingRun(network, optimizer, schedule, scaler)


def _resume(run: TrainingRun, context: RunContext, digest: str) -> None:
    """Resume a run from its newest good checkpoint; the first process chooses, the others read the same one."""
    checkpoints, group = context.checkpoints, context.group
    if checkpoints is None:
        return
    snapshot = checkpoints.latest(digest) if group.is_first else None
    step = int(group.from_first(0 if snapshot is None else snapshot.step))
    if step and snapshot is None:
        snapshot = checkpoints.read(step, digest)
    if snapshot is None:
        return
    try:
        put_back(run, snapshot)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        problem = f"what the checkpoint holds does not fit the run: {type(error).__name__}: {reason_of(error)}"
        hint = "Remove its folder; the run then starts from the beginning."
        raise CheckpointError(problem, path=checkpoints.path(snapshot.step), hint=hint) from error


def _batches(run: TrainingRun, work: _Work) -> Iterator[list[Feature]]:
    """Yield the batch of every remaining step, until the last step or until patience runs out."""
    progress = run.progress
    while progress.step < work.total:
        epoch, done = divmod(progress.step, work.per_epoch)
        order = grouped_batches(work.items, work.settings.batch_size, seed=derive_seed(work.seed, "order", epoch))
        for indices in order[done:]:
            if progress.step >= work.total or _is_patience_over(progress, work.settings):
                return
            yield [work.items[index] for index in indices]


def _take_step(run: TrainingRun, work: _Work, items: Sequence[Feature]) -> float:
    """Take one optimiser step, the same in every process; return its mean loss."""
    progress = run.progress
    run.network.train()
    loss = work.group.sum_gradients(work.trained, _gradients(run, work, items))
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss is {loss} at step {progress.step + 1}", hint="Lower the learning rate, or use bf16 or fp32."
        )
    run.scaler.unscale_(run.optimizer)
    torch.nn.utils.clip_grad_norm_(work.trained, work.settings.clip_norm)
    run.scaler.step(run.optimizer)
    run.scaler.update()
    run.schedule.step()
    run.optimizer.zero_grad(set_to_none=True)
    progress.step += 1
    progress.losses.append(loss)
    return loss


def _gradients(run: TrainingRun, work: _Work, items: Sequence[Feature]) -> float:
    """Compute this process's part of the gradient of one step, repeatably if possible; return its part of the loss."""
    compute = partial(_backward, run, work, items)
    if work.group.is_sharded:  # the others would wait for a pass that is computed a second time
        return compute()
    start_again = partial(run.optimizer.zero_grad, set_to_none=True)
    return work.backward.run(compute, start_again, work.trained[0].device)


def _backward(run: TrainingRun, work: _Work, items: Sequence[Feature]) -> float:
    """Add this process's part to the gradient of one step; return its part of the mean loss.

    Dropout is seeded by seed, step and number of the micro-batch, so it does not matter which process computes it.
    """
    group = work.group
    parts = cut(items, micro_batch_count(work.kind, work.settings.accumulation, group.size))
    own = group.own(parts)
    count = max(1, targets_in(items, work.kind))
    total = 0.0
    for index, part in own:
        torch.manual_seed(derive_seed(work.seed, "dropout", run.progress.step, index))
        loss = _loss(run.network, part, work) / count
        if work.penalty is not None and index == 0:
            loss = loss + work.penalty()
        run.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        total += float(loss.detach())
    if group.is_sharded:  # the others need this process's part of the frozen weights for each of theirs
        for _ in range(math.ceil(len(parts) / group.size) - len(own)):
            (_loss(run.network, parts[0], work) * 0.0).backward()  # type: ignore[no-untyped-call]
    return total


def _loss(network: TaskNetwork, items: Sequence[Feature], work: _Work) -> Tensor:
    """Return the summed loss of a micro-batch."""
    device = work.trained[0].device
    batch = network.batch(items, work.kind)
    if batch.targets is None:
        raise TrainingError("a training example has no label", hint="Training needs labelled files.")
    with autocast(device, work.settings.precision):
        return loss_sum(work.kind, batch.scores(network), batch.targets, batch.attention_mask)


def _evaluate(run: TrainingRun, score_dev: Callable[[TaskNetwork], float], group: ProcessGroup) -> None:
    """Score the dev set, and keep the weights if they are the best; the score of the first process counts."""
    progress = run.progress
    run.network.eval()
    score = math.nan
    if group.scores:
        with torch.inference_mode():
            score = float(score_dev(run.network))
    score = group.from_first(score)
    progress.dev_scores.append((progress.step, score))
    if score > progress.best_dev:
        progress.best_dev, progress.best_step, progress.worse = score, progress.step, 0
        progress.best_state = trained_state(run.network)
    else:
        progress.worse += 1


def _is_patience_over(progress: TrainingProgress, settings: TrainSettings) -> bool:
    return settings.patience is not None and progress.worse >= settings.patience


def _report(progress: TrainingProgress, work: _Work, seconds: float) -> FitReport:
    stride = max(1, math.ceil(len(progress.losses) / 20))
    chunks = [progress.losses[first : first + stride] for first in range(0, len(progress.losses), stride)]
    return FitReport(
        steps=progress.step,
        planned_steps=work.total,
        best_step=progress.best_step if progress.best_state else progress.step,
        best_dev=progress.best_dev if progress.best_state else math.nan,
        dev_scores=tuple(progress.dev_scores),
        losses=tuple(sum(chunk) / len(chunk) for chunk in chunks),
        seconds=progress.seconds + seconds,
        examples=len(work.items),
        stopped_early=progress.step < work.total,
        resumed_at=tuple(progress.resumed_at),
    )
