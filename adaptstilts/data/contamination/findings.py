"""What was found of leaks and overlaps in the data of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adaptstilts.data.contamination.leaks import Leak
from adaptstilts.data.contamination.overlap import Overlap


@dataclass(frozen=True)
class Pair:
    """A training set and what a target is scored on.

    Attributes:
        training: Task whose set is trained on.
        training_split: ``train``, or ``dev`` by which the checkpoint is chosen.
        target: Target task.
        target_split: Split that is scored.
        overlap: What they share.
    """

    training: str
    training_split: str
    target: str
    target_split: str
    overlap: Overlap


@dataclass(frozen=True)
class Findings:
    """Leaks and overlaps of a study.

    Attributes:
        leaks: What was found of other languages in each English training set, by task.
        pairs: Every training and dev set with every scored set, those that share nothing too.
    """

    leaks: Mapping[str, Leak]
    pairs: tuple[Pair, ...]

    @property
    def leaking(self) -> dict[str, Leak]:
        """The training sets that hold other languages."""
        return {name: leak for name, leak in self.leaks.items() if leak.is_leak}

    @property
    def overlapping(self) -> tuple[Pair, ...]:
        """The pairs that share anything."""
        return tuple(pair for pair in self.pairs if not pair.overlap.is_none)

    def summary(self) -> str:
        """Return what was found in one line."""
        leaks = f"no other language in {len(self.leaks)} English training sets"
        if self.leaking:
            leaks = f"other languages in the English training sets of {', '.join(self.leaking)}"
        shared = [pair for pair in self.overlapping if pair.overlap.same_rows]
        overlaps = f"{len(shared)} of {len(self.pairs)} pairs of sets share rows"
        if shared:
            most = max(shared, key=lambda pair: pair.overlap.same_rows / pair.overlap.rows)
            overlaps += (
                f", most of all {most.target} ({most.target_split}) with {most.training} ({most.training_split}): "
                f"{most.overlap.same_rows:,} of {most.overlap.rows:,}"
            )
        return f"leaks and overlaps: {leaks}; {overlaps}"
