"""The commands behind figures in the documentation run, on small sizes."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from repository import ROOT

from adaptstilts.models.backbone import mini_folder
from adaptstilts.readers.data_root import DataRoot


def benchmark(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("task", ["xnli", "xquad", "udpos"])
def test_frames_of_made_up_predictions(task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    frames = benchmark("frames")
    frames.prepare(tmp_path, task, 13)
    frames.measure(tmp_path, task)
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 13
    assert found["peak"] >= found["before"] > 0


def test_table_of_a_tokenizer(
    data_root: Callable[[dict[str, str]], DataRoot],
    task_files: dict[str, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    english = {path.replace("-de", "-en"): text for path, text in task_files["xnli"].items()}
    root = data_root({**task_files["xnli"], **english, **task_files["xcopa"]})
    monkeypatch.setattr(sys, "argv", ["x", "--data", str(root.path), "--tokenizer", str(mini_folder()), "--all"])
    benchmark("tokenizer_table").main()
    said = capsys.readouterr().out
    for line in (r"en +\d+", r"3 languages, \d+ texts", "per word, times English .*threshold 3.0", "warning: in "):
        assert re.search(rf"^{line}", said, re.MULTILINE), line


def test_rows_in_other_languages_and_english_ones(
    data_root: Callable[[dict[str, str]], DataRoot],
    task_files: dict[str, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
):
    root = data_root(task_files["xnli"])
    (tmp_path / "src.deu.txt").write_text("Das ist nicht der Hund von dem ich sprach.\nJa.\n", encoding="utf-8")
    words = ["x", "--data", str(root.path), "--lines", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", words)
    benchmark("foreign_rows").main()
    said = capsys.readouterr().out
    assert re.search(r"^sentence pairs +de \d+%", said, re.MULTILINE)
    assert re.search(r"^single sentences +de 50%", said, re.MULTILINE)
    assert re.search(r"^English rows +0 of ", said, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("mining", ["--sides", "20", "30", "--width", "8"], "pairs proposed"),
        ("overlaps", ["--pairs", "40"], "40 pairs: "),
    ],
)
def test_times_are_printed(
    name: str, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", [name, *words])
    benchmark(name).main()
    assert said in capsys.readouterr().out


def test_attention_is_timed_by_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "found.json"
    sizes = ["--layers", "1", "--width", "16", "--heads", "2", "--lengths", "2", "--rows", "2"]
    monkeypatch.setattr(sys, "argv", ["attention.py", *sizes, "--json", str(file)])
    benchmark("attention").main()
    printed = capsys.readouterr().out
    assert "cudnn             8 not here: runtime.attention: 'cudnn' needs a GPU" in printed
    rows = json.loads(file.read_text())["rows"]
    assert [(row["attention"], row["multiple"]) for row in rows] == [
        (name, multiple) for name in ("auto", "flash", "math") for multiple in (1, 8)
    ]
    assert all(row["repeats_bits"] and row["new_ms"] > 0 and not row["warnings"] for row in rows)
