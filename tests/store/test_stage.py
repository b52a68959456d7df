from dataclasses import replace

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.config.schema import AdapterSection
from adaptstilts.results.setting import RunSetting
from adaptstilts.store.stage import DataPlace, StageMaker, make_stage
from adaptstilts.study.plan.jobs import (
    BackboneRef,
    DataJob,
    OverlapCheck,
    ReportJob,
    ReportView,
    ScoreJob,
    Source,
    TrainJob,
)
from adaptstilts.tasks.spec import Split

SETTINGS = TrainSettings(
    learning_rate=1e-5, epochs=3, batch_size=32, max_length=256, warmup=0.1, weight_decay=0.0, patience=None
)
TRAIN = TrainJob(
    method="stack",
    task="mnli",
    settings=SETTINGS,
    seed=1,
    backbone=BackboneRef("here", "main", "f" * 64),
    sources=(Source("qqp", "a" * 64),),
    reuse_head=False,
    adapter=AdapterSection(reduction_factor=4),
    fusion=None,
    data=("quoting clean", 'ä "quoted" \\ name'),
    max_train=None,
    hold_out=True,
)
REPORT = ReportJob(
    analysis="b" * 64,
    title='Größe "x"\n',
    shown=(
        ReportView(
            RunSetting("xlmr", is_large=True, max_train=5, retrieval={"tatoeba": "layer 14", "bucc2018": "layer 8"})
        ),
        ReportView(None, "rate=1e-3 tasks=[a]", (("rate", 1e-3), ("tasks", ["a"]), ("kind", None), ("is", True))),
    ),
    compared=(
        OverlapCheck(("mnli",), (("xnli", (("en", Split.TEST),)),)),
        OverlapCheck(("qqp",), (), ("e" * 64,), "f" * 64, "data of x", DataPlace("here", "clean")),
    ),
    version="1",
)
JOBS: tuple[object, ...] = (
    DataJob(1, 2, 3, 4, 5),
    TRAIN,
    replace(TRAIN, after=Source("siqa", "c" * 64)),
    ScoreJob("xnli", (("en", Split.TEST), ("de", Split.DEV)), "d" * 64, 7),
    REPORT,
)


def test_maker_gives_the_keys_of_the_definition_for_every_kind_of_value():
    make = StageMaker()
    for _ in range(2):  # the second time from memory
        for job in JOBS:
            for inputs in ((), ("b" * 64, "a" * 64)):
                assert make("name", "slug", job, inputs) == make_stage("name", "slug", job, inputs)


def test_maker_does_not_take_one_value_for_another_that_had_its_place_in_memory():
    make = StageMaker()
    keys = {make("n", "s", replace(TRAIN, max_train=1000 + at, data=(str(at),))).key for at in range(500)}
    assert keys == {make_stage("n", "s", replace(TRAIN, max_train=1000 + at, data=(str(at),))).key for at in range(500)}
    assert len(keys) == 500


def test_place_of_data_counts_in_no_key():
    (one, two) = REPORT.compared
    moved = replace(REPORT, compared=(one, replace(two, place=DataPlace("there", "clean"))))
    assert make_stage("n", "s", moved).key == make_stage("n", "s", REPORT).key
    assert make_stage("n", "s", replace(REPORT, compared=(one,))).key != make_stage("n", "s", REPORT).key
