import os
import sys
from pathlib import Path

import psutil
import pytest
from stand_in_work import QuietWatcher, StandInRunner, attempts, plan_of, stage

from adaptstilts.config.schema import EngineSection, StudyConfig
from adaptstilts.engine.on_ray import RayEngine
from adaptstilts.engine.protocols import StageRequest
from adaptstilts.engine.resources import Needs
from adaptstilts.engine.scheduler import run_graph
from adaptstilts.errors import EngineError
from adaptstilts.store.store import Store

CONFIG = StudyConfig(name="engines", workers=2, engine=EngineSection(name="ray"))


def test_ray_makes_every_stage_once_keeps_workers_and_survives_a_killed_one(tmp_path: Path, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    bad, dying = stage("bad-input"), stage("die-once")
    stages = (dying, bad, stage("after", bad), *(stage(f"slow-{number}", dying) for number in range(5)))
    store, watcher, lines = Store(tmp_path), QuietWatcher(), []
    engine = RayEngine(CONFIG, StandInRunner, store, lambda _: Needs(True, 0), lines.append)
    outcome = run_graph(plan_of(*stages), store, engine, watcher, retries=1)
    assert lines == ["ray: 1 node, 2 CPUs, 0 GPUs"]
    assert str(outcome.failures[bad.key]) == "some.tsv: no rows."
    assert outcome.left_out == ["after"]
    assert len(outcome.made) == 6
    slugs = [slug for slug, _ in attempts(store)]
    assert sorted(slugs) == sorted(["bad-input", "die-once", "die-once", *(f"slow-{number}" for number in range(5))])
    assert 1 <= len({process for slug, process in attempts(store) if slug.startswith("slow")}) <= 3
    notes = [told[1] for told in watcher.told if told[0] == "noted" and str(told[1]).startswith("tried")]
    assert notes == ["tried again (1 of 1 time): die-once: Ray lost its worker (WorkerCrashedError)"]


def test_a_cluster_that_is_not_there_is_one_clear_error(tmp_path: Path):
    pytest.importorskip("ray")
    if any("gcs_server" in process.info["name"] for process in psutil.process_iter(["name"])):
        pytest.skip("a Ray cluster runs on this machine")
    config = CONFIG.model_copy(update={"engine": EngineSection(name="ray", address="auto")})
    with pytest.raises(EngineError, match=r"engine.address: Ray cannot be reached: .*ray start --head"):
        RayEngine(config, StandInRunner, Store(tmp_path), lambda _: Needs(True, 0), lambda line: None)


def test_ray_that_is_not_installed_is_one_clear_error(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EngineError, match=r"engine.name: Ray is not installed\. pip install 'adaptstilts\[ray\]'"):
        RayEngine(CONFIG, StandInRunner, Store(tmp_path), lambda _: Needs(True, 0), lambda line: None)


@pytest.mark.parametrize(
    ("asked", "needed", "share"),
    [("auto", 0, 1.0), ("auto", 10, 0.125), ("auto", 30, 0.375), ("auto", 900, 1.0), (0.5, 30, 0.5)],
)
def test_share_of_a_gpu_follows_the_estimated_memory(asked, needed, share):
    engine = object.__new__(RayEngine)
    engine._settings = EngineSection(gpus_per_stage=asked)
    engine._needs, engine._gpu_bytes, engine._gpus, engine._threads = lambda _: Needs(True, needed), 100, 1.0, None
    assert engine._gpu_share(StageRequest(stage("x"), ())) == share
