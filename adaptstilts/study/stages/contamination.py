"""Leaks and overlaps of a study's data, found before training and remembered by the contents of the files.

Every English training set is searched for other languages, and every training and dev set is compared with what each
target is scored on. What was found of a file, or of a pair of files, lies in the store below ``overlaps``; nothing of
it is in the keys of stages, but for that of the report, which holds the fingerprints of what is compared.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptstilts.config.schema import DataSection
from adaptstilts.config.sweep import Variant
from adaptstilts.data.check import leak_error
from adaptstilts.data.contamination.findings import Findings, Pair
from adaptstilts.data.contamination.leaks import Leak, find_leak
from adaptstilts.data.contamination.overlap import Overlap, Prints, compare, fingerprint, joined, rows_of
from adaptstilts.errors import AdaptstiltsError, raise_all
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.json_files import replace_json
from adaptstilts.store.stage import DataPlace
from adaptstilts.store.store import Store
from adaptstilts.study.layout import DATA_FOLDER
from adaptstilts.study.plan.data_facts import OFFICIAL
from adaptstilts.study.plan.jobs import OverlapCheck
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.plan.variants import by_data
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split, Task

FORMAT_VERSION = 1
"""Part of the name of everything remembered; raised when texts are compared in another way."""
FOLDER = "overlaps"

_KEY_DIGITS = 32
_REPORT_HINT = "Take those rows out or fetch the data set anew; data.leaks=report trains on them all the same"


@dataclass(frozen=True)
class _Set:
    """One set of rows.

    Attributes:
        task: The task.
        split: Part of it.
        languages: English, or for retrieval the languages whose English sides are joined.
    """

    task: Task
    split: Split
    languages: tuple[str, ...]


def look_for_overlaps(
    variants: Sequence[Variant], plan: Plan, store: Store, tell: Callable[[str], None]
) -> Findings | None:
    """Find leaks and overlaps of a study, say in a line what was found, and refuse leaks.

    Args:
        variants: All variants of the study.
        plan: Its plan.
        store: Where findings are remembered.
        tell: Told the line, once for each data of a sweep.

    Returns:
        The findings, of a sweep over data those of the last data; None where there is no data yet.

    Raises:
        AdaptstiltsError: If English training sets hold other languages and ``data.leaks`` is ``stop``; all at once.
    """
    found = None
    roots = data_roots(variants[0].config.data, plan, store)
    for group, compared, root in zip(by_data(variants), plan.report.compared, roots, strict=True):
        if root is not None:
            found = _look(compared, root, store, tell, stops=group[0].config.data.leaks == "stop")
    return found


def _look(
    compared: OverlapCheck, root: DataRoot, store: Store, tell: Callable[[str], None], *, stops: bool
) -> Findings:
    found = find_overlaps(compared, root, store)
    tell(found.summary())
    problems: list[AdaptstiltsError] = []
    for name, leak in found.leaking.items() if stops else ():
        path = root.files(get_task(name), Split.TRAIN, SOURCE_LANGUAGE)[0]
        error = leak_error(leak, path)
        error.hint = _REPORT_HINT
        problems.append(error)
    raise_all(problems)
    return found


def find_overlaps(compared: OverlapCheck, root: DataRoot, store: Store) -> Findings:
    """Find leaks and overlaps of a study's data; files that were compared before are not read again.

    Training sets count whole, whatever ``data.max_train`` says, as do evaluation sets.

    Args:
        compared: What is looked through.
        root: The data.
        store: Where findings are remembered.

    Returns:
        The findings.

    Raises:
        DataError: If files are malformed.
    """
    memory = _Memory(root, store.root / FOLDER)
    trained = [get_task(name) for name in compared.trained]
    leaks = {task.name: memory.leak(_Set(task, Split.TRAIN, (SOURCE_LANGUAGE,))) for task in trained}
    scored = list(_scored_sets(compared, root))
    pairs = [
        Pair(*_names(training), *_names(target), memory.overlap(training, target))
        for training in _training_sets(trained, root)
        for target in scored
        if training != target
    ]
    return Findings(leaks, tuple(pairs))


def _names(rows: _Set) -> tuple[str, str]:
    return rows.task.name, rows.split.value


def data_roots(data: DataSection, plan: Plan, store: Store) -> list[DataRoot | None]:
    """Return the data that a study's report compares, in its order; None for what is not there yet."""
    own = DataPlace(data.root, data.quoting)
    wanted = {item.world for item in plan.report.compared if item.world is not None}
    worlds = {key: store.find(plan.stage(key)) for key in wanted}
    return [open_data(item, own, worlds) for item in plan.report.compared]


def open_data(compared: OverlapCheck, own: DataPlace, worlds: Mapping[str, Artefact | None]) -> DataRoot | None:
    """Return data to look through.

    Args:
        compared: Which.
        own: Where the study's data is, if it is not said there.
        worlds: Generated worlds by the keys of their stages.

    Returns:
        The data; None where it is not there yet.
    """
    place = compared.place or own
    if compared.world is not None:
        world = worlds[compared.world]
        return None if world is None else DataRoot(world.file(DATA_FOLDER), options={"quoting": place.quoting})
    if place.root == OFFICIAL:
        return None
    return DataRoot(Path(place.root).expanduser(), options={"quoting": place.quoting})


def _training_sets(tasks: Sequence[Task], root: DataRoot) -> Iterator[_Set]:
    """Yield what is trained on and what checkpoints are chosen by."""
    for task in tasks:
        for split in (Split.TRAIN, Split.DEV):
            if SOURCE_LANGUAGE in root.languages(task, split):
                yield _Set(task, split, (SOURCE_LANGUAGE,))


def _scored_sets(compared: OverlapCheck, root: DataRoot) -> Iterator[_Set]:
    """Yield the English side of what each target is scored on; other languages are translations of it, or of no use."""
    for name, languages in compared.scored:
        task = get_task(name)
        if FACTS[task.kind].is_bitext:
            for split in dict.fromkeys(split for _, split in languages):
                yield _Set(task, split, tuple(code for code, other in languages if other is split))
            continue
        first = dict(languages).get(SOURCE_LANGUAGE)
        for split in (first,) if first is not None else (Split.TEST, Split.DEV):
            if SOURCE_LANGUAGE in root.languages(task, split):
                yield _Set(task, split, (SOURCE_LANGUAGE,))
                break


class _Memory:
    """Findings by the contents of files, on disk; fingerprints of sets while they are needed."""

    def __init__(self, root: DataRoot, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self._contents: dict[_Set, str] = {}
        self._prints: dict[_Set, Prints] = {}

    def leak(self, training: _Set) -> Leak:
        path = self._path("leak", self._content(training))
        known = _read(path)
        if known is not None:
            counts = {name: Counter(value) for name, value in known.items() if isinstance(value, dict)}
            return Leak(rows=known["rows"], example=known["example"], **counts)
        found = find_leak(self._root.load_examples(training.task, training.split, SOURCE_LANGUAGE))
        _remember(path, vars(found))
        return found

    def overlap(self, training: _Set, target: _Set) -> Overlap:
        path = self._path("pair", self._content(training), self._content(target))
        known = _read(path)
        if known is not None:
            return Overlap(**known)
        found = compare(self._fingerprints(target), self._fingerprints(training))
        _remember(path, dataclasses.asdict(found))
        return found

    def _content(self, rows: _Set) -> str:
        if rows not in self._contents:
            files = [self._root.fingerprint(rows.task, rows.split, code) for code in rows.languages]
            self._contents[rows] = hashlib.sha256(" ".join([rows.task.kind.value, *files]).encode()).hexdigest()
        return self._contents[rows]

    def _fingerprints(self, rows: _Set) -> Prints:
        if rows not in self._prints:
            loaded = (self._root.load(rows.task, rows.split, code) for code in rows.languages)
            self._prints[rows] = joined(fingerprint(rows_of(part, english=True)) for part in loaded)
        return self._prints[rows]

    def _path(self, what: str, *contents: str) -> Path:
        text = " ".join((str(FORMAT_VERSION), what, *contents))
        return self._folder / f"{what}-{hashlib.sha256(text.encode()).hexdigest()[:_KEY_DIGITS]}.json"


def _read(path: Path) -> dict[str, Any] | None:
    """Return what is remembered; what cannot be read is found anew."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _remember(path: Path, values: dict[str, Any]) -> None:
    """Write what was found; where nothing can be written it is found again."""
    with contextlib.suppress(OSError):
        replace_json(path, values)
