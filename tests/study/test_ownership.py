"""A results folder belongs to one configuration file, whatever name the study has; its history keeps every report."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commandline import say
from repository import ROOT
from special_files import SPECIAL, loop, pipe

import adaptstilts
from adaptstilts.errors import StoreError
from adaptstilts.study.ownership import check_results_folder, claim_results_folder, owner_of
from adaptstilts.study.study import Study

TEXT = """name: demo
methods: [direct]
target: {tasks: [tatoeba]}
evaluation: {languages: [de]}
data: {mini_train: 32, mini_evaluation: 8, mini_low_resource: 16}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "checkpoints" / "studies" / "demo"


def write(path: str, text: str = TEXT) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
    return Path(path)


def history(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()]


def claim(source: Path | str | dict[str, Any], *overrides: str) -> None:
    study = Study.load(source, overrides)
    check_results_folder(study)
    claim_results_folder(study)


def test_history_tells_which_settings_gave_which_numbers(folder: Path):
    path = write("a.yaml")
    assert say("run", path).code == 0
    assert say("run", path).code == 0
    assert say("report", path).code == 0
    (first,) = history(folder)
    assert (first["overrides"], first["config"], first["missing_stages"]) == ([], "../../../a.yaml", 0)
    assert first["settings"]["data"]["mini_evaluation"] == 8
    assert "store" not in first["settings"]
    (score,) = first["scores"]
    assert (score["method"], score["target"]) == ("direct", "tatoeba")
    manifest = next(iter(Path("checkpoints/report").glob("*/manifest.json")))
    assert json.loads(manifest.read_text(encoding="utf-8"))["key"] == first["keys"]["report"]
    assert set(first["files"]) <= {path.name for path in folder.iterdir()}
    assert say("run", path, "data.mini_evaluation=9", "workers=1").code == 0
    first_again, second = history(folder)
    assert first_again == first
    assert second["overrides"] == ["data.mini_evaluation=9"]
    assert second["settings_sha256"] != first["settings_sha256"]
    assert second["config_sha256"] == first["config_sha256"]
    assert "/" + str(folder.parent.name) not in (folder / "report.md").read_text(encoding="utf-8")


def test_digest_in_the_history_is_that_of_the_file_as_it_was_read(folder: Path):
    path = write("a.yaml")
    study = adaptstilts.load_study(path)
    read = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text(path.read_text(encoding="utf-8") + "title: edited meanwhile\n", encoding="utf-8")
    assert study.run(progress=False).failed == ()
    (entry,) = history(folder)
    assert entry["config_sha256"] == read
    assert json.loads((folder / ".study.json").read_text(encoding="utf-8"))["sha256"] == read


def test_report_replaces_the_files_of_the_former_one_and_no_others(folder: Path):
    path = write("a.yaml")
    assert say("run", path, "adapter.reduction_factor=[4,8]", "methods=[adapter]").code == 0
    former = {file.name for file in folder.glob("*.png")}
    (folder / "my_notes.txt").write_text("mine", encoding="utf-8")
    (folder / ".report.md.99").write_text("left by a kill", encoding="utf-8")
    assert say("run", path).code == 0
    left = {file.name for file in folder.iterdir()}
    assert former - left
    assert set(history(folder)[-1]["files"]) | {"my_notes.txt", "history.jsonl", ".study.json", ".study.lock"} == left


def test_history_of_another_hand_removes_nothing_outside_its_folder(folder: Path, tmp_path: Path):
    path = write("a.yaml")
    folder.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_text("mine", encoding="utf-8")
    (folder / "history.jsonl").write_text(
        json.dumps({"files": [str(victim), "../../../victim", "..", "", 5, ".study.json"]}) + '\n{"torn',
        encoding="utf-8",
    )
    assert say("run", path).code == 0
    assert victim.read_text(encoding="utf-8") == "mine"
    lines = (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines[1] == '{"torn'
    assert json.loads(lines[2])["config"] == "../../../a.yaml"


def test_another_file_of_that_name_ends_at_once_and_names_both(folder: Path, tmp_path: Path):
    assert say("run", write("a.yaml")).code == 0
    kept = {path: path.read_bytes() for path in folder.iterdir()}
    write("other/b.yaml", TEXT.replace("mini_evaluation: 8", "mini_evaluation: 10"))
    stages = sorted(Path("checkpoints").glob("*/*/manifest.json"))
    for command in ("run", "report", "validate"):
        said = say(command, "other/b.yaml")
        assert said.code == 2
        assert said.err.strip() == (
            f"checkpoints/studies/demo: holds the results of {tmp_path / 'a.yaml'}, not of "
            f"{tmp_path / 'other' / 'b.yaml'}. Give the study another name (name=NAME), or its results another place "
            "(results=FOLDER). If it is the same study, whose configuration was moved and changed, remove "
            "checkpoints/studies/demo/.study.json."
        )
    assert {path: path.read_bytes() for path in folder.iterdir()} == kept
    assert sorted(Path("checkpoints").glob("*/*/manifest.json")) == stages
    assert say("validate", "other/b.yaml", "name=b").code == 0
    assert say("validate", "other/b.yaml", "results=elsewhere").code == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.yaml", {"name": "demo", "methods": ["direct"], "target": {"tasks": ["xnli"]}}),
        ({"name": "demo", "methods": ["direct"], "target": {"tasks": ["xnli"]}}, "a.yaml"),
        ("quickstart", "a.yaml"),
        ("a.yaml", "quickstart"),
    ],
    ids=["file, dict", "dict, file", "package, file", "file, package"],
)
def test_files_settings_from_python_and_the_package_are_told_apart(first: Any, second: Any):
    write("a.yaml")
    claim(first, "name=demo")
    with pytest.raises(StoreError, match=r"holds the results of .*, not of .*"):
        claim(second, "name=demo")


@pytest.mark.parametrize("spelling", ["a.yaml", "./a.yaml", "a", "sub/../a.yaml", "link.yaml", "ABSOLUTE"])
def test_one_file_by_any_way_is_one_study(tmp_path: Path, spelling: str):
    write("a.yaml")
    (tmp_path / "sub").mkdir()
    Path("link.yaml").symlink_to("a.yaml")
    claim("a.yaml")
    claim(str(tmp_path / "a.yaml") if spelling == "ABSOLUTE" else spelling, "seeds=[3]")


def test_settings_from_python_may_change():
    claim({"name": "demo", "target": {"tasks": ["xnli"]}, "methods": ["direct"]})
    claim({"name": "demo", "target": {"tasks": ["udpos"]}, "methods": ["direct"]})


def test_configuration_of_the_package_is_known_by_name_and_by_path():
    claim("quickstart", "name=demo")
    claim(ROOT / "configs" / "quickstart.yaml", "name=demo")
    assert owner_of(Study.load("quickstart")).config == "adaptstilts:quickstart"


def test_project_may_be_moved_or_copied_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write("project/a.yaml")
    monkeypatch.chdir(tmp_path / "project")
    claim("a.yaml")
    shutil.copytree(tmp_path / "project", tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    claim("a.yaml")
    shutil.move(tmp_path / "project", tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved")
    claim("a.yaml", "seeds=[2]")


def test_configuration_may_be_renamed_and_then_changed():
    claim(write("a.yaml"))
    Path("a.yaml").rename("b.yaml")
    claim("b.yaml")
    write("b.yaml", TEXT + "seeds: [2]\n")
    claim("b.yaml")
    Path("b.yaml").rename("c.yaml")
    write("c.yaml", TEXT + "seeds: [3]\n")
    with pytest.raises(StoreError, match=r"If it is the same study, .* remove .*\.study\.json"):
        claim("c.yaml")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"config": 5, "sha256": null}', "[" * 100_000])
def test_record_of_the_owner_that_cannot_be_read_is_written_anew(folder: Path, content: str):
    folder.mkdir(parents=True)
    (folder / ".study.json").write_text(content, encoding="utf-8")
    claim(write("a.yaml"))
    assert json.loads((folder / ".study.json").read_text(encoding="utf-8"))["config"] == "../../../a.yaml"


@pytest.mark.parametrize(
    "line", ["", "{", "[1]", '{"files": 1}', '{"files": ["../x"], "files": ["report.md"]}', "\xff"]
)
def test_history_of_any_content_is_kept_and_added_to(folder: Path, line: str):
    path = write("a.yaml")
    folder.mkdir(parents=True)
    (folder / "history.jsonl").write_bytes(line.encode("latin-1"))
    assert say("run", path).code == 0
    former, *more = (folder / "history.jsonl").read_bytes().split(b"\n")
    assert former == line.encode("latin-1") or not line
    assert more


# ---- A place that cannot be written


def a_file(place: Path) -> None:
    place.write_text("mine", encoding="utf-8")


def a_link(place: Path) -> None:
    place.symlink_to("nowhere/at/all")


@pytest.mark.parametrize("make", [a_file, pipe, a_link, loop])
@pytest.mark.parametrize("command", ["run", "report", "validate"])
def test_results_that_cannot_be_written_end_before_any_work(tmp_path: Path, make: Any, command: str):
    make(tmp_path / "results")
    said = say(command, write("a.yaml"), "results=results")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "results" in said.err
    assert said.err.strip().endswith("Set results=FOLDER.")
    assert not Path("checkpoints").exists()


@pytest.mark.parametrize(
    "name", [".study.json", "history.jsonl", ".study.lock", "report.md", "results.csv", "heatmap.png"]
)
@pytest.mark.parametrize(("make", "kind"), SPECIAL)
@pytest.mark.parametrize("command", ["run", "report", "validate"])
def test_record_that_is_no_file_ends_before_any_work(folder: Path, name: str, make: Any, kind: str, command: str):
    folder.mkdir(parents=True)
    make(folder / name)
    said = say(command, write("a.yaml"))
    place = f"checkpoints/studies/demo/{name}"
    assert (said.code, said.err) == (2, f"{place}: is {kind}, not a file. Remove it, or set another results=FOLDER.\n")
    assert not list(Path("checkpoints").glob("*/*/manifest.json"))


@pytest.mark.parametrize(
    ("results", "name", "own"),
    [
        ("checkpoints", "train", "train"),
        ("checkpoints/predict", "demo", "predict"),
        ("checkpoints/logs", "demo", "logs"),
        ("checkpoints/studies/../.resume", "demo", ".resume"),
    ],
)
@pytest.mark.parametrize("command", ["run", "report", "validate"])
def test_results_folder_among_the_artefacts_is_refused_before_any_work(results: str, name: str, own: str, command: str):
    said = say(command, write("a.yaml"), f"results={results}", f"name={name}")
    problem = (
        f"is in {Path.cwd() / 'checkpoints' / own}, a folder of the store. Set another results=FOLDER, or name=NAME."
    )
    assert (said.code, said.err) == (2, f"{results}/{name}: {problem}\n")
    assert not Path("checkpoints").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_folder_in_which_nothing_can_be_made_ends_before_any_work():
    said = say("run", write("a.yaml"), "results=/proc/self/results")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "cannot be written" in said.err
    assert not Path("checkpoints/predict").exists()


@pytest.mark.parametrize("name", ["a" * 101, "a/b", "..", "", "é", "a\tb"])
def test_name_that_no_folder_can_have_ends_at_once(name: str):
    said = say("run", write("a.yaml"), f"name={json.dumps(name)}")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "letters, digits, _, . and -" in said.err
    assert not Path("checkpoints").exists()


def test_results_whose_path_is_too_long_end_at_once():
    said = say("run", write("a.yaml"), f"results={'a' * 300}")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "a name of 300 bytes is too long for a file or folder" in said.err


# ---- Two at once


def test_two_at_once_leave_the_files_of_one_report(folder: Path):
    path = write("a.yaml")
    words = [sys.executable, "-m", "adaptstilts", "run", str(path)]
    options = [[], ["data.mini_evaluation=9"]]
    running = [subprocess.Popen([*words, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for more in options]
    for process in running:
        process.communicate(timeout=300)
    assert [process.returncode for process in running] == [0, 0]
    lines = history(folder)
    assert len(lines) == 2
    last = next(
        json.loads(manifest.read_text(encoding="utf-8"))
        for manifest in Path("checkpoints").glob("analyse/*/manifest.json")
        if json.loads(manifest.read_text(encoding="utf-8"))["key"] == lines[-1]["keys"]["analyse"]
    )
    stored = Path("checkpoints") / "analyse"
    place = next(stored.glob(f"*{last['key'][:8]}*"))
    assert (folder / "results.csv").read_bytes() == (place / "results.csv").read_bytes()


def test_result_in_python_says_where_it_went(folder: Path):
    result = adaptstilts.load_study(write("a.yaml")).run(progress=False)
    assert result.files.folder.resolve() == folder


@pytest.mark.parametrize("command", ["validate", "run"])
@pytest.mark.parametrize(
    ("store", "message"),
    [
        ("locked", "locked: cannot be written: Permission denied. Set store=FOLDER."),
        ("locked/in/it", "locked: cannot be written: Permission denied. Set store=FOLDER."),
        ("a.yaml/in/it", "a.yaml: is a file, not a folder. Set store=FOLDER."),
        ("a.yaml", "store: 'a.yaml' is a file. Set store=FOLDER."),
    ],
)
def test_a_store_that_cannot_be_written_is_named_before_any_work(
    command: str, store: str, message: str, monkeypatch: pytest.MonkeyPatch
):
    path = write("a.yaml")
    Path("locked").mkdir()
    may = os.access
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place).name != "locked" and may(place, mode))
    said = say(command, path, f"store={store}")
    assert (said.code, said.err) == (2, f"{message}\n")
    assert list(Path("locked").iterdir()) == []


def test_a_finished_store_may_be_read_only(monkeypatch: pytest.MonkeyPatch):
    path = write("a.yaml")
    assert say("run", path).code == 0
    may = os.access
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place).name != "checkpoints" and may(place, mode))
    assert say("validate", path).code == 0
