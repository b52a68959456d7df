"""What a study is refused for before anything is computed, and what an answer says of what was not looked at."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from commandline import say

import adaptstilts
from adaptstilts.errors import AdaptstiltsError, ConfigError, UnfinishedError
from adaptstilts.shipped import mini_backbone_folder
from adaptstilts.study.stages import runner

SMALL = (
    "methods=[direct]",
    "target.tasks=[xnli,udpos]",
    "intermediate.tasks=[mnli]",
    "evaluation.languages=[en]",
    "data.mini_train=32",
    "data.mini_evaluation=8",
    "data.mini_low_resource=16",
    "workers=1",
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def small(*overrides: str) -> adaptstilts.Study:
    return adaptstilts.load_study("quickstart", *SMALL, *overrides)


def other_backbone(folder: Path, **settings: Any) -> Path:
    made = shutil.copytree(mini_backbone_folder(), folder)
    config = json.loads((made / "config.json").read_text(encoding="utf-8"))
    (made / "config.json").write_text(json.dumps({**config, **settings}), encoding="utf-8")
    return made


def test_validate_says_that_a_backbone_on_the_hub_was_not_looked_for():
    said = say("validate", "quickstart", *SMALL, "backbone=nosuch/thing")
    assert said.code == 0
    assert "not checked: whether the hub has the backbone nosuch/thing: `run` asks it" in said.out
    record = say("validate", "quickstart", *SMALL, "backbone=nosuch/thing", "--json").json
    assert record["ok"]
    assert any("nosuch/thing" in line for line in record["unchecked"])


def test_validate_says_that_the_tokenizer_is_measured_once_there_is_data():
    checked = small().validate()
    (line,) = checked.record["unchecked"]
    assert line.startswith("how the tokenizer of mini reads the languages: the mini data is not generated yet")
    assert f"not checked: {line}\n" in str(checked)
    small("data.mini_evaluation=8").run(progress=False)
    checked = small().validate()
    assert checked.record["unchecked"] == []
    assert "not checked" not in str(checked)


def test_validate_names_a_configuration_of_the_package_by_its_name_and_counts_in_the_singular():
    checked = adaptstilts.load_study("quickstart", *SMALL, "target.tasks=[xnli]").validate()
    assert str(checked).endswith("quickstart: fine, 6 stages for 1 table cell")
    assert checked.record["config"] == "quickstart"
    assert repr(small()) == "<study 'quickstart' from quickstart>"


@pytest.mark.parametrize("command", ["validate", "run"])
def test_weights_that_do_not_fit_are_refused_before_any_stage(command: str, tmp_path: Path):
    other = other_backbone(tmp_path / "five", num_hidden_layers=5)
    said = say(command, "quickstart", *SMALL, f"backbone={other}")
    assert said.code == 2
    (line,) = said.err.splitlines()
    assert line.startswith(f"{other}: the weights lack or misfit 16 tensors")
    assert not (tmp_path / "checkpoints").exists()


def test_padding_id_of_another_tokenizer_is_refused_before_any_stage(tmp_path: Path):
    other = other_backbone(tmp_path / "padded", pad_token_id=3)
    said = say("run", "quickstart", *SMALL, f"backbone={other}")
    assert said.err.startswith(f"{other}: pad_token_id: the tokenizer's padding id is 1, the encoder's is 3")
    assert len(said.err.splitlines()) == 1


def test_planning_does_not_build_an_encoder(tmp_path: Path):
    other = other_backbone(tmp_path / "five", num_hidden_layers=5)
    assert say("plan", "quickstart", *SMALL, f"backbone={other}").code == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_device_that_is_not_there_is_one_error_before_any_stage(workers: int, tmp_path: Path):
    said = say("run", "quickstart", *SMALL, f"workers={workers}", "device=cuda:99")
    assert said.code == 2
    (line,) = said.err.splitlines()
    assert line.startswith("device: 'cuda:99' is not a device of this machine. Allowed: auto, cpu")
    assert not (tmp_path / "checkpoints" / "data").exists()


def break_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise AdaptstiltsError("the loss is lost")

    monkeypatch.setattr(runner, "_MAKE", dict.fromkeys(runner._MAKE, broken))


def test_error_of_a_run_without_scores_says_why(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    break_training(monkeypatch)
    with pytest.raises(UnfinishedError) as stopped:
        small().run(progress=False)
    first, cause = str(stopped.value).splitlines()
    assert first.startswith("no finished score to report: of ")
    assert cause == "generate the mini world: the loss is lost."
    assert capfd.readouterr().err == ""


def test_command_line_says_a_cause_once(monkeypatch: pytest.MonkeyPatch):
    break_training(monkeypatch)
    said = say("run", "quickstart", *SMALL)
    assert said.code == 2
    assert said.err.count("the loss is lost") == 1
    assert said.err.splitlines()[-1].startswith("no finished score to report: of ")


def test_only_the_first_causes_are_in_the_error():
    error = UnfinishedError("nothing", causes=["a: one", "b: two"])
    assert (str(error), error.summary) == ("nothing.\na: one\nb: two", "nothing.")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda study: study.run(progress="no"),
            r"^progress: 'no' is neither true nor false\. Allowed: True, False\.$",
        ),
        (lambda study: study.run(rebuild=1), r"^rebuild: 1 is neither true nor false"),
        (lambda study: study.run(workers=True), r"^workers: True is not a whole number"),
        (lambda study: study.watch("x"), r"^every: 'x' is not a number"),
        (lambda study: study.submit("to", best="yes"), r"^best: 'yes' is neither true nor false"),
        (lambda study: study.plan("H100"), r"Did you mean 'h100'\?"),
        (lambda _: adaptstilts.check_data("data", strict="x"), r"^strict: 'x' is neither true nor false"),
        (lambda _: small("seeds=[-1]"), r"^seeds\[0\]: -1 is out of range\. Allowed: at least 0\.$"),
        (lambda _: small("workers=true"), r"^workers: true is not a number\.$"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(call: Any, message: str):
    with pytest.raises(ConfigError, match=message):
        call(small())
