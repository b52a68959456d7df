"""Tables that stand for far more than their bytes are refused before their values are made."""

from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from forked import forked

from adaptstilts.errors import DataError
from adaptstilts.readers import table_sizes
from adaptstilts.readers.tables import open_table

ROWS = 20_000
MANY = 200_000_000
LARGE = "a" * (1 << 20)
BOMB = "unpacks to more than 200 times its size, as only bombs do"


def dictionary(text=LARGE, rows=ROWS):
    """One text, meant by every row."""
    return pyarrow.DictionaryArray.from_arrays(pyarrow.repeat(pyarrow.scalar(0, pyarrow.int8()), rows), [text])


def views(text=LARGE):
    """As `dictionary`."""
    one = pyarrow.array([text], pyarrow.string_view())
    views, texts = one.buffers()[1:]
    buffers = [None, pyarrow.py_buffer(views.to_pybytes() * ROWS), texts]
    return pyarrow.Array.from_buffers(pyarrow.string_view(), ROWS, buffers)


def without_bytes(kind, children=(), buffers=1):
    empty = [None, pyarrow.py_buffer(b"")][:buffers]
    return lambda: pyarrow.Array.from_buffers(kind, MANY, empty, children=list(children) or None)


def list_views():
    return pyarrow.ListViewArray.from_arrays([0] * ROWS, [ROWS] * ROWS, pyarrow.repeat("x", ROWS))


ARRAYS = {
    "dictionary": (dictionary, BOMB),
    "dictionary in a list": (lambda: pyarrow.ListArray.from_arrays([0, ROWS], dictionary()), BOMB),
    "dictionary in a struct": (lambda: pyarrow.StructArray.from_arrays([dictionary()], ["a"]), BOMB),
    "dictionary of lists": (lambda: pyarrow.DictionaryArray.from_arrays([0] * ROWS, [[LARGE]]), BOMB),
    "views": (views, BOMB),
    "run ends": (lambda: pyarrow.RunEndEncodedArray.from_arrays([MANY], ["x"]), BOMB),
    "list views": (list_views, r"has values of the type list_view<.*>, which are not read\. Save it with `datasets`\."),
    "nulls": (lambda: pyarrow.nulls(MANY), BOMB),
    "nulls in a list": (lambda: pyarrow.ListArray.from_arrays([0, MANY], pyarrow.nulls(MANY)), BOMB),
    "bytes of no length": (without_bytes(pyarrow.binary(0), buffers=2), BOMB),
    "structs of no fields": (without_bytes(pyarrow.struct([])), BOMB),
    "lists of no length": (without_bytes(pyarrow.list_(pyarrow.string(), 0), [pyarrow.array([], "string")]), BOMB),
}


def write(path, array):
    table = pyarrow.table({"a": array})
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path, compression="zstd", store_schema=False)
        return
    with pyarrow.OSFile(str(path), "wb") as file, pyarrow.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrow_tables_that_stand_for_too_much_are_refused(tmp_path: Path, kind: str):
    make, said = ARRAYS[kind]
    write(tmp_path / "a.arrow", make())
    with pytest.raises(DataError, match=rf"a\.arrow: {said}"):
        open_table(tmp_path / "a.arrow")


TEXT = "a" * 900_000
TABLES = {
    "one large value": lambda: ["a" * (50 << 20)],
    "one value in many rows": lambda: dictionary(TEXT),
    "one value in a long list": lambda: pyarrow.ListArray.from_arrays([0, ROWS], dictionary(TEXT)),
    "one value in many structs": lambda: pyarrow.StructArray.from_arrays([dictionary(TEXT)], ["a"]),
    "nulls": lambda: pyarrow.nulls(MANY // 20),
}


@pytest.mark.parametrize("kind", TABLES)
def test_parquet_tables_that_stand_for_too_much_are_refused(tmp_path: Path, kind: str):
    path = tmp_path / "a.parquet"
    write(path, TABLES[kind]())
    found = forked(lambda: open_table(path).path)
    assert found.answer["type"] == "LimitError"
    assert found.answer["text"].startswith(f"{path}: {BOMB}. Do not use it, or, if you know that it is right, set")
    assert found.grown_bytes < 1 << 29


@pytest.mark.parametrize("ending", ["arrow", "parquet"])
@pytest.mark.parametrize("light", [1 << 28, 1])
def test_values_that_many_rows_mean_are_read(tmp_path: Path, monkeypatch, ending: str, light: int):
    monkeypatch.setattr(table_sizes, "_LIGHT", light)
    path, texts = tmp_path / f"a.{ending}", dictionary("ab" * 10, 3)
    for array in (texts, views("ab" * 10)[:3], pyarrow.array(["x", None, "y"]).dictionary_encode()):
        write(path, array.cast(pyarrow.string()) if ending == "parquet" else array)
        assert open_table(path).column("a") == array.to_pylist()
    for nested in (pyarrow.array([{"a": [{"b": "x"}, None]}, {"a": []}, None]), pyarrow.array([["x", "x"], [], None])):
        write(path, nested)
        table = open_table(path)
        assert table.column("a") == nested.to_pylist()
        assert ending == "arrow" or "dictionary" not in str(table.arrow.schema)
