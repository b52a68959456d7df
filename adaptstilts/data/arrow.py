"""Writing of examples as Arrow files, in the package's own layout, which `datasets` can load too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adaptstilts.errors import DataError
from adaptstilts.files import clear
from adaptstilts.tasks.examples import (
    Bitext,
    ChoiceExample,
    Example,
    MatchExample,
    PairExample,
    SpanExample,
    TagExample,
)
from adaptstilts.tasks.spec import Split, Task


def write_split(
    root: Path,
    task: Task,
    split: Split,
    language: str,
    rows: Sequence[Example] | Bitext,
    labels: tuple[str, ...],
) -> Path:
    """Write one language and split to ``ROOT/<task>/arrow/<split>/<language>/``, replacing what is there.

    The folder gets its name only when it is complete. `labels` are label words in the order of the classes; kinds of
    task without classes ignore them.

    Returns:
        The folder, as ``datasets.load_from_disk`` takes it. For retrieval it holds the folders ``foreign``, ``english``
        and, where the pairs are known, ``gold``.

    Raises:
        DataError: If there are no rows.
    """
    folder = root / (task.folder or task.name) / "arrow" / split.value / language
    if not (rows.foreign and rows.english if isinstance(rows, Bitext) else rows):
        raise DataError(f"there are no {split.value} rows of {task.name} in '{language}' to write", path=folder)
    partial = folder.with_name(f"{language}.partial")
    clear(partial)
    for name, columns in _tables(rows, labels).items():
        _save(partial / name, columns)
    if folder.exists() or folder.is_symlink():
        old = folder.with_name(f"{language}.old")
        clear(old)
        folder.rename(old)
        partial.rename(folder)
        clear(old)
    else:
        partial.rename(folder)
    return folder


_Columns = dict[str, tuple[Any, list[Any]]]
"""Column name -> type, as `datasets.Features` takes it in plain values, and values."""

_ANSWERS = [{"text": "string", "start": "int32"}]


def _tables(rows: Sequence[Example] | Bitext, labels: tuple[str, ...]) -> dict[str, _Columns]:
    if isinstance(rows, Bitext):
        return _bitext_tables(rows)
    columns: list[tuple[Any, ...]] = [_values(row, labels) for row in rows]
    names = _TYPES[type(rows[0])]
    values = zip(*columns, strict=True)
    return {"": {name: (kind, list(column)) for (name, kind), column in zip(names.items(), values, strict=True)}}


_TYPES: dict[type, dict[str, Any]] = {
    PairExample: {"id": "string", "first": "string", "second": "string", "label": "string"},
    ChoiceExample: {"id": "string", "prompt": "string", "choices": ["string"], "label": "int32"},
    TagExample: {"id": "string", "words": ["string"], "tags": ["string"]},
    MatchExample: {"id": "string", "query": "string", "target": "string", "text": "string", "context": "string"},
    SpanExample: {"id": "string", "question": "string", "context": "string", "answers": _ANSWERS},
}


def _values(row: Example, labels: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the values of a row in the order of its columns."""
    if isinstance(row, PairExample):
        return row.id, row.first, row.second, None if row.label is None else labels[row.label]
    if isinstance(row, ChoiceExample):
        return row.id, row.prompt, list(row.choices), row.label
    if isinstance(row, TagExample):
        return row.id, list(row.words), None if row.tags is None else [labels[tag] for tag in row.tags]
    if isinstance(row, MatchExample):
        found = (None, None) if row.candidate is None else (row.candidate.text, row.candidate.context)
        return row.id, row.query, row.target, *found
    answers = None if row.answers is None else [{"text": item.text, "start": item.start} for item in row.answers]
    return row.id, row.question, row.context, answers


def _bitext_tables(bitext: Bitext) -> dict[str, _Columns]:
    tables: dict[str, _Columns] = {
        name: {
            "id": ("string", [sentence.id for sentence in side]),
            "text": ("string", [sentence.text for sentence in side]),
        }
        for name, side in (("foreign", bitext.foreign), ("english", bitext.english))
    }
    if bitext.gold is not None:
        pairs = sorted(bitext.gold)
        tables["gold"] = {
            "foreign": ("string", [pair[0] for pair in pairs]),
            "english": ("string", [pair[1] for pair in pairs]),
        }
    return tables


def _save(folder: Path, columns: _Columns) -> None:
    import datasets  # noqa: PLC0415 - slow to import; planning does without it

    features = datasets.Features({name: _feature(kind) for name, (kind, _) in columns.items()})
    data = datasets.Dataset.from_dict({name: values for name, (_, values) in columns.items()}, features=features)
    with _without_progress_bars():
        data.save_to_disk(str(folder), num_shards=1)


def _feature(kind: Any) -> Any:  # noqa: ANN401 - a nest of lists, dicts and type names
    from datasets import Value  # noqa: PLC0415 - slow to import; planning does without it

    if isinstance(kind, list):
        return [_feature(kind[0])]
    if isinstance(kind, dict):
        return {name: _feature(inner) for name, inner in kind.items()}
    return Value(kind)


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    from datasets.utils import (  # noqa: PLC0415 - slow to import; planning does without it
        disable_progress_bars,
        enable_progress_bars,
        is_progress_bar_enabled,
    )

    shown = is_progress_bar_enabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            enable_progress_bars()
