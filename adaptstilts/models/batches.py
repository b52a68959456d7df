"""Batches of padded tensors from encoded items, and a network's scores of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from adaptstilts.encoding.features import IGNORED, Feature, Ids
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.spec import Kind

Inputs: TypeAlias = tuple[Tensor, Tensor, Tensor | None]
"""Sub-token ids, attention mask and token types of padded rows, each of shape (rows, tokens)."""
SCALE = 100.0
"""Factor of the cosines in the softmax of dual encoders.

In XTREME's dual encoder it is a weight that starts at 100. AdamW moves a weight by about the learning rate a step at
most, so in XTREME's training (2e-5, some 16,000 steps, decaying) it stays between 99.8 and 100.2; here it is fixed.
"""


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


@dataclass(frozen=True)
class Padding:
    """How rows are padded: at least to the longest of a batch.

    Attributes:
        token: Id that is put after a row.
        multiple: Lengths are rounded up to a multiple of this, so that fewer shapes occur.
        most: Longest input of the encoder, beyond which nothing is rounded up; None without a limit.
    """

    token: int
    multiple: int = 1
    most: int | None = None

    def width(self, longest: int) -> int:
        """Return the length to which the rows of a batch are padded."""
        rounded = -(-longest // self.multiple) * self.multiple
        return rounded if self.most is None or rounded <= self.most else max(longest, self.most)


def collate(items: Sequence[Feature], kind: Kind, padding: int | Padding) -> Batch:
    """Pad items to the longest among them, as a batch on the CPU.

    Args:
        items: At least one item; if one lacks its target, the batch has none.
        padding: Padding, or the padding id alone for no rounding.
    """
    padding = padding if isinstance(padding, Padding) else Padding(padding)
    facts = FACTS[kind]
    has_candidates = facts.has_candidates and len(items[0].rows) == 2
    own = slice(0, 1) if has_candidates else slice(None)
    input_ids, attention_mask, token_type_ids = _padded(items, own, padding)
    sizes = [len(item.rows) for item in items] if facts.sequences is None else None
    candidates = _padded(items, slice(1, 2), padding) if has_candidates else None
    targets = _targets(items, kind, input_ids.shape[1])
    return Batch(input_ids, attention_mask, targets, sizes, candidates, token_type_ids)


def _padded(items: Sequence[Feature], which: slice, padding: Padding) -> Inputs:
    """Pad the selected rows of each item; token types are set if the items record where second texts begin."""
    rows: list[Ids] = [row for item in items for row in item.rows[which]]
    width = padding.width(max(len(row) for row in rows))
    input_ids = torch.full((len(rows), width), padding.token, dtype=torch.long)
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
    if FACTS[kind].labels_words:
        targets = torch.full((len(items), width), IGNORED, dtype=torch.long)
        for index, item in enumerate(items):
            tags = torch.from_numpy(np.asarray(item.target, dtype=np.int64))
            targets[index, : len(tags)] = tags
        return targets
    return torch.tensor([item.target for item in items], dtype=torch.long)


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


def match_scores(queries: Tensor, candidates: Tensor) -> Tensor:
    """Compare every query with every candidate of a batch; all are unit vectors, shape (rows, width).

    The result, shape (queries, candidates), is cosines times `SCALE`, in single precision even under autocast. Source:
    the dual encoder of google-research/xtreme, third_party/bert.py: softmax over the candidates of the batch.
    """
    with torch.autocast(queries.device.type, enabled=False):
        return SCALE * queries.float() @ candidates.float().T


def group_choices(scores: Tensor, sizes: list[int]) -> Tensor:
    """Arrange scores of single alternatives, shape (alternatives,), in rows (questions, most alternatives).

    ``sizes`` gives the alternatives per question; a question with fewer is filled with -inf.
    """
    if all(size == sizes[0] for size in sizes):
        return scores.view(-1, sizes[0])
    rows = torch.split(scores, sizes)
    return pad_sequence(rows, batch_first=True, padding_value=float("-inf"))  # type: ignore[arg-type]
