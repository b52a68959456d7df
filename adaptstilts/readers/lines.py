"""Rows of text files with their line numbers; whatever cannot be read becomes a `DataError` with file and line."""

from __future__ import annotations

import csv
import json
import re
import reprlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO, TypeAlias, TypeVar

from adaptstilts.errors import ConfigError, DataError
from adaptstilts.tasks.examples import Bitext, ChoiceExample, Example, PairExample
from adaptstilts.tasks.spec import Split

MOST_PROBLEMS = 20
"""Number of bad rows of a file that are collected before reading stops."""

Choice = TypeVar("Choice", PairExample, ChoiceExample)
"""An example with one label."""
_ESCAPED = re.compile("[\udc80-\udcff]")


class RowCheck:
    """Context manager around the reading of one row, which raises or collects the row's errors.

    Args:
        problems: List to collect errors in; a bad row is then left out and reading goes on, up to `MOST_PROBLEMS`. With
            None the first error is raised.
    """

    def __init__(self, problems: list[DataError] | None = None) -> None:
        self._problems = problems

    @property
    def has_failed(self) -> bool:
        """Whether a row was left out."""
        return bool(self._problems)

    def __enter__(self) -> None:
        """Begin a row."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """End a row and say whether its error was collected."""
        problems = self._problems
        if problems is None or not isinstance(error, DataError) or len(problems) + 1 >= MOST_PROBLEMS:
            return False
        problems.append(error)
        return True


@dataclass(frozen=True)
class Request:
    """The files of one language and split, with everything a reader needs to know to read them.

    Attributes:
        paths: The files, in the order of the layout.
        labels: Label words in the order of the classes.
        language: ISO 639-1 code.
        unanswerable: Whether questions without an answer are allowed.
        options: Reader options from the layout.
        dropped: Filled by the reader: kind of row left out (words that follow a number) -> how many.
        unlabelled: Filled by the reader: line of each row without a label, in files where only some may lack one.
        row: Context in which readers read each row.
        code: What the files call the language.
        split: Split that is read, for files that hold several; None for a pool of candidates.
    """

    paths: tuple[Path, ...]
    labels: tuple[str, ...]
    language: str
    unanswerable: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    unlabelled: list[int] = field(default_factory=list)
    row: RowCheck = field(default_factory=RowCheck)
    code: str = ""
    split: Split | None = None

    @property
    def path(self) -> Path:
        """The first file, often the only one."""
        return self.paths[0]

    def noted(self, row: Choice, line: int) -> Choice:
        """Return a row; note its line if it has no label."""
        if row.label is None:
            self.unlabelled.append(line)
        return row

    def option(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """Return an option, or ``default`` where the layout does not set it.

        Raises:
            ConfigError: If the value is not one of ``allowed``.
        """
        value = self.options.get(name, default)
        if value not in allowed:
            raise ConfigError(f"'{value}' is not a value of this reader option", key=name, value=value, allowed=allowed)
        return value


Reader: TypeAlias = Callable[[Request], "Iterator[Example] | Bitext"]


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """Open a UTF-8 file, with or without a byte order mark, in which only a line feed ends a line.

    A carriage return before the line feed is left to the caller.

    Raises:
        DataError: If the file is missing or not UTF-8; the line is named.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            yield file
    except UnicodeDecodeError as error:
        raise DataError(
            f"byte 0x{error.object[error.start]:02x} is not UTF-8 ({error.reason})",
            path=path,
            line=_undecodable_line(path),
            hint="Convert the file to UTF-8",
        ) from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", path=path) from error


def _undecodable_line(path: Path) -> int | None:
    with path.open("rb") as file:
        # Undecodable bytes become characters that no UTF-8 file can hold.
        lines = (line.decode("utf-8", errors="surrogateescape") for line in file)
        return next((number for number, line in enumerate(lines, start=1) if _ESCAPED.search(line)), None)


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line number (from 1) and text of each line without its end (LF or CR LF); blank lines are kept."""
    with open_text(path) as file:
        for number, line in enumerate(file, start=1):
            yield number, line.rstrip("\r\n")


def split_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and columns, separated by tabs, of each line that is not empty; no column contains a tab."""
    for number, line in text_lines(path):
        if line:
            yield number, line.split("\t")


def quoted_rows(path: Path, separator: str = "\t", *, multiline: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Read a file written by a CSV writer: columns with quotes in them are quoted, their quotes doubled.

    ``multiline`` allows line ends within a column. Broken quoting is an error.

    Yields:
        Number of the row's last line, and its columns with the quoting undone; blank lines are left out.
    """
    hint = (
        None
        if multiline
        else "If the file is not CSV-quoted, set the reader option quoting=xtreme to read it unchanged"
    )
    with open_text(path) as file:
        rows = csv.reader(file, delimiter=separator, strict=True)
        while True:
            first = rows.line_num + 1
            try:
                row = next(rows, None)
            except csv.Error as error:
                raise DataError(f"broken quoting ({error})", path=path, line=first, hint=hint) from error
            if row is None:
                return
            if rows.line_num > first and not multiline:
                raise DataError(
                    f"a quote opened here is closed only in line {rows.line_num}", path=path, line=first, hint=hint
                )
            if row:
                yield rows.line_num, row


def as_csv_writes(text: str) -> str:
    """Return a text as a CSV writer writes it and XTREME, which does not undo the quoting, reads it.

    Quotation marks are doubled and one is put at either end; a text without quotation marks is unchanged. The text has
    no tabs and line ends.
    """
    return '"' + text.replace('"', '""') + '"' if '"' in text else text


def label_words(words: str, labels: tuple[str, ...]) -> dict[str, int]:
    """Map the label words of a file to classes.

    Args:
        words: The file's words in the order of the task's labels, separated by spaces, several for one class joined by
            ``|``; empty if they are the task's labels.
        labels: Label words of the task, in the order of the classes.
    """
    several = [word.split("|") for word in words.split()] if words else [[label] for label in labels]
    return {word: index for index, same in enumerate(several) for word in same}


def json_lines(path: Path, row: RowCheck | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number and object of a file with one JSON object per line; blank lines are left out.

    With a ``row`` each line is read in that context; without it the first error is raised.
    """
    row = RowCheck() if row is None else row
    for number, line in text_lines(path):
        if line.strip():
            record = None
            with row:
                record = _json_object(line, path, number)
            if record is not None:
                yield number, record


def json_document(path: Path) -> dict[str, Any]:
    """Read a file that is one JSON object."""
    with open_text(path) as file:
        return _json_object(file.read(), path, 1)


def _json_object(text: str, path: Path, line: int) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"not JSON ({error.msg} at column {error.colno})", path=path, line=line + error.lineno - 1
        ) from error
    except RecursionError as error:
        raise DataError("the JSON is nested too deeply to be read", path=path, line=line) from error
    if not isinstance(found, dict):
        raise DataError(f"expected a JSON object, found {type(found).__name__}", path=path, line=line)
    return found


def json_text(record: object, key: str, path: Path, line: int | None) -> str:
    """Return a text from what should be a JSON object; ``path`` and ``line`` are for errors."""
    if not isinstance(record, Mapping):
        raise DataError(f"expected a JSON object, found {reprlib.repr(record)}", path=path, line=line, key=key)
    if key not in record:
        raise DataError("missing", path=path, line=line, key=key, value=key, allowed=record)
    value = record[key]
    if not isinstance(value, str):
        raise DataError(f"expected text, found {reprlib.repr(value)}", path=path, line=line, key=key)
    return value


def label_index(word: str, words: Mapping[str, int], path: Path, line: int | None, key: str = "label") -> int:
    """Return the class of a label word; ``path``, ``line`` and ``key`` are for errors."""
    found = words.get(word)
    if found is None:
        noun = "tag" if key == "tag" else "label"
        raise DataError(
            f"'{word}' is not a {noun} of this task", path=path, line=line, key=key, value=word, allowed=words
        )
    return found


def expect_columns(columns: list[str], allowed: tuple[int, ...], path: Path, line: int) -> None:
    """Raise an error unless a row has one of the allowed numbers of columns."""
    if len(columns) not in allowed:
        wanted = " or ".join(map(str, allowed))
        raise DataError(f"expected {wanted} columns, found {len(columns)}", path=path, line=line)
