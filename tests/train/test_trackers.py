from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from adaptstilts.errors import ConfigError
from adaptstilts.train.trackers import TrackedRun, check_installed, flatten, tracked

RUN = TrackedRun(
    "train stack: mnli > xnli, seed 1",
    "stack-mnli-xnli-0123456789abcdef",
    project="study",
    settings={"task": "xnli", "seed": 1, "settings": {"learning_rate": 1e-4, "patience": None}, "sources": [{"a": 1}]},
)


def test_flatten_names_nested_settings_with_dots_and_writes_what_is_no_scalar_as_json():
    assert flatten(RUN.settings) == {
        "task": "xnli",
        "seed": 1,
        "settings.learning_rate": 1e-4,
        "settings.patience": "null",
        "sources": '[{"a": 1}]',
    }


def test_tensorboard_file_holds_every_value_and_the_settings(tmp_path: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    losses = [2.0, 1.5, 1.25]
    with tracked(["tensorboard"], RUN, tmp_path) as trackers:
        for step, loss in enumerate(losses, start=1):
            trackers.log({"loss": loss, "learning_rate": 0.5 / step}, step)
        trackers.log({"dev_score": 71.5}, 3)
    folder = tmp_path / "tensorboard" / RUN.slug
    found = EventAccumulator(str(folder)).Reload()
    assert [(event.step, event.value) for event in found.Scalars("loss")] == list(enumerate(losses, start=1))
    assert [event.value for event in found.Scalars("learning_rate")] == pytest.approx([0.5, 0.25, 0.5 / 3])
    assert [(event.step, event.value) for event in found.Scalars("dev_score")] == [(3, 71.5)]
    (settings,) = folder.glob("*/hparams.yml")
    assert "settings.learning_rate: 0.0001" in settings.read_text()


def test_values_up_to_an_error_are_kept(tmp_path: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with pytest.raises(ZeroDivisionError), tracked(["tensorboard"], RUN, tmp_path) as trackers:
        trackers.log({"loss": 1.0}, 1)
        raise ZeroDivisionError
    found = EventAccumulator(str(tmp_path / "tensorboard" / RUN.slug)).Reload()
    assert [event.value for event in found.Scalars("loss")] == [1.0]


def test_check_installed_finds_what_is_there():
    check_installed([])
    check_installed(["tensorboard"])


@pytest.mark.skipif(importlib.util.find_spec("wandb") is not None, reason="wandb is installed")
def test_check_installed_says_how_to_install_what_is_missing():
    with pytest.raises(
        ConfigError, match=r"tracking: 'wandb' is not installed\. Install it: pip install adaptstilts\[wandb\]"
    ):
        check_installed(["tensorboard", "wandb"])
