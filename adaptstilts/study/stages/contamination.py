"""Search for leaks and overlaps in a study's data, before training and with findings stored by file contents.

Every English training set is searched for other languages, and every training and dev set is compared with the sets
that targets are scored on. Findings on a file, or on a pair of files, are stored below ``overlaps`` in the store. They
are part of no content key; that of the report holds the fingerprints of the data compared.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptstilts.config.schema import DataSection
from adaptstilts.config.sweep import Variant
from adaptstilts.contents import Pins
from adaptstilts.data.check import leak_error
from adaptstilts.data.contamination.findings import Findings, Pair
from adaptstilts.data.contamination.leaks import Leak, find_leak
from adaptstilts.data.contamination.overlap import Overlap, Prints, compare, fingerprint, joined, rows_of
from adaptstilts.errors import AdaptstiltsError, StoreError, raise_all
from adaptstilts.files import expanded, read_bytes
from adaptstilts.json_text import parse_json
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.json_files import replace_json
from adaptstilts.store.stage import DataPlace
from adaptstilts.store.store import Store
from adaptstilts.study.layout import DATA_FOLDER
from adaptstilts.study.plan.data_facts import OFFICIAL_ROOT
from adaptstilts.study.plan.jobs import OverlapCheck
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.plan.variants import by_data
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split, Task

FORMAT_VERSION = 1
"""Part of the names of stored findings; to be raised when the comparison of texts changes."""
FOLDER = "overlaps"

_KEY_DIGITS = 32
_MOST_BYTES = 2**20
"""Longest record of findings that is read."""
_REPORT_HINT = "Remove those rows or fetch the data set again; data.leaks=report trains on them nevertheless"


@dataclass(frozen=True)
class _DataSet:
    """A split of a task, in one or several languages.

    Attributes:
        languages: English; for retrieval, the languages whose English sides are joined.
    """

    task: Task
    split: Split
    languages: tuple[str, ...]


def look_for_overlaps(
    variants: Sequence[Variant], plan: Plan, store: Store, on_message: Callable[[str], None]
) -> Findings | None:
    """Find leaks and overlaps in a study's data, report a summary, and stop on leaks if the study is set to.

    Args:
        variants: All variants of the study.
        on_message: Called with the summary line of each data set-up of a sweep.

    Returns:
        The findings, for a sweep over data those of the last set-up; None if no data is there yet.

    Raises:
        AdaptstiltsError: If English training sets hold other languages and ``data.leaks`` is ``stop``; all at once.
    """
    found = None
    roots = data_roots(variants[0].config.data, plan, store)
    for group, compared, root in zip(by_data(variants), plan.report.compared, roots, strict=True):
        if root is not None:
            found = _check_data(compared, root, store, on_message, stops=group[0].config.data.leaks == "stop")
    return found


def _check_data(
    compared: OverlapCheck, root: DataRoot, store: Store, on_message: Callable[[str], None], *, stops: bool
) -> Findings:
    found = find_overlaps(compared, root, store)
    on_message(found.summary())
    problems: list[AdaptstiltsError] = []
    for name, leak in found.leaking.items() if stops else ():
        path = root.files(get_task(name), Split.TRAIN, SOURCE_LANGUAGE)[0]
        error = leak_error(leak, path)
        error.hint = _REPORT_HINT
        problems.append(error)
    raise_all(problems)
    return found


def find_overlaps(compared: OverlapCheck, root: DataRoot, store: Store) -> Findings:
    """Find leaks and overlaps in a study's data; files compared before are not read again.

    Training and evaluation sets are read in full, regardless of ``data.max_train``.

    Args:
        compared: The training sets and the sets that targets are scored on.
        store: Store that keeps the findings.

    Raises:
        DataError: If files are malformed.
    """
    cache = _FindingsCache(root, store.root / FOLDER)
    trained = [get_task(name) for name in compared.trained]
    leaks = {task.name: cache.leak(_DataSet(task, Split.TRAIN, (SOURCE_LANGUAGE,))) for task in trained}
    scored = list(_scored_sets(compared, root))
    pairs = [
        Pair(*_names(training), *_names(target), cache.overlap(training, target))
        for training in _training_sets(trained, root)
        for target in scored
        if training != target
    ]
    return Findings(leaks, tuple(pairs))


def _names(rows: _DataSet) -> tuple[str, str]:
    return rows.task.name, rows.split.value


def data_roots(data: DataSection, plan: Plan, store: Store) -> list[DataRoot | None]:
    """Open the data that a study's report compares, in its order; None for data that is not there yet."""
    own = DataPlace(data.root, data.quoting)
    wanted = {item.world for item in plan.report.compared if item.world is not None}
    worlds = store.find_all([plan.stage(key) for key in wanted], on_damage=lambda _: None)  # its stage tells of damage
    return [open_data(item, own, {key: worlds.get(key) for key in wanted}) for item in plan.report.compared]


def open_data(
    compared: OverlapCheck, own: DataPlace, worlds: Mapping[str, Artefact | None], pins: Pins | None = None
) -> DataRoot | None:
    """Open the data of a comparison; None if it is not there yet.

    Args:
        own: Place of the study's data, for comparisons that name none.
        worlds: Generated worlds by the keys of their stages.
        pins: What files must hold.
    """
    place = compared.place or own
    options = {"quoting": place.quoting}
    if compared.world is not None:
        world = worlds[compared.world]
        return None if world is None else DataRoot(world.file(DATA_FOLDER), options=options, pins=pins)
    if place.root == OFFICIAL_ROOT:
        return None
    return DataRoot(expanded(place.root), options=options, pins=pins)


def _training_sets(tasks: Sequence[Task], root: DataRoot) -> Iterator[_DataSet]:
    """Yield the training sets, and the dev sets by which checkpoints are selected."""
    for task in tasks:
        for split in (Split.TRAIN, Split.DEV):
            if SOURCE_LANGUAGE in root.languages(task, split):
                yield _DataSet(task, split, (SOURCE_LANGUAGE,))


def _scored_sets(compared: OverlapCheck, root: DataRoot) -> Iterator[_DataSet]:
    """Yield the English side of the set each target is scored on.

    Other languages are skipped: they are translations of it, or cannot be compared with English training sets.
    """
    for name, languages in compared.scored:
        task = get_task(name)
        if FACTS[task.kind].is_bitext:
            for split in dict.fromkeys(split for _, split in languages):
                yield _DataSet(task, split, tuple(code for code, other in languages if other is split))
            continue
        first = dict(languages).get(SOURCE_LANGUAGE)
        for split in (first,) if first is not None else (Split.TEST, Split.DEV):
            if SOURCE_LANGUAGE in root.languages(task, split):
                yield _DataSet(task, split, (SOURCE_LANGUAGE,))
                break


class _FindingsCache:
    """Findings stored on disk by the contents of the files, with fingerprints of data sets kept in memory."""

    def __init__(self, root: DataRoot, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self._contents: dict[_DataSet, str] = {}
        self._prints: dict[_DataSet, Prints] = {}

    def leak(self, training: _DataSet) -> Leak:
        path = self._path("leak", self._content_hash(training))
        stored = _read(path, Leak)
        if stored is not None:
            counts = {name: Counter(value) for name, value in stored.items() if isinstance(value, dict)}
            return Leak(**{**stored, **counts})
        found = find_leak(self._root.load_examples(training.task, training.split, SOURCE_LANGUAGE))
        _write(path, vars(found))
        return found

    def overlap(self, training: _DataSet, target: _DataSet) -> Overlap:
        path = self._path("pair", self._content_hash(training), self._content_hash(target))
        stored = _read(path, Overlap)
        if stored is not None:
            return Overlap(**stored)
        found = compare(self._fingerprints(target), self._fingerprints(training))
        _write(path, dataclasses.asdict(found))
        return found

    def _content_hash(self, rows: _DataSet) -> str:
        if rows not in self._contents:
            for code in rows.languages:  # what is read later is what the findings are stored under
                self._root.pins.pin(self._root.files_behind(rows.task, rows.split, code))
            files = [self._root.fingerprint(rows.task, rows.split, code) for code in rows.languages]
            self._contents[rows] = hashlib.sha256(" ".join([rows.task.kind.value, *files]).encode()).hexdigest()
        return self._contents[rows]

    def _fingerprints(self, rows: _DataSet) -> Prints:
        if rows not in self._prints:
            loaded = (self._root.load(rows.task, rows.split, code) for code in rows.languages)
            self._prints[rows] = joined(fingerprint(rows_of(part, english=True)) for part in loaded)
        return self._prints[rows]

    def _path(self, what: str, *contents: str) -> Path:
        text = " ".join((str(FORMAT_VERSION), what, *contents))
        return self._folder / f"{what}-{hashlib.sha256(text.encode()).hexdigest()[:_KEY_DIGITS]}.json"


def _read(path: Path, kind: type) -> dict[str, Any] | None:
    """Read stored findings, the fields of a dataclass; None if they are none, so that they are computed again."""
    try:
        found = parse_json(read_bytes(path, _MOST_BYTES, StoreError))
    except (OSError, ValueError, StoreError):
        return None
    fields = dataclasses.fields(kind)
    is_whole = isinstance(found, dict) and found.keys() == {item.name for item in fields}
    return found if is_whole and all(_is_of(str(item.type), found[item.name]) for item in fields) else None


def _is_of(kind: str, value: object) -> bool:
    if kind.startswith("Counter"):
        return isinstance(value, dict) and all(_is_of("int", count) for count in value.values())
    return isinstance(value, str) if kind == "str" else type(value) is int and value >= 0


def _write(path: Path, values: dict[str, Any]) -> None:
    """Store findings if the folder can be written to; otherwise they are computed again next time."""
    with contextlib.suppress(OSError):
        replace_json(path, values)
