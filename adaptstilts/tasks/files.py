"""Checks of the files that a task declares: their paths, their readers, and how languages and splits are told apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from string import Formatter

from adaptstilts.errors import ConfigError
from adaptstilts.formatting import number_text
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.reader_facts import EVERY_KIND, READER_FACTS, tells_languages
from adaptstilts.tasks.spec import Layout, Split, Task

_PLACEHOLDERS = ("language", "language3", "name", "name_lower")


def each_layout(layouts: Iterable[Layout]) -> Iterator[Layout]:
    """Yield layouts with their alternatives and parts."""
    for layout in layouts:
        yield layout
        yield from each_layout([*layout.parts, *([layout.otherwise] if layout.otherwise is not None else [])])


def problems_of_layouts(task: Task) -> Iterator[ConfigError]:
    """Yield what is wrong with the files of a task."""
    layouts = dict(_layouts(task, (*Split, *(["pool"] if FACTS[task.kind].has_candidates else []))))
    if not all(layout.files and all(layout.files) for layout in layouts):
        hint = "Give a path below the data root."
        yield ConfigError(f"'{task.name}': a layout names no file", key="layouts.files", hint=hint)
    for file in dict.fromkeys(file for layout in layouts for files in layout.files for file in files):
        yield from _problems_of_path(task, file)
    for layout, key in layouts.items():
        yield from _problems_of_reader(task, layout, key)
    if not all(layout.reader in READER_FACTS for layout in layouts):
        return
    for layout, key in _layouts(task, (Split.DEV, Split.TEST)):  # an unmarked training file is English
        yield from _shared_by_languages(task, layout, key)
    yield from _shared_by_splits(task)


def _layouts(task: Task, places: Sequence[Split | str]) -> Iterator[tuple[Layout, str]]:
    """Yield each layout of some splits or the pool once, with alternatives and parts, and the key that it is under."""
    seen: set[Layout] = set()
    for place in places:
        first = task.layouts.get(place) if isinstance(place, Split) else task.pool
        key = f"layouts.{place.value}" if isinstance(place, Split) else place
        for layout in each_layout([] if first is None else [first]):
            if layout not in seen:
                seen.add(layout)
                yield layout, key


def _problems_of_path(task: Task, file: str) -> Iterator[ConfigError]:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts:
        yield ConfigError(f"'{task.name}': '{file}' is not below the data root", key="layouts.files", value=file)
    for place in _places(file):
        if place not in _PLACEHOLDERS:
            problem = f"'{task.name}': '{{{place}}}' in '{file}' stands for nothing"
            yield ConfigError(problem, key="layouts.files", value=place, allowed=_PLACEHOLDERS)


def _places(file: str) -> list[str]:
    """Return the placeholders of a path; a brace that is not closed counts as one."""
    try:
        return [place for _, place, _, _ in Formatter().parse(file) if place is not None]
    except ValueError:
        return ["..."]


def _problems_of_reader(task: Task, layout: Layout, key: str) -> Iterator[ConfigError]:
    """Yield what is wrong with the reader of a layout: its name, the kind of task that it is for, its options."""
    name, facts = layout.reader, READER_FACTS.get(layout.reader)
    is_pool = key == "pool"
    usable = [
        other for other, known in READER_FACTS.items() if known.gives_candidates is is_pool and task.kind in known.kinds
    ]
    told = [other for other in usable if READER_FACTS[other].kinds != EVERY_KIND]
    if facts is None:
        yield ConfigError(f"'{task.name}': '{name}' is not a reader", key=f"{key}.reader", value=name, allowed=told)
        return
    if name not in usable:
        given = "candidates" if is_pool else f"rows of a task of kind {task.kind.value}"
        problem = f"'{task.name}': the reader '{name}' gives no {given}"
        yield ConfigError(problem, key=f"{key}.reader", value=name, allowed=told)
        return
    for fault in problems_of_options(name, dict(layout.options), task.labels):
        fault.problem, fault.key = f"'{task.name}': {fault.problem}", f"{key}.{fault.key}"
        yield fault


def problems_of_options(reader: str, options: Mapping[str, str], labels: Sequence[str]) -> Iterator[ConfigError]:
    """Yield what is wrong with the options of a reader: their names, the label words, the columns of answers.

    Args:
        reader: Name of a reader that there is.
        options: Its options.
        labels: Labels of the task.
    """
    facts = READER_FACTS[reader]
    for option in options:
        if option not in facts.options:
            problem = f"'{option}' is not an option of the reader '{reader}'"
            yield ConfigError(problem, key="options", value=option, allowed=facts.options or ("none",))
    words, columns = options.get("words", "").split(), options.get("choices", "").split()
    if reader == "texts" and words and len(words) != len(labels):
        problem = f"{number_text(len(words), 'label word')} for the {number_text(len(labels), 'label')} of the task"
        yield ConfigError(problem, key="words", hint="Give one for each, in their order; a|b for two.")
    if reader == "choices" and len(columns) < 2:
        problem = f"expected the columns of at least two answers, found {len(columns)}"
        yield ConfigError(problem, key="choices", hint='Write choices="answer1 answer2" in the layout.')


def _shared_by_languages(task: Task, layout: Layout, key: str) -> Iterator[ConfigError]:
    """Yield an error if several languages would read the same rows."""
    every = (*task.languages, *task.languages_r)
    languages = [code for code in every if not layout.holds or code in layout.holds]
    if len(languages) < 2 or tells_languages(layout):
        return
    file = next(names[0] for names in layout.files if not any("{" in name for name in names))
    column = "Name the column of the language: language='...'. Or put" if _takes(layout, "language") else "Put"
    yield ConfigError(
        f"'{task.name}': each of its {len(languages)} languages would read the same rows of '{file}'",
        key=f"{key}.files",
        hint=f"{column} {{language}} into the path, for a file per language. If all rows are English: holds=('en',).",
    )


def _takes(layout: Layout, option: str) -> bool:
    return option in READER_FACTS[layout.reader].options


def _shared_by_splits(task: Task) -> Iterator[ConfigError]:
    """Yield an error for each file of which several splits would read all rows."""
    splits: dict[str, list[Split]] = {}
    unmarked: dict[str, Layout] = {}
    for split, first in task.layouts.items():
        for layout in each_layout([first]):
            for file in dict.fromkeys(file for names in layout.files for file in names):
                splits.setdefault(file, []).append(split)
                if "split" not in dict(layout.options):
                    unmarked.setdefault(file, layout)
    for file, layout in unmarked.items():
        several = list(dict.fromkeys(split.value for split in splits[file]))
        if len(several) > 1:
            column = "Name the column of the split: split='...'. Or give" if _takes(layout, "split") else "Give"
            yield ConfigError(
                f"'{task.name}': {' and '.join(several)} would read the same rows of '{file}'",
                key="layouts",
                hint=f"{column} each split a file of its own.",
            )
