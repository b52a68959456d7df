"""Where the files of a layout lie below a data root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adaptstilts.errors import DataError
from adaptstilts.languages import get_language
from adaptstilts.tasks.spec import Layout, Split, Task


@dataclass(frozen=True)
class Found:
    """A layout whose files are there.

    Attributes:
        layout: The layout, or what it names as its substitute.
        paths: Its files.
        note: What was read in place of the published file, if anything.
    """

    layout: Layout
    paths: tuple[Path, ...]
    note: str = ""


def locate(root: Path, task: Task, split: Split, language: str) -> list[Found]:
    """Find the files of one language and split; several entries where a data set is pooled from parts.

    Args:
        root: The data root.
        task: The task.
        split: Part of it.
        language: ISO 639-1 code.

    Returns:
        At least one entry.

    Raises:
        DataError: If no file is there; every path looked for is named.
        ConfigError: If the language is not known.
    """
    get_language(language)
    layout = task.layouts.get(split)
    if layout is None:
        trained = split is Split.TRAIN and task.train_task
        raise DataError(
            f"{task.name} has no {split.value} split of its own",
            allowed=[known.value for known in task.layouts],
            hint=f"It is trained on {task.train_task}" if trained else None,
        )
    if not is_multilingual(layout) and language not in task.languages:
        raise DataError(f"{task.name} has no data in '{language}'", value=language, allowed=task.languages)
    found = find_all(root, layout, language)
    if not found:
        looked = ", ".join(_templates(layout, language))
        raise DataError(f"no {split.value} files of {task.name} in '{language}'; looked for {looked}", path=root)
    return found


def find_all(root: Path, layout: Layout, language: str) -> list[Found]:
    """Return the parts of a layout that are there.

    Args:
        root: The data root.
        layout: The layout.
        language: ISO 639-1 code.

    Returns:
        One entry per part, in the order of the layout; empty if there are none.
    """
    parts = (find(root, part, language) for part in (layout, *layout.parts))
    return [part for part in parts if part is not None]


def find(root: Path, layout: Layout, language: str) -> Found | None:
    """Return the first alternative of a layout, its parts left aside, whose files are all there.

    Args:
        root: The data root.
        layout: The layout.
        language: ISO 639-1 code.

    Returns:
        The alternative, or None.
    """
    published = _fill(layout.files[0][0], language)
    current: Layout | None = layout
    while current is not None:
        for names in current.files:
            paths = tuple(root / _fill(name, language) for name in names)
            if all(path.is_file() for path in paths):
                read = _fill(names[0], language)
                return Found(current, paths, "" if read == published else f"{read} stands in for {published}")
        current = current.otherwise
    return None


def missing_parts(root: Path, layout: Layout, language: str) -> list[str]:
    """Return the first-choice file of each part of a pooled layout that is not there."""
    if not layout.parts:
        return []
    absent = [part for part in (layout, *layout.parts) if find(root, part, language) is None]
    return [_fill(part.files[0][0], language) for part in absent]


def is_multilingual(layout: Layout) -> bool:
    """Say whether a layout has a file per language."""
    return "{language" in layout.files[0][0]


def _fill(template: str, language: str) -> str:
    return template.format(language=language, language3=get_language(language).code3)


def _templates(layout: Layout, language: str) -> list[str]:
    names = [_fill(name, language) for alternative in layout.files for name in alternative]
    for other in (layout.otherwise, *layout.parts):
        if other is not None:
            names += _templates(other, language)
    return list(dict.fromkeys(names))
