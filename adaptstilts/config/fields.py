"""Fields of a schema by key path: what may stand at a key, and where a key belongs that stands elsewhere."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from adaptstilts.config.plain import KeyPath, dotted
from adaptstilts.config.settings import range_text, sections_of, words_of

Schema: TypeAlias = type[BaseModel]
_MOST_PLACES = 3


def fields_at(schema: Schema, location: KeyPath) -> tuple[str, ...]:
    """Return the names of the settings of the section at a key path; none if there is no section."""
    section = _section_at(schema, location)
    return () if section is None else tuple(section.model_fields)


def allowed_range(schema: Schema, location: KeyPath) -> tuple[str, ...]:
    """Return the range of a number, or of those in a list, in words; empty if the schema gives none."""
    field = _field_at(schema, location)
    text = "" if field is None else range_text(field)
    return (text,) if text else ()


def allowed_items(schema: Schema, location: KeyPath) -> tuple[str, ...]:
    """Return what the items of a list may be, in words; empty if the schema does not say."""
    field = _field_at(schema, location)
    return allowed_range(schema, location) or (() if field is None else words_of(field.annotation))


def pattern_at(schema: Schema, location: KeyPath) -> str:
    """Return the regular expression of a text; empty if the schema gives none."""
    field = _field_at(schema, location)
    patterns = () if field is None else (getattr(fact, "pattern", None) for fact in field.metadata)
    return next(filter(None, patterns), "")


def takes(schema: Schema, location: KeyPath, value: object) -> bool:
    """Say whether a value may stand at a key path, or as an item of the list there."""
    field = _field_at(schema, location)
    value = [value] if isinstance(location[-1], int) else value
    if field is None:
        return False
    accepted: Any = Annotated[field.annotation, field]
    try:
        TypeAdapter(accepted).validate_python(value)
    except ValidationError:
        return False
    return True


def belongs(schema: Schema, section: KeyPath, name: str) -> str | None:
    """Return where a setting belongs that is none of a section; None if it is none of any section.

    A name with dots is one where a file needs sections.
    """
    parts = tuple(name.split("."))
    if len(parts) > 1 and parts[-1] in fields_at(schema, (*section, *parts[:-1])):
        return f"Write `{parts[-1]}` below `{dotted((*section, *parts[:-1]))}`."
    places = [
        f"{key}.{name}" if key else name
        for owner, keys in {schema: ("",), **sections_of(schema)}.items()
        if name in owner.model_fields
        for key in keys
        if not key.endswith("*")
    ]
    inside = [place for place in places if section and place.startswith(f"{dotted(section)}.")] or places
    if not inside:
        return None
    more = f" and {len(inside) - _MOST_PLACES} more" if len(inside) > _MOST_PLACES else ""
    return f"Settings of this name: {', '.join(inside[:_MOST_PLACES])}{more}."


def _field_at(schema: Schema, location: KeyPath) -> FieldInfo | None:
    location = location[:-1] if isinstance(location[-1], int) else location
    section = _section_at(schema, location[:-1])
    return None if section is None else section.model_fields.get(str(location[-1]))


def _section_at(schema: Schema, location: KeyPath) -> Schema | None:
    """Return the section at a key path; of a path into a section's tables, the section; None if there is none."""
    current: Any = schema
    for part in location:
        if not (isinstance(current, type) and issubclass(current, BaseModel)):
            return None
        field = current.model_fields.get(str(part))
        if field is None:
            return current
        current = field.annotation
        arguments = [item for item in get_args(current) if isinstance(item, type) and issubclass(item, BaseModel)]
        current = arguments[-1] if arguments else current
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None
