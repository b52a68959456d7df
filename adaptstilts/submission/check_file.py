"""Checks of one file of a submission, by line, against the labels or the published number of rows."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptstilts.errors import DataError
from adaptstilts.evaluate.metrics import TOP
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.readers.lines import open_text
from adaptstilts.submission.folder import Submission, numbered_rows
from adaptstilts.tasks.spec import Kind, Metric, Task


@dataclass(frozen=True)
class Expected:
    """What a file is compared with.

    Attributes:
        gold: Labels; None where they are not available.
        rows: Published number of examples; None where unknown, or where there are labels.
    """

    task: Task
    language: str
    gold: Submission | None = None
    rows: int | None = None

    @property
    def count(self) -> tuple[int, str] | None:
        """Expected number of examples and its source; None where unknown."""
        if self.gold is not None:
            return len(self.gold.content), str(self.gold.path)
        return None if self.rows is None else (self.rows, "the published test set")


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?')


class _Object(list[tuple[str, Any]]):
    """A JSON object as its pairs, repeated keys included."""


def check_file(path: Path, expected: Expected) -> list[DataError]:
    """Return all problems of one file of predictions: those of its lines in order, then those of the whole file."""
    check = _row_numbers if expected.task.metric is Metric.TATOEBA_ACCURACY else _CHECKS[expected.task.kind]
    problems: list[DataError] = []
    try:
        problems.extend(check(path, expected))
    except DataError as error:  # a file that cannot be read any further
        problems.append(error)
    return problems


def _wrong_label(word: str, task: Task, path: Path, line: int) -> Iterator[DataError]:
    if not word or (task.labels and word not in task.labels):
        yield DataError(
            f"'{word}' is not a label of {task.name}", path=path, line=line, value=word, allowed=task.labels
        )


def _wrong_count(found: int, what: str, path: Path, line: int | None, expected: Expected) -> Iterator[DataError]:
    if expected.count is None or expected.count[0] == found:
        return
    wanted, by = expected.count
    yield DataError(
        f"{found} {what}, but {wanted} in {by}",
        path=path,
        line=line,
        hint="Predict every example exactly once, in the order of the test file.",
    )


def _labels(path: Path, expected: Expected) -> Iterator[DataError]:
    rows = numbered_rows(path)
    for line, word in rows:
        yield from _wrong_label(word, expected.task, path, line)
    yield from _wrong_count(len(rows), "lines", path, rows[-1][0], expected)


def _row_numbers(path: Path, expected: Expected) -> Iterator[DataError]:
    rows = numbered_rows(path)
    for line, word in rows:
        if not (word.isascii() and word.isdigit()):
            yield DataError(f"'{word}' is not a row number", path=path, line=line, allowed=["0, 1, 2, ..."])
        elif expected.rows is not None and int(word) >= expected.rows:
            last = expected.rows - 1
            yield DataError(f"row {word} does not exist", path=path, line=line, allowed=[f"0 to {last}"])
    yield from _wrong_count(len(rows), "lines", path, rows[-1][0], expected)


def _tags(path: Path, expected: Expected) -> Iterator[DataError]:
    sentences: list[tuple[int, int]] = []  # first line and number of words
    start, words = 0, 0
    rows = numbered_rows(path)
    for line, tag in (*rows, (rows[-1][0] + 1, "")):
        if tag:
            yield from _wrong_label(tag, expected.task, path, line)
            start, words = start or line, words + 1
        elif words:  # several blank lines separate sentences as one does
            sentences.append((start, words))
            start, words = 0, 0
    yield from _misaligned(path, sentences, expected)
    yield from _wrong_count(len(sentences), "sentences", path, rows[-1][0], expected)


def _misaligned(path: Path, sentences: list[tuple[int, int]], expected: Expected) -> Iterator[DataError]:
    """Yield sentences of another length than in the labels; only the first if the numbers of sentences differ."""
    gold = expected.gold
    if gold is None:
        return
    for number, ((line, words), tags) in enumerate(zip(sentences, gold.content, strict=False)):
        if words != len(tags):
            yield DataError(
                f"sentence {number + 1} has {words} tags, but {len(tags)} in {gold.path}:{gold.lines[number]}",
                path=path,
                line=line,
                hint="Predict one tag for every word; do not truncate sentences.",
            )
            if len(sentences) != len(gold.content):
                return


def _pairs(path: Path, expected: Expected) -> Iterator[DataError]:
    seen: dict[tuple[str, ...], int] = {}
    for line, row in numbered_rows(path):
        columns = tuple(column.strip() for column in row.split("\t"))
        if len(columns) != 2 or not all(columns):
            yield DataError(f"'{row}' is not two ids with a tab between them", path=path, line=line)
            continue
        for name, side in zip(columns, (expected.language, SOURCE_LANGUAGE), strict=True):
            if not name.startswith(f"{side}-"):
                problem = f"'{name}' is not the id of a sentence in '{side}'"
                yield DataError(problem, path=path, line=line, allowed=[f"{side}-000000001, ..."])
        if columns in seen:
            yield DataError(f"the pair {' '.join(columns)} is also on line {seen[columns]}", path=path, line=line)
        seen.setdefault(columns, line)


def _choices(path: Path, expected: Expected) -> Iterator[DataError]:
    rows = numbered_rows(path)
    for line, text in rows:
        try:
            record = json.loads(text)
        except json.JSONDecodeError as error:
            yield DataError(f"not JSON ({error.msg} at column {error.colno})", path=path, line=line)
            continue
        label = record.get("label") if isinstance(record, dict) else None
        if not isinstance(label, int) or isinstance(label, bool) or label < 0:
            yield DataError(f"{label!r} is not a choice", path=path, line=line, key="label", allowed=["0, 1, 2, ..."])
    yield from _wrong_count(len(rows), "lines", path, rows[-1][0], expected)


def _answers(path: Path, expected: Expected) -> Iterator[DataError]:
    pairs, lines = _keyed(path, "question id to answer")
    for name, value in pairs:
        if not isinstance(value, str):
            yield DataError(f"expected text, found {type(value).__name__}", path=path, line=lines[name][0], key=name)
    yield from _wrong_keys(path, pairs, lines, expected, ("question", "questions"))


def _ranks(path: Path, expected: Expected) -> Iterator[DataError]:
    pairs, lines = _keyed(path, "query id to candidate ids")
    for name, ids in pairs:
        line = lines[name][0]
        if isinstance(ids, _Object) or not isinstance(ids, list) or not ids:
            yield DataError("expected a list of candidate ids, best first", path=path, line=line, key=name)
        elif not all(isinstance(one, str) and one for one in ids):
            yield DataError("a candidate id is not text", path=path, line=line, key=name)
        elif len(set(ids)) < len(ids):
            yield DataError("a candidate is listed twice", path=path, line=line, key=name)
        elif len(ids) > TOP:
            yield DataError(f"{len(ids)} candidates, but only the first {TOP} count", path=path, line=line, key=name)
    yield from _wrong_keys(path, pairs, lines, expected, ("query", "queries"))


def _keyed(path: Path, what: str) -> tuple[_Object, dict[str, list[int]]]:
    """Read one JSON object: its pairs, and the lines on which each key occurs."""
    with open_text(path) as file:
        text = file.read()
    if not text.strip():
        raise DataError("the file is empty", path=path, hint=f"Write one JSON object from {what}.")
    return _json_pairs(text, path), _key_lines(text)


def _wrong_keys(
    path: Path, pairs: _Object, lines: dict[str, list[int]], expected: Expected, nouns: tuple[str, str]
) -> Iterator[DataError]:
    """Yield repeated, missing and unknown ids."""
    counts = Counter(name for name, _ in pairs)
    for name, times in counts.items():
        for line in lines[name][1:times]:
            problem = f"the {nouns[0]} id is also on line {lines[name][0]}"
            yield DataError(problem, path=path, line=line, key=name)
    if expected.gold is None:
        yield from _wrong_count(len(counts), nouns[1], path, None, expected)
    else:
        yield from _unmatched(path, lines, set(counts), expected.gold)


def _unmatched(path: Path, lines: dict[str, list[int]], found: set[str], gold: Submission) -> Iterator[DataError]:
    """Yield answers without a question and questions without an answer.

    Ids that the labels number (``id#position``) match with and without the number.
    """
    bare = {name: name.rpartition("#")[0] if gold.is_numbered else name for name in gold.content}
    known = {*bare, *bare.values()}
    for name in sorted(found - known, key=lambda name: lines[name][0]):
        yield DataError(
            f"no question of {gold.path} has this id",
            path=path,
            line=lines[name][0],
            key=name,
            hint="Check that predictions and labels are of the same task, language and version.",
        )
    left = [name for name in gold.content if name not in found and bare[name] not in found]
    if left:
        problem = f"{len(left)} of {len(gold.content)} questions have no answer, the first is '{left[0]}'"
        yield DataError(problem, path=path, hint="XTREME scores them 0.")


def _json_pairs(text: str, path: Path) -> _Object:
    try:
        found = json.loads(text, object_pairs_hook=_Object)
    except json.JSONDecodeError as error:
        raise DataError(f"not JSON ({error.msg} at column {error.colno})", path=path, line=error.lineno) from error
    if not isinstance(found, _Object):
        raise DataError(f"expected a JSON object, found {type(found).__name__}", path=path, line=1)
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


_CHECKS: dict[Kind, Callable[[Path, Expected], Iterator[DataError]]] = {
    Kind.CLASSIFY: _labels,
    Kind.TAG: _tags,
    Kind.EXTRACT: _answers,
    Kind.CHOOSE: _choices,
    Kind.MATCH: _ranks,
    Kind.RETRIEVE: _pairs,
}
