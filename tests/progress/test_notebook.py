"""Progress in a notebook, shown to a stand-in for its output."""

from __future__ import annotations

from pathlib import Path

import pytest

from adaptstilts.errors import DataError
from adaptstilts.progress.choose import study_watcher
from adaptstilts.progress.dashboard import TerminalWatcher
from adaptstilts.progress.notebook import NotebookWatcher, in_notebook
from adaptstilts.progress.watcher import StudyWatcher
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import Stage, make_stage
from adaptstilts.study.plan.jobs import DataJob, ScoreJob
from adaptstilts.study.plan.plan import Plan


def stage(name: str, *inputs: Stage) -> Stage:
    job = ScoreJob(name, (), "", None) if inputs else DataJob(1, len(name), 8, 8, 8)
    return make_stage(name, name.replace(" ", "-"), job, tuple(item.key for item in inputs))


WORLD = stage("generate the world")
LEFT, RIGHT = stage("score left", WORLD), stage("score right", WORLD)
PLAN = Plan((WORLD, LEFT, RIGHT), (), 0)
MADE = Artefact(Path("somewhere"), {"seconds": 2.0, "key": "", "files": {}})


def shown_by_a_run(*, seconds: float, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What is shown while a run of three stages, of which one fails, takes ``seconds`` between two events."""
    clock = iter(range(10_000))
    monkeypatch.setattr("adaptstilts.progress.notebook.time.perf_counter", lambda: next(clock) * seconds)
    shown: list[dict[str, str]] = []
    with NotebookWatcher(PLAN, shown.append) as watcher:
        watcher.skipped([WORLD])
        watcher.noted("overlaps: <none>")
        watcher.started(LEFT, 2)
        watcher.stepped(LEFT, 1, 2, "de")
        watcher.finished(LEFT, MADE)
        watcher.started(RIGHT, 1)
        watcher.failed(RIGHT, DataError("no such file", path="xnli.tsv"))
    return shown


def test_output_shows_bars_and_running_stages_while_a_study_runs(monkeypatch: pytest.MonkeyPatch):
    shown = shown_by_a_run(seconds=1.0, monkeypatch=monkeypatch)
    assert len(shown) > 3
    assert any("1/3" in each["text/plain"] and "score left" in each["text/plain"] for each in shown)
    assert all("<pre" in each["text/html"] and "━" in each["text/html"] for each in shown)


def test_last_output_keeps_remarks_and_failures_and_no_line_of_a_finished_stage(monkeypatch: pytest.MonkeyPatch):
    last = shown_by_a_run(seconds=1.0, monkeypatch=monkeypatch)[-1]
    assert "2/3" in last["text/plain"]
    assert "overlaps: <none>" in last["text/plain"]
    assert "overlaps: &lt;none&gt;" in last["text/html"]
    assert "failed: score right: xnli.tsv: no such file" in last["text/plain"]
    assert "[2/3] score left" not in last["text/plain"]


def test_output_is_redrawn_only_so_often(monkeypatch: pytest.MonkeyPatch):
    assert len(shown_by_a_run(seconds=0.001, monkeypatch=monkeypatch)) == 2  # at the start and at the end


def test_interrupted_run_says_that_its_stages_are_kept():
    shown: list[dict[str, str]] = []
    with pytest.raises(KeyboardInterrupt), NotebookWatcher(PLAN, shown.append):
        raise KeyboardInterrupt
    assert "finished stages are kept" in shown[-1]["text/plain"]


def test_place_of_progress_is_the_terminal_outside_a_notebook_and_none_where_it_is_off(tmp_path: Path):
    assert not in_notebook()
    assert type(study_watcher(PLAN, workers=1, store=tmp_path, is_shown=True)) is TerminalWatcher
    assert type(study_watcher(PLAN, workers=1, store=tmp_path, is_shown=False)) is StudyWatcher


def test_watcher_that_is_off_writes_nothing(capfd: pytest.CaptureFixture[str]):
    with StudyWatcher(PLAN) as watcher:
        watcher.skipped([WORLD])
        watcher.noted("a remark")
        watcher.failed(LEFT, DataError("no such file"))
    assert capfd.readouterr() == ("", "")
