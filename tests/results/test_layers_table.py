from __future__ import annotations

import struct
from pathlib import Path

import pytest

from adaptstilts.errors import EvaluationError
from adaptstilts.results.grid import markdown
from adaptstilts.results.layers import LayerCurve, draw_layers, layers_grid

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
