"""How much the values of a table take as plain values: a few bytes of parquet or Arrow may stand for terabytes.

A value that is stored once may be meant by many rows (dictionaries, run ends, views), and a row may take no bytes at
all (nulls, empty structs).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adaptstilts.errors import DataError
from adaptstilts.limits import check_unpacked

_LIGHT = 1 << 28
"""Bytes of texts that may be copied to the rows of a parquet file before they are counted."""


def unpacked_bytes(array: Any, path: Path) -> int:  # noqa: ANN401 - a `pyarrow.Array`
    """Return about how many bytes the values of an array take, each as often as it is meant; at least one per row.

    Raises:
        DataError: If values are laid out in a way that `datasets` never writes and that cannot be counted.
    """
    from pyarrow import ExtensionArray, types  # noqa: PLC0415 - slow to import; planning does without it

    kind = array.type
    if isinstance(array, ExtensionArray):
        return unpacked_bytes(array.storage, path)
    if types.is_dictionary(kind):
        return max(_of_dictionary(array, path), len(array))
    if types.is_string_view(kind) or types.is_binary_view(kind):
        return max(_of_views(array), len(array))
    if types.is_run_end_encoded(kind):
        return len(array) * max(int(array.values.nbytes), 1)
    if types.is_list_view(kind) or types.is_large_list_view(kind) or types.is_union(kind):
        raise DataError(
            f"has values of the type {kind}, which are not read", path=path, hint="Save it with `datasets`."
        )
    return max(int(array.nbytes), len(array), sum(unpacked_bytes(inner, path) for inner in _inner(array)))


def heavy_columns(path: Path, file: Any, names: Sequence[str] | None) -> list[str]:  # noqa: ANN401 - a `ParquetFile`
    """Return the columns of a parquet file whose texts are counted before they are copied to the rows that mean them.

    Args:
        names: Columns that are read; None for all.

    Raises:
        DataError: If they unpack to more than the limits allow by what the file itself says.
    """
    import pyarrow.parquet  # noqa: PLC0415 - slow to import; planning does without it

    packed = path.stat().st_size
    groups = [
        [chunk for chunk in _chunks(file.metadata.row_group(index)) if names is None or _top(file, chunk) in names]
        for index in range(file.num_row_groups)
    ]
    sizes = (max(chunk.total_uncompressed_size, chunk.num_values) for chunks in groups for chunk in chunks)
    check_unpacked(path, sum(sizes), packed)
    texts = sorted({chunk.path_in_schema for chunks in groups for chunk in chunks if _has_texts(chunk)})
    heavy: set[str] = set()
    with pyarrow.parquet.ParquetFile(path, read_dictionary=texts) as opened:
        for index, chunks in enumerate(groups):
            first = next(opened.iter_batches(1, row_groups=[index], columns=names), None)
            largest = 0 if first is None else max(map(_largest, first.columns), default=0)
            heavy.update(
                chunk.path_in_schema for chunk in chunks if _has_texts(chunk) and chunk.num_values * largest > _LIGHT
            )
    return sorted(heavy)


def _chunks(group: Any) -> list[Any]:  # noqa: ANN401 - metadata of a row group
    return [group.column(index) for index in range(group.num_columns)]


def _top(file: Any, chunk: Any) -> str:  # noqa: ANN401 - a `ParquetFile`, and metadata of a column in a row group
    """Return the column of the table to which a column of the file belongs; either name may hold dots."""
    inner = f"{chunk.path_in_schema}."
    return next((name for name in file.schema_arrow.names if inner.startswith(f"{name}.")), "")


def _has_texts(chunk: Any) -> bool:  # noqa: ANN401 - metadata of a column in a row group
    return bool(chunk.physical_type == "BYTE_ARRAY")


def _of_dictionary(array: Any, path: Path) -> int:  # noqa: ANN401 - a `pyarrow.DictionaryArray`
    from pyarrow import compute  # noqa: PLC0415 - slow to import

    values = array.dictionary
    if not _has_lengths(values.type):
        return len(array) * max(unpacked_bytes(values, path), 1)
    return int(compute.sum(compute.binary_length(values).take(array.indices)).as_py() or 0)


def _of_views(array: Any) -> int:  # noqa: ANN401 - a `pyarrow.Array`
    """Return the bytes of texts that may overlap: each view is 16 bytes long and begins with the length of its text."""
    import numpy as np  # noqa: PLC0415 - slow to import

    views = array.buffers()[1]
    if views is None:
        return 0
    lengths = np.frombuffer(views, np.int32).reshape(-1, 4)[array.offset : array.offset + len(array), 0]
    return int(lengths.sum(dtype=np.int64))


def _largest(array: Any) -> int:  # noqa: ANN401 - a `pyarrow.Array`
    """Return the bytes of the largest text in the dictionaries of an array and of those that it is made of."""
    from pyarrow import compute, types  # noqa: PLC0415 - slow to import

    found = [_largest(inner) for inner in _inner(array)]
    if types.is_dictionary(array.type) and _has_lengths(array.type.value_type):
        found.append(compute.max(compute.binary_length(array.dictionary)).as_py() or 0)
    return max(found, default=0)


def _has_lengths(kind: Any) -> bool:  # noqa: ANN401 - a `pyarrow.DataType`
    from pyarrow import types  # noqa: PLC0415 - slow to import

    checks = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    return any(check(kind) for check in checks)


def _inner(array: Any) -> list[Any]:  # noqa: ANN401 - a `pyarrow.Array`
    """Return the arrays of which lists, structs and maps are made."""
    from pyarrow import types  # noqa: PLC0415 - slow to import

    kind = array.type
    if types.is_map(kind):
        return [array.keys, array.items]
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return [array.flatten()]
    return array.flatten() if types.is_struct(kind) else []
