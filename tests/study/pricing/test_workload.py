from dataclasses import replace
from pathlib import Path

import pytest

from adaptstilts.data.lock import Lock, LockedSplit, write_lock
from adaptstilts.study.plan.jobs import PredictJob, TrainJob
from adaptstilts.study.pricing.workload import Workloads
from adaptstilts.study.study import Study
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.tasks.spec import BenchmarkName, Kind, Phase, Split

PAPER = Path("configs/xtreme_xlmr_large.yaml")
MINI = Path("configs/quickstart.yaml")


def study(path=PAPER, *overrides):
    loaded = Study.load(path, overrides)
    return loaded.config, [stage.job for stage in loaded.plan.stages]


def run_of(jobs, method, task):
    return next(job for job in jobs if isinstance(job, TrainJob) and (job.method, job.task) == (method, task))


@pytest.fixture(scope="module")
def paper():
    return study()


def test_training_counts_every_epoch_of_the_published_rows(paper):
    config, jobs = paper
    workload = Workloads(config).training(run_of(jobs, "direct", "pawsx"))
    assert (workload.sequences, workload.examples) == (5 * 49_401, 49_401)
    assert workload.tokens == 58
    # every 1,000 of 7,720 steps, and at the end, on 500 examples
    assert workload.dev_sequences == 8 * 500


def test_alternatives_of_a_question_are_sequences(paper):
    config, jobs = paper
    workload = Workloads(config).training(run_of(jobs, "direct", "commonsenseqa"))
    assert workload.sequences == 3 * 9_741 * 5


def test_inputs_are_never_longer_than_the_settings_allow(paper):
    config, jobs = paper
    job = run_of(jobs, "direct", "squad1")
    short = replace(job, settings=replace(job.settings, max_length=64))
    assert Workloads(config).training(short).tokens == 64


def test_fewer_examples_and_steps_are_counted_where_asked_for():
    config, jobs = study(PAPER, "data.max_train=1000", "target.full.max_steps=10", "data.max_evaluation=50")
    workloads = Workloads(config)
    assert workloads.training(run_of(jobs, "direct", "pawsx")).sequences == 320
    assert workloads.training(run_of(jobs, "adapter", "pawsx")).sequences == 15 * 1000
    predict = next(job for job in jobs if isinstance(job, PredictJob) and job.task == "xnli")
    assert workloads.prediction(predict, "sw", Split.TEST).sequences == 50
    mined = next(job for job in jobs if isinstance(job, PredictJob) and job.task == "bucc2018")
    assert workloads.prediction(mined, "de", Split.TEST).sequences == 100


def test_mini_world_has_the_configured_numbers():
    config, jobs = study(MINI, "data.mini_train=640", "data.mini_low_resource=64")
    workloads = Workloads(config)
    assert workloads.training(run_of(jobs, "direct", "mnli")).examples == 640
    # a tenth is held out, as the dev set is what is scored
    tydiqa = run_of(jobs, "direct", "tydiqa")
    assert tydiqa.hold_out
    assert workloads.training(tydiqa).examples == 64 - 6
    assert not workloads.assumed


def test_lock_file_stands_over_published_numbers(tmp_path):
    split = LockedSplit(rows=777, files={"mnli/train.jsonl": "0" * 64}, sources=(), revision=None, date="2026-01-01")
    write_lock(tmp_path, Lock().with_split("mnli", Split.TRAIN, "en", split))
    config = Study.load(PAPER, [f"data.root={tmp_path}"]).config
    workloads = Workloads(config)
    assert workloads.rows(get_task("mnli"), Split.TRAIN, "en") == 777
    assert workloads.rows(get_task("qqp"), Split.TRAIN, "en") == 363_846


def test_tasks_whose_numbers_are_guesses_are_named(paper):
    config, jobs = paper
    workloads = Workloads(config)
    for job in jobs:
        if isinstance(job, TrainJob):
            workloads.training(job)
    assert workloads.assumed == {"ccg"}


def test_evaluating_everything_once_takes_what_was_counted(paper):
    config, jobs = paper
    workloads = Workloads(config)
    tokens = {}
    for job in jobs:
        if isinstance(job, PredictJob) and job.method == "direct":
            workload = [workloads.prediction(job, *language) for language in job.languages]
            tokens[job.task] = tokens.get(job.task, 0) + sum(one.sequences * one.tokens for one in workload)
    assert sum(tokens.values()) == pytest.approx(113e6, rel=0.05)
    assert tokens["bucc2018"] == pytest.approx(84e6, rel=0.02)


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.name)
def test_every_task_has_what_its_price_needs(task):
    size = task.size
    assert size.length > 0
    assert (size.choices > 1) == (task.kind is Kind.CHOOSE)
    assert (size.tags > 0) == task.labels_from_data
    assert (size.pool > 0) == (task.pool is not None)
    in_mini = task.phase is Phase.INTERMEDIATE or BenchmarkName.XTREME in task.benchmarks
    assert (size.mini_length is not None) == in_mini
