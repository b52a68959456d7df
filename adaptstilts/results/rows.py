"""Tidy results of a study: one row per score and per training run, their CSV files, and XTREME's aggregation.

Source: Hu et al. 2020 (XTREME): a task's score is the plain mean over its languages, English included; where a task has
two major metrics (exact match and F1 of question answering) they are averaged.
"""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, astuple, dataclass, fields
from io import StringIO
from pathlib import Path
from typing import Any, TextIO, TypeVar

from adaptstilts.errors import DataError, EvaluationError
from adaptstilts.formatting import number_text
from adaptstilts.languages import SOURCE_LANGUAGE

UNSCORED = "partial mean: not scored in "
"""Start of the note of scores that lack languages in which others are scored; their codes follow."""


@dataclass(frozen=True)
class ResultRow:
    """One score: method x source x target x language x metric x seed, of one variant of a sweep.

    Attributes:
        method: Method name, such as ``direct`` or ``stack``.
        family: What was trained: ``full``, ``adapter`` or ``fusion``.
        source: Intermediate task; names joined by ``+`` for a fusion; empty where there is none.
        target: Target task.
        language: ISO 639-1 code.
        value: Score in percent.
        is_major: Whether the metric counts in the task's score; several such metrics are averaged.
        split: ``dev`` or ``test``.
        examples: Number of scored examples.
        note: Remark for readers of the number, shown as a footnote; several are joined by ``; ``.
        variant: Label of its variant in a sweep, such as ``reduction_factor=4``; empty without one.
    """

    method: str
    family: str
    source: str
    target: str
    language: str
    metric: str
    value: float
    is_major: bool
    split: str
    examples: int
    seed: int
    note: str = ""
    variant: str = ""


@dataclass(frozen=True)
class RunRow:
    """One training run and its cost.

    Attributes:
        method: Method it belongs to; empty for an intermediate run that several methods use.
        family: What was trained: ``full``, ``adapter`` or ``fusion``.
        source: Intermediate task; names joined by ``+`` for a fusion; empty where there is none.
        target: Target task; empty for the training of an intermediate task.
        trained_parameters: Parameters that received gradients, head included.
        total_parameters: All parameters of the model.
        artefact_bytes: Size of the saved files.
        train_seconds: Wall time of training.
        train_examples: Size of the training set.
        best_dev: Best score on the source language's dev set in percent; None without a dev set.
        stage: Name of the stage in the plan.
        variant: Labels of the variants of a sweep that use it, joined by ``; ``; empty where all do.
        attention: How attention was computed: torch's kernels, the first choice first, or ``eager``.
    """

    method: str
    family: str
    source: str
    target: str
    seed: int
    trained_parameters: int
    total_parameters: int
    artefact_bytes: int
    train_seconds: float
    train_examples: int
    best_dev: float | None
    stage: str
    variant: str = ""
    attention: str = ""


@dataclass(frozen=True)
class TaskScore:
    """Score of one target in one setting, by language.

    Attributes:
        family: What was trained.
        source: Intermediate task or tasks, or empty.
        by_language: Major score in percent per language code, in the order of the rows.
        notes: Notes of its rows, each once.
        variant: Label of its variant in a sweep; empty without one.
    """

    method: str
    family: str
    source: str
    target: str
    seed: int
    by_language: tuple[tuple[str, float], ...]
    notes: tuple[str, ...] = ()
    variant: str = ""

    @property
    def mean(self) -> float:
        """Mean over all languages, English included, in percent: XTREME's task score."""
        return mean([value for _, value in self.by_language])

    @property
    def english(self) -> float | None:
        """Score in the source language in percent; None where it was not evaluated, as in retrieval."""
        return dict(self.by_language).get(SOURCE_LANGUAGE)

    @property
    def zero_shot_mean(self) -> float | None:
        """Mean over the languages other than the source language, in percent; None if there are none."""
        values = [value for language, value in self.by_language if language != SOURCE_LANGUAGE]
        return mean(values) if values else None

    @property
    def transfer_gap(self) -> float | None:
        """English score minus zero-shot mean, in points; None if either is missing."""
        if self.english is None or self.zero_shot_mean is None:
            return None
        return self.english - self.zero_shot_mean


Row = TypeVar("Row")


def write_csv(path: Path, rows: Sequence[Row], row_type: type[Row]) -> None:
    """Write rows to a CSV file, atomically and with every digit; its columns are the fields of `row_type`.

    Args:
        row_type: A dataclass: `ResultRow`, `RunRow` or `adaptstilts.results.layers.LayerRow`.
    """
    write_table(path, _columns(row_type), [astuple(row) for row in rows])  # type: ignore[call-overload]


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write plain values as CSV: None as nothing, booleans as true and false, floats in full.

    The file is replaced atomically, and its folder made if missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(_UnixLines(file))
        writer.writerow(columns)
        writer.writerows([_as_text(value) for value in row] for row in rows)
    unfinished.replace(path)


class _UnixLines:
    """Ends the lines of a CSV writer as Unix does: a writer that does so itself leaves a lone CR unquoted."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, row: str) -> None:
        """Write a row."""
        self._file.write(row.removesuffix("\r\n") + "\n")


def read_csv(path: Path, row_type: type[Row]) -> tuple[Row, ...]:
    """Read the rows that `write_csv` wrote; columns may be in any order, and missing where a field has a default.

    Args:
        row_type: A dataclass: `ResultRow`, `RunRow` or `adaptstilts.results.layers.LayerRow`.

    Raises:
        DataError: If the file is missing or not UTF-8, another column is missing or unknown, or a value has the wrong
            type.
    """
    if not path.is_file():
        raise DataError("no such results file", path=path, hint="`adaptstilts run` writes it.")
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"byte {error.start} is not UTF-8", path=path) from error
    reader = csv.reader(StringIO(text, newline=""))
    header = next(reader, [])
    _check_header(header, row_type, path)
    rows = []
    for values in reader:
        if len(values) != len(header):
            problem = f"{number_text(len(values), 'column')}, expected {len(header)}"
            raise DataError(problem, path=path, line=reader.line_num)
        rows.append(_parse_row(dict(zip(header, values, strict=True)), row_type, path, reader.line_num))
    return tuple(rows)


def task_scores(rows: Iterable[ResultRow]) -> tuple[TaskScore, ...]:
    """Aggregate major metrics to one score per method, source, target, seed, variant and language.

    Scores stand in the order of their first rows. Those that lack languages, because a stage failed or is not finished,
    have a note.

    Raises:
        EvaluationError: If a score is given twice, is not finite, or if the languages of one target have different
            major metrics.
    """
    cells: dict[tuple[str, str, str, str, int, str], list[ResultRow]] = {}
    languages: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        if row.is_major:
            setting = (row.method, row.family, row.source, row.target, row.seed, row.variant)
            cells.setdefault(setting, []).append(row)
            languages.setdefault((row.target, row.variant), {})[row.language] = None
    return tuple(_task_score(found, languages[found[0].target, found[0].variant]) for found in cells.values())


def mean(values: Sequence[float]) -> float:
    """Return the arithmetic mean, rounded once.

    Raises:
        EvaluationError: If there is no value.
    """
    if not values:
        raise EvaluationError("a mean needs at least one value, got 0")
    return math.fsum(values) / len(values)


def spread(values: Sequence[float]) -> float | None:
    """Return the sample standard deviation (n - 1), or None for fewer than two values."""
    return statistics.stdev(values) if len(values) > 1 else None


def _task_score(rows: Sequence[ResultRow], languages: Iterable[str]) -> TaskScore:
    """Aggregate the rows of one setting; ``languages`` are those in which any setting is scored on its target."""
    first = rows[0]
    setting = f"{first.target} by {first.method}" + (f" from {first.source}" if first.source else "")
    by_language: dict[str, dict[str, float]] = {}
    for row in rows:
        metrics = by_language.setdefault(row.language, {})
        if row.metric in metrics:
            raise EvaluationError(f"{row.metric} of {row.language} is given twice for {setting}, seed {row.seed}")
        if not math.isfinite(row.value):
            raise EvaluationError(f"{row.metric} of {row.language} is {row.value} for {setting}, seed {row.seed}")
        metrics[row.metric] = row.value
    expected = set(by_language[first.language])
    for language, metrics in by_language.items():
        if set(metrics) != expected:
            problem = f"major metrics of {setting} differ: {sorted(expected)} in {first.language}"
            raise EvaluationError(f"{problem}, {sorted(metrics)} in {language}")
    unscored = [language for language in languages if language not in by_language]
    return TaskScore(
        method=first.method,
        family=first.family,
        source=first.source,
        target=first.target,
        seed=first.seed,
        by_language=tuple((language, mean(list(metrics.values()))) for language, metrics in by_language.items()),
        notes=(*_notes(rows), *([UNSCORED + ", ".join(unscored)] if unscored else [])),
        variant=first.variant,
    )


def _notes(rows: Sequence[ResultRow]) -> tuple[str, ...]:
    """Return the notes of rows, each once, and a note on languages that were not scored on a test set."""
    notes = dict.fromkeys(note for row in rows for note in row.note.split("; ") if note)
    splits: dict[str, dict[str, None]] = {}
    for row in rows:
        splits.setdefault(row.split, {})[row.language] = None
    for split, languages in splits.items():
        if split != "test":
            which = "" if len(splits) == 1 else f": {', '.join(languages)}"
            notes[f"scored on the {split} split{which}"] = None
    return tuple(notes)


def _check_header(header: Sequence[str], row_type: type[object], path: Path) -> None:
    expected = _columns(row_type)
    for name in header:
        if name not in expected:
            raise DataError(f"'{name}' is not a column", path=path, line=1, value=name, allowed=expected)
        if header.count(name) > 1:
            raise DataError(f"column '{name}' is given twice", path=path, line=1)
    needed = [field.name for field in fields(row_type) if field.default is MISSING]  # type: ignore[arg-type]
    missing = [name for name in needed if name not in header]
    if missing:
        raise DataError(f"columns are missing: {', '.join(missing)}", path=path, line=1)


def _columns(row_type: type[object]) -> list[str]:
    return [field.name for field in fields(row_type)]  # type: ignore[arg-type]


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _as_bool(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _as_finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


# By annotation: how text becomes a value, and how to call that kind of value in an error.
_PARSERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "str": (str, "text"),
    "int": (int, "a whole number"),
    "bool": (_as_bool, "true or false"),
    "float": (_as_finite, "a finite number"),
    "float | None": (lambda text: _as_finite(text) if text else None, "a finite number or nothing"),
}


def _parse_row(values: Mapping[str, str], row_type: type[Row], path: Path, line: int) -> Row:
    parsed: dict[str, Any] = {}
    for field in fields(row_type):  # type: ignore[arg-type]
        if field.name not in values:
            continue
        parse, kind = _PARSERS[str(field.type)]
        text = values[field.name]
        try:
            parsed[field.name] = parse(text)
        except (ValueError, KeyError) as error:
            raise DataError(f"'{text}' is not {kind}", path=path, line=line, key=field.name) from error
    return row_type(**parsed)
