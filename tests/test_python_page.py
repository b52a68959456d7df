"""The page on Python: its examples run in order, and give what stands beside them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repository import ROOT

import adaptstilts

PAGE = ROOT / "docs" / "python.md"


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def run(block: str, names: dict[str, Any]) -> int:
    """Run the statements of a block, compare those with a comment behind them, and count these."""
    lines, compared = block.splitlines(), 0
    for node in ast.parse(block).body:
        expected = re.search(r"  # (.+)$", lines[(node.end_lineno or 0) - 1])
        if isinstance(node, ast.Expr) and expected:
            found = eval(ast.unparse(node), names)
            plain = found.item() if isinstance(found, np.generic) else found
            assert expected[1] == repr(plain), ast.unparse(node)
            compared += 1
        else:
            exec(ast.unparse(node), names)
    return compared


def test_examples_of_the_page_run_in_an_empty_folder_and_give_what_stands_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    assert sum(run(block, names) for block in blocks()) >= 20


def test_page_names_every_public_function():
    text = PAGE.read_text(encoding="utf-8")
    functions = [name for name in adaptstilts.__all__ if name[0].islower() and name != "tasks"]
    assert [name for name in functions if f"{name}(" not in text] == []
