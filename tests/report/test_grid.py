"""Rendering of grids, and numbers in short."""

import pytest

from adaptstilts.report.grid import (
    TERMINAL_WIDTH,
    Footnotes,
    Grid,
    count_text,
    markdown,
    minutes_text,
    range_text,
    signed_text,
    size_text,
    terminal,
    terminal_text,
)

GRID = Grid(
    title="Two methods",
    header=("source", "xnli¹"),
    rows=(("full", ""), (" a|b", "+1.2\n±0.3"), ("adapter", "-10.0")),
    sections=frozenset({0}),
    footnotes=("¹ one seed", "Second line."),
)


def test_markdown_aligns_columns_marks_sections_and_escapes_bars():
    assert markdown(GRID) == (
        "### Two methods\n"
        "\n"
        "| source   |     xnli¹ |\n"
        "| :------- | --------: |\n"
        "| **full** |           |\n"
        "| a\\|b     | +1.2 ±0.3 |\n"
        "| adapter  |     -10.0 |\n"
        "\n"
        "¹ one seed<br>\n"
        "Second line.\n"
    )


def test_terminal_text_puts_spread_below_and_footnotes_in_full_lines():
    lines = terminal_text([GRID, GRID]).splitlines()
    assert lines[0] == "Two methods"
    assert "  a|b      +1.2" in lines
    assert "           ±0.3" in lines
    assert " ¹ one seed" in lines
    assert lines.count("Two methods") == 2


def test_terminal_colours_gains_and_losses_only():
    styles = [str(cell.style) for cell in terminal(GRID).columns[1].cells]
    assert [style for style in styles if style] == ["green", "red"]


def test_terminal_narrows_gaps_when_the_table_would_not_fit():
    wide = Grid(
        "wide", ("source", *("tatoeba" for _ in range(10))), (("commonsenseqa", *("+12.3" for _ in range(10))),)
    )
    text = terminal_text([wide])
    assert max(map(len, text.splitlines())) <= TERMINAL_WIDTH
    assert "…" not in text
    assert text.count("tatoeba") == 10


def test_footnotes_number_notes_in_the_order_of_use():
    notes = Footnotes()
    assert notes.mark(["late", "early"]) == "¹ ²"
    assert notes.mark(["early"]) == "²"
    assert notes.mark([]) == ""
    notes.remark("A remark.")
    notes.remark("A remark.")
    assert notes.lines() == ("¹ late", "² early", "A remark.")


@pytest.mark.parametrize(
    ("value", "text"), [(1.25, "+1.2"), (-0.06, "-0.1"), (0.04, "0.0"), (-0.04, "0.0"), (0.0, "0.0"), (23.0, "+23.0")]
)
def test_signed_text_gives_zero_no_sign(value: float, text: str):
    assert signed_text(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(930, "930"), (12_345, "12.3 k"), (999_949, "999.9 k"), (999_950, "1.00 M"), (3_124_000, "3.12 M")],
)
def test_count_text_moves_to_the_next_unit_before_it_would_round_up(count: int, text: str):
    assert count_text(count) == text


@pytest.mark.parametrize(
    ("size", "text"), [(930, "930 B"), (98_400, "98 kB"), (999_499, "999 kB"), (999_500, "1.0 MB"), (16e6, "16.0 MB")]
)
def test_size_text_uses_decimal_units(size: float, text: str):
    assert size_text(size) == text


@pytest.mark.parametrize(("seconds", "text"), [(24, "0.4"), (596, "9.9"), (597, "10"), (3600, "60")])
def test_minutes_text_drops_the_decimal_from_ten(seconds: float, text: str):
    assert minutes_text(seconds) == text


def test_range_text_gives_one_text_when_both_ends_read_the_same():
    assert range_text([24_010, 23_990], count_text) == "24.0 k"
    assert range_text([66_000, 24_000], count_text) == "24.0 k to 66.0 k"
