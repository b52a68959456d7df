"""Paths of a study whose workers may run in other folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from repository import CONFIGS

from adaptstilts.study.study import Study

QUICKSTART = CONFIGS / "quickstart.yaml"


def test_paths_of_every_variant_are_absolute_when_workers_run_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    overrides = ["data.root=[one, mini, two]", "store=here"]
    local = Study.load(QUICKSTART, overrides)
    assert local.placed_for_engine() is local
    placed = Study.load(QUICKSTART, [*overrides, "engine.name=ray"]).placed_for_engine()
    assert placed.config.store == str(tmp_path / "here")
    roots = [variant.config.data.root for variant in placed.variants]
    assert roots == [str(tmp_path / "one"), "mini", str(tmp_path / "two")]
    assert placed.config.data.root == roots[0]
