"""Variants of a sweep beside each other: means over targets, and the best of each target."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adaptstilts.analyse.results import TaskScore, mean, spread
from adaptstilts.analyse.transfer import methods_in_order

_ALIKE = 1e-9
"""Points; smaller differences come from adding up in another order."""


@dataclass(frozen=True)
class VariantMean:
    """One method in one variant.

    Attributes:
        variant: Label of the variant.
        method: Method name.
        score: Mean over seeds of the mean over targets, in percent; a target's score is its mean over intermediate
            tasks.
        spread: Sample standard deviation over seeds of the mean over targets; None for fewer than two seeds.
        is_complete: Whether every seed has every target that the method has in any variant.
    """

    variant: str
    method: str
    score: float
    spread: float | None
    is_complete: bool


@dataclass(frozen=True)
class BestVariant:
    """One method on one target.

    Attributes:
        target: Target task.
        method: Method name.
        variant: Label of the best variant, of equal ones the first; None where all score the same.
        score: Its mean over intermediate tasks and seeds, in percent.
        lowest: That of the worst variant.
    """

    target: str
    method: str
    variant: str | None
    score: float
    lowest: float


def variant_means(scores: Iterable[TaskScore]) -> tuple[VariantMean, ...]:
    """Average each method over targets, variant by variant.

    Args:
        scores: Scores of a study.

    Returns:
        Variants in the order in which they first come, in each of them methods in the order of the configuration.
    """
    known = list(scores)
    targets: dict[str, set[str]] = defaultdict(set)
    for score in known:
        targets[score.method].add(score.target)
    found = []
    for variant in dict.fromkeys(score.variant for score in known):
        for method in methods_in_order(score.method for score in known if score.variant == variant):
            own = [score for score in known if (score.variant, score.method) == (variant, method)]
            found.append(_mean_of(own, targets[method]))
    return tuple(found)


def best_variants(scores: Iterable[TaskScore]) -> tuple[BestVariant, ...]:
    """Find the best variant of each target and method.

    Args:
        scores: Scores of a study.

    Returns:
        Targets in the order in which they first come, in each of them methods in the order of the configuration.
    """
    known = list(scores)
    found = []
    for target in dict.fromkeys(score.target for score in known):
        for method in methods_in_order(score.method for score in known if score.target == target):
            values: dict[str, list[float]] = defaultdict(list)
            for score in known:
                if (score.target, score.method) == (target, method):
                    values[score.variant].append(score.mean)
            by_variant = {variant: mean(own) for variant, own in values.items()}
            best = max(by_variant, key=by_variant.__getitem__)
            lowest = min(by_variant.values())
            are_alike = by_variant[best] - lowest < _ALIKE
            found.append(BestVariant(target, method, None if are_alike else best, by_variant[best], lowest))
    return tuple(found)


def _mean_of(scores: Sequence[TaskScore], targets: set[str]) -> VariantMean:
    by_seed: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for score in scores:
        by_seed[score.seed][score.target].append(score.mean)
    means = [mean([mean(values) for values in by_target.values()]) for by_target in by_seed.values()]
    return VariantMean(
        variant=scores[0].variant,
        method=scores[0].method,
        score=mean(means),
        spread=spread(means),
        is_complete=all(set(by_target) == targets for by_target in by_seed.values()),
    )
