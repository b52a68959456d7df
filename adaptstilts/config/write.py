"""Configurations written for people: chosen settings, and every other one as a comment with its default."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from adaptstilts.config.settings import Setting, settings_of, yaml_text

_WIDTH = 110


def commented_yaml(
    schema: type[BaseModel],
    chosen: Mapping[str, Any],
    *,
    header: Sequence[str] = (),
    notes: Mapping[str, str] | None = None,
    left_out: Collection[str] = (),
) -> str:
    """Write a configuration with every setting of a schema, the chosen ones in force, the others as comments.

    A comment that is a setting has no space after its ``#``, or two and more within a section that is a comment as a
    whole: without the ``#`` it is in force. Text has one space. The settings of a section that occurs several times are
    explained at its first place only.

    Args:
        schema: Schema of the configuration.
        chosen: Nested mapping of the settings in force.
        header: Lines of the comment at the top.
        notes: Comment by dotted key, put before the meaning of that setting.
        left_out: Dotted keys that are not shown unless they are chosen.
    """
    writer = _Writer(notes or {}, frozenset(left_out))
    lines = [f"# {line}".rstrip() for line in header]
    return "\n".join([*lines, *writer.section(schema, chosen, ())]).strip("\n") + "\n"


class _Writer:
    """Writes sections; remembers which have been explained."""

    def __init__(self, notes: Mapping[str, str], left_out: Collection[str]) -> None:
        self._notes = notes
        self._left_out = left_out
        self._explained: dict[type[BaseModel], str] = {}

    def section(self, schema: type[BaseModel], chosen: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
        """Yield the lines of a section without its own name: chosen settings first, then the others as comments."""
        settings = settings_of(schema)
        for setting in sorted(settings, key=lambda setting: setting.name not in chosen):
            key = (*path, setting.name)
            if setting.name not in chosen and ".".join(key) in self._left_out:
                continue
            if not path:
                yield ""
            yield from self._lines(setting, chosen, key)

    def _lines(self, setting: Setting, chosen: Mapping[str, Any], key: tuple[str, ...]) -> Iterator[str]:
        is_chosen = setting.name in chosen
        yield from _comment(self._text(setting, key))
        if setting.section is None:
            value = yaml_text(chosen[setting.name]) if is_chosen else setting.default
            yield f"{'' if is_chosen else '#'}{setting.name}: {value}"
            return
        inner: Mapping[str, Any] = chosen.get(setting.name, {})
        body = self._body(setting.section, inner, key)
        yield f"{'' if is_chosen else '#'}{setting.name}:{'' if body else ' {}'}"
        yield from (f"{'' if is_chosen else '#'}  {line}" for line in (body if is_chosen else map(_in_force, body)))

    def _body(self, section: type[BaseModel], inner: Mapping[str, Any], key: tuple[str, ...]) -> list[str]:
        first = self._explained.setdefault(section, ".".join(key))
        if first == ".".join(key):
            return list(self.section(section, inner, key))
        written = [f"{name}: {yaml_text(value)}" for name, value in inner.items()]
        return [*_comment(f"Settings and defaults as in {first}."), *written] if written else []

    def _text(self, setting: Setting, key: tuple[str, ...]) -> str:
        allowed = f"Allowed: {setting.allowed}." if setting.allowed else ""
        note = self._notes.get(".".join(key), "")
        is_new = setting.section is not None and setting.section not in self._explained
        about = (setting.section.__doc__ or "").strip().splitlines()[0] if is_new and setting.section else ""
        return " ".join(part for part in (note, setting.meaning, about, allowed) if part)


def _in_force(line: str) -> str:
    """Put a line of a section in force, since the section is a comment as a whole: text keeps its ``#``."""
    is_text = re.match(r" *# (?! )", line) is not None
    return line if is_text else line.replace("#", "", 1)


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)]
