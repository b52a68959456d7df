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
from pathlib import Path
from typing import Any

import pytest
from repository import ROOT

from adaptstilts.engine import heartbeats
from adaptstilts.engine.heartbeats import RUNNING_FOLDER, read_beats
from adaptstilts.engine.journal import Journal, StepNumbers, made_counts, read_events
from adaptstilts.store.stage import Stage, make_stage
from adaptstilts.study.plan.jobs import DataJob

WORKER = """
import sys, time
from pathlib import Path
from adaptstilts.engine.journal import Journal
from adaptstilts.study.plan.jobs import DataJob; from adaptstilts.store.stage import make_stage
with Journal(Path(sys.argv[1]), worker="far").stage(make_stage("make", "world", DataJob(1, 1, 8, 8, 8))) as log:
    log.stepped(3, 9, "loss 0.5")
    print("at work", flush=True)
    time.sleep(60)
"""


def stage(seed: int = 1) -> Stage:
    return make_stage("make", "world", DataJob(1, seed, 8, 8, 8))


def until(is_so: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)
    return is_so()


def beat_file(root: Path) -> Path:
    (path,) = (root / RUNNING_FOLDER).glob("*.json")
    return path


def write_beat(root: Path, **values: Any) -> Path:
    record = {
        "key": stage().key,
        "name": "make",
        "kind": "data",
        "host": "elsewhere",
        "pid": 1,
        "worker": "",
        "started": "2026-01-01T00:00:00.000Z",
        "seconds": 30.0,
        "done": 5,
        "total": 20,
        "note": "",
        "first": 2,
        "before": 6.0,
        "examples_per_second": None,
        **values,
    }
    path = root / RUNNING_FOLDER / f"{record['key'][:16]}.{record['host']}-{record['pid']}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record))
    return path


def set_age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_stage_shows_a_sign_of_life_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(heartbeats, "_LEAST_SECONDS", 0.02)
    one = stage()
    with Journal(tmp_path, worker="w1").stage(one) as log:
        (beat,) = read_beats(tmp_path)
        assert (beat.key, beat.name, beat.kind, beat.worker) == (one.key, "make", "data", "w1")
        assert (beat.host, beat.pid) == (platform.node(), os.getpid())
        assert (beat.done, beat.total, beat.is_lost, beat.seconds_left) == (0, 0, False, None)
        log.resumed(2)
        log.stepped(3, 9, "loss 0.5")
        log.stepped(4, 9, "loss 0.4")
        assert until(lambda: read_beats(tmp_path)[0].done == 4)
        (beat,) = read_beats(tmp_path)
        assert (beat.first, beat.total, beat.note) == (3, 9, "loss 0.4")
        assert 0 <= beat.before <= beat.seconds
    assert read_beats(tmp_path) == []
    assert list((tmp_path / RUNNING_FOLDER).iterdir()) == []


def test_stage_that_makes_no_step_goes_on_showing_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(heartbeats, "_LEAST_SECONDS", 0.02)
    monkeypatch.setattr(heartbeats, "_BEAT_SECONDS", 0.05)
    with Journal(tmp_path).stage(stage()):
        path = beat_file(tmp_path)
        set_age(path, 500)
        assert until(lambda: path.stat().st_mtime > time.time() - 100)


def test_steps_do_not_wait_for_the_file_system(tmp_path: Path):
    with Journal(tmp_path).stage(stage()) as log:
        log.stepped(1, 100_000)
        began = time.perf_counter()
        for step in range(2, 5002):
            log.stepped(step, 100_000, "loss 1.000", StepNumbers(1.0, 0.1, 32))
        assert (time.perf_counter() - began) / 5000 < 200e-6


def test_time_left_is_that_of_the_steps_of_this_attempt(tmp_path: Path):
    path = write_beat(tmp_path)
    set_age(path, 0)
    (beat,) = read_beats(tmp_path)
    assert beat.seconds == pytest.approx(30, abs=1)
    assert beat.seconds_left == pytest.approx((30 - 6) / (5 - 2) * (20 - 5), rel=0.05)


@pytest.mark.parametrize(("age", "is_lost"), [(50, False), (70, True)])
def test_worker_on_another_host_is_lost_after_a_minute(tmp_path: Path, age: float, is_lost: bool):
    set_age(write_beat(tmp_path), age)
    (beat,) = read_beats(tmp_path)
    assert (beat.is_lost, round(beat.age / 10)) == (is_lost, age / 10)
    assert beat.seconds == pytest.approx(30 if is_lost else 30 + age, abs=2)


@pytest.mark.parametrize(("age", "is_lost"), [(5, False), (20, True)])
def test_worker_of_this_host_whose_process_is_gone_is_lost_after_three_beats(tmp_path: Path, age: float, is_lost: bool):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    set_age(write_beat(tmp_path, host=platform.node(), pid=gone.pid), age)
    assert read_beats(tmp_path)[0].is_lost is is_lost


def test_age_is_told_by_the_clock_of_the_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_beat(tmp_path)
    monkeypatch.setattr(time, "time", lambda: 4e9)  # a host whose clock is decades ahead
    assert read_beats(tmp_path)[0].age < 10
    assert [path.suffix for path in (tmp_path / RUNNING_FOLDER).iterdir()] == [".json"]


def test_of_two_workers_on_a_stage_the_younger_sign_counts(tmp_path: Path):
    set_age(write_beat(tmp_path, host="dead", done=9), 300)
    write_beat(tmp_path, host="alive", done=4)
    (beat,) = read_beats(tmp_path)
    assert (beat.host, beat.done, beat.is_lost) == ("alive", 4, False)


@pytest.mark.parametrize("text", ["{", "[]", '{"key": "of another version"}'])
def test_file_that_is_no_sign_of_life_is_left_out(tmp_path: Path, text: str):
    path = write_beat(tmp_path)
    path.with_name("other.json").write_text(text)
    assert len(read_beats(tmp_path)) == 1


def test_reading_while_stages_come_and_go_never_fails(tmp_path: Path):
    stop = threading.Event()

    def work(seed: int) -> None:
        while not stop.is_set():
            with Journal(tmp_path).stage(stage(seed)) as log:
                log.stepped(1, 2)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    seen = [len(read_beats(tmp_path)) for _ in range(200)]
    stop.set()
    for thread in threads:
        thread.join()
    assert max(seen) > 0
    assert read_beats(tmp_path) == []


def test_killed_worker_is_called_lost_and_the_next_attempt_takes_its_place(tmp_path: Path):
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "at work\n"
    assert until(lambda: read_beats(tmp_path)[0].done == 3)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    set_age(beat_file(tmp_path), 20)
    (beat,) = read_beats(tmp_path)
    assert (beat.is_lost, beat.pid, beat.worker, beat.done) == (True, worker.pid, "far", 3)
    assert made_counts(tmp_path) == {stage().key: 0}
    with Journal(tmp_path).stage(stage()):
        (beat,) = read_beats(tmp_path)
        assert (beat.is_lost, beat.pid) == (False, os.getpid())
    events = [event["event"] for event in read_events(Journal(tmp_path).path(stage()))]
    assert events == ["started", "step", "started", "finished"]
    assert made_counts(tmp_path) == {stage().key: 1}
