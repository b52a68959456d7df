"""Settings of a schema, one by one: meaning, default and allowed values, as pages and written configurations show them.

Everything comes from the fields of the schema; nothing is said here of any single setting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from adaptstilts.formatting import visible

_BOUNDS = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}


@dataclass(frozen=True)
class Setting:
    """One setting of a section.

    Attributes:
        meaning: Meaning, unit and source, as the schema gives them.
        default: Default as YAML; None where a value is required.
        allowed: Allowed words or range of numbers; empty where there is neither, or the meaning names them.
        section: Schema of the section that stands here; None for a plain value.
    """

    name: str
    meaning: str
    default: str | None
    allowed: str
    section: type[BaseModel] | None


def settings_of(schema: type[BaseModel]) -> tuple[Setting, ...]:
    """Return the settings of a section in the order of its schema, sections within it included."""
    return tuple(_setting(name, field) for name, field in schema.model_fields.items())


def sections_of(schema: type[BaseModel]) -> dict[type[BaseModel], tuple[str, ...]]:
    """Return each section below a schema once, with its dotted keys; that of a table by name ends in ``.*``."""
    found: dict[type[BaseModel], tuple[str, ...]] = {}
    for section, key in _sections(schema, ()):
        found[section] = (*found.get(section, ()), ".".join(key))
    return found


def range_text(field: FieldInfo) -> str:
    """Return the range of a number, or of those in a list, in words; empty if the schema gives none."""
    return " and ".join(
        words.format(getattr(fact, name))
        for fact in (*field.metadata, *_bounds_of_items(field.annotation))
        for name, words in _BOUNDS.items()
        if hasattr(fact, name)
    )


def words_of(annotation: Any) -> tuple[str, ...]:  # noqa: ANN401 - a type or a special form of typing
    """Return the words that a setting, or each element of its list, may be; none where it may be anything else too."""
    if get_origin(annotation) is Literal:
        return tuple(map(str, get_args(annotation)))
    parts = [words_of(part) for part in get_args(annotation) if part not in {type(None), Ellipsis}]
    return tuple(word for words in parts for word in words) if all(parts) else ()


def _bounds_of_items(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - a type or a special form of typing
    for part in get_args(annotation):
        if get_origin(part) is Annotated:
            yield from (bound for fact in get_args(part)[1:] for bound in fact.metadata)


def yaml_text(value: object) -> str:
    """Return a value of a configuration as YAML on one line, which reads back as the same value."""
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_unset=True)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {yaml_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(yaml_text, value))}]"
    if isinstance(value, str):
        # The escapes of `visible` are YAML's too, which takes no raw control character.
        return value if _is_plain(value) else visible(json.dumps(value, ensure_ascii=False))
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _is_plain(text: str) -> bool:
    """Say whether YAML reads a text back unchanged without quotation marks."""
    reserved = {"null", "true", "false", "~"}
    safe = text.isascii() and all(character.isalnum() or character in "_./-" for character in text)
    return bool(text) and safe and text[0].isalpha() and text.lower() not in reserved


def _setting(name: str, field: FieldInfo) -> Setting:
    default = field.get_default(call_default_factory=True)
    section = field.annotation if isinstance(field.annotation, type) else None
    return Setting(
        name=name,
        meaning=field.description or "",
        default=None if default is PydanticUndefined else yaml_text(default),
        allowed=range_text(field) or _unsaid(words_of(field.annotation), field.description or ""),
        section=section if section is not None and issubclass(section, BaseModel) else None,
    )


def _unsaid(words: Sequence[str], meaning: str) -> str:
    """Return words as a list, or nothing if the meaning names each of them."""
    said = set(re.findall(r"[\w-]+", meaning))
    return "" if said.issuperset(words) else ", ".join(words)


def _sections(schema: type[BaseModel], key: tuple[str, ...]) -> Iterator[tuple[type[BaseModel], tuple[str, ...]]]:
    for name, field in schema.model_fields.items():
        here = (*key, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield field.annotation, here
            yield from _sections(field.annotation, here)
        elif get_origin(field.annotation) is dict:
            value = get_args(field.annotation)[1]
            if isinstance(value, type) and issubclass(value, BaseModel):
                yield value, (*here, "*")
