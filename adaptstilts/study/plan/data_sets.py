"""The data sets that decide a stage, and their fingerprints: what a plan records, and what a stage compares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adaptstilts.errors import raise_all
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.readers.locate import all_misnamed, first_choices, has_option
from adaptstilts.study.plan.jobs import OverlapCheck
from adaptstilts.study.plan.retrieval import retrieves
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split, Task

Pairs = tuple[tuple[str, Split], ...]


@dataclass(frozen=True)
class DataSet:
    """Files that are fingerprinted together.

    Attributes:
        split: None for the pool of candidates that all languages of the task share.
        language: Empty for the pool.
    """

    task: Task
    split: Split | None
    language: str = ""

    def is_there(self, root: DataRoot) -> bool:
        """Say whether its files are present; a pool is always there where a task has one."""
        return self.split is None or (
            self.split in self.task.layouts and root.has_files(self.task, self.split, self.language)
        )

    def can_be_planned(self, root: DataRoot) -> bool:
        """Say whether its files are present.

        Raises:
            DataError: If they are not, though there is a compressed file or the like: a study would do without them.
        """
        if self.is_there(root):
            return True
        if self.split is not None:
            raise_all(all_misnamed(root.path, self.task, [(self.language, [self.split])]))
        return False

    def files(self, root: DataRoot) -> tuple[Path, ...]:
        """Return its files.

        Raises:
            DataError: If there are none.
        """
        if self.split is None:
            return root.pool_files(self.task)
        return root.files_behind(self.task, self.split, self.language)

    def text(self) -> str:
        """Return what it is for people, with the files that are looked for first."""
        if self.split is None:
            return f"the candidates of {self.task.name}"
        names = ", ".join(first_choices(self.task.layouts[self.split], self.language))
        return f"the {self.split.value} files of {self.task.name} in '{self.language}' ({names})"

    def fingerprint(self, root: DataRoot) -> str:
        """Return the SHA-256 of its contents, labels that are read from them included.

        Raises:
            DataError: If there are no files, or they cannot be read.
        """
        if self.split is None:
            return root.pool_fingerprint(self.task)
        return root.fingerprint(self.task, self.split, self.language)


def option(task: Task, quoting: str) -> tuple[str, ...]:
    """Return how quotation marks are read if that affects the task, else nothing."""
    return (f"quoting {quoting}",) if has_option(task, "quoting") else ()


def training_sets(task: Task, *, dev: bool) -> tuple[DataSet, ...]:
    """Return the English training set of a task and, with ``dev``, its dev set, which may not be there."""
    splits = (Split.TRAIN, Split.DEV) if dev else (Split.TRAIN,)
    return tuple(DataSet(task, split, SOURCE_LANGUAGE) for split in splits)


def evaluation_sets(task: Task, languages: Pairs) -> tuple[DataSet, ...]:
    """Return the evaluation sets of a task, some of which may not be there, and its pool of candidates."""
    pool = () if task.pool is None else (DataSet(task, None),)
    return (*(DataSet(task, split, code) for code, split in languages), *pool)


def with_dev(target: Task, languages: Pairs) -> Pairs:
    """Return the languages, with dev splits added for BUCC2018, whose threshold is fitted on dev."""
    if not retrieves(target) or Split.DEV not in target.layouts:
        return languages
    return languages + tuple((code, Split.DEV) for code, split in languages if split is Split.TEST)


def compared_sets(compared: OverlapCheck) -> tuple[DataSet, ...]:
    """Return the sets among which leaks and overlaps are looked for, some of which may not be there."""
    found = [each for name in compared.trained for each in training_sets(get_task(name), dev=True)]
    for name, languages in compared.scored:
        task = get_task(name)
        if FACTS[task.kind].is_bitext:
            found += [DataSet(task, split, code) for code, split in languages]
        else:
            own = dict(languages).get(SOURCE_LANGUAGE)
            splits = (Split.TEST, Split.DEV) if own is None else (own,)
            found += [DataSet(task, split, SOURCE_LANGUAGE) for split in splits]
    return tuple(dict.fromkeys(found))
