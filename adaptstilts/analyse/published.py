"""Published scores as data: what others report for the benchmarks' tasks, each figure with its source and setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from adaptstilts.errors import ConfigError, DataError
from adaptstilts.languages import all_languages
from adaptstilts.tasks.registry import all_tasks

FILE = Path(__file__).with_name("published.yaml")
MEAN = "mean"
"""In place of a language: the mean over all of the benchmark's languages, as the document gives it."""
OTHER_TASKS = ("xtreme", "xcopa", "lareqa")
"""Names besides those of our tasks; ``xtreme`` for averages over tasks."""
_TABLE_KEYS = ("source", "setting", "systems", "split", "beside")
_BESIDE = ("", "means", "languages")


@dataclass(frozen=True)
class Figure:
    """One published number.

    Attributes:
        system: What was scored, such as ``XLM-R Large``.
        task: Name of the task; of averages over tasks ``xtreme``.
        metric: Name of the score, as in our results where we have it.
        language: ISO 639-1 code, or `MEAN`.
        value: Percent.
        document: Where it was read.
        place: Where in the document.
        setting: How it was made, as far as it matters for a comparison.
        split: Split it was scored on; empty for the one that the benchmark scores.
        beside: Whether reports show it beside a run: ``means``, ``languages``, or empty for no.
    """

    system: str
    task: str
    metric: str
    language: str
    value: float
    document: str
    place: str
    setting: str
    split: str = ""
    beside: str = ""


@cache
def published() -> tuple[Figure, ...]:
    """Return all published figures, in the order of their file."""
    return parse_published(FILE)


def parse_published(path: Path) -> tuple[Figure, ...]:
    """Read a file of published figures.

    Args:
        path: YAML as in ``published.yaml``, which says what its parts mean.

    Returns:
        The figures.

    Raises:
        DataError: If a source, task, language, key or number cannot be right, or a figure stands twice.
    """
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    sources: Mapping[str, Mapping[str, str]] = document["sources"]
    figures: list[Figure] = []
    seen: set[Figure] = set()
    for table in document["tables"]:
        for figure in _figures(table, sources, path):
            key = Figure(**{**asdict(figure), "value": 0.0})
            if key in seen:
                raise DataError("stands twice in one setting", path=path, key=_name(figure))
            seen.add(key)
            figures.append(figure)
    unused = set(sources) - {table["source"] for table in document["tables"]}
    if unused:
        raise DataError(f"source '{min(unused)}' has no figure", path=path, key="sources")
    return tuple(figures)


def of_task(name: str | None) -> tuple[Figure, ...]:
    """Return what is published for a task, or the means of all tasks.

    Args:
        name: Name of a task; None for the means of all.

    Returns:
        The figures.

    Raises:
        ConfigError: If nothing is published here under that name.
    """
    found = tuple(item for item in published() if (item.language == MEAN if name is None else item.task == name))
    if not found:
        known = sorted({item.task for item in published()})
        raise ConfigError(f"no published figure of '{name}'", value=name, allowed=known)
    return found


def published_text(figures: Sequence[Figure]) -> str:
    """Return figures as lines for a terminal, task by task, each with the number of its source below the table."""
    notes: dict[str, int] = {}
    order = list(dict.fromkeys((item.task, item.metric) for item in figures))
    lines = [f"{'task':<10}{'metric':<23}{'language':<10}{'system':<25}{'score':>7}  source"]
    for item in sorted(figures, key=lambda item: order.index((item.task, item.metric))):
        number = notes.setdefault(f"{item.document}, {item.place}: {item.setting}", len(notes) + 1)
        named = f"{item.task:<10}{item.metric:<23}{item.language:<10}{item.system:<25}"
        lines.append(f"{named}{score_text(item.value):>7}  [{number}]")
    return "\n".join([*lines, "", *(f"[{number}] {note}" for note, number in notes.items())])


def score_text(value: float) -> str:
    """Return a published score with the digits it was published with: one decimal, or two."""
    return f"{value:.1f}" if round(value, 1) == value else f"{value:.2f}"


def _figures(table: Mapping[str, Any], sources: Mapping[str, Mapping[str, str]], path: Path) -> Iterator[Figure]:
    for key in table:
        if key not in _TABLE_KEYS:
            raise DataError(f"'{key}' is not a key", path=path, key="tables", value=key, allowed=_TABLE_KEYS)
    if table["source"] not in sources:
        source = table["source"]
        raise DataError(f"'{source}' is not a source", path=path, key="source", value=source, allowed=sources)
    source = sources[table["source"]]
    for system, scores in table["systems"].items():
        for name, values in scores.items():
            task, _, metric = name.partition(".")
            for language, value in (values if isinstance(values, dict) else {MEAN: values}).items():
                figure = Figure(
                    system=system,
                    task=task,
                    metric=metric,
                    language=language,
                    value=value,
                    document=source["document"],
                    place=source["place"],
                    setting=table["setting"],
                    split=table.get("split", ""),
                    beside=table.get("beside", ""),
                )
                _check(figure, path)
                yield figure


def _check(figure: Figure, path: Path) -> None:
    tasks = (*(task.name for task in all_tasks()), *OTHER_TASKS)
    languages = (MEAN, *(language.code for language in all_languages()))
    for what, value, allowed in (
        ("task", figure.task, tasks),
        ("language", figure.language, languages),
        ("place for a report", figure.beside, _BESIDE),
    ):
        if value not in allowed:
            raise DataError(f"'{value}' is not a {what}", path=path, key=_name(figure), value=value, allowed=allowed)
    if type(figure.value) is not float or not 0 < figure.value <= 100:
        raise DataError(
            f"{figure.value!r} is not a score", path=path, key=_name(figure), allowed=["numbers such as 79.2, to 100"]
        )


def _name(figure: Figure) -> str:
    return f"{figure.system} {figure.task}.{figure.metric} {figure.language}"
