"""The command line: what each verb answers, and one clear line with exit code 2 for input that cannot be used."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commandline import Said, say
from repository import ROOT
from submission_files import LABELS, PREDICTIONS, write

from adaptstilts import __version__
from adaptstilts.store.manifest import manifest_text
from adaptstilts.tasks.registry import all_tasks

XTREME = str(ROOT / "configs" / "xtreme_xlmr_large.yaml")
HEAVY = ("torch", "transformers", "adapters", "matplotlib", "datasets", "numpy")
VERBS = ("tasks", "published", "validate", "plan", "run", "score", "submit", "report", "pretrain")


def refused(said: Said, message: str) -> None:
    """Check that a command ended with exit code 2 and exactly one line, which matches."""
    assert said.code == 2, said
    assert said.out == ""
    assert re.search(message, said.err), said.err
    assert said.err.count("\n") == 1
    assert said.err.endswith("\n")


# ---- The verbs


def test_help_names_every_verb():
    said = say("--help")
    assert said.code == 0
    assert all(re.search(rf"^\s+{verb}\s", said.out, re.MULTILINE) for verb in VERBS)


@pytest.mark.parametrize("words", [(), ("store",), ("data",)], ids=["all", "store", "data"])
def test_help_shows_what_each_command_does_in_full(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = say(*words, "--help").out.partition("Commands:\n")[2].splitlines()
    assert len(lines) >= 3
    assert [line for line in lines if line.endswith("...") or not line.endswith(".")] == []


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_ends_with_an_example(verb: str):
    said = say(verb, "--help")
    assert said.code == 0
    assert f"Example: adaptstilts {verb}" in " ".join(said.out.split())


def test_version_is_that_of_the_package():
    assert say("--version") == Said(0, f"adaptstilts {__version__}\n", "")


@pytest.mark.parametrize(
    "words", [["rum"], ["run"], ["score", "x"], ["plan", "a.yaml", "--jsn"]], ids=["verb", "config", "gold", "flag"]
)
def test_usage_errors_exit_with_2(words: list[str]):
    said = say(*words)
    assert said.code == 2
    assert "Error: " in said.err


def test_tasks_gives_a_list_of_objects():
    said = say("tasks", "--json")
    assert said.code == 0
    assert [record["name"] for record in said.json] == [task.name for task in all_tasks()]
    phases = Counter(record["phase"] for record in said.json)
    assert (phases["intermediate"], phases["target"], phases["training"]) == (9, 17, 5)
    assert sum("xtreme" in record["benchmarks"] for record in said.json) == 9
    for record, task in zip(said.json, all_tasks(), strict=True):
        assert (record["phase"], record["kind"], record["metric"]) == (task.phase, task.kind, task.metric)
        assert record["languages"] == list(task.languages)
    by_name = {record["name"]: record for record in said.json}
    assert by_name["xnli"]["labels"] == ["contradiction", "entailment", "neutral"]
    assert by_name["xquad"]["trains_on"] == "squad1"
    assert by_name["tatoeba"]["trains_on"] is None
    assert (by_name["xcopa"]["trains_on"], by_name["xcopa"]["trains_after"]) == ("copa", "siqa")
    assert by_name["xquad"]["languages_r"] == ["ro"]


def test_published_gives_figures_with_their_sources():
    said = say("published", "pawsx", "--json")
    assert said.code == 0
    assert {record["task"] for record in said.json} == {"pawsx"}
    assert all(record["document"] and record["place"] and record["setting"] for record in said.json)
    shown = say("published")
    assert re.search(r"^xnli +accuracy +mean +X-STILTs +80\.4  \[1\]$", shown.out, re.MULTILINE)
    assert re.search(r"^\[1\] mT5, README", shown.out, re.MULTILINE)
    refused(say("published", "xnly"), r"no published figure for 'xnly'\. Did you mean 'xnli'\?")


def test_data_checklist_writes_files_for_the_languages_asked_for(tmp_path: Path):
    said = say("data", "checklist", "--to", tmp_path, "--cases", "3", "--language", "sw")
    assert said == Said(0, f"{tmp_path}: 3 files of 3 cases each, seed 42\n", "")
    assert len(list((tmp_path / "multichecklist").iterdir())) == 3
    refused(say("data", "checklist", "--to", tmp_path, "--language", "xx"), "no checklist templates in 'xx'")


def test_tasks_shows_one_line_for_each_task():
    said = say("tasks")
    assert said.code == 0
    shown, legend = said.out.split("\n\n")
    assert [line.split()[0] for line in shown.splitlines()[1:]] == [task.name for task in all_tasks()]
    assert re.search(r"^xquad +target +xtreme xtreme_r +extract ", shown, re.MULTILINE)
    heads = shown.splitlines()[0]
    assert all(line.partition(":")[0] in heads for line in legend.splitlines()[:5])


def test_plan_of_the_paper_shows_what_sharing_saves():
    said = say("plan", XTREME, "--json")
    record = said.json
    assert said.code == 0
    assert set(record["stages"][0]) == {"name", "kind", "key", "done", "used_by"}
    assert {shared["name"].split(":")[0] for shared in record["shared_runs"]} == {"train direct", "train adapter"}
    assert record["training_runs"] < record["training_runs_without_sharing"]
    assert [line.split(":")[0] for line in said.json["retrieval"]] == ["bucc2018", "tatoeba"]
    text = say("plan", XTREME).out
    assert " ".join(said.json["retrieval"]) in " ".join(text.split())
    lines = text.splitlines()
    assert max(map(len, lines)) <= 120
    last = lines[-2:]
    beginning = f"{len(record['stages']):,} stages, 0 of them finished, for {record['cells']} table cells"
    assert last[0].startswith(beginning)
    assert last[1].startswith(f"{record['training_runs']} training runs; ")


def test_plan_sets_full_models_and_adapters_side_by_side():
    record = say("plan", XTREME, "--json", "--device", "a100", "--utilisation", "0.2").json
    assert (record["device"]["name"], record["device"]["utilisation"]) == ("a100", 0.2)
    full, adapters = record["families"]["full models"], record["families"]["adapters"]
    for family in (full, adapters):
        assert family["runs"] < family["without_sharing"]["runs"]
        assert family["hours"] == pytest.approx(family["flops"] / (0.2 * 312e12) / 3600)
        assert family["hours_to_do"] == pytest.approx(family["hours"])
    assert adapters["bytes"] < full["bytes"] / 10
    assert full["runs"] + adapters["runs"] == record["training_runs"]
    unshared = full["without_sharing"]["runs"] + adapters["without_sharing"]["runs"]
    assert unshared == record["training_runs_without_sharing"]
    assert sum(row["stages"] for row in record["table"]) == len(record["stages"])
    assert record["tree"]["runs"] == record["training_runs"]
    text = say("plan", XTREME, "--table").out
    assert "if nothing were shared" in text
    assert "upper bounds: runs that `patience` may end early count with all their epochs" in text


def test_plan_is_folded_unless_every_stage_is_asked_for():
    short = say("plan", XTREME).out.splitlines()
    assert len(short) < 160
    tree = say("plan", XTREME, "--tree").out
    assert "├── direct" in tree
    assert "if nothing were shared" not in tree
    assert "├── direct" not in say("plan", XTREME, "--table").out
    stages = say("plan", XTREME, "--json").json["stages"]
    assert len(say("plan", XTREME, "--all").out.splitlines()) == len(stages) + 2 + len(short)


def test_plan_says_so_when_the_backbone_is_of_unknown_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    said = say("plan", XTREME, "backbone=someone/xlmr")
    assert said.code == 0
    assert "someone/xlmr, shape unknown" in said.out
    assert "someone/xlmr: shape unknown, not priced. Give a folder with its config.json" in said.out
    assert "FLOP  " not in said.out.split("training runs")[1]


def test_plan_names_the_devices_it_knows():
    refused(say("plan", XTREME, "--device", "h1000"), r"'h1000' is not a device to price for\. Did you mean 'h100'\?")
    refused(say("plan", XTREME, "--utilisation", "40"), r"^utilisation: 40\.0 is not a share of the peak rate")


def test_plan_tells_why_a_stage_is_not_there():
    said = say("plan", XTREME, "--why", "train fuse*pawsx*")
    assert said.code == 0
    assert said.out.splitlines()[1] == "  not in the store"
    record = say("plan", XTREME, "--why", "train fuse*pawsx*", "--json").json[0]
    assert (record["done"], record["nearest"], len(record["missing"])) == (False, None, 9)
    refused(say("plan", XTREME, "--why", "train fuze*"), "stage: 'train fuze\\*' is not a stage of this study")


def test_validate_says_so_in_both_forms_when_all_is_well():
    record = say("validate", XTREME, "--json").json
    (tokenizer,) = record.pop("tokenizers")
    assert (tokenizer["backbone"], tokenizer["languages"]) == ("FacebookAI/xlm-roberta-large", [])
    unchecked = record.pop("unchecked")
    assert ["FacebookAI/xlm-roberta-large" in line for line in unchecked] == [True, False, True]
    assert unchecked[1].startswith("data.root: 'official' stands for data that is not there")
    name = "xtreme_xlmr_large"
    assert record == {"config": name, "stages": record["stages"], "cells": 270, "ok": True}
    left = "".join(f"not checked: {line}\n" for line in unchecked)
    assert say("validate", XTREME).out == f"{left}\n{name}: fine, {record['stages']:,} stages for 270 table cells\n"


@pytest.mark.parametrize("words", [["--help"], ["tasks"], ["plan", XTREME], ["validate", XTREME]])
def test_verbs_that_compute_nothing_are_quick_and_import_no_torch(words: list[str]):
    code = (
        "import sys; from adaptstilts.cli.main import main; "
        f"main({words!r}); print('heavy:', *sorted({set(HEAVY)!r} & set(sys.modules)))"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    seconds = time.perf_counter() - started
    assert done.stdout.splitlines()[-1] == "heavy:"
    assert seconds < 10  # about half a second on one slow core; the rest is room for a busy machine


@pytest.mark.parametrize("verb", ["validate", "plan", "run", "report"])
def test_interrupted_verb_exits_with_130(monkeypatch: pytest.MonkeyPatch, verb: str):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("adaptstilts.study.study.load_study", interrupted)
    said = say(verb, XTREME)
    assert said.code == 130
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("verb", "flags"),
    [
        ("validate", []),
        ("plan", []),
        ("run", []),
        ("report", []),
        ("status", []),
        ("submit", ["--to", "anywhere"]),
        ("store gc", []),
    ],
)
def test_unknown_task_of_the_file_is_named_with_its_line(tmp_path: Path, verb: str, flags: list[str]):
    config = tmp_path / "study.yaml"
    config.write_text("name: a\nmethods: [direct]\ntarget:\n  tasks: [xnly]\n", encoding="utf-8")
    (tmp_path / "store").mkdir()
    said = say(*verb.split(), config, f"store={tmp_path / 'store'}", *flags)
    refused(said, r"study\.yaml:4: target\.tasks: 'xnly' is not a target task\. Did you mean 'xnli'\?")


def test_study_that_was_cut_cannot_be_submitted_and_the_line_that_cuts_it_is_named(tmp_path: Path):
    config = tmp_path / "study.yaml"
    config.write_text("name: a\ntarget:\n  tasks: [xnli]\ndata:\n  max_evaluation: 20\n", encoding="utf-8")
    message = r"data\.max_evaluation: the study predicts only 20 rows .* Run it with data\.max_evaluation=null"
    refused(say("submit", config, "--to", tmp_path / "out"), rf"study\.yaml:5: {message}")
    refused(say("submit", config, "data.max_evaluation=20", "--to", tmp_path / "out"), rf"^{message}")


def test_setting_of_a_run_that_cannot_be_used_is_named_with_its_line(tmp_path: Path):
    config = tmp_path / "study.yaml"
    config.write_text("name: a\ntarget:\n  tasks: [xnli]\ndata:\n  root: official\n", encoding="utf-8")
    refused(say("run", config), r"study\.yaml:5: data\.root: 'official' stands for data that is not there")


# ---- Scores


CHOSEN = ("xnli/test-en.tsv", "xnli/test-de.tsv", "tatoeba/test-de.tsv")


@pytest.fixture
def submission(tmp_path: Path) -> tuple[Path, Path]:
    """Folders of predictions and of labels."""
    predictions = {name: PREDICTIONS[name] for name in CHOSEN} | {"other/test-de.tsv": "x\n"}
    labels = {name: LABELS[name] for name in CHOSEN}
    return write(tmp_path / "predictions", predictions), write(tmp_path / "labels", labels)


def test_score_gives_task_language_metric_then_averages_and_notes(submission: tuple[Path, Path]):
    predictions, labels = submission
    said = say("score", predictions, "--gold", labels, "--json")
    assert (said.code, said.err) == (0, "")
    record = said.json
    totals = record.pop("averages")
    assert record.pop("notes") == ["skipped other/, which is not a task of this package"]
    assert record == {
        "xnli": {"en": {"accuracy": pytest.approx(200 / 3)}, "de": {"accuracy": 50.0}},
        "tatoeba": {"de": {"accuracy": pytest.approx(200 / 3)}},
    }
    assert totals["xtreme"]["overall"]["score"] == 62.5
    assert totals["xtreme"]["tasks"]["xnli"]["gap"] == pytest.approx(50 / 3)
    chosen = say("score", predictions, "--gold", labels, "--task", "xnli", "--language", "de", "--json")
    assert chosen.json["xnli"] == {"de": {"accuracy": 50.0}}
    assert "tatoeba" not in chosen.json


def test_score_shows_tables_averages_and_notes(submission: tuple[Path, Path]):
    predictions, labels = submission
    blocks = say("score", predictions, "--gold", labels).out.strip().split("\n\n")
    rows = [[line.split() for line in block.splitlines()] for block in blocks]
    assert rows[0] == [["xnli", "accuracy"], ["en", "66.7"], ["de", "50.0"], ["mean", "of", "2", "58.3"]]
    assert rows[1] == [["tatoeba", "accuracy"], ["de", "66.7"], ["mean", "of", "1", "66.7"]]
    assert rows[2][:6] == [
        ["XTREME,", "partial", "score", "English", "zero-shot", "gap"],
        ["classification,", "partial", "58.3", "66.7", "50.0", "16.7"],
        ["xnli,", "partial", "58.3", "66.7", "50.0", "16.7"],
        ["retrieval,", "partial", "66.7", "-", "66.7", "-"],
        ["tatoeba,", "partial", "66.7", "-", "66.7", "-"],
        ["overall,", "partial", "62.5", "66.7", "58.3", "16.7"],
    ]
    assert "  without pawsx, udpos, panx, xquad, mlqa, tydiqa, bucc2018" in blocks[2]
    assert "  xnli without ar, bg, el," in blocks[2]
    assert blocks[3] == "note: skipped other/, which is not a task of this package"


@pytest.mark.parametrize(
    ("files", "words", "message"),
    [
        ({}, ["--task", "xnly"], r"'xnly' is not a task\. Did you mean 'xnli'\?"),
        ({}, ["--task", "mlqa"], r"predictions.mlqa: is not a folder"),
        ({}, ["--language", "sw"], r"labels for 'sw'\. Allowed: de, en"),
        ({"xnli/test-de.tsv": "neutral\n"}, [], r"test-de\.tsv:1: 1 line, but 2 in .*labels.*Predict every example"),
        ({"xnli/test-de.tsv": "neutral\n" * 3}, [], r"test-de\.tsv:3: 3 lines, but 2 in "),
        ({"xnli/test-de.tsv": "neutral\nmaybe\n"}, [], r"test-de\.tsv:2: 'maybe' is not a label.*Allowed: contr"),
        ({"xnli/test-de.tsv": ""}, [], r"test-de\.tsv: the file is empty"),
        ({"tatoeba/test-de.tsv": "2\n0\nx\n"}, [], r"test-de\.tsv:3: 'x' is not a row number"),
    ],
    ids=["task", "folder", "language", "short", "long", "label", "empty", "number"],
)  # fmt: skip
def test_score_names_what_is_wrong(
    submission: tuple[Path, Path], files: dict[str, str], words: list[str], message: str
):
    predictions, labels = submission
    write(predictions, files)
    refused(say("score", predictions, "--gold", labels, *words), message)


def test_score_names_the_gold_folder_when_it_is_missing(submission: tuple[Path, Path]):
    predictions, labels = submission
    refused(say("score", predictions, "--gold", labels / "none"), r"labels.none: is not a folder\. .*such as xnli")


@pytest.mark.parametrize(
    ("tasks", "languages"),
    [([], []), (["udpos", "bucc2018"], []), (["mlqa"], ["hi", "zh"]), ([], ["sw"])],
    ids=["all", "tasks", "both", "languages"],
)
def test_score_equals_xtreme_for_any_subset(shared_root: Path, tasks: list[str], languages: list[str]):
    mock = shared_root / "parity" / "xtreme_mock"
    expected = json.loads((mock / "expected.json").read_text(encoding="utf-8"))
    known = {task.name for task in all_tasks()}
    expected = {
        task: {language: by[language] for language in by if not languages or language in languages}
        for task, by in expected.items()
        if task in known and (not tasks or task in tasks)
    }
    words = [word for name in tasks for word in ("--task", name)]
    words += [word for code in languages for word in ("--language", code)]
    found = say("score", mock / "predictions", "--gold", mock / "labels", "--json", *words).json
    own = {"token_accuracy", "chunk_f1_seqeval1"}  # which XTREME's evaluator does not report
    assert {
        task: {
            language: {name: value for name, value in scores.items() if name not in own}
            for language, scores in by_language.items()
        }
        for task, by_language in found.items()
        if task not in {"averages", "notes"}
    } == {task: by_language for task, by_language in expected.items() if by_language}


# ---- A study on files in their published layouts


def pairs_jsonl(count: int, *, last: str = "") -> str:
    """MNLI's layout; ``last`` is the label of the last row."""
    words = [("entailment", "neutral", "contradiction")[row % 3] for row in range(count)]
    if last:
        words[-1] = last
    rows = [
        {"gold_label": word, "sentence1": f"The dog saw {row} boats.", "sentence2": "It was cold.", "pairID": str(row)}
        for row, word in enumerate(words)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def pairs_tsv(count: int) -> str:
    labels = ("entailment", "neutral", "contradiction")
    return "".join(f"Die Ärztin sah {row} Boote.\tSie schläft.\t{labels[row % 3]}\n" for row in range(count))


def squad(count: int, offset: int = 4) -> str:
    questions = [
        {"id": f"q{row}", "question": "Who left?", "answers": [{"text": "king", "answer_start": offset}]}
        for row in range(count)
    ]
    return json.dumps({"data": [{"paragraphs": [{"context": "The king left at noon.", "qas": questions}]}]})


MNLI = "mnli/multinli_1.0_train.jsonl"
XNLI = "xnli/dev-de.tsv"
SQUAD = "squad/v1.1/train-v1.1.json"
FILES = {
    MNLI: pairs_jsonl(12),
    "mnli/multinli_1.0_dev_matched.jsonl": pairs_jsonl(6),
    "udpos/train-en.tsv": "Dogs\tNOUN\nrun\tVERB\n\n" * 12,
    SQUAD: squad(12),
    "squad/v1.1/dev-v1.1.json": squad(4),
    "tatoeba/tatoeba.deu-eng.deu": "Ja\nNein\n",
    "tatoeba/tatoeba.deu-eng.eng": "Yes\nNo\n",
    **{f"xnli/dev-{code}.tsv": pairs_tsv(6) for code in ("en", "de")},
    **{
        f"udpos/{part}-{code}.tsv": "Hunde\tNOUN\nbellen\tVERB\n\n" * 4
        for part in ("dev", "test")
        for code in ("en", "de")
    },
    **{f"xquad/xquad.{code}.json": squad(4) for code in ("en", "de")},
}
STUDY = """\
name: files
backbone: {backbone}
threads: 1
store: {folder}/store
results: {folder}/results
data:
  root: {folder}/data
methods: [direct, adapter]
intermediate:
  tasks: [mnli]
  full: {{epochs: 1}}
  adapter: {{epochs: 1}}
target:
  tasks: [xnli, udpos, xquad, tatoeba]
  full: {{epochs: 1}}
  adapter: {{epochs: 1}}
"""


@dataclass(frozen=True)
class Study:
    """A study in a folder of its own."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "study.yaml"

    def say(self, verb: str, *words: object) -> Said:
        return say(verb, self.config, *words)

    def stamps(self) -> dict[Path, int]:
        """Every file of the store's artefacts with the time at which it was written."""
        store = self.folder / "store"
        files = [path for path in store.rglob("*") if path.is_file()]
        names = {path.relative_to(store): path.stat().st_mtime_ns for path in files}
        return {name: stamp for name, stamp in names.items() if name.parts[0] not in {"logs", ".failed"}}

    def artefact(self, kind: str, slug: str) -> Path:
        (found,) = (self.folder / "store" / kind).glob(f"{slug}-*")
        return found


@pytest.fixture(scope="session")
def backbone(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer: Any) -> Path:
    """A two-layer encoder, 16 wide, random, with its tokenizer."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=len(tiny_tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=514,
        type_vocab_size=1,
    )
    folder = tmp_path_factory.mktemp("backbone")
    XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, backbone: Path) -> Study:
    """The study, carried out; tests work on copies of it."""
    study = Study(tmp_path_factory.mktemp("study"))
    write(study.folder / "data", FILES)
    study.config.write_text(STUDY.format(backbone=backbone, folder=study.folder), encoding="utf-8")
    said = study.say("run")
    assert said.code == 0, said.err
    return study


@pytest.fixture
def study(finished: Study, tmp_path: Path, backbone: Path) -> Study:
    """A copy of the finished study that a test may spoil."""
    copy = Study(tmp_path)
    for name in ("data", "store"):
        shutil.copytree(finished.folder / name, tmp_path / name)
    copy.config.write_text(STUDY.format(backbone=backbone, folder=tmp_path), encoding="utf-8")
    return copy


def test_finished_study_is_validated_planned_reported_and_skipped(study: Study):
    stages = study.say("plan", "--json").json["stages"]
    assert all(stage["done"] for stage in stages)
    assert study.say("validate", "--json").json["stages"] == len(stages)
    assert study.say("report", "--json").json["skipped"] == len(stages)
    again = study.say("run", "--json")
    assert (again.code, again.json["made"], again.json["skipped"]) == (0, 0, len(stages))
    assert f"\nskipping {len(stages)} finished stages" in again.err


def test_plan_of_a_finished_study_has_measured_times_and_nothing_left(study: Study):
    record = study.say("plan", "--json", "--device", "cpu").json
    trained = [row for row in record["table"] if row["what"] == "target direct"]
    assert trained[0]["hours_measured"] > 0
    assert (trained[0]["to_do"], trained[0]["flops_to_do"]) == (0, 0)
    assert record["tree"]["predictions_done"] == record["tree"]["predictions"] > 0
    assert "measured" in study.say("plan", "--device", "cpu").out
    assert "measured" not in study.say("plan", "--device", "h100").out
    assert "  in the store: " in study.say("plan", "--why", "train direct*").out


def test_report_that_cannot_be_written_is_named(study: Study):
    (study.folder / "results" / "files" / "results.csv").mkdir(parents=True)
    refused(
        study.say("report"), r"files/results\.csv: is a folder, not a file\. Remove it, or set another results=FOLDER"
    )
    assert [path.name for path in (study.folder / "results" / "files").iterdir()] == ["results.csv"]


def test_report_says_so_when_nothing_is_finished(study: Study):
    refused(
        study.say("report", "seeds=[9]", "target.tasks=[xnli]"),
        r"store: no finished score to report\. Run the study first: .* adaptstilts run",
    )


@pytest.mark.parametrize("verb", ["validate", "run"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["target.tasks=[xnly]"], r"^target\.tasks: 'xnly' is not a target task\. Did you mean 'xnli'\? Allowed: xnli"),
        (
            ["intermediate.tasks=[xnli]"],
            r"^intermediate\.tasks: 'xnli' is not an intermediate task.* Allowed: anli, mnli.* See: adaptstilts tasks",
        ),
        (["adapter.reduction_facter=3"], r"^adapter\.reduction_facter: .*Did you mean 'reduction_factor'\? Allowed: "),
        (["target.adapter.epochs=0"], r"^target\.adapter\.epochs: 0 is out of range\. Allowed: at least 1\.$"),
        (["data.root=none"], r"^data\.root: there is no folder 'none'\. Give `mini` or a folder"),
        (
            ["backbone=none"],
            r"^backbone: 'none' is neither a folder nor a hub id of the form OWNER/NAME\. Give `mini`, a folder",
        ),
        (["evaluation.languages=[en, xx]"], r"^evaluation\.languages: 'xx' is not a known language code\. Allowed: af"),
        (["evaluation.languages=[]"], r"^evaluation\.languages: no language is given\. Allowed: official, present"),
        (
            ["evaluation.languages=[en]"],
            r"^evaluation\.languages: tatoeba can be scored in none .*Allowed: de\. Add one",
        ),
        (
            ["evaluation.languages=[de, sw]", "target.tasks=[xnli]"],
            r"^evaluation\.languages: .*data has no labelled file of xnli in sw\. Allowed: en, de",
        ),
        (
            ["evaluation.languages=[en, fr]", "data.root=mini"],
            r"^evaluation\.languages: the mini world has no 'fr'\. Allowed: en, de",
        ),
        (["seeds"], r"^'seeds' is not of the form key=value\. Example: data\.root=my_data"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(study: Study, verb: str, words: list[str], message: str):
    before = study.stamps()
    refused(study.say(verb, *words), message)
    assert study.stamps() == before


def test_misspelt_key_is_named_with_file_and_line(study: Study):
    text = study.config.read_text(encoding="utf-8").replace("adapter: {epochs", "adaptor: {epochs", 1)
    study.config.write_text(text, encoding="utf-8")
    line = text[: text.index("adaptor:")].count("\n") + 1
    refused(study.say("run"), rf"study\.yaml:{line}: intermediate\.adaptor: .*Did you mean 'adapter'\? Allowed: tasks")


@pytest.mark.parametrize("verb", ["validate", "plan", "run", "report", "pretrain"])
def test_missing_configuration_is_named(verb: str):
    known = "pretrain_mini, pretrain_small" if verb == "pretrain" else "mini_all, mini_sweep, quickstart, .*"
    refused(
        say(verb, "none.yaml"),
        rf"^none\.yaml: no such configuration file\. Allowed: {known}\. .*adaptstilts configs describes",
    )


@pytest.mark.parametrize("verb", ["validate", "run"])
@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            MNLI,
            None,
            r"data: no train files of mnli in 'en'; looked for mnli/multinli_1\.0_train\.jsonl, xnli/train-en",
        ),
        ("udpos/train-en.tsv", None, r"data: no train files of udpos in 'en'; looked for udpos/train-en\.tsv"),
        (
            "tatoeba/tatoeba.deu-eng.eng",
            None,
            r"deu-eng\.deu: is not read without 'tatoeba/tatoeba\.deu-eng\.eng', which is missing\. Add that file\.",
        ),
        (MNLI, pairs_jsonl(5, last="maybe"), r"train\.jsonl:5: label: 'maybe' is not a label.* Allowed: contradiction"),
        (
            XNLI,
            pairs_tsv(3) + "Ja.\tJa.\tmaybe\n",
            r"dev-de\.tsv:4: label: 'maybe' is not a label.* Allowed: contradic",
        ),
        ("udpos/test-de.tsv", "Hunde\tNOUN\nbellen\n\n", r"test-de\.tsv:2: expected 2 columns, found 1"),
        ("udpos/train-en.tsv", "Dogs\tNOUN\nrun\tVERBS\n", r"train-en\.tsv:2: tag: 'VERBS' .* Did you mean 'VERB'\?"),
        (XNLI, pairs_tsv(3) + "Es regnet.\tneutral\n", r"dev-de\.tsv:4: expected 3 columns, found 2"),
        (
            "xquad/xquad.de.json",
            squad(2, offset=5),
            r"xquad\.de\.json:1: q0: the answer is 'king', but the context has 'ing ' at offset 5\. Offsets count",
        ),
        (
            SQUAD,
            squad(2, offset=5),
            r"train-v1\.1\.json:1: q0: the answer is 'king', but the context has 'ing ' at offset 5",
        ),
        (SQUAD, "{", r"train-v1\.1\.json:1: not JSON"),
        ("udpos/test-de.tsv", "", r"test-de\.tsv: holds no examples of udpos in 'de'\. Remove the empty file"),
        (XNLI, "\n", r"dev-de\.tsv: holds no examples of xnli in 'de'\. Remove the empty file"),
        ("xquad/xquad.de.json", "", r"xquad\.de\.json: holds no examples of xquad in 'de'"),
        ("xquad/xquad.de.json", '{"data": []}', r"xquad\.de\.json: holds no examples of xquad in 'de'"),
        ("tatoeba/tatoeba.deu-eng.eng", "", r"deu-eng\.eng: holds no examples of tatoeba in 'de'"),
        ("udpos/train-en.tsv", "", r"train-en\.tsv: holds no examples of udpos in 'en'"),
    ],
)
def test_data_that_cannot_be_used_is_refused_before_anything_is_computed(
    study: Study, verb: str, name: str, text: str | None, message: str
):
    path = study.folder / "data" / name
    if text is None:
        path.unlink()
    else:
        path.write_text(text, encoding="utf-8")
    before = study.stamps()
    refused(study.say(verb), message)
    assert study.stamps() == before


def test_several_problems_are_told_at_once(study: Study):
    write(study.folder / "data", {"udpos/train-en.tsv": "Dogs\n\n", SQUAD: squad(2, offset=5)})
    said = study.say("run")
    assert said.code == 2
    assert [line.split(": ")[0].rsplit("/", 1)[1] for line in said.err.splitlines()] == [
        "train-en.tsv",
        "train-v1.1.json:1",
    ]


def test_run_refuses_data_that_can_only_be_planned(study: Study):
    refused(study.say("run", "data.root=official"), r"^data\.root: 'official' stands for data .* Set data\.root=FOLDER")


def test_run_says_so_at_once_when_the_hub_does_not_answer(study: Study, monkeypatch: pytest.MonkeyPatch):
    import huggingface_hub

    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", unreachable)
    before = study.stamps()
    refused(
        study.say("run", "backbone=nobody/nothing"),
        r"^backbone: no backbone 'nobody/nothing': it is not a folder here, and the hub .*ConnectionError\. Check",
    )
    assert study.stamps() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"hidden_size": 32},
            r"config\.json: hidden_size: 32 here, but the word vectors of model\.safetensors have 16",
        ),
        ({"model_type": "gpt2"}, r"config\.json: model_type 'gpt2' is not supported\. .*Allowed: xlm-roberta"),
        (None, r"model\.safetensors: the weights are damaged: .*Save it again"),
    ],
    ids=["width", "kind", "damaged"],
)
def test_backbone_that_does_not_fit_is_refused(
    study: Study, tmp_path: Path, backbone: Path, change: dict[str, object] | None, message: str
):
    other = shutil.copytree(backbone, tmp_path / "other")
    path = other / ("config.json" if change else "model.safetensors")
    if change:
        path.write_text(json.dumps({**json.loads(path.read_text()), **change}), encoding="utf-8")
    else:
        path.write_bytes(path.read_bytes()[:1000])
    before = study.stamps()
    refused(study.say("validate", f"backbone={other}"), message)
    refused(study.say("run", f"backbone={other}"), message)
    assert study.stamps() == before


def test_backbone_folder_without_a_tokenizer_is_refused(study: Study, tmp_path: Path, backbone: Path):
    other = shutil.copytree(backbone, tmp_path / "other")
    for name in ("tokenizer.json", "sentencepiece.bpe.model"):
        (other / name).unlink(missing_ok=True)
    refused(study.say("run", f"backbone={other}"), r"other: the backbone folder has no tokenizer\. Allowed: tokenizer")


def test_backbone_folder_whose_tokenizer_is_none_is_refused(study: Study, tmp_path: Path, backbone: Path):
    other = shutil.copytree(backbone, tmp_path / "other")
    (other / "tokenizer.json").write_text('{"model": {}}', encoding="utf-8")
    refused(
        study.say("run", f"backbone={other}"),
        r"tokenizer\.json: model: \{\} is refused: it is no tokenizer: it has no vocabulary\. Save",
    )


def test_backbone_with_an_unknown_activation_is_refused_at_once(study: Study, tmp_path: Path, backbone: Path):
    other = shutil.copytree(backbone, tmp_path / "other")
    config = json.loads((other / "config.json").read_text(encoding="utf-8"))
    (other / "config.json").write_text(json.dumps({**config, "hidden_act": "foo"}), encoding="utf-8")
    refused(study.say("run", f"backbone={other}"), r"config\.json: hidden_act: 'foo' is refused.* Allowed: gelu")


def test_backbone_that_transformers_cannot_build_is_refused_before_anything_is_computed(
    study: Study, tmp_path: Path, backbone: Path
):
    other = shutil.copytree(backbone, tmp_path / "other")
    config = json.loads((other / "config.json").read_text(encoding="utf-8"))
    (other / "config.json").write_text(json.dumps({**config, "num_attention_heads": 3}), encoding="utf-8")
    for command in ("validate", "run"):
        said = study.say(command, f"backbone={other}", "methods=[direct]", "target.tasks=[udpos]")
        refused(said, r"config\.json: cannot be loaded as a backbone of type xlm-roberta: The hidden size")
    counted = study.say("status", f"backbone={other}", "methods=[direct]", "target.tasks=[udpos]").out.splitlines()[0]
    assert re.match(r"0 of 7 stages done", counted)


def test_adapter_with_a_changed_byte_stops_only_what_needs_it(study: Study):
    path = study.artefact("train", "adapter-mnli") / "adapter" / "adapter_config.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"hidden_size": 16', '"hidden_size": 64'), encoding="utf-8")
    before = study.stamps()
    said = study.say("run", "methods=[direct, stack]", "target.tasks=[xnli, udpos]")
    assert said.code == 2
    failed = [line for line in said.err.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 2
    message = (
        r"adapter_config\.json: damaged\. Rebuild it: .*adaptstilts run CONFIG --rebuild, or remove .*adapter-mnli"
    )
    assert all(re.search(message, line) for line in failed)
    assert "Traceback" not in said.err
    assert study.stamps() == before
    left_out = [line.split(":")[0] for line in said.out.splitlines() if line.endswith("it needs a stage that failed")]
    assert sorted(left_out) == ["predict stack"] * 4 + ["score stack"] * 4
    assert (study.folder / "results" / "files" / "results.csv").is_file()


@pytest.mark.parametrize("verb", ["run", "plan", "report"])
def test_store_that_is_a_file_is_refused(study: Study, tmp_path: Path, verb: str):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    refused(study.say(verb, f"store={tmp_path / 'file'}"), r"store: '.*file' is a file\. Set store=FOLDER\.")


def test_run_is_refused_in_every_process_of_a_launcher(study: Study, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    refused(study.say("run"), r"parallel\.processes: this command was started 2 times by a launcher")


def test_run_stops_with_one_line_when_the_disk_is_full(study: Study):
    import resource

    before, limits = study.stamps(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))  # what is longer cannot be written
    try:
        said = study.say("run", "seeds=[5]", "methods=[direct]")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert said.code == 2
    *_, overlaps, last = said.err.splitlines()
    assert overlaps.startswith("leaks and overlaps: ")
    assert re.search(r"store: cannot be written: .*too large.*or make room", last), said.err
    assert study.stamps() == before


def test_study_of_one_method_shows_its_scores(study: Study):
    said = study.say("run", "methods=[direct]", "target.tasks=[tatoeba]")
    assert said.code == 0
    assert re.search(r"tatoeba\S* .*direct +1 +\d+\.\d", said.out), said.out


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "scores.json",
            "{",
            r"scores\.json: missing or cut short\. Rebuild it: .* --rebuild, or remove .*direct-xnli-de-\w+\.",
        ),
        ("manifest.json", "{", r"manifest\.json: damaged: .* Rebuild it: .* or remove .*direct-xnli-de-\w+\."),
    ],
    ids=["file", "manifest"],
)
@pytest.mark.parametrize("verb", ["run", "report", "plan"])
def test_damaged_artefact_is_named_with_what_to_remove(study: Study, verb: str, name: str, text: str, message: str):
    folder = study.artefact("score", "direct-xnli-de")
    (folder / name).write_text(text, encoding="utf-8")
    before = study.stamps()
    said = study.say(verb)
    assert said.code == 2
    lines = [line for line in (said.err + said.out).splitlines() if re.search(message, line)]
    assert len(lines) == (2 if verb == "run" else 1)  # as it happens, and below the tables
    assert "Traceback" not in said.err
    assert said.out.count("\n") > 5  # the plan, or the tables of all others
    assert study.stamps() == before
    shutil.rmtree(folder)
    if verb == "run":
        assert study.say("run", "--json").json["made"] == 1


@pytest.mark.parametrize("verb", ["run", "report"])
def test_record_that_holds_something_else_costs_its_scores_only(study: Study, verb: str):
    folder = study.artefact("score", "direct-xnli-de")
    content = b'{"de": {"scores": {"accuracy": "high"}, "split": "test", "examples": 8, "note": ""}}'
    (folder / "scores.json").write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["scores.json"] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(manifest_text(manifest), encoding="utf-8")
    for kind in ("analyse", "report"):
        shutil.rmtree(study.folder / "store" / kind)
    said = study.say(verb)
    assert said.code == 2
    problem = (
        r"scores\.json: its value 'de\.scores\.accuracy' is 'high', and should be a number\. .*remove .*direct-xnli-de"
    )
    assert re.search(problem, said.out)
    assert "Traceback" not in said.err
    with (study.folder / "results" / "files" / "results.csv").open(encoding="utf-8") as file:
        rows = [(row["method"], row["target"], row["language"]) for row in csv.DictReader(file)]
    assert ("direct", "xnli", "de") not in rows
    assert ("direct", "xnli", "en") in rows


@pytest.mark.parametrize(
    ("kind", "slug", "name"),
    [
        ("train", "adapter-mnli", "manifest.json"),
        ("train", "adapter-mnli", "adapter/adapter_config.json"),
        ("predict", "direct-xnli-de", "manifest.json"),
        ("score", "direct-xnli-de", "scores.json"),
        ("analyse", "tables", "results.csv"),
        ("report", "report", "manifest.json"),
    ],
)
@pytest.mark.parametrize("damage", ["flipped", "cut", "missing"])
def test_rebuild_makes_what_is_damaged_again_and_nothing_else(
    study: Study, kind: str, slug: str, name: str, damage: str
):
    folder = study.artefact(kind, slug)
    path = folder / name
    content = path.read_bytes()
    if damage == "flipped":
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    elif damage == "cut":
        path.write_bytes(content[:-1])
    else:
        path.unlink()
    said = study.say("run", "--rebuild", "--json")
    assert said.code == 0, said.err
    is_absent = name == "manifest.json" and damage == "missing"  # then it is not there, rather than damaged
    assert ("made again: " in said.err) != is_absent
    assert said.json["made"] == 1
    if kind not in {"train", "report"}:  # these tell how long they took
        assert path.read_bytes() == content or name == "manifest.json"


def without_durations(text: str) -> str:
    """Leave out the times of training and the spaces before them: no two trainings take equally long."""
    return re.sub(r" *[\d.]+ (s|min|h)\b", " TIME", text)


def test_study_on_an_address_is_reported_on_another_machine(study: Study, tmp_path: Path):
    from fsspec.implementations.memory import MemoryFileSystem

    address, some = "store=memory://study", ("methods=[direct]", "target.tasks=[xnli]")
    try:
        assert study.say("run", *some, address, f"store_cache={tmp_path / 'one'}", "--json").json["made"] == 7
        here = (*some, address, f"store_cache={tmp_path / 'two'}")
        assert all(stage["done"] for stage in study.say("plan", *here, "--json").json["stages"])
        assert not (tmp_path / "two").exists()
        reported, alone = study.say("report", *here), study.say("report", *some)
        assert without_durations(reported.out) == without_durations(alone.out)
        brought = {path.name for path in (tmp_path / "two").rglob("*") if path.is_file()}
        assert brought >= {"report.md", "results.csv"}
        assert not any(name.endswith(".safetensors") for name in brought)
        assert study.say("run", *here, "--json").json["made"] == 0
        said = say("store", "verify", "--store", "memory://study", "--store-cache", tmp_path / "two")
        assert (said.code, said.out.startswith("7 artefacts, ")) == (0, True)
    finally:
        MemoryFileSystem.store.clear()


def test_watcher_draws_on_a_terminal_and_keeps_its_lines():
    from rich.console import Console

    from adaptstilts.progress.dashboard import TerminalWatcher
    from adaptstilts.store.artefact import Artefact
    from adaptstilts.study.study import Study

    plan = Study.load(XTREME).plan
    drawn = io.StringIO()
    first, second = plan.stages[:2]
    with TerminalWatcher(plan, Console(file=drawn, force_terminal=True, width=100)) as watcher:
        watcher.skipped([first])
        watcher.started(second, 1)
        watcher.stepped(second, 3, 7, "loss 0.5")
        watcher.finished(second, Artefact(Path("somewhere"), {"seconds": 2.0}))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn.getvalue())
    assert "skipping 1 finished stage (1 train)" in text
    assert f"[2/{len(plan.stages)}] {second.name}: 2.0 s, about " in text
