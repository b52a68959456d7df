"""The same study from the command line, from Python and from the notebook: equal keys and equal bytes."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
from commandline import say
from repository import ROOT
from small_quickstart import CUT, QUICKSTART, artefacts

import adaptstilts

NOTEBOOK = ROOT / "docs" / "quickstart.ipynb"


@pytest.fixture(scope="module")
def from_python(finished: adaptstilts.Study, python_folder: Path) -> dict[str, dict[str, str]]:
    found = artefacts(python_folder / "store")
    assert set(found) == set(finished.keys)
    assert sum(name.endswith(".safetensors") for names in found.values() for name in names) > 10
    return found


@pytest.fixture(scope="module")
def notebook_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("from_notebook")


@pytest.fixture(scope="module")
def executed(notebook_folder: Path) -> Any:
    """The notebook, run on fewer rows."""
    spec = importlib.util.spec_from_file_location("run_notebook", ROOT / "docs" / "run_notebook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.run_notebook(notebook_folder, CUT)


def test_command_line_makes_the_artefacts_that_python_makes(from_python: dict[str, dict[str, str]], tmp_path: Path):
    said = say("run", QUICKSTART, *CUT, f"store={tmp_path / 'store'}", f"results={tmp_path / 'results'}")
    assert said.code == 0, said.err
    assert artefacts(tmp_path / "store") == from_python


def test_notebook_makes_the_artefacts_that_python_makes(
    from_python: dict[str, dict[str, str]], executed: Any, notebook_folder: Path
):
    assert artefacts(notebook_folder / "checkpoints") == from_python


def test_notebook_shows_progress_tables_figures_and_answers(executed: Any):
    by_code = {cell.source: cell.outputs for cell in executed.cells if cell.cell_type == "code"}
    assert not [output for outputs in by_code.values() for output in outputs if output.output_type == "stream"]
    (progress,) = by_code["result = study.run()"]
    assert re.search(r"study +━+ +(\d+)/\1\b", progress.data["text/plain"])
    assert "data:image/png;base64" in by_code["result"][0].data["text/html"]
    assert any("image/png" in output.get("data", {}) for outputs in by_code.values() for output in outputs)


# ---- The notebook as it is committed


@pytest.fixture(scope="module")
def committed() -> Any:
    import nbformat

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    return notebook


def test_committed_notebook_has_the_outputs_of_one_run_from_top_to_bottom(committed: Any):
    cells = [cell for cell in committed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert [cell.source for cell in cells if not cell.outputs and "import" not in cell.source] == [cells[0].source]
    assert not [output for cell in cells for output in cell.outputs if output.output_type in {"error", "stream"}]


def test_committed_notebook_names_no_place_of_the_machine_that_ran_it(committed: Any):
    text = NOTEBOOK.read_text(encoding="utf-8")
    text = re.sub(r"base64,[^\"]*|\"image/png\": \"[^\"]*\"", "", text)
    assert re.findall(r"/(?:tmp|home|root|work|Users|opt|usr|var)/[^\s\"]*", text) == []
