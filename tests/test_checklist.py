"""The checklist tests from the command line to the report: made, trained for, answered, scored."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from backbones import save_backbone

from adaptstilts.cli.main import main
from adaptstilts.evaluate.checklist import checklist_scores
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.checklist import CHECKLIST_TESTS, MULTICHECKLIST
from adaptstilts.tasks.examples import SpanExample
from adaptstilts.tasks.spec import Split

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

STUDY = """\
name: small
backbone: {folder}/backbone
threads: 1
methods: [direct, adapter]
store: {folder}/store
results: {folder}/results
data: {{root: {folder}/data}}
target:
  tasks: [multichecklist, xquad]
  full: &full {{epochs: 1, batch_size: 8, learning_rate: 1e-3, max_length: 96, evaluate_examples: 4}}
  adapter: *full
adapter: {{reduction_factor: 4}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer: PreTrainedTokenizerFast) -> Path:
    """A backbone, a data root with four cases per test and language, a finished study."""
    place = tmp_path_factory.mktemp("checklist")
    save_backbone(place / "backbone", tiny_tokenizer, width=32, positions=258)
    assert main(["data", "checklist", "--to", str(place / "data"), "--cases", "4", "--seed", "3"]) == 0
    assert main(["data", "checklist", "--to", str(place / "train"), "--cases", "12", "--language", "en"]) == 0
    (place / "data" / "squad" / "v1.1").mkdir(parents=True)
    for split, test in (("train", "comparison"), ("dev", "intensifier")):
        source = place / "train" / "multichecklist" / f"{test}-en.json"
        shutil.copy(source, place / "data" / "squad" / "v1.1" / f"{split}-v1.1.json")
    (place / "data" / "xquad").mkdir()
    for language in ("en", "de"):
        shutil.copy(place / "data" / "multichecklist" / f"property-{language}.json", place / "data" / "xquad")
        (place / "data" / "xquad" / f"property-{language}.json").rename(
            place / "data" / "xquad" / f"xquad.{language}.json"
        )
    (place / "study.yaml").write_text(STUDY.format(folder=place), encoding="utf-8")
    assert main(["run", str(place / "study.yaml")]) == 0
    return place


def results(folder: Path) -> list[dict[str, str]]:
    with (folder / "results" / "small" / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_study_on_the_checklist_has_error_rates_for_every_test_and_language(folder: Path):
    rows = [row for row in results(folder) if (row["method"], row["target"]) == ("direct", "multichecklist")]
    metrics = {"accuracy", "error_rate", "question_accuracy", *(f"error_{test}" for test in CHECKLIST_TESTS)}
    assert {(row["language"], row["metric"]) for row in rows} == {
        (language, metric) for language in MULTICHECKLIST.languages for metric in metrics
    }
    assert {row["metric"] for row in rows if row["is_major"] == "true"} == {"accuracy"}
    assert {(row["split"], row["examples"]) for row in rows} == {("test", str(4 * (2 + 2 + 3)))}
    value = {(row["language"], row["metric"]): float(row["value"]) for row in rows}
    for language in MULTICHECKLIST.languages:
        errors = [value[language, f"error_{test}"] for test in CHECKLIST_TESTS]
        assert value[language, "error_rate"] == pytest.approx(sum(errors) / 3)
        assert value[language, "accuracy"] == pytest.approx(100 - sum(errors) / 3)


def test_scores_of_the_study_follow_from_its_predictions(folder: Path):
    (place,) = (folder / "store" / "predict").glob("direct-multichecklist-tr-*")
    predictions = json.loads((place / "predictions" / "tr.json").read_text(encoding="utf-8"))["predictions"]
    examples = DataRoot(folder / "data").load_examples(MULTICHECKLIST, Split.TEST, "tr", labelled=True)
    gold = {
        item.id: [answer.text for answer in item.answers or ()] for item in examples if isinstance(item, SpanExample)
    }
    wanted = ("direct", "multichecklist", "tr")
    rows = [row for row in results(folder) if (row["method"], row["target"], row["language"]) == wanted]
    assert {row["metric"]: float(row["value"]) for row in rows} == checklist_scores(predictions, gold, "tr")


def test_report_shows_error_rates_by_test(folder: Path):
    text = (folder / "results" / "small" / "report.md").read_text(encoding="utf-8")
    (table,) = (part for part in text.split("### ") if part.startswith("Error rates of minimum functionality tests"))
    lines = [[cell.strip() for cell in line.split("|")] for line in table.splitlines()]
    assert lines[2][1:4] == ["target", "method", "intermediate"]
    assert lines[2][4:-1] == ["languages", "comparison", "intensifier", "property", "all tests"]
    errors = [row["value"] for row in results(folder) if (row["method"], row["metric"]) == ("direct", "error_rate")]
    (line,) = (line for line in lines if line[1:3] == ["multichecklist", "direct"])
    assert line[-2] == f"{sum(map(float, errors)) / len(errors):.1f}"


def test_report_shows_published_scores_beside_the_target_that_has_some(folder: Path):
    text = (folder / "results" / "small" / "report.md").read_text(encoding="utf-8")
    (table,) = (part for part in text.split("### ") if part.startswith("Beside published scores"))
    assert [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| xquad")] == ["xquad"] * 2
    assert "2 of 11" in table
    assert "This study's backbone is" in table


def test_mini_world_is_refused_with_the_tasks_it_has(capsys: pytest.CaptureFixture[str], folder: Path):
    assert main(["plan", str(folder / "study.yaml"), "data.root=mini"]) == 2
    said = capsys.readouterr().err
    assert "target.tasks: the mini world has no multichecklist. Allowed: xnli, pawsx" in said
    assert said.endswith("Set data.root=FOLDER, a folder that has it.\n")


def test_missing_files_are_named_with_the_place_they_were_looked_for(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
):
    shutil.copytree(folder / "data" / "squad", tmp_path / "squad")
    assert main(["plan", str(folder / "study.yaml"), f"data.root={tmp_path}"]) == 2
    assert "multichecklist/comparison-{language}.json" in capsys.readouterr().err
