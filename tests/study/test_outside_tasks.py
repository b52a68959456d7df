"""Studies of outside tasks: their keys, their workers, and what the mini world says."""

from __future__ import annotations

import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from adaptstilts.engine.journal import Journal
from adaptstilts.errors import AdaptstiltsError, ConfigError
from adaptstilts.study import engine
from adaptstilts.study.eta import Pace
from adaptstilts.study.plan.jobs import PredictJob, ScoreJob, TrainJob
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.study import Study
from adaptstilts.tasks import registry
from adaptstilts.tasks.layouts import texts
from adaptstilts.tasks.registry import adopt, get_task, outside_tasks, register
from adaptstilts.tasks.spec import Kind, Phase, Split, Task

TABLE = "text\tlabel\tlanguage\tsplit\n" + "".join(
    f"Row {number} {language}.\t{label}\t{language}\t{split}\n"
    for split, language in (("train", "en"), ("dev", "en"), ("test", "en"), ("test", "de"))
    for number, label in enumerate(("bad", "good", "good"))
)
STUDY = """\
name: own
backbone: mini
store: {folder}/store
results: {folder}/results
data: {{root: {folder}}}
intermediate: {{tasks: [tones]}}
target: {{tasks: [moods]}}
"""


@pytest.fixture(autouse=True)
def own_table(monkeypatch: pytest.MonkeyPatch):
    """A table of tasks that the test alone sees."""
    monkeypatch.setattr(registry, "_TASKS", dict(registry._OWN))


def task(name: str, **changes: object) -> Task:
    declaration: dict[str, object] = {
        "name": name,
        "kind": Kind.CLASSIFY,
        "languages": ("en", "de"),
        "labels": ("bad", "good"),
        "layouts": dict.fromkeys(Split, texts("rows.tsv", language="language", split="split")),
    }
    return Task(**(declaration | changes))


MOODS = task("moods")
TONES = task("tones", phase=Phase.INTERMEDIATE, languages=("en",))


def study(folder: Path, *overrides: str) -> Study:
    (folder / "rows.tsv").write_text(TABLE, encoding="utf-8")
    config = folder / "own.yaml"
    config.write_text(STUDY.format(folder=folder), encoding="utf-8")
    return Study.load(config, overrides)


def plan(folder: Path, *tasks: Task) -> Plan:
    for each in tasks:
        register(each, replace=True)
    return study(folder).plan


def names(one: Plan, other: Plan) -> set[str]:
    """Names of the stages that two plans share."""
    keys = {stage.key for stage in other.stages}
    return {stage.name for stage in one.stages if stage.key in keys}


def test_two_targets_of_one_name_share_no_stage_of_theirs(tmp_path: Path):
    first = plan(tmp_path, TONES, MOODS)
    second = plan(tmp_path, replace(MOODS, citation="another"))
    assert {stage.kind.value for stage in first.stages} == {"train", "predict", "score", "analyse", "report"}
    assert names(first, second) == {"train direct: tones, seed 1", "train adapter: tones, seed 1"}


def test_two_intermediate_tasks_of_one_name_share_only_what_does_without_them(tmp_path: Path):
    first = plan(tmp_path, TONES, MOODS)
    second = plan(tmp_path, replace(TONES, citation="another"))
    shared = names(first, second)
    assert len(shared) == 10
    assert all(name.split(": ")[1].startswith("moods") for name in shared)
    assert {name.split()[1] for name in shared} == {"direct:", "adapter:"}


def test_every_job_on_an_outside_task_holds_the_digest_of_its_whole_declaration(tmp_path: Path):
    for stage in plan(tmp_path, TONES, MOODS).stages:
        if isinstance(stage.job, TrainJob | PredictJob | ScoreJob):
            assert stage.job.declared == registry.declaration_digest(get_task(stage.job.task))


def test_engine_carries_the_outside_tasks_by_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    register(MOODS)
    made = []
    monkeypatch.setattr("adaptstilts.study.stages.runner.StageRunner", lambda config: made.append(outside_tasks()))
    monkeypatch.setattr(engine, "InProcessEngine", lambda make_runner, store, on_step: make_runner)
    register(TONES)
    make_runner = engine.open_engine(study(tmp_path), lambda *step: None, lambda line: None)
    assert isinstance(make_runner, partial)
    sent = pickle.dumps(make_runner)
    registry._TASKS.pop("moods")  # as in a new process
    registry._TASKS["tones"] = replace(TONES, citation="of an earlier study")
    pickle.loads(sent)()
    (found,) = made
    assert set(found) == {MOODS, TONES}


def test_processes_of_one_training_run_adopt_the_outside_tasks(monkeypatch: pytest.MonkeyPatch):
    from adaptstilts.study.stages import train_parallel

    def joined(**_: object) -> None:
        raise InterruptedError

    monkeypatch.setattr(train_parallel, "joined", joined)
    values = dict.fromkeys(("job", "key", "inputs", "data_root", "quoting", "folder", "store", "device", "threads"))
    parallel = type("Parallel", (), {"backbone": "whole"})
    request = train_parallel.TrainRequest(**values, resume=None, parallel=parallel, tasks=(MOODS,))
    with pytest.raises(InterruptedError):
        train_parallel.take_part(request, lambda *event: None)
    assert outside_tasks() == (MOODS,)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ((), r"intermediate\.tasks: the mini world has no tones\. Allowed: anli.*Set data\.root=FOLDER"),
        (("methods=[direct]",), r"target\.tasks: the mini world has no moods\. Allowed: xnli.*Set data\.root=FOLDER"),
    ],
)
def test_mini_world_says_that_it_lacks_the_task_and_what_to_do(tmp_path: Path, overrides, message: str):
    adopt((TONES, MOODS))
    with pytest.raises(AdaptstiltsError, match=message):
        study(tmp_path, "data.root=mini", *overrides).plan  # noqa: B018 - planned here


def test_languages_of_a_task_outside_the_fifty_can_be_chosen(tmp_path: Path):
    register(TONES)
    register(replace(MOODS, languages=("en", "de", "ast_Latn")))
    rows = TABLE + "Ye guapu.\tgood\tast_Latn\ttest\n"
    chosen = study(tmp_path, "evaluation.languages=[ast_Latn]")
    (tmp_path / "rows.tsv").write_text(rows, encoding="utf-8")
    languages = {stage.job.languages for stage in chosen.plan.stages if isinstance(stage.job, PredictJob)}
    assert languages == {(("ast_Latn", Split.TEST),)}
    with pytest.raises(AdaptstiltsError, match=r"evaluation\.languages: 'ast_Latm' is not a known language code"):
        study(tmp_path, "evaluation.languages=[ast_Latm]").plan  # noqa: B018 - planned here


def test_times_of_tasks_that_this_process_lacks_do_not_count(tmp_path: Path):
    stages = plan(tmp_path, TONES, MOODS).stages
    train = next(stage for stage in stages if isinstance(stage.job, TrainJob) and stage.job.task == "moods")
    known, unknown = Pace(), Pace()
    job = {"task": "moods", "method": "direct", "settings": {"epochs": 1, "max_length": 64, "batch_size": 8}}
    known.add("train", job, 100.0)
    unknown.add("train", {**job, "task": "gone"}, 100.0)
    assert known.knows(train)
    assert not unknown.knows(train)


def test_plan_does_not_outlive_the_declarations_that_it_was_made_with(tmp_path: Path):
    plan(tmp_path, TONES, MOODS)
    planned = study(tmp_path)
    stage = next(stage for stage in planned.plan.stages if isinstance(stage.job, PredictJob))
    register(replace(MOODS, labels=("good", "bad")), replace=True)
    message = r"declaration of 'moods' is not the one .*Load the study again"
    with pytest.raises(ConfigError, match=message):
        planned.plan  # noqa: B018 - what every result is read through
    with pytest.raises(ConfigError, match=message):
        engine.local_runner(planned.config).run(stage, (), planned.store, Journal(planned.store.root).stage(stage))
    register(MOODS, replace=True)
    assert stage in planned.plan.stages
