"""Means and best variants of a sweep, with numbers worked out by hand."""

import pytest

from adaptstilts.results.rows import TaskScore
from adaptstilts.results.variants import BestVariant, VariantMean, best_variants, variant_means


def score(variant: str, method: str, target: str, value: float, *, source: str = "", seed: int = 1) -> TaskScore:
    return TaskScore(method, "adapter", source, target, seed, (("en", value),), variant=variant)


def test_mean_is_over_sources_then_targets_then_seeds_with_the_spread_of_seeds():
    scores = [
        score("a", "stack", "xnli", 50.0, source="mnli"),
        score("a", "stack", "xnli", 60.0, source="qqp"),
        score("a", "stack", "udpos", 85.0, source="mnli"),
        score("a", "stack", "xnli", 59.0, source="mnli", seed=2),
        score("a", "stack", "udpos", 85.0, source="mnli", seed=2),
    ]
    # Seed 1: (55 + 85) / 2 = 70; seed 2: (59 + 85) / 2 = 72; sample deviation of 70 and 72.
    (found,) = variant_means(scores)
    assert (found.variant, found.method, found.score, found.is_complete) == ("a", "stack", 71.0, True)
    assert found.spread == pytest.approx(2**0.5)


def test_mean_of_a_variant_that_lacks_a_target_is_not_complete():
    scores = [
        score("a", "adapter", "xnli", 50.0),
        score("a", "adapter", "udpos", 70.0),
        score("b", "adapter", "xnli", 52.0),
    ]
    assert variant_means(scores) == (
        VariantMean("a", "adapter", 60.0, None, is_complete=True),
        VariantMean("b", "adapter", 52.0, None, is_complete=False),
    )


def test_best_variant_is_told_for_each_target_and_method_and_none_where_all_are_alike():
    scores = [
        score("a", "direct", "xnli", 40.1), score("b", "direct", "xnli", 40.1),
        score("a", "stack", "xnli", 45.0), score("b", "stack", "xnli", 44.0, source="q"),
        score("b", "stack", "xnli", 48.0, source="m"), score("a", "stack", "udpos", 1.5),
        score("b", "stack", "udpos", 1.0),
    ]  # fmt: skip
    assert best_variants(scores) == (
        BestVariant("xnli", "direct", None, 40.1, 40.1),
        BestVariant("xnli", "stack", "b", 46.0, 45.0),
        BestVariant("udpos", "stack", "a", 1.5, 1.0),
    )


def test_nothing_comes_of_nothing():
    assert (variant_means([]), best_variants([])) == ((), ())
