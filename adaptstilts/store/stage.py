"""Stages and their content keys; nothing here reads a file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from json.encoder import encode_basestring_ascii
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from adaptstilts.store.manifest import KEY_DIGITS

FORMAT_VERSION = 5
"""Part of every key; raised when the meaning of a stage or the content of its artefact changes."""


def is_older(manifest: Mapping[str, Any]) -> bool:
    """Return whether an artefact is of an older format than `FORMAT_VERSION`; manifests before format 4 name none."""
    return bool(manifest.get("format", 0) < FORMAT_VERSION)


class StageKind(str, Enum):
    """Kind of work of a stage; also the folder of its artefacts in the store."""

    DATA = "data"
    TRAIN = "train"
    PREDICT = "predict"
    SCORE = "score"
    ANALYSE = "analyse"
    REPORT = "report"


SUMMARIES = frozenset({StageKind.ANALYSE, StageKind.REPORT})
"""Kinds of stages that summarise all others."""


@dataclass(frozen=True)
class DataPlace:
    """Location of the examples; does not count in keys, which hold fingerprints of the data.

    Attributes:
        root: ``data.root``.
        quoting: ``data.quoting``.
    """

    root: str
    quoting: str


class Job(Protocol):
    """Work of a stage: a frozen dataclass of plain values that decides the stage's key.

    A field counts in the key unless it is declared with ``field(metadata={"key": False})``; one declared with
    ``{"key": "where set"}`` is left out where it is None, so that jobs that do not use it keep the keys they had before
    the field existed. The same holds for dataclasses inside the job.
    """

    kind: ClassVar[StageKind]


@dataclass(frozen=True)
class Stage:
    """One unit of work with one artefact.

    Attributes:
        name: Readable name, for example ``train stack mnli > xnli seed 1``.
        slug: Start of the artefact's folder name.
        job: The work; decides the key.
        key: Content key, 64 hexadecimal digits.
        inputs: Keys of the stages that must be finished before.
        place: Location of its examples; None where all stages of the study read the same.
    """

    name: str
    slug: str
    job: Job
    key: str
    inputs: tuple[str, ...]
    place: DataPlace | None = None

    @property
    def kind(self) -> StageKind:
        """The kind of its job."""
        return self.job.kind

    @property
    def folder(self) -> str:
        """Name of the artefact's folder, and start of the names of the stage's other files."""
        return f"{self.slug}-{self.key[:KEY_DIGITS]}"


def make_stage(name: str, slug: str, job: Job, inputs: tuple[str, ...] = ()) -> Stage:
    """Build a single stage as `StageMaker` does."""
    return StageMaker()(name, slug, job, inputs)


def content_key(version: int, kind: str, job: dict[str, Any], inputs: Iterable[str]) -> str:
    """Return the content key, 64 hexadecimal digits, of a job given as plain values by `describe`."""
    return _digest(version, kind, _json(job), inputs)


def describe(job: Job) -> dict[str, Any]:
    """Return the part of a job that counts in its key as plain values, for manifests."""
    described = json.loads(_Serialiser().text(job))
    if not isinstance(described, dict):
        raise TypeError(f"{job!r} is not a job")
    return described


class StageMaker:
    """Builds the stages of one plan, serialising values that many jobs share only once."""

    def __init__(self) -> None:
        self._serialiser = _Serialiser()

    def __call__(self, name: str, slug: str, job: Job, inputs: tuple[str, ...] = ()) -> Stage:
        """Build a stage; its key hashes its kind and job, the keys of its inputs and `FORMAT_VERSION`, nothing else."""
        key = _digest(FORMAT_VERSION, job.kind.value, self._serialiser.fields_text(job), inputs)
        return Stage(name, slug, job, key, inputs)


def _digest(version: int, kind: str, job: str, inputs: Iterable[str]) -> str:
    """Hash the JSON text, with sorted keys, of ``format``, ``inputs``, ``job`` and ``kind``."""
    needed = '","'.join(sorted(inputs))  # keys are hexadecimal: nothing to escape
    needed = f'["{needed}"]' if needed else "[]"
    text = f'{{"format":{version},"inputs":{needed},"job":{job},"kind":"{kind}"}}'
    return hashlib.sha256(text.encode()).hexdigest()


class _Serialiser:
    """Writes jobs as JSON with sorted keys and without spaces, the form that keys hash.

    Thousands of jobs share a backbone, settings and sources. The text of each of these is kept by the identity of the
    object; the object is kept with it, so that no other can get its identity.
    """

    def __init__(self) -> None:
        self._texts: dict[int, tuple[object, str]] = {}
        self._fields: dict[type, tuple[tuple[str, str, bool], ...]] = {}

    def text(self, value: object, *, remember: bool = True) -> str:
        """Return the JSON text of a value.

        Args:
            value: A dataclass, a pydantic model, an enumeration, or plain values in tuples, lists and dictionaries.
            remember: Whether to keep the text for the next time this very object is met.
        """
        if type(value) is str:
            return encode_basestring_ascii(value)
        known = self._texts.get(id(value))
        if known is not None:
            return known[1]
        if type(value) is tuple or type(value) is list:
            text = "[" + ",".join([self.text(item, remember=remember) for item in value]) + "]"
        elif dataclasses.is_dataclass(value):
            text = self.fields_text(value)
        elif isinstance(value, BaseModel):
            text = self.text(value.model_dump(), remember=False)
        elif isinstance(value, Enum):
            text = _json(value.value)
        elif isinstance(value, dict):
            items = sorted((str(key), item) for key, item in value.items())
            text = "{" + ",".join([f"{_json(key)}:{self.text(item, remember=False)}" for key, item in items]) + "}"
        else:
            text = _json(value)
        if remember:
            self._texts[id(value)] = (value, text)
        return text

    def fields_text(self, value: object) -> str:
        """Return the JSON text of a dataclass, of the fields that count; the text is not kept."""
        parts, known, kind = [], self._texts, type(value)
        if kind not in self._fields:
            self._fields[kind] = _counted_fields(kind)
        for name, label, only_where_set in self._fields[kind]:
            item = getattr(value, name)
            if type(item) is str:  # strings and known values here, without a call: plans of thousands of stages
                parts.append(label + encode_basestring_ascii(item))
            elif item is not None or not only_where_set:
                kept = known.get(id(item))
                parts.append(label + (self.text(item) if kept is None else kept[1]))
        return "{" + ",".join(parts) + "}"


def _counted_fields(kind: type) -> tuple[tuple[str, str, bool], ...]:
    """Return the fields that count, sorted: name, JSON label, and whether a value of None is left out."""
    counted = {item.name: item.metadata.get("key", True) for item in dataclasses.fields(kind)}
    names = sorted(name for name, counts in counted.items() if counts)
    return tuple((name, f'"{name}":', counted[name] == "where set") for name in names)


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
