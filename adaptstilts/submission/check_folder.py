"""Checks of a whole submission folder: what is missing, what does not belong there, and problems inside its files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adaptstilts.data.sources import expected_rows
from adaptstilts.errors import ConfigError, DataError
from adaptstilts.evaluate.benchmark import BENCHMARKS, Benchmark, Entry
from adaptstilts.files import what_instead
from adaptstilts.formatting import number_text, visible
from adaptstilts.submission.check_file import Expected, check_file
from adaptstilts.submission.folder import read_labels, submission_path
from adaptstilts.submission.score import FolderScores, score_folder, score_record, score_text
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.tasks.spec import Split, Task


@dataclass(frozen=True)
class CheckedFolder:
    """Results of the check of a submission folder.

    Attributes:
        notes: What was not checked.
        files: Number of files that were checked.
        scores: Scores of the files that have labels and no problems; None where there are none.
    """

    problems: tuple[DataError, ...]
    notes: tuple[str, ...]
    files: int
    scores: FolderScores | None

    def text(self) -> str:
        """Return the results for a terminal, without the problems themselves."""
        count = len(self.problems)
        line = f"{number_text(self.files, 'file')} checked, {number_text(count, 'problem') if count else 'no problems'}"
        parts = [line, *(visible(f"note: {note}") for note in self.notes)]
        return "\n".join(parts) + (f"\n\n{score_text(self.scores)}" if self.scores else "")

    def record(self) -> dict[str, Any]:
        """Return the results as plain values."""
        return {
            "files": self.files,
            "problems": [str(problem) for problem in self.problems],
            "notes": list(self.notes),
            "scores": None if self.scores is None else score_record(self.scores),
        }


def get_benchmark(name: str) -> Benchmark:
    """Return a benchmark by its name.

    Raises:
        ConfigError: If there is none of that name.
    """
    found = next((benchmark for benchmark in BENCHMARKS if benchmark.name == name), None)
    if found is None:
        names = [benchmark.name for benchmark in BENCHMARKS]
        raise ConfigError(f"'{name}' is not a benchmark", key="benchmark", value=name, allowed=names)
    return found


def check_folder(
    folder: Path, gold: Path | None, benchmark: Benchmark, tasks: Sequence[str] | None = None
) -> CheckedFolder:
    """Check a folder of predictions in XTREME's submission layout, and score it where labels are given.

    Args:
        folder: Folder with one subfolder for each task.
        gold: Folder of the same layout with labels; None to compare with the published numbers of rows, where known.
        benchmark: Benchmark whose tasks and languages must be there.
        tasks: Folder names of the tasks to check; None for all of the benchmark.

    Raises:
        ConfigError: If the benchmark has no task of a given name.
        DataError: If a folder does not exist.
    """
    for directory in (folder, gold):
        if directory is not None and not directory.is_dir():
            raise DataError(
                "is not a folder",
                path=directory,
                hint="Give the folder that holds one subfolder for each task, such as xnli/.",
            )
    entries = _selected_entries(benchmark, tasks)
    notes: list[str] = []
    problems = [] if tasks else list(_unexpected(folder, benchmark, notes))
    clean: dict[str, list[str]] = {}
    files, uncounted = 0, 0
    for entry in entries:
        task = task_of(entry)
        problems += _missing_or_unexpected(folder, entry, task)
        if task is None:
            notes += [f"{entry.folder}/ is not checked: not a task of this version"] * (folder / entry.folder).is_dir()
            continue
        for language in entry.languages:
            path = submission_path(folder, task, language)
            if path.is_file():
                files += 1
                expected = _expected(task, language, gold)
                found = [expected] if isinstance(expected, DataError) else check_file(path, expected)
                uncounted += isinstance(expected, Expected) and expected.count is None
                problems += found
                if not found:
                    clean.setdefault(task.name, []).append(language)
    if uncounted:
        notes.append(
            f"the number of rows of {number_text(uncounted, 'file')} was not compared: "
            "there are neither labels nor a published number"
        )
    return CheckedFolder(tuple(problems), tuple(notes), files, _scores(folder, gold, clean))


def task_of(entry: Entry) -> Task | None:
    """Return the task of a benchmark entry under the name of its folder; None where the package has no such task."""
    names = {task.name for task in all_tasks()}
    name = entry.task if entry.task in names else entry.folder
    return replace(get_task(name), name=entry.folder) if name in names else None


def published_rows(task: Task, language: str) -> int | None:
    """Return the published number of test examples of a task in a language; None where it is not known."""
    return expected_rows(task.name, task.test_split if task.layouts else Split.TEST, language)


def _selected_entries(benchmark: Benchmark, tasks: Sequence[str] | None) -> list[Entry]:
    folders = [entry.folder for entry in benchmark.entries]
    for name in tasks or ():
        if name not in folders:
            problem = f"'{name}' is not a task of {benchmark.title}"
            raise ConfigError(problem, key="tasks", value=name, allowed=folders)
    return [entry for entry in benchmark.entries if tasks is None or entry.folder in tasks]


def _unexpected(folder: Path, benchmark: Benchmark, notes: list[str]) -> Iterator[DataError]:
    """Yield files and folders that belong to no task; folders of another benchmark's tasks are only noted."""
    others = {entry.folder for other in BENCHMARKS for entry in other.entries}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and benchmark.entry(path.name) is not None:
            continue
        if path.is_dir() and path.name in others:
            notes.append(f"{path.name}/ is not checked: not a task of {benchmark.title}")
        else:
            folders = [f"{entry.folder}/" for entry in benchmark.entries]
            what = "folder" if path.is_dir() else "file"
            yield DataError(f"unexpected {what}", path=path, allowed=folders, hint="Remove it.")


def _missing_or_unexpected(folder: Path, entry: Entry, task: Task | None) -> Iterator[DataError]:
    """Yield a missing folder, missing files of languages, and files of unknown languages."""
    directory = folder / entry.folder
    if not directory.is_dir():
        yield DataError(f"missing: {number_text(len(entry.languages), 'language')} of {entry.folder}", path=directory)
        return
    if task is None:
        return
    wanted = {submission_path(folder, task, language).name: language for language in entry.languages}
    present = {path.name: path for path in sorted(directory.iterdir())}
    for name, language in wanted.items():
        instead = what_instead(directory / name)
        if instead is not None:
            yield DataError(f"is {instead}, not a file", path=directory / name, hint="Put an ordinary file there.")
        elif name not in present or not present[name].is_file():
            yield DataError(f"missing: {entry.folder} in '{language}'", path=directory / name)
    example = next(iter(wanted)).replace(f"-{wanted[next(iter(wanted))]}.", "-<language>.")
    for name, path in present.items():
        if name not in wanted:
            yield DataError(
                f"unexpected file in {entry.folder}/",
                path=path,
                allowed=[f"{example} in {' '.join(entry.languages)}"],
                hint="Remove it.",
            )


def _expected(task: Task, language: str, gold: Path | None) -> Expected | DataError:
    """Return what a file is compared with, or a problem where the labels themselves cannot be read."""
    labels = None if gold is None else submission_path(gold, task, language)
    if labels is None or (what_instead(labels) is None and not labels.is_file()):
        return Expected(task, language, rows=published_rows(task, language))
    try:
        return Expected(task, language, gold=read_labels(labels, task))
    except DataError as error:
        return error


def _scores(folder: Path, gold: Path | None, clean: dict[str, list[str]]) -> FolderScores | None:
    """Score the files that have labels and no problem."""
    if gold is None:
        return None
    found = FolderScores({}, ())
    for name, languages in clean.items():
        labelled = [code for code in languages if submission_path(gold, get_task(name), code).is_file()]
        if labelled:
            scores = score_folder(folder, gold, [name], labelled)
            found = FolderScores({**found.scores, **scores.scores}, (*found.notes, *scores.notes))
    return found if found.scores else None
