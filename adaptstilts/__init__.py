"""adaptstilts: intermediate-task transfer for cross-lingual models, with full models and with reusable adapters.

Names are imported when they are first used, so that importing the package is fast and loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adaptstilts.api.backbone import convert_backbone as convert_backbone
    from adaptstilts.api.backbone import pretrain_backbone as pretrain_backbone
    from adaptstilts.api.configs import copy_config as copy_config
    from adaptstilts.api.configs import list_configs as list_configs
    from adaptstilts.api.data import check_data as check_data
    from adaptstilts.api.data import fetch_data as fetch_data
    from adaptstilts.api.data import write_checklist as write_checklist
    from adaptstilts.api.init import init_study as init_study
    from adaptstilts.api.scores import check_submission as check_submission
    from adaptstilts.api.scores import published_scores as published_scores
    from adaptstilts.api.scores import score_predictions as score_predictions
    from adaptstilts.api.status import store_status as store_status
    from adaptstilts.api.store import export_artefacts as export_artefacts
    from adaptstilts.api.store import import_artefacts as import_artefacts
    from adaptstilts.api.store import list_artefacts as list_artefacts
    from adaptstilts.api.store import show_artefact as show_artefact
    from adaptstilts.api.store import unused_artefacts as unused_artefacts
    from adaptstilts.api.store import verify_artefacts as verify_artefacts
    from adaptstilts.api.study import Study as Study
    from adaptstilts.api.study import load_study as load_study
    from adaptstilts.api.tasks import register_task as register_task
    from adaptstilts.api.tasks import register_tasks_from as register_tasks_from
    from adaptstilts.errors import AdaptstiltsError as AdaptstiltsError
    from adaptstilts.errors import ChangedError as ChangedError
    from adaptstilts.errors import CheckpointError as CheckpointError
    from adaptstilts.errors import ConfigError as ConfigError
    from adaptstilts.errors import CrashError as CrashError
    from adaptstilts.errors import DamagedError as DamagedError
    from adaptstilts.errors import DataError as DataError
    from adaptstilts.errors import EngineError as EngineError
    from adaptstilts.errors import EvaluationError as EvaluationError
    from adaptstilts.errors import ProblemsError as ProblemsError
    from adaptstilts.errors import StoreError as StoreError
    from adaptstilts.errors import TrainingError as TrainingError
    from adaptstilts.errors import WriteError as WriteError
    from adaptstilts.predictions.frame import token_rows as token_rows
    from adaptstilts.predictions.scores import score_frame as score_frame
    from adaptstilts.tasks.spec import BenchmarkName as BenchmarkName
    from adaptstilts.tasks.spec import Group as Group
    from adaptstilts.tasks.spec import Hub as Hub
    from adaptstilts.tasks.spec import Kind as Kind
    from adaptstilts.tasks.spec import Layout as Layout
    from adaptstilts.tasks.spec import Metric as Metric
    from adaptstilts.tasks.spec import Phase as Phase
    from adaptstilts.tasks.spec import Size as Size
    from adaptstilts.tasks.spec import Split as Split
    from adaptstilts.tasks.spec import Task as Task
    from adaptstilts.tasks.summary import tasks as tasks

__version__ = "0.1.0"

_EXPORTS = {
    "api.backbone": ("convert_backbone", "pretrain_backbone"),
    "api.configs": ("copy_config", "list_configs"),
    "api.data": ("check_data", "fetch_data", "write_checklist"),
    "api.init": ("init_study",),
    "api.scores": ("check_submission", "published_scores", "score_predictions"),
    "api.status": ("store_status",),
    "api.store": (
        "export_artefacts",
        "import_artefacts",
        "list_artefacts",
        "show_artefact",
        "unused_artefacts",
        "verify_artefacts",
    ),
    "api.study": ("Study", "load_study"),
    "api.tasks": ("register_task", "register_tasks_from"),
    "errors": (
        "AdaptstiltsError",
        "ChangedError",
        "CheckpointError",
        "ConfigError",
        "CrashError",
        "DamagedError",
        "DataError",
        "EngineError",
        "EvaluationError",
        "ProblemsError",
        "StoreError",
        "TrainingError",
        "WriteError",
    ),
    "predictions.frame": ("token_rows",),
    "predictions.scores": ("score_frame",),
    "tasks.spec": (
        "BenchmarkName",
        "Group",
        "Hub",
        "Kind",
        "Layout",
        "Metric",
        "Phase",
        "Size",
        "Split",
        "Task",
    ),
}
"""Public names by the module that defines them; the imports above say the same to type checkers."""
_MODULES = {name: module for module, names in _EXPORTS.items() for name in names}
_PACKAGE_AND_FUNCTION = "tasks"
"""A package that can be called."""

__all__ = ["__version__", *_MODULES, _PACKAGE_AND_FUNCTION]  # noqa: PLE0604 - all of them are text


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is exported
    """Import a public name."""
    if name == _PACKAGE_AND_FUNCTION:
        return import_module(f"{__name__}.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted({*globals(), *__all__})
