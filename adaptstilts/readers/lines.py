"""Rows of text files with their line numbers; whatever cannot be read becomes a `DataError` with file and line."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO, TypeAlias, TypeVar

from adaptstilts.errors import UNREADABLE_HINT, ConfigError, DataError
from adaptstilts.files import BEGINNING, cause_of, check_file
from adaptstilts.formatting import cut, shown, system_reason
from adaptstilts.readers.json_checks import parse_json
from adaptstilts.tasks.examples import Bitext, ChoiceExample, Example, PairExample, TagExample
from adaptstilts.tasks.spec import Split

BLANK_WORDS = ("blank word", "")
"""Key under which `Request.dropped` counts words of tagged sentences that are empty or white space."""
MOST_PROBLEMS = 20
"""Number of bad rows of a file that are collected before reading stops."""

Choice = TypeVar("Choice", PairExample, ChoiceExample)
"""An example with one label."""
_ESCAPED = re.compile("[\udc80-\udcff]")
_BLOCK = 1 << 16
_CONLLU_COLUMNS = 10
_LONGEST_COLUMN = 1 << 26
"""Most characters in one column of a table."""


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
        dropped: Filled by the reader: what is left out (a noun, and what stands behind it) -> how many.
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
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    unlabelled: list[int] = field(default_factory=list)
    row: RowCheck = field(default_factory=RowCheck)
    code: str = ""
    split: Split | None = None

    @property
    def path(self) -> Path:
        """The first file, often the only one."""
        return self.paths[0]

    def with_words(self, name: str, words: Sequence[str], tags: Sequence[int] | None) -> Iterator[TagExample]:
        """Yield a sentence without its blank words, which are counted; nothing if no word is left."""
        if not all(words) or any(map(str.isspace, words)):
            kept = [at for at, word in enumerate(words) if word and not word.isspace()]
            self.dropped[BLANK_WORDS] += len(words) - len(kept)
            words = [words[at] for at in kept]
            tags = None if tags is None else [tags[at] for at in kept]
        if words:
            yield TagExample(name, tuple(words), None if tags is None else tuple(tags))

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
def open_text(path: Path, *, has_lines: bool = True) -> Iterator[TextIO]:
    """Open a UTF-8 file, with or without a byte order mark, in which only a line feed ends a line.

    A carriage return before the line feed is left to the caller. ``has_lines`` says whether line ends separate the
    rows, which they do not in a JSON document.

    Raises:
        DataError: If the file is missing, no ordinary file, or not UTF-8 text; what it is instead, or the line, is
            named.
    """
    check_file(path)
    try:
        with path.open("rb") as raw:
            _refuse_other_files(raw, path, has_lines=has_lines)
            with io.TextIOWrapper(raw, encoding="utf-8-sig", newline="\n") as file:
                yield file
    except UnicodeDecodeError as error:
        raise DataError(
            f"byte 0x{error.object[error.start]:02x} is not UTF-8 ({error.reason})",
            path=path,
            line=_undecodable_line(path),
            hint="Convert the file to UTF-8",
        ) from error
    except OSError as error:
        raise DataError(f"cannot be read: {system_reason(error)}", path=path, hint=UNREADABLE_HINT) from error


def _refuse_other_files(file: io.BufferedReader, path: Path, *, has_lines: bool) -> None:
    """Refuse what is no text, or stands in for the file; the file is read from its beginning afterwards."""
    first = file.read(_BLOCK) if has_lines else file.read(BEGINNING)
    cause = cause_of(first[:BEGINNING], has_lines=False)
    if cause is None and has_lines and b"\r" in first and b"\n" not in first:
        has_line_feeds = any(b"\n" in block for block in iter(lambda: file.read(_BLOCK), b""))
        cause = None if has_line_feeds else cause_of(first)
    if cause is not None:
        raise DataError(cause, path=path)
    file.seek(0)


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
        csv.field_size_limit(_LONGEST_COLUMN)  # holds for the process; contexts are longer than the module's 131,072
        rows = csv.reader(file, delimiter=separator, strict=True)
        while True:
            first = rows.line_num + 1
            try:
                row = next(rows, None)
            except csv.Error as error:
                raise DataError(_csv_problem(error), path=path, line=first, hint=hint) from error
            if row is None:
                return
            if rows.line_num > first and not multiline:
                raise DataError(
                    f"a quote opened here is closed only in line {rows.line_num}", path=path, line=first, hint=hint
                )
            if row:
                yield rows.line_num, row


def _csv_problem(error: csv.Error) -> str:
    """Say what the CSV module found, in words of the file."""
    text = str(error)
    if "new-line" in text:
        return "a carriage return (CR) stands in a column that is not quoted"
    if "field limit" in text:
        return f"a column has more than {_LONGEST_COLUMN:,} characters; is a quote before it not closed?"
    return f"broken quoting ({text})"


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
    with open_text(path, has_lines=False) as file:
        return _json_object(file.read(), path, 1)


def _json_object(text: str, path: Path, line: int) -> dict[str, Any]:
    found = parse_json(text, path, line)
    if not isinstance(found, dict):
        raise DataError(f"expected a JSON object, found {type(found).__name__}", path=path, line=line)
    return found


def json_text(record: object, key: str, path: Path, line: int | None) -> str:
    """Return a text from what should be a JSON object; ``path`` and ``line`` are for errors."""
    if type(record) is dict and type(found := record.get(key)) is str:
        return found  # nearly always, and much faster than the checks below
    if not isinstance(record, Mapping):
        raise DataError(f"expected a JSON object, found {shown(record)}", path=path, line=line, key=key)
    if key not in record:
        raise DataError("missing", path=path, line=line, key=key, value=key, allowed=record)
    value = record[key]
    if not isinstance(value, str):
        raise DataError(f"expected text, found {shown(value)}", path=path, line=line, key=key)
    return value


def json_id(record: Mapping[str, Any], key: str, path: Path, line: int | None, *, default: object = None) -> str:
    """Return the id of a record: text, or an integer, which counts as its digits.

    ``default`` takes its place where the record has none, or null; without a default that is an error.
    """
    value = record.get(key)
    if value is None and default is not None:
        return str(default)
    if key not in record:
        raise DataError("missing", path=path, line=line, key=key, value=key, allowed=record)
    if isinstance(value, str) or type(value) is int:
        return str(value)
    raise DataError(f"expected text or an integer as an id, found {shown(value)}", path=path, line=line, key=key)


def label_index(word: str, words: Mapping[str, int], path: Path, line: int | None, key: str = "label") -> int:
    """Return the class of a label word; ``path``, ``line`` and ``key`` are for errors."""
    found = words.get(word)
    if found is None:
        noun = "tag" if key == "tag" else "label"
        raise DataError(
            f"'{cut(word)}' is not a {noun} of this task",
            path=path,
            line=line,
            key=key,
            value=word,
            allowed=words,
        )
    return found


def expect_columns(columns: list[str], allowed: tuple[int, ...], path: Path, line: int, separator: str = "\t") -> None:
    """Raise an error unless a row has one of the allowed numbers of columns."""
    if len(columns) not in allowed:
        wanted = f"{' or '.join(map(str, allowed))} column{'' if allowed == (1,) else 's'}"
        hint = instead_of(columns[0], separator) if len(columns) == 1 else None
        if len(columns) == _CONLLU_COLUMNS and columns[0].isdigit():
            hint = "CoNLL-U is read elsewhere: adaptstilts docs data."
        raise DataError(f"expected {wanted}, found {len(columns)}", path=path, line=line, hint=hint)


def require_columns(header: Sequence[str], names: Iterable[str], path: Path, line: int, separator: str = "\t") -> None:
    """Raise an error unless a table has the columns, and no column twice."""
    repeated = next((name for name, count in Counter(header).items() if name and count > 1), None)
    if repeated is not None:
        raise DataError(
            "this column is there twice", path=path, line=line, key=cut(repeated),
            hint="Keep one of the two: only one could be read.",
        )  # fmt: skip
    for name in names:
        if name not in header:
            hint = instead_of(header[0], separator) if len(header) == 1 else None
            raise DataError(
                "no such column", path=path, line=line, key=name, value=name, allowed=map(cut, header), hint=hint
            )


def instead_of(text: str, separator: str) -> str | None:
    """Say which other sign seems to separate the columns of a line in which there is no separator; None if none."""
    others = ((";", "semicolons"), ("\t", "tabs"), ("|", "bars"), (",", "commas"), (" ", "blanks"))
    found = next((name for sign, name in others if sign != separator and sign in text.strip()), None)
    wanted = dict(others).get(separator, repr(separator))
    return None if found is None else f"Separate the columns by {wanted}: this line has {found} instead."
