"""Fields of declarations: what a caller gives is checked against the declared type and put into it."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from reprlib import repr as shortened
from typing import Any

from adaptstilts.errors import ConfigError, raise_all
from adaptstilts.formatting import number_text

_PLAIN = {str: "text", bool: "True or False", int: "a whole number", float: "a number"}
"""What errors call plain types."""


def checked_fields(declared: Any, key: str = "") -> dict[str, Any]:  # noqa: ANN401 - an instance of a dataclass
    """Return the fields of a declaration whose values were not yet of the declared type, with values that are.

    Members of an enumeration may be given by their value, and tuples as lists.

    Args:
        declared: The declaration.
        key: What errors write before the name of a field.

    Raises:
        ConfigError: If a value cannot be used.
        ProblemsError: If several cannot.
    """
    problems: list[ConfigError] = []
    changed = dict(_checked(declared, key, problems))
    raise_all(problems)
    return changed


def _checked(declared: Any, key: str, problems: list[ConfigError]) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    kind: Any = type(declared)
    for name, hint, default in _fields(kind):
        given = getattr(declared, name)
        if given is default:
            continue
        try:
            found = _value(hint, given, f"{key}{name}", problems)
        except ConfigError as error:
            problems.append(error)
            continue
        if found is not given:
            yield name, found


@cache
def _fields(declared: type) -> tuple[tuple[str, Any, Any], ...]:
    """Return names, types and defaults of the fields of a dataclass."""
    hints = typing.get_type_hints(declared)
    return tuple((item.name, hints[item.name], item.default) for item in fields(declared))


def _value(hint: Any, given: Any, key: str, problems: list[ConfigError]) -> Any:  # noqa: ANN401
    """Return a value in the type of a hint: the value itself if it is of that type already."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:  # X | None
        return given if given is None else _value(arguments[0], given, key, problems)
    if origin is tuple:
        return _tuple(arguments, given, key, problems)
    if origin is dict:
        return _dict(arguments, given, key, problems)
    if issubclass(hint, Enum):
        return _member(hint, given, key)
    if is_dataclass(hint):
        return _dataclass(hint, given, key, problems)
    return _plain(hint, given, key)


def _plain(kind: Any, given: Any, key: str) -> Any:  # noqa: ANN401
    accepted = (int, float) if kind is float else kind
    if not isinstance(given, accepted) or (isinstance(given, bool) and kind is not bool):
        raise ConfigError(f"{shortened(given)} is not {_PLAIN[kind]}", key=key)
    if kind in {int, float} and not 0 <= given < math.inf:
        raise ConfigError(f"{given} is out of range", key=key, allowed=("0 and above",))
    return given


def _member(kind: type[Enum], given: Any, key: str) -> Enum:  # noqa: ANN401
    try:
        return kind(given)
    except ValueError as error:
        allowed = [member.value for member in kind]
        raise ConfigError(
            f"{shortened(given)} is not a {kind.__name__}", key=key, value=given, allowed=allowed
        ) from error


def _dataclass(kind: Any, given: Any, key: str, problems: list[ConfigError]) -> Any:  # noqa: ANN401
    if not isinstance(given, kind):
        names = ", ".join(name for name, _, _ in _fields(kind))
        hint = f"Write {kind.__name__}(...), with the fields {names}. More: adaptstilts docs tasks."
        raise ConfigError(f"{shortened(given)} is not a {kind.__name__}", key=key, hint=hint)
    changed = dict(_checked(given, f"{key}.", problems))
    return replace(given, **changed) if changed else given


def _tuple(arguments: tuple[Any, ...], given: Any, key: str, problems: list[ConfigError]) -> tuple[Any, ...]:  # noqa: ANN401
    is_list = arguments[-1] is Ellipsis
    if isinstance(given, str) and is_list:
        raise ConfigError(f"{given!r} is one text where a list belongs", key=key, hint=_list_hint(arguments[0], given))
    if not isinstance(given, list | tuple):
        raise ConfigError(f"{shortened(given)} is not a list", key=key, hint=_pairs_hint(given))
    if not is_list and len(given) != len(arguments):
        raise ConfigError(f"{shortened(given)} does not have {number_text(len(arguments), 'part')}", key=key)
    hints = arguments[:1] * len(given) if is_list else arguments
    found = [
        _value(hint, one, f"{key}[{at}]", problems) for at, (hint, one) in enumerate(zip(hints, given, strict=True))
    ]
    if isinstance(given, tuple) and all(one is other for one, other in zip(found, given, strict=True)):
        return given
    return tuple(found)


def _list_hint(hint: Any, given: str) -> str | None:  # noqa: ANN401
    """Return how to write one text as a list, or as a list of lists."""
    lists = {str: (given,), tuple[str, ...]: ((given,),)}
    return f"Write {lists[hint]!r}." if hint in lists else None


def _pairs_hint(given: object) -> str | None:
    pairs: Iterable[Any] = given.items() if isinstance(given, Mapping) else ()
    return f"Write {tuple(pairs)!r}." if pairs else None


def _dict(arguments: tuple[Any, ...], given: Any, key: str, problems: list[ConfigError]) -> dict[Any, Any]:  # noqa: ANN401
    names, values = arguments
    if not isinstance(given, Mapping):
        hint = f"Write {{{names.__name__}.{next(iter(names)).name}: ...}}."
        raise ConfigError(f"{shortened(given)} is not a dict", key=key, hint=hint)
    pairs = [(name, _member(names, name, key), value) for name, value in given.items()]
    once: dict[int, Any] = {}  # one value may stand under several names
    for _, member, value in pairs:
        if id(value) not in once:
            once[id(value)] = _value(values, value, f"{key}.{member.value}", problems)
    found = {member: once[id(value)] for _, member, value in pairs}
    is_same = all(name is member and found[member] is value for name, member, value in pairs)
    return given if is_same and isinstance(given, dict) else found
