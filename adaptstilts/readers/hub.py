"""Readers of data sets in the Hugging Face hub's form: parquet files, and folders that `datasets` saved.

The options of a layout say which column holds what (`adaptstilts.tasks.hub_layouts`). Integer classes are named by the
file's own metadata. Rows are counted from 0 in errors, as `datasets` counts them, within their file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from adaptstilts.errors import DataError
from adaptstilts.formatting import cut, number_text, shown
from adaptstilts.languages import get_language
from adaptstilts.readers.choice import copa_example
from adaptstilts.readers.jsonl import DROPPED, commonsenseqa_example, hellaswag_example
from adaptstilts.readers.lines import Request, as_csv_writes, label_words
from adaptstilts.readers.squad import unique_ids
from adaptstilts.readers.tables import Table, open_table
from adaptstilts.readers.tsv import cosmosqa_example
from adaptstilts.tasks.examples import (
    Answer,
    Bitext,
    ChoiceExample,
    Example,
    PairExample,
    Sentence,
    SpanExample,
    TagExample,
)

HIDDEN = -1
"""Class of rows whose label is hidden or was not agreed on."""
MOST_STRIPPED = 64
"""Limit of the white space that may have been cut off the start of a context, in characters."""


def read_pairs(request: Request) -> Iterator[PairExample]:
    """Read sentence pairs, without white space around the sentences.

    Options: ``first``, ``second``, ``label`` and, where there is one, ``id`` name columns; ``language`` names the
    column that holds the language of a row; ``words`` and ``quoting`` as in `adaptstilts.readers.tsv.read_table`. If
    every label is -1 the labels are hidden; if some are, their rows have no agreed label and are left out and counted.
    Ids are positions where there is no column of ids.
    """
    quote = request.option("quoting", "clean", ("clean", "xtreme")) == "xtreme"
    rows = [row for path in request.paths for row in _pair_rows(path, request)]
    hidden = all(label == HIDDEN for _, _, _, label in rows)
    position = 0
    for name, first, second, label in rows:
        if label == HIDDEN and not hidden:
            request.dropped[DROPPED] += 1
            continue
        one, two = (as_csv_writes(first), as_csv_writes(second)) if quote else (first, second)
        yield PairExample(str(position) if name is None else name, one, two, None if hidden else label)
        position += 1


def _pair_rows(path: Path, request: Request) -> Iterator[tuple[str | None, str, str, int]]:
    options = request.options
    table = _open(path, request, ("id", "first", "second", "label", "language"))
    ids: Sequence[str | None] = table.ids(options["id"]) if "id" in options else [None] * table.arrow.num_rows
    labels = _labels(table, options["label"], request)
    first, second = ([text.strip() for text in table.texts(options[role])] for role in ("first", "second"))
    rows = zip(ids, first, second, labels, strict=True)
    if "language" not in options:
        yield from rows
        return
    languages = table.texts(options["language"])
    yield from (row for row, language in zip(rows, languages, strict=True) if language == request.language)


def _labels(table: Table, column: str, request: Request) -> list[int]:
    """Return the task's class of each row, `HIDDEN` where there is none."""
    words = label_words(request.options.get("words", ""), request.labels)
    classes: dict[Any, int] = {None: HIDDEN, **words}
    names = _class_names(table, column, words)
    if names is not None:
        classes = {None: HIDDEN, HIDDEN: HIDDEN}
        classes.update((number, words[name]) for number, name in enumerate(names) if name in words)
    values = table.classes(column)
    try:
        return [classes[value] for value in values]
    except KeyError as error:
        row, value = next((row, value) for row, value in enumerate(values) if value not in classes)
        word = names[value] if names is not None and isinstance(value, int) and 0 <= value < len(names) else value
        raise table.error(
            row, f"'{cut(str(word))}' is not a label of this task", column, allowed=list(words)
        ) from error


def _class_names(table: Table, column: str, words: Mapping[str, int]) -> Sequence[str] | None:
    """Return the names of integer classes; None for a column of words.

    Integers without metadata can be read only if the task's own labels are the numbers.
    """
    names = table.class_names(column)
    if names is not None or not table.is_integer(column):
        return names
    numbers = [str(number) for number in range(len(words))]
    if set(words) == set(numbers):
        return numbers
    raise DataError(
        "holds integers, and the file does not say which class each stands for",
        path=table.path,
        key=column,
        hint="Save it with `datasets`, or take the hub's own parquet files, which keep the names of the classes",
    )


def read_tags(request: Request) -> Iterator[TagExample]:
    """Read tagged sentences; options ``words`` and ``tags`` name columns, ids are positions."""
    words, tags = request.options["words"], request.options["tags"]
    known = label_words("", request.labels)
    count = 0
    for path in request.paths:
        table = _open(path, request, ("words", "tags"))
        names = _class_names(table, tags, known)
        classes: dict[Any, int] = dict(known)
        if names is not None:
            classes = {number: known[name] for number, name in enumerate(names) if name in known}
        for row, (one, two) in enumerate(zip(table.lists(words), table.class_lists(tags), strict=True)):
            if two is None or len(one) != len(two):
                raise table.error(
                    row, f"{number_text(len(one), 'word')} but {number_text(len(two or ()), 'tag')}", tags
                )
            unknown = next((tag for tag in two if tag not in classes), None)
            if unknown is not None:
                raise table.error(row, f"'{cut(str(unknown))}' is not a tag of this task", tags, allowed=request.labels)
            for example in request.with_words(str(count), one, [classes[tag] for tag in two]):
                yield example
                count += 1


def read_spans(request: Request) -> Iterator[SpanExample]:
    """Read questions about contexts, with answers as ``{text: [...], answer_start: [...]}``.

    Options: ``id``, ``question``, ``context`` and ``answers`` name columns; ``language`` names the column whose texts
    begin with the English name of their language, as TyDiQA's ids do.

    Some copies have white space cut off the start and the end of contexts and answers, and offsets left as they were.
    The start of all answers in a context is therefore moved back by the smallest number of characters, at most 64, with
    which each is found, and forward over the white space cut off an answer. An answer that is not found is an error.

    Yields:
        The questions; ids are made unique as in `adaptstilts.readers.squad.read_squad`; answers are None where all are
        blank or missing, and empty where a question is unanswerable.
    """
    rows = [row for path in request.paths for row in _span_rows(path, request)]
    hidden = not any(text for _, _, answers in rows for text in answers.get("text", ()))
    names = unique_ids([example.id for example, _, _ in rows])
    shifts: dict[str, int] = {}
    if not hidden:
        by_context: dict[str, list[tuple[str, int]]] = {}
        for example, _, answers in rows:
            found = zip(answers["text"], answers["answer_start"], strict=True)
            by_context.setdefault(example.context, []).extend(found)
        shifts = {context: _shift(context, answers) for context, answers in by_context.items()}
    for name, (example, at, answers) in zip(names, rows, strict=True):
        gold = None
        if not hidden:
            found = zip(answers["text"], answers["answer_start"], strict=True)
            gold = tuple(_answer(example, text, start - shifts[example.context], at) for text, start in found)
            if not gold and not request.unanswerable:
                raise at[0].error(at[1], "has no answer", request.options["answers"])
        yield SpanExample(name, example.question, example.context, gold)


def _span_rows(path: Path, request: Request) -> Iterator[tuple[SpanExample, tuple[Table, int], dict[str, Any]]]:
    options = request.options
    table = _open(path, request, ("id", "question", "context", "answers", "language"))
    columns = [table.ids(options["id"]), *(table.texts(options[role]) for role in ("question", "context"))]
    start = f"{get_language(request.language).name.lower()}-" if "language" in options else ""
    keys = table.texts(options["language"]) if "language" in options else columns[0]
    for row, (name, question, context, answers, key) in enumerate(
        zip(*columns, table.column(options["answers"]), keys, strict=True)
    ):
        if key.startswith(start):
            found = {"text": [], "answer_start": []} if answers is None else answers
            texts, starts = (found.get("text"), found.get("answer_start")) if isinstance(found, dict) else (None, None)
            if not (_are(texts, str) and _are(starts, int) and len(texts or ()) == len(starts or ())):
                raise table.error(row, f"expected as many texts as starts, found {shown(found)}", options["answers"])
            yield SpanExample(name, question, context, None), (table, row), found


def _are(values: object, kind: type) -> bool:
    return isinstance(values, list) and all(type(value) is kind for value in values)


def _shift(context: str, answers: list[tuple[str, int]]) -> int:
    """Return how many characters were cut off the start of a context; 0 where no number explains all its answers."""
    for shift in range(MOST_STRIPPED):
        if all(_start(context, text, start - shift) is not None for text, start in answers):
            return shift
    return 0


def _start(context: str, text: str, start: int) -> int | None:
    """Return where an answer begins once white space before it is skipped; None if it is not there."""
    if start < 0:
        return None
    while not context.startswith(text, start):
        if not context[start : start + 1].isspace():
            return None
        start += 1
    return start


def _answer(example: SpanExample, text: str, start: int, at: tuple[Table, int]) -> Answer:
    found = _start(example.context, text, start) if text else None
    if found is None:
        raise at[0].error(at[1], f"the answer {shown(text)} of '{example.id}' is not at offset {start}", "answers")
    return Answer(text, found)


def read_bitext(request: Request) -> Bitext:
    """Read pairs of sentences that translate each other; options ``foreign`` and ``english`` name columns.

    Returns:
        The two sides, without white space (line ends) around sentences; ids are positions, as in the published files.
    """
    sides: dict[str, list[str]] = {"foreign": [], "english": []}
    for path in request.paths:
        table = _open(path, request, tuple(sides))
        for role in sides:
            sides[role] += table.texts(request.options[role])
    foreign, english = (
        tuple(Sentence(str(position), text.strip()) for position, text in enumerate(side)) for side in sides.values()
    )
    gold = frozenset((sentence.id, sentence.id) for sentence in foreign)
    return Bitext(request.language, foreign, english, gold)


def read_records(request: Request) -> Iterator[ChoiceExample]:
    """Read multiple-choice questions; option ``records`` names the data set whose columns the rows have."""
    example = _RECORDS[request.option("records", "", tuple(_RECORDS))]
    count = 0
    for path in request.paths:
        for row, record in enumerate(open_table(path).records()):
            try:
                yield example(record, path, count)
            except DataError as error:
                error.line, error.key = None, f"row {row}: {error.key}"
                raise
            count += 1


def _hellaswag(record: Mapping[str, Any], path: Path, position: int) -> ChoiceExample:
    return hellaswag_example(record, path, position)


def _cosmosqa(record: Mapping[str, Any], path: Path, position: int) -> ChoiceExample:
    return cosmosqa_example(_without_hidden_label(record), path, position)


def _commonsenseqa(record: Mapping[str, Any], path: Path, position: int) -> ChoiceExample:
    choices = record.get("choices")
    columns: list[Any] = [choices.get(name) for name in ("label", "text")] if isinstance(choices, dict) else []
    if not columns or not all(_are(column, str) for column in columns) or len(columns[0]) != len(columns[1]):
        raise DataError(f"expected as many labels as texts, found {shown(choices)}", path=path, key="choices")
    pairs = zip(*columns, strict=True)
    question = {"stem": record.get("question"), "choices": [{"label": one, "text": two} for one, two in pairs]}
    return commonsenseqa_example({**record, "question": question}, path, position)


def _copa(record: Mapping[str, Any], path: Path, position: int) -> ChoiceExample:
    return copa_example(_without_hidden_label(record), path, position)


def _without_hidden_label(record: Mapping[str, Any]) -> Mapping[str, Any]:
    label = record.get("label")
    hidden = label is None or (type(label) is int and label == HIDDEN)
    return {key: value for key, value in record.items() if key != "label"} if hidden else record


_RECORDS: dict[str, Callable[[Mapping[str, Any], Path, int], ChoiceExample]] = {
    "hellaswag": _hellaswag,
    "cosmosqa": _cosmosqa,
    "commonsenseqa": _commonsenseqa,
    "copa": _copa,
}


def refuse(request: Request) -> Iterator[Example]:
    """Raise an error for a copy that is known to be wrong; option ``why`` names the fault, ``instead`` the remedy."""
    raise DataError(request.options["why"], path=request.path, hint=request.options["instead"])


def _open(path: Path, request: Request, roles: tuple[str, ...]) -> Table:
    return open_table(path, [request.options[role] for role in roles if role in request.options])
