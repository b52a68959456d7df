"""The documentation on the command line: pages by name, written parts that are current, names that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from commandline import say
from repository import ROOT

from adaptstilts.api.pages import page_text, settings_page
from adaptstilts.cli.main import app
from adaptstilts.cli.pages import PAGES, commands_of
from adaptstilts.config.schema import StudyConfig
from adaptstilts.config.settings import sections_of, settings_of
from adaptstilts.shipped import docs_pages

TEXTS = sorted(
    path
    for folder, pattern in (("adaptstilts", "**/*.py"), ("docs", "*.md"), ("configs", "*"), (".", "README.md"))
    for path in (ROOT / folder).glob(pattern)
)


def test_page_of_settings_is_current():
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == settings_page(), "run: make pages"


def test_page_of_settings_names_every_setting():
    page = settings_page()
    sections = sections_of(StudyConfig)
    settings = {setting for section in (StudyConfig, *sections) for setting in settings_of(section)}
    assert [one.name for one in settings if one.section is None and f"| `{one.name}` |" not in page] == []
    assert [key for keys in sections.values() for key in keys if f"`{key}`" not in page] == []


@pytest.mark.parametrize("name", ["data", "data.md", "docs/data.md"])
def test_page_is_printed_by_name_or_file(name: str):
    assert say("docs", name).out == (ROOT / "docs" / "data.md").read_text(encoding="utf-8")


def test_index_is_printed_without_a_name_and_names_every_page():
    index = say("docs").out
    assert index == page_text()
    assert [name for name in docs_pages() if name != "README" and f"[{name}](" not in index] == []


def test_notebook_is_printed_as_text_and_code_without_figures():
    text = say("docs", "quickstart").out
    assert text.startswith("# Quickstart in a notebook\n")
    assert '```python\nplan = study.plan("cpu")\nplan\n```\n\n```text\nmini, 4 x 128' in text
    assert "image/png" not in text
    assert "<Figure" not in text
    assert "adaptstilts docs quickstart --to quickstart.ipynb" in text


def test_list_of_configurations_is_a_page():
    assert say("docs", "configurations").out == (ROOT / "configs" / "README.md").read_text(encoding="utf-8")


def test_copy_of_a_page_equals_it_and_an_existing_file_is_kept(tmp_path: Path):
    notebook = (ROOT / "docs" / "quickstart.ipynb").read_bytes()
    said = say("docs", "quickstart", "--to", str(tmp_path))
    assert said.out == f"wrote {tmp_path / 'quickstart.ipynb'}\n"
    assert (tmp_path / "quickstart.ipynb").read_bytes() == notebook
    again = say("docs", "quickstart", "--to", str(tmp_path / "quickstart.ipynb"))
    assert again.code == 2
    assert "exists already, and is not overwritten" in again.err
    assert say("docs", "--to", str(tmp_path / "index.md")).code == 0
    assert (tmp_path / "index.md").read_text(encoding="utf-8") == page_text()


def test_unknown_page_suggests_the_nearest():
    said = say("docs", "enginse")
    assert said.code == 2
    assert "there is no page 'enginse'. Did you mean 'engines'? Allowed: adapters, arch" in said.err


def test_every_command_has_a_page_that_exists():
    assert set(commands_of(app)) == set(PAGES), "name the page of a new command in adaptstilts/cli/pages.py"
    assert set(PAGES.values()) <= set(docs_pages())


@pytest.mark.parametrize("words", [words for words in PAGES if words != "docs"])
def test_help_of_a_command_ends_with_its_page(words: str):
    assert say(*words.split(), "--help").out.rstrip().endswith(f"More: adaptstilts docs {PAGES[words]}")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_that_code_and_documentation_name_exist(path: Path):
    text = path.read_text(encoding="utf-8")
    named = re.findall(r"\badaptstilts docs ([a-z][a-z_]*)|\bdocs/([a-z][a-z_]*)\.md\b", text)
    assert [page for pair in named for page in pair if page and page not in docs_pages()] == []
