"""Readers of tables: sentence pairs of XTREME, XNLI and PAWS-X, GLUE's QQP, parallel line files of SNLI, Cosmos QA."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

from adaptstilts.errors import DataError
from adaptstilts.formatting import number_text
from adaptstilts.readers.lines import (
    Request,
    as_csv_writes,
    expect_columns,
    json_id,
    json_text,
    label_index,
    label_words,
    quoted_rows,
    require_columns,
    split_rows,
    text_lines,
)
from adaptstilts.tasks.examples import ChoiceExample, PairExample

_COSMOS_COLUMNS = ("id", "context", "question", "answer0", "answer1", "answer2", "answer3", "label")
_COSMOS_CLASSES = {str(index): index for index in range(4)}
_QQP_COLUMNS = ("question1", "question2", "is_duplicate")


def read_pairs(request: Request) -> Iterator[PairExample]:
    """Read XTREME's XNLI and PAWS-X: two sentences and, unless hidden, a label; no header.

    XTREME writes these files with CSV quoting and reads them back without, so its models see every quotation mark
    doubled. Option ``quoting``: ``clean`` (default) undoes the quoting, ``xtreme`` reads as XTREME does.

    An optional second file holds the labels of the first, one word per line; rows that have a label of their own must
    agree. Without either the label is None.
    """
    quoting = request.option("quoting", "clean", ("clean", "xtreme"))
    path = request.path
    classes = {word: index for index, word in enumerate(request.labels)}
    labels = _label_lines(request.paths[1], classes) if len(request.paths) > 1 else None
    width = 0
    position = -1
    rows = quoted_rows(path) if quoting == "clean" else split_rows(path)
    for position, (line, columns) in enumerate(rows):
        with request.row:
            expect_columns(columns, (width,) if width else (2, 3), path, line)
            width = len(columns)
            label = label_index(columns[2].strip(), classes, path, line) if width == 3 else None
            if labels is not None:
                label = _agreed(label, labels, position, request, line)
            yield PairExample(id=str(position), first=columns[0].strip(), second=columns[1].strip(), label=label)
    if labels is not None and len(labels) != position + 1:
        raise DataError(
            f"has {number_text(len(labels), 'label')} for {number_text(position + 1, 'row')} of {path.name}",
            path=request.paths[1],
            line=max(len(labels), 1),
        )


def _label_lines(path: Path, classes: dict[str, int]) -> list[int]:
    return [label_index(word.strip(), classes, path, line) for line, word in text_lines(path) if word]


def _agreed(label: int | None, labels: list[int], position: int, request: Request, line: int) -> int:
    if position >= len(labels):
        problem = f"has {number_text(len(labels), 'label')}, {request.path.name} has more rows"
        raise DataError(problem, path=request.paths[1], line=max(len(labels), 1))
    if label is not None and label != labels[position]:
        raise DataError(
            f"'{request.labels[label]}' here but '{request.labels[labels[position]]}' in {request.paths[1].name}",
            path=request.path,
            line=line,
            key="label",
        )
    return labels[position]


def read_table(request: Request) -> Iterator[PairExample]:
    """Read pairs from a tab-separated table with a header: XNLI-1.0, XNLI-MT-1.0 and PAWS-X.

    Options: ``first``, ``second`` and ``label`` name the columns; ``language`` names the first column of a file that
    holds several languages; ``words`` is described in `label_words`. Option ``quoting``: ``clean`` (default), or
    ``xtreme`` to give the text that a model sees in XTREME's copy of the rows. White space around sentences is cut off,
    as in XTREME.

    Yields:
        The pairs of the requested language; ids are their positions among them.
    """
    path = request.path
    is_clean = request.option("quoting", "clean", ("clean", "xtreme")) == "clean"
    lines = text_lines(path)
    header = next(lines, (1, ""))[1].split("\t")
    if header == [""]:
        return
    at = {}
    for role in ("first", "second", "label", "language"):
        name = request.options.get(role)
        require_columns(header, [] if name is None else [name], path, 1)
        at[role] = None if name is None else header.index(name)
    if at["language"]:
        raise DataError("the language must be the first column", path=path, line=1, key=request.options["language"])
    start = "" if at["language"] is None else f"{request.language}\t"
    first, second, label = (at[role] or 0 for role in ("first", "second", "label"))
    classes = label_words(request.options.get("words", ""), request.labels)
    count = 0
    for line, text in lines:
        if not text or not text.startswith(start):
            continue
        with request.row:
            columns = text.split("\t")
            expect_columns(columns, (len(header),), path, line)
            pair = (columns[first].strip(), columns[second].strip())
            word = columns[label].strip()
            one, two = pair if is_clean else map(as_csv_writes, pair)
            yield PairExample(str(count), one, two, label_index(word, classes, path, line))
            count += 1


def read_qqp(request: Request) -> Iterator[PairExample]:
    """Read GLUE's QQP: a header, columns separated by tabs, quotation marks without meaning.

    In GLUE's training file a few records are broken over several lines by a line end inside a quoted question
    (nyu-mll/GLUE-baselines, issue 5). They are left out, as in the copy of GLUE on the Hugging Face hub. The label is
    None where there is no column ``is_duplicate``.
    """
    path = request.path
    rows = split_rows(path)
    line, header = next(rows, (1, []))
    if not header:
        return
    require_columns(header, _QQP_COLUMNS[:2], path, line)
    first, second = (header.index(name) for name in _QQP_COLUMNS[:2])
    label = header.index(_QQP_COLUMNS[2]) if _QQP_COLUMNS[2] in header else None
    classes = {word: index for index, word in enumerate(request.labels)}
    for position, (line, columns) in enumerate(_unbroken(rows, len(header), request)):
        with request.row:
            yield PairExample(
                id=str(position),
                first=columns[first].strip(),
                second=columns[second].strip(),
                label=None if label is None else label_index(columns[label], classes, path, line, key="is_duplicate"),
            )


def _unbroken(rows: Iterator[tuple[int, list[str]]], width: int, request: Request) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows with all their columns; leave out runs of lines that are one quoted record broken by line ends."""
    for line, columns in rows:
        if len(columns) == width:
            yield line, columns
            continue
        joined = len(columns)
        while joined < width and columns[-1].startswith('"'):
            # The last column of one line goes on in the first of the next.
            _, rest = next(rows, (line, [""] * (width + 1)))
            joined += len(rest) - 1
        if joined != width:
            with request.row:
                expect_columns(columns, (width,), request.path, line)


def read_parallel(request: Request) -> Iterator[PairExample]:
    """Read pairs from three parallel files: first sentences, second sentences, label words (SNLI as in InferSent)."""
    classes = {word: index for index, word in enumerate(request.labels)}
    columns = zip_longest(*(text_lines(path) for path in request.paths))
    for row in columns:
        with request.row:
            for path, cell in zip(request.paths, row, strict=True):
                if cell is None:
                    lines = sum(1 for _ in text_lines(path))
                    raise DataError(
                        f"has {number_text(lines, 'line')}, fewer than the parallel files", path=path, line=lines
                    )
            (line, first), (_, second), (_, word) = row
            label = label_index(word.strip(), classes, request.paths[2], line)
            yield PairExample(id=str(line - 1), first=first.strip(), second=second.strip(), label=label)


def read_cosmosqa(request: Request) -> Iterator[ChoiceExample]:
    """Read Cosmos QA's CSV; see `cosmosqa_example`."""
    path = request.path
    rows = quoted_rows(path, ",", multiline=True)
    line, header = next(rows, (1, []))
    if not header:
        return
    require_columns(header, _COSMOS_COLUMNS[:-1], path, line, ",")
    for line, columns in rows:
        with request.row:
            expect_columns(columns, (len(header),), path, line, ",")
            yield cosmosqa_example(dict(zip(header, columns, strict=True)), path, line)


def cosmosqa_example(record: Mapping[str, str], path: Path, line: int | None) -> ChoiceExample:
    """Convert a record of Cosmos QA to an example: the prompt is the context followed by the question.

    The label is None where the record has none.
    """
    context, question = (json_text(record, key, path, line).strip() for key in ("context", "question"))
    label = None
    if "label" in record:
        label = label_index(str(record["label"]).strip(), _COSMOS_CLASSES, path, line)
    return ChoiceExample(
        id=json_id(record, "id", path, line),
        prompt=f"{context} {question}",
        choices=tuple(json_text(record, f"answer{index}", path, line) for index in range(4)),
        label=label,
    )
