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
