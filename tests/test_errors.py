"""Errors that come from a worker process are whole when they arrive."""

import inspect
import pickle

import pytest

from adaptstilts import errors
from adaptstilts.errors import AdaptstiltsError, ConfigError, DamagedError, ProblemsError

CLASSES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, AdaptstiltsError) and kind not in {DamagedError, ProblemsError}
]
RAISED = [
    *(
        kind("wrong", path="a/b.yaml", line=3, key="x.y", value="c", allowed=("d",), hint="Do this.")
        for kind in CLASSES
    ),
    DamagedError("damaged", path="a/f.bin", folder="a"),
    ProblemsError([ConfigError("one", key="k"), DamagedError("damaged", folder="a")]),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_an_error_says_the_same_in_another_process(error: AdaptstiltsError):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__.keys() == error.__dict__.keys()


def test_all_errors_of_the_package_are_looked_at():
    assert len(RAISED) >= 10


@pytest.mark.parametrize(
    ("value", "allowed", "found"),
    [
        ("H100", ["v100", "h100"], ["h100"]),
        ("XNLI", ["mnli", "xnli"], ["xnli"]),
        ("fusE", ["Fuse", "full"], ["Fuse"]),
        ("zzz", ["fuse"], []),
        ("h100", [], []),
    ],
)
def test_near_matches_ignore_case(value, allowed, found):
    assert errors.near_matches(value, allowed) == found
