"""Watching a study through the command line: its logs, `status`, and what trackers are told."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from claimers import at_work
from commandline import Said, say
from repository import ROOT

from adaptstilts.engine.journal import made_counts, read_events
from adaptstilts.store.manifest import manifest_text, read_manifest
from adaptstilts.store.shared import SharedStore
from adaptstilts.store.stage import make_stage
from adaptstilts.study.plan.jobs import DataJob

STUDY = """\
name: watched
backbone: {backbone}
threads: 1
store: {folder}/store
results: {folder}/results
data: {{mini_train: 64, mini_evaluation: 10, mini_low_resource: 16}}
methods: [adapter]
target:
  tasks: [xnli]
  adapter: {{epochs: 2, batch_size: 16, learning_rate: 1e-2, max_length: 128, evaluate_examples: 8}}
evaluation: {{languages: [en, de]}}
"""


LONG = ("target.adapter.epochs=2000", "target.adapter.patience=9999")
"""Makes a training run that no test waits for."""


def write_study(folder: Path, backbone: Path) -> Path:
    config = folder / "watched.yaml"
    config.write_text(STUDY.format(backbone=backbone, folder=folder), encoding="utf-8")
    return config


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, small_backbone: Path) -> Path:
    """The configuration of a study that was run and followed in TensorBoard; tests leave it as it is."""
    config = write_study(tmp_path_factory.mktemp("watched"), small_backbone)
    said = say("run", config, "tracking=[tensorboard]")
    assert said.code == 0, said.err
    return config


@pytest.fixture
def study(finished: Path, tmp_path: Path, small_backbone: Path) -> Path:
    """A copy of the finished study that a test may spoil."""
    shutil.copytree(finished.parent / "store", tmp_path / "store")
    return write_study(tmp_path, small_backbone)


def status(*words: object) -> dict[str, Any]:
    said = say("status", *words, "--json")
    assert said.code == 0, said.err
    return said.json


def train_events(config: Path, *names: str) -> list[dict[str, Any]]:
    (path,) = (config.parent / "store" / "logs" / "train").iterdir()
    return [event for event in read_events(path) if event["event"] in names]


def took(folder: Path, last: float, steps: float = 0.5) -> None:
    """Have an artefact say that its last attempt took so long, and, of a training run, the steps of all attempts."""
    record = folder / "training.json"
    content = json.dumps({**json.loads(record.read_bytes()), "seconds": steps}).encode()
    record.write_bytes(content)
    manifest = read_manifest(folder / "manifest.json")
    manifest["files"][record.name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(manifest_text({**manifest, "seconds": last}), encoding="utf-8")


def remove(config: Path, *kinds: str) -> None:
    for kind in kinds:
        shutil.rmtree(config.parent / "store" / kind)


def test_every_stage_of_a_run_has_a_log_and_was_made_once(finished: Path):
    stages = say("plan", finished, "--json").json["stages"]
    assert made_counts(finished.parent / "store") == {stage["key"]: 1 for stage in stages}
    logs = sorted((finished.parent / "store" / "logs").glob("*/*.jsonl"))
    artefacts = sorted(path.parent for path in (finished.parent / "store").glob("*/*/manifest.json"))
    assert [(log.parent.name, log.stem) for log in logs] == [(path.parent.name, path.name) for path in artefacts]


def test_log_of_a_training_run_has_losses_rates_and_dev_scores_of_its_record(finished: Path):
    (path,) = (finished.parent / "store" / "train").glob("*/training.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    steps = train_events(finished, "step")
    assert (steps[0]["step"], steps[-1]["step"], steps[-1]["steps"]) == (1, 8, 8)
    assert all(0 < event["loss"] < 10 and 0 < event["learning_rate"] <= 1e-2 for event in steps)
    assert [[event["step"], event["score"]] for event in train_events(finished, "dev")] == record["dev_scores"]
    (made,) = train_events(finished, "finished")
    assert made["bytes"] >= record["artefact_bytes"] > 0


def test_tensorboard_shows_every_loss_dev_score_and_the_summary(finished: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (log,) = (finished.parent / "store" / "logs" / "train").iterdir()
    (path,) = (finished.parent / "store" / "train").glob("*/training.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    found = EventAccumulator(str(finished.parent / "store" / "logs" / "tensorboard" / log.stem)).Reload()
    losses = found.Scalars("loss")
    assert [event.step for event in losses] == list(range(1, 9))
    assert [event.value for event in losses] == pytest.approx(record["losses"], rel=1e-5)  # 8 steps: no mean of several
    rates = [event.value for event in found.Scalars("learning_rate")]
    assert rates[0] == pytest.approx(1e-2)
    assert rates == sorted(rates, reverse=True)
    assert [[event.step, event.value] for event in found.Scalars("dev_score")] == record["dev_scores"]
    assert found.Scalars("summary/best_dev")[0].value == pytest.approx(record["best_dev"])
    (settings,) = path.parents[2].glob(f"logs/tensorboard/{log.stem}/*/hparams.yml")
    assert "settings.learning_rate: 0.01" in settings.read_text()


def test_tracking_changes_no_key_and_makes_nothing_again(study: Path):
    said = say("run", study, "--json")
    assert (said.code, said.json["made"]) == (0, 0)


@pytest.mark.parametrize("value", ["mlflow", "tensorboardx"])
def test_unknown_tracker_is_refused_with_those_there_are(finished: Path, value: str):
    said = say("run", finished, f"tracking=[{value}]")
    assert said.code == 2
    assert "tracking" in said.err
    assert "'tensorboard'" in said.err or "tensorboard, wandb" in said.err


def test_tracker_that_is_not_installed_stops_the_run_before_anything_is_made(tmp_path: Path, small_backbone: Path):
    config = write_study(tmp_path, small_backbone)
    said = say("run", config, "tracking=[wandb]")
    assert said.code == 2
    install = "Install it: pip install adaptstilts[wandb]. More: adaptstilts docs watching."
    assert said.err == f"tracking: 'wandb' is not installed. {install}\n"
    assert not (tmp_path / "store").exists()


def test_status_of_a_finished_study_ends_with_the_command_that_reports_it(finished: Path):
    said = say("status", finished)
    lines = said.out.splitlines()
    assert (said.code, said.err) == (0, "")
    assert lines[0] == "8 of 8 stages done, 8 made in the last hour"
    assert lines[-1] == f"all done: adaptstilts report {finished}"


def test_status_of_a_study_that_has_not_begun_makes_nothing(tmp_path: Path, small_backbone: Path):
    config = write_study(tmp_path, small_backbone)
    said = say("status", config, "seeds=[1, 2]")
    lines = said.out.splitlines()
    guess = "a guess, since little has been measured yet"
    assert lines[0] == f"0 of 13 stages done, 13 waiting, about 12 s left with 1 worker, {guess}"
    assert lines[-1] == f"continue with: adaptstilts run {config} 'seeds=[1, 2]'"
    assert not (tmp_path / "store").exists()


def test_time_left_is_estimated_from_what_was_measured(study: Path):
    (path,) = (study.parent / "store" / "train").glob("*/manifest.json")
    took(path.parent, 500.0)
    before = status(study)
    assert (before["counts"]["train"]["done"], before["seconds_left"]) == (1, 0)
    more = status(study, "seeds=[1, 2, 3]")
    assert (more["counts"]["train"]["waiting"], more["is_measured"]) == (2, True)
    assert more["seconds_left"] == pytest.approx(2 * 500, rel=0.1)
    longer = status(study, "seeds=[2]", "target.adapter.epochs=4")
    assert longer["seconds_left"] == pytest.approx(1000, rel=0.1)


def test_training_run_that_went_on_took_as_long_as_all_its_attempts(study: Path):
    (folder,) = (study.parent / "store" / "train").iterdir()
    took(folder, 3.0, 700.0)
    assert status(study)["seconds_made"] > 700
    assert status(study, "seeds=[1, 2]")["seconds_left"] == pytest.approx(700, rel=0.1)
    table = say("plan", study, "--device", "cpu", "--json").json["table"]
    (row,) = [row for row in table if row["what"] == "target adapter"]
    assert row["hours_measured"] == pytest.approx(700 / 3600)


def test_failed_stage_is_shown_with_its_log_until_it_succeeds(study: Path):
    remove(study, "predict", "score")
    (adapter,) = (study.parent / "store" / "train").glob("*/adapter/adapter_config.json")
    whole = adapter.read_text(encoding="utf-8")
    adapter.write_text(whole.replace('"hidden_size": 16', '"hidden_size": 64'), encoding="utf-8")
    assert say("run", study).code == 2
    found = status(study)
    states = {state: sum(kind[state] for kind in found["counts"].values()) for state in ("done", "failed", "left_out")}
    assert states == {"done": 4, "failed": 2, "left_out": 2}
    failure, other = sorted(found["failed"], key=lambda item: item["name"], reverse=True)
    assert (failure["name"], failure["type"]) == ("predict adapter: xnli en, seed 1", "DamagedError")
    assert (other["name"], other["type"]) == ("predict adapter: xnli de, seed 1", "DamagedError")
    text = say("status", study).out
    assert f"failed: predict adapter: xnli en, seed 1: {failure['error']}" in text
    log = study.parent / "store" / failure["log"]
    assert f"  log: {log}" in text
    assert [event["event"] for event in read_events(log)][-2:] == ["started", "failed"]
    assert text.splitlines()[-1] == f"fix what failed, then run: adaptstilts run {study}"
    adapter.write_text(whole, encoding="utf-8")
    assert say("run", study).code == 0
    assert status(study)["failed"] == []
    assert not list((study.parent / "store" / ".failed").iterdir())


def test_damaged_artefact_is_not_done_and_the_command_that_ends_the_text_makes_it_again(study: Path):
    (adapter,) = (study.parent / "store" / "train").glob("*/adapter/adapter_config.json")
    adapter.unlink()
    lines = say("status", study).out.splitlines()
    assert lines[0].startswith("7 of 8 stages done, 1 damaged, about ")
    assert lines[-4:] == [
        "damaged: train adapter: mnli, seed 1: adapter/adapter_config.json: missing or cut short",
        f"  folder: {adapter.parents[1]}",
        "",
        f"make the damaged artefacts again and continue: adaptstilts run {study} --rebuild",
    ]
    assert "damaged: " in say("status", "--store", study.parent / "store").out
    assert say("run", study, "--rebuild").code == 0
    assert say("status", study).out.splitlines()[0].startswith("8 of 8 stages done")


def test_store_without_a_study_shows_what_is_there(finished: Path, tmp_path: Path):
    said = say("status", "--store", finished.parent / "store")
    assert said.out.splitlines()[0] == "8 of 8 stages done, 8 made in the last hour"
    missing = say("status", "--store", tmp_path / "nowhere")
    assert missing.code == 2
    assert missing.err.endswith("nowhere: no such folder. Name the store of a study that has been started.\n")


def test_store_is_named_by_its_address_as_by_its_folder(finished: Path, tmp_path: Path):
    first = "8 of 8 stages done, 8 made in the last hour"
    store = finished.parent / "store"
    assert say("status", "--store", f"file://{store}").out.splitlines()[0] == first
    made = SharedStore("memory://watched", tmp_path / "one")
    shutil.copytree(store, made.root)
    made.remove_leftovers()
    address = ("--store", "memory://watched", "--store-cache", tmp_path / "two")
    assert say("status", *address).out.splitlines()[0] == first
    study = (finished, "store=memory://watched", f"store_cache={tmp_path / 'two'}")
    assert status(*study)["counts"]["train"]["done"] == 1
    assert say("status", *study).out.splitlines()[0] == first


@pytest.mark.parametrize("words", [(), ("CONFIG", "--store", "STORE"), ("CONFIG", "--watch", "--json")])
def test_status_wants_either_a_study_or_a_store(finished: Path, words: tuple[str, ...]):
    names = {"CONFIG": str(finished), "STORE": str(finished.parent / "store")}
    said = say("status", *(names.get(word, word) for word in words))
    assert said.code == 2
    assert said.err.startswith("give either a study or a store. Allowed: status CONFIG [key=value ...], status --store")


def test_watching_a_finished_study_ends_at_once(finished: Path):
    said = say("status", finished, "--watch")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1].startswith("all done: ")


def test_watching_goes_on_while_something_runs(tmp_path: Path):
    began = threading.Event()

    def work() -> None:
        with at_work(tmp_path, make_stage("make the world", "world", DataJob(1, 1, 8, 8, 8))):
            began.set()
            time.sleep(0.8)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work)
        began.wait()
        said = say("status", "--store", tmp_path, "--watch", "--every", 0.5)
    assert set(said.err.splitlines()) == {"0 of 1 stage done, 1 running"}
    assert said.out.splitlines()[0] == "0 of 0 stages done"


def run_elsewhere(config: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "adaptstilts", "run", str(config), *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for_steps(config: Path) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = status(config, *LONG)
        if found["running"] and found["running"][0]["beat"]["done"] > 1:
            return found
        time.sleep(0.2)
    raise TimeoutError("no stage made a step")


def test_study_that_runs_elsewhere_is_seen_and_called_lost_when_it_is_killed(study: Path):
    other = run_elsewhere(study, *LONG)
    try:
        found = wait_for_steps(study)
        (running,) = found["running"]
        assert (running["beat"]["pid"], running["beat"]["total"]) == (other.pid, 8000)
        assert running["beat"]["name"] == "train adapter: mnli, seed 1"
        assert running["beat"]["note"].startswith("loss ")
        assert running["seconds_left"] > 0
        assert found["seconds_left"] >= running["seconds_left"]
        watched: Said = say("status", study, *LONG)
        assert f":{other.pid})" in watched.out
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
    found = status(study, *LONG)
    assert (found["running"], [lost["pid"] for lost in found["lost"]]) == ([], [other.pid])
    text = say("status", study, *LONG).out
    assert "the worker died or is unreachable; the next run, or one in progress, takes over its stage" in text
    assert text.splitlines()[-1] == f"continue with: adaptstilts run {study} {' '.join(LONG)}"
