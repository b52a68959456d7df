"""What of a task's declaration decides results, and so counts in keys."""

from dataclasses import replace

import pytest

from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind, Metric, Phase, Split, declared

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
        {"layouts": {**UDPOS.layouts, Split.TRAIN: replace(TRAIN, files=(("moved.tsv",),))}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_decides_nothing_leaves_the_digest_as_it_is(change):
    assert declared(replace(UDPOS, **change)) == declared(UDPOS)
