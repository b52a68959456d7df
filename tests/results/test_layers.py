"""Scores by hidden layer: the best one, curves, table and figure."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from adaptstilts.errors import EvaluationError
from adaptstilts.results.grid import markdown
from adaptstilts.results.layers import LayerCurve, LayerRow, best_layer, draw_layers, layer_curves, layers_grid


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


CURVES = (
    LayerCurve("direct", "", "bucc2018", 1, 1, ("dev",), (10.0, 30.04, 50.0), "threshold fitted on dev"),
    LayerCurve("stack", "mnli", "tatoeba", 1, 1, ("test",), (10.0, 60.0, 20.0)),
)


def size_of(path: Path) -> tuple[int, int]:
    header = path.read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    return struct.unpack(">II", header[16:24])


def test_table_shows_the_used_layer_beside_the_best():
    grid = layers_grid(CURVES)
    assert grid.rows[0][1:] == ("direct", "", "dev", "1", "30.0", "2", "50.0")
    assert grid.rows[1][1:] == ("stack", "mnli", "test", "1", "60.0", "1", "60.0")


def test_table_says_which_scores_were_fitted_and_that_the_best_was_chosen_on_them():
    text = markdown(layers_grid(CURVES))
    assert "threshold fitted on dev" in text
    assert "no dev split: scored on the split of the results" in text
    assert "chosen on the scores shown" in text


def test_figure_has_a_panel_for_each_target(tmp_path: Path):
    one = size_of(draw_layers(CURVES[:1], tmp_path / "one.png"))
    two = size_of(draw_layers(CURVES, tmp_path / "two.png"))
    assert two == (2 * one[0], one[1])


def test_figure_of_many_settings_names_methods_once(tmp_path: Path):
    many = [LayerCurve("stack", f"task{n}", "tatoeba", 1, 0, ("test",), (1.0 * n, 2.0)) for n in range(12)]
    assert size_of(draw_layers(many, tmp_path / "many.png"))


def test_figure_raises_when_there_is_nothing_to_draw(tmp_path: Path):
    with pytest.raises(EvaluationError, match=r"0 layers to draw\. Set retrieval\.sweep=true"):
        draw_layers((), tmp_path / "none.png")
