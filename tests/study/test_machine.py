"""What a study asks of the machine: `run` refuses it before any stage, `validate` too, or says it was not looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from commandline import say

SMALL = (
    "methods=[stack]",
    "target.tasks=[xnli]",
    "intermediate.tasks=[mnli]",
    "evaluation.languages=[en]",
    "data.mini_train=32",
    "data.mini_evaluation=8",
    "data.mini_low_resource=16",
)
NEEDS_GPU = (
    ("runtime.attention=cudnn", "runtime.attention: 'cudnn' needs a GPU, and the device is cpu"),
    ("runtime.attention=efficient", "runtime.attention: 'efficient' needs a GPU, and the device is cpu"),
    ("target.adapter.precision=fp16", "target.adapter.precision: fp16 needs a GPU, and the device is cpu"),
    ("intermediate.adapter.precision=fp16", "intermediate.adapter.precision: fp16 needs a GPU, and the device is cpu"),
    ("evaluation.precision=fp16", "evaluation.precision: fp16 needs a GPU, and the device is cpu"),
)
ELSEWHERE = (
    ("device=cuda", "device: 'cuda' is not a device of this machine"),
    ("device=cuda:7", "device: 'cuda:7' is not a device of this machine"),
    ("tracking=[wandb]", "tracking: 'wandb' is not installed"),
    ("data.root=official", "data.root: 'official' stands for data that is not there"),
)


@pytest.fixture(autouse=True)
def _without_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


@pytest.mark.parametrize("command", ["validate", "run"])
@pytest.mark.parametrize("engine", ["local", "slurm"])
@pytest.mark.parametrize(("setting", "problem"), NEEDS_GPU)
def test_what_needs_a_gpu_is_refused_where_the_device_is_a_cpu(command, engine, setting, problem):
    said = say(command, "quickstart", *SMALL, "device=cpu", f"engine.name={engine}", setting)
    assert said.code == 2
    assert problem in said.err
    assert not Path("artefacts").exists()


@pytest.mark.parametrize(("setting", "problem"), [*NEEDS_GPU, *ELSEWHERE])
def test_validate_names_what_another_machine_may_have_and_run_refuses_it(setting, problem):
    checked = say("validate", "quickstart", *SMALL, setting)
    assert checked.code == 0
    assert f"not checked: {problem}" in checked.out
    assert "; `run` refuses that on this machine\n" in checked.out
    refused = say("run", "quickstart", *SMALL, setting)
    assert refused.code == 2
    assert problem in refused.err


@pytest.mark.parametrize("setting", ["target.full.precision=fp16", "runtime.attention=flash", "device=cpu"])
def test_what_is_not_used_or_there_everywhere_is_not_mentioned(setting):
    said = say("validate", "quickstart", *SMALL, setting)
    assert said.code == 0
    assert "on this machine" not in said.out


@pytest.mark.parametrize("engine", ["ray", "slurm"])
def test_validate_says_that_the_engine_was_not_started(engine):
    said = say("validate", "quickstart", *SMALL, f"engine.name={engine}", "device=cuda:7")
    assert said.code == 0
    assert f"not checked: whether the engine {engine} can be used, and what device its workers have: `run`" in said.out
    assert "cuda:7" not in said.out
