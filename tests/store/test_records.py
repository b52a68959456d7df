"""Files that a manifest vouches for and that hold something else: one clear error that names artefact and value."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from adaptstilts.errors import DamagedError
from adaptstilts.predictions.columns import load_stored
from adaptstilts.store.artefact import Artefact
from adaptstilts.study.stages.predictions import load_predictions
from adaptstilts.tasks.registry import get_task

if TYPE_CHECKING:
    from collections.abc import Callable


def artefact(tmp_path: Path, name: str, content: bytes) -> Artefact:
    path = tmp_path / "score" / f"nli-{'ab' * 8}" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return Artefact(tmp_path / "score" / f"nli-{'ab' * 8}", {})


def message(found: pytest.ExceptionInfo[DamagedError]) -> str:
    said = str(found.value)
    assert "\n" not in said
    assert f"remove {found.value.folder}, and the study makes it again" in said
    return said


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "damaged: line 1: not JSON (it is empty)"),
        (b"\xff", "damaged: line 1: byte 0xff is not UTF-8"),
        (b"{", "damaged: line 1: not JSON (Expecting"),
        (b"[" * 100_000, "damaged: line 1: the JSON is nested too deeply"),
        (b'{"a":\nNaN}', "damaged: line 2: NaN is no finite number"),
        (b'{"a": 1,\n"a": 2}', "damaged: line 2: a: stands twice in one JSON object"),
        (b'{"a": "\\ud800"}', "is an unpaired surrogate"),
        (b'{"a": ' + b"9" * 5000 + b"}", "damaged: line 1: an integer of 5,000 digits cannot be read"),
        (b"[]", "damaged: it is not a JSON object"),
        (b"null", "damaged: it is not a JSON object"),
    ],
)
def test_text_that_is_no_record(tmp_path: Path, content: bytes, expected: str):
    with pytest.raises(DamagedError, match=re.escape(expected)) as found:
        artefact(tmp_path, "scores.json", content).record("scores.json")
    assert "scores.json: " in message(found)


TAKE: list[tuple[Callable, object, str]] = [
    (lambda record: record.text("a"), 1, "'a' is 1, and should be a text"),
    (lambda record: record.text("b"), 1, "'b' is missing, and should be a text"),
    (lambda record: record.number("a"), "1", "'a' is '1', and should be a number"),
    (lambda record: record.number("a"), True, "'a' is true, and should be a number"),
    (lambda record: record.count("a"), 1.5, "'a' is 1.5, and should be a count"),
    (lambda record: record.count("a"), -1, "'a' is -1, and should be a count"),
    (lambda record: record.items("a"), {}, "'a' is {}, and should be a list"),
    (lambda record: record.texts("a"), ["x", 1], "'a' is ['x', 1], and should be a list of texts"),
    (lambda record: record.record("a"), [], "'a' is [], and should be a table"),
    (lambda record: record.record("a").number("b"), {"b": None}, "'a.b' is null, and should be a number"),
    (lambda record: record.records("a"), [1], "'a' is [1], and should be a list of tables"),
    (lambda record: record.records("a")[1].text("b"), [{}, {"b": []}], "'a[1].b' is [], and should be a text"),
]


@pytest.mark.parametrize(("take", "value", "expected"), TAKE)
def test_value_of_another_kind_is_named(tmp_path: Path, take: Callable, value: object, expected: str):
    record = artefact(tmp_path, "x.json", json.dumps({"a": value}).encode()).record("x.json")
    with pytest.raises(DamagedError, match=re.escape(f"x.json: its value {expected}")) as found:
        take(record)
    message(found)


@pytest.mark.parametrize(
    ("task", "predictions", "expected"),
    [
        ("xnli", None, "a list of numbers from 0"),
        ("xnli", {"a": 1}, "a list of numbers from 0"),
        ("xnli", [0, True], "a list of numbers from 0"),
        ("xnli", [-1], "a list of numbers from 0"),
        ("xcopa", ["a"], "a list of numbers from 0"),
        ("udpos", [["NOUN"], "VERB"], "a list of lists of tags"),
        ("udpos", [[1]], "a list of lists of tags"),
        ("tydiqa", ["a"], "a table of answers"),
        ("tydiqa", {"a": 1}, "a table of answers"),
        ("tatoeba", [[0]], "a list of numbers from 0"),
        ("bucc2018", [["a", "b", "c"]], "a list of pairs of ids"),
        ("bucc2018", [0], "a list of pairs of ids"),
        ("lareqa", {"a": "b"}, "a table of lists of ids"),
    ],
)
def test_predictions_of_another_form_are_named(tmp_path: Path, task: str, predictions: object, expected: str):
    direction = None if task == "bucc2018" else "x"
    record = {"split": "test", "note": "", "examples": 1, "direction": direction, "predictions": predictions}
    stored = artefact(tmp_path, "predictions/de.json", json.dumps(record).encode())
    with pytest.raises(DamagedError, match=rf"predictions/de\.json: its value 'predictions' .* should be {expected}"):
        load_predictions(stored, "de", get_task(task))


def npz(path: Path, content: bytes) -> bytes:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("logits.npy", content)
    return path.read_bytes()


def pickled(path: Path) -> bytes:
    np.savez(path, logits=np.array([{}], dtype=object))
    return path.with_suffix(".npz").read_bytes() if path.suffix != ".npz" else path.read_bytes()


@pytest.mark.parametrize(
    "make",
    [
        lambda _: b"",
        lambda _: b"PK\x03\x04" + bytes(100),
        lambda path: npz(path, b"\x93NUMPY\x01\x00\x10\x00" + b"{" * 16),
        lambda path: npz(
            path, b"\x93NUMPY\x01\x00\x76\x00"
            + b"{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999,), }".ljust(117) + b"\n"
        ),
        pickled,
    ],
)  # fmt: skip
def test_raw_scores_that_are_none_are_named(tmp_path: Path, make: Callable[[Path], bytes]):
    stored = artefact(tmp_path, "raw/de.npz", make(tmp_path / "x.npz"))
    with pytest.raises(DamagedError, match=r"raw/de\.npz: damaged: ") as found:
        load_stored(stored, "de", get_task("xnli"))
    message(found)
