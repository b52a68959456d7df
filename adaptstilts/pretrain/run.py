"""State and steps of one pretraining run; everything random in a step is derived from the seed and its number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from adaptstilts.config.pretrain import PretrainSection
from adaptstilts.config.recipes import TrainSettings
from adaptstilts.errors import ConfigError, TrainingError
from adaptstilts.pretrain.batches import Row, RowSource, encode_lines, wrap
from adaptstilts.pretrain.corpora import Corpus
from adaptstilts.pretrain.mlm import (
    hidden_states,
    mask,
    masked_loss,
    matching_loss,
    mean_pool,
    pad,
    ranking_loss,
)
from adaptstilts.pretrain.xlmr import MaskedModel, build_model, lower_layers
from adaptstilts.runtime import autocast, derive_seed, pick_device
from adaptstilts.train.optim import build_optimizer, build_schedule

if TYPE_CHECKING:
    from torch.optim import AdamW
    from torch.optim.lr_scheduler import LambdaLR
    from transformers import PreTrainedTokenizerFast

_HELD_OUT_ROWS = 64


@dataclass
class PretrainingRun:
    """A pretraining run in memory: model, optimiser, data, and how far it is."""

    settings: PretrainSection
    model: MaskedModel
    optimizer: AdamW
    schedule: LambdaLR
    rows: RowSource
    matcher: nn.Module
    mask_id: int
    device: torch.device
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0


def build_run(settings: PretrainSection, corpus: Corpus, tokenizer: PreTrainedTokenizerFast) -> PretrainingRun:
    """Return a run at step 0, with random weights.

    Raises:
        ConfigError: If lengths or layers do not fit together.
        DataError: If pairs are configured and no line has a translation.
    """
    optimisation = settings.optimisation
    if optimisation.max_length > settings.architecture.positions - 2:
        raise ConfigError(
            f"rows of {optimisation.max_length} sub-tokens need {optimisation.max_length + 2} positions",
            key="architecture.positions", value=settings.architecture.positions,
        )  # fmt: skip
    if settings.objective.ranking_layer > settings.architecture.layers:
        raise ConfigError(
            f"there is no layer {settings.objective.ranking_layer} to pool", key="objective.ranking_layer",
            allowed=range(settings.architecture.layers + 1),
        )  # fmt: skip
    rows = RowSource(
        corpus,
        tokenizer,
        settings.objective,
        max_length=optimisation.max_length,
        batch_rows=optimisation.batch_rows,
        seed=settings.seed,
    )
    device = pick_device(settings.device)
    model = build_model(settings.architecture, len(tokenizer), settings.seed)
    matcher = nn.Sequential(nn.Linear(settings.architecture.width, settings.architecture.width), nn.Tanh(),
                            nn.Linear(settings.architecture.width, 1))  # fmt: skip
    trained = nn.ModuleDict({"model": model.to(device), "matcher": matcher.to(device)})
    recipe = TrainSettings(
        learning_rate=optimisation.learning_rate,
        epochs=1,
        batch_size=optimisation.batch_rows,
        max_length=optimisation.max_length,
        warmup=optimisation.warmup,
        weight_decay=optimisation.weight_decay,
        patience=None,
    )
    optimizer = build_optimizer(trained, recipe)
    schedule = build_schedule(optimizer, recipe, optimisation.steps)
    return PretrainingRun(settings, model, optimizer, schedule, rows, matcher, int(tokenizer.mask_token_id), device)


def take_step(run: PretrainingRun) -> dict[str, float]:
    """Take one optimiser step; return the loss of each objective in nats.

    Raises:
        TrainingError: If a loss is not finite.
    """
    settings = run.settings
    torch.manual_seed(derive_seed(settings.seed, "dropout", run.step))
    objective, rows = run.rows.batch(run.step)
    rng = np.random.default_rng(derive_seed(settings.seed, "masks", run.step))
    with autocast(run.device, settings.optimisation.precision):
        loss, parts = _batch_loss(run, rows, rng)
    loss.backward()  # type: ignore[no-untyped-call]
    losses = {objective.value if name == "masked" else name: float(part.detach()) for name, part in parts.items()}
    if _has_ranking(settings, run.step):
        with autocast(run.device, settings.optimisation.precision):
            ranking = _ranking_loss(run)
        (ranking * settings.objective.ranking_weight).backward()  # type: ignore[no-untyped-call]
        losses["ranking"] = float(ranking.detach())
    if not all(math.isfinite(value) for value in losses.values()):
        raise TrainingError(f"the loss is {losses} at step {run.step + 1}", hint="Lower optimisation.learning_rate.")
    torch.nn.utils.clip_grad_norm_(
        [*run.model.parameters(), *run.matcher.parameters()], settings.optimisation.clip_norm
    )
    run.optimizer.step()
    run.schedule.step()
    run.optimizer.zero_grad(set_to_none=True)
    run.tokens += sum(len(row.ids) for row in rows)
    run.step += 1
    return losses


def _has_ranking(settings: PretrainSection, step: int) -> bool:
    """Return whether a step has the ranking term."""
    objective = settings.objective
    is_over = step >= objective.ranking_until * settings.optimisation.steps
    return objective.ranking_weight > 0 and not is_over and step % objective.ranking_every == 0


def _batch_loss(run: PretrainingRun, rows: list[Row], rng: np.random.Generator) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the weighted loss of a batch, and its parts."""
    objective = run.settings.objective
    padded = pad(rows, reset_positions=objective.reset_positions)
    masked = mask(padded, rate=objective.mask_rate, mask_id=run.mask_id, rng=rng).to(run.device)
    hidden = hidden_states(run.model, masked.padded)
    loss = masked_loss(run.model, hidden, masked)
    parts = {"masked": loss}
    matches = [row.matches for row in rows if row.matches is not None]
    if objective.matching_weight and len(matches) == len(rows):
        parts["matching"] = matching_loss(run.matcher, hidden, matches)
        loss = loss + objective.matching_weight * parts["matching"]
    return loss, parts


def _ranking_loss(run: PretrainingRun) -> Tensor:
    objective = run.settings.objective
    encoder = lower_layers(run.model, objective.ranking_layer)
    pooled = []
    for rows in run.rows.ranking(run.step):
        padded = pad(rows)
        attention = padded.attention_mask.to(run.device)
        hidden = encoder(input_ids=padded.input_ids.to(run.device), attention_mask=attention).last_hidden_state
        pooled.append(mean_pool(hidden, attention))
    return ranking_loss(pooled[0], pooled[1], objective.ranking_temperature)


def held_out_losses(run: PretrainingRun, corpus: Corpus, tokenizer: PreTrainedTokenizerFast) -> dict[str, float]:
    """Return the MLM loss per hidden sub-token of held-out lines, in nats, by language.

    Dropout is off, and the masks are the same for every model with this tokenizer.
    """
    found: dict[str, float] = {}
    run.model.eval()
    for code in corpus.languages:
        encoded = encode_lines(list(corpus.lines[code].values()), tokenizer)
        rows = [wrap(encoded.line(index), run.settings.optimisation.max_length) for index in range(len(encoded))]
        rng = np.random.default_rng(derive_seed(0, "held-out masks", code))
        total, count = 0.0, 0
        for first in range(0, len(rows), _HELD_OUT_ROWS):
            padded = pad(rows[first : first + _HELD_OUT_ROWS])
            masked = mask(padded, rate=0.15, mask_id=run.mask_id, rng=rng).to(run.device)
            with torch.inference_mode(), autocast(run.device, run.settings.optimisation.precision):
                loss = masked_loss(run.model, hidden_states(run.model, masked.padded), masked)
            total += float(loss) * len(masked.targets)
            count += len(masked.targets)
        found[code] = round(total / count, 4)
    run.model.train()
    return found
