from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from claimers import at_work

from adaptstilts.api.status import next_command
from adaptstilts.engine.heartbeats import Beat, Failure
from adaptstilts.engine.journal import Journal
from adaptstilts.errors import DamagedError, DataError, UnreadableError
from adaptstilts.store.shared import SharedStore
from adaptstilts.store.stage import Stage, make_stage
from adaptstilts.store.store import MANIFEST, Store
from adaptstilts.study.eta import Pace
from adaptstilts.study.plan.jobs import DataJob, ScoreJob
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.status import STATES, Observer, Status, summarise, summarise_store
from adaptstilts.study.status_text import status_text


def stage(name: str, *inputs: Stage) -> Stage:
    job = ScoreJob(name, (), "", None) if inputs else DataJob(1, len(name), 8, 8, 8)
    return make_stage(f"make {name}", name, job, tuple(item.key for item in inputs))


WORLD = stage("world")
LEFT, RIGHT = stage("left", WORLD), stage("right", WORLD)
LEFT_SCORE, BOTH = stage("left-score", LEFT), stage("both", LEFT, RIGHT)
PLAN = Plan((WORLD, LEFT, LEFT_SCORE, RIGHT, BOTH), (), 0)


def beat(one: Stage, **values: object) -> Beat:
    made = Beat(one.key, one.name, one.kind.value, "node7", 11, seconds=30.0, age=1.0)
    return replace(made, **values)  # type: ignore[arg-type]


def failure(one: Stage) -> Failure:
    return Failure(
        one.key, one.name, one.kind.value, "x.tsv: no rows.", "DataError", "node7", 11, "", "now", "logs/score/x.jsonl"
    )


def measured(**seconds: float) -> Pace:
    """Estimates by kind, in seconds."""
    pace = Pace()
    for kind, value in seconds.items():
        pace.add(kind, {}, value)
    return pace


def summary(
    *done: Stage, beats: Sequence[Beat] = (), failures: Sequence[Failure] = (), workers: int = 1, **seconds: float
) -> Status:
    return summarise(PLAN, {one.key for one in done}, beats, failures, measured(**seconds), workers=workers)


def states(status: Status) -> dict[str, int]:
    found = {state: status.total(state) for state in STATES}
    return {state: count for state, count in found.items() if count}


def put(store: Store, *stages: Stage) -> None:
    for one in stages:
        with store.writing(one, {}) as folder:
            (folder / "name").write_text(one.name)


def test_everything_waits_at_first_and_its_time_is_a_guess():
    status = summary()
    assert states(status) == {"waiting": 5}
    assert dict(status.counts["score"]) == {
        **dict.fromkeys(STATES, 0),
        "waiting": 4,
    }
    assert (status.seconds_left, status.is_measured) == (pytest.approx(2.5 + 4 * 0.01), False)


def test_time_left_is_that_of_what_waits_and_of_what_is_left_of_what_runs():
    running = beat(LEFT, seconds=30.0, done=3, total=4, before=0.0)
    status = summary(WORLD, beats=[running], score=40.0, data=7.0)
    assert states(status) == {"done": 1, "running": 1, "waiting": 3}
    assert status.running[0].seconds_left == pytest.approx(10)
    assert (status.seconds_left, status.workers, status.is_measured) == (pytest.approx(3 * 40 + 10), 1, True)


def test_time_left_is_divided_by_the_workers_seen_but_no_less_than_the_longest_running_stage():
    beats = [beat(LEFT, done=1, total=2), beat(RIGHT, seconds=10.0)]
    status = summary(WORLD, beats=beats, score=40.0)
    assert [each.seconds_left for each in status.running] == [30, 30]  # by its steps; by the measured time
    assert (status.seconds_left, status.workers) == (pytest.approx((2 * 40 + 60) / 2), 2)
    slow = summary(WORLD, beats=[beat(LEFT, done=1, total=101), beats[1]], score=40.0)
    assert slow.seconds_left == pytest.approx(3000)
    assert summary(WORLD, score=40.0, workers=4).seconds_left == pytest.approx(40)


def test_stage_that_runs_longer_than_was_measured_has_no_known_time_left():
    status = summary(WORLD, beats=[beat(LEFT, seconds=50.0)], score=40.0)
    assert status.running[0].seconds_left is None


def test_failed_stage_leaves_out_what_needs_it_and_the_time_of_neither_counts():
    status = summary(WORLD, failures=[failure(LEFT)], score=40.0)
    assert states(status) == {"done": 1, "waiting": 1, "failed": 1, "left_out": 2}
    assert status.left_out == ("make left-score", "make both")
    assert status.seconds_left == pytest.approx(40)
    assert not status.is_over
    assert summary(WORLD, RIGHT, failures=[failure(LEFT)]).is_over


@pytest.mark.parametrize(
    ("is_lost", "expected"),
    [(False, {"done": 1, "running": 1, "waiting": 3}), (True, {"done": 1, "lost": 1, "waiting": 3})],
)
def test_stage_that_was_tried_again_after_it_failed_has_not_failed(is_lost: bool, expected: dict[str, int]):
    status = summary(WORLD, failures=[failure(LEFT)], beats=[beat(LEFT, is_lost=is_lost)])
    assert states(status) == expected
    assert status.failed == ()


def test_done_is_done_whatever_was_left_behind():
    status = summary(*PLAN.stages, failures=[failure(LEFT)], beats=[beat(RIGHT, is_lost=True)])
    assert states(status) == {"done": 5}
    assert (status.is_over, status.seconds_left) == (True, 0.0)


def test_stages_that_only_finished_ones_need_wait_to_be_made_again():
    assert states(summary(LEFT_SCORE, RIGHT, BOTH)) == {"done": 3, "waiting": 2}


def test_stages_of_other_studies_are_only_counted():
    others = [beat(stage("elsewhere")), beat(stage("another study"), is_lost=True)]
    status = summary(WORLD, beats=others)
    assert (states(status), status.elsewhere) == ({"done": 1, "waiting": 4}, 1)


def test_text_says_what_runs_failed_and_is_lost_and_how_to_go_on():
    beats = [
        beat(RIGHT, done=3, total=4, note="loss 0.5", examples_per_second=210.4, worker="w3"),
        beat(LEFT_SCORE, is_lost=True, age=75.0),
    ]
    status = summary(WORLD, beats=beats, failures=[failure(LEFT)], score=40.0)
    text = status_text(
        replace(status, recent=1, unreadable=("store/.leases/a.lease: cannot be read: no.",)),
        Path("store"),
        "adaptstilts run study.yaml seeds=[1]",
    )
    assert text.splitlines() == [
        "1 of 5 stages done, 1 running, 1 failed, 1 left out, 1 lost, about 50 s left with 1 worker, "
        "1 made in the last hour, 210 training examples/s",
        "",
        "kind   all  done  running  waiting  failed  left out  lost",
        "data     1     1        0        0       0         0     0",
        "score    4     0        1        0       1         1     1",
        "",
        "running",
        "  make right: step 3 of 4, loss 0.5, 210 examples/s, for 30 s, about 10 s left (node7:11 w3)",
        "",
        "lost",
        "  make left-score: no heartbeat from node7:11 for 75 s: the worker died or is unreachable; the next run, "
        "or one in progress, takes over its stage",
        "",
        "failed: make left: x.tsv: no rows.",
        "  node7, now",
        "  log: store/logs/score/x.jsonl",
        "",
        "unreadable lease: store/.leases/a.lease: cannot be read: no.",
        "",
        "left out, since they need a stage that failed: make both",
        "",
        "fix what failed, then run: adaptstilts run study.yaml seeds=[1]",
    ]


def test_look_finds_in_a_store_what_workers_left_there(tmp_path: Path):
    store = Store(tmp_path)
    put(store, WORLD)
    journal = Journal(tmp_path)
    with pytest.raises(DataError, match="no rows"), journal.stage(LEFT):
        raise DataError("no rows")
    with at_work(tmp_path, RIGHT) as log:
        log.stepped(1, 3, "de")
        status = Observer(Store(tmp_path), PLAN).look()
        assert states(status) == {"done": 1, "running": 1, "failed": 1, "left_out": 2}
        assert status.running[0].beat.pid == os.getpid()
        assert (status.recent, status.failed[0].host) == (1, platform.node())
        whole = Observer(Store(tmp_path)).look()
        assert states(whole) == {"done": 1, "running": 1, "failed": 1}
        assert (whole.seconds_left, whole.elsewhere) == (None, 0)
        json.dumps(status.record())
    put(store, RIGHT, LEFT)
    assert states(Observer(Store(tmp_path), PLAN).look()) == {"done": 3, "waiting": 2}
    assert states(Observer(Store(tmp_path / "nowhere"), PLAN).look()) == {"waiting": 5}


def test_observer_sees_artefacts_come_and_go(tmp_path: Path):
    store, observer = Store(tmp_path), Observer(Store(tmp_path), PLAN)
    assert observer.look().total("done") == 0
    put(store, WORLD, LEFT)
    assert observer.look().total("done") == 2
    assert observer.pace.knows(RIGHT)
    for path in (store.folder(LEFT) / MANIFEST, store.folder(LEFT) / "name"):
        path.unlink()
    store.folder(LEFT).rmdir()
    assert observer.look().total("done") == 1


def test_what_one_machine_finishes_at_an_address_is_done_on_every_other(tmp_path: Path, request):
    address = f"memory://{request.node.name}"
    here, there = SharedStore(address, tmp_path / "here"), SharedStore(address, tmp_path / "there")
    observer, whole = Observer(there, PLAN), Observer(there)
    assert states(observer.look()) == {"waiting": 5}
    put(here, WORLD, LEFT)
    status = observer.look()
    assert (states(status), status.recent) == ({"done": 2, "waiting": 3}, 2)
    assert observer.pace.knows(RIGHT)
    assert states(whole.look()) == {"done": 2}
    put(here, RIGHT)
    here.discard(LEFT)
    assert states(observer.look()) == {"done": 2, "waiting": 3}
    assert states(whole.look()) == {"done": 2}
    assert not (tmp_path / "there").exists()


def test_what_one_machine_makes_at_an_address_runs_for_every_other_until_it_gives_no_sign(tmp_path: Path, request):
    address = f"memory://{request.node.name}"
    here, there = SharedStore(address, tmp_path / "here"), SharedStore(address, tmp_path / "there")
    with here.claim(LEFT):
        for store in (here, there):
            (running,) = Observer(store, PLAN).look().running
            assert (running.beat.name, running.beat.pid) == ("make left", os.getpid())
        name = f"{LEFT.key[:16]}.lease"
        said = json.loads(here.remote.read(".leases", name))
        far = {**said, "holder": said["holder"].replace("~", "-far~", 1), "number": "far", "beat": time.time() - 100}
        here.remote.write(json.dumps(far).encode(), ".leases", name)
        assert states(Observer(here, PLAN).look())["running"] == 1
        status = Observer(there, PLAN).look()
        assert (status.running, [beat.age > 99 for beat in status.lost]) == ((), [True])


def test_artefact_that_is_damaged_before_it_was_shared_does_not_stop_a_look_at_an_address(tmp_path: Path, request):
    store = SharedStore(f"memory://{request.node.name}", tmp_path)
    put(Store(tmp_path), WORLD, LEFT)
    (store.folder(LEFT) / "name").unlink()
    assert states(Observer(store, PLAN).look())["done"] == 1


def test_artefact_that_is_damaged_at_an_address_is_named_with_its_address(tmp_path: Path, request):
    here, there = (SharedStore(f"memory://{request.node.name}", tmp_path / name) for name in ("here", "there"))
    put(here, WORLD, LEFT)
    here.remote.write(b"{", "score", LEFT.key[:16], MANIFEST)
    for observer in (Observer(there, PLAN), Observer(there)):
        status = observer.look()
        assert status.total("damaged") == 1
        (damaged,) = status.damaged
        assert (damaged.kind, damaged.folder) == ("score", f"{there.location}/score/{LEFT.key[:16]}")


def spoil(store: Store, what: str) -> Path:
    folder = store.folder(LEFT)
    if what == "missing":
        (folder / "name").unlink()
    elif what == "cut short":
        (folder / "name").write_text("make")
    elif what == "other seconds":
        text = (folder / MANIFEST).read_text()
        (folder / MANIFEST).write_text(text.replace('"seconds": 0', '"seconds": 9'))
    elif what == "another's":
        (folder / MANIFEST).write_bytes((store.folder(WORLD) / MANIFEST).read_bytes())
    else:
        (folder / MANIFEST).write_text(what)
    return folder


@pytest.mark.parametrize("what", ["missing", "cut short", "other seconds", "another's", "{", "[]", '{"key": 1}'])
def test_artefact_that_is_damaged_is_not_done_until_it_is_whole_again(tmp_path: Path, what: str):
    store = Store(tmp_path)
    put(store, WORLD, LEFT, LEFT_SCORE)
    folder = spoil(store, what)
    observer, whole = Observer(store, PLAN), Observer(store)
    status = observer.look()
    assert states(status) == {"done": 2, "waiting": 2, "damaged": 1}
    assert states(whole.look()) == {"done": 2, "damaged": 1}
    (damaged,) = status.damaged
    assert (damaged.name, damaged.kind, damaged.folder) == ("make left", "score", str(folder))
    assert damaged.problem.startswith("name: missing or cut short" if what in {"missing", "cut short"} else MANIFEST)
    assert [item.name for item in whole.look().damaged] == [folder.name]
    assert not status.is_over
    assert status.seconds_left == pytest.approx(sum(map(observer.pace.seconds, (LEFT, RIGHT, BOTH))))
    with at_work(tmp_path, LEFT):
        assert states(observer.look()) == {"done": 2, "running": 1, "waiting": 2}
        assert states(whole.look()) == {"done": 2, "running": 1}
    store.discard(LEFT)
    put(store, LEFT)
    assert states(observer.look()) == {"done": 3, "waiting": 2}
    assert states(whole.look()) == {"done": 3}


def test_look_at_thousands_of_stages_takes_less_than_a_second_of_cpu(tmp_path: Path):
    stages = [make_stage(f"make {n}", f"s{n}", DataJob(1, n, 8, 8, 8)) for n in range(3000)]
    (tmp_path / "data").mkdir()
    manifest = {"kind": "data", "job": {}, "seconds": 2.0, "started": "2026-01-01T00:00:00Z", "files": {}}
    for one in stages[:2000]:
        folder = tmp_path / "data" / f"{one.slug}-{one.key[:16]}"
        folder.mkdir()
        (folder / MANIFEST).write_text(json.dumps({**manifest, "key": one.key, "inputs": ["0" * 64] * 4}))
    observer = Observer(Store(tmp_path), Plan(tuple(stages), (), 0))
    began = time.process_time()
    status = observer.look()
    assert time.process_time() - began < 1.0
    assert states(status) == {"done": 2000, "waiting": 1000}
    assert status.seconds_left == pytest.approx(2000)
    seconds = []
    for _ in range(3):  # the quickest counts: a collection of the whole process's garbage may fall into one
        again = time.process_time()
        observer.look()
        seconds.append(time.process_time() - again)
    assert min(seconds) < 0.5


@pytest.mark.parametrize("others", [0, 1])
def test_artefact_that_cannot_be_read_is_not_to_be_made_again(others: int):
    """It may be whole, and `--rebuild` never replaces it."""
    errors: list[DamagedError] = [UnreadableError("cannot be read: Permission denied", folder="/store/train/abc~x")]
    errors += [DamagedError("missing or cut short", folder=f"/store/train/{n}~y") for n in range(others)]
    found = summarise_store({}, [], [], errors)
    text = status_text(found, Path("/store"), "adaptstilts run a.yaml")
    note = "  it may be whole, and is never replaced: check its permissions, its disk and the network."
    assert f"damaged: abc~x: cannot be read: Permission denied\n  folder: /store/train/abc~x\n{note}\n" in text
    assert found.needs_rebuild is bool(others)
    assert text.count("is never replaced") == 1
    first = "make the damaged artefacts again and continue" if others else "make the artefacts readable that cannot be"
    assert text.splitlines()[-1].startswith(first)
    assert ("--rebuild" in next_command(found, ["a.yaml"])) is bool(others)
