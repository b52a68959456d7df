"""What a plan says of finished work that it does not use."""

from __future__ import annotations

from pathlib import Path

from stored_stages import SCORE, WORLD

from adaptstilts.store import stage, store
from adaptstilts.store.store import Store
from adaptstilts.study.plan.jobs import ScoreJob
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.pricing import outline


def test_work_of_an_older_format_is_counted_without_reading_more_manifests_than_needed(tmp_path, monkeypatch):
    kept = Store(tmp_path / "store")

    def make(*stages: stage.Stage) -> None:
        for one in stages:
            with kept.writing(one, {}) as folder:
                (folder / "name").write_text(one.name)

    others = [stage.make_stage("score nli", "nli", ScoreJob("nli", (), f"{at}" * 64, None)) for at in range(4)]
    former = stage.FORMAT_VERSION - 1
    with monkeypatch.context() as patched:
        for module in (stage, store):
            patched.setattr(module, "FORMAT_VERSION", former)
        make(*others[:3])
    make(WORLD)
    read: list[Path] = []
    monkeypatch.setattr(outline, "read_placed", lambda folder: read.append(folder) or store.read_placed(folder))
    plan = Plan((WORLD, SCORE, others[3]), (), 0)
    assert outline._of_older_formats(plan, kept, {WORLD.key}) == 2
    assert [folder.parent.name for folder in read] == ["score"]
    make(others[3])
    assert outline._of_older_formats(plan, kept, {WORLD.key, others[3].key}) == 1
    assert kept.folder(others[3]) not in read
