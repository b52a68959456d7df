from __future__ import annotations

from dataclasses import replace

import pytest

from adaptstilts.results.layers import LayerRow, best_layer, layer_curves


def row(target: str, language: str, layer: int, value: float, **changed: object) -> LayerRow:
    values = {
        "method": "direct",
        "source": "",
        "target": target,
        "seed": 1,
        "language": language,
        "layer": layer,
        "is_used": layer == 1,
        "metric": "f1",
        "value": value,
        "is_major": True,
        "split": "dev",
        "note": "a note",
    }
    return LayerRow(**{**values, **changed})


def test_best_layer_is_that_of_the_highest_mean_over_languages():
    # Means 20, 45, 40; German alone would choose layer 2.
    assert best_layer({"de": {0: 10.0, 1: 30.0, 2: 70.0}, "zh": {0: 30.0, 1: 60.0, 2: 10.0}}) == 1


def test_best_layer_is_the_lowest_of_equal_ones():
    assert best_layer({"de": {2: 5.0, 1: 5.0, 0: 1.0}}) == 1


def test_curves_average_major_metrics_and_then_languages():
    rows = [
        row("bucc2018", "de", 1, 10.0),
        row("bucc2018", "de", 0, 40.0),
        row("bucc2018", "zh", 0, 20.0),
        row("bucc2018", "zh", 1, 50.0, metric="other"),
        row("bucc2018", "zh", 1, 70.0),
        row("bucc2018", "zh", 1, 99.0, metric="precision", is_major=False),
        row("tatoeba", "de", 0, 7.0, split="test"),
        row("tatoeba", "de", 1, 6.0, split="test"),
    ]
    bucc, tatoeba = layer_curves(rows)
    assert (bucc.target, bucc.by_layer, bucc.used, bucc.best) == ("bucc2018", (30.0, 35.0), 1, 1)
    assert (tatoeba.splits, tatoeba.by_layer, tatoeba.best, tatoeba.note) == (("test",), (7.0, 6.0), 0, "a note")


@pytest.mark.parametrize("name", ["method", "source", "target", "seed"])
def test_curves_are_apart_for_every_setting(name: str):
    rows = [row("bucc2018", "de", layer, 1.0) for layer in (0, 1)]
    rows += [replace(one, **{name: 2 if name == "seed" else "x", "value": 3.0}) for one in rows]
    assert [curve.by_layer for curve in layer_curves(rows)] == [(1.0, 1.0), (3.0, 3.0)]
