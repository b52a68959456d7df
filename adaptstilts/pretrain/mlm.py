"""Masked language modelling: masking of a batch, its loss, and the translation ranking term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from adaptstilts.pretrain.batches import BOS, EOS, PAD, Row
from adaptstilts.pretrain.xlmr import MaskedModel

_FIRST_PIECE = 4
"""First id in XLM-R's layout that is not a special token."""
_REPLACED, _RANDOM = 0.8, 0.1
"""Shares of the chosen sub-tokens that become <mask> and a random one; the rest stay (BERT)."""


@dataclass(frozen=True)
class Padded:
    """Rows padded to the longest; all tensors have shape (rows, tokens).

    Attributes:
        attention_mask: 1 for real sub-tokens.
        position_ids: XLM-R's positions: from 2 on, 1 for padding.
    """

    input_ids: Tensor
    attention_mask: Tensor
    position_ids: Tensor


@dataclass(frozen=True)
class Masked:
    """A padded batch, as the model sees it, with hidden sub-tokens.

    Attributes:
        where: Flat positions of the sub-tokens to predict, shape (chosen,).
        targets: Their original ids, shape (chosen,).
    """

    padded: Padded
    where: Tensor
    targets: Tensor

    def to(self, device: torch.device) -> Masked:
        """Return the batch on a device."""
        padded = Padded(*(tensor.to(device, non_blocking=True) for tensor in vars(self.padded).values()))
        return Masked(padded, self.where.to(device), self.targets.to(device))


def pad(rows: Sequence[Row], *, reset_positions: bool = False) -> Padded:
    """Pad rows to the longest among them, on the CPU.

    With `reset_positions`, the positions of a translation count from the start again, as in XLM.
    """
    width = max(len(row.ids) for row in rows)
    ids = np.full((len(rows), width), PAD, dtype=np.int64)
    positions = np.full((len(rows), width), PAD, dtype=np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row.ids)] = row.ids
        positions[index, : len(row.ids)] = PAD + 1 + np.arange(len(row.ids))
        if reset_positions:
            positions[index, row.second : len(row.ids)] -= row.second
    input_ids = torch.from_numpy(ids)
    return Padded(input_ids, (input_ids != PAD).long(), torch.from_numpy(positions))


def mask(padded: Padded, *, rate: float, mask_id: int, rng: np.random.Generator) -> Masked:
    """Choose sub-tokens to predict and hide them: 80 % become <mask>, 10 % a random piece, 10 % stay.

    Args:
        padded: The batch; special tokens are never chosen.
        rate: Share of the other sub-tokens that are chosen; at least one is.
        mask_id: Id of <mask>, the last of the vocabulary.
        rng: Random generator.

    Source: Devlin et al. 2019; masks differ in every step (Liu et al. 2019).
    """
    ids = padded.input_ids.numpy().reshape(-1)
    free = np.flatnonzero((ids != BOS) & (ids != PAD) & (ids != EOS))
    chosen = free[rng.random(len(free)) < rate]
    if not len(chosen):
        chosen = free[:1]
    draw = rng.random(len(chosen))
    pieces = rng.integers(_FIRST_PIECE, mask_id, size=len(chosen))
    hidden = ids.copy()
    hidden[chosen[draw < _REPLACED]] = mask_id
    random = (draw >= _REPLACED) & (draw < _REPLACED + _RANDOM)
    hidden[chosen[random]] = pieces[random]
    seen = torch.from_numpy(hidden.reshape(padded.input_ids.shape))
    return Masked(
        Padded(seen, padded.attention_mask, padded.position_ids),
        torch.from_numpy(chosen),
        torch.from_numpy(ids[chosen]),
    )


def hidden_states(model: MaskedModel, padded: Padded) -> Tensor:
    """Return the token vectors of the last layer, shape (rows, tokens, width)."""
    hidden: Tensor = model.roberta(
        input_ids=padded.input_ids, attention_mask=padded.attention_mask, position_ids=padded.position_ids
    ).last_hidden_state
    return hidden


def masked_loss(model: MaskedModel, hidden: Tensor, masked: Masked) -> Tensor:
    """Return the mean cross-entropy of the hidden sub-tokens in nats; other positions skip the output layer.

    `hidden` are the token vectors, shape (rows, tokens, width).
    """
    scores = model.lm_head(hidden.flatten(0, 1)[masked.where])
    return nn.functional.cross_entropy(scores.float(), masked.targets)


def matching_loss(head: nn.Module, hidden: Tensor, matches: Sequence[bool]) -> Tensor:
    """Return the loss of telling from <s> whether the two halves of each row have the same meaning.

    Args:
        head: Maps each <s> vector to one score.
        hidden: Token vectors, shape (rows, tokens, width).
        matches: Whether they have, one value per row.

    Returns:
        Mean binary cross-entropy in nats.

    Source: cross-lingual paraphrase classification, Huang et al. 2019 (Unicoder).
    """
    gold = torch.tensor(matches, dtype=torch.float32, device=hidden.device)
    scores = head(hidden[:, 0]).squeeze(-1).float()
    return nn.functional.binary_cross_entropy_with_logits(scores, gold)


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """Average the token vectors that are not padding.

    Args:
        hidden: Token vectors, shape (rows, tokens, width).
        attention_mask: 1 for real sub-tokens, special ones included, shape (rows, tokens).

    Returns:
        Sentence vectors, shape (rows, width).
    """
    weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)


def ranking_loss(left: Tensor, right: Tensor, temperature: float) -> Tensor:
    """Contrast each sentence's translation with the other sentences of the batch, in both directions.

    Args:
        left: Sentence vectors of one language, shape (pairs, width).
        right: Vectors of their translations, in the same order, shape (pairs, width).
        temperature: Divisor of the cosines.

    Returns:
        Mean cross-entropy in nats; about ln(pairs) for uninformative vectors.
    """
    unit_left = nn.functional.normalize(left.float(), dim=-1)
    unit_right = nn.functional.normalize(right.float(), dim=-1)
    scores = unit_left @ unit_right.T / temperature
    gold = torch.arange(len(left), device=left.device)
    return (nn.functional.cross_entropy(scores, gold) + nn.functional.cross_entropy(scores.T, gold)) / 2
