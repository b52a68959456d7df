"""Published scores of the benchmarks' tasks with source and setting, and tables that compare a study with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from adaptstilts.errors import ConfigError, DataError
from adaptstilts.formatting import aligned
from adaptstilts.languages import all_languages
from adaptstilts.results.grid import NOTHING, Footnotes, Grid
from adaptstilts.results.rows import ResultRow, mean
from adaptstilts.results.setting import RunSetting
from adaptstilts.results.tables import source_label
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.tasks.spec import Task
from adaptstilts.train.methods import METHODS

FILE = Path(__file__).with_name("published.yaml")
MEAN = "mean"
"""Stands for a language: the mean over all of the benchmark's languages, as the document gives it."""
OTHER_TASKS = ("xtreme", "xcopa", "lareqa")
"""Names besides those of our tasks; ``xtreme`` for averages over tasks."""
BASELINES = ("XLM-R Large", "X-STILTs")
"""Systems that reports show beside a study."""
_PLAIN = tuple(method.name for method in METHODS.values() if method.use == "none")
_INTERMEDIATE = "with intermediate"
_TABLE_KEYS = ("source", "setting", "systems", "split", "beside")
_BESIDE = ("", "means", "languages")


@dataclass(frozen=True)
class Figure:
    """One published number.

    Attributes:
        system: Scored system, such as ``XLM-R Large``.
        task: Name of the task; ``xtreme`` for averages over tasks.
        metric: Name of the score, as in our results where we have it.
        language: ISO 639-1 code, or `MEAN`.
        value: Percent.
        document: Publication.
        place: Table or page in the document.
        setting: Conditions that matter for a comparison.
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
    """Return all published figures in the order of their file."""
    return parse_published(FILE)


def parse_published(path: Path) -> tuple[Figure, ...]:
    """Read a file of published figures; ``published.yaml`` documents its format.

    Raises:
        DataError: If a source, task, language, key or number is invalid, or a figure is given twice.
    """
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    sources: Mapping[str, Mapping[str, str]] = document["sources"]
    figures: list[Figure] = []
    seen: set[Figure] = set()
    for table in document["tables"]:
        for figure in _figures(table, sources, path):
            key = Figure(**{**asdict(figure), "value": 0.0})
            if key in seen:
                raise DataError("is given twice in one setting", path=path, key=_name(figure))
            seen.add(key)
            figures.append(figure)
    unused = set(sources) - {table["source"] for table in document["tables"]}
    if unused:
        raise DataError(f"source '{min(unused)}' has no figures", path=path, key="sources")
    return tuple(figures)


def of_task(name: str | None) -> tuple[Figure, ...]:
    """Return the published figures of a task, or, with None, the means of all tasks.

    Raises:
        ConfigError: If there is none.
    """
    found = tuple(item for item in published() if (item.language == MEAN if name is None else item.task == name))
    if not found:
        known = sorted({item.task for item in published()})
        raise ConfigError(f"no published figure for '{name}'", key="task", value=name, allowed=known)
    return found


def published_text(figures: Sequence[Figure]) -> str:
    """Return figures as lines for a terminal, task by task, each with the number of its source below the table."""
    notes: dict[str, int] = {}
    order = list(dict.fromkeys((item.task, item.metric) for item in figures))
    rows = [("task", "metric", "language", "system", "score", "source")]
    for item in sorted(figures, key=lambda item: order.index((item.task, item.metric))):
        number = notes.setdefault(f"{item.document}, {item.place}: {item.setting}", len(notes) + 1)
        rows.append((item.task, item.metric, item.language, item.system, score_text(item.value), f"[{number}]"))
    return "\n".join([*aligned(rows, "<<<<><"), "", *(f"[{number}] {note}" for note, number in notes.items())])


def score_text(value: float) -> str:
    """Return a published score with as many decimals as published: one, or two."""
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


def published_grids(rows: Sequence[ResultRow], setting: RunSetting) -> tuple[Grid, ...]:
    """Tabulate a study's scores on real data beside published ones; scores of different kinds are never averaged.

    Returns:
        The table of means over languages, then one of single languages for each task and metric that has figures; none
        where nothing is published for the study's targets.
    """
    shown = [item for item in published() if item.beside and item.system in BASELINES]
    means: list[tuple[list[ResultRow], list[Figure]]] = []
    singles: list[tuple[list[ResultRow], list[Figure]]] = []
    for kind in dict.fromkeys((row.target, row.metric) for row in rows):
        # Published means are over the benchmark's languages, so others of the run are left aside.
        languages = get_task(kind[0]).languages
        own = [row for row in rows if (row.target, row.metric) == kind and row.language in languages]
        figures = [item for item in shown if (item.task, item.metric) == kind]
        averages = [item for item in figures if item.beside == "means" and item.language == MEAN]
        codes = {row.language for row in own}
        single = [item for item in figures if item.beside == "languages" and item.language in codes]
        if own and averages:
            means.append((own, averages))
        if single:
            singles.append((own, single))
    grids = [*([_means_grid(means)] if means else []), *(_languages_grid(*entry, setting) for entry in singles)]
    if grids:
        # Remarks on the whole study stand once, below the first table.
        grids[0] = replace(grids[0], footnotes=(*grids[0].footnotes, *_setting_remarks(setting)))
    return tuple(grids)


def _means_grid(entries: Sequence[tuple[list[ResultRow], list[Figure]]]) -> Grid:
    notes = Footnotes()
    plain = [method for method in _PLAIN if any(row.method == method for own, _ in entries for row in own)]
    lines = []
    for own, figures in entries:
        task = get_task(own[0].target)
        count = len({row.language for row in own})
        is_partial = count < len(task.languages)
        mark = notes.mark(_run_notes(own, task, figures))
        best = _best(own)
        best_text = NOTHING
        if best is not None:
            best_text = _mean_text(_by_language(own, *best), is_partial) + notes.mark([_setting_text(*best)])
        lines.append(
            (
                f"{task.name}{mark}",
                own[0].metric,
                f"{count} of {len(task.languages)}",
                *(_mean_text(_by_language(own, method, ""), is_partial) for method in plain),
                best_text,
                *(_figures_text([item for item in figures if item.system == name], notes) for name in BASELINES),
            )
        )
    if any(text.startswith("(") for line in lines for text in line):
        notes.remark("In brackets: the mean over fewer languages than the published one.")
    notes.remark(
        f"'{_INTERMEDIATE}': the best of the study's intermediate tasks, chosen on the scores shown: an upper bound."
    )
    header = ("target", "metric", "languages", *plain, _INTERMEDIATE, *BASELINES)
    title = "Beside published scores: means over languages"
    return Grid(title, header, tuple(lines), text_columns=2, footnotes=notes.lines())


def _languages_grid(own: Sequence[ResultRow], figures: Sequence[Figure], setting: RunSetting) -> Grid:
    task = get_task(own[0].target)
    notes = Footnotes()
    settings: list[tuple[str, str]] = [(method, "") for method in _PLAIN if any(row.method == method for row in own)]
    best = _best(own)
    settings += [] if best is None else [best]
    columns = [_by_language(own, *one) for one in settings]
    systems = [name for name in BASELINES if any(item.system == name for item in figures)]
    lines = []
    for code in dict.fromkeys(item.language for item in figures):
        scores = (f"{column[code]:.1f}" if code in column else NOTHING for column in columns)
        found = [[item for item in figures if (item.system, item.language) == (name, code)] for name in systems]
        lines.append((code, *scores, *(_figures_text(items, notes) for items in found)))
    for note in _run_notes(own, task, figures):
        notes.remark(f"{note}.")
    if task.name in setting.retrieval:
        notes.remark(setting.retrieval[task.name])
    header = ("language", *(_setting_text(*one) for one in settings), *systems)
    title = f"Beside published scores: {task.name}, {own[0].metric}, by language"
    return Grid(title, header, tuple(lines), footnotes=notes.lines())


def _by_language(rows: Sequence[ResultRow], method: str, source: str) -> dict[str, float]:
    """Return means over seeds by language; empty where the setting was not scored."""
    values: dict[str, list[float]] = {}
    for row in rows:
        if (row.method, row.source) == (method, source):
            values.setdefault(row.language, []).append(row.value)
    return {language: mean(found) for language, found in values.items()}


def _best(rows: Sequence[ResultRow]) -> tuple[str, str] | None:
    """Return the setting with an intermediate task that has the highest mean over languages."""
    settings = dict.fromkeys((row.method, row.source) for row in rows if row.source)
    return max(settings, key=lambda one: mean(list(_by_language(rows, *one).values())), default=None)


def _setting_text(method: str, source: str) -> str:
    return f"{method}: {source_label(source)}" if source else method


def _mean_text(values: dict[str, float], is_partial: bool) -> str:
    if not values:
        return NOTHING
    text = f"{mean(list(values.values())):.1f}"
    return f"({text})" if is_partial else text


def _figures_text(figures: Sequence[Figure], notes: Footnotes) -> str:
    """Return each distinct value once, with the marks of its sources."""
    by_value: dict[float, list[str]] = {}
    for item in figures:
        by_value.setdefault(item.value, []).append(f"{item.document}, {item.place}: {item.setting}")
    return "  ".join(f"{score_text(value)}{notes.mark(found)}" for value, found in by_value.items()) or NOTHING


def _run_notes(rows: Sequence[ResultRow], task: Task, figures: Sequence[Figure]) -> list[str]:
    """Return notes on the run that a comparison with the published figures of a task needs."""
    splits = dict.fromkeys(row.split for row in rows)
    wanted = dict.fromkeys(item.split or task.test_split.value for item in figures)
    notes = []
    if set(splits) != set(wanted):
        notes.append(f"{task.name}: scored on {' and '.join(splits)}, published for {' and '.join(wanted)}")
    if not FACTS[task.kind].has_head:  # scores depend on how vectors are compared, which the note says
        row_notes = dict.fromkeys(note for row in rows if row.method in _PLAIN for note in row.note.split("; ") if note)
        notes += [f"{task.name}: {note}" for note in row_notes]
    return notes


def _setting_remarks(setting: RunSetting) -> list[str]:
    """Return remarks on differences between the study as a whole and the published ones."""
    remarks = []
    if not setting.is_large:
        remarks.append(f"This study's backbone is '{setting.backbone}'; the published scores are those of XLM-R Large.")
    limits = (
        (setting.max_train, "training rows per task"),
        (setting.max_evaluation, "evaluation rows per language"),
    )
    used = [f"{most:,} {what}" for most, what in limits if most is not None]
    if used:
        remarks.append(f"This study uses at most {' and '.join(used)}; the published ones use all.")
    return remarks
