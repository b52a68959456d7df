"""Every configuration below configs/ loads, and every study plans."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml
from repository import CONFIGS

from adaptstilts.config.load import load, load_study
from adaptstilts.config.pretrain import PretrainSection
from adaptstilts.study.plan.data_facts import facts_for
from adaptstilts.study.plan.jobs import BackboneRef
from adaptstilts.study.plan.plan import Plan, make_plan
from adaptstilts.tasks.registry import benchmark_tasks, get_task, intermediate_tasks, target_tasks
from adaptstilts.tasks.spec import BenchmarkName, Kind
from adaptstilts.train.methods import METHODS

FILES = sorted(CONFIGS.rglob("*.yaml"))
PRETRAINING = [path for path in FILES if path.stem.startswith("pretrain_")]
STUDIES = [path for path in FILES if path not in PRETRAINING]


def plan_of(path: Path, overrides: list[str]) -> Plan:
    config, _ = load_study(path, overrides)
    facts, job = facts_for(config.data, config.evaluation.languages, config.evaluation.benchmark)
    return make_plan(config, facts, BackboneRef("somewhere", None, "f" * 64), job)


def test_all_configurations_are_found():
    assert [path.relative_to(CONFIGS).as_posix() for path in FILES] == [
        "mini_all.yaml",
        "mini_sweep.yaml",
        "pretrain_mini.yaml",
        "pretrain_small.yaml",
        "quickstart.yaml",
        "slices.yaml",
        "xtreme_r_xlmr_large.yaml",
        "xtreme_xlmr_large.yaml",
    ]
    assert not list(CONFIGS.rglob("*.yml"))
    assert (len(STUDIES), len(PRETRAINING)) == (6, 2)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_configuration_begins_with_a_sentence_on_what_it_is_for(path: Path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ")
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["title"]


@pytest.mark.parametrize("path", PRETRAINING, ids=lambda path: path.stem)
def test_pretraining_configuration_loads(path: Path):
    section = load(path, (), PretrainSection)
    assert section.data.mini_lines or section.data.folders
    assert f"pretrain_{section.name}" == path.stem


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_study_plans_a_cell_for_every_method_source_and_target(path: Path, request: pytest.FixtureRequest):
    overrides = []
    if path.stem == "slices":
        overrides = [f"data.root={request.getfixturevalue('shared_root') / 'data'}"]
    config, _ = load_study(path, overrides)
    plan = plan_of(path, overrides)
    assert config.name == path.stem
    targets, sources = len(config.target.tasks), len(config.intermediate.tasks)
    rows = {"none": 1, "start": sources, "below": sources, "fused": 1}
    assert Counter(cell.method for cell in plan.cells) == {
        method: rows[METHODS[method].use] * targets * len(config.seeds) for method in config.methods
    }


@pytest.mark.parametrize("stem", ["mini_all", "xtreme_xlmr_large"])
def test_study_is_nine_by_nine_by_six_when_it_says_so(stem: str):
    config, _ = load_study(CONFIGS / f"{stem}.yaml")
    assert set(config.intermediate.tasks) == {task.name for task in intermediate_tasks()}
    assert config.target.tasks == tuple(task.name for task in target_tasks())
    assert set(config.methods) == set(METHODS)


def test_study_of_xtreme_r_has_its_ten_targets_in_all_their_languages():
    config, _ = load_study(CONFIGS / "xtreme_r_xlmr_large.yaml")
    assert config.target.tasks == tuple(task.name for task in benchmark_tasks(BenchmarkName.XTREME_R))
    assert set(config.intermediate.tasks) == {task.name for task in intermediate_tasks()}
    plan = plan_of(CONFIGS / "xtreme_r_xlmr_large.yaml", ["methods=[direct]"])
    languages = {cell.target: sum(len(plan.stage(key).job.languages) for key in cell.predict) for cell in plan.cells}
    assert languages == {
        "xnli": 15, "xcopa": 11, "udpos": 38, "panx": 48, "xquad": 12, "mlqa": 7, "tydiqa": 9, "tatoeba_r": 41,
        "mewslix": 11, "lareqa": 11,
    }  # fmt: skip


def test_study_of_xtreme_r_trains_its_new_targets_as_xtremes_scripts_say():
    plan = plan_of(CONFIGS / "xtreme_r_xlmr_large.yaml", ["methods=[direct, adapter]"])
    jobs = {(cell.method, cell.target): plan.stage(cell.train).job for cell in plan.cells}

    def said(job):
        settings = job.settings
        lengths = (settings.max_length, settings.max_query_length)
        return (settings.learning_rate, settings.epochs, settings.batch_size, *lengths)

    assert said(jobs["direct", "xcopa"]) == (3e-5, 5, 32, 128, 64)
    assert said(plan.stage(jobs["direct", "xcopa"].after.key).job) == (3e-5, 5, 32, 128, 64)
    assert said(jobs["direct", "lareqa"]) == (2e-5, 3, 16, 256, 96)
    assert said(jobs["direct", "mewslix"]) == (1e-5, 2, 32, 64, 64)
    assert said(jobs["adapter", "lareqa"]) == (1e-4, 15, 16, 256, 96)
    assert (jobs["direct", "lareqa"].settings.warmup, jobs["direct", "lareqa"].settings.weight_decay) == (0.0, 0.0)
    (key,) = next(cell for cell in plan.cells if cell.target == "lareqa").predict
    predict = plan.stage(key).job
    assert (predict.max_length, predict.max_query_length, predict.retrieval) == (256, 96, None)
    assert predict.data[-1] == "official/lareqa/pool"


def test_quickstart_shows_every_method_and_every_kind_of_task():
    config, _ = load_study(CONFIGS / "quickstart.yaml")
    kinds = {get_task(name).kind for name in (*config.intermediate.tasks, *config.target.tasks)}
    assert kinds == set(Kind) - {Kind.MATCH}
    assert set(config.methods) == set(METHODS)


def test_slices_hold_every_kind_of_task_and_all_targets():
    config, _ = load_study(CONFIGS / "slices.yaml")
    kinds = {get_task(name).kind for name in (*config.intermediate.tasks, *config.target.tasks)}
    assert kinds == set(Kind) - {Kind.MATCH}
    assert config.target.tasks == tuple(task.name for task in target_tasks())


def test_paper_study_trains_as_the_published_recipes_say():
    plan = plan_of(CONFIGS / "xtreme_xlmr_large.yaml", [])
    trained = {(cell.method, cell.target): plan.stage(cell.train).job for cell in plan.cells if cell.train is not None}
    qa, nli = trained["direct", "xquad"].settings, trained["direct", "xnli"].settings
    assert (qa.learning_rate, qa.epochs, qa.batch_size, qa.max_length) == (1e-5, 2, 16, 384)
    assert (nli.learning_rate, nli.epochs, nli.batch_size, nli.max_length) == (1e-5, 2, 32, 256)
    assert trained["adapter", "xnli"].settings.learning_rate == 1e-4
