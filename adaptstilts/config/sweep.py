"""Sweeps: lists of values in a configuration, and the variants of the study that they stand for.

A list where a single value belongs is an axis, and so is every key of the section ``sweep``. Every combination of the
axes is a variant. A list of mappings below ``sweep`` is one axis whose keys change together.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from adaptstilts.config.plain import KeyPath, dotted, shown
from adaptstilts.config.schema import StudyConfig

SECTION = "sweep"
"""Configuration section that holds axes."""

_NOT_SWEPT = frozenset({
    "name", "title", "seeds", SECTION, "resume", "parallel", "runtime", "store", "store_cache", "results", "device",
    "threads", "tracking", "workers", "engine",
    "data.leaks", "evaluation.missing", "evaluation.batch_tokens", "evaluation.submission", "retrieval.sweep",
})  # fmt: skip
"""Keys and sections on which no score depends, and the seeds, all of which are trained. All others can be swept."""
_SMALL = 0.01
"""Numbers below this are written with an exponent."""


class SweepProblem(NamedTuple):
    """A problem with a sweep, before it is an error with file and line.

    Attributes:
        place: Where it is written in the file or the overrides.
        problem: What is wrong.
        hint: What to do.
    """

    place: KeyPath
    problem: str
    hint: str


@dataclass(frozen=True)
class Axis:
    """One or more keys that take several values together.

    Attributes:
        keys: The swept keys.
        points: Values, one row per point and one value per key.
        places: Where each of these values is written.
    """

    keys: tuple[KeyPath, ...]
    points: tuple[tuple[Any, ...], ...]
    places: tuple[tuple[KeyPath, ...], ...]

    def place(self, number: int) -> KeyPath:
        """Return the innermost section or list that holds all values of a key, given by its number."""
        return _common([places[number] for places in self.places])

    def mapping(self, point: int) -> dict[str, Any]:
        """Return the values at a point, given by its number, by dotted key."""
        return dict(zip(map(dotted, self.keys), self.points[point], strict=True))


@dataclass(frozen=True)
class Variant:
    """One study of a sweep.

    Attributes:
        label: Text that identifies it, such as ``reduction_factor=4 learning_rate=1e-3``; empty without a sweep.
        settings: Swept keys, shortened while unambiguous, with their values in this variant.
        config: The variant's complete configuration, without a sweep.
        backbone: ``backbone`` as it is written, whatever folder it leads to.
    """

    label: str
    settings: tuple[tuple[str, Any], ...]
    config: StudyConfig
    backbone: str


def variants(config: StudyConfig) -> tuple[Variant, ...]:
    """Return one variant per combination of swept values, in order; without a sweep, one with an empty label."""
    if not config.sweep:
        return (Variant("", (), config, config.backbone),)
    keys = [tuple(key.split(".")) for key in config.sweep[0]]
    names = _short_names(keys)
    plain = config.model_dump(exclude={SECTION}, exclude_unset=True)
    found = []
    for point in config.sweep:
        values = plain
        for key, value in zip(keys, point.values(), strict=True):
            values = put(values, key, value)
        own = StudyConfig.model_validate(values)
        settings = tuple((name, _value_at(own, key)) for name, key in zip(names, keys, strict=True))
        found.append(Variant(settings_text(settings), settings, own, own.backbone))
    return tuple(found)


def settings_text(settings: Sequence[tuple[str, Any]]) -> str:
    """Return swept keys with their values as a label, such as ``reduction_factor=4 learning_rate=1e-3``."""
    return " ".join(f"{name}={value_text(value)}" for name, value in settings)


def value_text(value: object) -> str:
    """Return a configuration value in short form: ``1e-3``, ``16``, ``true``, ``null``, ``mnli+qqp``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number_text(value)
    if isinstance(value, list | tuple):
        return "+".join(map(value_text, value)) or "none"
    return str(value)


def can_be_swept(key: KeyPath) -> bool:
    """Say whether a key or section may be swept, which it may if scores depend on it."""
    return key[0] in StudyConfig.model_fields and key[0] not in _NOT_SWEPT and dotted(key) not in _NOT_SWEPT


def take_axes(
    values: dict[str, Any], overridden: Collection[KeyPath]
) -> tuple[dict[str, Any], list[Axis], list[SweepProblem]]:
    """Separate the axes from the other values of a configuration.

    Args:
        values: Contents of the file, with overrides applied.
        overridden: Keys set by overrides.

    Returns:
        The values, with each axis replaced by its first value; the axes in the order of the file; the problems.
    """
    axes: list[Axis] = []
    problems: list[SweepProblem] = []
    for name, value in values.items():
        if name == SECTION:
            found, wrong = _section_axes(value, overridden)
            axes += found
            problems += wrong
        else:
            axes += [_single(key, key, value) for key, value in _lists({name: value}, StudyConfig, ())]
    plain = {name: value for name, value in values.items() if name != SECTION}
    good = []
    for axis in axes:
        wrong = list(_check(axis))
        problems += wrong
        good += [] if wrong else [axis]
        if (
            not wrong or axis.places[0][0][0] != SECTION
        ):  # validation of a value that cannot be swept would add a second problem
            for key, value in zip(axis.keys, axis.points[0], strict=True):
                plain = put(plain, key, value)
    return plain, good, [*problems, *_check_together(axes, overridden)]


def put(values: dict[str, Any], key: KeyPath, value: object) -> dict[str, Any]:
    """Return a copy of values with one key set; unchanged if part of the key's path is not a section."""
    first, *rest = key
    if not rest:
        return {**values, str(first): value}
    inner = values.get(str(first), {})
    return {**values, str(first): put(inner, tuple(rest), value)} if isinstance(inner, dict) else values


def same_points(axis: Axis, models: Sequence[StudyConfig]) -> list[SweepProblem]:
    """Find points of an axis that are equal once validated, such as 4 and 4.0.

    Args:
        axis: The axis to look through.
        models: The study at each of its points.

    Returns:
        One problem per point that repeats an earlier one.
    """
    seen: list[list[Any]] = []
    problems = []
    for place, model in zip(axis.places, models, strict=True):
        read = [_value_at(model, key) for key in axis.keys]
        if read in seen:
            problems.append(SweepProblem(_common(place), f"{settings_text(_named(axis, read))} is given twice", ""))
        seen.append(read)
    return problems


def combinations(axes: Sequence[Axis]) -> tuple[dict[str, Any], ...]:
    """Return every combination of the axes' values by dotted key, the last axis changing fastest.

    Axes with a single point are left out; if no axis is left, there are no combinations.
    """
    real = [axis for axis in axes if len(axis.points) > 1]
    points = itertools.product(*([axis.mapping(point) for point in range(len(axis.points))] for axis in real))
    joined = tuple({key: value for part in parts for key, value in part.items()} for parts in points)
    return joined if real else ()


def _lists(values: Mapping[str, Any], section: type[BaseModel], path: KeyPath) -> Iterator[tuple[KeyPath, list[Any]]]:
    """Yield each list in the configuration where a single value belongs, with its key."""
    for name, value in values.items():
        field = section.model_fields.get(name)
        parts = () if field is None else tuple(_parts(field.annotation))
        inner = next((part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)), None)
        named = next((get_args(part)[1] for part in parts if get_origin(part) is dict), None)
        takes_list = any(get_origin(part) is tuple for part in parts)
        here = (*path, name)
        if isinstance(value, dict) and inner is not None:
            yield from _lists(value, inner, here)
        elif isinstance(value, dict) and named is not None:
            for task, settings in value.items():
                if isinstance(settings, dict):
                    yield from _lists(settings, named, (*here, task))
        elif isinstance(value, list) and value and parts and inner is None and named is None and not takes_list:
            yield here, value


def _parts(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - an annotation
    if get_origin(annotation) in {Union, UnionType}:
        for part in get_args(annotation):
            yield from _parts(part)
    else:
        yield annotation


def _single(key: KeyPath, place: KeyPath, values: list[Any]) -> Axis:
    places = tuple(((*place, number),) for number in range(len(values))) or ((place,),)
    return Axis((key,), tuple((value,) for value in values), places)


def _section_axes(section: object, overridden: Collection[KeyPath]) -> tuple[list[Axis], list[SweepProblem]]:
    if isinstance(section, dict):
        return _crossed(section, overridden)
    if isinstance(section, list) and all(isinstance(point, dict) for point in section):
        return _joint(section)
    hint = "Write `key: [value, value]` lines below it, or a list of mappings whose keys change together."
    return [], [SweepProblem((SECTION,), f"{shown(section)} is not a sweep", hint)]


def _crossed(section: dict[str, Any], overridden: Collection[KeyPath]) -> tuple[list[Axis], list[SweepProblem]]:
    """Read a mapping: every key is an axis. An override replaces the same key of the file, however that is written."""
    axes: dict[KeyPath, Axis] = {}
    problems = []
    for place, key, values in _leaves(section, (SECTION,), ()):
        if not isinstance(values, list):
            problems.append(
                SweepProblem(place, f"{shown(values)} is not a list of values", f"Write [{shown(values)}].")
            )
        elif key in axes and place not in overridden:
            problems.append(SweepProblem(place, "is given twice", ""))
        else:
            axes[key] = _single(key, place, values)
    return list(axes.values()), problems


def _joint(section: list[dict[str, Any]]) -> tuple[list[Axis], list[SweepProblem]]:
    """Read a list of mappings: one axis of keys that change together."""
    rows = [list(_leaves(point, (SECTION, number), ())) for number, point in enumerate(section)]
    keys = [tuple(key for _, key, _ in row) for row in rows]
    for number, own in enumerate(keys):
        if set(own) != set(keys[0]) or not own or len(set(own)) < len(own):
            named = ", ".join(map(dotted, keys[0])) or "no key"
            hint = "Every mapping of the list must give a value to the same keys."
            problem = f"gives {', '.join(map(dotted, own)) or 'no key'}, but the first mapping gives {named}"
            return [], [SweepProblem((SECTION, number), problem, hint)]
    if not rows:
        return [], []
    found = [{key: (place, value) for place, key, value in row} for row in rows]
    points = tuple(tuple(point[key][1] for key in keys[0]) for point in found)
    places = tuple(tuple(point[key][0] for key in keys[0]) for point in found)
    return [Axis(keys[0], points, places)], []


def _leaves(values: dict[str, Any], place: KeyPath, key: KeyPath) -> Iterator[tuple[KeyPath, KeyPath, Any]]:
    """Yield (place, key, value) of each setting; keys may be dotted, nested, or both."""
    for name, value in values.items():
        own = (*key, *str(name).split("."))
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*place, str(name)), own)
        else:
            yield (*place, str(name)), own, value


def _check(axis: Axis) -> Iterator[SweepProblem]:
    if not axis.points:
        yield SweepProblem(_common(axis.places[0]), "[] is an empty list", "Name at least one value.")
        return
    for number, key in enumerate(axis.keys):
        place = axis.place(number)
        name = dotted(key)
        if key[0] == "seeds":
            hint = "List them all in `seeds`: every variant is trained once per seed."
            yield SweepProblem(place, "seeds cannot be swept", hint)
        elif key[0] in StudyConfig.model_fields and not can_be_swept(key):
            sweepable = [name for name in StudyConfig.model_fields if can_be_swept((name,))]
            hint = f"Keys that can be swept are in: {', '.join(sweepable)}."
            yield SweepProblem(place, "cannot be swept, as no score depends on it", hint)
        elif any(isinstance(point[number], dict) for point in axis.points):
            yield SweepProblem(place, f"'{name}' is swept over whole sections", "Sweep single keys of it.")


def _check_together(axes: Sequence[Axis], overridden: Collection[KeyPath]) -> Iterator[SweepProblem]:
    seen: set[KeyPath] = set()
    for axis in axes:
        for key, place in zip(axis.keys, axis.places[0], strict=True):
            if key in seen:
                yield SweepProblem(place, f"'{dotted(key)}' is swept twice", "Remove one of the two lists.")
            elif key in overridden and place[: len(key)] != key:
                hint = f"Set sweep.{dotted(key)}=[VALUE] to sweep over that value only."
                yield SweepProblem(key, "has no effect, as `sweep` sets the values of this key", hint)
            seen.add(key)


def _short_names(keys: Sequence[KeyPath]) -> list[str]:
    """Return the last parts of each key, as many as distinguish it from the others."""
    names = []
    for key in keys:
        others = [other for other in keys if other != key]
        length = next(
            size
            for size in range(1, len(key) + 1)
            if size == len(key) or not any(other[-size:] == key[-size:] for other in others)
        )
        names.append(dotted(key[-length:]))
    return names


def _named(axis: Axis, values: Sequence[Any]) -> list[tuple[str, Any]]:
    return list(zip(_short_names(axis.keys), values, strict=True))


def _value_at(config: StudyConfig, key: KeyPath) -> Any:  # noqa: ANN401 - any setting
    value: Any = config
    for part in key:
        value = value[part] if isinstance(value, dict) else getattr(value, str(part))
    return value


def _common(places: Sequence[KeyPath]) -> KeyPath:
    """Return the innermost place that contains all of these."""
    if len(places) == 1:
        return places[0]
    shared = itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*places, strict=False))
    return tuple(parts[0] for parts in shared)


def _number_text(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    if abs(value) >= _SMALL:
        return repr(value)
    sign, digits, _ = Decimal(repr(value)).normalize().as_tuple()
    mantissa = "".join(map(str, digits))
    exponent = Decimal(repr(value)).adjusted()
    return f"{'-' * sign}{mantissa[0]}{'.' * (len(mantissa) > 1)}{mantissa[1:]}e{exponent}"
