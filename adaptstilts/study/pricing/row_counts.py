"""Numbers of examples in the files of a data root, counted where that is quick. Free of torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from adaptstilts.errors import AdaptstiltsError
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.study.plan.jobs import PredictJob, TrainJob
from adaptstilts.tasks.examples import Bitext
from adaptstilts.tasks.registry import declaration_digest, get_task
from adaptstilts.tasks.spec import Split, Task

COUNTED_BYTES = 16_000_000
"""Most bytes of data sets that a plan reads to count their examples, the smallest ones first."""

Part: TypeAlias = tuple[str, Split | None, str]
"""Task, split and language; a split of None is the pool of candidates, whose language is empty."""

_counted: dict[Hashable, int | None] = {}
"""Counts of files that have not changed since, for the whole process."""


class RowCounts:
    """Counts of the examples that a study's stages read.

    A split of a data set is counted in all languages or in none. A file that cannot be read is left out, since
    `validate` says what is wrong with it.

    Args:
        folder: The data root.
        quoting: Value of ``data.quoting``, an option of the readers.
        parts: What may be counted.

    Attributes:
        rows: Numbers of examples; for retrieval the mean of the two sides.
        too_large: Parts that are there but too large to count.
    """

    def __init__(self, folder: Path, quoting: str, parts: Iterable[Part]) -> None:
        root = DataRoot(folder, options={"quoting": quoting})
        self.rows: dict[Part, int] = {}
        self.too_large: set[Part] = set()
        groups: dict[tuple[str, Split | None], list[tuple[Part, tuple[Path, ...]]]] = defaultdict(list)
        for part in dict.fromkeys(parts):
            with suppress(AdaptstiltsError, OSError):
                groups[part[:2]].append((part, _files(root, part)))
        sized = [(_bytes_of(group), group) for group in groups.values()]
        left = COUNTED_BYTES
        for size, group in sorted(sized, key=lambda item: item[0]):
            left -= size
            for part, paths in group:
                if left < 0:
                    self.too_large.add(part)
                elif (count := _count(root, quoting, part, paths)) is not None:
                    self.rows[part] = count


def parts_of(jobs: Iterable[object]) -> Iterator[Part]:
    """Yield what training and prediction jobs read; some of it may not be there."""
    for job in jobs:
        if isinstance(job, TrainJob):
            yield job.task, Split.TRAIN, SOURCE_LANGUAGE
            yield job.task, Split.DEV, SOURCE_LANGUAGE
        elif isinstance(job, PredictJob):
            for code, split in job.languages:
                yield job.task, split, code
            if get_task(job.task).pool is not None:
                yield job.task, None, ""


def _files(root: DataRoot, part: Part) -> tuple[Path, ...]:
    name, split, code = part
    task = get_task(name)
    if split is None:
        return tuple(path for _, found in root.pool(task) for path in found.paths)
    return root.files(task, split, code) if split in task.layouts else ()


def _bytes_of(group: Iterable[tuple[Part, tuple[Path, ...]]]) -> int:
    return sum(path.stat().st_size for _, paths in group for path in paths)


def _count(root: DataRoot, quoting: str, part: Part, paths: tuple[Path, ...]) -> int | None:
    """Count the examples of one part; None where there are none that can be read."""
    name, split, code = part
    task = get_task(name)
    files = tuple((str(path), stat.st_size, stat.st_mtime_ns) for path in paths for stat in (path.stat(),))
    known = (declaration_digest(task), split, code, quoting, files)
    if known not in _counted:
        _counted[known] = None
        with suppress(AdaptstiltsError, OSError):
            _counted[known] = _read(root, task, split, code) if paths else None
    return _counted[known]


def _read(root: DataRoot, task: Task, split: Split | None, code: str) -> int:
    if split is None:
        return sum(1 for _ in root.candidates(task))
    found = root.load(task, split, code)
    return (len(found.foreign) + len(found.english) + 1) // 2 if isinstance(found, Bitext) else len(found)
