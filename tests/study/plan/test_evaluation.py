"""What decides the keys of predictions and trainings on a folder of files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from adaptstilts.config.load import load_study
from adaptstilts.store.stage import Stage, StageKind
from adaptstilts.study.plan.data_facts import facts_for
from adaptstilts.study.plan.jobs import BackboneRef, TrainJob
from adaptstilts.study.plan.plan import Plan, make_plan

PAIRS = "The boat left.\tIt was cold.\tneutral\n"
SIDE = "de-1\tDas Boot.\n"


def questions(name: str) -> str:
    question = {"id": name, "question": "Who left?", "answers": [{"text": "king", "answer_start": 4}]}
    return json.dumps({"data": [{"paragraphs": [{"context": "The king left.", "qas": [question]}]}]})


def passages(code: str) -> str:
    qas = [{"id": f"{code}-q", "question": "Who?", "answers": [{"text": "Anna", "answer_start": 0}]}]
    paragraph = {"context": "Anna left.", "qas": qas, "sentence_breaks": [[0, 10]], "sentences": ["Anna left."]}
    return json.dumps({"data": [{"title": "t", "paragraphs": [paragraph]}]})


FILES = {
    "mnli/multinli_1.0_train.jsonl": json.dumps(
        {"gold_label": "neutral", "sentence1": "A boat.", "sentence2": "Cold.", "pairID": "1"}
    ),
    "xnli/test-en.tsv": PAIRS,
    "xnli/test-de.tsv": PAIRS * 2,
    "xnli/test-sw.tsv": PAIRS * 3,
    "tydiqa/tydiqa-goldp-v1.1-train/tydiqa.goldp.en.train.json": questions("t1"),
    "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.en.dev.json": questions("d1"),
    "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.sw.dev.json": questions("d2"),
    "squad/v1.1/train-v1.1.json": questions("s1"),
    "lareqa/xquad-r/en.json": passages("en"),
    "lareqa/xquad-r/de.json": passages("de"),
    **{
        f"bucc2018/{code}-en.{split}.{side}": f"{side}-1\tA boat of {split}.\n"
        for code in ("de", "fr")
        for split in ("dev", "test")
        for side in (code, "en")
    },
    **{f"bucc2018/{code}-en.{split}.gold": f"{code}-1\ten-1\n" for code in ("de", "fr") for split in ("dev", "test")},
}
STUDY = """\
name: files
backbone: mini
methods: [direct]
data: {{root: {root}}}
target: {{tasks: [{tasks}]}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def plan_of(root: Path, tasks: str, overrides: Sequence[str] = ()) -> Plan:
    path = root.parent / "study.yaml"
    path.write_text(STUDY.format(root=root, tasks=tasks), encoding="utf-8")
    config, _ = load_study(path, overrides)
    facts, job = facts_for(config.data, config.evaluation.languages, config.evaluation.benchmark)
    return make_plan(config, facts, BackboneRef("somewhere", None, "f" * 64), job)


def predicted(plan: Plan) -> dict[str, str]:
    """Key of the predictions by slug."""
    return {stage.slug: stage.key for stage in plan.stages if stage.kind is StageKind.PREDICT}


def trained(plan: Plan) -> list[Stage]:
    return [stage for stage in plan.stages if isinstance(stage.job, TrainJob)]


def changed(root: Path, tasks: str, name: str) -> set[str]:
    """Slugs of the predictions whose key changes with a file."""
    before = predicted(plan_of(root, tasks))
    path = root / name
    path.write_text(path.read_text(encoding="utf-8").replace("boat", "ship").replace("left", "went"), encoding="utf-8")
    after = predicted(plan_of(root, tasks))
    assert before.keys() == after.keys()
    return {slug for slug in before if before[slug] != after[slug]}


def test_keys_stay_when_the_data_folder_moves(root: Path, tmp_path: Path):
    tasks = "xnli, tydiqa, bucc2018"
    before = [stage.key for stage in plan_of(root, tasks).stages]
    moved = tmp_path / "elsewhere" / "corpora"
    shutil.copytree(root, moved)
    assert [stage.key for stage in plan_of(moved, tasks).stages] == before


@pytest.mark.parametrize(
    ("tasks", "name", "slugs"),
    [
        ("xnli", "xnli/test-de.tsv", {"direct-xnli-de"}),
        ("bucc2018", "bucc2018/de-en.test.de", {"direct-bucc2018-de"}),
        ("bucc2018", "bucc2018/fr-en.dev.en", {"direct-bucc2018-fr"}),
        ("tydiqa", "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.sw.dev.json", {"direct-tydiqa-sw"}),
        ("tydiqa", "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.en.dev.json", {"direct-tydiqa-en"}),
    ],
    ids=["own file", "mined test", "dev of the threshold", "dev", "English dev"],
)
def test_a_file_decides_the_predictions_that_are_read_of_it_alone(root: Path, tasks: str, name: str, slugs: set[str]):
    assert changed(root, tasks, name) == slugs


def test_pool_decides_the_predictions_of_a_dual_encoder(root: Path):
    before = predicted(plan_of(root, "lareqa", ["evaluation.languages=[de]", "evaluation.benchmark=xtreme_r"]))
    assert list(before) == ["direct-lareqa"]
    (root / "lareqa/xquad-r/en.json").write_text(passages("en").replace("left", "went"), encoding="utf-8")
    after = predicted(plan_of(root, "lareqa", ["evaluation.languages=[de]", "evaluation.benchmark=xtreme_r"]))
    assert before["direct-lareqa"] != after["direct-lareqa"]


def test_a_new_language_adds_its_stages_and_leaves_the_others(root: Path):
    before = predicted(plan_of(root, "xnli"))
    (root / "xnli/test-zh.tsv").write_text(PAIRS, encoding="utf-8")
    after = predicted(plan_of(root, "xnli"))
    assert before.items() <= after.items()
    assert after.keys() - before.keys() == {"direct-xnli-zh"}


@pytest.mark.parametrize("languages", ["[en, sw]", "[sw]", "present"])
def test_training_does_not_depend_on_the_languages_that_are_scored(root: Path, languages: str):
    (one,) = trained(plan_of(root, "tydiqa"))
    (other,) = trained(plan_of(root, "tydiqa", [f"evaluation.languages={languages}"]))
    assert other.key == one.key
    assert isinstance(one.job, TrainJob)
    assert one.job.hold_out


def test_dev_file_decides_a_training_only_where_checkpoints_are_picked_by_it(root: Path):
    (before,) = trained(plan_of(root, "tydiqa"))
    dev = root / "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.en.dev.json"
    dev.write_text(questions("another"), encoding="utf-8")
    (after,) = trained(plan_of(root, "tydiqa"))
    assert after.key == before.key
    (before,) = trained(plan_of(root, "xnli"))
    row = {"gold_label": "neutral", "sentence1": "A boat.", "sentence2": "Cold.", "pairID": "1"}
    (root / "mnli/multinli_1.0_dev_matched.jsonl").write_text(json.dumps(row), encoding="utf-8")
    (after,) = trained(plan_of(root, "xnli"))
    assert after.key != before.key


def test_english_dev_set_decides_the_report_that_compares_it_with_training_sets(root: Path):
    """With English left out it is scored nowhere, and held out of training: the report alone reads it."""
    overrides = ["evaluation.languages=[sw]"]
    before = plan_of(root, "tydiqa", overrides)
    dev = root / "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.en.dev.json"
    dev.write_text(questions("another"), encoding="utf-8")
    after = plan_of(root, "tydiqa", overrides)
    assert [stage.key for stage in after.stages[:-1]] == [stage.key for stage in before.stages[:-1]]
    assert after.stages[-1].key != before.stages[-1].key


def test_reader_option_is_in_keys_of_tasks_that_have_it_alone(root: Path):
    one, other = (plan_of(root, "xnli, tydiqa", [f"data.quoting={value}"]) for value in ("clean", "xtreme"))
    kept = {stage.key for stage in other.stages}
    kinds = {StageKind.TRAIN, StageKind.PREDICT, StageKind.SCORE}
    same = {stage.job.task for stage in one.stages if stage.kind in kinds and stage.key in kept}
    differing = {stage.job.task for stage in one.stages if stage.kind in kinds and stage.key not in kept}
    assert (same, differing) == ({"tydiqa"}, {"mnli", "xnli"})
    assert not any("quoting" in text for stage in trained(one) if stage.job.task == "tydiqa" for text in stage.job.data)
