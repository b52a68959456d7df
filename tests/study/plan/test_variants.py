"""Plans of sweeps: what variants share, how they are told apart, what is said of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from repository import CONFIGS

from adaptstilts.errors import ConfigError, ProblemsError
from adaptstilts.store.stage import SUMMARIES, StageKind
from adaptstilts.store.store import Store
from adaptstilts.study import study as setup
from adaptstilts.study.plan.jobs import ReportJob, TrainJob
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.plan.variants import labels_of, part_of, parts_by_data, retrieval_lines
from adaptstilts.study.pricing.outline import outline
from adaptstilts.study.pricing.outline_text import outline_text
from adaptstilts.study.select import Wanted, choose_cells
from adaptstilts.study.study import Study

FACTORS = "adapter.reduction_factor=[4, 16]"
RATES = "target.adapter.learning_rate=[1e-3, 2e-3]"
OFFICIAL = ("data.root=official",)


def study(*overrides: str, name: str = "mini_all.yaml") -> Study:
    return Study.load(CONFIGS / name, overrides)


def plan_of(*overrides: str, name: str = "mini_all.yaml") -> Plan:
    return study(*overrides, name=name).plan


def keys(plan: Plan, family: tuple[str, ...] | None = None) -> set[str]:
    """Keys of all stages but tables and report, which tell of all variants; or of the runs of some methods."""
    return {
        stage.key
        for stage in plan.stages
        if (family is None and stage.kind not in SUMMARIES)
        or (family is not None and isinstance(stage.job, TrainJob) and stage.job.method in family)
    }


def test_plan_without_a_sweep_names_no_variant():
    plan = plan_of("seeds=[1, 2]")
    assert labels_of(plan) == ("",)
    assert part_of(plan, [""]) is plan
    assert all(stage.place is None for stage in plan.stages)


def test_sweep_over_reduction_factors_shares_the_runs_of_full_models_and_the_world():
    one, other = (plan_of(f"adapter.reduction_factor={factor}") for factor in (4, 16))
    both = plan_of(FACTORS)
    assert keys(both) == keys(one) | keys(other)
    full = ("direct", "full")
    assert keys(one, full) == keys(other, full) == keys(both, full)
    adapters = ("adapter", "stack", "continue", "fuse")
    assert not keys(one, adapters) & keys(other, adapters)
    assert [stage.kind for stage in both.stages].count(StageKind.DATA) == 1
    assert len(both.cells) == 2 * len(one.cells)
    assert both.requested_runs == one.requested_runs + other.requested_runs


def test_sweep_over_target_learning_rates_shares_all_nine_intermediate_adapters():
    plan = plan_of(RATES, "methods=[stack, continue, fuse]")
    sources = {source.key for stage in plan.stages if isinstance(stage.job, TrainJob) for source in stage.job.sources}
    assert len(sources) == 9
    used = {run.key: run.variants for run in plan.tables.runs}
    assert {used[key] for key in sources} == {("learning_rate=1e-3", "learning_rate=2e-3")}


def test_stages_come_after_their_inputs_data_first_and_names_tell_them_apart():
    plan = plan_of(FACTORS, RATES, "data.mini_seed=[1, 2]", "seeds=[1, 2]", name="quickstart.yaml")
    seen: set[str] = set()
    for stage in plan.stages:
        assert set(stage.inputs) <= seen
        seen.add(stage.key)
    assert len({stage.name for stage in plan.stages}) == len(plan.stages)
    first = [stage.name for stage in plan.stages[:2]]
    assert first == ["generate the mini world, mini_seed=1", "generate the mini world, mini_seed=2"]


def test_names_carry_only_the_settings_in_which_stages_differ():
    plan = plan_of(FACTORS, RATES, "methods=[direct, stack]", "target.tasks=[udpos]", "intermediate.tasks=[mnli]")
    names = [stage.name for stage in plan.stages if isinstance(stage.job, TrainJob)]
    assert sorted(names) == [
        "train adapter: mnli, seed 1, reduction_factor=16",
        "train adapter: mnli, seed 1, reduction_factor=4",
        "train direct: udpos, seed 1",
        "train stack: mnli > udpos, seed 1, learning_rate=1e-3 reduction_factor=16",
        "train stack: mnli > udpos, seed 1, learning_rate=1e-3 reduction_factor=4",
        "train stack: mnli > udpos, seed 1, learning_rate=2e-3 reduction_factor=16",
        "train stack: mnli > udpos, seed 1, learning_rate=2e-3 reduction_factor=4",
    ]


def test_names_fall_back_on_a_variant_when_no_setting_tells_stages_apart():
    # The recipe's rate is 1e-4: two of the three values are one stage, which shares no value with itself.
    rates = "target.adapter.learning_rate=[null, 5e-4, 1e-4]"
    plan = plan_of(rates, "methods=[adapter]", "target.tasks=[udpos]")
    names = [stage.name for stage in plan.stages if isinstance(stage.job, TrainJob)]
    assert names == [
        "train adapter: udpos, seed 1, learning_rate=null",
        "train adapter: udpos, seed 1, learning_rate=5e-4",
    ]


def test_part_of_a_plan_is_the_plan_of_that_variant():
    plan = plan_of(FACTORS, "methods=[direct, stack]")
    part = part_of(plan, ["reduction_factor=16"])
    assert keys(part) == keys(plan_of("adapter.reduction_factor=16", "methods=[direct, stack]"))
    assert {cell.variant for cell in part.cells} == {"reduction_factor=16"}


def test_seeds_and_renamed_studies_change_no_key_of_a_sweep():
    plan = plan_of(FACTORS, "seeds=[1, 2]", name="quickstart.yaml")
    assert keys(plan_of(FACTORS, "name=other", name="quickstart.yaml")) < keys(plan)


def test_facts_and_backbone_are_looked_at_once_for_variants_that_share_them(monkeypatch: pytest.MonkeyPatch):
    asked: list[object] = []
    facts_for, backbone_at = setup.facts_for, setup.backbone_at
    monkeypatch.setattr(
        setup, "facts_for", lambda *args, **named: (asked.append("facts"), facts_for(*args, **named))[1]
    )
    monkeypatch.setattr(setup, "backbone_at", lambda *args: (asked.append("backbone"), backbone_at(*args))[1])
    plan_of(FACTORS, RATES, "data.max_train=[32, 64]", "data.mini_seed=[1, 2]")
    assert sorted(map(str, asked)) == ["backbone", "facts", "facts"]


def test_problem_of_one_variant_names_it_and_problem_of_all_is_said_once():
    with pytest.raises(
        ConfigError, match=r"^adapter\.kind: parallel .*lost \(in variant kind=par_bn\)\. Allowed: seq_bn"
    ):
        plan_of("adapter.kind=[seq_bn, par_bn]")
    with pytest.raises(ProblemsError) as caught:
        plan_of("adapter.kind=[seq_bn, par_bn]", "adapter.dropout=[0, 0.1]", "target.tasks=[xnly]")
    lines = sorted(str(caught.value).splitlines())
    assert len(lines) == 2
    assert "(in variant kind=par_bn dropout=0; kind=par_bn dropout=0.1)" in lines[0]
    assert "'xnly' is not a target task. Did you mean 'xnli'?" in lines[1]


def test_stages_of_a_sweep_over_data_say_where_their_examples_are(tmp_path: Path):
    chosen = study("data.quoting=[clean, xtreme]", "methods=[direct]", "target.tasks=[xnli, udpos]", *OFFICIAL)
    # Official data has one key.
    assert {stage.place.quoting for stage in chosen.plan.stages if stage.place} == {"clean"}
    groups = parts_by_data(chosen.variants, chosen.plan)
    assert [(variant.label, len(part.cells)) for variant, part in groups] == [
        ("quoting=clean", 2),
        ("quoting=xtreme", 2),
    ]


def test_overlaps_are_looked_for_in_the_languages_of_all_variants():
    few = ("methods=[direct]", "target.tasks=[xnli, udpos]")
    plan = plan_of("sweep={evaluation.languages: [[en], [de, en]]}", *few)
    (report,) = [stage.job for stage in plan.stages if stage.kind is StageKind.REPORT]
    assert isinstance(report, ReportJob)
    (compared,) = report.compared
    found = {name: [code for code, _ in pairs] for name, pairs in compared.scored}
    assert {name: sorted(codes) for name, codes in found.items()} == {"xnli": ["de", "en"], "udpos": ["de", "en"]}


def test_outline_counts_variants_and_writes_names_in_full(tmp_path: Path):
    swept = study(FACTORS, RATES, name="quickstart.yaml")
    record = outline(swept.plan, swept.variants, Store(tmp_path))
    assert record["variants"][1] == "learning_rate=1e-3 reduction_factor=16"
    text = outline_text(record, every_stage=True)
    assert "\n4 variants:\n  learning_rate=1e-3 reduction_factor=4\n" in text
    assert re.search(r"train stack: commonsenseqa > tydiqa, seed 1, learning_rate=2e-3 reduction_factor=4 +train", text)
    one = study(name="quickstart.yaml")
    plain = outline(one.plan, one.variants, Store(tmp_path))
    assert "variants" not in plain
    assert "variants" not in outline_text(plain)


def test_retrieval_settings_are_told_of_each_variant_that_has_others():
    lines = retrieval_lines(study("retrieval.layer=[1, 2]", "target.tasks=[xnli, tatoeba]").variants)
    assert [line.split(" preset")[0] for line in lines] == [f"layer={n}: tatoeba: retrieval" for n in (1, 2)]
    (line,) = retrieval_lines(study(FACTORS, "target.tasks=[xnli, tatoeba]").variants)
    assert line.startswith("tatoeba: retrieval preset")


def test_submission_takes_one_variant():
    plan = plan_of(FACTORS, "methods=[direct]", "target.tasks=[xnli]")
    with pytest.raises(ConfigError, match=r"^variant: the study has 2 variants, .*Allowed: reduction_factor=4, red"):
        choose_cells(plan, {}, Wanted(method="direct"))
    with pytest.raises(
        ConfigError, match=r"^variant: 'reduction_factor=5' is not a variant .*Did you mean 'reduction_f"
    ):
        choose_cells(plan, {}, Wanted(variant="reduction_factor=5"))
    cell = choose_cells(plan, {}, Wanted(variant="reduction_factor=16"))["xnli"]
    assert cell.variant == "reduction_factor=16"
    with pytest.raises(ConfigError, match=r"^variant: 'x' is not a variant: the study is no sweep\. Leave"):
        choose_cells(plan_of("methods=[direct]", "target.tasks=[xnli]"), {}, Wanted(variant="x"))
