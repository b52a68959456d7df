"""Leaks and overlaps found in the data of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adaptstilts.data.contamination.leaks import Leak
from adaptstilts.data.contamination.overlap import Overlap
from adaptstilts.formatting import number_text


@dataclass(frozen=True)
class Pair:
    """A training set, a set that a target task is scored on, and what the two share.

    Attributes:
        training: Task whose training or dev set it is.
        training_split: ``train``, or ``dev`` where the set selects the checkpoint.
        target_split: Split that is scored.
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
        leaks: Task -> rows in other languages in its English training set.
        pairs: Every training and dev set with every scored set, also where they share nothing.
    """

    leaks: Mapping[str, Leak]
    pairs: tuple[Pair, ...]

    @property
    def leaking(self) -> dict[str, Leak]:
        """Training sets that hold other languages."""
        return {name: leak for name, leak in self.leaks.items() if leak.is_leak}

    @property
    def overlapping(self) -> tuple[Pair, ...]:
        """Pairs that share anything."""
        return tuple(pair for pair in self.pairs if not pair.overlap.is_none)

    def summary(self) -> str:
        """Return all findings in one line."""
        leaks = f"no other language in {number_text(len(self.leaks), 'English training set')}"
        if self.leaking:
            leaks = f"other languages in the English training sets of {', '.join(self.leaking)}"
        shared = [pair for pair in self.overlapping if pair.overlap.same_rows]
        overlaps = f"shared rows in {len(shared)} of {number_text(len(self.pairs), 'pair', 'of sets')}"
        if shared:
            most = max(shared, key=lambda pair: pair.overlap.same_rows / pair.overlap.rows)
            overlaps += (
                f", most of all {most.target} ({most.target_split}) with {most.training} ({most.training_split}): "
                f"{most.overlap.same_rows:,} of {most.overlap.rows:,}"
            )
        return f"leaks and overlaps: {leaks}; {overlaps}"
