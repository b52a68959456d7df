"""Batches of sub-token rows for pretraining; each step's batch depends only on the seed and the step number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from adaptstilts.config.pretrain import ObjectiveSection
from adaptstilts.errors import DataError
from adaptstilts.pretrain.corpora import Corpus
from adaptstilts.runtime import derive_seed

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Ids: TypeAlias = npt.NDArray[np.int32]
BOS, PAD, EOS = 0, 1, 2
"""XLM-R's ids of <s>, <pad> and </s>."""
WINDOW = 50
"""Steps whose rows are drawn together, so that rows of similar length share a batch."""
_CHUNK = 20_000
_NEARBY = 3


class Objective(str, Enum):
    """Training objective of a batch: masked lines, masked pairs of translations, or masked code-switched lines."""

    MLM = "mlm"
    TLM = "tlm"
    SWITCHED = "switched"


@dataclass(frozen=True)
class Row:
    """One row of a batch, special tokens included.

    Attributes:
        ids: Sub-token ids.
        second: Position where the translation begins; the length of the row if it holds none.
        matches: Whether the second half has the same meaning as the first; None if there is no second half.
    """

    ids: Ids
    second: int
    matches: bool | None = None


@dataclass(frozen=True)
class Encoded:
    """Lines of one language as sub-token ids, without special tokens, in one flat array.

    Attributes:
        ids: All sub-tokens, one line after the other.
        starts: Start of each line, then the end of the last.
    """

    ids: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def line(self, index: int) -> Ids:
        """Return the sub-tokens of one line."""
        return self.ids[self.starts[index] : self.starts[index + 1]].astype(np.int32)


def encode_lines(lines: Sequence[str], tokenizer: PreTrainedTokenizerFast) -> Encoded:
    """Tokenise lines."""
    parts: list[npt.NDArray[np.uint32]] = []
    lengths: list[int] = []
    for first in range(0, len(lines), _CHUNK):
        rows = tokenizer.backend_tokenizer.encode_batch(list(lines[first : first + _CHUNK]), add_special_tokens=False)
        lengths += [len(row.ids) for row in rows]
        parts.append(np.fromiter((index for row in rows for index in row.ids), dtype=np.uint32))
    ids = np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint32)
    return Encoded(ids, np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)]))


def wrap(line: Ids, max_length: int) -> Row:
    """Put <s> and </s> around a line, which is cut to `max_length` sub-tokens in all."""
    ids = np.concatenate([[BOS], line[: max_length - 2], [EOS]]).astype(np.int32)
    return Row(ids, len(ids))


class RowSource:
    """Draws the batches of a run; everything drawn follows from the seed.

    Args:
        corpus: Text in at least one language.
        tokenizer: Tokenizer with XLM-R's ids.
        settings: Objectives and proportions.
        max_length: Most sub-tokens per row.
        batch_rows: Rows per MLM batch; a TLM batch has half as many pairs.
        seed: Seed of the run.

    Raises:
        DataError: If TLM or ranking is configured and no line has a translation.
    """

    def __init__(
        self,
        corpus: Corpus,
        tokenizer: PreTrainedTokenizerFast,
        settings: ObjectiveSection,
        *,
        max_length: int,
        batch_rows: int,
        seed: int,
    ) -> None:
        self.languages = corpus.languages
        self.settings = settings
        self.max_length = max_length
        self.batch_rows = batch_rows
        self.seed = seed
        self.encoded = [encode_lines(list(corpus.lines[code].values()), tokenizer) for code in self.languages]
        self.switched = encode_lines(corpus.switched, tokenizer)
        self._line_positions = _line_positions(corpus)
        self._translated_keys = np.flatnonzero((self._line_positions >= 0).sum(axis=0) >= 2)
        if (settings.tlm or settings.ranking_weight) and not len(self._translated_keys):
            raise DataError("no line has a translation, which TLM and ranking need", key="objective.tlm")
        sizes = np.array([len(lines) for lines in self.encoded], dtype=np.float64) ** settings.language_exponent
        self._shares = sizes / sizes.sum()
        self._window = lru_cache(maxsize=2)(self._draw_window)

    def batch(self, step: int) -> tuple[Objective, list[Row]]:
        """Return the batch of one step, counted from 0."""
        return self._window(step // WINDOW)[step % WINDOW]

    def ranking(self, step: int) -> tuple[list[Row], list[Row]]:
        """Return parallel rows in two languages, in the same order, for the ranking term of a step, counted from 0."""
        rng = np.random.default_rng(derive_seed(self.seed, "ranking", step))
        while True:
            left, right = self._two_languages(rng, np.arange(len(self.languages)))
            common = np.flatnonzero((self._line_positions[left] >= 0) & (self._line_positions[right] >= 0))
            if len(common) > 1:
                break
        keys = rng.choice(common, size=min(self.settings.ranking_pairs, len(common)), replace=False)
        first, second = (self._wrapped(code, self._line_positions[code][keys]) for code in (left, right))
        return first, second

    def _draw_window(self, window: int) -> list[tuple[Objective, list[Row]]]:
        rng = np.random.default_rng(derive_seed(self.seed, "window", window))
        weights = np.array([self.settings.mlm, self.settings.tlm, self.settings.switched])
        kinds = rng.choice(len(weights), size=WINDOW, p=weights / weights.sum())
        batches: list[tuple[Objective, list[Row]]] = [(Objective.MLM, [])] * WINDOW
        for kind, objective in enumerate(Objective):
            steps = np.flatnonzero(kinds == kind)
            size = self.batch_rows // 2 if objective is Objective.TLM else self.batch_rows
            rows = [self._row(objective, rng) for _ in range(len(steps) * max(1, size))]
            rows.sort(key=lambda row: len(row.ids))
            for position, step in enumerate(rng.permutation(steps)):
                batches[step] = (objective, rows[position * max(1, size) : (position + 1) * max(1, size)])
        return batches

    def _row(self, objective: Objective, rng: np.random.Generator) -> Row:
        if objective is Objective.TLM:
            return self._pair(rng)
        if objective is Objective.SWITCHED:
            line = self.switched.line(int(rng.integers(len(self.switched))))
            return wrap(line, self.max_length)
        lines = self.encoded[int(rng.choice(len(self.languages), p=self._shares))]
        first = int(rng.integers(len(lines)))
        last = min(len(lines), first + 1 + int(rng.integers(self.settings.passage_lines)))
        return wrap(lines.ids[lines.starts[first] : lines.starts[last]].astype(np.int32), self.max_length)

    def _wrapped(self, language: int, lines: npt.NDArray[np.int64]) -> list[Row]:
        return [wrap(self.encoded[language].line(int(index)), self.max_length) for index in lines]

    def _pair(self, rng: np.random.Generator) -> Row:
        key = int(self._translated_keys[rng.integers(len(self._translated_keys))])
        left, right = self._two_languages(rng, np.flatnonzero(self._line_positions[:, key] >= 0))
        if self.settings.same_share and rng.random() < self.settings.same_share:
            right = left
        half = (self.max_length - 4) // 2
        first = self.encoded[left].line(int(self._line_positions[left, key]))[:half]
        position = int(self._line_positions[right, key])
        second = self.encoded[right].line(position)[:half]
        matches = rng.random() >= self.settings.mismatch_share
        if not matches:
            second = self._mismatched(second, self.encoded[right], position, rng)[:half]
        ids = np.concatenate([[BOS], first, [EOS, EOS], second, [EOS]]).astype(np.int32)
        return Row(ids, len(first) + 2, matches)

    def _mismatched(self, line: Ids, lines: Encoded, position: int, rng: np.random.Generator) -> Ids:
        """Return a line nearby, or the line with one sub-token replaced by one of that line, each half the time."""
        distance = int(rng.integers(1, _NEARBY + 1)) * (1 if rng.random() < 0.5 else -1)
        other = lines.line(min(max(position + distance, 0), len(lines) - 1))
        if rng.random() < 0.5 or not len(line) or not len(other):
            return other
        changed = line.copy()
        changed[rng.integers(len(line))] = other[rng.integers(len(other))]
        return changed

    def _two_languages(self, rng: np.random.Generator, among: npt.NDArray[np.int64]) -> tuple[int, int]:
        """Draw two different languages; with probability `pivot_share`, one of them is the pivot."""
        two = [int(index) for index in rng.choice(among, size=2, replace=False)]
        pivot = self.languages.index(self.settings.pivot) if self.settings.pivot in self.languages else -1
        if pivot in among and pivot not in two and rng.random() < self.settings.pivot_share:
            two[int(rng.integers(2))] = pivot
        return two[0], two[1]


def _line_positions(corpus: Corpus) -> npt.NDArray[np.int64]:
    """Return the position of each key's line in each language, -1 where missing, shape (languages, keys)."""
    keys = {key: index for index, key in enumerate(sorted({k for lines in corpus.lines.values() for k in lines}))}
    places = np.full((len(corpus.languages), len(keys)), -1, dtype=np.int64)
    for row, code in enumerate(corpus.languages):
        for position, key in enumerate(corpus.lines[code]):
            places[row, keys[key]] = position
    return places
