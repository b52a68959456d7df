"""Presets of retrieval and what stands over them."""

from __future__ import annotations

from typing import Any

import pytest

from adaptstilts.config.retrieval import PRESETS, changes, layer_at, resolve_retrieval
from adaptstilts.config.schema import RetrievalSection


def section(**values: Any) -> RetrievalSection:
    return RetrievalSection.model_validate(values)


def essence(preset: str, use: str) -> tuple[Any, ...]:
    found = resolve_retrieval(section(preset=preset), "any", use)
    assert (found.blocks, found.max_length, found.similarity, found.sweep) == (24, 512, "cosine", False)
    return (
        found.layer,
        found.pooling,
        found.margin,
        found.neighbours,
        found.direction,
        found.candidates,
        found.duplicates,
    )


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("xtreme-paper", (14, "mean", "ratio", 4, None, "max", "xtreme")),
        ("xtreme-head", (20, "cls", "ratio", 4, None, "max", "xtreme")),
        ("jiant", (14, "mean", "ratio", 4, None, "max", "jiant")),
    ],
)
def test_preset_mines_as_its_source_does(preset: str, expected: tuple[Any, ...]):
    assert essence(preset, "mine") == expected


def test_all_presets_search_alike():
    assert len(PRESETS) == 3
    for preset in PRESETS:
        assert essence(preset, "search") == (14, "mean", "none", None, "english_to_foreign", None, None)


def test_first_preset_is_the_default():
    assert RetrievalSection().preset == "xtreme-paper"


def test_setting_for_all_tasks_stands_over_the_preset_and_override_over_both():
    chosen = section(preset="xtreme-head", pooling="mean", overrides={"one": {"pooling": "mean_no_specials"}})
    assert resolve_retrieval(chosen, "one", "mine").pooling == "mean_no_specials"
    assert resolve_retrieval(chosen, "other", "mine").pooling == "mean"
    assert resolve_retrieval(chosen, "other", "mine").layer == 20


def test_explicit_layer_is_taken_as_it_is():
    found = resolve_retrieval(section(layer=0), "any", "search")
    assert (found.layer, found.blocks) == (0, None)
    assert layer_at(0, 4, found.blocks) == 0


def test_settings_hold_only_what_has_an_effect_on_the_use():
    everything = section(neighbours=7, direction="foreign_to_english", candidates="forward", duplicates="jiant")
    mine, search = (resolve_retrieval(everything, "any", use) for use in ("mine", "search"))
    assert (mine.neighbours, mine.direction, mine.candidates, mine.duplicates) == (7, None, "forward", "jiant")
    assert (search.neighbours, search.direction) == (None, "foreign_to_english")
    assert (search.candidates, search.duplicates) == (None, None)


def test_neighbours_count_only_with_a_margin_and_are_four_unless_said():
    assert resolve_retrieval(section(margin="none", neighbours=7), "any", "mine").neighbours is None
    assert resolve_retrieval(section(margin="distance"), "any", "search").neighbours == 4


def test_fitted_layer_needs_the_sweep():
    assert resolve_retrieval(section(layer="dev"), "any", "mine").sweep
    assert resolve_retrieval(section(sweep=True), "any", "search").sweep


def test_changes_name_what_differs_from_the_preset():
    assert changes(section(), "any", "mine") == {}
    chosen = section(layer=14, pooling="mean", overrides={"any": {"similarity": "dot"}})
    assert changes(chosen, "any", "mine") == {"similarity": "dot", "layer": 14}
    assert changes(section(neighbours=7, duplicates="jiant"), "any", "search") == {}


@pytest.mark.parametrize(
    ("layer", "blocks", "expected"),
    [(14, 24, 14), (14, 12, 7), (14, 4, 2), (14, 2, 1), (14, 1, 1), (20, 24, 20), (20, 12, 10), (20, 4, 3), (0, 4, 0)],
)
def test_layer_keeps_its_share_of_the_depth(layer: int, blocks: int, expected: int):
    assert layer_at(layer, blocks) == expected
    assert layer_at(layer, blocks, None) == layer
