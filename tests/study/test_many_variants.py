"""A sweep as large as the limit allows is planned and priced in seconds."""

from __future__ import annotations

import time

import pytest

import adaptstilts

MOST_SECONDS = 10.0


@pytest.mark.parametrize("name", ["quickstart", pytest.param("xtreme_xlmr_large", marks=pytest.mark.slow)])
def test_two_thousand_variants_are_planned_within_ten_seconds(name: str):
    values = list(range(1, 2001))
    begin = time.process_time()
    study = adaptstilts.load_study(name, f"data.max_train={values}", "methods=[direct]", "target.tasks=[xnli]")
    plan = study.plan()
    assert time.process_time() - begin < MOST_SECONDS
    assert len({stage.key for stage in study._study.plan.stages}) > 2 * 2000
    assert "2,000 variants" in plan.view("table")
