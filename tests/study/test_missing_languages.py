"""Languages that a target has no file for: an error before any work, or left out and said wherever the mean stands."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from commandline import say

from adaptstilts.errors import AdaptstiltsError
from adaptstilts.mini.write import write_mini
from adaptstilts.study.study import Study

TEXT = """name: demo
methods: [direct]
data: {root: data}
target: {tasks: [tatoeba, xnli]}
"""
HAS = "en, de, es, ru, tr, sw, hi, zh"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_mini(tmp_path / "data", seed=1, train=12, evaluation=3, low_resource=6)
    (tmp_path / "a.yaml").write_text(TEXT, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
@pytest.mark.parametrize("languages", ["official", "[de, fr, ko]"])
def test_missing_languages_are_named_with_their_tasks_before_any_work(command: str, languages: str):
    missing = ["evaluation.missing=error"] if languages == "official" else []  # a list is taken at its word
    said = say(command, "a.yaml", f"evaluation.languages={languages}", *missing)
    assert said.code == 2
    lines = said.err.strip().splitlines()
    assert len(lines) == 2
    for line, task in zip(lines, ["tatoeba", "xnli"], strict=True):
        assert f"no labelled file of {task} in " in line
        assert "evaluation.missing=leave_out" in line
        assert "evaluation.languages=present" in line
    assert "fr" in lines[1].partition("xnli in ")[2].partition(".")[0].split(", ")
    assert not Path("checkpoints").exists()


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
@pytest.mark.parametrize("languages", ["official", "present", "[en, de]"])
@pytest.mark.parametrize("files", [("test-de.tsv",), ("dev-de.tsv", "test-de.tsv")], ids=["test", "dev and test"])
def test_a_compressed_file_neither_leaves_a_language_out_nor_changes_the_scored_split(
    command: str, languages: str, files: tuple[str, ...]
):
    place = Path("data/xnli")
    for name in files:
        (place / name).rename(place / f"{name}.gz")
    said = say(command, "a.yaml", f"evaluation.languages={languages}", "target.tasks=[xnli]")
    assert said.code == 2
    for name, line in zip(reversed(files), said.err.strip().splitlines(), strict=True):
        assert line.endswith(f"{name}.gz: is compressed, and is not read. Unpack it to '{name}' beside it.")
    assert not Path("checkpoints").exists()


@pytest.mark.parametrize("absent", ["removed", "without labels"])
def test_languages_that_are_scored_on_another_split_than_the_test_set_are_named(absent: str):
    path = Path("data/xnli/test-de.tsv")
    rows = path.read_text(encoding="utf-8").splitlines()
    path.unlink()
    if absent == "without labels":
        path.write_text("".join(row.rpartition("\t")[0] + "\n" for row in rows), encoding="utf-8")
    words = ["a.yaml", "evaluation.languages=[en, de]", "target.tasks=[xnli]"]
    line = "xnli: no labelled test file in de, scored on the dev split\n"
    assert line in say("validate", *words).err
    said = say("run", *words, "target.full.max_steps=1")
    assert said.code == 0, said.err
    assert line in said.err
    assert "scored on the dev split: de" in said.out


def _use_treebanks() -> None:
    """Put two German treebanks, and an English one, in place of the files of UDPOS."""
    shutil.rmtree("data/udpos")
    for bank, language in (("German-GSD", "de"), ("German-HDT", "de"), ("English-EWT", "en")):
        for split in ("train", "dev", "test"):
            name = f"{language}_{bank.partition('-')[2].lower()}-ud-{split}.conllu"
            place = Path("data/ud") / f"UD_{bank}" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            words = [bank, split]
            lines = [f"{number}\t{word}\t_\tX\t_\t_\t{number - 1}\tdep\t_\t_" for number, word in enumerate(words, 1)]
            place.write_text("\n".join(lines) + "\n\n", encoding="utf-8")


PARTS = {
    "training dev": ("xnli", "mnli/multinli_1.0_dev_matched.jsonl"),
    "gold pairs": ("bucc2018", "bucc2018/de-en.test.gold"),
    "gold pairs of dev": ("bucc2018", "bucc2018/de-en.dev.gold"),
    "dev, on which a threshold is fitted": ("bucc2018", "bucc2018/de-en.dev.de"),
    "one of two treebanks": ("udpos", "ud/UD_German-GSD/de_gsd-ud-test.conllu"),
}


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
@pytest.mark.parametrize("packed", [True, False], ids=["compressed", "upper case"])
@pytest.mark.parametrize("part", PARTS)
def test_a_part_under_nearly_its_name_does_not_change_what_is_read(command: str, packed: bool, part: str):
    task, name = PARTS[part]
    _use_treebanks()
    place = Path("data") / name
    place.rename(place.with_name(f"{place.name}.gz" if packed else place.name.upper()))
    said = say(command, "a.yaml", "evaluation.languages=[de]", f"target.tasks=[{task}]")
    assert said.code == 2
    if packed:
        assert f"{place.name}.gz: is compressed, and is not read. Unpack it to '{place.name}' beside it." in said.err
    else:
        assert f"{place.name.upper()}: is not read: the file is looked for as '" in said.err
    assert not Path("checkpoints").exists()


def test_languages_that_the_benchmark_has_not_of_a_task_are_not_missing():
    study = Study.load(Path("a.yaml"), ["evaluation.languages=[de, ko]", "target.tasks=[xnli]"])
    assert study.missing_files() == ()  # XNLI has no Korean


@pytest.mark.parametrize("languages", ["present", "[de, tr]"])
def test_nothing_is_missing_where_what_is_there_was_asked_for(languages: str):
    assert Study.load(Path("a.yaml"), [f"evaluation.languages={languages}"]).missing_files() == ()


def test_languages_left_out_stand_beside_every_mean():
    words = ["a.yaml", "evaluation.languages=[de, tr, fr]", "target.tasks=[tatoeba]", "evaluation.missing=leave_out"]
    said = say("run", *words)
    assert said.code == 0, said.err
    assert said.err.count("tatoeba: partial mean: no file in fr, left out") == 1
    assert "partial mean: no file in fr" in said.out
    folder = Path("checkpoints/studies/demo")
    page = (folder / "report.md").read_text(encoding="utf-8")
    assert page.count("³ partial mean: no file in fr") == 2  # below each table with the mean
    assert "(100.0)" in page
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        assert all("partial mean: no file in fr" in row["note"] for row in csv.DictReader(file))
    with (folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        tasks = [row for row in csv.DictReader(file) if row["level"] == "task"]
    assert tasks
    assert all("partial mean: no file in fr" in row["notes"] and row["is_partial"] == "true" for row in tasks)
    assert "left out" in say("validate", *words).err
    history = (folder / "history.jsonl").read_text(encoding="utf-8")
    assert json.loads(history)["settings"]["evaluation"]["missing"] == "leave_out"


def test_the_same_scores_without_and_with_the_mark_are_two_reports():
    words = ["target.tasks=[tatoeba]", "evaluation.missing=leave_out"]
    whole = Study.load(Path("a.yaml"), [*words, "evaluation.languages=[de, tr]"])
    partial = Study.load(Path("a.yaml"), [*words, "evaluation.languages=[de, tr, fr]"])
    assert {stage.key for stage in whole.plan.stages[:-2]} == {stage.key for stage in partial.plan.stages[:-2]}
    assert whole.plan.stages[-1].key != partial.plan.stages[-1].key


def test_official_languages_that_are_missing_are_left_out_unless_they_are_to_be_an_error():
    assert Study.load(Path("a.yaml")).missing_files()[1].startswith("xnli: partial mean: no file in ar, bg, ")


@pytest.mark.parametrize("missing", ["error", "leave_out"])
def test_mini_world_has_one_rule_with_files(missing: str):
    words = ["data.root=mini", "evaluation.languages=[de, fr]", f"evaluation.missing={missing}", "target.tasks=[xnli]"]
    study = Study.load(Path("a.yaml"), words)
    if missing == "error":
        with pytest.raises(AdaptstiltsError, match="the mini world has no 'fr'"):
            study.check()
    else:
        assert study.missing_files() == ("xnli: partial mean: no file in fr, left out",)


def test_task_that_has_none_of_the_languages_is_an_error_in_both():
    with pytest.raises(AdaptstiltsError, match="xnli can be scored in none of the chosen languages"):
        Study.load(
            Path("a.yaml"), ["evaluation.languages=[fr]", "evaluation.missing=leave_out", "target.tasks=[xnli]"]
        ).check()
