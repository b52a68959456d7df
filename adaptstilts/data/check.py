"""Checks of a folder of data sets: every row is read, counted, and compared with the published files."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from adaptstilts.data.contamination.leaks import Leak, find_leak
from adaptstilts.data.contamination.overlap import Prints, compare, fingerprint, repeated_rows, rows_of
from adaptstilts.data.lock import read_lock, verify_split
from adaptstilts.data.sources import can_be_fetched, expected_rows, packaged
from adaptstilts.errors import AdaptstiltsError, DataError
from adaptstilts.formatting import number_text
from adaptstilts.languages import SOURCE_LANGUAGE, languages_text
from adaptstilts.readers.data_root import DataRoot, Inspection
from adaptstilts.readers.locate import all_misnamed, file_without_rows, looked_for, where_from
from adaptstilts.tasks.examples import Bitext
from adaptstilts.tasks.registry import get_task, is_own, training_task
from adaptstilts.tasks.spec import Split, Task

_FEW = 8
"""Number of names up to which they are listed."""
ProgressCallback = Callable[[int, int, str], None]
"""Called with the number of splits checked, the number of all splits, and the name of the next one."""


class Mark(str, Enum):
    """How the number of rows found compares with the published number."""

    EQUAL = "equal"
    FEWER = "fewer"
    MORE = "more"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class LanguageCheck:
    """What was found for one language of a split.

    Attributes:
        rows: Rows that can be read. Retrieval counts gold pairs, or foreign sentences where the pairs are hidden.
        published: Published number of rows; None where it is not known, or pairs are hidden.
        hidden: Rows without a label.
        repeated: Rows whose texts all occur in an earlier row of the split; retrieval counts foreign sentences.
        in_train: Rows that also occur in the training set of the same language; None for training sets, and where
            there is no training set.
        leak: Rows in other languages; None for a set that is not English.
    """

    language: str
    rows: int
    published: int | None
    hidden: int
    repeated: int
    in_train: int | None
    leak: Leak | None

    @property
    def mark(self) -> Mark:
        """How ``rows`` compares with ``published``."""
        if self.published is None:
            return Mark.UNKNOWN
        if self.rows == self.published:
            return Mark.EQUAL
        return Mark.FEWER if self.rows < self.published else Mark.MORE


@dataclass(frozen=True)
class SplitCheck:
    """What was found for one split of a task.

    Attributes:
        languages: Languages found, official ones first.
        missing: Official languages that were not found.
        others: How many of ``languages`` are not official.
    """

    task: str
    split: Split
    languages: tuple[LanguageCheck, ...]
    missing: tuple[str, ...]
    others: int


@dataclass
class FolderCheck:
    """What was found in a folder of data sets.

    Attributes:
        splits: One entry per task and split that the task has.
        problems: What is wrong with the files, each problem once.
        notes: Differences from the published files that are not errors.
    """

    root: Path
    splits: list[SplitCheck] = field(default_factory=list)
    problems: list[AdaptstiltsError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_folder(
    root: Path, tasks: Sequence[Task], *, strict: bool = False, on_step: ProgressCallback | None = None
) -> FolderCheck:
    """Read every row of a folder of data sets and compare it with what is published.

    Missing languages and other numbers of rows than published are problems only if `strict`. Rows that differ from the
    lock file are always problems, and so are other languages in an English training set.

    Raises:
        DataError: If the folder does not exist, or its lock file cannot be read.
    """
    check = _Checker(DataRoot(root), strict=strict)
    wanted = [(task, split) for task in tasks for split in Split if split in task.layouts]
    for done, (task, split) in enumerate(wanted):
        if on_step is not None:
            on_step(done, len(wanted), f"{task.name} {split.value}")
        check.add_split(task, split)
    for task in tasks:
        check.add_pool(task)
    check.compare_with_lock({task.name for task in tasks})
    check.require_data(tasks)
    return check.result


def examine(language: str, found: Inspection, published: int | None, training: Prints | None) -> LanguageCheck:
    """Describe the rows of one language and split; a pure function.

    `training` holds the fingerprints of the training set in the same language, None where the rows are that set.
    """
    if found.rows is None:
        return LanguageCheck(language, 0, None, 0, 0, None, None)
    rows = list(rows_of(found.rows))
    count = len(rows)
    if isinstance(found.rows, Bitext):
        if found.rows.gold is None:
            published = None
        else:
            count = len(found.rows.gold)
    prints = fingerprint(rows)
    return LanguageCheck(
        language=language,
        rows=count,
        published=published,
        hidden=found.hidden,
        repeated=repeated_rows(prints),
        in_train=None if training is None else compare(prints, training).same_rows,
        leak=find_leak(rows) if language == SOURCE_LANGUAGE else None,
    )


def official_languages(task: Task, split: Split) -> tuple[str, ...]:
    """Return the languages in which the benchmark has a split: English for training, else those of its sources."""
    if split is Split.TRAIN:
        return (SOURCE_LANGUAGE,)
    known = packaged().tasks.get(task.name)
    if known is None or not known.parts:
        holds = task.layouts[split].holds if split in task.layouts else ()
        return tuple(code for code in task.languages if not holds or code in holds)
    sources = {entry.language for entry in packaged().entries(task.name) if entry.split is split}
    return tuple(code for code in task.languages if code in sources)


class _Checker:
    """Collects the results of the checks of one folder."""

    def __init__(self, data: DataRoot, *, strict: bool) -> None:
        self.result = FolderCheck(data.path)
        self._data = data
        self._strict = strict
        self._seen: set[str] = set()
        self._training: dict[tuple[str, str], Prints | None] = {}

    def add_split(self, task: Task, split: Split) -> None:
        present = self._data.languages(task, split)
        languages = tuple(self._language(task, split, code) for code in present)
        official = official_languages(task, split)
        missing = tuple(code for code in official if code not in present)
        for error in all_misnamed(self._data.path, task, [(code, [split]) for code in official]):
            self._add(error)
        others = len(set(present) - set(official))
        self.result.splits.append(SplitCheck(task.name, split, languages, missing, others))
        if self._strict and missing:
            problem = f"no {split.value} files of {task.name} in {languages_text(missing)}"
            self._add(DataError(problem, path=self._data.path))

    def add_pool(self, task: Task) -> None:
        """Read the candidates that the queries of a task search, if the task is there; missing ones are a note."""
        if task.pool is None or not any(split.task == task.name and split.languages for split in self.result.splits):
            return
        try:
            for _ in self._data.candidates(task):
                pass
        except AdaptstiltsError as error:
            if error.path == self._data.path:
                self.result.notes.append(error.problem)
            else:
                self._add(error)

    def compare_with_lock(self, names: set[str]) -> None:
        lock = read_lock(self._data.path)
        for key in () if lock is None else lock.splits:
            name, split, language = key.split("/")
            if lock is not None and name in names:
                try:
                    verify_split(lock, self._data, get_task(name), Split(split), language)
                except AdaptstiltsError as error:
                    self._add(error)

    def require_data(self, tasks: Sequence[Task]) -> None:
        """Add an error where no task has a file, and a note on a task from outside the package without one."""
        present = {split.task for split in self.result.splits if split.languages}
        absent = [task for task in tasks if task.name not in present]
        is_empty = len(absent) == len(tasks)
        fetched = [task.name for task in absent if can_be_fetched(task.name)]
        rowless = {task.name: file_without_rows(self._data.path, task) for task in absent}
        if is_empty and fetched and not self.result.problems and not any(rowless.values()):
            several = fetched if len(fetched) <= _FEW else []
            command = shlex.join(["adaptstilts", "data", "fetch", *several, "--root", str(self._data.path)])
            names = [task.name for task in tasks]
            hint = f"Fetch some: {command} (in Python: fetch_data({str(self._data.path)!r}))."
            self._add(DataError("holds no file of these tasks", path=self._data.path, allowed=names, hint=hint))
        for task in absent:
            error = rowless[task.name] or self._no_file(task)
            is_told = bool(fetched) and is_own(task)
            if error.path != self._data.path or (is_empty and not is_told):
                self._add(error)
            elif not is_own(task):
                self.result.notes.append(error.problem)

    def _no_file(self, task: Task) -> DataError:
        problem = f"no file of {task.name}; looked for {', '.join(looked_for(task))}"
        hint = packaged().by_hand(task.name) if task.name in packaged().tasks else where_from(task)
        return DataError(problem, path=self._data.path, hint=hint)

    def _language(self, task: Task, split: Split, code: str) -> LanguageCheck:
        found = self._data.inspect(task, split, code)
        for problem in found.problems:
            self._add(problem)
        if found.rows is None:
            return examine(code, found, None, None)
        if split is Split.TRAIN:
            self._training[task.name, code] = fingerprint(rows_of(found.rows))
        training = None if split is Split.TRAIN else self._training_of(task, code)
        check = examine(code, found, expected_rows(task.name, split, code), training)
        self.result.notes += [note for note in self._data.notes(task, split, code) if note not in self.result.notes]
        for problem in self._problems_of(task, split, check, is_whole=not found.problems):
            self._add(problem)
        return check

    def _problems_of(
        self, task: Task, split: Split, check: LanguageCheck, *, is_whole: bool
    ) -> Iterator[AdaptstiltsError]:
        path = self._data.files(task, split, check.language)[0]
        if self._strict and is_whole and check.mark in {Mark.FEWER, Mark.MORE}:
            wanted = number_text(check.published or 0, "row")
            problem = f"expected {wanted} in '{check.language}' as published, found {check.rows:,}"
            yield DataError(problem, path=path)
        if check.leak is not None and split is Split.TRAIN and check.leak.is_leak:
            yield leak_error(check.leak, path)
        elif check.leak is not None and check.leak.foreign_rows:
            self.result.notes.append(
                f"{task.name}: {split.value}: {check.leak.foreign_rows:,} of {check.leak.rows:,} rows do not look "
                f"English ({check.leak.signs()}), too few to count as a leak"
            )

    def _training_of(self, task: Task, code: str) -> Prints | None:
        trained = training_task(task)
        key = (trained.name, code)
        if key not in self._training and task.trains and code in self._data.languages(trained, Split.TRAIN):
            rows = self._data.inspect(trained, Split.TRAIN, code).rows
            self._training[key] = None if rows is None else fingerprint(rows_of(rows))
        return self._training.get(key)

    def _add(self, problem: AdaptstiltsError) -> None:
        if str(problem) not in self._seen:
            self._seen.add(str(problem))
            self.result.problems.append(problem)


def leak_error(leak: Leak, path: Path) -> DataError:
    """Return the error for other languages in an English training set; `path` is the (first) training file."""
    return DataError(
        f"{leak.foreign_rows:,} of {leak.rows:,} rows of this English training set are in other languages "
        f"({leak.signs()}); the first has id '{leak.example}'",
        path=path,
        hint="Zero-shot scores would be wrong. Remove these rows, or fetch the data set again",
    )
