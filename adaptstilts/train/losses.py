"""Losses of the four trained kinds, as sums with their counts, so that accumulation changes nothing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from adaptstilts.tasks.features import IGNORED
from adaptstilts.tasks.spec import Kind


def loss_sum(kind: Kind, scores: Tensor, targets: Tensor) -> Tensor:
    """Return the summed cross-entropy of a batch.

    Args:
        kind: Kind of task.
        scores: What the head gives: (batch, classes); (batch, choices), impossible choices at -inf;
            (batch, tokens, tags); (batch, tokens, 2), padding at -inf.
        targets: Class or choice, shape (batch,); tags with `IGNORED` gaps, shape (batch, tokens); start and end
            sub-token of the span, shape (batch, 2), for which the mean of both losses is taken.

    Returns:
        A scalar; divide by `target_count`.
    """
    scores = scores.float()
    if kind is Kind.TAG:
        return cross_entropy(scores.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum")
    if kind is Kind.EXTRACT:
        start = cross_entropy(scores[..., 0], targets[:, 0], reduction="sum")
        end = cross_entropy(scores[..., 1], targets[:, 1], reduction="sum")
        return (start + end) / 2
    return cross_entropy(scores, targets, reduction="sum")


def target_count(kind: Kind, targets: Tensor) -> int:
    """Return how many predictions `loss_sum` sums over."""
    return int((targets != IGNORED).sum()) if kind is Kind.TAG else targets.shape[0]


def hide_padding(scores: Tensor, attention_mask: Tensor) -> Tensor:
    """Take padding out of the choice of a span, as it is at prediction; else the loss depends on the batch's width.

    Args:
        scores: Shape (batch, tokens, 2).
        attention_mask: 1 for real sub-tokens, shape (batch, tokens).

    Returns:
        The scores, -inf at padding.
    """
    return scores.masked_fill(attention_mask[..., None] == 0, float("-inf"))


def group_choices(scores: Tensor, sizes: list[int]) -> Tensor:
    """Turn scores of single alternatives into one row per question.

    Args:
        scores: Shape (alternatives of all questions,).
        sizes: Alternatives per question, summing to the length of ``scores``.

    Returns:
        Shape (questions, most alternatives), -inf where a question has fewer.
    """
    if all(size == sizes[0] for size in sizes):
        return scores.view(-1, sizes[0])
    rows = torch.split(scores, sizes)
    return pad_sequence(rows, batch_first=True, padding_value=float("-inf"))  # type: ignore[arg-type]
