from __future__ import annotations

import io
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from claimers import at_work
from rich.console import Console

from adaptstilts.engine.heartbeats import Beat
from adaptstilts.errors import DataError
from adaptstilts.progress.dashboard import Dashboard, TerminalWatcher, draw
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import Stage, make_stage
from adaptstilts.store.store import Store
from adaptstilts.study.eta import Pace
from adaptstilts.study.plan.jobs import DataJob, ScoreJob
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.status import Status, summarise


def stage(name: str, *inputs: Stage) -> Stage:
    job = ScoreJob(name, (), "", None) if inputs else DataJob(1, len(name), 8, 8, 8)
    return make_stage(name, name.replace(" ", "-"), job, tuple(item.key for item in inputs))


WORLD = stage("generate the world")
LEFT, RIGHT = stage("score left", WORLD), stage("score right", WORLD)
BOTH = stage("score both", LEFT, RIGHT)
PLAN = Plan((WORLD, LEFT, RIGHT, BOTH), (), 0)
MADE = Artefact(Path("somewhere"), {"seconds": 2.0, "key": "", "files": {}})


def running(one: Stage, **values: object) -> Beat:
    made = Beat(one.key, one.name, "score", "node7", 11, seconds=60.0, age=1.0)
    return replace(made, **values)  # type: ignore[arg-type]


def drawn(status: Status, *, most_rows: int = 20, width: int = 100) -> list[str]:
    """What a terminal shows, line by line."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(draw(status, most_rows=most_rows))
    return [line.rstrip() for line in console.export_text().splitlines()]


def interactive(width: int = 100) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=20)


def text_of(console: Console) -> str:
    """What was written to a terminal, without the codes that move and colour."""
    assert isinstance(console.file, io.StringIO)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())


def lines_of(watcher: TerminalWatcher) -> list[str]:
    return drawn(watcher.status())


def test_dashboard_shows_the_whole_the_kinds_and_a_bar_of_its_own_for_each_running_stage():
    beats = [
        running(LEFT, done=30, total=60, note="loss 0.53"),
        running(RIGHT, done=15, total=60, note="de", host="node8", examples_per_second=99.6),
    ]
    pace = Pace()
    pace.add("score", {}, 200.0)
    lines = drawn(summarise(PLAN, {WORLD.key}, beats, [], pace))
    assert lines[0].startswith("study ")
    assert lines[0].endswith(" 1/4 about 4 min left with 2 workers")
    assert lines[1] == "      data 1/1   score 0/3   100 training examples/s"
    left, right = lines[2:]
    assert re.fullmatch(r"score left  node7:11 +━{10}╺━{9} 30/60 loss 0\.53 60 s left", left)
    assert re.fullmatch(r"score right  node8:11 +━{5}╺━{14} 15/60 de +3 min left", right)
    assert left.index("━") == right.index("━")


def test_dashboard_on_one_host_leaves_the_host_out_and_shortens_long_names():
    long = stage("predict " + "a very long name " * 10)
    plan = Plan((long,), (), 0)
    lines = drawn(summarise(plan, (), [running(long, kind="data")], [], Pace()))
    assert lines[0].endswith("0/1")
    assert re.fullmatch(r"predict a very long .*… [━╸╺ ]+ 60 s", lines[2])
    assert "node7" not in lines[2]
    assert all(len(line) <= 100 for line in lines)


def test_dashboard_says_how_many_stages_run_where_there_is_no_room_for_all():
    stages = [stage("score " + "x" * n, WORLD) for n in range(1, 8)]
    plan = Plan((WORLD, *stages), (), 0)
    beats = [running(one) for one in stages]
    lines = drawn(summarise(plan, {WORLD.key}, beats, [], Pace()), most_rows=3)
    assert len(lines) == 2 + 3 + 1
    assert lines[-1] == "and 4 more running"


def test_dashboard_shows_what_is_lost_and_failed():
    watcher = TerminalWatcher(PLAN, Console(file=io.StringIO()))
    watcher.skipped([WORLD])
    watcher.failed(LEFT, DataError("no rows"))
    assert "data 1/1   score 0/3   1 failed   1 left out" in "\n".join(lines_of(watcher))
    status = summarise(PLAN, {WORLD.key}, [running(LEFT, is_lost=True, age=70.0)], [], Pace())
    lines = drawn(status)
    assert "1 lost" in "\n".join(lines)
    assert lines[3] == "lost: score left (node7:11, silent for 70 s)"


def test_step_moves_the_bar_of_its_own_stage_only():
    watcher = TerminalWatcher(PLAN, Console(file=io.StringIO()), workers=2)
    watcher.skipped([WORLD])
    watcher.started(LEFT, 3)
    watcher.started(RIGHT, 2, worker="w2")
    watcher.stepped(LEFT, 3, 7, "loss 0.5")
    left, right = lines_of(watcher)[2:]
    assert re.search(r"^score left .* 3/7 +loss 0\.5", left)
    assert re.search(r"^score right  w2 .* 0 s", right)
    watcher.stepped(RIGHT, 1, 9, "de")
    left, right = lines_of(watcher)[2:]
    assert " 3/7 " in left
    assert re.search(r" 1/9 +de", right)
    watcher.finished(LEFT, MADE)
    assert [line.split()[1] for line in lines_of(watcher)[2:]] == ["right"]
    watcher.stepped(LEFT, 4, 7, "late")
    assert len(lines_of(watcher)) == 3


def test_watcher_shows_the_steps_of_workers_elsewhere_from_the_store(tmp_path: Path):
    watcher = TerminalWatcher(PLAN, Console(file=io.StringIO()), workers=2, store=tmp_path)
    with at_work(tmp_path, LEFT, worker="w9") as left, at_work(tmp_path, RIGHT):
        left.stepped(2, 8, "loss 0.7")
        deadline = time.monotonic() + 10
        while "2/8" not in "\n".join(lines_of(watcher)) and time.monotonic() < deadline:
            time.sleep(0.1)
        lines = lines_of(watcher)
    assert any(re.search(r"^score left  w9 .* 2/8 loss 0\.7", line) for line in lines)
    assert any(line.startswith("score right ") for line in lines)


def test_watcher_sees_what_others_finish_in_the_store(tmp_path: Path):
    watcher = TerminalWatcher(PLAN, Console(file=io.StringIO()), store=tmp_path)
    with Store(tmp_path).writing(WORLD, {}) as folder:
        (folder / "name").write_text("world")
    assert watcher.status().total("done") == 1


def test_lines_are_the_same_on_a_terminal_and_elsewhere():
    consoles = [interactive(), Console(file=io.StringIO(), width=40)]
    for console in consoles:
        with TerminalWatcher(PLAN, console) as watcher:
            watcher.skipped([WORLD])
            watcher.noted("a note")
            watcher.started(LEFT, 3)
            watcher.stepped(LEFT, 1, 2, "half")
            watcher.finished(LEFT, MADE)
            watcher.started(RIGHT, 2)
            watcher.failed(RIGHT, DataError("no rows", path="x.tsv"))
    expected = [
        "skipping 1 finished stage (1 data)",
        "a note",
        "[2/4] score left: 2.0 s, about 4 s left",
        "failed: score right: x.tsv: no rows.",
    ]
    terminal, file = map(text_of, consoles)
    assert file.splitlines() == expected
    for line in expected:
        assert line in terminal
    assert "\x1b[31mfailed: score right" in consoles[0].file.getvalue()  # type: ignore[attr-defined]
    assert re.search(r"study +[━╸╺]+ 2/4 ", terminal)
    assert not re.search(r"study +[━╸╺]+", file)


def test_drawing_goes_on_while_stages_change(tmp_path: Path):
    console = interactive()
    stages = [stage("score " + "x" * n, WORLD) for n in range(1, 60)]
    plan = Plan((WORLD, *stages), (), 0)
    problems: list[threading.ExceptHookArgs] = []
    before = threading.excepthook
    threading.excepthook = problems.append
    try:
        with TerminalWatcher(plan, console, store=tmp_path) as watcher:
            drawing = threading.Thread(target=lambda: [draw(watcher.status(), most_rows=9) for _ in range(200)])
            drawing.start()
            for one in stages:
                watcher.started(one, 1)
                watcher.stepped(one, 1, 2, "half")
                watcher.finished(one, MADE)
            drawing.join()
    finally:
        threading.excepthook = before
    assert problems == []
    assert f"[{len(stages)}/{len(plan.stages)}]" in text_of(console)


def test_dashboard_draws_nothing_where_there_is_no_terminal():
    console = Console(file=io.StringIO())
    with Dashboard(console, lambda: pytest.fail("looked")):
        pass
    assert text_of(console) == ""


@pytest.mark.parametrize("width", [100, 60])
def test_time_left_is_wrapped_where_it_does_not_fit(width: int):
    plan = Plan(tuple(stage(f"score {number}", WORLD) for number in range(731)), (), 0)
    status = replace(summarise(plan, set(), [], [], Pace(), workers=1), is_measured=False, seconds_left=11.0)
    lines = drawn(status, width=width)
    assert lines[0].startswith("study ")
    assert " 0/731 about 11 s left " in lines[0]
    assert "a guess, since little has been measured yet" in " ".join(" ".join(lines).split())
    assert "…" not in "".join(lines)
