"""Scores of every hidden layer of an encoder (retrieval), and which layer is best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adaptstilts.analyse.results import mean


@dataclass(frozen=True)
class LayerRow:
    """One score of one layer: method x source x target x language x layer x metric.

    Attributes:
        method: Method name, such as ``direct`` or ``stack``.
        source: Intermediate task; names joined by ``+`` for a fusion; empty where there is none.
        target: Retrieval target.
        seed: Seed of the runs it comes from.
        language: ISO 639-1 code.
        layer: Hidden layer, from 0 for the embeddings.
        is_used: Whether the study's results are those of this layer.
        metric: Name of the metric.
        value: Score in percent.
        is_major: Whether the task's score is made of this metric.
        split: Split the layers were scored on: ``dev`` where the task has one, else the one that is scored.
        note: What a reader of the number must know.
        variant: Label of its variant in a sweep; empty without one.
    """

    method: str
    source: str
    target: str
    seed: int
    language: str
    layer: int
    is_used: bool
    metric: str
    value: float
    is_major: bool
    split: str
    note: str = ""
    variant: str = ""


@dataclass(frozen=True)
class LayerCurve:
    """Scores of one setting by layer, each a mean over languages.

    Attributes:
        method: Method name.
        source: Intermediate task or tasks, or empty.
        target: Retrieval target.
        seed: Seed.
        used: Layer of the study's results.
        splits: Splits the layers were scored on.
        by_layer: Mean over languages of the major score in percent, from layer 0 up.
        note: Note of its rows.
        variant: Label of its variant in a sweep; empty without one.
    """

    method: str
    source: str
    target: str
    seed: int
    used: int
    splits: tuple[str, ...]
    by_layer: tuple[float, ...]
    note: str = ""
    variant: str = ""

    @property
    def best(self) -> int:
        """The layer with the highest mean; of equal ones the lowest."""
        return max(range(len(self.by_layer)), key=lambda layer: self.by_layer[layer])


def best_layer(by_language: Mapping[str, Mapping[int, float]]) -> int:
    """Return the layer with the highest mean over languages; of equal ones the lowest.

    Args:
        by_language: Score by language and layer, the same layers in each.

    Returns:
        The layer.
    """
    layers = sorted(next(iter(by_language.values())))
    return max(layers, key=lambda layer: mean([scores[layer] for scores in by_language.values()]))


def layer_curves(rows: Sequence[LayerRow]) -> tuple[LayerCurve, ...]:
    """Aggregate rows to one curve per setting: major metrics are averaged, then languages.

    Args:
        rows: Scores by layer of a study.

    Returns:
        One curve per method, source, target, seed and variant, in the order of the rows.
    """
    groups: dict[tuple[str, str, str, int, str], list[LayerRow]] = {}
    for row in rows:
        if row.is_major:
            groups.setdefault((row.method, row.source, row.target, row.seed, row.variant), []).append(row)
    return tuple(_curve(group) for group in groups.values())


def _curve(rows: Sequence[LayerRow]) -> LayerCurve:
    values: dict[int, dict[str, list[float]]] = {}
    for row in rows:
        values.setdefault(row.layer, {}).setdefault(row.language, []).append(row.value)
    first = rows[0]
    return LayerCurve(
        method=first.method,
        source=first.source,
        target=first.target,
        seed=first.seed,
        used=next(row.layer for row in rows if row.is_used),
        splits=tuple(dict.fromkeys(row.split for row in rows)),
        by_layer=tuple(mean([mean(found) for found in values[layer].values()]) for layer in sorted(values)),
        note="; ".join(dict.fromkeys(row.note for row in rows if row.note)),
        variant=first.variant,
    )
