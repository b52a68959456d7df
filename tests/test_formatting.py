"""Numbers, sizes and durations as people read them."""

import pytest

from adaptstilts.formatting import (
    aligned,
    count_text,
    decimal_text,
    duration_text,
    estimate_text,
    number_text,
    range_text,
    reason_of,
    scaled,
    shown,
    signed_text,
    size_text,
    system_reason,
    visible,
)


@pytest.mark.parametrize(
    ("value", "text"), [(1.25, "+1.2"), (-0.06, "-0.1"), (0.04, "0.0"), (-0.04, "0.0"), (0.0, "0.0"), (23.0, "+23.0")]
)
def test_signed_text_gives_zero_no_sign(value: float, text: str):
    assert signed_text(value) == text


@pytest.mark.parametrize(("value", "text"), [(-0.04, "0.0"), (-0.0, "0.0"), (-0.06, "-0.1"), (49.96, "50.0")])
def test_decimal_text_gives_zero_no_sign(value: float, text: str):
    assert decimal_text(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(930, "930"), (12_345, "12.3 k"), (999_949, "999.9 k"), (999_950, "1.00 M"), (3_124_000, "3.12 M")],
)
def test_count_text_moves_to_the_next_unit_before_it_would_round_up(count: int, text: str):
    assert count_text(count) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (930, "930 B"),
        (2500, "2.5 kB"),
        (9_940, "9.9 kB"),
        (98_400, "98 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (16e6, "16.0 MB"),
        (999_960_000, "1.0 GB"),
        (2.5e12, "2.5 TB"),
    ],
)
def test_size_text_uses_decimal_units(size: float, text: str):
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [
        (0, ("row",), "0 rows"),
        (1, ("row",), "1 row"),
        (12_345, ("row",), "12,345 rows"),
        (1, ("process",), "1 process"),
        (2, ("process",), "2 processes"),
        (1, ("row", "without a label"), "1 row without a label"),
        (2, ("row", "without a label"), "2 rows without a label"),
        (2, ("query",), "2 queries"),
        (2, ("day",), "2 days"),
    ],
)
def test_number_text_puts_the_noun_in_the_singular_for_one_alone(count: int, noun: tuple[str, ...], text: str):
    assert number_text(count, *noun) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ({"a": [None, False, 1.5, "x"]}, "{'a': [null, false, 1.5, 'x']}"),
        ("\x1b[2J", r"'\x1b[2J'"),
        (list(range(9)), "[0, 1, 2, 3, 4, 5, 6, 7, ...]"),
    ],
)
def test_shown_writes_true_and_null_as_the_file_does(value: object, text: str):
    assert shown(value) == text


def test_range_text_gives_one_text_when_both_ends_read_the_same():
    assert range_text([24_010, 23_990], count_text) == "24.0 k"
    assert range_text([66_000, 24_000], count_text) == "24.0 k to 66.0 k"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "0.2 s"),
        (4.4, "4.4 s"),
        (89, "89 s"),
        (89.6, "1.5 min"),
        (596, "9.9 min"),
        (597, "10 min"),
        (600, "10 min"),
        (9000, "2.5 h"),
        (180_000, "2.1 d"),
    ],
)
def test_duration_text_takes_the_unit_that_fits(seconds: float, text: str):
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (4.4, "4 s"), (89, "89 s"), (90, "2 min"), (600, "10 min"), (9000, "2.5 h")]
)
def test_estimate_text_has_no_fractions_of_a_second(seconds: float, text: str):
    assert estimate_text(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(12, "12"), (999, "999"), (1_000, "1 k"), (999_949, "1 M"), (3_172_000, "3.17 M"), (4.56e15, "4,560 T")],
)
def test_scaled_never_shows_an_exponent(number: float, text: str):
    assert scaled(number) == text


def test_aligned_makes_columns_as_wide_as_their_widest_text():
    rows = [("name", "kind", "size"), ("a", "train", "7 kB"), ("longer", "", "12.5 MB")]
    assert aligned(rows, "<<>") == [
        "name    kind      size",
        "a       train     7 kB",
        "longer         12.5 MB",
    ]
    assert aligned([("", "1", "22"), ("x", "333", "")], "<>") == ["     1  22", "x  333"]
    assert aligned([], "<") == []


def test_first_line_of_an_error_without_text_is_its_class():
    assert reason_of(ValueError("\n  no rows\nmore")) == "no rows"
    assert reason_of(KeyboardInterrupt()) == "KeyboardInterrupt"
    assert reason_of(KeyError("name")) == "KeyError: 'name'"
    torch_error = RuntimeError("Error(s) in loading state_dict for Linear:\n\tsize mismatch for weight\n\tand bias")
    assert reason_of(torch_error) == "Error(s) in loading state_dict for Linear: size mismatch for weight (and 1 more)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("PAN-X in 中文, עברית and हिन्दी", "PAN-X in 中文, עברית and हिन्दी"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("one\ntwo\r\tthree", "one\\ntwo\\r\\tthree"),
        ("right\u202eleft\u200b", "right\\u202eleft\\u200b"),
        ("\ud800 \U000e0001 \x9b", "\\ud800 \\U000e0001 \\x9b"),
    ],
)
def test_visible_escapes_what_controls_a_terminal_or_hides(text: str, shown: str):
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(13, "Permission denied", "/a/b"), "Permission denied"),
        (OSError("5 requested and 3 written\nmore"), "5 requested and 3 written"),
        (OSError(), "OSError"),
    ],
)
def test_reason_of_the_system_is_one_line(error: OSError, says: str):
    assert system_reason(error) == says
