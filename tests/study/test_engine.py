"""Paths of a study whose workers may run in other folders, and workers that outlive a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from repository import CONFIGS

from adaptstilts.engine.protocols import StageRequest
from adaptstilts.engine.worker import perform_here
from adaptstilts.mini.write import write_mini
from adaptstilts.study import engine
from adaptstilts.study.study import Study

QUICKSTART = CONFIGS / "quickstart.yaml"


def test_paths_of_every_variant_are_absolute_when_workers_run_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    overrides = ["data.root=[one, mini, two]", "store=here"]
    local = Study.load(QUICKSTART, overrides)
    assert local.placed_for_engine() is local
    placed = Study.load(QUICKSTART, [*overrides, "engine.name=ray"]).placed_for_engine()
    assert placed.config.store == str(tmp_path / "here")
    roots = [variant.config.data.root for variant in placed.variants]
    assert roots == [str(tmp_path / "one"), "mini", str(tmp_path / "two")]
    assert placed.config.data.root == roots[0]


def test_a_worker_that_outlives_a_run_reads_the_files_of_the_next_one_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_mini(tmp_path / "data", seed=1, train=32, evaluation=6, low_resource=8)
    monkeypatch.setattr(engine, "InProcessEngine", lambda make_runner, store, on_step: make_runner)

    def run() -> list[str]:
        places = {"store": str(tmp_path / "store"), "data": {"root": str(tmp_path / "data")}}
        languages = {"evaluation": {"languages": ["de"]}}
        study = Study.load(
            {"name": "a", "methods": ["direct"], "target": {"tasks": ["tatoeba"]}, **places, **languages}
        )
        make_runner = engine.open_engine(study, lambda *step: None, lambda line: None)
        first = [stage for stage in study.plan.stages if stage.kind.value in {"predict", "score"}]
        requests = [StageRequest(stage, study.plan.inputs_of(stage)) for stage in first]
        return [perform_here(make_runner, study.store, request).what for request in requests]  # as a process of Ray

    assert run() == ["built", "built"]
    german = tmp_path / "data/tatoeba/tatoeba.deu-eng.deu"
    german.write_text("".join(reversed(german.read_text("utf-8").splitlines(keepends=True))), "utf-8")
    assert run() == ["built", "built"]
