"""A study as one object: what follows from its configuration is made once, and its errors name file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from repository import CONFIGS

from adaptstilts.config import sweep
from adaptstilts.config.schema import StudyConfig
from adaptstilts.errors import AdaptstiltsError, ConfigError
from adaptstilts.study import study as module
from adaptstilts.study.pricing.outline import outline
from adaptstilts.study.session import report_study, validate_study
from adaptstilts.study.study import Study

SWEEP = ("adapter.reduction_factor=[4, 16]", "methods=[adapter]", "target.tasks=[xnli]", "intermediate.tasks=[mnli]")
STUDY = """\
name: demo
methods: [direct]
data: {{max_train: 10}}
target:
  tasks: [xnli]
store: {folder}/store
results: {folder}/results
"""


def load(folder: Path, *overrides: str, text: str = STUDY) -> Study:
    path = folder / "study.yaml"
    path.write_text(text.format(folder=folder), encoding="utf-8")
    return Study.load(path, overrides)


def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[object]:
    """Calls of a function of the module, each with its first argument."""
    calls: list[object] = []
    real = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *args: calls.append(args[0]) or real(*args))
    return calls


def test_unknown_tasks_are_reported_beside_settings_that_cannot_be_read(tmp_path: Path):
    path = tmp_path / "study.yaml"
    path.write_text("name: a\nmethods: [stak]\ntarget:\n  tasks: [xnly]\n", encoding="utf-8")
    with pytest.raises(AdaptstiltsError) as caught:
        Study.load(path, ["intermediate.tasks=[mnly]"])
    lines = str(caught.value).splitlines()
    assert [line.partition(" is not")[0].removeprefix(f"{tmp_path}/") for line in lines] == [
        "study.yaml:2: methods[0]: 'stak'",
        "intermediate.tasks: 'mnly'",
        "study.yaml:4: target.tasks: 'xnly'",
    ]


def test_variants_plan_and_store_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    calls = {name: counted(monkeypatch, name) for name in ("variants", "make_plan", "join_plans", "store_at")}
    study = load(tmp_path, *SWEEP)
    validate_study(study, lambda line: None)
    outline(study.plan, study.variants, study.store)
    with pytest.raises(AdaptstiltsError, match="no finished score"):
        report_study(study)
    assert {name: len(made) for name, made in calls.items()} == {
        "variants": 1, "make_plan": 2, "join_plans": 1, "store_at": 1,
    }  # fmt: skip


def test_variants_are_those_of_the_configuration():
    study = Study.load(CONFIGS / "quickstart.yaml", SWEEP)
    assert study.variants == sweep.variants(study.config)
    assert [variant.label for variant in study.variants] == ["reduction_factor=4", "reduction_factor=16"]


def test_nothing_is_planned_or_opened_before_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("variants", "make_plan", "store_at"):
        monkeypatch.setattr(module, name, lambda *_: pytest.fail("too early"))
    assert load(tmp_path).results_folder == tmp_path / "results" / "demo"


def test_study_can_be_made_of_a_configuration_in_memory():
    config = StudyConfig.model_validate({"name": "x", "methods": ["direct"], "target": {"tasks": ["xnli"]}})
    assert [stage.kind.value for stage in Study(config).plan.stages][:2] == ["data", "train"]
    with pytest.raises(ConfigError, match=r"^target\.tasks: 'xnly' is not a target task"):
        Study(config.model_copy(update={"target": config.target.model_copy(update={"tasks": ("xnly",)})})).check()


@pytest.mark.parametrize("act", [Study.check, report_study, lambda study: validate_study(study, print)])
def test_errors_of_the_plan_name_file_and_line(tmp_path: Path, act):
    with pytest.raises(ConfigError, match=r"study\.yaml:5: target\.tasks: 'xnly' is not a target task"):
        act(load(tmp_path, text=STUDY.replace("xnli", "xnly")))
    with pytest.raises(ConfigError, match=r"^target\.tasks: 'xnly' is not a target task"):
        act(load(tmp_path, "target.tasks=[xnly]"))


def test_errors_of_lengths_name_the_line_of_their_own_setting(tmp_path: Path):
    text = STUDY.replace("[xnli]", "[xnli]\n  full:\n    max_length: 4000")
    with pytest.raises(ConfigError, match=r"study\.yaml:7: target\.full\.max_length: 4000 sub-tokens"):
        load(tmp_path, text=text).check()


def test_errors_of_the_store_name_file_and_line(tmp_path: Path):
    (tmp_path / "store").write_text("no folder", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"study\.yaml:6: store: '.*store' is a file"):
        load(tmp_path).check()


def test_place_of_settings_is_kept_for_engines_elsewhere(tmp_path: Path):
    study = load(tmp_path, "engine.name=ray", text=STUDY.replace("xnli", "xnly"))
    placed = study.placed_for_engine()
    assert placed is not study
    with pytest.raises(ConfigError, match=r"study\.yaml:5: target\.tasks"):
        placed.check()
    assert not {"origin", "lines", "path"} & placed.config.model_dump().keys()


def test_check_reads_rows_with_the_data_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    read: list[tuple[str, int]] = []
    monkeypatch.setattr(module, "check_rows", lambda data, plan, store: read.append((data.quoting, len(plan.cells))))
    study = load(tmp_path, "data.quoting=[clean, xtreme]")
    assert study.check() is study.plan
    assert read == [("clean", 1), ("xtreme", 1)]
