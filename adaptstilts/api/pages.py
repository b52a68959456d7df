"""Pages of the documentation: names and texts, and the parts of them that are written from the code.

``python -m adaptstilts.api.pages`` (`make pages`) writes those parts again in a source tree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from adaptstilts.api.configs import configs_table, list_configs, place_of_copy, write_new
from adaptstilts.config.pretrain import PretrainSection
from adaptstilts.config.schema import StudyConfig
from adaptstilts.config.settings import sections_of, settings_of
from adaptstilts.errors import ConfigError
from adaptstilts.shipped import docs_pages

INDEX = "README"
_ENDINGS = re.compile(r"\.(md|ipynb)$")
_WRITTEN = re.compile(r"(<!-- Written by `make pages`.* -->\n)(.*?)(\n<!-- End of the written part\. -->)", re.DOTALL)
_SETTINGS = """\
# Settings

Every setting of a study and of a pretraining run, with its default. This page is written from
`adaptstilts/config/schema.py` and `adaptstilts/config/pretrain.py`, by `make pages` in a copy of the repository.

A configuration is a YAML file; only {required} have no default. On the command line
`key=value` overrides a setting, with dots between section and name: `adaptstilts run quickstart data.mini_train=200`.
A list where a single value belongs makes the study a sweep. A training setting that is `null` takes the value of its
task's recipe (`adaptstilts/config/recipes.py`). `adaptstilts init` writes a configuration that names all settings of a
study.
"""


def page_text(name: str | None = None) -> str:
    """Return a page of the documentation as Markdown; by default the index.

    Args:
        name: Name of the page, such as ``data``, or its file, such as ``docs/data.md``.

    Raises:
        ConfigError: If there is no such page.
    """
    path = _file_of(name)
    text = path.read_text(encoding="utf-8")
    return text if path.suffix == ".md" else "\n\n".join(_notebook_parts(path)) + "\n"


def copy_page(name: str | None, to: Path | str) -> Path:
    """Write a copy of a page of the documentation, such as the notebook ``quickstart``.

    Args:
        name: See `page_text`.
        to: File to write, or an existing folder, in which the copy keeps its name.

    Raises:
        ConfigError: If there is no such page, or there is such a file already.
    """
    path = _file_of(name)
    file = place_of_copy(to, path.name)
    write_new(file, path.read_text(encoding="utf-8"))
    return file


def _file_of(name: str | None) -> Path:
    """Return the file of a page.

    Raises:
        ConfigError: If there is no such page.
    """
    pages = docs_pages()
    stem = INDEX if name is None else _ENDINGS.sub("", Path(name).name)
    if stem not in pages:
        allowed = [page for page in pages if page != INDEX]
        raise ConfigError(
            f"there is no page '{name}'", value=stem, allowed=allowed, hint="The index: adaptstilts docs."
        )
    return pages[stem]


def _notebook_parts(path: Path) -> Iterator[str]:
    """Yield the texts of a notebook, its code and what that printed; figures are left out."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        yield source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```"
        for printed in map(_printed, cell.get("outputs", ())):
            if printed:
                yield f"```text\n{printed}\n```"
    yield f"(The notebook itself, with its figures: `adaptstilts docs {path.stem} --to {path.name}`.)"


def _printed(output: Mapping[str, Any]) -> str:
    """Return an output of a notebook's cell as text; nothing of a figure."""
    data = output.get("data", {"text/plain": output.get("text", "")})
    return "" if "image/png" in data else "".join(data.get("text/plain", "")).rstrip()


def settings_page() -> str:
    """Return the page of all settings as Markdown."""
    required = ", ".join(f"`{setting.name}`" for setting in settings_of(StudyConfig) if setting.default is None)
    parts = [_SETTINGS.format(required=f"{required} and `target.tasks`")]
    for title, schema in (("Study", StudyConfig), ("Pretraining", PretrainSection)):
        parts += [f"## {title}", _table(schema)]
        for section, keys in sections_of(schema).items():
            parts += [f"### {', '.join(f'`{key}`' for key in keys)}", f"{_first_line(section)}", _table(section)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def with_configs_table(text: str) -> str:
    """Return a page in which the part between the two comments is the table of the shipped configurations."""
    return _WRITTEN.sub(lambda found: f"{found[1]}{configs_table(list_configs())}{found[3]}", text)


def write_pages(root: Path) -> None:
    """Write the pages and parts of pages that come from the code, in a source tree."""
    (root / "docs" / "settings.md").write_text(settings_page(), encoding="utf-8")
    readme = root / "configs" / "README.md"
    readme.write_text(with_configs_table(readme.read_text(encoding="utf-8")), encoding="utf-8")


def _table(schema: type[BaseModel]) -> str:
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for setting in settings_of(schema):
        if setting.section is not None:
            continue
        default = "required" if setting.default is None else f"`{setting.default}`"
        allowed = f" Allowed: {setting.allowed}." if setting.allowed else ""
        meaning = re.sub(r"(?<!`)<", r"\\<", setting.meaning)  # Markdown would take it for the start of a tag
        rows.append(f"| `{setting.name}` | {default} | {meaning}{allowed} |")
    return "\n".join(rows)


def _first_line(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").strip().splitlines()[0]


if __name__ == "__main__":
    write_pages(Path(__file__).resolve().parents[2])
