"""Files that come with the package: configurations, the miniature backbone, the documentation.

In the source tree they are the top-level folders ``configs``, ``checkpoints/mini`` and ``docs``; a wheel holds copies
of them in this folder (`setup.py`).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

from adaptstilts.errors import ConfigError
from adaptstilts.files import expanded, what_instead
from adaptstilts.formatting import system_reason
from adaptstilts.suggestions import near_matches

_HERE = Path(__file__).resolve().parent
_INSTALLED = _HERE / "configs"
_ROOT = _HERE if _INSTALLED.is_dir() else _HERE.parents[1]
"""Folder with the three folders: this one in an installed package, the repository in a source tree."""
_ENDING = ".yaml"

Command = Literal["run", "pretrain"]
"""Command that uses a configuration: ``run`` for a study, ``pretrain`` for the training of a backbone."""
_NOUNS: dict[Command, str] = {"run": "study", "pretrain": "pretraining configuration"}


def shipped_configs() -> tuple[Path, ...]:
    """Return the files of the configurations that come with the package, sorted by name."""
    return tuple(sorted((_ROOT / "configs").glob(f"*{_ENDING}")))


def shipped_names(command: Command | None = None) -> tuple[str, ...]:
    """Return the names by which a command, or any, knows those configurations, such as ``quickstart``."""
    return tuple(path.stem for path in shipped_configs() if command in {None, command_of(path)})


def command_of(path: Path) -> Command:
    """Return the command that uses a configuration which comes with the package."""
    return "pretrain" if re.search(r"^output:", path.read_text(encoding="utf-8"), re.MULTILINE) else "run"


def mini_backbone_folder() -> Path:
    """Return the folder of the miniature backbone that comes with the package."""
    return _ROOT / "checkpoints" / "mini"


def docs_pages() -> dict[str, Path]:
    """Return the pages of the documentation by name, such as ``data``; ``README`` is the index.

    The notebooks are pages too, and so is the list of the configurations.
    """
    found = [path for ending in ("*.md", "*.ipynb") for path in (_ROOT / "docs").glob(ending)]
    return {**{path.stem: path for path in sorted(found)}, "configurations": _ROOT / "configs" / "README.md"}


def find_config(name: Path | str, command: Command = "run") -> Path:
    """Find the file of a configuration that is given by path or by name.

    Args:
        name: A path, which is taken if there is such a file; else a name such as ``quickstart``, with or without
            ``.yaml``: first that of a file in the working folder, then that of a configuration that comes with the
            package.
        command: Command that uses it; errors offer the names that this command knows.

    Returns:
        The file; or what stands there instead, such as a folder, which readers of configurations refuse.

    Raises:
        ConfigError: If there is none, or the value is neither text nor a path.
    """
    given: object = name
    if not isinstance(given, str | os.PathLike) or given == "":
        found = "an empty text" if given == "" else f"a value of type {type(given).__name__}"
        allowed = ("a YAML file", "a name that `adaptstilts configs` lists", "a dict")
        raise ConfigError(
            f"a {_NOUNS[command]} cannot be read from {found}",
            key="source",
            allowed=allowed,
        )
    path = expanded(name)
    try:
        if path.is_file():
            return path
    except OSError as error:
        raise ConfigError(f"cannot be read: {system_reason(error)}", path=path, hint="Give a YAML file.") from error
    is_bare, stem = path.name == str(path), path.name.removesuffix(_ENDING)
    shipped = {file.stem: file for file in shipped_configs()}
    if is_bare:
        for file in (Path(f"{stem}{_ENDING}"), shipped.get(stem)):
            if file is not None and file.is_file():
                return file
    if what_instead(path) is not None:
        return path
    if not is_bare and stem in shipped:
        hint = f"Without a folder, '{stem}' names the configuration that comes with the package."
    else:
        hint = "Files are looked for in the working folder; adaptstilts configs describes the names listed here."
        files = {file.stem: file for file in sorted(path.parent.glob("*.y*ml"))}
        near = near_matches(path.stem, files)
        hint = f"There is a file '{files[near[0]]}'. {hint}" if near else hint
    raise ConfigError("no such configuration file", path=path, value=stem, allowed=shipped_names(command), hint=hint)
