"""Files that come with the package are found by name, wherever a command runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from commandline import say
from repository import CONFIGS, ROOT

from adaptstilts.cli.main import app
from adaptstilts.cli.pages import commands_of
from adaptstilts.errors import ConfigError
from adaptstilts.models.backbone import mini_folder
from adaptstilts.shipped import docs_pages, find_config, mini_backbone_folder, shipped_configs, shipped_names


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_configuration_of_the_repository_is_shipped():
    assert [path.name for path in shipped_configs()] == sorted(path.name for path in CONFIGS.glob("*.yaml"))
    assert "quickstart" in shipped_names()


def test_every_page_of_the_documentation_is_shipped():
    files = {*(ROOT / "docs").glob("*.md"), ROOT / "docs" / "quickstart.ipynb", ROOT / "configs" / "README.md"}
    assert set(docs_pages().values()) == files


@pytest.mark.parametrize("name", ["quickstart", "quickstart.yaml"])
def test_a_bare_name_is_a_shipped_configuration(name: str, elsewhere: Path):
    assert find_config(name) == CONFIGS / "quickstart.yaml"


@pytest.mark.parametrize("name", ["quickstart", "quickstart.yaml"])
def test_a_file_in_the_working_folder_comes_before_a_shipped_configuration(name: str, elsewhere: Path):
    (elsewhere / "quickstart.yaml").write_text("name: mine\n", encoding="utf-8")
    assert find_config(name).resolve() == elsewhere / "quickstart.yaml"


def test_a_file_of_exactly_the_given_name_comes_first(elsewhere: Path):
    for name in ("quickstart", "quickstart.yaml"):
        (elsewhere / name).write_text("name: mine\n", encoding="utf-8")
    assert find_config("quickstart") == Path("quickstart")


def test_a_folder_of_that_name_does_not_hide_a_shipped_configuration(elsewhere: Path):
    (elsewhere / "quickstart").mkdir()
    assert find_config("quickstart") == CONFIGS / "quickstart.yaml"
    (elsewhere / "other").mkdir()
    assert find_config("other") == Path("other")


def test_an_unknown_name_lists_the_shipped_ones(elsewhere: Path):
    with pytest.raises(ConfigError, match=r"^quickstrat: no such .*Did you mean 'quickstart'\?.*mini_all.*working fol"):
        find_config("quickstrat")
    with pytest.raises(ConfigError) as study:
        find_config("nothing")
    with pytest.raises(ConfigError) as pretraining:
        find_config("nothing", "pretrain")
    assert set(pretraining.value.allowed) == {"pretrain_mini", "pretrain_small"}
    assert set(study.value.allowed) == set(shipped_names()) - set(pretraining.value.allowed)


def test_a_path_that_is_not_there_is_never_a_shipped_configuration(elsewhere: Path):
    with pytest.raises(ConfigError, match=r"configs/quickstart\.yaml: no such .*Without a folder, 'quickstart' names"):
        find_config("configs/quickstart.yaml")


def test_commands_take_names_from_an_empty_folder(elsewhere: Path):
    said = say("plan", "quickstart", "--json")
    assert said.code == 0
    refused = say("pretrain", "quickstart")
    assert refused.code == 2
    assert "configs/quickstart.yaml: is a study, not a pretraining configuration" in refused.err
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [("status", "quickstart"), ("store", "gc", "quickstart", "mini_sweep"), ("plan", "mini_sweep.yaml", "--table")],
    ids=["status", "gc", "plan"],
)
def test_every_command_that_reads_a_study_takes_a_name(words: tuple[str, ...], elsewhere: Path):
    (elsewhere / "checkpoints").mkdir()
    said = say(*words)
    assert said.code == 0, said.err


def test_examples_in_helps_name_configurations_that_are_there():
    """A study of one's own, such as my_study.yaml, may stand in an example too."""
    named: list[str] = []
    for words in commands_of(app):
        example = " ".join(say(*words.split(), "--help").out.partition("Example: adaptstilts")[2].split())
        named += [word for word in example.split() if word in shipped_names()]
        assert "configs/" not in example
    assert {"quickstart", "pretrain_mini", "xtreme_xlmr_large"} <= set(named)


def test_the_miniature_backbone_comes_from_the_package_unless_the_working_folder_has_one(elsewhere: Path):
    assert mini_folder() == mini_backbone_folder() == ROOT / "checkpoints" / "mini"
    (elsewhere / "checkpoints" / "mini").mkdir(parents=True)
    assert mini_folder() == Path("checkpoints") / "mini"


@pytest.mark.parametrize("name", ["study.yml", "Study.yaml", "stduy", "studies.yaml"])
def test_a_file_of_nearly_the_name_is_named(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in ("study.yaml", "b.yaml"):
        (tmp_path / file).touch()
    with pytest.raises(ConfigError, match=r"no such configuration file\..* There is a file 'study\.yaml'\. Files are"):
        find_config(name)


def test_the_home_folder_is_known_by_its_sign(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "study.yaml").touch()
    assert find_config("~/study.yaml") == tmp_path / "study.yaml"
