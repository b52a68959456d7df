"""Configurations that come with the package: each says what it is for, and can be copied."""

from __future__ import annotations

import re
import resource
import signal
from pathlib import Path

import pytest
from commandline import say
from forked import forked
from repository import CONFIGS

from adaptstilts.api.configs import copy_config, get_config, list_configs
from adaptstilts.api.pages import with_configs_table
from adaptstilts.config.load import load_study
from adaptstilts.errors import ConfigError

NAMES = sorted(path.stem for path in CONFIGS.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_configuration_says_its_purpose_cost_needs_and_what_to_expect(name: str):
    found = get_config(name)
    for text in (found.purpose, found.cost, found.needs, found.expect):
        assert text.endswith(".")
        assert "#" not in text
    assert found.command == ("pretrain" if name.startswith("pretrain_") else "run")


def test_facts_that_take_several_lines_are_read_whole():
    assert get_config("quickstart").purpose.endswith(
        "in eight languages of the mini world: the whole method in minutes."
    )


def test_list_holds_every_configuration_with_studies_first():
    assert sorted(found.name for found in list_configs()) == NAMES
    commands = [found.command for found in list_configs()]
    assert commands == sorted(commands, reverse=True)


def test_table_in_the_readme_of_configurations_is_current():
    text = (CONFIGS / "README.md").read_text(encoding="utf-8")
    assert with_configs_table(text) == text, "run: make pages"
    assert all(f"\n| `{name}` |" in text for name in NAMES)


def test_command_lists_all_and_how_to_use_them():
    said = say("configs")
    assert said.code == 0
    assert said.out == f"{list_configs()}\n"
    assert all(re.search(rf"^{name}\b", said.out, re.MULTILINE) for name in NAMES)
    assert "  cost: 2 minutes on two slow cores.\n  needs: nothing.\n" in said.out
    assert said.out.endswith("adaptstilts configs quickstart --to my_study.yaml\n")
    records = say("configs", "--json").json
    assert sorted(record["name"] for record in records) == NAMES
    assert set(records[0]) == {"name", "command", "purpose", "cost", "needs", "expect", "path"}


def test_command_prints_a_configuration_as_it_is():
    text = (CONFIGS / "mini_sweep.yaml").read_text(encoding="utf-8")
    assert say("configs", "mini_sweep").out == text
    assert say("configs", "mini_sweep.yaml", "--json").json["name"] == "mini_sweep"


def test_copy_is_the_configuration_under_a_name_of_its_own(tmp_path: Path):
    said = say("configs", "quickstart", "--to", tmp_path / "mine.yaml")
    assert said.code == 0
    assert f"adaptstilts plan {tmp_path / 'mine.yaml'}" in said.out
    copied, original = load_study(tmp_path / "mine.yaml")[0], load_study(CONFIGS / "quickstart.yaml")[0]
    assert copied.name == "mine"
    assert copied == original.model_copy(update={"name": "mine"})


def test_copy_into_a_folder_keeps_the_name(tmp_path: Path):
    assert copy_config("slices", str(tmp_path)) == tmp_path / "slices.yaml"
    assert (tmp_path / "slices.yaml").read_bytes() == (CONFIGS / "slices.yaml").read_bytes()


def test_copy_overwrites_nothing(tmp_path: Path):
    (tmp_path / "mine.yaml").write_text("name: precious\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.yaml: exists already, and is not overwritten"):
        copy_config("quickstart", tmp_path / "mine.yaml")
    assert (tmp_path / "mine.yaml").read_text(encoding="utf-8") == "name: precious\n"


def test_copy_into_a_missing_folder_names_it(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"none: there is no such folder"):
        copy_config("quickstart", tmp_path / "none" / "mine.yaml")


WRITERS = [("configs", "quickstart"), ("docs", "data"), ("init",)]


@pytest.mark.parametrize("command", WRITERS, ids=" ".join)
@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("a_file/x.yaml", "cannot be written: Not a directory. Give another file."),
        (f"{'x' * 300}.yaml", "a name of 305 bytes is too long for a file or folder. Allowed: at most 255."),
    ],
)
def test_file_that_cannot_be_written_is_one_line(tmp_path: Path, command: tuple[str, ...], place: str, problem: str):
    (tmp_path / "a_file").write_text("mine", encoding="utf-8")
    said = say(*command, "--to", tmp_path / place)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert said.err.startswith(str(tmp_path / place)[:200])
    assert said.err.endswith(f": {problem}\n")


@pytest.mark.parametrize("command", WRITERS, ids=" ".join)
def test_file_that_is_cut_off_by_a_full_disk_does_not_stay(tmp_path: Path, command: tuple[str, ...]):
    def write() -> str:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
        return say(*command, "--to", tmp_path / "x.yaml").err

    said = forked(write).answer
    assert said == f"{tmp_path / 'x.yaml'}: cannot be written: File too large. Give another file.\n"
    assert not (tmp_path / "x.yaml").exists()


def test_place_from_python_is_a_path_and_its_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert copy_config("quickstart", "~/x.yaml") == tmp_path / "x.yaml"
    with pytest.raises(ConfigError, match=r"^to: 'a\\x00b' is not a path\. Give a text or a pathlib\.Path\.$"):
        copy_config("quickstart", "a\0b")


@pytest.mark.parametrize("name", ["a\n.yaml", "a b.yaml", "\u4e2d.yaml", "-.yaml", f"{'x' * 120}.yaml"], ids=ascii)
def test_study_is_named_after_any_file(tmp_path: Path, name: str):
    assert load_study(copy_config("quickstart", tmp_path / name))[0].name


def test_unknown_name_suggests_the_nearest():
    said = say("configs", "mini_sweeps")
    assert said.code == 2
    assert "'mini_sweeps' does not come with the package. Did you mean 'mini_sweep'?" in said.err


def test_copy_without_a_name_says_what_is_missing(tmp_path: Path):
    said = say("configs", "--to", tmp_path / "x.yaml")
    assert said.code == 2
    assert "configs NAME --to FILE" in said.err


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("mine-2.0", "mine-2.0"),
        ("Meine Studie", "meine_studie"),
        ("Größe & Übung", "grosse_ubung"),
        ("_x", "x"),
        ("研究", "study"),
        ("2026", "2026"),
        ("null", "null"),
        ("1e3", "1e3"),
    ],
)
def test_copy_is_named_after_its_file_as_far_as_a_name_may(tmp_path, stem: str, name: str):
    assert load_study(copy_config("quickstart", tmp_path / f"{stem}.yaml"))[0].name == name


def test_next_command_is_written_for_the_shell(tmp_path):
    file = tmp_path / "my study.yaml"
    assert say("configs", "quickstart", "--to", file).out.endswith(f"next: adaptstilts plan '{file}'\n")
