from dataclasses import replace
from pathlib import Path

import pytest

from adaptstilts.errors import ConfigError
from adaptstilts.study.plan.jobs import PredictJob, TrainJob
from adaptstilts.study.pricing.cost import FREE, Pricing
from adaptstilts.study.pricing.devices import get_device
from adaptstilts.study.pricing.totals import price_plan
from adaptstilts.study.pricing.workload import Workloads
from adaptstilts.study.study import Study

PAPER = Path("configs/xtreme_xlmr_large.yaml")
# Adapters for as long as full models, so that both columns count the same sub-tokens.
AS_LONG = (
    "intermediate.adapter.epochs=3", "target.overrides.mnli.epochs=2", "target.overrides.pawsx.epochs=5",
    "target.overrides.udpos.epochs=10", "target.overrides.panx.epochs=10", "target.overrides.squad1.epochs=2",
    "target.overrides.tydiqa.epochs=2",
)  # fmt: skip


def priced(*overrides, device="h200", utilisation=0.4, path=PAPER):
    study = Study.load(path, overrides)
    return study.plan, Pricing(study.variants, study.plan, get_device(device), utilisation)


def totals_of(*overrides, device="h200", utilisation=0.4, done=()):
    plan, pricing = priced(*overrides, device=device, utilisation=utilisation)
    return price_plan(plan, pricing, done, {})


def training(totals, column):
    rows = {"full": ("intermediate full models", "target direct", "target full")}
    rows["adapter"] = ("intermediate adapters", "target adapter", "target stack")
    found = [totals.rows[name] for name in rows[column]]
    return sum(row.runs for row in found), sum(row.price.tokens for row in found), found


def test_grid_of_nine_by_six_is_what_was_counted_before():
    """Counted: 69 runs, 1.46 G sub-tokens, and at 40 % of 790 TFLOP/s 2.4 hours for full models, 1.6 for adapters."""
    totals = totals_of("methods=[direct,full,adapter,stack]", *AS_LONG)
    for column, hours in (("full", 2.4), ("adapter", 1.6)):
        runs, tokens, rows = training(totals, column)
        assert runs == 69
        assert tokens == pytest.approx(1.46e9, rel=0.2)
        at_790 = sum(row.price.seconds for row in rows) / 3600 * 989.5 / 790
        assert at_790 * 1.46e9 / tokens == pytest.approx(hours, rel=0.1)


def test_hours_go_with_utilisation_and_rate():
    full, half = (totals_of("methods=[direct]", utilisation=share) for share in (0.4, 0.2))
    seconds = [totals.rows["target direct"].price.seconds for totals in (full, half)]
    assert seconds[1] == pytest.approx(2 * seconds[0])
    slow = totals_of("methods=[direct]", device="v100").rows["target direct"].price.seconds
    assert slow == pytest.approx(seconds[0] * 989.5 / 15.7)


def test_utilisation_that_is_no_share_is_refused():
    with pytest.raises(ConfigError, match=r"^utilisation: 40 is not a share"):
        priced(utilisation=40)


def test_utilisation_that_is_no_number_is_refused():
    with pytest.raises(ConfigError, match=r"^utilisation: nan is not a number\.$"):
        priced(utilisation=float("nan"))


def test_columns_are_the_methods_with_full_models_and_with_adapters():
    totals = totals_of()
    assert {name: column.runs for name, column in totals.columns.items()} == {"full models": 69, "adapters": 127}
    assert {name: runs for name, (runs, _) in totals.without_sharing.items()} == {"full models": 151, "adapters": 383}


def test_loops_that_share_nothing_start_as_many_runs_as_the_plan_was_asked_for():
    plan, pricing = priced()
    totals = price_plan(plan, pricing, (), {})
    assert sum(runs for runs, _ in totals.without_sharing.values()) == plan.requested_runs
    for name, column in totals.columns.items():
        assert totals.without_sharing[name][1].flops > 2 * column.price.flops


def flops_of(data, method="direct"):
    overrides = ("target.tasks=[udpos]", f"methods=[{method}]", *data)
    plan, pricing = priced(*overrides, device="cpu", path="configs/quickstart.yaml")
    return [pricing.price(stage).flops for stage in plan.stages if stage.kind.value in {"train", "predict"}]


@pytest.mark.parametrize("key", ["data.mini_train", "data.mini_evaluation"])
def test_variants_of_a_sweep_over_data_are_priced_by_the_data_of_their_own(key):
    few, many = flops_of([f"{key}=64"]), flops_of([f"{key}=6400"])
    assert sum(many) > sum(few)
    assert flops_of([f"{key}=[64,6400]"]) == [*few, *many]
    assert flops_of([f"{key}=[6400,64]"]) == [*many, *few]


def test_sweep_that_leaves_the_data_as_they_are_looks_at_them_once(monkeypatch):
    made = []
    monkeypatch.setattr(
        "adaptstilts.study.pricing.cost.Workloads",
        lambda config, jobs: made.append(config) or Workloads(config, jobs),
    )
    flops_of(["target.full.learning_rate=[1e-4,1e-3]"])
    assert len(made) == 1


def test_what_is_finished_is_not_left():
    plan, pricing = priced("methods=[direct]", "target.tasks=[xnli,pawsx]")
    done = {stage.key for stage in plan.stages if "pawsx" in stage.name}
    column = price_plan(plan, pricing, done, {}).columns["full models"]
    xnli = sum(pricing.price(stage).flops for stage in plan.stages if stage.key not in done)
    assert column.left.flops == pytest.approx(xnli)
    assert 0 < column.left.flops < column.price.flops
    assert (column.runs, column.runs_done) == (2, 1)


def test_stages_that_differ_in_names_and_seeds_share_one_price():
    plan, pricing = priced("seeds=[1,2]", "methods=[full]")
    runs = [stage for stage in plan.stages if isinstance(stage.job, TrainJob) and stage.job.task == "udpos"]
    assert len(runs) == 18
    assert len({id(pricing.price(stage)) for stage in runs}) == 1


def test_stages_that_run_no_network_cost_nothing():
    plan, pricing = priced("methods=[direct]")
    others = [stage for stage in plan.stages if not isinstance(stage.job, TrainJob | PredictJob)]
    assert others
    assert all(pricing.price(stage) is FREE for stage in others)


def test_retrieval_pays_for_the_blocks_below_its_layer():
    flops = {}
    for layer in (7, 14):
        plan, pricing = priced("methods=[direct]", "target.tasks=[tatoeba]", f"retrieval.layer={layer}")
        predict = next(stage for stage in plan.stages if isinstance(stage.job, PredictJob))
        flops[layer] = pricing.price(predict).flops
    assert flops[14] == pytest.approx(2 * flops[7])
    plan, pricing = priced("methods=[direct]", "target.tasks=[tatoeba]", "retrieval.sweep=true")
    predict = next(stage for stage in plan.stages if isinstance(stage.job, PredictJob))
    assert pricing.price(predict).flops == pytest.approx(flops[14] * 24 / 14)


def test_prediction_pays_for_the_adapters_it_runs():
    plan, pricing = priced("target.tasks=[xnli,tatoeba]", "intermediate.tasks=[mnli,qqp]")
    flops = {}
    for stage in plan.stages:
        if isinstance(stage.job, PredictJob):
            flops.setdefault((stage.job.method, stage.job.task), pricing.price(stage).flops)
    assert flops["direct", "xnli"] == flops["full", "xnli"]
    assert flops["direct", "xnli"] < flops["adapter", "xnli"] == flops["continue", "xnli"] < flops["stack", "xnli"]
    assert flops["stack", "xnli"] < flops["fuse", "xnli"]
    assert flops["direct", "tatoeba"] < flops["stack", "tatoeba"] < flops["fuse", "tatoeba"]


def test_xtreme_r_is_priced_with_pools_and_chains():
    plan, pricing = priced(device="h100", path="configs/xtreme_r_xlmr_large.yaml")
    totals = price_plan(plan, pricing, (), {})
    assert totals.is_priced
    assert sum(runs for runs, _ in totals.without_sharing.values()) == plan.requested_runs


def test_what_does_not_fit_is_named_with_a_change_that_helps():
    totals = totals_of("methods=[direct]", "target.tasks=[pawsx]", device="rtx4090")
    assert totals.warnings == []
    tight = ("methods=[direct]", "target.tasks=[pawsx]", "target.full.batch_size=256")
    (warning,) = totals_of(*tight, device="rtx4090").warnings
    assert warning.startswith("train direct: pawsx, seed 1 needs about ")
    assert warning.endswith(
        "NVIDIA GeForce RTX 4090 24 GB has 24 GB: set parallel.processes=8, each with a device of its own, or "
        "target.full.gradient_checkpointing=true"
    )
    for change in ("parallel.processes=8", "target.full.gradient_checkpointing=true"):
        assert totals_of(*tight, change, device="rtx4090").warnings == []


def test_batch_is_cut_where_nothing_that_is_in_no_key_helps():
    large = ("methods=[direct]", "target.tasks=[pawsx]", "target.full.batch_size=8192")
    (warning,) = totals_of(*large, device="rtx4090").warnings
    assert "24 GB: set target.full.accumulation=" in warning
    number = warning.rsplit("=", 1)[1]
    assert totals_of(*large, f"target.full.accumulation={number}", device="rtx4090").warnings == []


def test_processes_are_no_remedy_where_they_share_one_memory_or_one_batch():
    (warning,) = totals_of(
        "methods=[direct]", "target.tasks=[pawsx]", "target.full.batch_size=4096", device="cpu"
    ).warnings
    assert "parallel" not in warning
    two = totals_of("methods=[direct]", "target.tasks=[pawsx]", "parallel.processes=2", device="cpu")
    one = totals_of("methods=[direct]", "target.tasks=[pawsx]", device="cpu")
    memory = [totals.rows["target direct"].price.memory for totals in (one, two)]
    assert memory[1].weights == 2 * memory[0].weights
    assert memory[1].activations == pytest.approx(memory[0].activations)
    overrides = ("methods=[direct]", "target.tasks=[mewslix]")
    plan, pricing = priced(*overrides, device="t4", path="configs/xtreme_r_xlmr_large.yaml")
    stage = next(stage for stage in plan.stages if isinstance(stage.job, TrainJob))
    alone = pricing.memory_on(stage, pricing.device)
    assert pricing.memory_on(stage, pricing.device, 8) == alone


def test_model_that_never_fits_is_said_to():
    plan, pricing = priced("methods=[direct]", "target.tasks=[pawsx]", device="t4")
    pricing.device = replace(pricing.device, memory=4 * 10**9)
    assert price_plan(plan, pricing, (), {}).warnings[0].endswith("use adapters, or a larger device")


def test_backbone_of_unknown_shape_is_not_priced(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    plan, pricing = priced("backbone=someone/xlmr-huge", "methods=[direct]")
    totals = price_plan(plan, pricing, (), {})
    assert not totals.is_priced
    assert pricing.unknown == {"someone/xlmr-huge"}
    assert pricing.memory_on(plan.stages[0], pricing.device) is None
