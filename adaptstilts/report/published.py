"""A run beside published scores: means over languages, and single languages; whatever differs is marked."""

from __future__ import annotations

from collections.abc import Sequence

from adaptstilts.analyse.published import MEAN, Figure, published, score_text
from adaptstilts.analyse.results import ResultRow, mean
from adaptstilts.report.grid import NOTHING, Footnotes, Grid
from adaptstilts.report.setting import RunSetting
from adaptstilts.report.tables import source_label
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind, Task

BASELINES = ("XLM-R Large", "X-STILTs")
"""Systems that stand beside a run."""
_PLAIN = ("direct", "adapter")
_INTERMEDIATE = "with intermediate"


def published_grids(rows: Sequence[ResultRow], setting: RunSetting) -> tuple[Grid, ...]:
    """Lay out a study's scores beside published ones, score by score: nothing is averaged over unlike scores.

    Args:
        rows: Result rows of a study on real data.
        setting: Its set-up.

    Returns:
        The table of means over languages, then one of single languages for each task and metric for which there are
        figures; none where nothing is published for the study's targets.
    """
    shown = [item for item in published() if item.beside and item.system in BASELINES]
    means: list[tuple[list[ResultRow], list[Figure]]] = []
    grids: list[Grid] = []
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
            grids.append(_languages_grid(own, single, setting))
    return (*([_means_grid(means, setting)] if means else ()), *grids)


def _means_grid(entries: Sequence[tuple[list[ResultRow], list[Figure]]], setting: RunSetting) -> Grid:
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
    notes.remark("Each row is one kind of score; in brackets: not over all languages that the published mean is over.")
    notes.remark(f"'{_INTERMEDIATE}': the run's best setting with one by the score shown, the upper end of a choice.")
    _remark(notes, setting)
    header = ("target", "metric", "languages", *plain, _INTERMEDIATE, *BASELINES)
    title = "Beside published scores: means over languages"
    return Grid(title, header, tuple(lines), text_columns=2, footnotes=notes.lines())


def _languages_grid(own: Sequence[ResultRow], figures: Sequence[Figure], setting: RunSetting) -> Grid:
    task = get_task(own[0].target)
    notes = Footnotes()
    settings = [(method, "") for method in _PLAIN if any(row.method == method for row in own)]
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
    _remark(notes, setting)
    header = ("language", *(_setting_text(*one) for one in settings), *systems)
    title = f"Beside published scores: {task.name}, {own[0].metric}, by language"
    return Grid(title, header, tuple(lines), footnotes=notes.lines())


def _by_language(rows: Sequence[ResultRow], method: str, source: str) -> dict[str, float]:
    """Mean over seeds by language; empty where the setting was not scored."""
    values: dict[str, list[float]] = {}
    for row in rows:
        if (row.method, row.source) == (method, source):
            values.setdefault(row.language, []).append(row.value)
    return {language: mean(found) for language, found in values.items()}


def _best(rows: Sequence[ResultRow]) -> tuple[str, str] | None:
    """The setting with an intermediate task that has the highest mean over languages."""
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
    """Each different value once, with the marks of its sources."""
    by_value: dict[float, list[str]] = {}
    for item in figures:
        by_value.setdefault(item.value, []).append(f"{item.document}, {item.place}: {item.setting}")
    return "  ".join(f"{score_text(value)}{notes.mark(found)}" for value, found in by_value.items()) or NOTHING


def _run_notes(rows: Sequence[ResultRow], task: Task, figures: Sequence[Figure]) -> list[str]:
    """What must be known of the run to compare it with the published figures of one task."""
    splits = dict.fromkeys(row.split for row in rows)
    wanted = dict.fromkeys(item.split or task.test_split.value for item in figures)
    notes = []
    if set(splits) != set(wanted):
        notes.append(f"{task.name}: run scored on {' and '.join(splits)}, published on {' and '.join(wanted)}")
    if task.kind is Kind.RETRIEVE:
        told = dict.fromkeys(note for row in rows if row.method in _PLAIN for note in row.note.split("; ") if note)
        notes += [f"{task.name}: {note}" for note in told]
    return notes


def _remark(notes: Footnotes, setting: RunSetting) -> None:
    if not setting.is_large:
        notes.remark(f"Another backbone: the run's is '{setting.backbone}', the published ones are XLM-R Large.")
    limits = (
        (setting.max_train, "training rows per task"),
        (setting.max_evaluation, "evaluation rows per language"),
    )
    told = [f"{most:,} {what}" for most, what in limits if most is not None]
    if told:
        notes.remark(f"Fewer rows: the run has at most {' and '.join(told)}, the published ones have all.")
