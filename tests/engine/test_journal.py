from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from repository import ROOT

from adaptstilts.engine import journal as journal_module
from adaptstilts.engine.heartbeats import read_failures
from adaptstilts.engine.journal import Journal, StepNumbers, made_counts, read_events, write_event
from adaptstilts.errors import DataError
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import Stage, make_stage
from adaptstilts.study.plan.jobs import DataJob


def stage(seed: int = 1) -> Stage:
    return make_stage(f"make {seed}", f"world-{seed}", DataJob(1, seed, 8, 8, 8))


def events(root: Path, one: Stage, *names: str) -> list[dict[str, Any]]:
    found = read_events(Journal(root).path(one))
    return [event for event in found if not names or event["event"] in names]


def test_stage_that_succeeds_is_started_and_finished_with_time_place_and_size(tmp_path: Path):
    one = stage()
    with Journal(tmp_path, worker="w7").stage(one) as log:
        log.made(Artefact(tmp_path, {"files": {"a": {"bytes": 30}, "b": {"bytes": 12}}}))
    started, finished = events(tmp_path, one)
    assert Journal(tmp_path).path(one) == tmp_path / "logs" / "data" / f"world-1-{one.key[:16]}.jsonl"
    for event in (started, finished):
        assert (event["key"], event["host"], event["pid"]) == (one.key, platform.node(), os.getpid())
        assert event["worker"] == "w7"
        said = datetime.strptime(event["time"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
        assert abs(said - time.time()) < 60
    assert (started["event"], started["name"], started["kind"]) == ("started", "make 1", "data")
    assert (finished["event"], finished["bytes"]) == ("finished", 42)
    assert 0 <= finished["seconds"] < 10


def test_stage_that_fails_says_what_and_is_kept_until_it_succeeds(tmp_path: Path):
    one = stage()
    with pytest.raises(DataError, match="no rows"), Journal(tmp_path).stage(one):
        raise DataError("no rows", path="x.tsv")
    (failed,) = events(tmp_path, one, "failed")
    assert (failed["error"], failed["type"]) == ("x.tsv: no rows.", "DataError")
    (kept,) = read_failures(tmp_path)
    assert (kept.key, kept.error, kept.log) == (one.key, "x.tsv: no rows.", f"logs/data/world-1-{one.key[:16]}.jsonl")
    with Journal(tmp_path).stage(one):
        assert len(read_failures(tmp_path)) == 1
    assert read_failures(tmp_path) == []
    assert [event["event"] for event in events(tmp_path, one)] == ["started", "failed", "started", "finished"]


def test_stage_that_is_interrupted_has_not_failed(tmp_path: Path):
    one = stage()
    with pytest.raises(KeyboardInterrupt), Journal(tmp_path).stage(one):
        raise KeyboardInterrupt
    assert [event["event"] for event in events(tmp_path, one)] == ["started", "interrupted"]
    assert read_failures(tmp_path) == []


def test_steps_are_thinned_averaged_and_the_last_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(journal_module, "_LEAST_SECONDS", 0.0)
    one = stage()
    told: list[tuple[int, int, str]] = []
    with Journal(tmp_path).stage(one, lambda *step: told.append(step)) as log:
        for step in range(1, 1001):
            log.stepped(step, 1000, f"loss {step}", StepNumbers(float(step), 0.5, 4))
    steps = events(tmp_path, one, "step")
    assert [event["step"] for event in steps] == [1, *range(11, 1001, 10), 1000]
    assert {event["steps"] for event in steps} == {1000}
    assert [event["loss"] for event in steps][:3] == [1.0, 6.5, 16.5]  # means of 1, of 2 to 11, of 12 to 21
    assert {event["learning_rate"] for event in steps} == {0.5}
    assert "examples_per_second" not in steps[0]
    assert all(event["examples_per_second"] > 0 for event in steps[1:])
    assert told == [(step, 1000, f"loss {step}") for step in range(1, 1001)]


def test_steps_of_one_second_are_one_event_and_one_at_the_end(tmp_path: Path):
    one = stage()
    with Journal(tmp_path).stage(one) as log:
        for step in range(1, 51):
            log.stepped(step, 100, f"language {step}")
    assert [(event["step"], event["note"]) for event in events(tmp_path, one, "step")] == [
        (1, "language 1"),
        (50, "language 50"),
    ]


def test_dev_scores_and_checkpoints_take_no_part_in_examples_per_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    clock = [100.0]
    monkeypatch.setattr(journal_module, "_LEAST_SECONDS", 0.0)
    monkeypatch.setattr(journal_module.time, "perf_counter", lambda: clock[0])
    one = stage()
    with Journal(tmp_path).stage(one) as log:
        log.resumed(5)
        log.stepped(6, 8, numbers=StepNumbers(1.0, 0.1, 10))
        clock[0] += 0.35
        log.dev(6, 71.5, 0.1)
        log.checkpoint(6, 0.05)
        log.stepped(7, 8, numbers=StepNumbers(float("nan"), 0.1, 10))
        log.noted("a word")
    assert [event["event"] for event in events(tmp_path, one)] == [
        *("started", "resumed", "step", "dev", "checkpoint", "step", "note", "finished")
    ]
    (dev,) = events(tmp_path, one, "dev")
    assert (dev["step"], dev["score"], dev["seconds"]) == (6, 71.5, 0.1)
    second = events(tmp_path, one, "step")[1]
    assert second["loss"] is None  # not finite, which JSON cannot say
    assert second["examples_per_second"] == pytest.approx(10 / (0.35 - 0.15))


def test_followers_receive_every_step_dev_scores_and_the_numbers_of_the_record(tmp_path: Path):
    class Follower:
        def __init__(self) -> None:
            self.told: list[tuple[int, dict[str, float]]] = []

        def log(self, values: dict[str, float], step: int) -> None:
            self.told.append((step, values))

    follower = Follower()
    with Journal(tmp_path).stage(stage()) as log:
        log.followers.append(follower)
        log.stepped(1, 3, numbers=StepNumbers(2.0, 0.1))
        log.stepped(2, 3, numbers=StepNumbers(1.0, 0.2))
        log.dev(2, 60.0)
        log.summary({"best_dev": 60.0, "losses": [1.5], "stopped_early": True, "seconds": float("nan")})
    assert follower.told == [
        (1, {"loss": 2.0, "learning_rate": 0.1}),
        (2, {"loss": 1.0, "learning_rate": 0.2}),
        (2, {"dev_score": 60.0}),
        (2, {"summary/best_dev": 60.0, "summary/stopped_early": True}),
    ]


def test_read_events_leaves_out_torn_lines_and_the_next_writer_ends_them(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    write_event(path, {"event": "started"})
    with path.open("ab") as file:
        file.write('{"event": "step", "note": "ü'.encode()[:-1])  # cut within a letter
    assert [event["event"] for event in read_events(path)] == ["started"]
    write_event(path, {"event": "finished"}, is_first=True)
    assert [event["event"] for event in read_events(path)] == ["started", "finished"]
    assert read_events(tmp_path / "none.jsonl") == []


def test_log_that_cannot_be_written_does_not_end_the_work(tmp_path: Path):
    (tmp_path / "store").write_text("a file where the folder should be")
    with Journal(tmp_path / "store").stage(stage()) as log:
        log.stepped(1, 1)


WRITER = """
import sys
from pathlib import Path
from adaptstilts.engine.journal import write_event
for number in range(300):
    write_event(Path(sys.argv[1]), {"event": "step", "writer": sys.argv[2], "number": number, "text": "x" * 900})
"""


def test_lines_of_four_processes_that_write_at_once_do_not_mix(tmp_path: Path):
    path = tmp_path / "logs" / "log.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(n)], cwd=ROOT) for n in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert len(found) == 1200
    for writer in range(4):
        assert [event["number"] for event in found if event["writer"] == str(writer)] == list(range(300))


def test_made_counts_count_artefacts_not_attempts(tmp_path: Path):
    once, twice, never = stage(1), stage(2), stage(3)
    journal = Journal(tmp_path)
    for one in (once, twice, twice):
        with journal.stage(one):
            pass
    for one in (once, never):
        with pytest.raises(DataError, match="no"), journal.stage(one):
            raise DataError("no")
    assert made_counts(tmp_path) == {once.key: 1, twice.key: 2, never.key: 0}
    assert made_counts(tmp_path / "nowhere") == {}
