"""Text for rich that shows names and messages as they are: without markup, and what cannot be seen escaped."""

from __future__ import annotations

from rich.text import Text

from adaptstilts.formatting import visible, visible_lines


def plain(text: str, style: str = "") -> Text:
    """Return a text on one line."""
    return Text(visible(text), style)


def plain_lines(text: str, style: str = "") -> Text:
    """Return a message, which may have several lines."""
    return Text(visible_lines(text), style)
