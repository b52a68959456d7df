"""Prices of one's own rows: what is there is counted where that is quick."""

from pathlib import Path

import pytest
from commandline import say
from task_files import TASK_FILES, json_lines

from adaptstilts.study.pricing import row_counts
from adaptstilts.study.pricing.outline import outline
from adaptstilts.study.pricing.workload import Workloads
from adaptstilts.study.study import Study
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split


def mnli(rows):
    return json_lines(
        *(
            {"pairID": str(at), "gold_label": "neutral", "sentence1": f"One {at}.", "sentence2": f"Two {at}."}
            for at in range(rows)
        )
    )


def xnli(rows):
    return "".join(f"Eins {at}.\tZwei {at}.\tneutral\n" for at in range(rows))


@pytest.fixture
def root(tmp_path):
    """Sixty rows of MNLI in all, and five of XNLI in two languages."""
    write(
        tmp_path / "data", {"mnli/multinli_1.0_train.jsonl": mnli(50), "mnli/multinli_1.0_dev_matched.jsonl": mnli(10)}
    )
    write(tmp_path / "data", {f"xnli/test-{code}.tsv": xnli(rows) for code, rows in (("de", 3), ("fr", 2))})
    return tmp_path / "data"


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def study_of(root, *overrides, tasks="xnli"):
    settings = {
        "name": "own",
        "data": {"root": str(root)},
        "intermediate": {"tasks": ["mnli"]},
        "target": {"tasks": [tasks]},
        "methods": ["direct"],
    }
    return Study.load(settings, overrides)


def workloads_of(root, *overrides, tasks="xnli"):
    study = study_of(root, *overrides, tasks=tasks)
    return Workloads(study.config, [stage.job for stage in study.plan.stages])


def notes_of(root, tasks="xnli"):
    study = study_of(root, tasks=tasks)
    return "\n".join(outline(study.plan, study.variants, study.store)["notes"])


def test_rows_that_are_there_are_counted(root):
    workloads = workloads_of(root)
    assert workloads.rows(get_task("mnli"), Split.TRAIN, "en") == 50
    assert workloads.rows(get_task("mnli"), Split.DEV, "en") == 10
    assert [workloads.rows(get_task("xnli"), Split.TEST, code) for code in ("de", "fr")] == [3, 2]
    assert "numbers of examples" not in notes_of(root)


def test_prices_are_those_of_the_rows(root):
    study = study_of(root, "target.full.epochs=3")
    full = outline(study.plan, study.variants, study.store)["families"]["full models"]
    mean = Workloads(study.config).length(get_task("mnli"), "en")
    assert full["tokens"] == pytest.approx(3 * 50 * mean, rel=0.2)  # and five sequences are scored


def test_fewer_rows_are_priced_where_asked_for(root):
    study = study_of(root, "data.max_train=20")
    workloads = Workloads(study.config, [stage.job for stage in study.plan.stages])
    job = next(stage.job for stage in study.plan.stages if stage.kind.value == "train")
    assert workloads.training(job).examples == 20


def test_rows_are_held_out_where_no_dev_file_is_there(root):
    (root / "mnli" / "multinli_1.0_dev_matched.jsonl").unlink()
    study = study_of(root)
    workloads = Workloads(study.config, [stage.job for stage in study.plan.stages])
    job = next(stage.job for stage in study.plan.stages if stage.kind.value == "train")
    assert workloads.training(job).examples == 45


def test_rows_are_counted_anew_when_a_file_has_changed(root):
    assert workloads_of(root).rows(get_task("mnli"), Split.TRAIN, "en") == 50
    write(root, {"mnli/multinli_1.0_train.jsonl": mnli(51)})
    assert workloads_of(root).rows(get_task("mnli"), Split.TRAIN, "en") == 51


def test_files_are_read_once_in_a_process(root, monkeypatch):
    workloads_of(root).rows(get_task("mnli"), Split.TRAIN, "en")
    monkeypatch.setattr(row_counts.DataRoot, "load", None)
    assert workloads_of(root).rows(get_task("mnli"), Split.TRAIN, "en") == 50


def test_the_smallest_data_sets_are_counted_and_the_others_named(root, monkeypatch):
    monkeypatch.setattr(row_counts, "COUNTED_BYTES", 2000)
    workloads = workloads_of(root)
    assert workloads.rows(get_task("xnli"), Split.TEST, "de") == 3
    assert workloads.rows(get_task("mnli"), Split.TRAIN, "en") == 392_702
    note = notes_of(root)
    assert "numbers of examples as published, since their files are too large to count" in note
    assert note.endswith(": mnli")


def test_files_too_large_without_a_published_number_are_assumed(tmp_path, monkeypatch):
    write(tmp_path, TASK_FILES["udpos"])
    assert "assumed" not in notes_of(tmp_path, "udpos")
    monkeypatch.setattr(row_counts, "COUNTED_BYTES", 1)
    note = notes_of(tmp_path, "udpos")
    assert "assumed, as none are published and their files are too large to count" in note
    assert note.endswith(": udpos")


def test_file_that_cannot_be_read_leaves_the_price_as_it_was(root):
    write(root, {"mnli/multinli_1.0_train.jsonl": mnli(50) + "{broken\n"})
    assert workloads_of(root).rows(get_task("mnli"), Split.TRAIN, "en") == 392_702
    assert "too large" not in notes_of(root)


@pytest.mark.parametrize("task", ["tatoeba", "bucc2018"])
def test_both_sides_of_retrieval_are_counted(tmp_path, task):
    write(tmp_path, TASK_FILES[task])
    study = study_of(tmp_path, tasks=task)
    workloads = Workloads(study.config, [stage.job for stage in study.plan.stages])
    job = next(stage.job for stage in study.plan.stages if stage.kind.value == "predict")
    assert workloads.prediction(job, *job.languages[0]).sequences == 6


def test_pool_of_candidates_is_counted(tmp_path):
    write(tmp_path, TASK_FILES["lareqa"] | TASK_FILES["squad_r"])
    study = study_of(tmp_path, tasks="lareqa")
    workloads = Workloads(study.config, [stage.job for stage in study.plan.stages])
    job = next(stage.job for stage in study.plan.stages if stage.kind.value == "predict")
    assert workloads.pool(job).sequences == 6


def test_init_and_plan_tell_the_same_numbers(root: Path, monkeypatch):
    monkeypatch.chdir(root.parent)
    assert "50 rows in en" in say("init", "--data", "data", "--to", "own.yaml").out
    planned = say("plan", "own.yaml", "methods=[direct]", "--json").json
    assert planned["families"]["full models"]["tokens"] < 100_000
