"""A whole study through the command line, on a tiny generated mini world and a tiny random backbone."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commandline import Said, say

LANGUAGES = ("en", "de", "zh")
SOURCES = ("mnli", "hellaswag")
METRICS = {
    "xnli": {"accuracy"},
    "udpos": {"f1", "precision", "recall", "token_accuracy", "chunk_f1_seqeval1"},
    "tydiqa": {"exact_match", "f1"},
    "bucc2018": {"f1", "precision", "recall"},
    "tatoeba": {"accuracy"},
}
RETRIEVAL = ("bucc2018", "tatoeba")
SETTINGS = (
    ("direct", ""),
    *(("full", source) for source in SOURCES),
    ("adapter", ""),
    *(("stack", source) for source in SOURCES),
    *(("continue", source) for source in SOURCES),
    ("fuse", "+".join(SOURCES)),
)
"""Every method with every source it takes."""
SWEEP = ("adapter.reduction_factor=[4, 8]", "methods=[direct, adapter, stack]", "intermediate.tasks=[mnli]",
         "target.tasks=[xnli, udpos, tatoeba]")  # fmt: skip
VARIANTS = ("reduction_factor=4", "reduction_factor=8")
STUDY = """\
name: whole
title: Tiny but whole
backbone: {backbone}
threads: 1
store: {folder}/store
results: {folder}/results
data: {{mini_train: 64, mini_evaluation: 10, mini_low_resource: 16}}
intermediate:
  tasks: [mnli, hellaswag]
  full: &full {{epochs: 1, batch_size: 16, learning_rate: 1e-3, max_length: 128, evaluate_examples: 8}}
  adapter: &adapter {{epochs: 1, batch_size: 16, learning_rate: 1e-2, max_length: 128, evaluate_examples: 8}}
target:
  tasks: [xnli, udpos, tydiqa, bucc2018, tatoeba]
  full: *full
  adapter: *adapter
  fusion: *adapter
adapter: {{reduction_factor: 4}}
evaluation: {{languages: [en, de, zh]}}
"""


@dataclass(frozen=True)
class Study:
    """A configuration file and where its artefacts and results go."""

    config: Path

    def say(self, verb: str, *words: str) -> Said:
        return say(verb, str(self.config), *words)

    @property
    def results(self) -> Path:
        return self.config.parent / "results" / "whole"

    def manifests(self, kind: str = "*") -> dict[Path, dict[str, Any]]:
        found = sorted((self.config.parent / "store").glob(f"{kind}/*/manifest.json"))
        return {path.parent: json.loads(path.read_text(encoding="utf-8")) for path in found}

    def artefact(self, kind: str, method: str, task: str, *sources: str, language: str | None = None) -> Path:
        """Folder of the only artefact of this description; of predictions, those of one language."""
        (folder,) = (
            folder
            for folder, manifest in self.manifests(kind).items()
            if (job := manifest["job"])["method"] == method
            and job["task"] == task
            and [source["task"] for source in job["sources"]] == list(sources)
            and (language is None or [code for code, _ in job["languages"]] == [language])
        )
        return folder

    def rows(self) -> list[dict[str, str]]:
        with (self.results / "results.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def copy(self, folder: Path) -> Study:
        """The study with a store of its own, in which the same stages are finished."""
        config = folder / self.config.name
        text = self.config.read_text(encoding="utf-8").replace(str(self.config.parent), str(folder))
        config.write_text(text, encoding="utf-8")
        shutil.copytree(self.config.parent / "store", folder / "store")
        return Study(config)

    def stamps(self) -> dict[Path, int]:
        return {folder: (folder / "manifest.json").stat().st_mtime_ns for folder in self.manifests()}


@pytest.fixture(scope="session")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """XLM-R with its MLM head, 2 layers, 32 wide, random, and a tokenizer: saved by Hugging Face's save_pretrained."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    from adaptstilts.config.pretrain import VocabularySection
    from adaptstilts.mini.corpus import parallel_sentences, text
    from adaptstilts.pretrain.tokenizer import train_tokenizer

    folder = tmp_path_factory.mktemp("backbone")
    lines = [text(line[code]) for line in parallel_sentences(3, 120) for code in LANGUAGES]
    settings = VocabularySection(pieces=400, alphabets=False)
    trained = train_tokenizer(lines, settings, tmp_path_factory.mktemp("tokenizer"))
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=len(trained),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=514,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        initializer_range=0.2,
    )
    XLMRobertaForMaskedLM(config).save_pretrained(folder)
    trained.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def new_study(tmp_path_factory: pytest.TempPathFactory, backbone: Path) -> Callable[[], Study]:
    """A function that writes the study's configuration into a folder of its own."""

    def write() -> Study:
        folder = tmp_path_factory.mktemp("study")
        path = folder / "whole.yaml"
        path.write_text(STUDY.format(backbone=backbone, folder=folder), encoding="utf-8")
        return Study(path)

    return write


@pytest.fixture(scope="session")
def study(new_study: Callable[[], Study]) -> Study:
    """The study that is carried out once for all tests here."""
    return new_study()


@pytest.fixture(scope="session")
def planned(study: Study) -> Said:
    """The study's plan before anything was run."""
    return study.say("plan", "--json")


@pytest.fixture(scope="session")
def ran(study: Study, planned: Said) -> Said:
    """The study's first run; ``planned`` comes before it."""
    return study.say("run")


@pytest.fixture(scope="session")
def finished_once(study: Study, ran: Said) -> Study:
    """The study, carried out; for other fixtures of the session."""
    assert ran.code == 0, ran.err
    return study


@pytest.fixture
def finished(finished_once: Study) -> Study:
    """The study, carried out."""
    return finished_once


def test_plan_lists_stages_to_do_and_writes_nothing(planned: Said):
    assert (planned.code, planned.err) == (0, "")
    stages = planned.json["stages"]
    assert len({stage["key"] for stage in stages}) == len(stages)
    assert not any(stage["done"] for stage in stages)
    assert {stage["kind"] for stage in stages} == {"data", "train", "predict", "score", "analyse", "report"}
    assert planned.json["cells"] == len(SETTINGS) * len(METRICS)
    assert planned.json["training_runs"] < planned.json["training_runs_without_sharing"]


def test_run_makes_every_planned_stage_with_one_line_each(finished: Study, planned: Said, ran: Said):
    stages = planned.json["stages"]
    generated, looked, *others = ran.err.splitlines()
    lines = [generated, *others]
    assert looked.startswith("leaks and overlaps: no other language in 4 English training sets; ")
    assert [line.split("]")[0] for line in lines] == [f"[{n}/{len(stages)}" for n in range(1, len(stages) + 1)]
    assert all(stage["name"] in line for stage, line in zip(stages, lines, strict=True))
    assert all(line.endswith(" left") and " s, about " in line for line in lines)
    assert {manifest["key"] for manifest in finished.manifests().values()} == {stage["key"] for stage in stages}


def test_results_have_a_row_for_every_method_source_target_language_and_metric(finished: Study):
    expected = {
        (method, source, target, language, metric)
        for method, source in SETTINGS
        for target, metrics in METRICS.items()
        for language in LANGUAGES
        if not (target in RETRIEVAL and language == "en")
        for metric in metrics
    }
    rows = finished.rows()
    names = ("method", "source", "target", "language", "metric")
    assert Counter(tuple(row[name] for name in names) for row in rows) == Counter(expected)
    assert all(0 <= float(row["value"]) <= 100 and row["seed"] == "1" for row in rows)
    assert {row["examples"] for row in rows if row["target"] in {"xnli", "udpos", "tatoeba"}} == {"10"}
    assert {row["split"] for row in rows if row["target"] == "tydiqa"} == {"dev"}


def test_results_say_what_stands_in_for_training_on_retrieval_targets(finished: Study):
    notes = {row["method"]: row["note"] for row in finished.rows() if row["target"] == "tatoeba"}
    assert all("no training data" in note for note in notes.values())
    assert "plain average of the adapters" in notes["fuse"]
    assert "threshold fitted on dev" in {row["note"] for row in finished.rows() if row["target"] == "bucc2018"}.pop()


def test_results_and_report_name_the_retrieval_preset(finished: Study):
    notes = {row["note"] for row in finished.rows() if row["target"] in RETRIEVAL}
    assert all("retrieval preset xtreme-paper" in note.split("; ") for note in notes)
    assert not any("preset" in row["note"] for row in finished.rows() if row["target"] not in RETRIEVAL)
    text = (finished.results / "report.md").read_text(encoding="utf-8")
    assert "### Leaks and overlaps\n\nNo other language was found in 4 English training sets. " in text
    assert "- tatoeba: retrieval preset xtreme-paper: layer 14 of 24" in text
    assert "Used: layer 1 of 2." in text
    assert re.search(r"^[¹²³] retrieval preset xtreme-paper", text, re.MULTILINE)


def test_sweep_gives_equal_results_and_scores_of_every_layer(finished: Study, tmp_path: Path):
    study = finished.copy(tmp_path)
    asked = ("target.tasks=[bucc2018, tatoeba]", "methods=[direct, stack]")
    said = study.say("run", *asked, "retrieval.sweep=true")
    assert said.code == 0, said.err
    names = ("method", "source", "target", "language", "metric", "value", "note")
    plain = [tuple(row[name] for name in names) for row in finished.rows()]
    swept = [tuple(row[name] for name in names) for row in study.rows()]
    assert swept == [row for row in plain if row[2] in RETRIEVAL and row[0] in {"direct", "stack"}]
    with (study.results / "layers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["target"], row["layer"], row["split"]) for row in rows} == {
        (target, str(layer), split)
        for target, split in zip(RETRIEVAL, ("dev", "test"), strict=True)
        for layer in range(3)
    }
    used = {row["language"]: row["value"] for row in rows if row["target"] == "tatoeba" and row["is_used"] == "true"}
    assert used == {row["language"]: row["value"] for row in study.rows() if row["target"] == "tatoeba"}
    assert (study.results / "layers.png").read_bytes().startswith(b"\x89PNG")


def test_layer_fitted_on_dev_is_labelled_in_every_row(finished: Study, tmp_path: Path):
    study = finished.copy(tmp_path)
    asked = ("target.tasks=[bucc2018, tatoeba]", "methods=[direct]", "retrieval.overrides.bucc2018.layer=dev")
    said = study.say("run", *asked)
    assert said.code == 0, said.err
    notes = {row["target"]: row["note"].split("; ") for row in study.rows()}
    assert notes["bucc2018"][1] == "retrieval preset xtreme-paper but layer dev"
    assert re.fullmatch(r"layer [0-2] and threshold fitted on dev", notes["bucc2018"][2])
    assert notes["tatoeba"][1:] == ["retrieval preset xtreme-paper"]
    assert " and threshold fitted on dev" in (study.results / "report.md").read_text(encoding="utf-8")


def test_results_differ_between_settings(finished: Study):
    """Random as the backbone is, training and adapters change the scores; Tatoeba keeps nearest rows, not scores."""
    raw = [
        folder / "raw" / "de.npz"
        for folder, manifest in finished.manifests("predict").items()
        if manifest["job"]["task"] != "tatoeba" and manifest["job"]["languages"][0][0] == "de"
    ]
    # Nine settings of three targets with training; of BUCC2018 those that are networks of their own.
    assert len({path.read_bytes() for path in raw}) == len(raw) == 9 * 3 + 6


def test_run_writes_report_tables_and_pictures_and_shows_them(finished: Study, ran: Said):
    names = ("report.md", "results.csv", "runs.csv", "transfer.csv", "scores.csv", "heatmap.png", "languages.png")
    assert {path.name for path in finished.results.glob("[!.]*")} == {*names, "history.jsonl"}
    for name in names:
        assert f"wrote {finished.results / name}" in ran.out
        if name.endswith(".png"):
            assert (finished.results / name).read_bytes().startswith(b"\x89PNG")
    text = (finished.results / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# Tiny but whole\n")
    for method, source in SETTINGS:
        assert method in text
        assert source in text
    assert " held out to pick the checkpoint" in text
    assert "Points above or below 'direct'" in ran.out


def test_each_intermediate_adapter_is_trained_exactly_once(finished: Study):
    jobs = [manifest["job"] for manifest in finished.manifests("train").values()]
    adapters = Counter(job["task"] for job in jobs if job["method"] == "adapter")
    # mnli is the training set of xnli too: one run with equal settings is both.
    assert adapters == {"mnli": 1, "hellaswag": 1, "udpos": 1, "tydiqa": 1}
    used = Counter(source["task"] for job in jobs for source in job["sources"] if job["method"] != "full")
    assert used == dict.fromkeys(SOURCES, 3 * 2 + 3)
    runs = (finished.results / "runs.csv").read_text(encoding="utf-8").splitlines()
    assert len(runs) == 1 + len(jobs)


def test_second_run_skips_everything_and_says_so(finished: Study, planned: Said):
    before, results = finished.stamps(), (finished.results / "results.csv").read_bytes()
    again = finished.say("run")
    count = len(planned.json["stages"])
    assert again.code == 0
    assert again.err.startswith(f"skipping {count} finished stages (1 data, ")
    assert len(again.err.splitlines()) == 1
    assert finished.stamps() == before
    assert (finished.results / "results.csv").read_bytes() == results
    assert all(stage["done"] for stage in finished.say("plan", "--json").json["stages"])


def test_report_rebuilds_every_file_from_the_store(finished: Study, planned: Said):
    before = {finished.results / name: content for name, content in report_files(finished).items()}
    for path in before:
        path.unlink()
    said = finished.say("report", "--json")
    assert (said.code, said.err) == (0, "")
    assert said.json == {
        "made": 0,
        "skipped": len(planned.json["stages"]),
        "failed": [],
        "files": said.json["files"],
    }
    assert {Path(name): Path(name).read_bytes() for name in said.json["files"]} == before
    assert finished.say("report").out.startswith("Points above or below 'direct'")


HIDDEN = {".study.json", ".study.lock"}
"""Files that say whose a results folder is, and who is writing it."""


def report_files(study: Study, name: str = "whole") -> dict[str, bytes]:
    """Files of a report by name: without whose the folder is, and what stood there when."""
    kept = {*HIDDEN, "history.jsonl"}
    folder = study.results.parent / name
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in kept}


def test_tables_and_report_are_made_again_from_the_same_records(finished: Study, tmp_path: Path):
    study = finished.copy(tmp_path)
    for kind in ("analyse", "report"):
        (folder,) = study.manifests(kind)
        shutil.rmtree(folder)
    said = study.say("report", "--json")
    assert (said.code, said.err) == (0, "")
    assert report_files(study) == report_files(finished)
    assert len(study.manifests("analyse")) == len(study.manifests("report")) == 1


def test_renamed_study_is_finished_and_has_the_same_report(finished: Study, tmp_path: Path):
    study = finished.copy(tmp_path)
    said = study.say("run", "--json", "name=renamed")
    assert (said.code, said.json["made"]) == (0, 0)
    assert report_files(study, "renamed") == report_files(finished)


def test_language_that_fails_costs_its_own_score_and_the_report_shows_the_rest(
    finished: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from adaptstilts.errors import DataError
    from adaptstilts.study.stages import runner as runners

    study = finished.copy(tmp_path)
    asked = ("target.tasks=[xnli]", "methods=[direct, adapter]")
    for kind in ("predict", "score"):
        for language in ("de", "zh"):
            (folder,) = (tmp_path / "store" / kind).glob(f"direct-xnli-{language}-*")
            shutil.rmtree(folder)
    real = runners.predict_stage

    def fail_on_german(job: Any, *values: Any) -> None:
        if job.languages[0][0] == "de":
            raise DataError("no such rows")
        real(job, *values)

    with monkeypatch.context() as patch:
        patch.setattr(runners, "predict_stage", fail_on_german)
        said = study.say("run", "--json", *asked)
    assert said.code == 2
    assert said.json["failed"] == [
        "predict direct: xnli de, seed 1: no such rows.",
        "score direct: xnli de, seed 1: left out, it needs a stage that failed",
    ]
    assert {(row["method"], row["language"]) for row in study.rows()} == {
        *(("direct", language) for language in ("en", "zh")),
        *(("adapter", language) for language in LANGUAGES),
    }
    text = (study.results / "report.md").read_text(encoding="utf-8")
    assert "- 2 stages missing: predict direct: xnli de, seed 1: no such rows." in text
    assert len(study.manifests("analyse")) == 1
    kept = [path.name for path in study.results.iterdir()]
    assert {name for name in kept if name.startswith(".")} == HIDDEN
    again = study.say("run", "--json", *asked)
    assert (again.code, again.json["made"]) == (0, 4)
    assert len(study.rows()) == 6
    assert "missing" not in (study.results / "report.md").read_text(encoding="utf-8").split("###")[0]


def test_report_of_a_study_that_is_not_finished_is_not_kept(finished: Study, tmp_path: Path):
    study = finished.copy(tmp_path)
    asked = ("target.tasks=[xnli, panx]", "methods=[direct]")
    said = study.say("report", "--json", *asked)
    assert said.code == 0
    assert {row["target"] for row in study.rows()} == {"xnli"}
    assert len(study.manifests("report")) == len(study.manifests("analyse")) == 1


def test_predictions_of_one_language_are_those_it_had_among_all(finished: Study, tmp_path: Path):
    """What a target's languages are predicted with does not depend on the others, or on their order."""
    study = finished.copy(tmp_path)
    folders = [folder for folder in study.manifests("predict") if "-zh-" in folder.name and "stack" in folder.name]
    assert len(folders) == 2 * 5
    before = {folder: {path: path.read_bytes() for path in folder.rglob("*.json")} for folder in folders}
    for folder in folders:
        shutil.rmtree(folder)
    said = study.say("run", "--json")
    assert (said.code, said.json["made"]) == (0, len(folders))
    for folder in folders:
        for path, content in before[folder].items():
            assert path.name == "manifest.json" or path.read_bytes() == content


def test_submit_writes_the_predictions_of_one_setting(finished: Study, tmp_path: Path):
    out = tmp_path / "out"
    said = finished.say("submit", "--method", "stack", "--source", "mnli", "--to", str(out), "--json")
    assert said.code == 0, said.err
    # The mini world's languages that the benchmark's tasks have: Chinese is none of TyDiQA's, German neither.
    assert {task: files["written"] for task, files in said.json["tasks"].items() if files["written"]} == {
        "xnli": ["en", "de", "zh"],
        "udpos": ["en", "de", "zh"],
        "tydiqa": ["en"],
        "bucc2018": ["de", "zh"],
        "tatoeba": ["de", "zh"],
    }
    predicted = finished.artefact("predict", "stack", "tatoeba", "mnli", language="zh") / "predictions" / "zh.json"
    rows = json.loads(predicted.read_text(encoding="utf-8"))["predictions"]
    (world,) = finished.manifests("data")
    english = (world / "files" / "tatoeba" / "tatoeba.cmn-eng.eng").read_text(encoding="utf-8").splitlines()
    by_sentence = dict(zip(english, rows, strict=True))
    lines = (out / "tatoeba" / "test-zh.tsv").read_text(encoding="utf-8").splitlines()
    assert lines == [str(by_sentence[sentence]) for sentence in sorted(english)]
    assert rows != [by_sentence[sentence] for sentence in sorted(english)]


def test_run_makes_only_the_new_stages_when_a_target_is_added(finished: Study, tmp_path: Path):
    study = finished.copy(tmp_path)
    before = study.stamps()
    said = study.say("run", "--json", "target.tasks=[xnli, panx]", "methods=[direct, stack]", "name=added")
    assert said.code == 0
    # direct on panx, and a stack over each adapter: train of each, predict and score in every language; tables, report.
    assert said.json["made"] == (1 + 2 * len(LANGUAGES)) * (1 + len(SOURCES)) + 2
    after = study.stamps()
    assert {folder: after[folder] for folder in before} == before
    new = [study.manifests()[folder] for folder in after.keys() - before.keys()]
    assert {manifest["job"].get("task", manifest["kind"]) for manifest in new} == {"panx", "analyse", "report"}


@pytest.fixture(scope="session")
def swept(finished_once: Study, tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Said]:
    """A sweep over two reduction factors, the first of which is that of the finished study."""
    study = finished_once.copy(tmp_path_factory.mktemp("swept"))
    return study, study.say("run", *SWEEP, "--json")


def test_sweep_makes_only_what_its_new_variant_needs(swept: tuple[Study, Said]):
    study, said = swept
    assert (said.code, said.json["failed"]) == (0, [])
    # The adapters of mnli and udpos and the stack on either, with predictions and scores in three languages each;
    # Tatoeba's of the stack in two; tables and report.
    trained = [
        row for row in study.manifests("train").values() if (row["job"]["adapter"] or {}).get("reduction_factor") == 8
    ]
    assert sorted((row["job"]["method"], row["job"]["task"]) for row in trained) == [
        ("adapter", "mnli"),
        ("adapter", "udpos"),
        ("stack", "mnli"),
        ("stack", "udpos"),
    ]
    assert said.json["made"] == len(trained) + 2 * (4 * 3 + 2) + 2
    again = study.say("run", *SWEEP, "--json")
    assert (again.code, again.json["made"]) == (0, 0)


def test_sweep_has_a_row_per_variant_and_its_first_variant_has_the_rows_of_the_plain_study(
    finished: Study, swept: tuple[Study, Said]
):
    rows = swept[0].rows()
    by_variant = {label: [row for row in rows if row["variant"] == label] for label in VARIANTS}
    assert sum(map(len, by_variant.values())) == len(rows)
    asked = [("direct", ""), ("adapter", ""), ("stack", "mnli")]
    plain = [
        row
        for row in finished.rows()
        if (row["method"], row["source"]) in asked and row["target"] in {"xnli", "udpos", "tatoeba"}
    ]
    assert {row["variant"] for row in plain} == {""}
    first, second = ([{**row, "variant": ""} for row in by_variant[label]] for label in VARIANTS)
    assert first == plain
    direct, others = (
        [row for row in second if (row["method"] == "direct") is is_direct] for is_direct in (True, False)
    )
    assert direct == [row for row in plain if row["method"] == "direct"]
    assert others != [row for row in plain if row["method"] != "direct"]
    with (swept[0].results / "runs.csv").open(encoding="utf-8", newline="") as file:
        used = {row["stage"]: row["variant"] for row in csv.DictReader(file)}
    assert used["train direct: mnli, seed 1"] == ""
    assert used["train adapter: mnli, seed 1, reduction_factor=8"] == "reduction_factor=8"


def test_report_of_a_sweep_sets_variants_beside_each_other(swept: tuple[Study, Said]):
    results = swept[0].results
    text = (results / "report.md").read_text(encoding="utf-8")
    assert "A sweep of 2 variants, 2 of them with scores." in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        *(f"## {label}" for label in VARIANTS),
        "## All variants",
    ]
    assert "### Best variant per target" in text
    assert text.count("### Leaks and overlaps\n") == 1
    names = ("sweep_reduction_factor.png", "heatmap-1.png", "languages-1.png", "heatmap-2.png", "languages-2.png")
    assert all((results / name).read_bytes().startswith(b"\x89PNG") and f"]({name})" in text for name in names)


def test_submit_wants_the_variant_of_a_sweep(swept: tuple[Study, Said], tmp_path: Path):
    study = swept[0]
    asked = ("submit", *SWEEP, "--method", "stack", "--to", str(tmp_path / "out"))
    refused = study.say(*asked)
    assert refused.code == 2
    assert refused.err.startswith("variant: the study has 2 variants")
    assert "Allowed: reduction_factor=4, reduction_factor=8." in refused.err
    said = study.say(*asked, "--variant", "reduction_factor=8", "--json")
    assert said.code == 0, said.err
    assert said.json["tasks"]["tatoeba"]["written"] == ["de", "zh"]
    assert said.json["tasks"]["xnli"]["setting"].endswith("--seed 1 --variant reduction_factor=8")


def test_sweep_over_generated_worlds_scores_as_one_over_folders_with_their_files(
    new_study: Callable[[], Study],
):
    study = new_study()
    asked = ("methods=[direct]", "target.tasks=[xnli, tatoeba]", "data.leaks=report")
    said = study.say("run", *asked, "data.mini_seed=[1, 2]")
    assert said.code == 0, said.err
    of_worlds = {(row["variant"][-1], row["target"], row["language"]): row["value"] for row in study.rows()}
    assert {key[0] for key in of_worlds} == {"1", "2"}
    first, second = ([value for key, value in of_worlds.items() if key[0] == seed] for seed in ("1", "2"))
    assert first != second
    text = (study.results / "report.md").read_text(encoding="utf-8")
    assert "### Leaks and overlaps: data of mini_seed=2\n" in text
    worlds = {manifest["job"]["seed"]: folder / "files" for folder, manifest in study.manifests("data").items()}
    said = study.say("run", *asked, f"data.root=[{worlds[1]}, {worlds[2]}]")
    assert said.code == 0, said.err
    numbers = {f"root={folder}": str(seed) for seed, folder in worlds.items()}
    of_folders = {(numbers[row["variant"]], row["target"], row["language"]): row["value"] for row in study.rows()}
    assert of_folders == of_worlds


@dataclass
class Watched:
    """A network around its training: copies of all tensors."""

    method: str
    before: dict[str, Any]
    after: dict[str, Any]


@pytest.fixture(scope="session")
def second(new_study: Callable[[], Study], ran: Said) -> Iterator[tuple[Study, list[Watched]]]:
    """The adapter methods and `full` on one target, in another store, with every network's tensors before and after."""
    from adaptstilts.study.stages import train as run_train

    watched: list[Watched] = []
    build_network, fit = run_train.build_network, run_train.fit

    def state(network: Any) -> dict[str, Any]:
        return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    def watched_build(method: Any, *values: Any, **named: Any) -> Any:
        network = build_network(method, *values, **named)
        watched.append(Watched(method.name, state(network), {}))
        return network

    def watched_fit(network: Any, *values: Any, **named: Any) -> Any:
        report = fit(network, *values, **named)
        watched[-1].after = state(network)
        return report

    study = new_study()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_train, "build_network", watched_build)
        patch.setattr(run_train, "fit", watched_fit)
        said = study.say("run", "target.tasks=[xnli]", "methods=[full, adapter, stack, continue, fuse]")
    assert said.code == 0, said.err
    yield study, watched


def hashes(study: Study) -> dict[str, dict[str, str]]:
    """SHA-256 of every file of every artefact, but for the record of training, which holds its time, and what tells it.

    Left out: tables and report, which tell the times of training.
    """
    return {
        manifest["key"]: {name: item["sha256"] for name, item in manifest["files"].items() if name != "training.json"}
        for manifest in study.manifests().values()
        if manifest["kind"] not in {"analyse", "report"}
    }


def test_equal_seeds_give_byte_identical_files_in_two_stores(finished: Study, second: tuple[Study, list[Watched]]):
    found, expected = hashes(second[0]), hashes(finished)
    assert len(found) == len(second[0].manifests()) - 2
    assert {key: expected[key] for key in found} == found
    weights = [name for names in found.values() for name in names if name.endswith(".safetensors")]
    assert len(weights) >= 2 * (2 + 2 + 2 + 2 + 2 + 1)


def test_another_seed_gives_other_weights(finished: Study, tmp_path: Path):
    study = finished.copy(tmp_path)
    said = study.say("run", "--json", "target.tasks=[xnli]", "methods=[adapter]", "seeds=[1, 2]", "name=seeds")
    assert (said.code, said.json["made"], said.json["skipped"]) == (0, 1 + 3 + 3 + 2, 1 + 1 + 3 + 3)
    weights = [
        (folder / "adapter" / "adapter.safetensors").read_bytes()
        for folder, manifest in study.manifests("train").items()
        if (manifest["job"]["method"], manifest["job"]["task"]) == ("adapter", "mnli")
    ]
    assert len(set(weights)) == 2


def test_backbone_is_bit_identical_after_training_adapters(backbone: Path, second: tuple[Study, list[Watched]]):
    from adaptstilts.models.backbone import load_encoder

    published = load_encoder(str(backbone)).state_dict()
    seen = Counter(item.method for item in second[1])
    assert seen == {"direct": 2, "full": 2, "adapter": 2, "stack": 2, "continue": 2, "fuse": 1}
    for item in second[1]:
        if item.method in {"direct", "full"}:
            continue
        assert all(item.after[f"encoder.{name}"].equal(tensor) for name, tensor in published.items())


@pytest.mark.parametrize(
    ("method", "trained", "frozen"),
    [
        ("adapter", {".adapters.target_mnli."}, set()),
        ("stack", {".adapters.target_mnli."}, {".adapters.mnli."}),
        ("continue", {".adapters.target_mnli."}, set()),
        ("fuse", {".adapter_fusion_layer.fusion_mnli."}, {".adapters.mnli.", ".adapters.hellaswag."}),
    ],
)
def test_only_the_promised_parts_change(
    second: tuple[Study, list[Watched]], method: str, trained: set[str], frozen: set[str]
):
    item = next(item for item in second[1] if item.method == method)
    changed = {name for name, tensor in item.after.items() if not tensor.equal(item.before[name])}
    assert all(name.startswith("head.") or any(mark in name for mark in trained) for name in changed)
    for mark in trained:
        assert any(mark in name for name in changed)
    for mark in frozen:
        assert any(mark in name for name in item.after)
    assert any(name.startswith("head.") for name in changed)


def xnli_rows(study: Study, language: str) -> list[list[str]]:
    (root,) = study.manifests("data")
    with (root / "files" / "xnli" / f"test-{language}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t"))


@pytest.mark.parametrize("method", ["adapter", "stack", "continue", "fuse"])
def test_saved_adapters_give_equal_logits_in_the_plain_library(finished: Study, backbone: Path, method: str):
    import numpy as np
    import torch
    from adapters import Fuse, Stack, XLMRobertaAdapterModel
    from transformers import AutoTokenizer

    model = XLMRobertaAdapterModel.from_pretrained(backbone).eval()
    sources = {"adapter": (), "fuse": SOURCES}.get(method, SOURCES[:1])
    below = () if method == "continue" else sources
    info: dict[str, Any] = {}
    for task in below:
        adapter = finished.artefact("train", "adapter", task) / "adapter"
        model.load_adapter(str(adapter), load_as=task, with_head=False, loading_info=info)
        assert info == {"missing_keys": [], "unexpected_keys": []}
    trained = finished.artefact("train", method, "mnli", *sources)
    if method == "fuse":
        model.load_adapter_fusion(str(trained / "fusion"))
        model.set_active_adapters(Fuse(*below, name="fusion_mnli"))
        model.active_head = "fusion_mnli"
    else:
        model.load_adapter(str(trained / "adapter"), loading_info=info)
        assert info == {"missing_keys": [], "unexpected_keys": []}
        model.set_active_adapters(Stack(*below, "target_mnli"))
        model.active_head = "target_mnli"
    predicted = {
        manifest["job"]["languages"][0][0]: folder
        for folder, manifest in finished.manifests("predict").items()
        if manifest["job"]["trained"] == json.loads((trained / "manifest.json").read_text())["key"]
    }
    assert predicted.keys() == set(LANGUAGES)
    tokenizer = AutoTokenizer.from_pretrained(backbone)
    for language in LANGUAGES:
        expected = np.load(predicted[language] / "raw" / f"{language}.npz")["logits"]
        for row, logits in zip(xnli_rows(finished, language), expected, strict=True):
            with torch.no_grad():
                found = model(**tokenizer(row[0], row[1], return_tensors="pt")).logits[0].numpy()
            np.testing.assert_allclose(found, logits, atol=1e-5)


def test_report_of_the_mini_world_shows_no_published_scores(finished: Study):
    text = (finished.results / "report.md").read_text(encoding="utf-8")
    assert "English and zero-shot scores" in text
    assert "published" not in text
    assert "\n\n**Generated data.** The scores come from the mini world" in text
    assert "XTREME scores" not in text


def test_predictions_follow_from_the_raw_scores(finished: Study):
    import numpy as np

    folder = finished.artefact("predict", "direct", "xnli", language="zh")
    record = json.loads((folder / "predictions" / "zh.json").read_text(encoding="utf-8"))
    logits = np.load(folder / "raw" / "zh.npz")["logits"]
    assert logits.shape == (10, 3)
    assert record["predictions"] == logits.argmax(1).tolist()
    labels = ["contradiction", "entailment", "neutral"]
    right = [
        labels[found] == row[2] for found, row in zip(record["predictions"], xnli_rows(finished, "zh"), strict=True)
    ]
    (value,) = (
        float(row["value"])
        for row in finished.rows()
        if (row["method"], row["target"], row["language"]) == ("direct", "xnli", "zh")
    )
    assert value == pytest.approx(100 * sum(right) / len(right))


def test_interrupted_run_keeps_finished_stages_and_the_next_one_skips_them(
    new_study: Callable[[], Study], monkeypatch: pytest.MonkeyPatch
):
    from adaptstilts.study.stages import runner as runners

    study = new_study()
    asked = ("target.tasks=[xnli]", "methods=[adapter, stack]", "intermediate.tasks=[mnli]")
    real, calls = runners.train_stage, []

    def stop_at_second(job: Any, inputs: Any, examples: Any, folder: Path, *values: Any, **named: Any) -> None:
        calls.append(job.method)
        if len(calls) == 2:
            (folder / "half").write_text("written")
            raise KeyboardInterrupt
        real(job, inputs, examples, folder, *values, **named)

    with monkeypatch.context() as patch:
        patch.setattr(runners, "train_stage", stop_at_second)
        stopped = study.say("run", *asked)
    assert stopped.code == 130
    assert calls == ["adapter", "stack"]
    assert stopped.err.splitlines()[-1].startswith("interrupted; finished stages are kept")
    assert Counter(manifest["kind"] for manifest in study.manifests().values()) == {
        "data": 1,
        "train": 1,
        "predict": 3,
        "score": 3,
    }
    assert not list(study.config.parent.rglob("half"))
    before = study.stamps()
    again = study.say("run", *asked)
    assert again.code == 0
    assert again.err.splitlines()[0] == "skipping 8 finished stages (1 data, 1 train, 3 predict, 3 score)"
    assert [line.split(":")[0] for line in again.err.splitlines()[1:]] == [
        "leaks and overlaps",
        "[9/17] train stack",
        *(f"[{10 + at}/17] predict stack" for at in range(3)),
        *(f"[{13 + at}/17] score stack" for at in range(3)),
        "[16/17] analyse",
        "[17/17] report",
    ]
    assert {folder: study.stamps()[folder] for folder in before} == before


def test_two_processes_write_the_same_bytes_as_one(finished: Study, new_study: Callable[[], Study]):
    study = new_study()
    said = study.say(
        "run", "workers=2", "target.tasks=[xnli, tatoeba]", "methods=[adapter, stack]", "intermediate.tasks=[mnli]"
    )
    assert said.code == 0, said.err
    expected = hashes(finished)
    found = hashes(study)
    assert len(found) + 2 == len(study.manifests()) == len([line for line in said.err.splitlines() if line[0] == "["])
    assert {key: expected[key] for key in found} == found
