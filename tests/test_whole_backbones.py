"""Whole studies on a small backbone of every type: every method and kind of task, planned, run and read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from architectures import TYPES, save_type
from task_files import TASK_FILES
from tokenizers_tiny import special_ids, tiny

import adaptstilts
from adaptstilts.study.plan.jobs import PredictJob, TrainJob, job_of
from adaptstilts.study.pricing.cost import Pricing
from adaptstilts.study.pricing.devices import get_device
from adaptstilts.study.study import Study
from adaptstilts.tasks.examples import SpanExample

QUICK = ("mt5", "modernbert")
METHODS = ("direct", "full", "adapter", "stack", "continue", "fuse")
ALL_KINDS = ("xnli", "xcopa", "panx", "tydiqa", "tatoeba", "bucc2018", "lareqa", "mewslix")
FAMILIES = {"modernbert": "mmbert"}
"""Families of tokenizers by type, where the names differ."""


def save_whole_backbone(folder: Path, model_type: str, family: str | None = None) -> Path:
    """Save a small random encoder of a type and a tokenizer that fits; return the folder."""
    family = family or FAMILIES.get(model_type, model_type)
    tokenizer = tiny(family)
    save_type(folder, model_type, vocabulary=len(tokenizer), layers=2, **special_ids(family))
    tokenizer.save_pretrained(str(folder))
    return folder


def write_rows(root: Path) -> Path:
    """Write three rows of every task; return the data root."""
    for files in TASK_FILES.values():
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def small_study(backbone: Path, folder: Path, tasks: tuple[str, ...], **more: Any) -> dict[str, Any]:
    """Settings of a study of seconds with all six methods."""
    training = {"epochs": 1, "batch_size": 8, "max_length": 96, "learning_rate": 1e-3, "evaluate_examples": 4}
    families = dict.fromkeys(("full", "adapter", "fusion"), training)
    return {
        "name": "whole",
        "backbone": str(backbone),
        "store": str(folder / "store"),
        "results": str(folder / "results"),
        "methods": list(METHODS),
        "workers": 1,
        "intermediate": {"tasks": ["commonsenseqa"], **families},
        "target": {"tasks": list(tasks), **families},
        "adapter": {"reduction_factor": 4},
        "retrieval": {"sweep": True, "max_length": 96},
        "evaluation": {"languages": "present"},
        **more,
    }


def check_prices(settings: dict[str, Any]) -> None:
    study = Study.load(settings)
    pricing = Pricing(study.variants, study.plan, get_device("cpu"), 0.4)
    for stage in study.plan.stages:
        if job_of(stage, TrainJob) or job_of(stage, PredictJob):
            price = pricing.price(stage)
            assert price is not None, stage.name
            assert price.flops > 0, stage.name


def check_study(settings: dict[str, Any]) -> adaptstilts.Study:
    """Plan, run, read and repeat a study."""
    check_prices(settings)
    study = adaptstilts.load_study(settings)
    assert study.validate().record["ok"]
    planned = len(study.plan("cpu").stages)
    ran = study.run(progress=False)
    assert (ran.failed, ran.made) == ((), planned)
    results, tasks = study.results(), study.config.target.tasks
    scores = results[results["is_major"]].groupby(["target", "method"])["value"].agg(["count", "min", "max"])
    assert set(scores.index) == {(task, method) for task in tasks for method in METHODS}
    assert scores["min"].ge(0).all()
    assert scores["max"].le(100).all()
    frame = study.predictions()
    assert set(frame["task"]) == set(tasks)
    assert set(frame["method"]) == set(METHODS)
    assert (study.results_folder / "layers.csv").is_file()
    again = study.run(progress=False)
    assert (again.made, again.skipped) == (0, planned)
    return study


def check_networks(study: adaptstilts.Study, root: Path) -> None:
    """Networks that are loaded again give what the study predicted."""
    rows = [line.split("\t") for line in (root / "xnli" / "test-de.tsv").read_text(encoding="utf-8").splitlines()]
    premises, hypotheses = ([row[place].strip('"').replace('""', '"') for row in rows] for place in (0, 1))
    for method in METHODS:
        source = None if method in {"direct", "adapter"} else "commonsenseqa"
        network = study.network("xnli", method=method, source=source)
        with torch.no_grad():
            scores = network(**network.encode(premises, hypotheses))
        frame = study.predictions(task="xnli", method=method)
        expected = torch.tensor(np.stack(list(frame["scores"])))
        assert torch.allclose(scores, expected.to(scores), atol=1e-4), method
        reader = study.network("tydiqa", method=method, source=source)
        question = SpanExample("1", "Who has the book?", "Anna has the book. Ben has the ball.", answers=None)
        assert list(reader.predict([question])) == ["1"]


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows"))


@pytest.mark.parametrize("name", QUICK)
def test_study_with_every_method(rows: Path, tmp_path: Path, name: str):
    backbone = save_whole_backbone(tmp_path / "backbone", name)
    settings = small_study(backbone, tmp_path, ("xnli", "tydiqa", "tatoeba"), data={"root": str(rows)})
    check_networks(check_study(settings), rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*TYPES, "bert-xlmr"])
def test_study_with_every_method_and_kind_of_task(rows: Path, tmp_path: Path, name: str):
    family = name if name == "bert-xlmr" else None
    backbone = save_whole_backbone(tmp_path / "backbone", name.partition("-xlmr")[0], family)
    check_networks(check_study(small_study(backbone, tmp_path, ALL_KINDS, data={"root": str(rows)})), rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", TYPES)
def test_study_over_all_languages_of_the_mini_world(tmp_path: Path, name: str):
    backbone = save_whole_backbone(tmp_path / "backbone", name)
    mini = {"root": "mini", "mini_train": 32, "mini_evaluation": 8, "mini_low_resource": 32}
    tasks = ("xnli", "tydiqa", "udpos", "tatoeba", "bucc2018")
    check_study(small_study(backbone, tmp_path, tasks, data=mini))
