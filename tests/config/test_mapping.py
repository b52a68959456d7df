"""Studies given as a mapping instead of a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy
import pytest
import yaml
from repository import CONFIGS

from adaptstilts.config.load import load, load_study
from adaptstilts.config.pretrain import PretrainSection
from adaptstilts.errors import AdaptstiltsError, ConfigError, ProblemsError
from adaptstilts.study.study import Study


def demo(**more: Any) -> dict[str, Any]:
    return {"name": "demo", "intermediate": {"tasks": ["mnli"]}, "target": {"tasks": ["xnli"]}, **more}


@pytest.mark.parametrize("name", ["quickstart", "mini_sweep"])
def test_mapping_with_the_content_of_a_file_gives_the_same_configuration(name: str):
    path = CONFIGS / f"{name}.yaml"
    # PyYAML takes 5e-4 for text: it wants a point and the sign of the exponent.
    text = re.sub(r"\b(\d)e-(\d)", r"\1.0e-\2", path.read_text(encoding="utf-8"))
    assert load_study(yaml.safe_load(text))[0] == load_study(path)[0]


def test_tuples_and_paths_of_a_mapping_count_as_lists_and_text():
    config = load_study(demo(seeds=(1, 2), data={"root": Path("some") / "folder"}))[0]
    assert (config.seeds, config.data.root) == ((1, 2), "some/folder")


def test_overrides_leave_the_mapping_as_it_is():
    given = demo(data={"root": "mini"})
    assert load_study(given, ["data.root=elsewhere", "target.full.epochs=7"])[0].data.root == "elsewhere"
    assert given == demo(data={"root": "mini"})


def test_errors_of_a_mapping_name_key_and_near_match():
    with pytest.raises(ConfigError, match=r"^<dict>: adapter\.reduction_facter: .*Did you mean 'reduction_factor'"):
        load_study(demo(adapter={"reduction_facter": 8}))
    with pytest.raises(ProblemsError, match=r"(?s)<dict>: methods\[0\]: 'stak'.*target\.tasks: 'xnly' is not a target"):
        Study.load({"name": "demo", "methods": ["stak"], "target": {"tasks": ["xnly"]}})


def test_mapping_that_contains_itself_is_refused():
    given = demo()
    given["adapter"] = given
    with pytest.raises(ConfigError, match="<dict>: adapter: a value contains itself"):
        load_study(given)


def test_mapping_of_the_other_purpose_is_refused():
    with pytest.raises(ConfigError, match="<dict>: is a study, not a pretraining configuration"):
        load(demo(), (), PretrainSection)


@pytest.mark.parametrize("value", [{}, {"name": 3}, {"target": []}, {1: 2}, {"name": "a", "target": None}])
def test_odd_mappings_are_refused_as_input(value: dict[Any, Any]):
    with pytest.raises(AdaptstiltsError):
        Study.load(value)


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("gradient_checkpointing", numpy.True_, True),
        ("gradient_checkpointing", numpy.array(False), False),
        ("epochs", numpy.int64(3), 3),
        ("learning_rate", numpy.float64(1e-3), 1e-3),
    ],
)
def test_values_of_numpy_count_as_pythons(setting, value, expected):
    config, _ = load_study({"name": "a", "target": {"tasks": ["xnli"], "full": {setting: value}}})
    found = getattr(config.target.full, setting)
    assert (found, type(found)) == (expected, type(expected))
