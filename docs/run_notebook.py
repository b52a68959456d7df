"""Run docs/quickstart.ipynb from its first cell to its last, and write its outputs into it.

    python docs/run_notebook.py

It runs the whole quickstart, about two minutes on two slow cores. `make test` runs the notebook on fewer rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).with_name("quickstart.ipynb")
_SECONDS = 1200


def run_notebook(folder: Path, settings: Sequence[str] = ()) -> Any:  # noqa: ANN401 - nbformat has no types
    """Run the notebook and return it with its outputs.

    Args:
        folder: Working folder of the notebook; results go below it.
        settings: ``key=value`` settings for the cell tagged ``parameters``.
    """
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)
    if settings:
        cell = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
        cell.source = f"settings = {list(settings)!r}"
    client = NotebookClient(
        notebook, timeout=_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    return client.execute()


def _without_traces(notebook: Any) -> Any:  # noqa: ANN401
    """Drop what differs from run to run: times of the cells, and the version of Python."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata.pop("language_info", None)
    return notebook


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        done = run_notebook(Path(scratch))
    nbformat.write(_without_traces(done), NOTEBOOK)
