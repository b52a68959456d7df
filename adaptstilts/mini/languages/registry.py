"""The languages of the mini world, in one fixed order."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from adaptstilts.mini.languages.base import Grammar

MODULES: dict[str, str] = {
    "en": "english",
    "de": "german",
    "es": "spanish",
    "ru": "russian",
    "tr": "turkish",
    "sw": "swahili",
    "hi": "hindi",
    "zh": "chinese",
}
"""ISO 639-1 code -> module of `adaptstilts.mini.languages`; the source language first."""

CODES3: dict[str, str] = {
    "de": "deu",
    "es": "spa",
    "ru": "rus",
    "tr": "tur",
    "sw": "swh",
    "hi": "hin",
    "zh": "cmn",
}
"""ISO 639-1 code -> code in the names of the Tatoeba files."""


@cache
def _load() -> tuple[tuple[str, Grammar], ...]:
    return tuple(
        (code, import_module(f"adaptstilts.mini.languages.{module}").GRAMMAR) for code, module in MODULES.items()
    )


def grammars() -> dict[str, Grammar]:
    """Return every language of the mini world by code, English first."""
    return dict(_load())
