"""JSON from strangers: one reader, and one clear line in every place where it is read."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adaptstilts.data.lock import LOCK_NAME, read_lock
from adaptstilts.errors import AdaptstiltsError, CheckpointError, DamagedError, DataError, StoreError
from adaptstilts.formatting import visible
from adaptstilts.json_text import JsonError, parse_json, parse_rows, position_of
from adaptstilts.models.strict_json import read_json
from adaptstilts.pretrain.files import _read as read_record
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.manifest import read_manifest

KINDS = {
    "repeated key": ('{"a":\n{"b": 1, "c": {"b": 1}, "b": 2}}', 2, "b", "stands twice in one JSON object"),
    "repeated key in disguise": ('{"a": 1,\n"\\u0061": 2}', 2, "a", "stands twice in one JSON object"),
    "deep lists": ('{"a":\n' + "[" * 100_000, 2, None, "the JSON is nested too deeply to be read"),
    "deep objects": ('{"a":' * 100_000 + "1" + "}" * 100_000, 1, None, "the JSON is nested too deeply to be read"),
    "long integer": ('{"a":\n[1, -' + "9" * 5000 + "]}", 2, None, "an integer of 5,000 digits cannot be read"),
    "surrogate": ('{"a": [{"b":\n"x\\ud83d"}]}', 2, "a[0].b", "'\ud83d' is an unpaired surrogate"),
    "surrogate in a key": ('{"a": 1, "\\udc00": 2}', 1, "\udc00", "'\udc00' is an unpaired surrogate"),
    "cut": ('{"a": 1,\n"b', 2, None, "not JSON (Unterminated string starting at at column 1)"),
    "two values": ('{"a": 1}\n{"b": 1}', 2, None, "not JSON (Extra data at column 1)"),
    "no value": ('{"a": }', 1, None, "not JSON (Expecting value at column 7)"),
    "empty": ("", 1, None, "not JSON (it is empty)"),
    "blank": (" \n ", 1, None, "not JSON (it is empty)"),
    "mark": ('\ufeff{"a": 1}', 1, None, "begins with a byte order mark: save it as UTF-8 without one"),
    "web page": ("<!DOCTYPE html><html>", 1, None, "is a web page (HTML): download the file again"),
    "pointer": ("version https://git-lfs.github.com/spec/v1\nsize 3\n", 1, None, "is a pointer of Git LFS: fetch"),
    "zeros": ("\0" * 99, 1, None, "is no text (it holds zero bytes): put the right file there"),
}
NUMBERS = {
    "NaN": ('{"a": "NaN",\n"b": [NaN]}', 2, None, "NaN is no finite number"),
    "infinite": ('{"a": -Infinity}', 1, None, "-Infinity is no finite number"),
    "too large": ('{"a": [1.5e3, 2E-3,\n\n1e999]}', 3, None, "1e999 is no finite number"),
    "41 digits": ('{"a": ' + "9" * 41 + "}", 1, None, "an integer of 41 digits cannot be read"),
}
BYTES = {
    "gzip": (b"\x1f\x8b\x08\x00", 1, None, "is compressed (gzip): unpack it"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), 1, None, "is UTF-16 text: convert it to UTF-8"),
    "Latin-1": (b'{"a":\n"\xe9"}', 2, None, "byte 0xe9 is not UTF-8"),
}


@pytest.mark.parametrize("kind", [*KINDS, *NUMBERS, *BYTES])
def test_what_python_lets_pass_or_fails_at_is_one_error(kind: str):
    content, line, key, problem = {**KINDS, **NUMBERS, **BYTES}[kind]
    with pytest.raises(JsonError) as found:
        parse_json(content)
    assert (found.value.line, found.value.key) == (line, key)
    assert found.value.problem.startswith(problem)
    assert str(found.value).startswith(f"line {line}: " + (f"{key}: " if key else "") + problem)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_read_as_strictly(kind: str):
    content, line, key, problem = KINDS[kind]
    with pytest.raises(JsonError) as found:
        parse_rows(content)
    assert (found.value.line, found.value.key) == (line, key)
    assert found.value.problem.startswith(problem)


@pytest.mark.parametrize("read", [parse_json, parse_rows])
def test_what_is_right_is_read_as_python_reads_it(read: Callable):
    text = ' {"a": [1, -2.5e-3, true, null, "\\ud83d\\ude00 \\u00e9 é"], "b": {"a": {"a": ""}}, "": 1} \n'
    assert read(text) == json.loads(text)
    assert read("[]") == []
    assert read(str(10**39)) == 10**39


def test_numbers_that_rows_do_not_use_harm_nobody():
    assert str(parse_rows('{"a": [NaN, 1e999, -Infinity]}')) == "{'a': [nan, inf, -inf]}"
    assert parse_rows("9" * 100) == int("9" * 100)


def test_long_keys_and_numbers_are_cut():
    key, digits = "k" * 10**5, "9" * 10**5
    for text in (f'{{"{key}": 1, "{key}": 2}}', f'{{"a": 1e{digits}}}'):
        with pytest.raises(JsonError) as found:
            parse_json(text)
        assert len(str(found.value)) < 200


def test_position_of_a_value_is_that_of_its_first_character():
    text = '{"a": [1, {"b": "]}"}], "c": 2}'
    assert text[position_of(text, "a", 1, "b") :].startswith('"]}"')
    assert text[position_of(text, "c") :] == "2}"
    assert position_of(text, "x") == 0


def of_artefact(path: Path) -> object:
    return Artefact(path.parent, {"key": "0" * 64, "files": {}}).record(path.name)


def of_lock(path: Path) -> object:
    return read_lock(path.rename(path.with_name(LOCK_NAME)).parent)


CHECKED: dict[str, tuple[Callable[[Path], object], type[AdaptstiltsError]]] = {
    "model": (read_json, CheckpointError),
    "lock": (of_lock, DataError),
    "manifest": (read_manifest, DamagedError),
    "artefact": (of_artefact, DamagedError),
    "pretraining": (read_record, StoreError),
}
OTHER_VALUES = {"list": ("[1]", 1, None, ""), "text": ('"a"', 1, None, ""), "number": ("1", 1, None, "")}


@pytest.mark.parametrize("kind", [*KINDS, *NUMBERS, *BYTES, *OTHER_VALUES])
@pytest.mark.parametrize("place", CHECKED)
def test_every_place_says_so_in_one_line(tmp_path: Path, place: str, kind: str):
    read, error = CHECKED[place]
    content, _, key, problem = {**KINDS, **NUMBERS, **BYTES, **OTHER_VALUES}[kind]
    path = tmp_path / "some.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(error) as found:
        read(path)
    said = str(found.value)
    assert re.match(rf"{tmp_path}/[a-z.]+\.json:(\d+:)? ", said), said
    assert "\n" not in said
    assert visible(problem) in said
    assert visible(key or "") in said


@pytest.mark.parametrize("end", ["", "\\", '"'])
@pytest.mark.parametrize("read", [parse_json, parse_rows])
def test_quotes_behind_a_fault_cost_no_time(read: Callable[[str], object], end: str):
    text = "[" + "9" * 5000 + "," + '\\"' * 200_000 + end
    started = time.monotonic()
    with pytest.raises(JsonError, match="an integer of 5,000 digits cannot be read"):
        read(text)
    assert time.monotonic() - started < 5
