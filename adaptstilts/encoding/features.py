"""What encoding hands on: rows of sub-token ids with their targets, and the way back to the examples."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from adaptstilts.errors import ConfigError
from adaptstilts.tasks.examples import Candidate, Example, Sentence
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.spec import Kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Ids: TypeAlias = "array[int]"
"""Compact integers; `numpy.asarray` and `torch.frombuffer` take them without copying (32 bits each)."""

IGNORED = -100
"""Target of sub-tokens that have no label of their own; torch's losses skip it."""
SHORTEST = 16
"""Least `max_length`; below it special tokens leave hardly any room."""


@dataclass(frozen=True)
class EncodeSettings:
    """How long inputs may become; the configuration decides, these defaults are jiant's.

    Attributes:
        max_length: Most sub-tokens per row, special tokens included.
        doc_stride: Sub-tokens by which windows over a long context move.
        max_query_length: Most sub-tokens of a question, special tokens left aside (span extraction), or of a query,
            special tokens included (dual encoders).
    """

    max_length: int = 256
    doc_stride: int = 128
    max_query_length: int = 64


@dataclass(frozen=True)
class Feature:
    """One input of the model: a row of sub-tokens, one row per alternative of a question, or a query and its candidate.

    Attributes:
        rows: Sub-token ids with special tokens.
        target: Class or choice; tag per sub-token, `IGNORED` where there is none; (start, end) sub-token of the answer,
            (0, 0) where the window has none; number of the candidate among the distinct ones; None where hidden.
        example: Position of its example.
        segments: Where the second text of each row begins, or would; None for backbones without token types.
    """

    rows: tuple[Ids, ...]
    target: int | tuple[int, int] | Ids | None
    example: int
    segments: tuple[int, ...] | None = field(default=None, kw_only=True)

    @property
    def input_ids(self) -> Ids:
        """The only row, or the first."""
        return self.rows[0]

    @property
    def size(self) -> int:
        """Sub-tokens of the longest row."""
        return max(len(row) for row in self.rows)


@dataclass(frozen=True)
class TagFeature(Feature):
    """A tagged sentence, or a part of a long one.

    Attributes:
        positions: Where the first sub-token of each word stands in the row.
        first_word: Position of its first word in the sentence.
        closing: Special tokens after the last word.
    """

    positions: Ids
    first_word: int
    closing: int = 1

    @property
    def words(self) -> NDArray[np.int32]:
        """Word that each sub-token belongs to, counted through the sentence; -1 for special tokens; shape (tokens,)."""
        import numpy as np  # noqa: PLC0415

        words = np.full(self.size, -1, dtype=np.int32)
        ends = [*self.positions[1:], self.size - self.closing]
        for word, (start, end) in enumerate(zip(self.positions, ends, strict=True), start=self.first_word):
            words[start:end] = word
        return words


@dataclass(frozen=True)
class SpanFeature(Feature):
    """A question with a window of its context.

    Attributes:
        context_offsets: Characters of the context that each context sub-token of the window covers, white space left
            out, shape (context tokens, 2).
        context_first: Where the first context sub-token stands in the row.
    """

    context_offsets: NDArray[np.int32]
    context_first: int

    @property
    def offsets(self) -> NDArray[np.int32]:
        """Characters of the context that each sub-token covers, shape (tokens, 2); -1 for others than the context's.

        A sub-token that is nothing but a word boundary covers none: its start equals its end.
        """
        import numpy as np  # noqa: PLC0415

        offsets = np.full((self.size, 2), -1, dtype=np.int32)
        offsets[self.context_first : self.context_first + len(self.context_offsets)] = self.context_offsets
        return offsets


@dataclass(frozen=True)
class Encoded:
    """Examples with their features.

    Attributes:
        kind: Kind of task.
        examples: The examples, in their order.
        features: Their features, in the order of the examples; several for a long sentence or context.
        truncated: Examples of which text was cut off: a pair, a prompt, a question, a retrieval sentence, a query or a
            candidate. Tagged sentences and contexts are never cut.
        replaced: Tagged words that stand as ``<unk>`` because they have no sub-token, or more than fit into a row.
        specials: Number of special tokens before the first text of a row, and after its last.
    """

    kind: Kind
    examples: Sequence[Example | Sentence | Candidate]
    features: Sequence[Feature]
    truncated: int = 0
    replaced: int = 0
    specials: tuple[int, int] = (1, 1)

    def by_example(self) -> list[list[int]]:
        """Return the positions of each example's features."""
        groups: list[list[int]] = [[] for _ in self.examples]
        for index, feature in enumerate(self.features):
            groups[feature.example].append(index)
        return groups


def check_settings(settings: EncodeSettings, kind: Kind) -> None:
    """Check that lengths leave room for text.

    Args:
        settings: Lengths.
        kind: Kind of task they are for.

    Raises:
        ConfigError: If a length is too small.
    """
    for found in short_lengths(settings, kind):
        raise found.error(found.key)


@dataclass(frozen=True)
class ShortLength:
    """A length that leaves no room for text.

    Attributes:
        key: Which of `EncodeSettings`.
        value: What it is.
        least: The smallest that can be used.
        reason: Why that is so; empty where nothing else decides it.
    """

    key: str
    value: int
    least: int
    reason: str

    def error(self, key: str, tasks: Iterable[str] = ()) -> ConfigError:
        """Return the error that says so.

        Args:
            key: Where the length is set.
            tasks: Tasks that it is for; none where there is one only.
        """
        names = ", ".join(tasks)
        problem = f"{self.value} sub-tokens are too few" + (f" for {names}" if names else "")
        reason = f": {self.reason}" if self.reason else ""
        return ConfigError(f"{problem}{reason}", key=key, allowed=[f"{self.least} or more"])


def short_lengths(settings: EncodeSettings, kind: Kind) -> list[ShortLength]:
    """Return the lengths that are too small.

    Args:
        settings: Lengths.
        kind: Kind of task they are for.
    """
    least = {"max_length": (SHORTEST, ""), "doc_stride": (1, ""), "max_query_length": (1, "")}
    if FACTS[kind].query == "beside_context":
        query = settings.max_query_length
        reason = f"a question may take {query} of them (max_query_length), and {SHORTEST} must be left for text"
        least["max_length"] = (query + SHORTEST, reason)
    if FACTS[kind].query == "own_row":
        least["max_query_length"] = (SHORTEST, "")
    values = {key: getattr(settings, key) for key in least}
    return [
        ShortLength(key, values[key], smallest, reason)
        for key, (smallest, reason) in least.items()
        if values[key] < smallest
    ]
