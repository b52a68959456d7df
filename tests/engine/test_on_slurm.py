import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
from stand_in_work import QuietWatcher, StandInRunner, attempts, stage

from adaptstilts.config.schema import EngineSection, SlurmSection, StudyConfig
from adaptstilts.engine import on_slurm
from adaptstilts.engine.in_process import InProcessEngine
from adaptstilts.engine.on_slurm import SlurmEngine
from adaptstilts.engine.protocols import StageRequest
from adaptstilts.engine.scheduler import run_graph
from adaptstilts.errors import EngineError
from adaptstilts.store.stage import Stage, make_stage
from adaptstilts.store.store import Store
from adaptstilts.study.plan.jobs import ScoreJob
from adaptstilts.study.plan.plan import Plan

submitit = pytest.importorskip("submitit")
CONFIG = StudyConfig(
    name="engines", device="cpu", engine=EngineSection(name="slurm", slurm=SlurmSection(cluster="local"))
)


@pytest.fixture(autouse=True)
def heavy_stages(monkeypatch):
    """Stages of these tests count as running a network unless they score; their jobs find the stand-ins."""
    monkeypatch.setattr(on_slurm, "computes", lambda item: not isinstance(item.job, ScoreJob))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))


def light(slug: str, *inputs: Stage) -> Stage:
    return make_stage(slug, slug, ScoreJob("x", (), slug, None), tuple(item.key for item in inputs))


def engine_of(store: Store, watcher: QuietWatcher, lines: list[str]) -> SlurmEngine:
    here = InProcessEngine(StandInRunner, store, watcher.stepped)
    return SlurmEngine(CONFIG, StandInRunner, store, here, lines.append)


def test_jobs_are_sent_as_arrays_light_stages_stay_here_and_lost_jobs_are_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # The time that submitit waits for the result of a killed job, in case the file system lags.
    monkeypatch.setattr(submitit.core.core.Job, "_results_timeout_s", 1)
    dying, bad = stage("die-once"), stage("bad-input")
    plan = Plan((dying, bad, light("score", dying), stage("after", bad)), (), 0)
    store, watcher, lines = Store(tmp_path), QuietWatcher(), []
    outcome = run_graph(plan, store, engine_of(store, watcher, lines), watcher, retries=1)
    assert len(outcome.made) == 2
    assert str(outcome.failures[bad.key]) == "some.tsv: no rows."
    assert outcome.left_out == ["after"]
    assert [slug for slug, process in attempts(store) if process == os.getpid()] == ["score"]
    assert [slug for slug, _ in attempts(store)].count("die-once") == 2
    assert [line.split(" in ")[0] for line in lines] == ["slurm: 2 jobs", "slurm: 1 job"]
    notes = [told[1] for told in watcher.told if told[0] == "noted"]
    assert len(notes) == 1
    assert notes[0].startswith("tried again (1 of 1 time): die-once: job ")


def test_a_preempted_job_goes_on_as_a_new_one(tmp_path: Path):
    store, watcher, lines = Store(tmp_path), QuietWatcher(), []
    engine = engine_of(store, watcher, lines)
    engine.submit(StageRequest(stage("slow-once"), ()))
    assert engine.results(0) == []
    job = engine._jobs[0].job
    deadline = time.monotonic() + 60
    while not attempts(store) and time.monotonic() < deadline:
        time.sleep(0.02)
    for child in psutil.Process(job._process.pid).children():  # as SLURM does it before it takes the node away
        child.send_signal(signal.SIGUSR2)
    (result,) = engine.results(90)
    assert result.what == "built"
    assert [slug for slug, _ in attempts(store)] == ["slow-once", "slow-once"]
    engine.close(at_once=False)


def test_no_slurm_here_is_one_clear_error(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    config = CONFIG.model_copy(update={"engine": EngineSection(name="slurm")})
    with pytest.raises(EngineError, match=r"engine.name: there is no SLURM here: .*engine\.slurm\.cluster=local"):
        SlurmEngine(
            config, StandInRunner, Store(tmp_path), InProcessEngine(StandInRunner, Store(tmp_path), print), print
        )


def test_submitit_that_is_not_installed_is_one_clear_error(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(EngineError, match=r"submitit is not installed\. pip install 'adaptstilts\[slurm\]'"):
        SlurmEngine(
            CONFIG, StandInRunner, Store(tmp_path), InProcessEngine(StandInRunner, Store(tmp_path), print), print
        )


def test_settings_of_a_job_are_passed_to_submitit_under_its_names():
    slurm = SlurmSection(partition="gpu", account="me", setup=("module load cuda",), timeout_minutes=10)
    engine = EngineSection(name="slurm", memory_gb=32, cpus_per_stage=4, gpus_per_stage=2, slurm=slurm)
    config = CONFIG.model_copy(update={"engine": engine, "device": "auto"})
    assert on_slurm._parameters(config) == {
        "name": "engines",
        "timeout_min": 10,
        "cpus_per_task": 4,
        "gpus_per_node": 2,
        "mem_gb": 32.0,
        "slurm_array_parallelism": 64,
        "slurm_signal_delay_s": 90,
        "slurm_partition": "gpu",
        "slurm_account": "me",
        "slurm_setup": ["module load cuda"],
    }
