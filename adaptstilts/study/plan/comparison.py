"""The set-up of a study, for comparison with published scores."""

from __future__ import annotations

from pathlib import Path

from adaptstilts.config.schema import StudyConfig
from adaptstilts.models.backbone import locate_backbone, read_config
from adaptstilts.results.setting import RunSetting
from adaptstilts.study.plan.retrieval import retrieves, settings_line
from adaptstilts.tasks.registry import get_task

_LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "vocab_size": 250_002}
"""Shape of XLM-R Large."""
_LARGE_NAME = "xlm-roberta-large"


def run_setting(config: StudyConfig, backbone: str | None = None) -> RunSetting:
    """Describe the set-up of a study; whether a backbone on the hub is XLM-R Large is judged by its name.

    Args:
        config: The study.
        backbone: Name of its backbone as it is written, where the configuration has been given absolute paths.
    """
    folder = Path(locate_backbone(config.backbone))
    if folder.is_dir():
        shape = read_config(folder)
        is_large = all(shape.get(key) == value for key, value in _LARGE.items())
    else:
        is_large = folder.name == _LARGE_NAME
    return RunSetting(
        backbone=backbone or config.backbone,
        is_large=is_large,
        max_train=config.data.max_train,
        max_evaluation=config.data.max_evaluation,
        retrieval={
            task.name: settings_line(config.retrieval, task)
            for task in map(get_task, config.target.tasks)
            if retrieves(task)
        },
    )
