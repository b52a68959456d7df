"""AfriXNLI, SIB-200 and Belebele through every method, on rows written for the tests and a tiny random backbone."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

import pytest
from backbones import save_backbone
from commandline import say

from adaptstilts.languages import all_languages, get_language
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks import flores
from adaptstilts.tasks.beyond_xtreme import AFRIXNLI, BELEBELE, SIB200
from adaptstilts.tasks.examples import ChoiceExample
from adaptstilts.tasks.registry import benchmark_tasks, get_task
from adaptstilts.tasks.spec import BenchmarkName, Split

METHODS = ("direct", "full", "adapter", "stack", "continue", "fuse")
LANGUAGES = {"afrixnli": {"en", "sw"}, "sib200": {"en", "de", "ast_Latn"}, "belebele": {"en", "zho_Hant"}}
STUDY = """\
name: beyond
backbone: {backbone}
threads: 1
store: {folder}/store
results: {folder}/results
data: {{root: {folder}/data}}
intermediate:
  tasks: [mnli]
  full: &few {{epochs: 1, batch_size: 4, learning_rate: 1e-3, max_length: 48}}
  adapter: *few
target:
  tasks: [afrixnli, sib200, belebele]
  full: *few
  adapter: *few
  fusion: *few
evaluation: {{languages: present}}
"""


@pytest.mark.parametrize(
    "words",
    [("workers=2",), pytest.param(("workers=2", "--engine", "ray"), marks=pytest.mark.slow)],
    ids=["processes", "ray"],
)
def test_all_three_run_through_every_method_and_count_in_no_average(
    tmp_path: Path, tiny_tokenizer, task_files, words, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))  # for workers of Ray
    for name in ("mnli", "afrixnli", "sib200", "belebele", "belebele_train"):
        for file, text in task_files[name].items():
            (tmp_path / "data" / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "data" / file).write_text(text, encoding="utf-8")
    backbone = save_backbone(tmp_path / "backbone", tiny_tokenizer, width=16, positions=64)
    config = tmp_path / "beyond.yaml"
    config.write_text(STUDY.format(backbone=backbone, folder=tmp_path), encoding="utf-8")
    done = say("run", config, *words)
    assert done.code == 0, done.err
    results = tmp_path / "results" / "beyond"
    with (results / "results.csv").open(encoding="utf-8", newline="") as file:
        found = {(row["method"], row["target"], row["language"]) for row in csv.DictReader(file)}
    assert found == {(method, task, code) for method in METHODS for task, codes in LANGUAGES.items() for code in codes}
    report = (results / "report.md").read_text(encoding="utf-8")
    assert "afrixnli, sib200, belebele: no task of XTREME, in none of its averages" in report
    assert not any(task in (results / "scores.csv").read_text(encoding="utf-8") for task in LANGUAGES)


def test_no_benchmark_has_them():
    own = {*LANGUAGES, "belebele_train"}
    assert not any(own & {task.name for task in benchmark_tasks(benchmark)} for benchmark in BenchmarkName)


def test_numbers_of_languages_are_the_published_ones():
    assert (len(set(AFRIXNLI.languages)), len(set(SIB200.languages)), len(set(BELEBELE.languages))) == (18, 205, 122)
    for pairs in (flores.SIB_200, flores.BELEBELE):
        assert pairs[0] == ("en", "eng_Latn")
        assert len({code for _, code in pairs}) == len(pairs)


def test_one_language_has_one_code_in_all_three_and_in_xtreme():
    in_flores = {code: language for language, code in flores.SIB_200}
    assert {in_flores[code] for code in ("swh_Latn", "amh_Ethi", "gaz_Latn", "zho_Hans", "kin_Latn")} == {
        "sw", "am", "om", "zh", "rw"
    }  # fmt: skip
    assert set(AFRIXNLI.languages) <= set(SIB200.languages)
    assert {known.code for known in all_languages()} <= set(SIB200.languages)
    assert get_language("zho_Hant").name == "zho_Hant"


@pytest.mark.parametrize("task", [AFRIXNLI, SIB200, BELEBELE], ids=lambda task: task.name)
def test_folder_of_the_task_is_read_before_that_of_the_hub(data_root, task_files, task):
    def own(name: str) -> str:
        return name.replace(f"hub/{task.hub.repository}/data/", f"{task.name}/")

    files = {own(name): text for name, text in task_files[task.name].items()}
    root: DataRoot = data_root(files)
    assert set(root.languages(task, Split.TEST)) == LANGUAGES[task.name]


def test_belebele_counts_answers_from_one_and_puts_the_passage_before_the_question(data_root, task_files):
    rows = data_root(task_files["belebele"]).load(get_task("belebele"), Split.TEST, "zho_Hant")
    assert rows[2] == ChoiceExample(
        "2",
        "Ann met Bo by the sea. They swam until noon. Where did they meet?",
        ("At home", "By the sea", "At work", "In town"),
        3,
    )


def test_afrixnli_numbers_its_classes_as_xnli_does(data_root, task_files):
    rows = data_root(task_files["afrixnli"]).load(AFRIXNLI, Split.TEST, "sw")
    assert [AFRIXNLI.labels[row.label] for row in rows] == ["entailment", "contradiction", "neutral"]
    assert rows[1].first == 'She said "no".'
