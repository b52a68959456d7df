"""Manifest of the data sets: sources, licences, citations and expected rows, read from ``sources.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

from adaptstilts.config.load import load
from adaptstilts.errors import ConfigError
from adaptstilts.files import is_below
from adaptstilts.languages import all_languages, get_language
from adaptstilts.tasks.registry import all_tasks
from adaptstilts.tasks.spec import Kind, Split, Task

COLUMNS = {
    Kind.CLASSIFY: ("id", "first", "second", "label"),
    Kind.CHOOSE: ("id", "prompt", "choices", "label"),
    Kind.TAG: ("id", "words", "tags"),
    Kind.EXTRACT: ("id", "question", "context", "answers"),
    Kind.RETRIEVE: ("id", "text"),
}
"""Columns of the tables that fetching writes, by kind of task; see `adaptstilts.data.arrow`.

Data of other kinds stay in the publisher's files.
"""

_ALL = "all"
Count = Annotated[int, Field(ge=0, strict=True)]
"""Number of rows; true is none."""
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_PLACEHOLDERS = frozenset({"language", "language3", "name", "split", "part"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_OWN_NAMES = ("fetch.lock", "unpacked-")
"""Begins of names that fetching itself gives in the folder of downloads."""
_NAME_HINT = "Names are letters, digits, _, . and -, of which the first is a letter or a digit."
_REPOSITORY = re.compile(r"(?:\w[\w.-]*/)?\w[\w.-]*", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Source(BaseModel):
    """Something to download; the fields are explained at the top of ``sources.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: tuple[str, ...] = ()
    hub: str | None = None
    files: tuple[str, ...] = ()
    revision: str | None = None
    sha256: str | dict[str, str] | None = None
    note: str = ""

    @field_validator("url", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:  # noqa: ANN401 - what YAML holds
        return (value,) if isinstance(value, str) else value

    def checksum(self, name: str) -> str | None:
        """Return the published SHA-256 of a file by its name, in hexadecimal, or None."""
        return self.sha256.get(name) if isinstance(self.sha256, dict) else self.sha256


class PartDescription(BaseModel):
    """What a source provides for a task, with placeholders; the fields are explained at the top of ``sources.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    languages: dict[Split, str]
    part: dict[Split, str] = Field(default_factory=dict)
    place: dict[str, str]


class Description(BaseModel):
    """What a task is made of; the fields are explained at the top of ``sources.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: tuple[PartDescription, ...] = ()
    rows: dict[Split, Count | dict[str, Count]] = Field(default_factory=dict)
    by_hand: str = ""
    licence: str = ""
    citation: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What one source provides for one language and split.

    Attributes:
        name: Name of the source.
        urls: Addresses of its files for this language and split; empty for a hub repository.
        patterns: Names of its files in the hub repository, with ``*``; empty for addresses.
        place: Pairs of a file in the source, with ``*``, and its target below the folder that is read; a target that
            ends in ``/`` is a folder, below which the file keeps its path.
    """

    name: str
    source: Source
    urls: tuple[str, ...]
    patterns: tuple[str, ...]
    place: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Entry:
    """One task, split and language of the manifest.

    Attributes:
        parts: Where it comes from; several where a data set is pooled.
        rows: Published number of examples (of gold pairs for retrieval); None where no checked figure is known.
        columns: Columns of the table that fetching writes.
        licence: As the publisher states it.
    """

    task: str
    split: Split
    language: str
    parts: tuple[Part, ...]
    rows: int | None
    columns: tuple[str, ...]
    licence: str
    citation: str


class Manifest(BaseModel):
    """All sources and tasks, by name: the file that comes with the package, or one of the same form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: dict[str, Source]
    tasks: dict[str, Description]
    _path: Path | None = None  # of one's own list

    def by_hand(self, task: str) -> str:
        """Return why a task cannot be downloaded and what to do instead; empty for one that can."""
        return self._description(task).by_hand

    def expected_rows(self, task: str, split: Split, language: str) -> int | None:
        """Return the published number of examples; see the function of the same name."""
        description = self.tasks.get(task)
        rows = None if description is None else description.rows.get(split)
        if not isinstance(rows, dict):
            return rows
        return next((number for codes, number in rows.items() if language in codes.split()), None)

    def entries(self, task: str) -> tuple[Entry, ...]:
        """Return one entry per split and language of a task; none for a task that must be put in place by hand.

        Entries are in the order of the splits, then of the manifest.

        Raises:
            ConfigError: If the manifest does not have the task.
        """
        description = self._description(task)
        declared = next((known for known in all_tasks() if known.name == task), None)
        found: dict[tuple[Split, str], list[Part]] = {}
        for part in description.parts:
            for split, codes in part.languages.items():
                for language in _languages(codes, declared):
                    found.setdefault((split, language), []).append(self._part(part, split, language))
        order = list(Split)
        return tuple(
            Entry(
                task=task,
                split=split,
                language=language,
                parts=tuple(parts),
                rows=self.expected_rows(task, split, language),
                columns=description.columns or (COLUMNS.get(declared.kind, ()) if declared else ()),
                licence=description.licence or (declared.licence if declared else ""),
                citation=description.citation or (declared.citation if declared else ""),
            )
            for (split, language), parts in sorted(found.items(), key=lambda item: order.index(item[0][0]))
        )

    def check(self, path: Path) -> None:
        """Check everything that is joined to a path or asked of a server; `path` names the manifest in the error.

        Raises:
            ConfigError: If a source's name, a checksum, a placeholder or a place cannot be used.
        """
        for name, source in self.sources.items():
            where = f"sources.{name}"
            if not _NAME.fullmatch(name) or name.startswith(_OWN_NAMES):
                raise _fault(path, where, f"'{name}' cannot name a folder of downloads", _NAME_HINT)
            if (source.hub is None) is (not source.url):
                raise _fault(path, where, "names both an address and a hub repository, or neither", "Give one.")
            if source.hub is not None and not _REPOSITORY.fullmatch(source.hub):
                raise _fault(path, f"{where}.hub", f"'{source.hub}' is not OWNER/NAME of a repository", "")
            if source.revision is not None and not is_below(source.revision):
                raise _fault(path, f"{where}.revision", f"'{source.revision}' is not a commit", "")
            sums = source.sha256 if isinstance(source.sha256, dict) else {"": source.sha256 or "0" * 64}
            for file, found in sums.items():
                if not _SHA256.fullmatch(found):
                    key = f"{where}.sha256.{file}".removesuffix(".")
                    raise _fault(path, key, f"'{found}' is not a SHA-256 of 64 hexadecimal digits", "")
        for name in self.tasks:
            for key, problem in self._unusable(name):
                raise _fault(path, f"tasks.{name}.{key}", problem, "More: adaptstilts docs fetching.")

    def _unusable(self, task: str) -> Iterator[tuple[str, str]]:
        """Yield key and problem of what is wrong with the addresses and places of a task."""
        for number, part in enumerate(self.tasks[task].parts):
            source, where = self.sources[part.source], f"parts.{number}"
            texts = (*source.url, *source.files, *part.place, *part.place.values())
            for text in texts:
                unknown = set(_PLACEHOLDER.findall(text)) - _PLACEHOLDERS
                if unknown or "{" in _PLACEHOLDER.sub("", text):
                    known = ", ".join(f"{{{name}}}" for name in sorted(_PLACEHOLDERS))
                    yield where, f"'{text}' has braces that are none of {known}"
            for url in source.url:
                if problem := _problem_of_address(url):
                    yield where, f"'{url}' {problem}"
            for code in " ".join(part.languages.values()).split():
                if code.removeprefix("-") not in {_ALL, *(known.code for known in all_languages())}:
                    yield f"{where}.languages", f"'{code}' is not a known language code"
            for target in (*part.place.values(), *part.part.values()):
                if not is_below(target):
                    yield where, f"'{target}' is not a path below the data root"

    def _part(self, part: PartDescription, split: Split, language: str) -> Part:
        known = get_language(language)
        names = {
            "language": language,
            "language3": known.code3,
            "name": known.name.lower(),
            "split": split.value,
            "part": part.part.get(split, split.value),
        }
        source = self.sources[part.source]
        return Part(
            name=part.source,
            source=source,
            urls=tuple(_filled(url, names) for url in source.url),
            patterns=tuple(_filled(pattern, names) for pattern in source.files),
            place=tuple((_filled(inside, names), _filled(target, names)) for inside, target in part.place.items()),
        )

    def _description(self, task: str) -> Description:
        if task not in self.tasks:
            problem, hint = f"'{task}' is not a data set that can be fetched", None
            if self._path is not None:
                is_ours = task in packaged().tasks
                problem = f"'{task}' is not among the tasks of this list of sources"
                hint = f"Add it there{', or leave out the list: the one of the package has it' * is_ours}."
            raise ConfigError(problem, path=self._path, value=task, allowed=self.tasks, hint=hint)
        return self.tasks[task]


@cache
def packaged() -> Manifest:
    """Return the manifest that comes with the package."""
    text = files("adaptstilts.data").joinpath("sources.yaml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # equal results, ten times as fast; not in every build
    return Manifest.model_validate(yaml.load(text, Loader=loader))


def read_manifest(path: Path) -> Manifest:
    """Read a manifest from a YAML file, for sources that have moved, or a mirror.

    Raises:
        ConfigError: If the file is missing, is not YAML, or holds one unusable setting.
        ProblemsError: If several settings are unusable.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError) as error:
        hint = "Copy adaptstilts/data/sources.yaml and change it."
        raise ConfigError("no such manifest", path=path, hint=hint) from error
    except (OSError, ValueError):
        pass  # told below, with its cause
    manifest = load(path, (), Manifest)
    used = {part.source for task in manifest.tasks.values() for part in task.parts}
    unknown = sorted(used - set(manifest.sources))
    if unknown:
        raise ConfigError(f"there is no source '{unknown[0]}'", path=path, value=unknown[0], allowed=manifest.sources)
    manifest.check(path)
    manifest._path = path
    return manifest


def can_be_fetched(task: str) -> bool:
    """Say whether there is a task of this name in the manifest of the package that is downloaded, not put in place."""
    return task in packaged().tasks and bool(packaged().tasks[task].parts)


def expected_rows(task: str, split: Split, language: str) -> int | None:
    """Return the published number of examples of a language and split (of gold pairs for retrieval).

    None where no figure could be checked, or where the manifest lacks the task, split or language.
    """
    return packaged().expected_rows(task, split, language)


def entries(task: str) -> tuple[Entry, ...]:
    """Return what a task is made of by the manifest of the package; see `Manifest.entries`."""
    return packaged().entries(task)


def _problem_of_address(url: str) -> str | None:
    if not url.startswith(("http://", "https://")):
        return "does not begin with http:// or https://"
    try:
        parts = urlsplit(url)
    except ValueError as error:
        return f"is not an address ({error})"
    return None if parts.path.rpartition("/")[2] or parts.query else "names no file"


def _filled(text: str, names: Mapping[str, str]) -> str:
    """Fill in placeholders, and nothing else that braces can hold."""
    return _PLACEHOLDER.sub(lambda found: names.get(found[1], found[0]), text)


def _fault(path: Path, key: str, problem: str, hint: str) -> ConfigError:
    return ConfigError(problem, path=path, key=key, hint=hint or None)


def _languages(codes: str, declared: Task | None) -> tuple[str, ...]:
    """Expand ``all -kk lt`` to the task's languages without one and with another."""
    found: list[str] = []
    for code in codes.split():
        if code == _ALL:
            found += declared.languages if declared is not None else ()
        elif code.startswith("-"):
            found = [kept for kept in found if kept != code[1:]]
        elif code not in found:
            found.append(code)
    return tuple(found)
