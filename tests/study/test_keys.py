"""The keys of the shipped studies stay what they are: finished work in people's stores is found by them.

Where a key is meant to change, raise `FORMAT_VERSION` and write the list anew:

    ADAPTSTILTS_WRITE_KEYS=1 pytest tests/study/test_keys.py
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from repository import ROOT

from adaptstilts.mini.write import write_mini
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.study import Study

LIST = Path(__file__).with_name("keys.json")
STUDIES = ["mini_all", "mini_sweep", "quickstart", "slices", "xtreme_r_xlmr_large", "xtreme_xlmr_large"]
SHOWN_DIGITS = 16


def keys_of(plan: Plan) -> dict[str, object]:
    """Per kind of stage, how many there are and a digest of all their keys; the keys of trainings by name."""
    kinds: dict[str, list[str]] = {}
    for stage in plan.stages:
        kinds.setdefault(stage.kind.value, []).append(stage.key)
    return {
        "stages": {kind: len(keys) for kind, keys in kinds.items()},
        "digests": {kind: hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest() for kind, keys in kinds.items()},
        "trainings": {stage.name: stage.key[:SHOWN_DIGITS] for stage in plan.stages if stage.kind.value == "train"},
    }


def planned(stem: str, tmp_path: Path) -> Plan:
    overrides = []
    if stem == "slices":  # real files are needed: the mini world's, in the published layouts
        write_mini(tmp_path, seed=1, train=12, evaluation=3, low_resource=6)
        overrides = [f"data.root={tmp_path}"]
    return Study.load(ROOT / "configs" / f"{stem}.yaml", overrides).plan


@pytest.mark.parametrize("stem", STUDIES)
def test_keys_of_a_shipped_study_are_those_that_were_committed(stem: str, tmp_path: Path):
    found = keys_of(planned(stem, tmp_path))
    known = json.loads(LIST.read_text(encoding="utf-8")) if LIST.exists() else {}
    if os.environ.get("ADAPTSTILTS_WRITE_KEYS"):
        known[stem] = found
        LIST.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert found == known[stem]
