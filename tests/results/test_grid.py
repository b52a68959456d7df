"""Rendering of grids."""

import pytest

from adaptstilts.results.grid import TERMINAL_WIDTH, Footnotes, Grid, markdown, terminal_text

GRID = Grid(
    title="Two methods",
    header=("source", "xnli¹"),
    rows=(("full", ""), (" a|b", "+1.2\n±0.3"), ("adapter", "-10.0")),
    sections=frozenset({0}),
    footnotes=("¹ one seed", f"Second line{', longer than the table' * 5}."),
)


def test_markdown_aligns_columns_marks_sections_and_escapes_bars():
    assert markdown(GRID) == (
        "### Two methods\n"
        "\n"
        "| source   |     xnli¹ |\n"
        "| :------- | --------: |\n"
        "| **full** |           |\n"
        "| \u2003a\\|b    | +1.2 ±0.3 |\n"
        "| adapter  |     -10.0 |\n"
        "\n"
        "¹ one seed<br>\n"
        f"{GRID.footnotes[1]}\n"
    )


def test_terminal_text_puts_spread_below_and_footnotes_in_full_lines():
    lines = terminal_text([GRID, GRID]).splitlines()
    assert lines[0] == "Two methods"
    assert "  a|b      +1.2" in lines
    assert "           ±0.3" in lines
    assert " ¹ one seed" in lines
    assert lines[lines.index(" ¹ one seed") + 2].startswith("   table, longer")
    assert max(map(len, lines)) <= TERMINAL_WIDTH
    assert lines.count("Two methods") == 2


def test_terminal_text_has_no_colour_where_a_terminal_would_show_it(monkeypatch: pytest.MonkeyPatch):
    plain = terminal_text([GRID])
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert terminal_text([GRID]) == plain
    assert "\x1b" not in plain


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
