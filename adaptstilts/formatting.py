"""Numbers, sizes, durations and columns of text as people read them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from reprlib import Repr

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of characters that control a terminal or cannot be seen."""

_LONGEST_REASON = 300


def visible(text: str) -> str:
    """Return a text on one line in which characters that control a terminal or cannot be seen are written as escapes.

    Texts in which there are none are returned as they are.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def _visible_character(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def visible_lines(text: str) -> str:
    """Return a text of several lines, each of them as `visible` shows it."""
    return "\n".join(map(visible, text.split("\n")))


def visible_json(text: str) -> str:
    """Return JSON in which the characters that `visible` escapes stand as JSON's own escapes; its value is the same."""
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(
        json.dumps(character)[1:-1] if character != "\n" and unicodedata.category(character) in _HIDDEN else character
        for character in text
    )


_MARKED = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])")
_BLOCK = re.compile(r"\s*(?:[#+-]|\d+[.)])")
_ENTITY = re.compile(r"&(?=[#\w])")


def markdown_text(text: str, *, begins_line: bool = False) -> str:
    """Return a text on one line of Markdown that shows it as it is: no markup, no HTML, no formula.

    Characters that cannot be seen are written as escapes, as `visible` does.

    Args:
        begins_line: Whether the text stands at the beginning of a line or of a list's item.
    """
    text = _MARKED.sub(_with_backslash, visible(text))
    if begins_line:
        text = _BLOCK.sub(_with_backslash, text, count=1) if _BLOCK.match(text) else text
    return _ENTITY.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def _with_backslash(found: re.Match[str]) -> str:
    """Escape the last character of a mark: of ``1.`` at the beginning, which makes a list, the point."""
    return f"{found[0][:-1]}\\{found[0][-1]}"


class _Short(Repr):
    """Shortens values, also those within others."""

    def repr_bool(self, value: bool, _: int) -> str:
        return str(value).lower()

    def repr_NoneType(self, _: None, __: int) -> str:  # noqa: N802 - named after the type
        return "null"


_SHORT = _Short()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 100
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = 8


def cut(text: str, most: int = 100) -> str:
    """Return the first characters of a text, followed by three dots if there are more."""
    return text if len(text) <= most else f"{text[:most]}..."


def shown(value: object) -> str:
    """Return a value from a file for a message: short, on one line, and true and null as in JSON and YAML."""
    return _SHORT.repr(value)


def size_text(count: float) -> str:
    """Return a number of bytes in decimal units: ``930 B``, ``2.5 kB``, ``230 kB``, ``4.5 MB``."""
    if count < 1_000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        whole = unit == "kB" and count >= 9.95
        if count < (999.5 if whole else 999.95):
            return f"{count:.0f} {unit}" if whole else f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} TB"


def duration_text(seconds: float) -> str:
    """Return a time in the unit that fits: ``4.4 s``, ``80 s``, ``1.5 min``, ``12 min``, ``3.4 h``, ``2.1 d``."""
    if seconds < 89.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.1f} min" if seconds < 597 else f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} d"


def estimate_text(seconds: float) -> str:
    """Return a time that is known roughly, such as the time left: ``4 s``, ``2 min``, ``3.4 h``."""
    if seconds < 89.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else duration_text(seconds)


def reason_of(error: BaseException) -> str:
    """Return what a library's error says, on one line; the name of its class if it has no text.

    Torch gives the reason on the lines after ``Error(s) in loading state_dict for Linear:``.
    """
    name, lines = type(error).__name__, [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return name
    more = len(lines) - 2
    text = lines[0]
    if text.endswith(":") and more >= 0:
        text = f"{text} {lines[1]}" + (f" (and {more} more)" if more else "")
    text = f"{name}: {text}" if isinstance(error, KeyError) else text
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]} ..."


def system_reason(error: OSError) -> str:
    """Return what the operating system says of an error: ``No space left on device``; of a library's, what that says.

    Some libraries raise the system's errors with a text of their own, and nothing else.
    """
    return error.strerror or reason_of(error)


def merged_lines(found: Mapping[str, Sequence[str]]) -> list[str]:
    """Return each line once; one that does not hold for all variants begins with the labels of those it holds for.

    Args:
        found: Lines by label of the variant.
    """
    owners: dict[str, list[str]] = {}
    for label, lines in found.items():
        for line in dict.fromkeys(lines):
            owners.setdefault(line, []).append(label)
    return [line if len(labels) == len(found) else f"{'; '.join(labels)}: {line}" for line, labels in owners.items()]


_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def number_text(count: int, noun: str, rest: str = "") -> str:
    """Return a number with its noun: ``1 table cell``, ``6 table cells``, ``2 rows without a label``.

    Args:
        rest: What stands behind the noun and does not depend on the number.
    """
    if count == 1:
        several = noun
    elif noun.endswith("y") and noun[-2] not in "aeiou":
        several = f"{noun[:-1]}ies"
    else:
        several = f"{noun}{'es' if noun.endswith('s') else 's'}"
    return f"{count:,} {several}{rest and f' {rest}'}"


def scaled(number: float) -> str:
    """Return a number with three digits and a letter: ``3.17 M``."""
    for size, letter in _SCALES:
        if number >= 0.9995 * size:
            return f"{number / size:.3g} {letter}" if number < 999.5 * size else f"{number / size:,.0f} {letter}"
    return f"{number:.3g}"


def count_text(count: float) -> str:
    """Return a number of parameters in short: ``930``, ``12.3 k``, ``1.03 M``."""
    if count < 1_000:
        return f"{count:.0f}"
    return f"{count / 1e3:.1f} k" if count < 999_950 else f"{count / 1e6:.2f} M"


def range_text(values: Sequence[int], as_text: Callable[[float], str]) -> str:
    """Return the smallest and the largest of some numbers, or one text where both read the same."""
    low, high = as_text(min(values)), as_text(max(values))
    return low if low == high else f"{low} to {high}"


def decimal_text(value: float) -> str:
    """Return a number with one decimal; zero has no sign."""
    text = f"{value:.1f}"
    return "0.0" if text == "-0.0" else text


def signed_text(value: float) -> str:
    """Return a difference with its sign and one decimal; zero has no sign."""
    text = f"{value:+.1f}"
    return "0.0" if text in {"+0.0", "-0.0"} else text


def aligned(rows: Sequence[Sequence[str]], sides: str) -> list[str]:
    """Return rows as lines, each column as wide as its widest text and two spaces apart; texts are made visible.

    A table of rich would do the same at 45 microseconds a cell, which is seconds for the 9,000 stages of a large plan.

    Args:
        rows: Texts, as many in each row; the header comes first.
        sides: ``<`` for a column of texts and ``>`` for one of numbers; the last sign holds for all columns after it.
    """
    rows = [[visible(text) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = sides.ljust(len(widths), sides[-1])
    cells = ([f"{text:{side}{width}}" for text, side, width in zip(row, sides, widths, strict=True)] for row in rows)
    return ["  ".join(row).rstrip() for row in cells]
