"""Training stages in several processes, and how they end when one of them or their parent does."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file

from adaptstilts.config.runtime import ParallelSection, ResumeSection
from adaptstilts.config.schema import StudyConfig
from adaptstilts.engine.heartbeats import read_beats
from adaptstilts.engine.journal import Journal, read_events
from adaptstilts.errors import ConfigError, DataError, TrainingError
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store
from adaptstilts.study.plan.jobs import DataJob, TrainJob
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.study.stages.runner import StageRunner, remove_finished_checkpoints
from adaptstilts.study.stages.train_parallel import (
    TrainRequest,
    check_not_launched,
    check_processes,
    train_in_processes,
)
from adaptstilts.study.study import Study
from adaptstilts.train.checkpoints import resume_folder

STUDY = """\
name: launch
backbone: {backbone}
threads: 1
device: cpu
methods: [adapter, fuse]
store: {folder}/store
results: {folder}/results
data: {{mini_train: 32, mini_evaluation: 8, mini_low_resource: 8}}
intermediate:
  tasks: [mnli, qqp]
  adapter: &adapter {{epochs: 1, batch_size: 8, learning_rate: 1e-2, max_length: 32, evaluate_examples: 8}}
target:
  tasks: [pawsx]
  adapter: {{epochs: 3, batch_size: 8, learning_rate: 1e-2, max_length: 32, evaluate_examples: 8, accumulation: 2}}
  fusion: {{epochs: 3, batch_size: 8, learning_rate: 1e-2, max_length: 32, evaluate_examples: 8, accumulation: 2}}
adapter: {{reduction_factor: 4}}
evaluation: {{languages: [en, de]}}
resume: {{every_steps: 1, every_minutes: null}}
"""


def ignore(*_: object) -> None:
    """Hear nothing."""


def run(config: StudyConfig, plan: Plan, stage: Stage, store: Store, on_step=ignore) -> Artefact:
    with Journal(store.root).stage(stage, on_step) as log:
        return StageRunner(config).run(stage, plan.inputs_of(stage), store, log)


def trains(plan: Plan, method: str, task: str) -> Stage:
    (found,) = (
        stage
        for stage in plan.stages
        if isinstance(stage.job, TrainJob) and (stage.job.method, stage.job.task) == (method, task)
    )
    return found


@pytest.fixture(scope="module")
def config(small_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> StudyConfig:
    folder = tmp_path_factory.mktemp("launch")
    path = folder / "launch.yaml"
    path.write_text(STUDY.format(backbone=small_backbone, folder=folder), encoding="utf-8")
    return Study.load(path).config


@pytest.fixture(scope="module")
def plan(config: StudyConfig) -> Plan:
    return Study(config).plan


@pytest.fixture(scope="module")
def base(config: StudyConfig, plan: Plan) -> Store:
    """A store with all that the target stages need, and those themselves, made in one process."""
    store = Store(Path(config.store))
    for stage in plan.stages:
        if isinstance(stage.job, DataJob | TrainJob):
            run(config, plan, stage, store)
    return store


@pytest.fixture
def store(base: Store, tmp_path: Path) -> Store:
    """The same without the target stages."""
    shutil.copytree(base.root, tmp_path / "store")
    for folder in (tmp_path / "store" / "train").glob("*pawsx-*"):
        shutil.rmtree(folder)
    return Store(tmp_path / "store")


def in_two(config: StudyConfig, backbone: str = "replicated") -> StudyConfig:
    return config.model_copy(update={"parallel": ParallelSection(processes=2, backbone=backbone)})  # type: ignore[arg-type]


def weights(artefact: Artefact) -> dict[str, torch.Tensor]:
    found = {}
    for path in sorted(artefact.folder.rglob("*.safetensors")):
        found |= {f"{path.name}/{name}": tensor for name, tensor in load_file(path).items()}
    return found


def events_of(store: Store, stage: Stage) -> list[dict[str, Any]]:
    """The events of the last attempt at a stage."""
    found = read_events(Journal(store.root).path(stage))
    last = max(index for index, event in enumerate(found) if event["event"] == "started")
    return found[last:]


def assert_close(one: Artefact, other: Artefact) -> None:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    assert len(first) > 4
    for name, tensor in first.items():
        assert torch.allclose(tensor, second[name], rtol=1e-4, atol=1e-5), name


@pytest.mark.parametrize(("method", "backbone"), [("adapter", "replicated"), ("fuse", "sharded")])
def test_stage_in_two_processes_leaves_what_one_leaves(config, plan, base, store, method, backbone):
    stage = trains(plan, method, "pawsx")
    steps: list[int] = []
    made = run(in_two(config, backbone), plan, stage, store, lambda done, total, note: steps.append(done))
    alone = base.find(stage)
    assert_close(made, alone)
    record, before = made.read_json("training.json"), alone.read_json("training.json")
    assert steps == list(range(1, record["steps"] + 1))
    told = [(event["event"], event.get("step")) for event in events_of(store, stage)]
    dev = [("dev", step) for step, _ in record["dev_scores"]]
    assert [one for one in told if one[0] == "dev"] == dev
    assert [one for one in told if one[0] == "checkpoint"] == [("checkpoint", step) for step in steps]
    last = [event for event in events_of(store, stage) if event["event"] == "step"][-1]
    assert last["loss"] > 0
    assert last["examples_per_second"] > 0
    assert (record["processes"], before["processes"]) == (2, 1)
    assert record["trained_parameters"] == before["trained_parameters"]
    assert record["total_parameters"] == before["total_parameters"]
    assert not resume_folder(store.root, stage.key).exists()


def test_death_of_one_process_ends_the_other_and_the_stage_goes_on_after_it(config, plan, base, store):
    stage = trains(plan, "adapter", "pawsx")
    began: list[float] = []

    def kill(done: int, _: int, __: str) -> None:
        if done == 3 and not began:
            began.append(time.monotonic())
            (victim,) = (process for process in multiprocessing.active_children() if process.name == "train-1")
            os.kill(victim.pid, signal.SIGKILL)

    with pytest.raises(TrainingError, match=r"process 1 of 2 was ended by SIGKILL\. It may have run out of memory\."):
        run(in_two(config), plan, stage, store, kill)
    assert time.monotonic() - began[0] < 20
    assert multiprocessing.active_children() == []
    assert store.find(stage) is None
    made = run(config, plan, stage, store)
    record = made.read_json("training.json")
    assert [event["step"] for event in events_of(store, stage) if event["event"] == "resumed"] == record["resumed_at"]
    assert record["resumed_at"][0] >= 2
    assert record["resume_notes"] == [f"goes on from the checkpoint at step {record['resumed_at'][0]}"]
    assert_close(made, base.find(stage))


def request(config: StudyConfig, plan: Plan, store: Store, folder: Path, data: Path) -> TrainRequest:
    stage = trains(plan, "adapter", "pawsx")
    assert isinstance(stage.job, TrainJob)
    return TrainRequest(
        job=stage.job,
        key=stage.key,
        inputs=Inputs(plan.inputs_of(stage), store),
        data_root=data,
        quoting="clean",
        folder=folder,
        store=store.root,
        device="cpu",
        threads=1,
        resume=ResumeSection(),
        parallel=ParallelSection(processes=2),
    )


def test_error_of_a_process_comes_back_with_its_type_and_text(config, plan, store, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    log = Journal(store.root).stage(trains(plan, "adapter", "pawsx"))
    with pytest.raises(DataError, match=str(empty)), log:
        train_in_processes(request(config, plan, store, tmp_path, empty), log)
    assert multiprocessing.active_children() == []


def test_processes_end_with_their_killed_parent(config, store, tmp_path):
    """A parent that is ended by SIGTERM waits for them: the next test reads its output until all have closed it."""
    text = STUDY.format(backbone=config.backbone, folder=tmp_path).replace("epochs: 3", "epochs: 5000, patience: 5000")
    path = tmp_path / "long.yaml"
    path.write_text(text, encoding="utf-8")
    words = [sys.executable, "-m", "adaptstilts", "run", str(path), "parallel.processes=2", "methods=[adapter]"]
    parent = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=Path.cwd())
    try:
        held = store.root / ".resume"
        deadline = time.monotonic() + 120
        while not list(held.glob("*/step-*.json")):
            assert parent.poll() is None, parent.stdout.read()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        children = psutil.Process(parent.pid).children(recursive=True)
        assert len([child for child in children if "spawn_main" in " ".join(child.cmdline())]) == 2
        parent.kill()
        assert parent.wait(timeout=40) == -signal.SIGKILL
        assert psutil.wait_procs(children, timeout=20)[1] == []
        # Nothing is left half-written that a later run would stumble over.
        assert list(held.glob("*/step-*.json"))
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()


@pytest.mark.parametrize(
    ("way", "whole_group"),
    [
        pytest.param("workers=1", False, id="command-workers=1"),
        pytest.param("workers=1", True, id="group-workers=1", marks=pytest.mark.slow),
        pytest.param("workers=2", False, id="command-workers=2", marks=pytest.mark.slow),
        pytest.param("workers=2", True, id="group-workers=2"),
        pytest.param("parallel.processes=2", False, id="command-parallel.processes=2"),
        pytest.param("parallel.processes=2", True, id="group-parallel.processes=2", marks=pytest.mark.slow),
    ],
)
def test_sigterm_leaves_a_checkpoint_and_closes_log_claim_and_heartbeat(config, store, tmp_path, way, whole_group):
    text = STUDY.format(backbone=config.backbone, folder=tmp_path).replace("epochs: 3", "epochs: 5000, patience: 5000")
    path = tmp_path / "long.yaml"
    path.write_text(text.replace("every_steps: 1,", "every_steps: null,"), encoding="utf-8")
    words = [sys.executable, "-m", "adaptstilts", "run", str(path), way, "methods=[adapter]"]
    command = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while not any(beat.done for beat in read_beats(store)):
            assert command.poll() is None, command.stdout.read()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        (beat,) = read_beats(store)
        if whole_group:
            os.killpg(command.pid, signal.SIGTERM)
        else:
            command.send_signal(signal.SIGTERM)
        said = command.communicate(timeout=40)[0].decode()
    finally:
        command.kill()
        command.wait()
    assert command.returncode == 143, said
    assert "interrupted; finished stages are kept" in said
    assert "Traceback" not in said
    assert len(list(resume_folder(store.root, beat.key).glob("step-*.json"))) == 1
    assert read_beats(store) == []
    assert not any(path.is_file() for path in (store.root / ".leases").rglob("*"))
    (log,) = (store.root / "logs" / "train").glob(f"*-{beat.key[:16]}.jsonl")
    events = [event["event"] for event in read_events(log)]
    assert events[-1] == "interrupted"
    assert events.count("checkpoint") == 1, events


def test_checkpoints_of_finished_stages_are_removed(config, plan, base, store):
    stage, other = trains(plan, "adapter", "mnli"), trains(plan, "adapter", "pawsx")
    for key in (stage.key, other.key):
        resume_folder(store.root, key).mkdir(parents=True)
    remove_finished_checkpoints(plan.stages, store)
    assert not resume_folder(store.root, stage.key).exists()
    assert resume_folder(store.root, other.key).exists()


@pytest.mark.parametrize(
    ("device", "message"),
    [("cuda", r"3 processes on a machine with \d GPUs"), ("cuda:1", "3 processes cannot share cuda:1")],
)
def test_more_processes_than_gpus_are_refused(device, message, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ConfigError, match=message):
        check_processes(torch.device(device), 3)
    check_processes(torch.device("cuda"), 2)
    check_processes(torch.device("cpu"), 3)


def test_command_started_by_a_launcher_is_refused(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(ConfigError, match=r"was started 4 times by a launcher.*parallel\.processes=4"):
        check_not_launched()
    monkeypatch.setenv("WORLD_SIZE", "1")
    check_not_launched()
