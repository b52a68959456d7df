import multiprocessing
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import NoReturn

import psutil
import pytest
from stand_in_work import QuietWatcher, StandInRunner, attempts, plan_of, stage

from adaptstilts.engine.journal import Journal, read_events
from adaptstilts.engine.process_pool import ProcessEngine
from adaptstilts.engine.protocols import StageRequest
from adaptstilts.engine.resources import Machine, Needs
from adaptstilts.engine.scheduler import Outcome, run_graph
from adaptstilts.store.store import Store

NO_GPU = Machine()


def broken_runner() -> NoReturn:
    raise ZeroDivisionError("no runner")


def carry(
    tmp_path: Path, *stages, retries: int = 0, machine=NO_GPU, make_runner=StandInRunner
) -> tuple[Outcome, QuietWatcher, Store]:
    store, watcher = Store(tmp_path), QuietWatcher()
    engine = ProcessEngine(2, make_runner, store, watcher.stepped, machine, lambda _: Needs(True, 1))
    outcome = run_graph(plan_of(*stages), store, engine, watcher, retries=retries)
    return outcome, watcher, store


def test_two_workers_make_every_stage_once_and_tell_how_far_each_is(tmp_path):
    first = stage("first")
    stages = (first, *(stage(f"slow-{number}", first) for number in range(4)))
    outcome, watcher, store = carry(tmp_path, *stages)
    assert sorted(outcome.made) == sorted(item.key for item in stages)
    assert sorted(slug for slug, _ in attempts(store)) == sorted(item.slug for item in stages)
    assert len({process for _, process in attempts(store)} - {os.getpid()}) == 2
    assert ("stepped", "slow-3", 1, 2, "half") in watcher.told
    assert not multiprocessing.active_children()


def test_a_killed_worker_is_replaced_and_its_stage_tried_again(tmp_path):
    stages = (stage("die-once"), stage("slow-a"), stage("slow-b"))
    outcome, watcher, store = carry(tmp_path, *stages, retries=1)
    assert len(outcome.made) == 3
    assert sorted(slug for slug, _ in attempts(store)) == ["die-once", "die-once", "slow-a", "slow-b"]
    notes = [told[1] for told in watcher.told if told[0] == "noted"]
    assert notes == ["tried again (1 of 1 time): die-once: a worker process died (signal SIGKILL)"]


def test_a_stage_whose_worker_always_dies_fails_alone_after_its_tries(tmp_path):
    bad = stage("die")
    outcome, _, _ = carry(tmp_path, bad, stage("after", bad), stage("slow-a"), retries=2)
    message = r"died \(signal SIGKILL\), after 3 tries\. Out of memory\?"
    assert re.search(message, str(outcome.failures[bad.key]))
    assert outcome.left_out == ["after"]
    assert len(outcome.made) == 1


def test_bad_input_fails_alone_and_is_not_tried_again(tmp_path):
    bad = stage("bad-input")
    outcome, _, store = carry(tmp_path, bad, stage("after", bad), stage("fine"), retries=2)
    assert str(outcome.failures[bad.key]) == "some.tsv: no rows."
    assert [slug for slug, _ in attempts(store)].count("bad-input") == 1
    assert outcome.left_out == ["after"]
    assert len(outcome.made) == 1


def test_a_bug_fails_its_stage_alone_and_its_worker_is_replaced(tmp_path):
    bug = stage("bug")
    outcome, _, store = carry(tmp_path, bug, stage("after", bug), stage("slow-a"), stage("slow-b"), stage("slow-c"))
    log = Journal(store.root).path(bug)
    message = f"ZeroDivisionError: a bug. A bug, or a problem of the machine; the traceback is in {log}."
    assert str(outcome.failures[bug.key]) == message
    (note,) = [event["text"] for event in read_events(log) if event["event"] == "note"]
    assert note.startswith("Traceback (most recent call last):")
    assert note.endswith("ZeroDivisionError: a bug\n")
    assert outcome.left_out == ["after"]
    assert len(outcome.made) == 3
    (first,) = {process for slug, process in attempts(store) if slug == "bug"}
    assert [process for _, process in attempts(store)].count(first) == 1
    assert not multiprocessing.active_children()


def test_worker_that_is_broken_before_any_stage_ends_the_run_with_its_traceback(tmp_path):
    with pytest.raises(RuntimeError, match=r"(?s)met a bug:.*ZeroDivisionError: no runner"):
        carry(tmp_path, stage("a"), make_runner=broken_runner)
    assert not multiprocessing.active_children()


def test_stage_without_memory_is_tried_again_and_given_up_at_last(tmp_path):
    once, always = stage("no-memory-once"), stage("no-memory")
    outcome, watcher, store = carry(tmp_path, once, always, stage("fine"), retries=2)
    assert len(outcome.made) == 2
    assert list(outcome.failures) == [always.key]
    message = r"out of memory: CUDA out of memory\. Tried to allocate 20\.00 MiB, after 3 tries\. Out of memory\? Lower"
    assert re.search(message, str(outcome.failures[always.key]))
    assert [slug for slug, _ in attempts(store)].count("no-memory") == 3
    assert any(told[0] == "noted" and str(told[1]).startswith("tried again (1 of 2 times)") for told in watcher.told)


def test_stage_that_is_tried_again_has_a_gpu_to_itself(tmp_path, monkeypatch):
    needs = lambda _: Needs(True, 20)  # noqa: E731
    made = ProcessEngine(4, StandInRunner, Store(tmp_path), QuietWatcher().stepped, Machine((100,), ("0",)), needs)
    monkeypatch.setattr(made, "_start", lambda number: _StoppedWorker(made, number))
    again, other = StageRequest(stage("again"), (), losses=1), StageRequest(stage("other"), ())
    made.submit(other)
    assert not made.has_room(again)
    made._workers.clear()
    made.submit(again)
    assert not made.has_room(other)


@pytest.mark.parametrize(("wanted", "fits"), [(40, [0, 1, 0, 1]), (60, [0, 1]), (0, [0, 1]), (500, [0, 1])])
def test_stages_share_a_gpu_as_far_as_its_memory_allows(tmp_path, monkeypatch, wanted, fits):
    machine = Machine((100, 100), ("0", "GPU-b"))
    made = ProcessEngine(
        4, StandInRunner, Store(tmp_path), QuietWatcher().stepped, machine, lambda _: Needs(True, wanted)
    )
    monkeypatch.setattr(made, "_start", lambda number: _StoppedWorker(made, number))
    taken = []
    for number in range(6):
        request = StageRequest(stage(f"s{number}"), ())
        if not made.has_room(request):
            break
        made.submit(request)
        taken.append(made._workers[-1].gpu)
    assert taken == fits


class _StoppedWorker:
    """A worker that takes a request and does nothing."""

    def __init__(self, engine: ProcessEngine, number: int) -> None:
        self.number, self.gpu, self.request, self.last = number, engine._gpu_of(number), None, frozenset()
        self.pipe = self
        engine._workers.append(self)

    def send(self, request: object) -> None:
        pass


def test_workers_see_only_their_gpu(tmp_path):
    stages = [stage(f"slow-{number}") for number in range(4)]
    outcome, _, _ = carry(tmp_path, *stages, machine=Machine((100, 100), ("0", "GPU-b")))
    seen = [(artefact.folder / "gpu").read_text() for artefact in outcome.done.values()]
    assert len(seen) == 4
    assert set(seen) == {"0", "GPU-b"}


def test_workers_end_when_their_parent_is_killed(tmp_path):
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from stand_in_work import QuietWatcher, StandInRunner, plan_of, stage
        from adaptstilts.engine.process_pool import ProcessEngine
        from adaptstilts.engine.scheduler import run_graph
        from adaptstilts.engine.resources import Machine, Needs
        from adaptstilts.store.store import Store

        if __name__ == "__main__":
            store, watcher = Store(Path(sys.argv[1])), QuietWatcher()
            engine = ProcessEngine(2, StandInRunner, store, watcher.stepped, Machine(), lambda _: Needs(True, 0))
            stages = [stage(f"slow-{number}") for number in range(200)]
            run_graph(plan_of(*stages), store, engine, watcher)
        """
    )
    (tmp_path / "main.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, str(tmp_path / "main.py"), str(tmp_path / "store")], env=environment)
    (tmp_path / "store").mkdir()
    deadline = time.monotonic() + 60
    while len({process for _, process in attempts(Store(tmp_path / "store"))}) < 2:
        assert time.monotonic() < deadline and parent.poll() is None
        time.sleep(0.05)
    workers = [psutil.Process(pid) for pid in {process for _, process in attempts(Store(tmp_path / "store"))}]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []
