import json
from pathlib import Path

import pytest
from backbones import save_backbone
from tokenizers_tiny import tiny

from adaptstilts.cli.main import main
from adaptstilts.data.tokenizer_findings import table
from adaptstilts.study.study import Study
from adaptstilts.study.tokenizers import check_tokenizers

STUDY = """\
name: tokenizers
backbone: mini
methods: [direct, full]
store: {folder}/store
results: {folder}/results
data: {{root: {folder}/data}}
intermediate: {{tasks: [mnli]}}
target: {{tasks: [xnli, udpos]}}
"""
NLI = {"gold_label": "neutral", "sentence1": "The river ended.", "sentence2": "Nobody knew it.", "pairID": "1"}
FILES = {
    "mnli/multinli_1.0_train.jsonl": json.dumps(NLI) + "\n",
    "mnli/multinli_1.0_dev_matched.jsonl": json.dumps(NLI) + "\n",
    "xnli/test-en.tsv": "The teacher opened the library.\tThe library was open.\tneutral\r\n",
    "xnli/test-de.tsv": "Der Lehrer öffnete die Bücherei.\tDie Bücherei war offen.\tneutral\r\n",
    "udpos/train-en.tsv": "The\tDET\nriver\tNOUN\n\n",
    "udpos/dev-en.tsv": "The\tDET\ntrain\tNOUN\n\n",
    "udpos/test-en.tsv": "The\tDET\nnight\tNOUN\n\n",
    "udpos/test-de.tsv": "Die\tDET\nNacht\tNOUN\n\n",
}
GREEK = "Ο δάσκαλος άνοιξε τη βιβλιοθήκη.\tΗ βιβλιοθήκη ήταν ανοιχτή.\tneutral\r\n"


@pytest.fixture(scope="module")
def tiny_backbone(tmp_path_factory) -> Path:
    return save_backbone(tmp_path_factory.mktemp("backbone"), tiny("xlm-roberta"), width=16, positions=514)


@pytest.fixture
def config(tmp_path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.format(folder=tmp_path), encoding="utf-8")
    return path


def test_tasks_of_a_language_are_measured_together(config):
    (check,) = check_tokenizers(Study.load(config))
    assert check.backbone == "mini"
    assert {item.language: (item.tasks, item.rows) for item in check.readings} == {
        "de": (("xnli", "udpos"), 3),
        "en": (("xnli", "udpos", "mnli"), 5),
    }


def test_every_backbone_of_a_sweep_is_measured(config, tiny_backbone):
    checks = check_tokenizers(Study.load(config, [f"sweep.backbone=[mini,{tiny_backbone}]"]))
    assert [check.backbone for check in checks] == ["mini", str(tiny_backbone)]
    assert all(len(check.readings) == 2 for check in checks)


def test_study_whose_data_is_not_there_yet_has_nothing_to_measure(config):
    (check,) = check_tokenizers(Study.load(config, ["data.root=mini"]))
    assert (check.readings, check.findings, check.problem) == ((), (), "")


def test_backbone_that_cannot_be_measured_says_why_and_what_to_do_apart(config, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    (check,) = check_tokenizers(Study.load(config, ["backbone=nobody/tiny"]))
    assert check.problem == "nobody/tiny: its tokenizer is not in the hub's cache"
    assert check.hint == "It is checked once it is there."
    assert table([check]).endswith(f"\nnot measured: {check.problem}. {check.hint}")


def test_validation_shows_the_table_and_gives_it_as_json(config, capsys):
    assert main(["validate", str(config)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Tokenizer of mini\nlanguage")
    assert said.endswith(" table cells\n")
    assert main(["validate", str(config), "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)["tokenizers"]
    assert [item["language"] for item in record["languages"]] == ["de", "en"]


def test_warnings_leave_the_exit_status_and_a_language_that_cannot_be_read_is_an_error(config, tiny_backbone, capsys):
    (config.parent / "data/xnli/test-ru.tsv").write_bytes(b"Hello river river.\t" + GREEK.split("\t", 1)[1].encode())
    assert main(["validate", str(config), f"backbone={tiny_backbone}"]) == 0
    assert "warning: in ru " in capsys.readouterr().out
    (config.parent / "data/xnli/test-el.tsv").write_bytes(GREEK.encode())
    assert main(["validate", str(config), f"backbone={tiny_backbone}"]) == 2
    said = capsys.readouterr()
    assert "\nel  " in said.out
    assert f"backbone: '{tiny_backbone}' cannot read el: in el " in said.err
    assert "Take a backbone whose vocabulary has the script" in said.err
