"""A small finished study: two sources, two targets, all six methods, one seed."""

import pytest

from adaptstilts.results.rows import ResultRow, RunRow, TaskScore, task_scores
from adaptstilts.train.methods import METHODS

# method, source, target -> score by language
_SCORES = {
    ("direct", "", "xnli"): {"en": 80.0, "de": 60.0},
    ("direct", "", "tatoeba"): {"de": 30.0, "sw": 10.0},
    ("full", "mnli", "xnli"): {"en": 82.0, "de": 65.0},
    ("full", "mnli", "tatoeba"): {"de": 50.0, "sw": 14.0},
    ("full", "qqp", "xnli"): {"en": 79.0, "de": 56.0},
    ("full", "qqp", "tatoeba"): {"de": 29.0, "sw": 10.0},
    ("adapter", "", "xnli"): {"en": 78.0, "de": 61.0},
    ("adapter", "", "tatoeba"): {"de": 30.0, "sw": 10.0},
    ("stack", "mnli", "xnli"): {"en": 81.0, "de": 62.0},
    ("stack", "mnli", "tatoeba"): {"de": 37.0, "sw": 13.0},
    ("stack", "qqp", "xnli"): {"en": 78.0, "de": 61.5},
    ("stack", "qqp", "tatoeba"): {"de": 25.0, "sw": 10.0},
    ("continue", "mnli", "xnli"): {"en": 79.0, "de": 61.0},
    ("continue", "mnli", "tatoeba"): {"de": 37.0, "sw": 13.0},
    ("continue", "qqp", "xnli"): {"en": 78.0, "de": 62.0},
    ("continue", "qqp", "tatoeba"): {"de": 25.0, "sw": 10.0},
    ("fuse", "mnli+qqp", "xnli"): {"en": 80.0, "de": 63.0},
    ("fuse", "mnli+qqp", "tatoeba"): {"de": 31.0, "sw": 11.0},
}


def _note(method: str, target: str) -> str:
    if target != "tatoeba":
        return ""
    plain = {"direct", "adapter"}
    return "dev set is the test set" + ("; the backbone itself" if method in plain else "")


@pytest.fixture
def rows() -> list[ResultRow]:
    return [
        ResultRow(
            method=method,
            family=METHODS[method].family,
            source=source,
            target=target,
            language=language,
            metric="accuracy",
            value=value,
            is_major=True,
            split="test",
            examples=200,
            seed=1,
            note=_note(method, target),
        )
        for (method, source, target), values in _SCORES.items()
        for language, value in values.items()
    ]


@pytest.fixture
def scores(rows: list[ResultRow]) -> list[TaskScore]:
    return list(task_scores(rows))


@pytest.fixture
def runs() -> list[RunRow]:
    def run(method: str, family: str, source: str, target: str, trained: int, seconds: float) -> RunRow:
        name = f"{target or 'intermediate'} {method} {source}"
        return RunRow(method, family, source, target, 1, trained, 4_000_000, 4 * trained, seconds, 2000, 70.0, name)

    return [
        run("", "full", "mnli", "", 3_900_000, 60.0),
        run("", "adapter", "mnli", "", 25_000, 30.0),
        run("", "adapter", "qqp", "", 25_000, 30.0),
        run("direct", "full", "", "xnli", 3_900_000, 90.0),
        run("full", "full", "mnli", "xnli", 3_900_000, 90.0),
        run("full", "full", "qqp", "xnli", 3_900_000, 90.0),
        run("adapter", "adapter", "", "xnli", 25_000, 60.0),
        run("stack", "adapter", "mnli", "xnli", 25_000, 60.0),
        run("stack", "adapter", "qqp", "xnli", 27_000, 60.0),
        run("fuse", "fusion", "mnli+qqp", "xnli", 66_000, 600.0),
    ]
