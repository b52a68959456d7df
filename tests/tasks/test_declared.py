"""What of a task's declaration decides results, and so counts in keys."""

from dataclasses import fields, replace

import pytest

from adaptstilts.config.recipes import PartialSettings, Recipe
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Hub, Kind, Metric, Phase, Size, Split, Task, declared

UDPOS = get_task("udpos")
TRAIN = UDPOS.layouts[Split.TRAIN]


@pytest.mark.parametrize(
    "change",
    [
        {"labels": UDPOS.labels[::-1]},
        {"metric": Metric.TOKEN_ACCURACY},
        {"kind": Kind.CLASSIFY},
        {"unanswerable": True},
        {"labels_from_data": True},
        {"pool": TRAIN},
        {"layouts": {**UDPOS.layouts, Split.TRAIN: replace(TRAIN, reader="another")}},
        {"layouts": {**UDPOS.layouts, Split.TRAIN: replace(TRAIN, options=(("column", "3"),))}},
        {"layouts": {**UDPOS.layouts, Split.TRAIN: replace(TRAIN, otherwise=replace(TRAIN, reader="another"))}},
        {"layouts": {**UDPOS.layouts, Split.TRAIN: replace(TRAIN, parts=(TRAIN,))}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_decides_results_changes_the_digest(change):
    assert declared(replace(UDPOS, **change)) != declared(UDPOS)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another"},
        {"phase": Phase.TRAINING},
        {"languages": ("en",)},
        {"languages_r": ("fi",)},
        {"rows": 3},
        {"folder": "there"},
        {"licence": "free"},
        {"size": Size(3, choices=2)},
        {"recipe": Recipe(full=PartialSettings(epochs=9))},
        {"hub": Hub("another/repository")},
        {"low_resource": True},
        {"layouts": {**UDPOS.layouts, Split.TRAIN: replace(TRAIN, files=(("moved.tsv",),))}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_decides_nothing_leaves_the_digest_as_it_is(change):
    assert declared(replace(UDPOS, **change)) == declared(UDPOS)


def test_no_other_field_of_a_task_counts_in_keys():
    counted = {item.name for item in fields(Task) if item.metadata.get("key", True)}
    assert counted == {"kind", "metric", "labels", "labels_from_data", "unanswerable", "layouts", "pool"}


def test_digest_is_the_one_that_stores_hold():
    # As when the fields that count were listed by hand; a change makes finished work useless.
    assert declared(UDPOS) == "2fb6e96069a5011c"
    assert declared(get_task("lareqa")) == "d0b78ce0efc3198b"
