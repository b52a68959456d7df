"""Checks of one file of a submission, by line, against the labels or the published number of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from adaptstilts.errors import DataError
from adaptstilts.evaluate.metrics import TOP
from adaptstilts.formatting import number_text
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.readers.lines import RowCheck, json_lines
from adaptstilts.submission.folder import Submission, numbered_rows
from adaptstilts.submission.rules import (
    ONE_PER_EXAMPLE,
    Keyed,
    read_answers,
    read_ranks,
    wrong_choice,
    wrong_label,
    wrong_length,
    wrong_pair,
    wrong_row_number,
)
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


def check_file(path: Path, expected: Expected) -> list[DataError]:
    """Return all problems of one file of predictions: those of its lines in order, then those of the whole file."""
    check = _row_numbers if expected.task.metric is Metric.TATOEBA_ACCURACY else _CHECKS[expected.task.kind]
    problems: list[DataError] = []
    try:
        problems.extend(check(path, expected))
    except DataError as error:  # a file that cannot be read any further
        problems.append(error)
    return problems


def _wrong_count(found: int, what: str, path: Path, line: int | None, expected: Expected) -> Iterator[DataError]:
    if expected.count is None or expected.count[0] == found:
        return
    wanted, by = expected.count
    yield DataError(f"{number_text(found, what)}, but {wanted:,} in {by}", path=path, line=line, hint=ONE_PER_EXAMPLE)


def _labels(path: Path, expected: Expected) -> Iterator[DataError]:
    rows = numbered_rows(path)
    for line, word in rows:
        yield from wrong_label(word, expected.task, path, line)
    yield from _wrong_count(len(rows), "line", path, rows[-1][0], expected)


def _row_numbers(path: Path, expected: Expected) -> Iterator[DataError]:
    rows = numbered_rows(path)
    known = expected.rows if expected.gold is None else expected.gold.rows
    for line, word in rows:
        yield from wrong_row_number(word, known, path, line)
    yield from _wrong_count(len(rows), "line", path, rows[-1][0], expected)


def _tags(path: Path, expected: Expected) -> Iterator[DataError]:
    sentences: list[tuple[int, int]] = []  # first line and number of words
    start, words = 0, 0
    rows = numbered_rows(path)
    for line, tag in (*rows, (rows[-1][0] + 1, "")):
        if tag:
            yield from wrong_label(tag, expected.task, path, line)
            start, words = start or line, words + 1
        elif words:  # several blank lines separate sentences as one does
            sentences.append((start, words))
            start, words = 0, 0
    yield from _misaligned(path, sentences, expected)
    yield from _wrong_count(len(sentences), "sentence", path, rows[-1][0], expected)


def _misaligned(path: Path, sentences: list[tuple[int, int]], expected: Expected) -> Iterator[DataError]:
    """Yield sentences of another length than in the labels; only the first if the numbers of sentences differ."""
    gold = expected.gold
    if gold is None:
        return
    for number, ((line, words), tags) in enumerate(zip(sentences, gold.content, strict=False)):
        faults = list(wrong_length(number, words, (len(tags), f"{gold.path}:{gold.lines[number]}"), path, line))
        yield from faults
        if faults and len(sentences) != len(gold.content):
            return


def _pairs(path: Path, expected: Expected) -> Iterator[DataError]:
    seen: dict[tuple[str, str], int] = {}
    for line, row in numbered_rows(path):
        yield from wrong_pair(row, seen, (expected.language, SOURCE_LANGUAGE), path, line)


def _choices(path: Path, expected: Expected) -> Iterator[DataError]:
    faults: list[DataError] = []  # of lines that hold no object
    wrong: list[DataError] = []
    count, last = 0, None
    try:
        for last, record in json_lines(path, RowCheck(faults)):
            count += 1
            wrong += wrong_choice(record, path, last)
        wrong += _wrong_count(count + len(faults), "line", path, last, expected)
    except DataError as error:
        faults.append(error)
    yield from sorted([*faults, *wrong], key=lambda fault: fault.line or 0)


def _answers(path: Path, expected: Expected) -> Iterator[DataError]:
    found, faults = read_answers(path)
    yield from faults
    yield from _wrong_keys(found, expected, "question")


def _ranks(path: Path, expected: Expected) -> Iterator[DataError]:
    found, faults = read_ranks(path, most=TOP)
    yield from faults
    yield from _wrong_keys(found, expected, "query")


def _wrong_keys(found: Keyed, expected: Expected, what: str) -> Iterator[DataError]:
    """Yield missing and unknown ids."""
    names = {name for name, _ in found.entries}
    if expected.gold is None:
        yield from _wrong_count(len(names), what, found.path, None, expected)
    else:
        yield from _unmatched(found.path, found.lines, names, expected.gold)


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
        problem = f"no answer to {len(left)} of {number_text(len(gold.content), 'question')}, the first is '{left[0]}'"
        yield DataError(problem, path=path, hint="XTREME scores them 0.")


_CHECKS: dict[Kind, Callable[[Path, Expected], Iterator[DataError]]] = {
    Kind.CLASSIFY: _labels,
    Kind.TAG: _tags,
    Kind.EXTRACT: _answers,
    Kind.CHOOSE: _choices,
    Kind.MATCH: _ranks,
    Kind.RETRIEVE: _pairs,
}
