from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from repository import CONFIGS

from adaptstilts.config.load import load_study
from adaptstilts.errors import DamagedError
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import Stage
from adaptstilts.study.plan.data_facts import facts_for
from adaptstilts.study.plan.jobs import BackboneRef, Cell, TrainJob
from adaptstilts.study.plan.plan import Plan, make_plan
from adaptstilts.study.stages.collect import (
    analysis_rows,
    benchmark_notes,
    result_rows,
    retrieval_notes,
    run_rows,
    training_notes,
)
from adaptstilts.tasks.spec import BenchmarkName

QUICKSTART = CONFIGS / "quickstart.yaml"
SMALL = ["intermediate.tasks=[mnli, squad1]", "target.tasks=[xnli, tydiqa, tatoeba]", "target.full.epochs=9"]


@pytest.fixture(scope="module")
def plan() -> Plan:
    """All methods with two intermediate tasks on three targets."""
    config, _ = load_study(QUICKSTART, SMALL)
    facts, job = facts_for(config.data, config.evaluation.languages, config.evaluation.benchmark)
    return make_plan(config, facts, BackboneRef("somewhere", None, "f" * 64), job)


def artefact(folder: Path, stage: Stage, name: str, content: Any) -> dict[str, Artefact]:
    """An artefact with one file, by its key."""
    place = folder / stage.key
    place.mkdir()
    (place / name).write_text(json.dumps(content), encoding="utf-8")
    return {stage.key: Artefact(place, {})}


def scored(note: str = "", **scores: float) -> dict[str, Any]:
    return {"scores": scores, "split": "test", "examples": 7, "note": note}


def trained(**changes: Any) -> dict[str, Any]:
    record = {
        "trained_parameters": 10,
        "total_parameters": 1000,
        "artefact_bytes": 80,
        "seconds": 2.5,
        "examples": 64,
        "best_dev": 71.5,
        "notes": [],
        "attention": "torch's choice",
    }
    return record | changes


def languages_of(plan: Plan, cell: Cell) -> dict[str, Stage]:
    """The stage that scores each language of a cell."""
    return {stage.job.languages[0][0]: stage for stage in map(plan.stage, cell.score)}


def test_result_rows_hold_one_row_per_language_and_metric(plan: Plan, tmp_path: Path):
    cell = next(cell for cell in plan.cells if (cell.method, cell.target) == ("fuse", "tydiqa"))
    stages = languages_of(plan, cell)
    assert list(stages) == ["en", "de", "es", "ru", "tr", "sw", "hi", "zh"]
    done = artefact(tmp_path, stages["de"], "scores.json", {"de": scored(exact_match=10.0, f1=30.0)})
    done |= artefact(tmp_path, stages["zh"], "scores.json", {"zh": scored("odd", exact_match=0.0, f1=5.5)})
    rows = result_rows(plan.tables, done)
    assert [(row.language, row.metric, row.value, row.note) for row in rows] == [
        ("de", "exact_match", 10.0, ""),
        ("de", "f1", 30.0, ""),
        ("zh", "exact_match", 0.0, "odd"),
        ("zh", "f1", 5.5, "odd"),
    ]
    first = rows[0]
    assert (first.method, first.family, first.source, first.target) == ("fuse", "fusion", "mnli+squad1", "tydiqa")
    assert (first.split, first.examples, first.seed, first.is_major) == ("test", 7, 1, True)


def test_result_rows_repeat_scores_that_several_methods_share(plan: Plan, tmp_path: Path):
    cells = {cell.method: cell for cell in plan.cells if cell.target == "tatoeba" and cell.source in {"", "mnli"}}
    assert cells["direct"].score == cells["adapter"].score
    stage = languages_of(plan, cells["direct"])["de"]
    rows = result_rows(plan.tables, artefact(tmp_path, stage, "scores.json", {"de": scored("dev", accuracy=40.0)}))
    assert {(row.method, row.family, row.source) for row in rows} == {
        ("direct", "full", ""),
        ("adapter", "adapter", ""),
    }
    notes = "no training data: the backbone itself; retrieval preset xtreme-paper; dev"
    assert {row.note for row in rows} == {notes}


def test_result_rows_mark_metrics_that_make_no_score_as_minor(plan: Plan, tmp_path: Path):
    cell = next(cell for cell in plan.cells if (cell.method, cell.target) == ("direct", "xnli"))
    content = {"de": scored(accuracy=40.0, other=1.0)}
    rows = result_rows(plan.tables, artefact(tmp_path, languages_of(plan, cell)["de"], "scores.json", content))
    assert {row.metric: row.is_major for row in rows} == {"accuracy": True, "other": False}


def test_result_rows_are_empty_when_nothing_is_finished(plan: Plan):
    assert result_rows(plan.tables, {}) == []


def test_result_rows_raise_when_scores_are_no_table(plan: Plan, tmp_path: Path):
    cell = plan.cells[0]
    done = artefact(tmp_path, languages_of(plan, cell)["de"], "scores.json", {"de": {**scored(), "scores": 3}})
    with pytest.raises(DamagedError, match=r"scores\.json: its value 'de\.scores' is 3, and should be a table"):
        result_rows(plan.tables, done)


def trainings(plan: Plan) -> dict[tuple[str, str, tuple[str, ...]], Stage]:
    return {
        (stage.job.method, stage.job.task, tuple(source.task for source in stage.job.sources)): stage
        for stage in plan.stages
        if isinstance(stage.job, TrainJob)
    }


def test_run_rows_name_intermediate_runs_by_their_task_and_others_by_their_target(plan: Plan, tmp_path: Path):
    stages = trainings(plan)
    keys = [("adapter", "squad1", ()), ("stack", "mnli", ("squad1",)), ("fuse", "tydiqa", ("mnli", "squad1"))]
    done: dict[str, Artefact] = {}
    for key in keys:
        done |= artefact(tmp_path, stages[key], "training.json", trained())
    rows = {row.stage: row for row in run_rows(plan.tables, done)}
    found = [rows[stages[key].name] for key in keys]
    assert [(row.method, row.family, row.source, row.target) for row in found] == [
        ("", "adapter", "squad1", ""),
        ("stack", "adapter", "squad1", "xnli"),
        ("fuse", "fusion", "mnli+squad1", "tydiqa"),
    ]
    row = found[0]
    assert (row.trained_parameters, row.total_parameters, row.artefact_bytes) == (10, 1000, 80)
    assert (row.train_seconds, row.train_examples, row.best_dev, row.seed) == (2.5, 64, 71.5, 1)
    assert row.attention == "torch's choice"


def test_run_rows_hold_each_run_once_however_many_targets_use_it(tmp_path: Path):
    config, _ = load_study(QUICKSTART, ["methods=[direct]", "target.tasks=[xquad, mlqa]"])
    facts, job = facts_for(config.data, config.evaluation.languages, config.evaluation.benchmark)
    plan = make_plan(config, facts, BackboneRef("somewhere", None, "f" * 64), job)
    (stage,) = trainings(plan).values()
    (row,) = run_rows(plan.tables, artefact(tmp_path, stage, "training.json", trained(best_dev=None)))
    assert (row.method, row.target, row.best_dev) == ("direct", "xquad", None)


def test_training_notes_say_each_remark_once_in_order(plan: Plan, tmp_path: Path):
    done: dict[str, Artefact] = {}
    for index, stage in enumerate(trainings(plan).values()):
        notes = ["b: held out", "a: stands in"] if index else ["b: held out"]
        done |= artefact(tmp_path, stage, "training.json", trained(notes=notes))
    assert training_notes(plan.tables.runs, done) == ["a: stands in", "b: held out"]
    assert training_notes(plan.tables.runs, {}) == []


def test_targets_outside_the_benchmark_are_told():
    assert benchmark_notes(("xnli", "pawsx"), BenchmarkName.XTREME) == []
    (note,) = benchmark_notes(("xnli", "pawsx", "bucc2018"), BenchmarkName.XTREME_R)
    assert note == "pawsx, bucc2018: no task of XTREME-R, in none of its averages"


def test_layers_of_all_languages_are_put_together(plan: Plan, tmp_path: Path):
    cell = next(cell for cell in plan.cells if (cell.method, cell.target) == ("direct", "tatoeba"))
    stages = {stage.job.languages[0][0]: stage for stage in map(plan.stage, cell.predict)}
    done: dict[str, Artefact] = {}
    for language, value in (("zh", 1.0), ("de", 3.0)):
        layers = [
            {"language": language, "layer": layer, "split": "test", "note": "", "scores": {"accuracy": value}}
            for layer in (0, 1)
        ]
        record = {"used": 1, "blocks": 2, "fitted_on": None, "layers": layers}
        done |= artefact(tmp_path, stages[language], "layers.json", record)
    rows = [row for row in analysis_rows(plan.tables, done)["layers"] if row.method == "direct"]
    assert [(row.language, row.layer, row.is_used, row.value) for row in rows] == [
        ("de", 0, False, 3.0),
        ("de", 1, True, 3.0),
        ("zh", 0, False, 1.0),
        ("zh", 1, True, 1.0),
    ]
    (note,) = retrieval_notes(plan.tables.remarks[0], plan.tables.cells, done)
    assert note.startswith("tatoeba: retrieval preset xtreme-paper: layer 14 of 24")
    assert note.endswith(" Used: layer 1 of 2.")
    assert "Used" not in retrieval_notes(plan.tables.remarks[0], plan.tables.cells, {})[0]
