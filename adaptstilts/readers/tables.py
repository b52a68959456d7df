"""Arrow tables from parquet and Arrow files; errors name the file and the row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptstilts.errors import DataError
from adaptstilts.files import BEGINNING, cause_of, check_file
from adaptstilts.formatting import reason_of, shown
from adaptstilts.limits import check_unpacked
from adaptstilts.readers.json_checks import parse_json
from adaptstilts.readers.table_sizes import heavy_columns, unpacked_bytes


@dataclass(frozen=True)
class Table:
    """The rows of one file.

    Attributes:
        arrow: The `pyarrow.Table`.
    """

    path: Path
    arrow: Any

    def column(self, name: str) -> list[Any]:
        """Return a column as plain values, None where null; ``a.b`` names field b of the struct column a."""
        outer, _, inner = name.partition(".")
        self._require(outer)
        values = self._values(outer)
        if inner:
            return [value.get(inner) if isinstance(value, dict) else None for value in values]
        return values

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as plain values by column."""
        names = self.arrow.column_names
        for name in names:
            self._require(name)
        columns = [self._values(name) for name in names]
        return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]

    def _values(self, name: str) -> list[Any]:
        import pyarrow  # noqa: PLC0415 - slow to import; planning does without it

        column = self.arrow.column(name)
        try:
            values: list[Any] = column.to_pylist()
        except (pyarrow.ArrowException, ArithmeticError, LookupError, ValueError) as error:
            # Dates, times and durations beyond what Python can hold, and time zones that it does not know.
            problem = f"its values of the type {column.type} cannot be read ({reason_of(error)})"
            raise DataError(problem, path=self.path, key=name, hint="Save it as text or as integers.") from error
        return values

    def _require(self, name: str) -> None:
        if self.arrow.column_names.count(name) != 1:
            problem = "this column is there twice" if name in self.arrow.column_names else "no such column"
            raise DataError(problem, path=self.path, key=name, value=name, allowed=sorted(self.arrow.column_names))

    def texts(self, name: str) -> list[str]:
        """Return a column whose values must all be text."""
        values = self.column(name)
        for row, value in enumerate(values):
            if type(value) is not str:
                raise self.error(row, f"expected text, found {shown(value)}", name)
        return values

    def texts_or_null(self, name: str) -> list[str | None]:
        """Return a column whose values must be text or null."""
        values = self.column(name)
        for row, value in enumerate(values):
            if value is not None and type(value) is not str:
                raise self.error(row, f"expected text or null, found {shown(value)}", name)
        return values

    def classes(self, name: str) -> list[str | int | None]:
        """Return a column of labels: texts, integers (true and false are none) or null."""
        values = self.column(name)
        for row, value in enumerate(values):
            if not _is_class(value):
                raise self.error(row, f"expected a label, text or an integer, found {shown(value)}", name)
        return values

    def class_lists(self, name: str) -> list[list[str | int] | None]:
        """Return a column of lists of labels, or null."""
        values = self.column(name)
        for row, value in enumerate(values):
            if value is not None and not (isinstance(value, list) and all(map(_is_class, value))):
                raise self.error(row, f"expected a list of labels, texts or integers, found {shown(value)}", name)
        return values

    def ids(self, name: str) -> list[str]:
        """Return a column of ids, which are texts or integers; an integer counts as its digits."""
        values = self.column(name)
        for row, value in enumerate(values):
            if type(value) is not str and type(value) is not int:
                raise self.error(row, f"expected text or an integer as an id, found {shown(value)}", name)
        return list(map(str, values))

    def lists(self, name: str) -> list[list[str]]:
        """Return a column whose values must all be lists of texts."""
        values = self.column(name)
        for row, value in enumerate(values):
            if not isinstance(value, list) or not all(type(item) is str for item in value):
                raise self.error(row, f"expected a list of texts, found {shown(value)}", name)
        return values

    def error(self, row: int, problem: str, column: str, *, allowed: Sequence[object] | None = None) -> DataError:
        """Return an error that names the file, the row (counted from 0) and the column."""
        return DataError(problem, path=self.path, key=f"row {row}: {column}", allowed=allowed)

    def is_integer(self, name: str) -> bool:
        """Say whether a column holds integers, or lists of integers."""
        import pyarrow  # noqa: PLC0415 - slow to import; planning does without it

        self._require(name)
        kind = self.arrow.schema.field(name).type
        while pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
            kind = kind.value_type
        return bool(pyarrow.types.is_integer(kind))

    def class_names(self, name: str) -> tuple[str, ...] | None:
        """Return the names of a column's integer classes, from the metadata that `datasets` leaves in the file.

        A column of lists has the names of its elements' classes. None means that the file does not say.
        """
        feature = self._features().get(name)
        while feature is not None:
            if isinstance(feature, list):
                feature = feature[0] if feature else None
            elif isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
                names = feature.get("names")
                if not isinstance(names, list) or not all(type(word) is str for word in names):
                    raise self._bad_metadata(f"the names of the classes of '{name}' are {shown(names)}")
                return tuple(names)
            else:
                feature = feature.get("feature") if isinstance(feature, dict) else None
        return None

    def _features(self) -> Mapping[str, Any]:
        """Return the description of the columns that `datasets` leaves in a file; empty where there is none."""
        metadata = (self.arrow.schema.metadata or {}).get(b"huggingface")
        if not metadata:
            return {}
        try:
            found = parse_json(metadata.decode(), self.path, 1)
        except (DataError, UnicodeDecodeError) as error:
            problem = error.problem if isinstance(error, DataError) else "not UTF-8"
            raise self._bad_metadata(problem) from error
        for key in ("info", "features"):
            found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def _bad_metadata(self, problem: str) -> DataError:
        hint = "Fetch it again, or save it with `datasets` anew."
        return DataError(problem, path=self.path, key="metadata of `datasets`", hint=hint)


_BATCH = 1 << 14
"""Rows of a parquet file that are unpacked at a time."""


def _is_class(value: object) -> bool:
    return value is None or type(value) is str or type(value) is int


def open_table(path: Path, columns: Sequence[str] | None = None) -> Table:
    """Read a ``.parquet`` file, or an ``.arrow`` file in the stream format of `datasets`.

    Only those of ``columns`` that the file has are read; None reads all.

    Raises:
        DataError: If the content is not what the file's extension says.
    """
    import pyarrow  # noqa: PLC0415 - slow to import; planning does without it

    is_parquet = path.suffix == ".parquet"
    check_file(path)
    try:
        table = _read_parquet(path, columns) if is_parquet else _read_stream(path)
        table.validate(full=True)  # a damaged file reads without complaint, and its values fail only later
        for field in table.schema:
            _check_names(path, field)
        if columns is not None and not is_parquet:
            table = table.select([name for name in columns if name in table.column_names])
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        kind = "a parquet file" if is_parquet else "an Arrow file as `datasets` writes it"
        reason = reason_of(error)
        cause = _cause(path, is_parquet=is_parquet)
        problem = cause or f"cannot be read as {kind} ({reason})"
        raise DataError(problem, path=path, hint=None if cause else "Fetch it again") from error
    return Table(path, table)


def _cause(path: Path, *, is_parquet: bool) -> str | None:
    """Say what a file is that is no table of its kind; None where that is not known, or it cannot be read."""
    try:
        with path.open("rb") as file:
            first = file.read(BEGINNING)
    except OSError:
        return None
    if not first:
        return "is empty: fetch it again"
    if first.startswith(b"PAR1" if is_parquet else (b"ARROW1", b"\xff\xff\xff\xff")):
        return None if is_parquet or not first.startswith(b"ARROW1") else _OTHER_FORMAT
    return cause_of(first, has_lines=False)


_OTHER_FORMAT = "is in Arrow's file format, not the stream that `datasets` writes: save it with `datasets`"


def _read_parquet(path: Path, columns: Sequence[str] | None) -> Any:  # noqa: ANN401 - a `pyarrow.Table`
    import pyarrow.parquet  # noqa: PLC0415 - slow to import; planning does without it

    with pyarrow.parquet.ParquetFile(path) as file:
        schema = file.schema_arrow
        names = None if columns is None else [name for name in columns if name in schema.names]
        heavy = heavy_columns(path, file, names)
    with pyarrow.parquet.ParquetFile(path, read_dictionary=heavy) as file:
        batches = _bounded(path, file.iter_batches(_BATCH, columns=names))
    fields = {field.name: field for field in schema}
    there = batches[0].schema.names if batches else schema.names if names is None else names
    wanted = pyarrow.schema([fields[name] for name in there], schema.metadata)
    found = pyarrow.Table.from_batches(batches, None if batches else wanted)
    return found.cast(wanted) if heavy else found.replace_schema_metadata(schema.metadata)


def _read_stream(path: Path) -> Any:  # noqa: ANN401 - a `pyarrow.Table`
    import pyarrow  # noqa: PLC0415 - slow to import; planning does without it

    with pyarrow.memory_map(str(path)) as source, pyarrow.ipc.open_stream(source) as stream:
        return pyarrow.Table.from_batches(_bounded(path, stream), stream.schema)


def _bounded(path: Path, batches: Iterable[Any]) -> list[Any]:
    """Return the batches of a file, unless they unpack too far: in a few bytes a value may stand for a million rows."""
    found, packed, unpacked = [], path.stat().st_size, 0
    for batch in batches:
        batch.validate()  # before anything else: to count its bytes, pyarrow follows its offsets wherever they lead
        unpacked += sum(unpacked_bytes(column, path) for column in batch.columns)
        check_unpacked(path, unpacked, packed)
        found.append(batch)
    return found


def _check_names(path: Path, field: Any) -> None:  # noqa: ANN401 - a `pyarrow.Field`
    """Decode the field names within a column; nothing else notices a damaged one before values are read."""
    try:
        _decode_names(field.type)
    except UnicodeDecodeError as error:
        raise DataError(
            f"the name of a field in it is not UTF-8 ({error.reason})", path=path, key=field.name, hint="Fetch it again"
        ) from error


def _decode_names(kind: Any) -> list[str]:  # noqa: ANN401 - a `pyarrow.DataType`
    fields = [kind.field(index) for index in range(kind.num_fields)]
    return [name for field in fields for name in (field.name, *_decode_names(field.type))]
