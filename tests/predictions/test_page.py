"""The page on predictions: its code runs, and prints what the page says."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from adaptstilts.predictions.frame import COLUMNS, predictions_frame
from adaptstilts.study.study import Study

PAGE = Path(__file__).parents[2] / "docs" / "predictions.md"
BLOCKS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
ROWS = re.findall(r"<!-- (\w+) (\d+) -->\n```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
"""Rows of a study of files, which a reader does not have: task, position and text."""
OF_THE_NETWORK = r"^(prediction|correct|confidence|scores) .*$"
"""Lines whose value depends on trained weights, which differ a little between machines."""


def comparable(text: str) -> list[str]:
    """Leave out what depends on trained weights, and the width of columns."""
    text = re.sub(OF_THE_NETWORK, r"\1", text, flags=re.MULTILINE)
    return [" ".join(re.sub(r"\d+\.\d+", "#", line).split()) for line in text.splitlines()]


@pytest.fixture(scope="module")
def printed(mini_config: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each block of code prints, one after the other, in a folder that holds the page's configuration only."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copy(mini_config, folder / mini_config.name)
    names: dict[str, Any] = {}
    outputs = []
    with contextlib.chdir(folder):
        for code, _ in BLOCKS:
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(code, names)
            outputs.append(out.getvalue())
    return outputs


def test_page_shows_every_kind():
    assert len(BLOCKS) >= 6
    assert [task for task, _, _ in ROWS] == ["xcopa", "lareqa"]


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_code_of_the_page_prints_what_the_page_shows(printed: list[str], number: int):
    assert comparable(printed[number]) == comparable(BLOCKS[number][1])


@pytest.mark.parametrize(("task", "place", "shown"), ROWS, ids=[task for task, _, _ in ROWS])
def test_rows_of_files_are_those_that_the_page_shows(files_study: Study, task: str, place: str, shown: str):
    row = predictions_frame(files_study, task=task).iloc[int(place)]
    assert comparable(row.to_string()) == comparable(shown.rstrip("\n"))


def test_page_explains_every_column_in_order():
    assert re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == list(COLUMNS)
