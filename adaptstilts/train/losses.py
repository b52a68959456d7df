"""Losses of all kinds of tasks, as sums with their counts, so that gradient accumulation changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from adaptstilts.encoding.features import IGNORED
from adaptstilts.tasks.spec import Kind


def loss_sum(kind: Kind, scores: Tensor, targets: Tensor, attention_mask: Tensor | None = None) -> Tensor:
    """Return the summed cross-entropy of a batch; divide it by the number of targets (`batches.targets_in`).

    Args:
        scores: Output of the head: (batch, classes); (batch, choices), impossible choices at -inf; (batch, tokens,
            tags); (batch, tokens, 2); (queries, candidates), where each query's own candidate stands in its column.
        targets: Class or choice, shape (batch,); tags with `IGNORED` gaps, shape (batch, tokens); start and end
            sub-token of the span, shape (batch, 2), for which the mean of both losses is taken; number of each query's
            candidate, shape (queries,): other columns with the same one are left out, since they are right too.
        attention_mask: 1 for real sub-tokens, shape (batch, tokens); None where nothing is padding. A span is chosen
            among real ones alone, as at prediction; else its loss would depend on the batch's width.
    """
    return _LOSSES[kind](scores.float(), targets, attention_mask)


def _of_classes(scores: Tensor, targets: Tensor, _: Tensor | None) -> Tensor:
    return cross_entropy(scores, targets, reduction="sum")


def _of_tags(scores: Tensor, targets: Tensor, _: Tensor | None) -> Tensor:
    return cross_entropy(scores.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum")


def _of_spans(scores: Tensor, targets: Tensor, attention_mask: Tensor | None) -> Tensor:
    if attention_mask is not None:
        scores = scores.masked_fill(attention_mask[..., None] == 0, float("-inf"))
    start = cross_entropy(scores[..., 0], targets[:, 0], reduction="sum")
    end = cross_entropy(scores[..., 1], targets[:, 1], reduction="sum")
    return (start + end) / 2


def _of_queries(scores: Tensor, targets: Tensor, _: Tensor | None) -> Tensor:
    own = torch.arange(len(targets), device=scores.device)
    is_equal = (targets[:, None] == targets) & (own[:, None] != own)
    return cross_entropy(scores.masked_fill(is_equal, float("-inf")), own, reduction="sum")


_LOSSES: dict[Kind, Callable[[Tensor, Tensor, Tensor | None], Tensor]] = {
    Kind.CLASSIFY: _of_classes,
    Kind.CHOOSE: _of_classes,
    Kind.TAG: _of_tags,
    Kind.EXTRACT: _of_spans,
    Kind.MATCH: _of_queries,
}
