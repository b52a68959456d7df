"""The outside task of docs/tasks.md: one literal and one data file, through every method, engine and report."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from commandline import Said, say
from repository import ROOT

from adaptstilts.tasks import registry

PAGE = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
METHODS = ("direct", "full", "adapter", "stack", "continue", "fuse")
GOOD = ("lovely", "warm", "bright", "kind", "quick")
BAD = ("cold", "late", "dull", "rude", "slow")
GUT = ("schön", "warm", "hell", "nett", "schnell")
SCHLECHT = ("kalt", "spät", "trüb", "grob", "langsam")
STUDY = """\
name: own
backbone: mini
threads: 1
store: {folder}/store
results: {folder}/results
data: {{root: {data}}}
intermediate:
  tasks: [mnli]
  full: &few {{epochs: 1, batch_size: 8, learning_rate: 1e-3, max_length: 32}}
  adapter: *few
target:
  tasks: [sentiment]
  full: *few
  adapter: *few
  fusion: *few
"""


def block(language: str) -> str:
    """The first block of a language on the page."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[0]


def sentences() -> str:
    """30 rows in two languages under the header of the page: 20 in English, of which 12 train, and 10 in German."""
    header = block("").splitlines()[0]
    rows = []
    for number in range(10):
        split = "train" if number < 6 else "dev" if number < 8 else "test"
        words = GOOD[number % 5], BAD[number % 5]
        rows += [f"It was {word} today {number}.\t{label}\ten\t{split}"
                 for word, label in zip(words, ("positive", "negative"), strict=True)]  # fmt: skip
    for good, bad in zip(GUT, SCHLECHT, strict=True):
        rows += [f"Es war {good}.\tpositive\tde\ttest", f"Es war {bad}.\tnegative\tde\ttest"]
    return "\n".join([header, *rows]) + "\n"


def nli(count: int) -> str:
    """Rows of MNLI as it is published."""
    words = ("entailment", "neutral", "contradiction")
    return "".join(
        json.dumps({"gold_label": words[row % 3], "sentence1": f"Ann has {row} cats.", "sentence2": f"Cats: {row % 4}.",
                    "pairID": str(row)}) + "\n"
        for row in range(count)
    )  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def own_tables():
    """The registry as it was, after the tests of this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_TASKS", dict(registry._TASKS))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the declaration of the page, its data file, and MNLI."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "sentiment.py").write_text(block("python"), encoding="utf-8")
    (folder / "data" / "mnli").mkdir(parents=True)
    (folder / "data" / "sentiment.tsv").write_text(sentences(), encoding="utf-8")
    (folder / "data" / "mnli" / "multinli_1.0_train.jsonl").write_text(nli(12), encoding="utf-8")
    (folder / "data" / "mnli" / "multinli_1.0_dev_matched.jsonl").write_text(nli(6), encoding="utf-8")
    return folder


def run(folder: Path, place: str, *words: str, verb: str = "run") -> Said:
    """Carry out the study with results and store in a place of their own."""
    (folder / place).mkdir(exist_ok=True)
    config = folder / place / "own.yaml"
    config.write_text(STUDY.format(folder=folder / place, data=folder / "data"), encoding="utf-8")
    return say(verb, config, *words, "--tasks-from", folder / "sentiment.py")


def rows(folder: Path, place: str) -> list[dict[str, str]]:
    with (folder / place / "results" / "own" / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def artefacts(folder: Path, place: str) -> dict[str, bytes]:
    """The bytes of every score in a store, by the stage's key."""
    found = (folder / place / "store").glob("score/*/manifest.json")
    return {json.loads(path.read_text())["key"]: (path.parent / "scores.json").read_bytes() for path in found}


@pytest.fixture(scope="module")
def ran(folder: Path) -> Said:
    return run(folder, "pool", "workers=2")


def test_thirty_rows_and_one_literal_run_through_every_method_in_two_processes(folder: Path, ran: Said):
    assert ran.code == 0, ran.err
    found = {(row["method"], row["source"], row["language"]) for row in rows(folder, "pool")}
    assert found == {
        (method, "" if method in {"direct", "adapter"} else "mnli", code) for method in METHODS for code in ("en", "de")
    }
    examples = {(row["language"], row["examples"]) for row in rows(folder, "pool")}
    assert examples == {("en", "4"), ("de", "10")}
    report = (folder / "pool" / "results" / "own" / "report.md").read_text(encoding="utf-8")
    assert "sentiment: no task of XTREME, in none of its averages" in report


def test_it_is_found_priced_and_explained_like_any_other_task(folder: Path, ran: Said):
    assert ran.code == 0, ran.err
    listed = say("tasks", "--json", "--tasks-from", folder / "sentiment.py").json[-1]
    assert (listed["name"], listed["title"], listed["metric"]) == ("sentiment", "sentiment", "accuracy")
    checked = say("data", "check", folder / "data", "sentiment", "--tasks-from", folder / "sentiment.py")
    assert checked.code == 0, checked.err
    planned = run(folder, "pool", "--json", verb="plan")
    assert planned.code == 0, planned.err
    assert all(stage["done"] for stage in planned.json["stages"])
    status = run(folder, "pool", verb="status")
    assert status.code == 0, status.err
    assert f"--tasks-from {folder / 'sentiment.py'}" in status.out


def test_ray_workers_get_the_task_by_value_and_give_equal_scores(folder: Path, ran: Said, monkeypatch):
    pytest.importorskip("ray")
    assert ran.code == 0, ran.err
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    done = run(folder, "ray", "--engine", "ray", "workers=2")
    assert done.code == 0, done.err
    made = artefacts(folder, "ray")
    assert len(made) == 2 * len(METHODS)
    assert made == artefacts(folder, "pool")


def test_slurm_jobs_get_the_task_by_value_and_give_equal_scores(folder: Path, ran: Said, monkeypatch):
    pytest.importorskip("submitit")
    assert ran.code == 0, ran.err
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    (trained,) = (folder / "pool" / "store" / "train").glob("direct-sentiment-*")  # one job less to start
    shutil.copytree(trained, folder / "slurm" / "store" / "train" / trained.name)
    done = run(folder, "slurm", "methods=[direct]", "--engine", "slurm", "engine.slurm.cluster=local", "device=cpu")
    assert done.code == 0, done.err
    assert re.search(r"slurm: 1 job in array \S+ for 2 stages", done.err)
    made, known = artefacts(folder, "slurm"), artefacts(folder, "pool")
    assert len(made) == 2
    assert made.items() <= known.items()
