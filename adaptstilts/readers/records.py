"""Readers of one's own files: a table with a header or JSON lines, whose columns the layout names.

A file ending in ``.jsonl`` has a JSON object per line, one ending in ``.csv`` columns separated by commas, any other
columns separated by tabs; both kinds of table are quoted as CSV writers quote. Options of both readers:

- ``label``: column of the gold answer (``label`` by default); without it, or where it is empty, the label is hidden;
- ``id``: column of an id that is unique in the file; the position by default;
- ``language``: column of the language, in a file that holds several;
- ``split``: column of the split, in a file that holds several.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from adaptstilts.errors import DataError
from adaptstilts.formatting import cut, shown
from adaptstilts.readers.lines import (
    Request,
    expect_columns,
    json_lines,
    label_index,
    label_words,
    quoted_rows,
    require_columns,
)
from adaptstilts.tasks.examples import ChoiceExample, PairExample
from adaptstilts.tasks.files import problems_of_options
from adaptstilts.tasks.reader_facts import TABLE_COLUMNS
from adaptstilts.tasks.spec import Split

_SPLITS = {
    **dict.fromkeys(("train", "training"), Split.TRAIN),
    **dict.fromkeys(("dev", "val", "valid", "validation"), Split.DEV),
    "test": Split.TEST,
}
"""Names of splits in a column."""


def read_texts(request: Request) -> Iterator[PairExample]:
    """Read texts, or pairs of texts, with a class.

    Options, besides those of the module: ``first`` (``text`` by default) and ``second`` (none by default) name the
    columns of the texts; ``words`` is described in `adaptstilts.readers.lines.label_words`.
    """
    _check_options(request, "texts")
    first, second = request.options.get("first", "text"), request.options.get("second")
    words = label_words(request.options.get("words", ""), request.labels)
    for position, (line, record) in enumerate(_records(request, [first, *([] if second is None else [second])])):
        with request.row:
            example = PairExample(
                id=_id(record, position, request, line),
                first=_text(record, first, request.path, line),
                second=None if second is None else _text(record, second, request.path, line),
                label=_label(record, words, request, line),
            )
            yield request.noted(example, line)


def read_choices(request: Request) -> Iterator[ChoiceExample]:
    """Read questions with several answers.

    Options, besides those of the module: ``prompt`` (``question`` by default) names the columns that are joined by
    spaces to what stands before an answer, such as ``passage question``; ``choices`` names the columns of the answers,
    separated by spaces; ``first`` is the number that the label column gives to the first of them (0 by default).
    """
    _check_options(request, "choices")
    prompt = request.options.get("prompt", "question").split()
    choices = request.options.get("choices", "").split()
    start = int(request.option("first", "0", ("0", "1")))
    words = {str(start + index): index for index in range(len(choices))}
    for position, (line, record) in enumerate(_records(request, [*prompt, *choices])):
        with request.row:
            example = ChoiceExample(
                id=_id(record, position, request, line),
                prompt=" ".join(_text(record, name, request.path, line) for name in prompt),
                choices=tuple(_text(record, name, request.path, line) for name in choices),
                label=_label(record, words, request, line),
            )
            yield request.noted(example, line)


def _check_options(request: Request, reader: str) -> None:
    """Check what registration checks, in declarations that were never registered.

    Raises:
        ConfigError: For the first problem.
    """
    for problem in problems_of_options(reader, request.options, request.labels):
        problem.key = f"layouts.{problem.key}"
        raise problem


def _records(request: Request, columns: Sequence[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield line number and values by column of each row in the requested language and split.

    ``columns`` are needed besides those that the options of every such file name.
    """
    path, options = request.path, request.options
    code = request.code or request.language
    read = json_lines(path, request.row) if path.suffix == ".jsonl" else _table(request, columns)
    for line, record in read:
        wanted = False
        with request.row:
            wanted = "language" not in options or _text(record, options["language"], path, line) == code
            if "split" in options and request.split is not None:
                wanted &= _split(record, options["split"], path, line) is request.split
        if wanted:
            yield line, record


def _table(request: Request, needed: Sequence[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    path = request.path
    separator = "," if path.suffix == ".csv" else "\t"
    rows = quoted_rows(path, separator, multiline=True)
    first, header = next(rows, (1, []))
    named = [request.options[role] for role in TABLE_COLUMNS if role in request.options]
    if header:
        require_columns(header, [*needed, *named], path, first, separator)
    for line, columns in rows:
        with request.row:
            expect_columns(columns, (len(header),), path, line, separator)
            yield line, dict(zip(header, columns, strict=True))


def _text(record: Mapping[str, Any], name: str, path: Path, line: int) -> str:
    if name not in record:
        raise DataError("no such column", path=path, line=line, key=name, value=name, allowed=record)
    if not isinstance(record[name], str | int) or isinstance(record[name], bool):
        raise DataError(f"expected text, found {shown(record[name])}", path=path, line=line, key=name)
    return str(record[name]).strip()


def _id(record: Mapping[str, Any], position: int, request: Request, line: int) -> str:
    name = request.options.get("id")
    return str(position) if name is None else _text(record, name, request.path, line)


def _label(record: Mapping[str, Any], words: Mapping[str, int], request: Request, line: int) -> int | None:
    name = request.options.get("label", "label")
    if "label" not in request.options and name not in record:
        return None
    is_null = name in record and record[name] is None
    word = "" if is_null else _text(record, name, request.path, line)
    return label_index(word, words, request.path, line, key=name) if word else None


def _split(record: Mapping[str, Any], name: str, path: Path, line: int) -> Split:
    word = _text(record, name, path, line)
    if word.lower() not in _SPLITS:
        raise DataError(f"'{cut(word)}' is not a split", path=path, line=line, key=name, value=word, allowed=_SPLITS)
    return _SPLITS[word.lower()]
