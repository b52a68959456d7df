"""Paths of a study whose workers may run in other folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from repository import CONFIGS

from adaptstilts.config.load import load_study
from adaptstilts.config.sweep import variants
from adaptstilts.study.engine import placed_for_engine

QUICKSTART = CONFIGS / "quickstart.yaml"


def test_paths_of_every_variant_are_absolute_when_workers_run_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    config = load_study(QUICKSTART, ["data.root=[one, mini, two]", "store=here"])
    assert placed_for_engine(config) is config
    placed = placed_for_engine(config.model_copy(update={"engine": config.engine.model_copy(update={"name": "ray"})}))
    assert placed.store == str(tmp_path / "here")
    roots = [variant.config.data.root for variant in variants(placed)]
    assert roots == [str(tmp_path / "one"), "mini", str(tmp_path / "two")]
    assert placed.data.root == roots[0]
