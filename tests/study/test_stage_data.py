"""Where the data of a stage is: its own place, the study's, or a generated world."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from adaptstilts.errors import StoreError
from adaptstilts.store.stage import DataPlace, StageKind
from adaptstilts.study.plan.jobs import PredictJob, job_of
from adaptstilts.study.stage_data import StageData, data_of
from adaptstilts.study.study import Study

OWN = DataPlace("own", "clean")


@pytest.fixture(scope="module")
def study() -> Study:
    return Study.load("quickstart", ["target.tasks=[tatoeba]", "methods=[direct]"])


def test_world_that_is_gone_is_an_error_that_says_how_to_make_it_again(study: Study):
    stage = next(stage for stage in study.plan.stages if job_of(stage, PredictJob) is not None)
    with pytest.raises(StoreError, match=f"examples of '{stage.name}' are no longer in the store") as caught:
        data_of(stage, study.plan, {}, OWN)
    assert "adaptstilts run" in str(caught.value)


def test_world_is_read_from_its_artefact(study: Study, tmp_path: Path):
    stage = next(stage for stage in study.plan.stages if job_of(stage, PredictJob) is not None)
    (world,) = (stage for stage in study.plan.stages if stage.kind is StageKind.DATA)
    done = {world.key: SimpleNamespace(file=tmp_path.joinpath)}
    found = data_of(stage, study.plan, done, OWN)
    assert found == StageData(tmp_path / "files", "clean", is_generated=True)


def test_files_are_those_of_the_stage_and_else_of_the_study(study: Study):
    world = next(stage for stage in study.plan.stages if stage.kind is StageKind.DATA)
    assert data_of(world, study.plan, {}, OWN) == StageData(Path("own"), "clean", is_generated=False)
    placed = replace(world, place=DataPlace("~/other", "xtreme"))
    assert data_of(placed, study.plan, {}, OWN).folder == Path.home() / "other"
    assert data_of(placed, study.plan, {}, OWN).quoting == "xtreme"
