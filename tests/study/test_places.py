"""Relative paths of a study lead from the folder in which it was loaded."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import adaptstilts
from adaptstilts.mini.write import write_mini
from adaptstilts.shipped import mini_backbone_folder
from adaptstilts.study.study import Study


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    write_mini(folder / "data", seed=1, train=12, evaluation=3, low_resource=6)
    shutil.copytree(mini_backbone_folder(), folder / "models" / "own")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(folder)
    return folder


def settings(**more: Any) -> dict[str, Any]:
    return {
        "name": "moved",
        "methods": ["direct"],
        "backbone": "models/own",
        "data": {"root": "data"},
        "target": {"tasks": ["tatoeba"]},
        "store": "kept",
        "results": "found",
        "evaluation": {"languages": ["de"]},
        **more,
    }


@pytest.mark.parametrize("planned_before", [True, False])
def test_working_folder_may_change_between_loading_and_running(
    project: Path, monkeypatch: pytest.MonkeyPatch, planned_before: bool
):
    study = adaptstilts.load_study(settings())
    keys = study.keys if planned_before else ()
    monkeypatch.chdir(project.parent / "elsewhere")
    result = study.run(progress=False)
    assert list((project.parent / "elsewhere").iterdir()) == []
    assert (project / "found" / "moved" / "report.md").is_file()
    assert (project / "kept" / "predict").is_dir()
    assert not keys or study.keys == keys
    assert str(project) not in (project / "found" / "moved" / "report.md").read_text(encoding="utf-8")
    monkeypatch.chdir(project)
    again = adaptstilts.load_study(settings()).run(progress=False)
    assert (again.made, again.skipped) == (0, result.made)


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_keys_and_labels_are_those_of_the_paths_as_they_are_written(
    project: Path, monkeypatch: pytest.MonkeyPatch, engine: str
):
    shutil.copytree(project / "models" / "own", project / "models" / "other")
    (project / "models" / "other" / "tokenizer_config.json").unlink()
    given = settings(backbone=["models/own", "models/other"], engine={"name": engine})
    study, expected = Study.load(given), Study.load(given)
    assert [variant.label for variant in expected.variants] == ["backbone=models/own", "backbone=models/other"]
    keys = {stage.key for stage in expected.plan.stages}
    if engine == "local":
        monkeypatch.chdir(project.parent)
    placed = study.placed_for_engine()
    assert {stage.key for stage in placed.plan.stages} == keys
    assert [variant.label for variant in placed.variants] == [variant.label for variant in expected.variants]
    assert {variant.config.backbone for variant in placed.variants} == {
        str(project / "models" / "own"),
        str(project / "models" / "other"),
    }


def test_working_folder_that_is_gone_does_not_matter(project: Path, monkeypatch: pytest.MonkeyPatch):
    study = Study.load(settings())
    gone = project.parent / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert study.plan.stages
    assert study.results_folder == project / "found" / "moved"
