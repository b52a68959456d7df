from pathlib import Path

import pytest

from adaptstilts.study.pricing.needs import needs_of
from adaptstilts.study.study import Study


def needs_by_name(*overrides: str):
    study = Study.load("configs/xtreme_xlmr_large.yaml", ("target.tasks=[pawsx]", *overrides))
    needs = needs_of(study.variants, study.plan)
    return {stage.name: needs(stage) for stage in study.plan.stages}


def test_stages_need_the_memory_that_the_plan_is_priced_with():
    found = needs_by_name("methods=[direct,adapter]")
    full, adapter = found["train direct: pawsx, seed 1"], found["train adapter: pawsx, seed 1"]
    predict, score = found["predict direct: pawsx de, seed 1"], found["score direct: pawsx de, seed 1"]
    assert full.gpu_bytes > 16e9 > adapter.gpu_bytes > predict.gpu_bytes > 2e9
    assert full.computes
    assert predict.computes
    assert (score.computes, score.gpu_bytes) == (False, 0)


def test_processes_of_a_stage_have_a_part_of_its_batch_each():
    full = "methods=[direct]"
    alone, two, cut = (
        needs_by_name(full, *more)["train direct: pawsx, seed 1"].gpu_bytes
        for more in ((), ("parallel.processes=2",), ("target.full.accumulation=2",))
    )
    assert alone > two == cut
    both = needs_by_name(full, "parallel.processes=2", "target.full.accumulation=2")
    assert both["train direct: pawsx, seed 1"].gpu_bytes == two
    spread = needs_by_name("methods=[adapter]", "parallel={processes: 4, backbone: sharded}")
    whole = needs_by_name("methods=[adapter]", "parallel={processes: 4, backbone: replicated}")
    adapter, predict = "train adapter: pawsx, seed 1", "predict adapter: pawsx de, seed 1"
    assert whole[adapter].gpu_bytes - spread[adapter].gpu_bytes > 0.6e9
    assert whole[predict] == spread[predict]


def test_memory_is_not_known_without_the_shape_of_the_backbone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    found = needs_by_name("methods=[direct]", "backbone=someone/xlmr")
    assert {need.gpu_bytes for need in found.values()} == {0}
    assert found["train direct: pawsx, seed 1"].computes
