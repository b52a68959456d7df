from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from claimers import at_work

from adaptstilts.engine import scheduler
from adaptstilts.engine.heartbeats import read_beats, read_failures
from adaptstilts.engine.in_process import InProcessEngine
from adaptstilts.engine.journal import Journal, StageLog, read_events
from adaptstilts.engine.protocols import StageRequest, StageResult
from adaptstilts.engine.scheduler import Outcome, run_graph, sort_out
from adaptstilts.errors import AdaptstiltsError, DamagedError, DataError, StoreError, WriteError
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.leases import Lease
from adaptstilts.store.process import here
from adaptstilts.store.stage import Stage, make_stage
from adaptstilts.store.store import MANIFEST, Store
from adaptstilts.study.plan.jobs import DataJob, ScoreJob
from adaptstilts.study.plan.plan import Plan


def stage(name: str, *inputs: Stage) -> Stage:
    job = ScoreJob(name, (), "", None) if inputs else DataJob(1, len(name), 8, 8, 8)
    return make_stage(name, name, job, tuple(item.key for item in inputs))


WORLD = stage("world")
LEFT, RIGHT = stage("left", WORLD), stage("right", WORLD)
LEFT_SCORE, BOTH = stage("left-score", LEFT), stage("both", LEFT, RIGHT)
PLAN = Plan((WORLD, LEFT, LEFT_SCORE, RIGHT, BOTH), (), 0)


class Runner:
    """Writes a stage's name; does what a test asks for at some stages first."""

    def __init__(self, at: dict[str, Callable[[], None]] | None = None) -> None:
        self.ran: list[str] = []
        self.at = at or {}

    def run(self, stage: Stage, inputs: tuple[Stage, ...], store: Store, log: StageLog) -> Artefact:
        self.ran.append(stage.name)
        with store.writing(stage, {}) as folder:
            (folder / "name").write_text(stage.name)
            self.at.get(stage.name, lambda: None)()
            log.stepped(1, 2, "half")
        found = store.find(stage)
        assert found is not None
        return found


class Watcher:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def skipped(self, stages: list[Stage]) -> None:
        self.told.append(("skipped", *(stage.name for stage in stages)))

    def started(self, stage: Stage, left: int, worker: str = "") -> None:
        self.told.append(("started", stage.name, left))

    def stepped(self, stage: Stage, done: int, total: int, note: str) -> None:
        self.told.append(("stepped", stage.name, done, total, note))

    def noted(self, text: str) -> None:
        self.told.append(("noted", text))

    def requeued(self, stage: Stage) -> None:
        self.told.append(("put back", stage.slug))

    def finished(self, stage: Stage, artefact: Artefact) -> None:
        self.told.append(("finished", stage.name, artefact.folder.name.rsplit("-", 1)[0]))

    def failed(self, stage: Stage, error: AdaptstiltsError) -> None:
        self.told.append(("failed", stage.name, str(error)))


def carry(store: Store, runner: Runner, watcher: Watcher, **more: Any) -> Outcome:
    return run_graph(PLAN, store, InProcessEngine(lambda: runner, store, watcher.stepped), watcher, **more)


def stop(error: BaseException) -> Callable[[], None]:
    def raise_it() -> None:
        raise error

    return raise_it


def test_carry_out_calls_back_once_when_data_are_there_and_nothing_else(tmp_path: Path):
    runner = Runner()
    ran: list[list[str]] = []
    store = Store(tmp_path)
    carry(store, runner, Watcher(), when_data_is_there=lambda: ran.append(list(runner.ran)))
    assert ran == [["world"]]
    carry(store, Runner(), Watcher(), when_data_is_there=lambda: ran.append([]))
    assert len(ran) == 1


def test_carry_out_runs_nothing_more_when_the_call_back_refuses_the_data(tmp_path: Path):
    runner = Runner()
    with pytest.raises(DataError, match="leak"):
        carry(Store(tmp_path), runner, Watcher(), when_data_is_there=stop(DataError("leak")))
    assert runner.ran == ["world"]


def test_carry_out_makes_every_stage_in_order_and_tells_the_watcher(tmp_path: Path):
    runner, watcher = Runner(), Watcher()
    outcome = carry(Store(tmp_path), runner, watcher)
    assert runner.ran == ["world", "left", "left-score", "right", "both"]
    assert outcome.made == [item.key for item in PLAN.stages]
    assert outcome.done.keys() == set(outcome.made)
    assert (outcome.failures, outcome.left_out) == ({}, [])
    assert watcher.told[:4] == [
        ("skipped",),
        ("started", "world", 5),
        ("stepped", "world", 1, 2, "half"),
        ("finished", "world", "world"),
    ]
    assert [told for told in watcher.told if told[0] == "started"][-1] == ("started", "both", 1)


def test_carry_out_skips_what_is_there(tmp_path: Path):
    store = Store(tmp_path)
    carry(store, Runner(), Watcher())
    runner, watcher = Runner(), Watcher()
    outcome = carry(store, runner, watcher)
    assert runner.ran == []
    assert watcher.told == [("skipped", "world", "left", "left-score", "right", "both")]
    assert outcome.made == []
    assert len(outcome.done) == 5


def test_carry_out_leaves_out_only_what_needs_a_failed_stage(tmp_path: Path):
    error = DataError("no rows", path="left.tsv")
    runner, watcher = Runner({"left": stop(error)}), Watcher()
    store = Store(tmp_path)
    outcome = carry(store, runner, watcher)
    assert runner.ran == ["world", "left", "right"]
    assert outcome.failures == {LEFT.key: error}
    assert outcome.left_out == ["left-score", "both"]
    assert ("failed", "left", "left.tsv: no rows.") in watcher.told
    assert store.find(LEFT) is None
    again = Runner()
    assert carry(store, again, Watcher()).failures == {}
    assert again.ran == ["left", "left-score", "both"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143)], ids=["interruption", "end"])
def test_carry_out_keeps_finished_stages_when_it_is_broken_off(tmp_path: Path, error: BaseException):
    store = Store(tmp_path)
    with pytest.raises(type(error)):
        carry(store, Runner({"left-score": stop(error)}), Watcher())
    runner, watcher = Runner(), Watcher()
    carry(store, runner, watcher)
    assert watcher.told[0] == ("skipped", "world", "left")
    assert runner.ran == ["left-score", "right", "both"]


def test_sort_out_makes_again_just_what_was_removed(tmp_path: Path):
    store = Store(tmp_path)
    done = carry(store, Runner(), Watcher()).done
    shutil.rmtree(done[LEFT.key].folder)
    runner = Runner()
    assert carry(store, runner, Watcher()).made == [LEFT.key]
    assert runner.ran == ["left"]


def test_sort_out_makes_a_missing_input_again_when_an_unfinished_stage_needs_it(tmp_path: Path):
    store = Store(tmp_path)
    done = carry(store, Runner(), Watcher()).done
    for item in (WORLD, LEFT, BOTH):
        (done[item.key].folder / MANIFEST).unlink()
    _, todo = sort_out(PLAN, store, Watcher())
    assert todo == [WORLD, LEFT, BOTH]


def test_damaged_artefact_is_a_failure_that_costs_only_what_needs_it(tmp_path: Path):
    store = Store(tmp_path)
    done = carry(store, Runner(), Watcher()).done
    (done[RIGHT.key].folder / "name").write_text("")
    for item in (LEFT_SCORE, BOTH):
        store.discard(item)
    watcher = Watcher()
    outcome = carry(store, Runner(), watcher)
    (error,) = outcome.failures.values()
    assert re.search(r"right-\w+/name: missing or cut short\. Rebuild it: .* --rebuild", str(error))
    assert [told for told in watcher.told if told[0] == "failed"] == [("failed", RIGHT.name, str(error))]
    assert outcome.made == [LEFT_SCORE.key]
    assert outcome.left_out == [BOTH.name]
    assert outcome.done.keys() == {WORLD.key, LEFT.key, LEFT_SCORE.key}


def test_rebuild_leaves_what_cannot_be_read_and_makes_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = Store(tmp_path)
    done = carry(store, Runner(), Watcher()).done
    (done[LEFT.key].folder / "name").write_text("wrong")
    closed, ask = done[RIGHT.key].folder / MANIFEST, os.open

    def refuse(path, *more, **options):
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return ask(path, *more, **options)

    monkeypatch.setattr(os, "open", refuse)
    outcome = carry(store, Runner(), Watcher(), rebuild=True)
    assert outcome.made == [LEFT.key]
    assert [str(error).partition(".json: ")[2] for error in outcome.failures.values()] == [
        "cannot be read: Permission denied. Check its permissions, its disk and the network."
    ]
    assert closed.exists()


def test_rebuild_makes_damaged_artefacts_again_and_says_which(tmp_path: Path):
    store = Store(tmp_path)
    done = carry(store, Runner(), Watcher()).done
    (done[RIGHT.key].folder / "name").write_text("wrong")
    runner, watcher = Runner(), Watcher()
    outcome = carry(store, runner, watcher, rebuild=True)
    assert runner.ran == ["right"]
    assert outcome.made == [RIGHT.key]
    assert watcher.told[0][1].startswith("made again: right: damaged (")


def test_rebuild_makes_an_input_again_that_is_found_damaged_when_it_is_used(tmp_path: Path):
    store = Store(tmp_path)

    def damage_once() -> None:
        found = store.find(LEFT)
        assert found is not None
        if runner.ran.count("both") == 1:
            (found.folder / "name").write_text("LEFT")
        store.open(LEFT)  # as a runner does with its inputs

    runner, watcher = Runner({"both": damage_once}), Watcher()
    outcome = carry(store, runner, watcher, rebuild=True)
    assert runner.ran == ["world", "left", "left-score", "right", "both", "left", "both"]
    assert outcome.failures == {}
    assert ("put back", "both") in watcher.told
    assert (outcome.done[LEFT.key].folder / "name").read_text() == "left"


def test_an_input_found_damaged_fails_its_user_alone_without_rebuild(tmp_path: Path):
    store = Store(tmp_path)

    def damage() -> None:
        found = store.find(LEFT)
        assert found is not None
        (found.folder / "name").write_text("LEFT")
        store.open(LEFT)

    outcome = carry(store, Runner({"both": damage}), Watcher())
    assert list(outcome.failures) == [BOTH.key]
    assert "--rebuild" in str(outcome.failures[BOTH.key])


@pytest.mark.parametrize("rebuild", [False, True])
def test_input_that_someone_removes_while_the_run_needs_it_is_made_again(tmp_path: Path, rebuild: bool):
    store = Store(tmp_path)

    def remove_once() -> None:
        if runner.ran.count("both") == 1:
            store.discard(LEFT)
            store.discard(WORLD)
        if store.open(LEFT) is None:
            raise DamagedError("left is no longer in the store", folder=store.folder(LEFT))

    runner, watcher = Runner({"both": remove_once}), Watcher()
    outcome = carry(store, runner, watcher, rebuild=rebuild)
    assert outcome.failures == {}
    assert runner.ran == ["world", "left", "left-score", "right", "both", "left", "both"]
    assert ("noted", "made again: left: it is no longer in the store") in watcher.told


def test_input_that_is_removed_again_and_again_fails_its_user(tmp_path: Path):
    store = Store(tmp_path)

    def remove() -> None:
        store.discard(LEFT)
        raise DamagedError("left is no longer in the store", folder=store.folder(LEFT))

    runner = Runner({"both": remove})
    outcome = carry(store, runner, Watcher())
    assert list(outcome.failures) == [BOTH.key]
    assert runner.ran.count("both") == 4


def test_artefact_that_is_removed_at_once_counts_as_lost(tmp_path: Path):
    class Removing(Runner):
        def run(self, stage, inputs, store, log):
            made = super().run(stage, inputs, store, log)
            if stage is LEFT:
                store.discard(stage)
            return made

    runner = Removing()
    outcome = carry(Store(tmp_path), runner, Watcher(), retries=1)
    assert "its artefact was removed right after it was made, after 2 tries" in str(outcome.failures[LEFT.key])
    assert runner.ran.count("left") == 2
    assert outcome.left_out == ["left-score", "both"]


def test_a_bug_fails_its_stage_alone_and_leaves_its_traceback_in_the_log(tmp_path: Path):
    store = Store(tmp_path)
    outcome = carry(store, Runner({"left": stop(ZeroDivisionError("a bug"))}), Watcher())
    assert str(outcome.failures[LEFT.key]).startswith(
        "ZeroDivisionError: a bug. A bug, or a problem of the machine; the"
    )
    assert outcome.left_out == ["left-score", "both"]
    assert RIGHT.key in outcome.done
    assert "test_scheduler.py" in read_events(Journal(store.root).path(LEFT))[-1]["text"]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("no")], ids=["memory", "other"])
def test_only_a_lack_of_memory_is_tried_again(tmp_path: Path, error: Exception):
    runner = Runner({"left": stop(error)})
    outcome = carry(Store(tmp_path), runner, Watcher(), retries=2)
    is_tried_again = isinstance(error, MemoryError)
    assert runner.ran.count("left") == (3 if is_tried_again else 1)
    assert ("out of memory: MemoryError, after 3 tries" in str(outcome.failures[LEFT.key])) == is_tried_again


def test_stage_whose_workers_died_again_and_again_has_failed_and_is_not_lost(tmp_path: Path):
    store = Store(tmp_path)

    def die() -> None:
        """Leave the lease as a worker on another machine leaves it that is killed."""
        (lease,) = store.leases()[0].read_all()
        died.append(lease)
        raise MemoryError

    died: list[Lease] = []
    runner = Runner({"left": die})
    engine = InProcessEngine(lambda: runner, store, lambda *step: None)
    results = engine.results

    def results_of_the_dead(seconds: float | None) -> Sequence[StageResult]:
        found = results(seconds)
        if died:
            lease = replace(died.pop(), holder=replace(here(), host="elsewhere"))
            store.leases()[0].objects.create(lease.name, lease.text())
        return found

    engine.results = results_of_the_dead  # type: ignore[method-assign]
    outcome = run_graph(PLAN, store, engine, Watcher())
    assert list(outcome.failures) == [LEFT.key]
    assert [failure.key for failure in read_failures(tmp_path)] == [LEFT.key]
    assert read_beats(store) == []


def test_stage_that_is_given_up_stays_with_another_process_that_has_it_by_then(tmp_path: Path):
    store = Store(tmp_path)
    name = f"{LEFT.key[:16]}.lease"
    engine = InProcessEngine(lambda: Runner({"left": stop(MemoryError())}), store, lambda *step: None)
    results = engine.results

    def results_of_slow_news(seconds: float | None) -> Sequence[StageResult]:
        found = results(seconds)
        if any(result.what == "lost" for result in found):
            lease = Lease("other", replace(here(), host="elsewhere"), time.time(), name, {"request": "theirs"})
            store.leases()[0].objects.create(name, lease.text())
        return found

    engine.results = results_of_slow_news  # type: ignore[method-assign]
    outcome = run_graph(PLAN, store, engine, Watcher())
    assert list(outcome.failures) == [LEFT.key]
    assert store.claimant(LEFT).host == "elsewhere"


def test_stage_whose_claim_looks_free_and_is_not_is_tried_only_after_a_pause(tmp_path: Path):
    class Refusing(InProcessEngine):
        def submit(self, request: StageRequest) -> None:
            times.append(time.monotonic())
            if len(times) > 3:
                super().submit(request)

        def results(self, seconds: float | None) -> Sequence[StageResult]:
            return super().results(seconds) if len(times) > 3 else [StageResult(WORLD.key, "claimed")]

    times: list[float] = []
    store = Store(tmp_path)
    outcome = run_graph(Plan((WORLD,), (), 0), store, Refusing(Runner, store, lambda *step: None), Watcher())
    assert list(outcome.done) == [WORLD.key]
    assert [later - earlier >= 0.1 for earlier, later in pairwise(times)] == [True] * 3


@pytest.mark.parametrize(("errors", "ends"), [(1, False), (1000, True)])
def test_claim_that_cannot_be_read_counts_as_claimed_until_its_stage_fails(
    tmp_path: Path, monkeypatch, errors: int, ends: bool
):
    monkeypatch.setattr(scheduler, "_LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(scheduler, "_FIRST_PAUSE", 0.01)
    store, left = Store(tmp_path), [None] * errors
    is_claimed = store.is_claimed

    def fail_first(stage: Stage) -> bool:
        if stage is WORLD and left:
            left.pop()
            raise StoreError("cannot be read: Stale file handle")
        return is_claimed(stage)

    monkeypatch.setattr(store, "is_claimed", fail_first)
    failures = carry(store, Runner(), Watcher()).failures
    assert [str(error) for error in failures.values()] == (["cannot be read: Stale file handle."] if ends else [])


def test_file_that_cannot_be_read_fails_its_stage_alone(tmp_path: Path):
    place = tmp_path / "store" / "data" / "world" / "x.tsv"
    error = OSError(5, "Input/output error", str(place))
    outcome = carry(Store(tmp_path / "store"), Runner({"left": stop(error)}), Watcher())
    message = f"{place}: cannot be read: Input/output error. Check the disk; the same command continues from"
    assert str(outcome.failures[LEFT.key]).startswith(message)
    assert RIGHT.key in outcome.done


def test_stages_that_another_process_makes_are_waited_for_and_taken_over(tmp_path: Path):
    store = Store(tmp_path)
    carry(store, Runner({"left": stop(DataError("stop here"))}), Watcher())
    shutil.rmtree(store.folder(RIGHT))

    def elsewhere() -> None:
        with at_work(tmp_path, LEFT) as log:
            claimed.set()
            assert is_waited_for.wait(20)
            Runner().run(LEFT, (WORLD,), Store(tmp_path), log)

    class Waiting(Watcher):
        def noted(self, text: str) -> None:
            super().noted(text)
            is_waited_for.set()

    claimed, is_waited_for = threading.Event(), threading.Event()
    thread = threading.Thread(target=elsewhere)
    thread.start()
    assert claimed.wait(20)
    runner, watcher = Runner(), Waiting()
    outcome = carry(store, runner, watcher)
    thread.join()
    assert runner.ran == ["right", "left-score", "both"]
    assert LEFT.key in outcome.done
    assert LEFT.key not in outcome.made
    assert ("noted", "waiting for another process, which is making: left") in watcher.told


def test_run_stops_when_the_store_cannot_be_written(tmp_path: Path):
    def full() -> None:
        raise OSError(28, "No space left on device")

    runner = Runner({"left": full})
    with pytest.raises(WriteError, match=r"cannot be written: No space left"):
        carry(Store(tmp_path), runner, Watcher())
    assert runner.ran == ["world", "left"]
    assert Store(tmp_path).find(WORLD) is not None
