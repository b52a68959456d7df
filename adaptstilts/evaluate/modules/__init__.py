"""The metrics behind the interface of the `evaluate` library, for use outside this package and without network.

Each metric is a script of one file below this folder: ``load("chunk_f1")`` makes one, and so does
``evaluate.load(str(script_folder("chunk_f1")))``. All scores are in percent.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from adaptstilts.errors import EvaluationError

if TYPE_CHECKING:
    import evaluate

NAMES = ("accuracy", "accuracy_f1", "bucc", "chunk_f1", "mlqa", "squad", "squad2", "tatoeba")
"""The metrics that can be loaded."""


def load(name: str, *, cache_dir: Path | str | None = None) -> evaluate.Metric:
    """Make a metric of the `evaluate` library.

    Args:
        name: One of `NAMES`.
        cache_dir: Folder in which the library keeps an (empty) folder for each metric; its own cache where None, which
            the environment variable ``HF_HOME`` moves. Examples stay in memory.

    Returns:
        The metric, with `compute`, `add` and `add_batch`.

    Raises:
        EvaluationError: If there is no such metric.
    """
    _require_name(name)
    metric = import_module(f"{__name__}.{name}.{name}").METRIC
    return metric(keep_in_memory=True, cache_dir=None if cache_dir is None else str(cache_dir))


def script_folder(name: str) -> Path:
    """Say where a metric's script lies, for `evaluate.load`.

    Args:
        name: One of `NAMES`.

    Returns:
        The folder, which holds ``<name>.py``.

    Raises:
        EvaluationError: If there is no such metric.
    """
    _require_name(name)
    return Path(__file__).parent / name


def _require_name(name: str) -> None:
    if name not in NAMES:
        raise EvaluationError(f"'{name}' is not a metric", value=name, allowed=NAMES)
