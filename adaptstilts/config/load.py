"""Load configuration files and overrides; all problems are reported at once, each with file, line and key."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from adaptstilts.addresses import shown_address
from adaptstilts.config.fields import allowed_items, allowed_range, belongs, fields_at, pattern_at, takes
from adaptstilts.config.origin import Origin
from adaptstilts.config.plain import MOST_LEVELS, KeyPath, PlainCopy, shown, too_deep
from adaptstilts.config.recipes import PhaseName
from adaptstilts.config.schema import DEVICE_PATTERN, NAME_PATTERN, StudyConfig
from adaptstilts.config.section import WRONG_KIND
from adaptstilts.config.sweep import (
    SECTION,
    Axis,
    SweepProblem,
    can_be_swept,
    combinations,
    put,
    same_points,
    take_axes,
)
from adaptstilts.config.yaml_text import read_yaml, yaml_value
from adaptstilts.errors import AdaptstiltsError, ConfigError, raise_all
from adaptstilts.limits import MOST_VARIANTS

Model = TypeVar("Model", bound=BaseModel)
Source: TypeAlias = "Path | Mapping[str, Any]"
"""A YAML file, or what one would contain."""
IN_MEMORY = Path("<dict>")
"""Name of settings that are no file's, in errors about them."""


_PLAIN = {
    "missing": ("is required", "Give it a value."),
    "string_type": ("{shown} is not text", """Write it in quotation marks; on the command line '"{value}"'."""),
    "string_too_short": ("'' is empty", "Give a value, or leave the key out."),
    "too_short": ("{shown} is an empty list", "Name at least one."),
    "tuple_type": ("{shown} is not a list", "Write [{names}]."),
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), ("{shown} is not a whole number", "")),
    **dict.fromkeys(("float_parsing", "float_type"), ("{shown} is not a number", "")),
    **dict.fromkeys(("bool_parsing", "bool_type"), ("{shown} is neither true nor false", "")),
    "finite_number": ("{shown} is not a finite number", ""),
    **dict.fromkeys(
        ("greater_than", "greater_than_equal", "less_than", "less_than_equal"), ("{shown} is out of range", "")
    ),
}
"""Problem and next step, for pydantic error types whose own message says too little."""
_MOST_SHOWN = 80
_ALL_SETTINGS = "All settings: adaptstilts docs settings."
_NOTHING = frozenset({"none", "null", "nil", "nan"})
"""What people write for no value, in lower case."""
_SHIPPED_HINT = "Those that come with the package: adaptstilts configs."
_SINGLE = frozenset({"literal_error", "float_type", "int_type", "bool_type", "string_type"})
"""Pydantic error types of keys that take a single value, or a list of values to sweep over."""
_BRANCHES = ("tuple[", "literal[", "dict[", "constrained-")
"""Starts of the names that pydantic gives to the branches of a union."""
_OF_KEY = "[key]"
"""Last part of the place of a problem with the key of a table rather than with its value."""
_ABSENT = (
    ("has no value", "Give one, or leave the key out."),
    ("[] is an empty list", "Name at least one value."),
)
"""Problem and next step for null and for an empty list."""
_ALLOWED = {
    NAME_PATTERN: ("up to 100 letters, digits, _, . and -, of which the first is a letter or a digit",),
    DEVICE_PATTERN: ("auto", "cpu", "cuda", "cuda:N"),
}
"""Allowed values in words, by the schema's regular expression."""


def load_study(source: Source, overrides: Sequence[str] = ()) -> tuple[StudyConfig, Origin]:
    """Read a study's configuration.

    Args:
        source: YAML file, or a mapping with what one would contain.
        overrides: ``key=value`` strings with dotted keys, applied over the source; values are YAML.

    Returns:
        The validated configuration and where each setting is written. If values are swept, the configuration is that of
        the first variant and its field ``sweep`` lists all of them; `adaptstilts.config.sweep.variants` makes them.

    Raises:
        ConfigError: If the file is missing, is not YAML, holds one invalid setting, or more variants than the limit.
        ProblemsError: If several settings are invalid.
    """
    values, origin = _read_with_overrides(source, overrides)
    _check_purpose(values, StudyConfig, origin)
    plain, axes, wrong = take_axes(values, origin.overridden)
    _check_size(values, axes, origin)
    problems: list[AdaptstiltsError] = []
    firsts = {key: place for axis in axes for key, place in zip(axis.keys, axis.places[0], strict=True)}
    first = _read_model(plain, StudyConfig, origin.swept(firsts), problems, but=[item.place for item in wrong])
    problems[:0] = [_sweep_error(item, origin) for item in wrong]
    for axis in axes:
        read = [first, *(_read_point(plain, axis, point, origin, problems) for point in range(1, len(axis.points)))]
        models = [model for model in read if model is not None]
        if len(models) == len(axis.points):
            problems += [_sweep_error(item, origin) for item in same_points(axis, models)]
    raise_all(problems)
    if first is None:
        raise AssertionError("unreachable: validation failed without a problem")
    config = first.model_copy(update={"sweep": combinations(axes)}) if axes else first
    return config, origin.swept({key: axis.place(number) for axis in axes for number, key in enumerate(axis.keys)})


def _check_size(values: dict[str, Any], axes: Sequence[Axis], origin: Origin) -> None:
    """Refuse more variants, or more seeds, than the limit, before any of them is built."""
    most = MOST_VARIANTS.value()
    seeds = values.get("seeds")
    count = math.prod(len(axis.points) for axis in axes)
    if count > most:
        largest = max(axes, key=lambda axis: len(axis.points))
        named, what = origin.where(largest.place(0)), "variants"
    elif isinstance(seeds, list) and len(seeds) > most:
        count, named, what = len(seeds), origin.where(("seeds",)), "seeds"
    else:
        return
    hint = f"Give fewer values, or raise the limit: {MOST_VARIANTS.variable}={count}. More: adaptstilts docs limits."
    raise ConfigError(f"{count:,} {what} are more than the limit of {most:,.0f}", hint=hint, **named)


def _read_point(
    plain: dict[str, Any], axis: Axis, point: int, origin: Origin, problems: list[AdaptstiltsError]
) -> StudyConfig | None:
    """Read the study at one point of an axis; add only problems of the axis' own keys, as the others are known."""
    values = plain
    for key, value in zip(axis.keys, axis.points[point], strict=True):
        values = put(values, key, value)
    found: list[AdaptstiltsError] = []
    own = origin.swept(dict(zip(axis.keys, axis.places[point], strict=True)))
    model = _read_model(values, StudyConfig, own, found, only=axis.keys)
    problems += found
    return model


def load(source: Source, overrides: Sequence[str], schema: type[Model]) -> Model:
    """Read a YAML file, or a mapping with what one would contain, and overrides into a section of the given schema.

    Overrides are ``key=value`` strings with dotted keys.

    Raises:
        ConfigError: If the file is missing, is not YAML, or holds one invalid setting.
        ProblemsError: If several settings are invalid.
    """
    values, origin = _read_with_overrides(source, overrides)
    _check_purpose(values, schema, origin)
    problems: list[AdaptstiltsError] = []
    model = _read_model(values, schema, origin, problems)
    raise_all(problems)
    if model is None:
        raise AssertionError("unreachable: validation failed without a problem")
    return model


def task_names(source: Source, overrides: Sequence[str] = ()) -> tuple[dict[PhaseName, tuple[str, ...]], Origin]:
    """Return the task names that a study gives each phase, whether or not its other settings are valid.

    Raises:
        ConfigError: If the file is missing or is not YAML.
    """
    values, origin = _read_with_overrides(source, overrides)
    named: dict[PhaseName, tuple[str, ...]] = {}
    for phase in get_args(PhaseName):
        section = values.get(phase)
        tasks = section.get("tasks") if isinstance(section, dict) else None
        if isinstance(tasks, list):
            named[phase] = tuple(name for name in tasks if isinstance(name, str))
    return named, origin


def _check_purpose(values: dict[str, Any], schema: type[BaseModel], origin: Origin) -> None:
    """Refuse a study where a pretraining configuration belongs, and the reverse, in one line."""
    path = origin.path
    shown = "CONFIG" if path == IN_MEMORY else shlex.quote(str(path))
    pretrains = "output" in schema.model_fields  # its schema is not imported here, so that other commands start faster
    if pretrains and "target" in values and "output" not in values:
        hint = (
            f"Run it as a study: load_study(...).run(), or adaptstilts run {shown}. "
            "A pretraining configuration: adaptstilts configs pretrain_mini."
        )
        raise ConfigError("is a study, not a pretraining configuration", path=path, hint=hint)
    if schema is StudyConfig and "output" in values and "target" not in values:
        hint = f"Use it with: pretrain_backbone(...), or adaptstilts pretrain {shown}"
        raise ConfigError("is a pretraining configuration, not a study", path=path, hint=hint)


def _read_model(
    values: dict[str, Any],
    schema: type[Model],
    origin: Origin,
    problems: list[AdaptstiltsError],
    only: Sequence[KeyPath] | None = None,
    but: Sequence[KeyPath] = (),
) -> Model | None:
    """Validate values against a schema; append what is wrong, or only what is wrong with the keys ``only``.

    Keys at or above one of the places ``but`` are left out, as their problems are known.
    """
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        for item in _one_each(error.errors()):
            location = _location(item)
            is_of_axis = only is not None and any(location[: len(key)] == key for key in only)
            is_wanted = only is None or (is_of_axis and item["type"] != "extra_forbidden")
            if is_wanted and not any(place[: len(location)] == location for place in but):
                problems.append(_explain(item, origin, schema))
    return None


def _read_with_overrides(source: Source, overrides: Sequence[str]) -> tuple[dict[str, Any], Origin]:
    path, (read, lines, sha256) = (
        (source, read_yaml(source, _SHIPPED_HINT)) if isinstance(source, Path) else (IN_MEMORY, (source, {}, ""))
    )
    values = PlainCopy(Origin(path, lines).where).of(read)
    overridden = _apply(values, overrides)
    return values, Origin(path, lines, frozenset(overridden), tuple(overrides), sha256=sha256)


def _apply(values: dict[str, Any], overrides: Sequence[object]) -> set[KeyPath]:
    touched: set[KeyPath] = set()
    for override in overrides:
        if not isinstance(override, str):
            problem = f"a setting is a text of the form key=value, not a value of type {type(override).__name__}"
            hint = 'Write each by itself, "seeds=[1,2]", "workers=2"; a list of them as *settings.'
            raise ConfigError(problem, key="overrides", hint=hint)
        key, separator, text = override.partition("=")
        if not separator or not key:
            raise ConfigError(f"{shown(override)} is not of the form key=value", hint="Example: data.root=my_data.")
        parts = tuple(key.split("."))
        if len(parts) > MOST_LEVELS:
            raise too_deep(key=key[:100])
        place = values
        for part in parts[:-1]:
            child = place.setdefault(part, {})
            if not isinstance(child, dict):
                raise ConfigError(f"'{part}' is not a section, so {shown(override)} cannot be set", key=key)
            place = child
        named = Origin(overridden=frozenset({parts})).where
        place[parts[-1]] = PlainCopy(named).of(yaml_value(text, key), parts)
        touched.add(parts)
    return touched


def _explain(
    item: Any,  # noqa: ANN401 - pydantic's ErrorDetails
    origin: Origin,
    schema: type[BaseModel],
) -> AdaptstiltsError:
    location = _location(item)
    where = origin.where(location)
    value = item["input"]
    if item["type"] == WRONG_KIND:
        written, place = item["ctx"]["value"], item["ctx"]["place"]
        where = origin.where(location if place is None else (*location, place))
        return ConfigError(f"{written} {item['msg']}", hint=item["ctx"]["hint"], **where)
    if item["type"] in {"extra_forbidden", "invalid_key"}:
        section, is_swept = location[:-1], origin.place(location)[:1] == (SECTION,)
        known = [name for name in fields_at(schema, section) if not is_swept or can_be_swept((*section, name))]
        hint = " ".join(filter(None, (belongs(schema, section, str(location[-1])), _ALL_SETTINGS)))
        return ConfigError(
            f"{shown(str(location[-1]))} is not a setting", value=location[-1], allowed=known, hint=hint, **where
        )
    if item["type"] == "string_pattern_mismatch" and item["ctx"]["pattern"] in _ALLOWED:
        return ConfigError(
            f"{shown(value)} is not allowed", value=value, allowed=_ALLOWED[item["ctx"]["pattern"]], **where
        )
    if value is None or (value == [] and item["type"] in _SINGLE):
        nothing, an_empty_list = _ABSENT
        problem, hint = nothing if value is None else an_empty_list
        return ConfigError(problem, hint=hint, **where)
    if item["type"] in {"literal_error", "enum"}:
        words = re.findall(r"'([^']*)'", item["ctx"]["expected"])
        allowed = [*words, "a list in brackets, such as [a, b]"] if item.get("or_list") else words
        return ConfigError(f"{shown(value)} is not allowed", value=value, allowed=allowed, **where)
    if item["type"] in {"model_type", "dict_type"}:
        known = list(fields_at(schema, location))
        return ConfigError(
            f"{shown(value)} is not a section", allowed=known, hint="Write its settings below it.", **where
        )
    if item["type"] in _PLAIN:
        names = shown_address(", ".join(map(str, value)) if isinstance(value, dict) else str(value))
        # A commit such as 12e45 is read as a whole number of another look.
        is_commit = item["type"] == "string_type" and isinstance(value, float) and value.is_integer()
        written, quoted = ("this number", "...") if is_commit else (shown(value), shown(value))
        facts = {"value": quoted, "shown": written, "names": names[:_MOST_SHOWN]}
        problem, hint = (text.format(**facts) for text in _PLAIN[item["type"]])
        bounds = () if item["type"] in {"tuple_type", "too_short"} else allowed_range(schema, location)
        if item["type"] == "string_type" and not (isinstance(value, int | float) and takes(schema, location, quoted)):
            hint, bounds = "", _ALLOWED.get(pattern_at(schema, location), ())
        if item["type"] == "tuple_type" and not takes(schema, location, _as_list(value)):
            hint, bounds = "Write values in brackets, with commas between them.", allowed_items(schema, location)
        if str(value).casefold() in _NOTHING and takes(schema, location, None):
            hint = "Write null for none."
        return ConfigError(problem, allowed=bounds, hint=hint or None, **where)
    do_not_fit = item["type"] == "value_error"  # settings that a section compares with each other
    problem = str(item["ctx"]["error"]) if do_not_fit else f"{shown(value)}: {item['msg'][0].lower()}{item['msg'][1:]}"
    return ConfigError(problem, **where)


def _as_list(value: object) -> object:
    """Return the list that somebody may have meant by a single value, or by values without brackets."""
    if isinstance(value, dict):
        return list(value)
    if not isinstance(value, str):
        return [value]
    try:
        return yaml_value(f"[{value}]", "")
    except ConfigError:
        return value


def _sweep_error(item: SweepProblem, origin: Origin) -> ConfigError:
    return ConfigError(item.problem, hint=item.hint or None, **origin.where(item.place))


def _location(item: Any) -> KeyPath:  # noqa: ANN401 - pydantic's ErrorDetails
    """Return the key path of a problem, without the names that pydantic gives to the branches of a union."""
    parts = (part for part in item["loc"] if part != _OF_KEY)
    found = tuple(part for part in parts if isinstance(part, int) or not part.startswith(_BRANCHES))
    return found[:-1] if found[-1:] == ("str",) else found


def _one_each(items: Sequence[Any]) -> list[Any]:
    """Keep one problem per key: the first branch of a union, and none on a list whose items have their own."""
    places = [_location(item) for item in items]
    kept: dict[KeyPath, Any] = {}
    for place, item in zip(places, items, strict=True):
        has_deeper = any(len(other) > len(place) and other[: len(place)] == place for other in places)
        if item["type"] == "tuple_type" and place in kept:
            kept[place] = {**kept[place], "or_list": True}
        if not (item["type"] in {"too_short", "literal_error"} and has_deeper):
            kept.setdefault(place, item)
    return list(kept.values())
