"""Configurations that come with the package: what each is for, what it costs, what it needs; copies to edit.

Each file says this about itself, in the comment at its top: ``# Purpose: ...``, ``# Cost: ...``, ``# Needs: ...``,
``# Expect: ...``; lines that continue one of these are indented.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adaptstilts.api.shown import preformatted
from adaptstilts.arguments import path_of, text_of
from adaptstilts.config.schema import NAME_PATTERN
from adaptstilts.config.settings import yaml_text
from adaptstilts.errors import ConfigError
from adaptstilts.formatting import system_reason
from adaptstilts.shipped import command_of, shipped_configs, shipped_names

_NAMELESS = "study"
"""Name of a study of whose file's name nothing can be used."""
_FACT = re.compile(r"^# (Purpose|Cost|Needs|Expect): (.*(?:\n#   .*)*)", re.MULTILINE)


@dataclass(frozen=True)
class ShippedConfig:
    """A configuration that comes with the package.

    Attributes:
        name: Name by which commands know it.
        command: ``run`` for a study, ``pretrain`` for the training of a backbone.
        purpose: What it shows or makes.
        cost: Time it takes, and on what.
        needs: What the user must have, such as data or a GPU.
        expect: What its results look like.
        path: Its file.
    """

    name: str
    command: str
    purpose: str
    cost: str
    needs: str
    expect: str
    path: Path

    @property
    def record(self) -> dict[str, Any]:
        """The description as plain values."""
        return {**asdict(self), "path": str(self.path)}


class ConfigList(tuple[ShippedConfig, ...]):
    """Configurations, which print with purpose, cost and needs."""

    __slots__ = ()

    @property
    def record(self) -> list[dict[str, Any]]:
        """The descriptions as plain values."""
        return [one.record for one in self]

    def __repr__(self) -> str:
        return configs_text(self)

    def _repr_html_(self) -> str:
        return preformatted(configs_text(self))


def list_configs() -> ConfigList:
    """Return the configurations that come with the package: studies by name, then those that pretrain."""
    return ConfigList(sorted(map(_read, shipped_configs()), key=lambda found: (found.command != "run", found.name)))


def get_config(name: str) -> ShippedConfig:
    """Return the configuration of a name, given with or without ``.yaml``.

    Raises:
        ConfigError: If none of that name comes with the package.
    """
    stem = text_of("name", name).removesuffix(".yaml")
    for path in shipped_configs():
        if path.stem == stem:
            return _read(path)
    raise ConfigError(f"'{name}' does not come with the package", key="name", value=stem, allowed=shipped_names())


def copy_config(name: str, to: Path | str) -> Path:
    """Write a copy of a configuration that comes with the package; a study is named after the copy.

    Args:
        name: Name of the configuration.
        to: File to write, or an existing folder, in which the copy keeps its name.

    Raises:
        ConfigError: If the name is unknown, or there is such a file already.
    """
    found = get_config(name)
    file = place_of_copy(to, found.path.name)
    text = found.path.read_text(encoding="utf-8")
    if found.command == "run":
        text = re.sub(r"^name: .*$", f"name: {yaml_text(study_name(file))}", text, count=1, flags=re.MULTILINE)
    write_new(file, text)
    return file


def study_name(file: Path) -> str:
    """Return the name of the study of a configuration: its file's, in which other characters than a name has change."""
    if re.fullmatch(NAME_PATTERN, file.stem):
        return file.stem
    plain = unicodedata.normalize("NFKD", file.stem.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_.-]+", "_", plain).strip("_.-")[:100] or _NAMELESS


def place_of_copy(to: Path | str, name: str) -> Path:
    """Return the file to which a copy is written: the given one, or, in an existing folder, one of its old name."""
    place = path_of("to", to)
    return place / name if place.is_dir() else place


def write_new(file: Path, text: str) -> None:
    """Write a text file where there is none yet.

    Raises:
        ConfigError: If there is one, its folder does not exist, or it cannot be written; nothing is left of it then.
    """
    try:
        with file.open("x", encoding="utf-8") as stream:
            try:
                stream.write(text)
                stream.flush()
            except OSError:
                file.unlink(missing_ok=True)
                raise
    except FileExistsError as error:
        raise ConfigError("exists already, and is not overwritten", path=file, hint="Give another file.") from error
    except FileNotFoundError as error:
        raise ConfigError("there is no such folder", path=file.parent, hint="Make it, or give another file.") from error
    except OSError as error:
        raise ConfigError(f"cannot be written: {system_reason(error)}", path=file, hint="Give another file.") from error


def configs_text(found: Sequence[ShippedConfig]) -> str:
    """Return the descriptions for a terminal, and below them how to use a configuration."""
    lines: list[str] = []
    for one in found:
        lines.append(one.name if one.command == "run" else f"{one.name} (for adaptstilts {one.command})")
        facts = (("", one.purpose), ("cost: ", one.cost), ("needs: ", one.needs), ("expect: ", one.expect))
        for label, text in facts:
            lines += textwrap.wrap(label + text, 100, initial_indent="  ", subsequent_indent="    ")
        lines.append("")
    return "\n".join(
        [
            *lines,
            "Run one by its name: adaptstilts run quickstart",
            "Copy one to edit it: adaptstilts configs quickstart --to my_study.yaml",
        ]
    )


def configs_table(found: Sequence[ShippedConfig]) -> str:
    """Return the descriptions as a Markdown table."""
    rows = ["| name | what it is for | cost | needs | what to expect |", "|---|---|---|---|---|"]
    rows += [
        f"| `{one.name}` | {' | '.join(text.rstrip('.') for text in (one.purpose, one.cost, one.needs, one.expect))} |"
        for one in found
    ]
    return "\n".join(rows)


def _read(path: Path) -> ShippedConfig:
    text = path.read_text(encoding="utf-8")
    top = text[: re.search(r"^[^#\n]", text, re.MULTILINE).start()]  # type: ignore[union-attr]
    facts = {label.lower(): " ".join(value.replace("\n#   ", " ").split()) for label, value in _FACT.findall(top)}
    return ShippedConfig(path.stem, command_of(path), path=path, **facts)
