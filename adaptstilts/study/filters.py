"""Filters: values by which a caller chooses cells or predictions of a study, such as its method and its seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from numbers import Integral
from typing import Any, TypeAlias, TypeVar

from adaptstilts.errors import ConfigError, raise_all
from adaptstilts.study.plan.jobs import Cell
from adaptstilts.tasks.spec import Split

Item = TypeVar("Item")
Value: TypeAlias = "str | int"
Filter: TypeAlias = "Value | Iterable[Value] | None"
"""A value or several of them; None for all."""
NO_SOURCE = "none"
"""Source of settings without an intermediate task."""
_NOUNS = {"task": "target task", "split": "predicted split"}
"""What errors call the values of a filter, where that is not its name."""


def values_of(cell: Cell) -> dict[str, Value]:
    """Return the values of a cell by name of the filter."""
    return {
        "task": cell.target,
        "method": cell.method,
        "source": cell.source,
        "seed": cell.seed,
        "variant": cell.variant,
    }


def admitted(
    items: Sequence[Item], values: Callable[[Item], Mapping[str, Value]], filters: Mapping[str, Filter], *, what: str
) -> list[Item]:
    """Return the items that all filters admit, in their order.

    Args:
        items: Cells of a study, or its predictions.
        values: Function that returns the values of an item by name of the filter.
        filters: What is wanted, by name of the filter; `NO_SOURCE` as source stands for an empty one.
        what: What the items are, for errors.

    Raises:
        ConfigError: If a filter has a value that no item has, or there is no item that several filters admit together;
            it lists what there is.
        ProblemsError: For several unknown values.
    """
    of_items = [values(item) for item in items]
    wanted = {name: _listed(name, given) for name, given in filters.items() if given is not None}
    raise_all([problem for name, given in wanted.items() for problem in _unknown(name, given, of_items)])
    found = [item for item, own in zip(items, of_items, strict=True) if _fits(own, wanted, wanted)]
    if wanted and not found:
        raise _conflict(wanted, of_items, what)
    return found


def filters_text(values: Mapping[str, Value], names: Iterable[str]) -> str:
    """Return the filters that choose an item as arguments of a call, such as ``method='stack', source='mnli'``."""
    return ", ".join(f"{name}={_shown(name, values[name])!r}" for name in names)


def _listed(name: str, given: Any) -> list[Value]:  # noqa: ANN401 - a filter as a caller wrote it
    values: Any = [given] if isinstance(given, str | Integral) else given
    if isinstance(values, bytes | Mapping) or not isinstance(values, Iterable):
        problem = f"{given!r} is neither a {_NOUNS.get(name, name)} nor a list of them"
        raise ConfigError(problem, key=name, hint="Leave it out for all.")
    plain = [one.value if isinstance(one, Split) else one for one in values]
    if not plain:
        raise ConfigError("an empty list chooses nothing", key=name, hint="Leave it out for all.")
    return ["" if name == "source" and one == NO_SOURCE else one for one in plain]


def _unknown(name: str, wanted: Sequence[Value], of_items: Sequence[Mapping[str, Value]]) -> Iterator[ConfigError]:
    known = list(dict.fromkeys(own[name] for own in of_items))
    allowed: list[Value] | None = [_shown(name, one) for one in known]
    problem, hint = f"is not a {_NOUNS.get(name, name)} of this study", None
    if name == "variant" and known == [""]:
        problem, allowed, hint = "is not a variant: the study is no sweep", None, "Leave variant out."
    for one in wanted:
        if isinstance(one, bool) or one not in known:
            is_text = name == "seed" and isinstance(one, str)
            next_step = "A seed is a number, without quotation marks." if is_text else hint
            yield ConfigError(f"{one!r} {problem}", key=name, value=one, allowed=allowed, hint=next_step)


def _conflict(wanted: Mapping[str, Sequence[Value]], of_items: Sequence[Mapping[str, Value]], what: str) -> ConfigError:
    """Return an error about the fewest filters that admit no item together, with the combinations that there are."""
    names = next(
        some
        for count in range(1, len(wanted) + 1)
        for some in combinations(wanted, count)
        if not any(_fits(own, wanted, some) for own in of_items)
    )
    almost = list(combinations(names, len(names) - 1))
    near = [own for own in of_items if any(_fits(own, wanted, others) for others in almost)]
    given = [f"{name}={' or '.join(repr(_shown(name, one)) for one in dict.fromkeys(wanted[name]))}" for name in names]
    return ConfigError(
        f"this study has no {what} with {', '.join(given[:-1])} and {given[-1]}",
        key=names[-1],
        allowed=dict.fromkeys(f"({filters_text(own, names)})" for own in near),
        hint="Give one of these combinations.",
    )


def _fits(own: Mapping[str, Value], wanted: Mapping[str, Sequence[Value]], names: Iterable[str]) -> bool:
    return all(own[name] in wanted[name] for name in names)


def _shown(name: str, value: Value) -> Value:
    return NO_SOURCE if name == "source" and value == "" else value
