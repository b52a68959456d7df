"""Rules for the content of predictions and labels, one home for `score`, which stops at the first fault, and the check.

Each rule yields the faults of one line or entry; `first` raises the first of them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from adaptstilts.errors import DataError
from adaptstilts.formatting import cut, number_text, shown
from adaptstilts.readers.json_checks import parse_json
from adaptstilts.readers.lines import open_text
from adaptstilts.tasks.spec import Task

ONE_PER_EXAMPLE = "Predict every example exactly once, in the order of the test file."
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?')
_MOST_DIGITS = 18


class Entries(list[tuple[str, Any]]):
    """A JSON object as its entries, repeated keys included."""


@dataclass(frozen=True)
class Keyed:
    """A file that is one JSON object.

    Attributes:
        entries: Keys and values; objects below are `Entries` too.
        lines: Lines on which each key occurs, in order.
    """

    path: Path
    entries: Entries
    lines: dict[str, list[int]]

    def fault(self, name: str, problem: str, hint: str | None = None) -> DataError:
        """Return an error about the first entry of a key."""
        return DataError(problem, path=self.path, line=self.lines[name][0], key=name, hint=hint)


def first(faults: Iterable[DataError]) -> None:
    """Raise the first fault, if there is one."""
    for fault in faults:
        raise fault


def wrong_label(word: str, task: Task, path: Path, line: int) -> Iterator[DataError]:
    """Yield a fault unless a word is a label of the task."""
    if not word or (task.labels and word not in task.labels):
        allowed = task.labels or None
        yield DataError(
            f"'{cut(word)}' is not a label of {task.name}", path=path, line=line, value=word, allowed=allowed
        )


def wrong_row_number(word: str, count: int | None, path: Path, line: int) -> Iterator[DataError]:
    """Yield a fault unless a word is the number of a row, from 0, of which there are `count` (None: unknown)."""
    if not (word.isascii() and word.isdigit()):
        yield DataError(f"'{cut(word)}' is not a row number", path=path, line=line, allowed=["0, 1, 2, ..."])
        return
    digits = word.lstrip("0") or "0"
    if len(digits) > _MOST_DIGITS or (count is not None and int(digits) >= count):
        allowed = ["0, 1, 2, ..."] if count is None else [f"0 to {count - 1}"]
        number = word if len(word) <= _MOST_DIGITS else f"{word[:_MOST_DIGITS]}... ({len(word)} digits)"
        yield DataError(f"row {number} does not exist", path=path, line=line, allowed=allowed, hint="Count from 0.")


def wrong_pair(
    row: str, seen: dict[tuple[str, str], int], sides: tuple[str, str] | None, path: Path, line: int
) -> Iterator[DataError]:
    """Yield faults of a line with two ids; add the pair to those seen, with its line.

    Args:
        sides: Languages with which the two ids begin; None if anything may stand there.
    """
    columns = row.split("\t")
    ids = [column.strip() for column in columns]
    if len(ids) != 2 or not all(ids):
        count = number_text(len(ids), "column")
        yield DataError(
            f"'{cut(row)}' is not two ids with a tab between them ({count})",
            path=path,
            line=line,
            allowed=["2 columns: foreign id, English id"],
            hint="Separate the ids by one tab." if len(ids) == 1 else None,
        )
        return
    for name, side in zip(ids, sides or (), strict=False):
        if not name.startswith(f"{side}-"):
            problem = f"'{cut(name)}' is not the id of a sentence in '{side}'"
            yield DataError(problem, path=path, line=line, allowed=[f"{side}-000000001, ..."])
    pair = (ids[0], ids[1])
    if pair in seen:
        hint = "Write each pair once."
        yield DataError(f"the pair {' '.join(pair)} is also on line {seen[pair]}", path=path, line=line, hint=hint)
    seen.setdefault(pair, line)


def wrong_length(number: int, tags: int, labels: tuple[int, str], path: Path, line: int) -> Iterator[DataError]:
    """Yield a fault unless a sentence, counted from 0, has as many tags as labels.

    Args:
        labels: Number of its labels, and their place.
    """
    wanted, place = labels
    if tags != wanted:
        problem = f"sentence {number + 1} has {number_text(tags, 'tag')}, but {wanted} in {place}"
        hint = "Predict one tag for every word; do not truncate sentences."
        yield DataError(problem, path=path, line=line, hint=hint)


def wrong_choice(record: object, path: Path, line: int) -> Iterator[DataError]:
    """Yield a fault unless a line is an object whose ``label`` is the index of a choice."""
    label = record.get("label") if isinstance(record, dict) else None
    if not isinstance(label, int) or isinstance(label, bool) or not 0 <= label < 10**_MOST_DIGITS:
        yield DataError(f"{shown(label)} is not a choice", path=path, line=line, key="label", allowed=["0, 1, 2, ..."])


def read_answers(path: Path) -> tuple[Keyed, Iterator[DataError]]:
    """Read answers by question id, and what is wrong with them.

    Raises:
        DataError: As `read_keyed`.
    """
    found = read_keyed(path, "question id to answer")
    return found, chain(_wrong_answers(found), _repeated(found, "question"))


def read_ranks(path: Path, most: int | None) -> tuple[Keyed, Iterator[DataError]]:
    """Read lists of candidate ids by query id, at most so many in a list, and what is wrong with them.

    Raises:
        DataError: As `read_keyed`.
    """
    found = read_keyed(path, "query id to candidate ids")
    return found, chain(_wrong_ranks(found, most), _repeated(found, "query"))


def _wrong_answers(found: Keyed) -> Iterator[DataError]:
    """Yield the faults of answers by question id."""
    for name, value in found.entries:
        if not isinstance(value, str):
            kind = "an object" if isinstance(value, Entries) else "a list" if isinstance(value, list) else shown(value)
            yield found.fault(name, f"expected text, found {kind}", "Write the text of one answer, or an empty text.")


def _wrong_ranks(found: Keyed, most: int | None) -> Iterator[DataError]:
    """Yield the faults of lists of candidate ids by query id."""
    for name, ids in found.entries:
        if isinstance(ids, Entries) or not isinstance(ids, list) or not ids:
            yield found.fault(name, "expected a list of candidate ids, best first")
        elif not all(isinstance(one, str) and one for one in ids):
            yield found.fault(name, "a candidate id is not text", 'Write ids in quotation marks, such as "Q1".')
        elif len(set(ids)) < len(ids):
            yield found.fault(name, "a candidate is listed twice", "List each candidate once.")
        elif most is not None and len(ids) > most:
            yield found.fault(name, f"{len(ids)} candidates, but only the first {most} count")


def _repeated(found: Keyed, noun: str) -> Iterator[DataError]:
    """Yield the keys that occur again, a fault for each time."""
    for name, times in Counter(name for name, _ in found.entries).items():
        for line in found.lines[name][1:times]:
            problem = f"the {noun} id is also on line {found.lines[name][0]}"
            yield DataError(problem, path=found.path, line=line, key=name, hint="Keep one of the two.")


def read_keyed(path: Path, what: str) -> Keyed:
    """Read a file that is one JSON object with at least one entry; ``what`` says from what to what.

    Raises:
        DataError: If the file is empty, is no JSON object, or cannot be read.
    """
    with open_text(path, has_lines=False) as file:
        text = file.read()
    entries = _entries(text, path) if text.strip() else Entries()
    if not entries:
        raise DataError("the file is empty", path=path, hint=f"Write one JSON object from {what}.")
    return Keyed(path, entries, _key_lines(text))


def _entries(text: str, path: Path) -> Entries:
    try:
        found = json.loads(text, object_pairs_hook=Entries)
    except (ValueError, RecursionError):
        found = parse_json(text, path, 1)  # says what is wrong, as of data files
    if not isinstance(found, Entries):
        raise DataError(f"expected a JSON object, found {type(found).__name__}", path=path, line=1)
    if len(dict(found)) == len(found):  # repeated keys are faults of their own
        parse_json(text, path, 1)
    return found


def _key_lines(text: str) -> dict[str, list[int]]:
    """Return the lines on which each key of a JSON text occurs, in order."""
    lines: dict[str, list[int]] = {}
    line, done = 1, 0
    for found in _STRING.finditer(text):
        line, done = line + text.count("\n", done, found.start()), found.start()
        if found[1]:
            lines.setdefault(json.loads(found[0].removesuffix(found[1])), []).append(line)
    return lines
