"""Batches of padded tensors from encoded items, grouped by length.

Length grouping follows the usual scheme: shuffle, cut into windows of many batches, sort each window by length, cut it
into batches, shuffle the batches. It gives 2-3 times the throughput of shuffled dynamic padding. The items of the
smaller remaining batch are taken before sorting: after it they would always be the longest, and each would have more
weight in every epoch than an item of a full batch.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from adaptstilts.encoding.features import IGNORED, Feature, Ids
from adaptstilts.errors import TrainingError
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.losses import group_choices, match_scores

Inputs: TypeAlias = tuple[Tensor, Tensor, Tensor | None]
"""Sub-token ids, attention mask and token types of padded rows, each of shape (rows, tokens)."""
WINDOW = 50
"""Batches per window of length grouping."""


@dataclass(frozen=True)
class Batch:
    """A batch of padded items.

    Attributes:
        input_ids: Sub-token ids, shape (rows, tokens).
        attention_mask: 1 for real sub-tokens, shape (rows, tokens).
        targets: Labels in the shape that `adaptstilts.train.losses.loss_sum` takes; None if they are hidden.
        sizes: Rows per question, for multiple choice; else None.
        candidates: Ids, mask and token types of the candidates, padded apart from the queries, for training dual
            encoders; else None.
        token_type_ids: 1 for sub-tokens of a second text, shape (rows, tokens); None if the backbone has none.
    """

    input_ids: Tensor
    attention_mask: Tensor
    targets: Tensor | None
    sizes: list[int] | None = None
    candidates: Inputs | None = None
    token_type_ids: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """Copy the batch to a device."""
        return replace(
            self,
            input_ids=self.input_ids.to(device, non_blocking=True),
            attention_mask=self.attention_mask.to(device, non_blocking=True),
            targets=_to_device(self.targets, device),
            candidates=None
            if self.candidates is None
            else (
                self.candidates[0].to(device, non_blocking=True),
                self.candidates[1].to(device, non_blocking=True),
                _to_device(self.candidates[2], device),
            ),
            token_type_ids=_to_device(self.token_type_ids, device),
        )

    def scores(self, network: Callable[[Tensor, Tensor, Tensor | None], Tensor]) -> Tensor:
        """Run a network over the batch.

        Args:
            network: Computes scores, or vectors for dual encoders, from ids, mask and token types.

        Returns:
            Scores of the network; for multiple choice, shape (questions, alternatives); for training dual encoders,
            shape (queries, candidates).
        """
        found = network(self.input_ids, self.attention_mask, self.token_type_ids)
        if self.candidates is not None:
            return match_scores(found, network(*self.candidates))
        return found if self.sizes is None else group_choices(found, self.sizes)


def _to_device(tensor: Tensor | None, device: torch.device) -> Tensor | None:
    return None if tensor is None else tensor.to(device, non_blocking=True)


def collate(items: Sequence[Feature], kind: Kind, padding_id: int) -> Batch:
    """Pad items to the longest among them, as a batch on the CPU.

    Args:
        items: At least one item; if one lacks its target, the batch has none.
    """
    has_candidates = kind is Kind.MATCH and len(items[0].rows) == 2
    own = slice(0, 1) if has_candidates else slice(None)
    input_ids, attention_mask, token_type_ids = _padded(items, own, padding_id)
    sizes = [len(item.rows) for item in items] if kind is Kind.CHOOSE else None
    candidates = _padded(items, slice(1, 2), padding_id) if has_candidates else None
    targets = _targets(items, kind, input_ids.shape[1])
    return Batch(input_ids, attention_mask, targets, sizes, candidates, token_type_ids)


def _padded(items: Sequence[Feature], which: slice, padding_id: int) -> Inputs:
    """Pad the selected rows of each item; token types are set if the items record where second texts begin."""
    rows: list[Ids] = [row for item in items for row in item.rows[which]]
    width = max(len(row) for row in rows)
    input_ids = torch.full((len(rows), width), padding_id, dtype=torch.long)
    attention_mask = torch.zeros((len(rows), width), dtype=torch.long)
    for index, row in enumerate(rows):
        input_ids[index, : len(row)] = torch.from_numpy(np.asarray(row, dtype=np.int64))
        attention_mask[index, : len(row)] = 1
    seconds = [start for item in items if item.segments is not None for start in item.segments[which]]
    if not seconds:
        return input_ids, attention_mask, None
    token_type_ids = torch.zeros_like(attention_mask)
    for index, (row, start) in enumerate(zip(rows, seconds, strict=True)):
        token_type_ids[index, start : len(row)] = 1
    return input_ids, attention_mask, token_type_ids


def _targets(items: Sequence[Feature], kind: Kind, width: int) -> Tensor | None:
    if any(item.target is None for item in items):
        return None
    if kind is Kind.TAG:
        targets = torch.full((len(items), width), IGNORED, dtype=torch.long)
        for index, item in enumerate(items):
            tags = torch.from_numpy(np.asarray(item.target, dtype=np.int64))
            targets[index, : len(tags)] = tags
        return targets
    return torch.tensor([item.target for item in items], dtype=torch.long)


def cut(items: Sequence[Feature], parts: int) -> list[Sequence[Feature]]:
    """Split a batch into micro-batches of equal size, the last of which may be smaller.

    Args:
        items: At least one item.
        parts: Maximum number of micro-batches; there are fewer if the items do not fill them.
    """
    size = math.ceil(len(items) / parts)
    return [items[first : first + size] for first in range(0, len(items), size)]


def targets_in(items: Sequence[Feature], kind: Kind) -> int:
    """Count the predictions that the loss of a batch sums over.

    Raises:
        TrainingError: If an item has no label.
    """
    if any(item.target is None for item in items):
        raise TrainingError("a training example has no label", hint="Train on a labelled file.")
    if kind is not Kind.TAG:
        return len(items)
    return sum(int((np.asarray(item.target) != IGNORED).sum()) for item in items)


def grouped_batches(items: Sequence[Feature], batch_size: int, *, seed: int) -> list[list[int]]:
    """Split one epoch into batches of similar length, in an order that depends only on the seed.

    Args:
        batch_size: Items per batch; one batch, not always the last, may be smaller and is not grouped by length.

    Returns:
        Indices into ``items``, each exactly once.
    """
    rng = random.Random(seed)
    order = list(range(len(items)))
    rng.shuffle(order)
    full = len(order) - len(order) % batch_size
    batches = [order[full:]] if full < len(order) else []
    window = batch_size * WINDOW
    for first in range(0, full, window):
        part = sorted(order[first : min(first + window, full)], key=lambda index: items[index].size)
        batches += [part[at : at + batch_size] for at in range(0, len(part), batch_size)]
    rng.shuffle(batches)
    return batches


def sorted_batches(items: Sequence[Feature], batch_tokens: int) -> Iterator[list[int]]:
    """Split items into evaluation batches, longest first, each with a bounded number of sub-tokens.

    Args:
        batch_tokens: Maximum sub-tokens per batch, padding included; a longer item forms a batch of its own.

    Yields:
        Indices into ``items``, each exactly once.
    """
    order = sorted(range(len(items)), key=lambda index: -items[index].size)
    batch: list[int] = []
    rows = 0
    width = 0
    for index in order:
        more = len(items[index].rows)
        if batch and (rows + more) * width > batch_tokens:
            yield batch
            batch, rows = [], 0
        if not batch:
            width = items[index].size
        batch.append(index)
        rows += more
    if batch:
        yield batch
