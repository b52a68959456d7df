from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adaptstilts.errors import AdaptstiltsError, DataError, StoreError, WriteError
from adaptstilts.study.execute import StepCallback, carry_out, sort_out
from adaptstilts.study.plan import Plan
from adaptstilts.study.stages import DataJob, ScoreJob, Stage, make_stage
from adaptstilts.study.store import MANIFEST, Artefact, Store


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

    def run(self, stage: Stage, inputs: tuple[Stage, ...], store: Store, on_step: StepCallback) -> Artefact:
        self.ran.append(stage.name)
        with store.writing(stage, {}) as folder:
            (folder / "name").write_text(stage.name)
            self.at.get(stage.name, lambda: None)()
            on_step(1, 2, "half")
        found = store.find(stage)
        assert found is not None
        return found


class Watcher:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def skipped(self, stages: list[Stage]) -> None:
        self.told.append(("skipped", *(stage.name for stage in stages)))

    def started(self, stage: Stage, left: int) -> None:
        self.told.append(("started", stage.name, left))

    def stepped(self, done: int, total: int, note: str) -> None:
        self.told.append(("stepped", done, total, note))

    def finished(self, stage: Stage, artefact: Artefact) -> None:
        self.told.append(("finished", stage.name, artefact.folder.name.rsplit("-", 1)[0]))

    def failed(self, stage: Stage, error: AdaptstiltsError) -> None:
        self.told.append(("failed", stage.name, str(error)))


def stop(error: BaseException) -> Callable[[], None]:
    def raise_it() -> None:
        raise error

    return raise_it


def test_carry_out_calls_back_once_when_data_are_there_and_nothing_else(tmp_path: Path):
    runner = Runner()
    ran: list[list[str]] = []
    store = Store(tmp_path)
    carry_out(PLAN, store, runner, Watcher(), when_data_is_there=lambda: ran.append(list(runner.ran)))
    assert ran == [["world"]]
    carry_out(PLAN, store, Runner(), Watcher(), when_data_is_there=lambda: ran.append([]))
    assert len(ran) == 1


def test_carry_out_runs_nothing_more_when_the_call_back_refuses_the_data(tmp_path: Path):
    runner = Runner()
    with pytest.raises(DataError, match="leak"):
        carry_out(PLAN, Store(tmp_path), runner, Watcher(), when_data_is_there=stop(DataError("leak")))
    assert runner.ran == ["world"]


def test_carry_out_makes_every_stage_in_order_and_tells_the_watcher(tmp_path: Path):
    runner, watcher = Runner(), Watcher()
    outcome = carry_out(PLAN, Store(tmp_path), runner, watcher)
    assert runner.ran == ["world", "left", "left-score", "right", "both"]
    assert outcome.made == [item.key for item in PLAN.stages]
    assert outcome.done.keys() == set(outcome.made)
    assert (outcome.failures, outcome.left_out) == ({}, [])
    assert watcher.told[:4] == [
        ("skipped",),
        ("started", "world", 5),
        ("stepped", 1, 2, "half"),
        ("finished", "world", "world"),
    ]
    assert [told for told in watcher.told if told[0] == "started"][-1] == ("started", "both", 1)


def test_carry_out_skips_what_is_there(tmp_path: Path):
    store = Store(tmp_path)
    carry_out(PLAN, store, Runner(), Watcher())
    runner, watcher = Runner(), Watcher()
    outcome = carry_out(PLAN, store, runner, watcher)
    assert runner.ran == []
    assert watcher.told == [("skipped", "world", "left", "left-score", "right", "both")]
    assert outcome.made == []
    assert len(outcome.done) == 5


def test_carry_out_leaves_out_only_what_needs_a_failed_stage(tmp_path: Path):
    error = DataError("no rows", path="left.tsv")
    runner, watcher = Runner({"left": stop(error)}), Watcher()
    store = Store(tmp_path)
    outcome = carry_out(PLAN, store, runner, watcher)
    assert runner.ran == ["world", "left", "right"]
    assert outcome.failures == {LEFT.key: error}
    assert outcome.left_out == ["left-score", "both"]
    assert ("failed", "left", "left.tsv: no rows.") in watcher.told
    assert store.find(LEFT) is None
    again = Runner()
    assert carry_out(PLAN, store, again, Watcher()).failures == {}
    assert again.ran == ["left", "left-score", "both"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError("a bug")], ids=["interruption", "bug"])
def test_carry_out_keeps_finished_stages_when_it_is_broken_off(tmp_path: Path, error: BaseException):
    store = Store(tmp_path)
    with pytest.raises(type(error)):
        carry_out(PLAN, store, Runner({"left-score": stop(error)}), Watcher())
    runner, watcher = Runner(), Watcher()
    carry_out(PLAN, store, runner, watcher)
    assert watcher.told[0] == ("skipped", "world", "left")
    assert runner.ran == ["left-score", "right", "both"]


def test_sort_out_leaves_alone_what_only_finished_stages_need(tmp_path: Path):
    store = Store(tmp_path)
    done = carry_out(PLAN, store, Runner(), Watcher()).done
    for item in (WORLD, LEFT):
        (done[item.key].folder / MANIFEST).unlink()
    outcome, todo = sort_out(PLAN, store, Watcher())
    assert todo == []
    assert outcome.done.keys() == {LEFT_SCORE.key, RIGHT.key, BOTH.key}


def test_sort_out_makes_a_missing_input_again_when_an_unfinished_stage_needs_it(tmp_path: Path):
    store = Store(tmp_path)
    done = carry_out(PLAN, store, Runner(), Watcher()).done
    for item in (WORLD, LEFT, BOTH):
        (done[item.key].folder / MANIFEST).unlink()
    _, todo = sort_out(PLAN, store, Watcher())
    assert todo == [WORLD, LEFT, BOTH]


def test_sort_out_raises_with_the_file_when_an_artefact_is_damaged(tmp_path: Path):
    store = Store(tmp_path)
    done = carry_out(PLAN, store, Runner(), Watcher()).done
    (done[RIGHT.key].folder / "name").write_text("")
    with pytest.raises(
        StoreError, match=r"right-\w+/name: missing or cut short\. Rebuild it: .* or remove .*right-\w+\."
    ):
        carry_out(PLAN, store, Runner(), Watcher())


def test_run_stops_when_the_store_cannot_be_written(tmp_path: Path):
    def full() -> None:
        raise OSError(28, "No space left on device")

    runner = Runner({"left": full})
    with pytest.raises(WriteError, match=r"cannot be written: No space left"):
        carry_out(PLAN, Store(tmp_path), runner, Watcher())
    assert runner.ran == ["world", "left"]
    assert Store(tmp_path).find(WORLD) is not None
