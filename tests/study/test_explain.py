import json
from dataclasses import replace
from pathlib import Path

import pytest

from adaptstilts.errors import ConfigError
from adaptstilts.store import stage as stages
from adaptstilts.store.store import MANIFEST, Store
from adaptstilts.study.explain import explain, explain_text, find_stages
from adaptstilts.study.study import Study

SMALL = (
    "methods=[stack]", "intermediate.tasks=[mnli]", "target.tasks=[xnli]",
    "intermediate.adapter.epochs=3", "target.adapter.epochs=4",
)  # fmt: skip
PAPER = Path("configs/xtreme_xlmr_large.yaml")
STACK = "train stack: mnli > mnli, seed 1"
ADAPTER = "train adapter: mnli, seed 1"


def plan_of(*overrides):
    return Study.load(PAPER, (*SMALL, *overrides)).plan


@pytest.fixture
def store(tmp_path):
    """A store in which all of the small study is finished."""
    made = Store(tmp_path)
    fill(made, plan_of())
    return made


def fill(store, plan):
    for stage in plan.stages:
        with store.writing(stage, {}) as folder:
            (folder / "weights").write_text("1")


def why(store, name, *overrides):
    return explain(plan_of(*overrides), store, name)[0]


def said(record):
    return {item["path"]: item["says"] for item in record["differences"]}


def test_finished_stage_is_said_to_be_there(store):
    record = why(store, STACK)
    assert record["done"]
    assert f"in the store: {store.root}/train/stack-mnli-mnli-" in explain_text([record])


def test_setting_that_differs_is_named_with_both_values(store):
    record = why(store, STACK, "target.adapter.epochs=5")
    assert said(record) == {"settings.epochs": "5 here, 4 there"}
    assert record["missing"] == []
    assert "    settings.epochs: 5 here, 4 there" in explain_text([record])


def test_input_that_differs_is_explained_in_turn(store):
    record = why(store, STACK, "intermediate.adapter.learning_rate=0.01", "target.adapter.epochs=5")
    assert list(said(record)) == ["settings.epochs", "source mnli"]
    (below,) = record["differences"][1]["differences"]
    assert (below["path"], below["says"]) == ("settings.learning_rate", "0.01 here, 0.0001 there")
    assert record["missing"] == [ADAPTER]
    lines = explain_text([record]).splitlines()
    assert lines[-3:] == [
        f"    source mnli: another '{ADAPTER}'",
        "      settings.learning_rate: 0.01 here, 0.0001 there",
        f"  inputs that are not in the store either: {ADAPTER}",
    ]


def test_predictions_and_scores_are_traced_to_the_run_that_changed(store):
    text = explain_text([why(store, "score stack*xnli*", "intermediate.adapter.epochs=2")])
    for part in (
        "predictions: another 'predict stack",
        "trained: another 'train stack",
        "settings.epochs: 2 here, 3 there",
    ):
        assert part in text


def test_input_that_is_gone_is_said_to_be(store):
    for folder in (store.root / "train").glob("adapter-*"):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    record = why(store, STACK, "intermediate.adapter.epochs=2")
    assert said(record) == {"source mnli": f"another '{ADAPTER}', which is no longer in the store"}


def test_number_of_sources_that_differs_is_told_by_their_names(tmp_path):
    fused = ("methods=[fuse]", "intermediate.tasks=[mnli,qqp]")
    store = Store(tmp_path)
    fill(store, plan_of(*fused))
    record = why(store, "train fuse*", "methods=[fuse]", "intermediate.tasks=[mnli,squad1]")
    assert said(record) == {"inputs only here": "source squad1", "inputs only there": "source qqp"}


def test_files_and_backbone_are_told_of_in_words(store):
    record = why(store, ADAPTER, "backbone=FacebookAI/xlm-roberta-base")
    assert said(record) == {"backbone.fingerprint": "other configuration, weights or tokenizer"}


def test_nearest_of_several_is_taken(store):
    fill(store, plan_of("target.adapter.epochs=9", "target.adapter.learning_rate=0.5"))
    assert said(why(store, STACK, "target.adapter.epochs=5")) == {"settings.epochs": "5 here, 4 there"}
    changed = why(store, STACK, "target.adapter.epochs=5", "target.adapter.learning_rate=0.5")
    assert said(changed) == {"settings.epochs": "5 here, 9 there"}


def test_changed_file_is_said_once(store):
    plan = plan_of()
    adapter = next(stage for stage in plan.stages if stage.name == ADAPTER)
    job = replace(adapter.job, data=("quoting clean", "other", "another"))
    changed = stages.make_stage(adapter.name, adapter.slug, job)
    record = explain(replace(plan, stages=(changed,)), store, ADAPTER)[0]
    assert said(record) == {"data": "files changed"}


def test_other_format_version_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(stages, "FORMAT_VERSION", stages.FORMAT_VERSION - 1)
    store = Store(tmp_path)
    fill(store, plan_of())
    monkeypatch.undo()
    version = stages.FORMAT_VERSION
    record = why(store, ADAPTER)
    assert not record["done"]
    assert said(record) == {
        "format version": f"{version} here, {version - 1} there: what such stages do or write has changed since"
    }


def test_empty_store_names_the_missing_inputs(tmp_path):
    record = why(Store(tmp_path), STACK)
    assert (record["nearest"], record["differences"], record["missing"]) == (None, [], [ADAPTER])
    assert "nothing like it is in the store" in explain_text([record])


def test_artefact_of_another_task_is_not_near(store):
    assert why(store, "train stack: mnli > pawsx, seed 1", "target.tasks=[pawsx]")["nearest"] is None


def test_damaged_artefacts_are_passed_over(store):
    next((store.root / "train").glob("stack-*")).joinpath(MANIFEST).write_text("{")
    assert why(store, STACK, "target.adapter.epochs=5")["nearest"] is None


def test_stage_is_found_by_name_folder_key_and_pattern():
    plan = plan_of()
    stage = next(stage for stage in plan.stages if stage.name == STACK)
    for wanted in (STACK, "train/stack-mnli-mnli", stage.key, stage.key[:6], "train stack*", f"*-{stage.key[:16]}"):
        assert find_stages(plan, wanted) == [stage]
    assert len(find_stages(plan, "*")) == len(plan.stages)


def test_stage_that_is_none_is_refused_with_the_like():
    with pytest.raises(
        ConfigError, match=r"'train stack: mnli > mnli, seed 2' is not a stage.*Did you mean 'train stack: "
    ):
        find_stages(plan_of(), "train stack: mnli > mnli, seed 2")


def test_many_stages_are_cut_at_ten(tmp_path):
    plan = plan_of("intermediate.tasks=[mnli,qqp]", "target.tasks=[xnli,pawsx,udpos,tydiqa]")
    records = explain(plan, Store(tmp_path), "*")
    assert len(records) == 10
    assert f"and {len(plan.stages) - 10} more stages; give a longer pattern" in explain_text(records)
    json.dumps(records)


def test_tables_that_miss_are_told_by_what_came_and_went(store):
    more = ("target.tasks=[xnli,pawsx]", "evaluation.languages=[en,de]")
    record = why(store, "analyse: tables of all results", *more)
    there = said(record)
    assert there["cells"] == "2 only here, 1 only there"
    assert there["inputs only here"] == (
        "train stack: mnli > pawsx, seed 1, score stack: mnli > pawsx en, seed 1, score stack: mnli > pawsx de, seed 1"
    )
    assert there["inputs only there"].startswith("score stack: mnli > xnli ar, seed 1, score stack: mnli > xnli bg")
    assert there["inputs only there"].endswith("and 8 more")
    assert not [path for path in there if path.startswith(("cells[", "runs[", "input "))]
    (report,) = [item for item in why(store, "report", *more)["differences"] if item["path"] == "analysis"]
    assert report["says"] == "another 'analyse: tables of all results'"
    assert [item["path"] for item in report["differences"]][:1] == ["cells"]
