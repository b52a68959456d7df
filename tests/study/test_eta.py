from __future__ import annotations

from typing import Any

import pytest
from repository import CONFIGS

from adaptstilts.store.stage import Stage, describe
from adaptstilts.study.eta import Pace
from adaptstilts.study.plan.jobs import DataJob, PredictJob, TrainJob
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.study import Study

QUICK = CONFIGS / "quickstart.yaml"
XTREME = CONFIGS / "xtreme_xlmr_large.yaml"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Study.load(XTREME).plan


def train(plan: Plan, method: str, task: str, **values: Any) -> Stage:
    return next(
        stage
        for stage in plan.stages
        if isinstance(stage.job, TrainJob)
        and (stage.job.method, stage.job.task) == (method, task)
        and all(getattr(stage.job, name) == value for name, value in values.items())
    )


def predict(plan: Plan, task: str) -> Stage:
    return next(stage for stage in plan.stages if isinstance(stage.job, PredictJob) and stage.job.task == task)


def add(pace: Pace, stage: Stage, seconds: float) -> None:
    pace.add(stage.kind.value, describe(stage.job), seconds, stage.inputs)


def test_estimate_is_a_guess_until_something_is_measured(plan: Plan):
    pace = Pace()
    stage = train(plan, "direct", "mnli")
    assert (pace.seconds(stage), pace.knows(stage)) == (3.5, False)
    add(pace, predict(plan, "xnli"), 3.0)
    assert not pace.knows(stage)
    add(pace, train(plan, "adapter", "udpos"), 50.0)
    assert pace.knows(stage)


def test_estimate_is_the_mean_of_the_same_method_and_task(plan: Plan):
    pace = Pace()
    add(pace, train(plan, "stack", "mnli"), 100.0)
    add(pace, train(plan, "stack", "mnli"), 300.0)
    add(pace, train(plan, "direct", "mnli"), 9000.0)
    assert pace.seconds(train(plan, "stack", "mnli")) == pytest.approx(200)


def test_estimate_of_another_method_of_the_family_comes_before_that_of_another_family(plan: Plan):
    pace = Pace()
    add(pace, train(plan, "direct", "mnli"), 9000.0)
    add(pace, train(plan, "stack", "mnli"), 200.0)
    assert pace.seconds(train(plan, "continue", "mnli")) == pytest.approx(200)


def test_estimate_of_another_task_is_in_proportion_to_its_examples_epochs_and_lengths(plan: Plan):
    pace = Pace()
    known, asked = train(plan, "direct", "mnli"), train(plan, "direct", "pawsx")
    assert isinstance(known.job, TrainJob)
    assert isinstance(asked.job, TrainJob)
    add(pace, known, 1000.0)
    mnli, pawsx = known.job.settings, asked.job.settings
    ratio = (pawsx.epochs * 49401 * pawsx.max_length) / (mnli.epochs * 392702 * mnli.max_length)
    assert 0.1 < ratio < 0.5
    assert pace.seconds(asked) == pytest.approx(1000 * ratio, rel=0.01)


def mini_plan(*overrides: str) -> Plan:
    some = ("methods=[direct]", "target.tasks=[pawsx,xnli,tydiqa]", "data.mini_low_resource=30")
    return Study.load(QUICK, (*some, *overrides)).plan


def pace_of(*plans: Plan) -> Pace:
    pace = Pace()
    for plan in plans:
        for stage in plan.stages:
            if isinstance(stage.job, DataJob):
                pace.add_world(stage.key, describe(stage.job))
    return pace


def test_generated_data_count_by_how_much_is_generated():
    few, many = mini_plan("data.mini_train=100"), mini_plan("data.mini_train=1000")
    pace = pace_of(few, many)
    known = train(few, "direct", "mnli")
    add(pace, known, 10.0)
    assert pace.seconds(train(many, "direct", "mnli")) == pytest.approx(100)
    pawsx, tydiqa = train(few, "direct", "pawsx"), train(few, "direct", "tydiqa")
    assert isinstance(known.job, TrainJob)
    for other, rows in ((pawsx, 100), (tydiqa, 30)):
        assert isinstance(other.job, TrainJob)
        work = [job.settings.epochs * job.settings.max_length for job in (known.job, other.job)]
        assert pace.seconds(other) == pytest.approx(10 * work[1] / work[0] * rows / 100)
    swept = mini_plan("data.mini_train=[100,1000]")
    pace = pace_of(swept)
    first, second = [stage for stage in swept.stages if stage.name.startswith("train direct: mnli, seed 1")]
    add(pace, first, 10.0)
    assert pace.seconds(second) == pytest.approx(100)


def test_run_on_generated_data_that_are_gone_is_no_measure():
    plan = mini_plan("data.mini_train=100")
    pace = Pace()
    add(pace, train(plan, "direct", "mnli"), 10.0)
    assert not pace.knows(train(plan, "direct", "mnli"))


def test_steps_end_a_run_on_generated_data_too():
    whole, short = mini_plan("data.mini_train=1000"), mini_plan("data.mini_train=1000", "target.full.max_steps=5")
    pace = pace_of(whole, short)
    known, asked = train(whole, "direct", "mnli"), train(short, "direct", "mnli")
    assert isinstance(known.job, TrainJob)
    settings = known.job.settings
    add(pace, known, 100.0)
    assert pace.seconds(asked) == pytest.approx(100 * 5 * settings.batch_size / (settings.epochs * 1000))


def test_estimate_of_predictions_is_in_proportion_to_languages(plan: Plan):
    pace = Pace()
    xnli, tydiqa = predict(plan, "xnli"), predict(plan, "tydiqa")
    assert isinstance(xnli.job, PredictJob)
    assert isinstance(tydiqa.job, PredictJob)
    add(pace, xnli, 30.0)
    assert pace.seconds(tydiqa) == pytest.approx(30 * len(tydiqa.job.languages) / len(xnli.job.languages))


def test_kind_that_is_not_measured_is_estimated_in_proportion_to_one_that_is(plan: Plan):
    pace = Pace()
    add(pace, train(plan, "direct", "mnli"), 5000.0)
    assert pace.seconds(predict(plan, "xnli")) == pytest.approx(5000 / 3.5 * 0.1)


def test_running_stage_is_the_measure_where_nothing_like_it_is_finished(plan: Plan):
    pace = Pace()
    pace.hint(train(plan, "stack", "mnli"), 700.0)
    assert pace.knows(train(plan, "direct", "udpos"))
    assert pace.seconds(train(plan, "stack", "mnli")) == pytest.approx(700)
    add(pace, train(plan, "stack", "mnli"), 500.0)
    assert pace.seconds(train(plan, "stack", "mnli")) == pytest.approx(500)


@pytest.mark.parametrize("key", ["max_length", "batch_size", "epochs"])
@pytest.mark.parametrize("value", ["x" * 1_000_000, ["x"] * 1_000, {}, None], ids=["text", "list", "table", "null"])
def test_manifest_of_any_content_is_no_measure_and_fills_no_memory(plan: Plan, key: str, value: Any):
    pace, stage = Pace(), train(plan, "direct", "mnli")
    job = describe(stage.job)
    job["settings"] |= {"max_steps": 10, key: value}
    pace.add("train", job, 10.0, stage.inputs)
    assert not pace.knows(stage)
