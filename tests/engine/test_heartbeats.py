from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from claimers import at_work
from repository import ROOT

from adaptstilts.engine.heartbeats import read_beats
from adaptstilts.engine.journal import Journal, StepNumbers, made_counts, read_events
from adaptstilts.store import leases
from adaptstilts.store.leases import Lease
from adaptstilts.store.process import Mark, here
from adaptstilts.store.stage import Stage, make_stage
from adaptstilts.store.store import Store
from adaptstilts.study.plan.jobs import DataJob

WORKER = """
import sys, time
sys.path.insert(0, "tests")
from pathlib import Path
from claimers import at_work
from adaptstilts.study.plan.jobs import DataJob; from adaptstilts.store.stage import make_stage
with at_work(Path(sys.argv[1]), make_stage("make", "world", DataJob(1, 1, 8, 8, 8)), worker="far") as log:
    log.stepped(3, 9, "loss 0.5")
    print("at work", flush=True)
    time.sleep(60)
"""
FAR = replace(here(), host="elsewhere")


def stage(seed: int = 1) -> Stage:
    return make_stage("make", "world", DataJob(1, seed, 8, 8, 8))


def until(is_so: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)
    return is_so()


def leave(root: Path, holder: Mark = FAR, *, age: float = 0.0) -> Store:
    """Write the lease of a process that is at work elsewhere, or was."""
    work: dict[str, Any] = {
        "key": stage().key,
        "name": "make",
        "kind": "data",
        "worker": "",
        "started": "2026-01-01T00:00:00.000Z",
        "seconds": 30.0,
        "done": 5,
        "total": 20,
        "note": "",
        "first": 2,
        "before": 6.0,
        "examples_per_second": None,
    }
    path = root / ".leases" / f"{stage().key[:16]}.lease"
    path.parent.mkdir(exist_ok=True)
    path.write_text(Lease("old", holder, time.time(), path.name, work).text())
    os.utime(path, (time.time() - age,) * 2)
    return Store(root)


def test_stage_shows_a_heartbeat_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(leases, "_STEP_SECONDS", 0.02)
    one, store = stage(), Store(tmp_path)
    with at_work(tmp_path, one, worker="w1") as log:
        (beat,) = read_beats(store)
        assert (beat.key, beat.name, beat.kind) == (one.key, "make", "data")
        assert (beat.host, beat.pid) == (platform.node(), os.getpid())
        assert (beat.done, beat.total, beat.is_lost, beat.seconds_left) == (0, 0, False, None)
        log.resumed(2)
        log.stepped(3, 9, "loss 0.5")
        log.stepped(4, 9, "loss 0.4")
        assert until(lambda: read_beats(store)[0].done == 4)
        (beat,) = read_beats(store)
        assert (beat.first, beat.total, beat.note, beat.worker) == (3, 9, "loss 0.4", "w1")
        assert 0 <= beat.before <= beat.seconds
    assert read_beats(store) == []
    assert list((tmp_path / ".leases").iterdir()) == []


def test_claim_for_something_else_than_making_a_stage_is_no_sign_of_one(tmp_path: Path):
    with Store(tmp_path).claim_of(stage().key):
        assert read_beats(Store(tmp_path)) == []


def test_steps_do_not_wait_for_the_file_system(tmp_path: Path):
    with at_work(tmp_path, stage()) as log:
        log.stepped(1, 100_000)
        began = time.perf_counter()
        for step in range(2, 5002):
            log.stepped(step, 100_000, "loss 1.000", StepNumbers(1.0, 0.1, 32))
        assert (time.perf_counter() - began) / 5000 < 200e-6


def test_time_left_is_that_of_the_steps_of_this_attempt(tmp_path: Path):
    (beat,) = read_beats(leave(tmp_path))
    assert beat.seconds == pytest.approx(30, abs=1)
    assert beat.seconds_left == pytest.approx((30 - 6) / (5 - 2) * (20 - 5), rel=0.05)


@pytest.mark.parametrize(
    ("holder", "age", "is_lost"),
    [
        pytest.param(FAR, 50, False, id="of another host, with a heartbeat"),
        pytest.param(FAR, 80, True, id="of another host, silent"),
        pytest.param(replace(here(), started="1"), 0, True, id="of this host, ended"),
        pytest.param(here(), 0, True, id="of this process, forgotten"),
        pytest.param(replace(here(), space="other"), 50, False, id="of another container with this one's id"),
        pytest.param(replace(here(), space="other", process=2**22 + 1), 50, False, id="of a container, unknown here"),
        pytest.param(replace(here(), space="other"), 80, True, id="of another container, silent"),
    ],
)
def test_worker_is_lost_when_its_stage_may_be_taken_over_and_not_before(
    tmp_path: Path, holder: Mark, age: float, is_lost: bool
):
    store = leave(tmp_path, holder, age=age)
    (beat,) = read_beats(store)
    assert (beat.is_lost, round(beat.age / 10)) == (is_lost, age / 10)
    assert beat.seconds == pytest.approx(30 if is_lost else 30 + age, abs=2)
    assert store.is_claimed(stage()) is not is_lost
    with store.claim(stage()) as progress:
        assert (progress is not None) == is_lost


@pytest.mark.parametrize(("taker", "is_lost"), [(replace(FAR, process=7), False), (replace(here(), started="2"), True)])
def test_stage_that_is_being_taken_over_is_not_lost(tmp_path: Path, taker: Mark, is_lost: bool):
    store = leave(tmp_path, replace(here(), started="1"))
    lost = tmp_path / ".leases" / f"{stage().key[:16]}.lease"
    work = {**json.loads(lost.read_text()), "done": 0}
    (lost.parent / f"{lost.name}.old").write_text(json.dumps({**work, "number": "next", "holder": taker.text}))
    (beat,) = read_beats(store)
    assert (beat.is_lost, beat.done, beat.pid) == (is_lost, 5 * is_lost, os.getpid() if is_lost else 7)
    assert store.is_claimed(stage()) is not is_lost


@pytest.mark.parametrize("text", ["{", "[]", '{"number": "1", "holder": "a~b~c~1", "beat": 1, "key": "of another"}'])
def test_file_that_is_no_heartbeat_is_left_out(tmp_path: Path, text: str):
    store = leave(tmp_path)
    (tmp_path / ".leases" / "other.lease").write_text(text)
    (tmp_path / ".running").mkdir()
    (tmp_path / ".running" / "of an older version.json").write_text(text)
    assert len(read_beats(store)) == 1


def test_reading_while_stages_come_and_go_never_fails(tmp_path: Path):
    stop = threading.Event()

    def work(seed: int) -> None:
        while not stop.is_set():
            with at_work(tmp_path, stage(seed)) as log:
                log.stepped(1, 2)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    seen = [len(read_beats(Store(tmp_path))) for _ in range(200)]
    stop.set()
    for thread in threads:
        thread.join()
    assert max(seen) > 0
    assert read_beats(Store(tmp_path)) == []


def test_killed_worker_is_called_lost_at_once_and_the_next_attempt_takes_its_place(tmp_path: Path):
    store = Store(tmp_path)
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "at work\n"
    assert until(lambda: read_beats(store)[0].done == 3)
    assert not read_beats(store)[0].is_lost
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    (beat,) = read_beats(store)
    assert (beat.is_lost, beat.pid, beat.worker, beat.done) == (True, worker.pid, "far", 3)
    assert made_counts(tmp_path) == {stage().key: 0}
    with at_work(tmp_path, stage()):
        (beat,) = read_beats(store)
        assert (beat.is_lost, beat.pid) == (False, os.getpid())
    events = [event["event"] for event in read_events(Journal(tmp_path).path(stage()))]
    assert events == ["started", "step", "started", "finished"]
    assert made_counts(tmp_path) == {stage().key: 1}
