"""What a folder of data sets holds: tasks that a study can name, with their rows, and files that no task reads."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path, PurePosixPath

from adaptstilts.data.check import leak_error
from adaptstilts.data.contamination.leaks import find_leak
from adaptstilts.data.lock import LOCK_NAME
from adaptstilts.errors import AdaptstiltsError, DataError, problems_of
from adaptstilts.formatting import number_text, range_text, visible
from adaptstilts.json_text import JsonError, parse_rows
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.readers.locate import file_without_rows, missing_parts
from adaptstilts.study.plan.data_facts import FolderFacts
from adaptstilts.suggestions import near_matches
from adaptstilts.tasks.examples import Bitext
from adaptstilts.tasks.files import each_layout
from adaptstilts.tasks.registry import all_tasks, is_own, training_chain
from adaptstilts.tasks.spec import Phase, Split, Task

_MOST_GROUPS = 12
_MOST_NAMES = 4
_MOST_OPENED = 50
_FORMATS = (".tsv", ".csv", ".json", ".jsonl", ".conllu", ".parquet", ".arrow")
"""Endings of files that readers take."""
_LANGUAGE = "XX"
"""What stands for the code of a language in the path of a file."""
_ALIKE = 0.8
"""How much alike two paths are of which one may be meant by the other; 1 if they are equal."""
_LIKE_PAIRS = ({"premise", "hypothesis"}, {"sentence1", "sentence2"})
_NO_DATA = (LOCK_NAME, "README*", "LICENSE*", "*.md")
"""Names of files that are no data."""

ProgressCallback = Callable[[int, int, str], None]
"""Called with the number of tasks read, the number of all tasks, and the name of the next one."""


@dataclass(frozen=True)
class FoundTask:
    """A task of which the folder has files.

    Attributes:
        splits: Languages with their numbers of rows, by split; only English ones of training sets.
        obstacle: Why a study cannot use it as it is, the first reason; empty if it can.
        same_as: Another task with the same training rows, which is the better choice; empty if there is none.
        obstacles: All reasons, one for each file; the errors that say what to do.
    """

    task: Task
    splits: tuple[tuple[Split, tuple[tuple[str, int], ...]], ...]
    obstacle: str = ""
    same_as: str = ""
    obstacles: tuple[AdaptstiltsError, ...] = ()

    def splits_text(self) -> str:
        """Return the rows in words: ``train: 400 rows in en; test: 40 to 60 rows each in de, fr``."""
        parts = []
        for split, found in self.splits:
            each = " each" if len(found) > 1 else ""
            rows = range_text([count for _, count in found], "{:,.0f}".format)
            noun = "row" if rows == "1" else "rows"
            parts.append(f"{split.value}: {rows} {noun}{each} in {', '.join(code for code, _ in found)}")
        return "; ".join(parts) or "no rows"


@dataclass(frozen=True)
class UnreadFiles:
    """Files of one folder that no task reads, and that may be the same.

    Attributes:
        names: Paths relative to the root.
        guess: What they may be; empty if nothing suggests it.
    """

    names: tuple[str, ...]
    guess: str

    def text(self) -> str:
        """Return one line about them."""
        shown, others = self.names[:_MOST_NAMES], len(self.names[_MOST_NAMES:])
        more = f" and {others:,} more" if others else ""
        return f"{visible(', '.join(shown))}{more}{f': {self.guess}' if self.guess else ''}"


@dataclass(frozen=True)
class Survey:
    """What a folder of data sets holds."""

    root: Path
    tasks: tuple[FoundTask, ...]
    unread: tuple[UnreadFiles, ...]

    def usable(self, phase: Phase) -> tuple[Task, ...]:
        """Return the tasks of a phase that a study can use as they are, without those that repeat another's rows."""
        return tuple(
            found.task for found in self.tasks if found.task.phase is phase and not found.obstacle and not found.same_as
        )


def survey(root: Path, on_step: ProgressCallback | None = None) -> Survey:
    """Read a folder of data sets: which tasks are there, in which languages, with how many rows, and what is left over.

    Raises:
        DataError: If the folder does not exist.
    """
    data = DataRoot(root)
    facts = FolderFacts(root, "present", "clean")
    candidates = [(task, files) for task in all_tasks() if (files := _files_of(data, task))]
    found: list[FoundTask] = []
    for done, (task, _) in enumerate(candidates):
        if on_step is not None:
            on_step(done, len(candidates), task.name)
        found.append(_find_task(data, facts, task))
    found += [_without_rows(error, task, root) for task, error in _files_without_rows(root, candidates)]
    found = [_compared(one, found, data, facts) for one in found]
    needed = {each.name for one in found if one.task.phase is Phase.TARGET for each in training_chain(one.task)}
    shown = tuple(one for one in found if one.task.phase is not Phase.TRAINING or one.task.name in needed)
    claimed = {path for _, files in candidates for path in files}
    claimed |= {error.path for one in found for error in one.obstacles if error.path is not None}
    return Survey(root, shown, tuple(_unread(root, claimed, {task.name for task, _ in candidates})))


def _files_without_rows(root: Path, read: Sequence[tuple[Task, set[Path]]]) -> Iterator[tuple[Task, DataError]]:
    """Yield the tasks from outside the package of which a file is there, but no row in a language and split."""
    names = {task.name for task, _ in read}
    for task in all_tasks():
        error = None if is_own(task) or task.name in names else file_without_rows(root, task)
        if error is not None:
            yield task, error


def _without_rows(error: DataError, task: Task, root: Path) -> FoundTask:
    return FoundTask(task, (), _reason(error, root), obstacles=(error,))


def _files_of(data: DataRoot, task: Task) -> set[Path]:
    """Return all files of a task that are there; those of its candidates do not make it present by themselves."""
    files = {path for split, code in _parts(data, task) for path in data.files(task, split, code)}
    if task.pool is not None and files:
        with suppress(AdaptstiltsError):
            files |= {path for _, part in data.pool(task) for path in part.paths}
    return files


def _parts(data: DataRoot, task: Task) -> Iterator[tuple[Split, str]]:
    for split in Split:
        for code in data.languages(task, split):
            yield split, code


def _find_task(data: DataRoot, facts: FolderFacts, task: Task) -> FoundTask:
    rows: dict[Split, list[tuple[str, int]]] = {}
    obstacles: list[AdaptstiltsError] = []
    for split, code in _parts(data, task):
        if split is Split.TRAIN and code != SOURCE_LANGUAGE:
            continue
        count, problems = _inspect(data, task, split, code)
        rows.setdefault(split, []).append((code, count))
        obstacles += problems
    obstacles += _lacking(facts, task)
    once = tuple({str(error): error for error in obstacles}.values())
    splits = tuple((split, tuple(found)) for split, found in rows.items())
    return FoundTask(task, splits, _reason(once[0], data.path) if once else "", obstacles=once)


def _inspect(data: DataRoot, task: Task, split: Split, code: str) -> tuple[int, list[AdaptstiltsError]]:
    """Read all rows of one language and split; return their number (pairs of a bitext) and a problem of each file."""
    try:
        inspection = data.inspect(task, split, code)
    except AdaptstiltsError as error:
        return 0, [error]
    found = inspection.rows
    firsts = {error.path: error for error in reversed(inspection.problems)}
    problems = list(reversed(firsts.values()))
    if found is None:
        return 0, problems
    if isinstance(found, Bitext):
        return len(found.foreign if found.gold is None else found.gold), problems
    if split is Split.TRAIN:
        leak = find_leak(found)
        if leak.is_leak:
            problems.append(leak_error(leak, data.files(task, split, code)[0]))
    return len(found), problems


def _lacking(facts: FolderFacts, task: Task) -> list[AdaptstiltsError]:
    """Return what a study with this task would lack: training files of its own or another task, labelled files."""
    chain = training_chain(task) if task.trains else ()
    attempts: list[Callable[[], object]] = [partial(facts.training_files, each, dev=True) for each in chain]
    if task.phase is Phase.TARGET:
        attempts.append(partial(facts.languages, task))
    problems: list[AdaptstiltsError] = []
    for attempt in attempts:
        try:
            attempt()
        except AdaptstiltsError as error:  # noqa: PERF203 - all are tried
            problems += problems_of(error)
    return problems


def _reason(error: AdaptstiltsError, root: Path) -> str:
    """Return what is wrong, with the place of a file below the root, and without what to do next."""
    if error.path is None or error.path == root:
        return error.problem
    place = error.path.relative_to(root).as_posix() if error.path.is_relative_to(root) else str(error.path)
    return f"{place}{f':{error.line}' if error.line is not None else ''}: {error.problem}"


def _compared(found: FoundTask, others: Sequence[FoundTask], data: DataRoot, facts: FolderFacts) -> FoundTask:
    """Mark a pooled task of which only the rows of another task are there."""
    task = found.task
    if found.obstacle or task.phase is not Phase.INTERMEDIATE:
        return found
    if not missing_parts(data.path, task, Split.TRAIN, SOURCE_LANGUAGE):
        return found
    own = set(facts.training_files(task, dev=False))
    for other in others:
        is_other = other.task.name != task.name and other.task.phase is Phase.INTERMEDIATE and not other.obstacle
        if is_other and set(facts.training_files(other.task, dev=False)) == own:
            return replace(found, same_as=other.task.name)
    return found


def _unread(root: Path, claimed: set[Path], found: set[str]) -> Iterator[UnreadFiles]:
    """Yield the files that no task reads, by folder and by what they may be; hidden ones are left out.

    Those in a format that readers take come first. ``claimed`` are files that tasks read, and ``found`` the names of
    those tasks.
    """
    by_folder: dict[PurePosixPath, list[Path]] = {}
    for path in sorted(_plain_paths(root)):
        is_data = not any(fnmatchcase(path.name, name) for name in _NO_DATA)
        if is_data and path not in claimed and path.is_file():
            by_folder.setdefault(PurePosixPath(path.parent.relative_to(root).as_posix()), []).append(path)
    groups = [group for folder, paths in by_folder.items() for group in _alike(folder, paths, found)]
    groups.sort(key=lambda group: not (group.guess or PurePosixPath(group.names[0]).suffix in _FORMATS))
    yield from groups[:_MOST_GROUPS]
    left = sum(len(group.names) for group in groups[_MOST_GROUPS:])
    if left:
        yield UnreadFiles((number_text(left, "other file"),), "")


def _plain_paths(root: Path) -> Iterator[Path]:
    """Yield the files below a folder but for hidden ones; folders that vanish meanwhile are passed over."""
    for place, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in files if not name.startswith("."))


def _alike(folder: PurePosixPath, paths: Sequence[Path], found: set[str]) -> list[UnreadFiles]:
    """Group files of one folder by what they may be, and those of which nothing is known by whether they are read."""
    groups: dict[tuple[str, bool], list[str]] = {}
    last: dict[str, str] = {}
    for number, path in enumerate(paths):
        inner, suffix = folder / path.name, path.suffix
        if number < _MOST_OPENED or suffix not in last:  # of many files the rest is taken to be like those before
            last[suffix] = _guess(path, inner, found)
        groups.setdefault((last[suffix], suffix in _FORMATS), []).append(inner.as_posix())
    return [UnreadFiles(tuple(names), guess) for (guess, _), names in groups.items()]


def _guess(path: Path, inner: PurePosixPath, found: set[str]) -> str:
    """Say what a file may be: of a task with a similar name, or what its first line suggests.

    Of the tasks that were found, only one that has a file for each language may lack this one.
    """
    words = [word for part in inner.parts for word in (part.lower(), part.lower().partition(".")[0])]
    missing = [task for task in all_tasks() if task.name not in found]
    names = {place.lower(): task for task in missing for place in (task.name, task.folder) if place}
    for word in words:
        for name in near_matches(word, names, cutoff=0.75):
            return f"perhaps of {names[name].name}, which is looked for as {_example(names[name], inner)}"
    for task in all_tasks():
        if task.name in found and inner.parts[0] in {task.name, task.folder}:
            example = _example(task, inner)
            if _LANGUAGE in example and _likeness(example, inner) >= _ALIKE:
                return f"perhaps of {task.name}, which is looked for as {example}"
    return _by_content(path)


def _example(task: Task, inner: PurePosixPath) -> str:
    """Return the path that is most like another, of those where the files of a task are looked for."""
    layouts = each_layout(task.layouts[split] for split in (task.test_split, *task.layouts) if split in task.layouts)
    names = dict.fromkeys(files[0] for layout in layouts for files in layout.files)
    places = {"language": _LANGUAGE, "language3": "XXX", "name": "NAME", "name_lower": "name"}
    shown = [name.format(**places) if "{" in name else name for name in names]
    return max(shown, key=lambda name: _likeness(name, inner))


def _likeness(name: str, inner: PurePosixPath) -> float:
    return difflib.SequenceMatcher(None, name.lower(), inner.as_posix().lower(), autojunk=False).ratio()


def _by_content(path: Path) -> str:
    places = {
        ".parquet": "perhaps a data set of the hub; its place is hub/OWNER/REPOSITORY/CONFIG/",
        ".arrow": "perhaps a data set of the hub; its place is hub/OWNER/REPOSITORY/CONFIG/",
        ".conllu": "perhaps a treebank; its place is ud/UD_NAME/XX_name-ud-SPLIT.conllu",
    }
    if path.suffix in places:
        return places[path.suffix]
    try:
        with path.open(encoding="utf-8") as file:
            first = file.readline(1 << 16).rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return ""
    if path.suffix in {".json", ".jsonl"}:
        return _by_keys(first)
    separator = "," if path.suffix == ".csv" else "\t"
    columns = first.count(separator) + 1
    return f"a table of {columns} columns" if columns > 1 else ""


def _by_keys(line: str) -> str:
    try:
        record = parse_rows(line)
    except JsonError:
        return ""
    keys = set(record) if isinstance(record, dict) else set()
    if any(pair <= keys for pair in _LIKE_PAIRS):
        return "pairs of texts, as those of mnli or xnli"
    if "data" in keys or {"question", "context"} <= keys:
        return "questions about texts, as those of squad1 or xquad"
    return f"records with {_listed(sorted(map(str, keys)))}" if keys else ""


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:6]) + (" ..." if len(shown) > 6 else "")
