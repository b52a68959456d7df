"""Stages of a study and their content keys. Pure: nothing here reads a file or imports torch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.config.retrieval import RetrievalSettings
from adaptstilts.config.schema import AdapterSection, FusionSection, MethodName
from adaptstilts.tasks.spec import Split

FORMAT_VERSION = 4
"""Part of every key; raised when the meaning of a stage or the content of its artefact changes."""


class StageKind(str, Enum):
    """What a stage does; also the folder of its artefacts in the store."""

    DATA = "data"
    TRAIN = "train"
    PREDICT = "predict"
    SCORE = "score"


@dataclass(frozen=True)
class Reference:
    """A backbone, identified by its contents.

    Attributes:
        location: Folder or hub id; does not count in keys.
        revision: Revision of a hub backbone.
        fingerprint: What counts.
    """

    location: str
    revision: str | None
    fingerprint: str


@dataclass(frozen=True)
class DataPlace:
    """Where examples are and how they are read; does not count in keys, which hold what is read.

    Attributes:
        root: ``data.root``.
        quoting: ``data.quoting``.
    """

    root: str
    quoting: str


@dataclass(frozen=True)
class Source:
    """A training run that another stage builds on.

    Attributes:
        task: Its training task.
        key: Key of the run.
    """

    task: str
    key: str


@dataclass(frozen=True)
class DataJob:
    """Generate the mini world."""

    generator: int
    seed: int
    train: int
    evaluation: int
    low_resource: int


@dataclass(frozen=True)
class TrainJob:
    """Train one network.

    Attributes:
        method: Row of the table of methods.
        task: Training task.
        settings: Optimisation.
        seed: Seed of the run.
        backbone: Backbone below everything.
        sources: Intermediate runs, in order.
        reuse_head: Whether the head of the intermediate run goes on.
        adapter: Shape of a new adapter; None where none is made.
        fusion: Shape of a new fusion; None where none is made.
        data: Fingerprints of the training and dev files, or of the generated world.
        max_train: Most training examples.
        hold_out: Whether dev examples are held out of the training set.
        after: Run of the same method on another task whose weights, head included, go on; None for a run that starts
            as its method says.
    """

    method: MethodName
    task: str
    settings: TrainSettings
    seed: int
    backbone: Reference
    sources: tuple[Source, ...]
    reuse_head: bool
    adapter: AdapterSection | None
    fusion: FusionSection | None
    data: tuple[str, ...]
    max_train: int | None
    hold_out: bool
    after: Source | None = None


@dataclass(frozen=True)
class PredictJob:
    """Predict one target in all its languages with one network.

    Attributes:
        method: Method whose network it is.
        task: Target task.
        languages: (language, split) pairs to predict.
        trained: Training run of the network; None for retrieval.
        trained_task: Training task of that run.
        sources: Intermediate runs below or fused, in order.
        average: Whether the sources are averaged without a trained fusion (retrieval).
        backbone: Backbone below everything.
        retrieval: What decides a retrieval target: only settings that have an effect on it.
        data: Fingerprints of the evaluation files.
        max_evaluation: Most examples per language.
        max_length: Most sub-tokens per input.
        doc_stride: Window movement (span extraction).
        max_query_length: Question or query length (span extraction, dual encoders).
        precision: Arithmetic.
        batch_tokens: Sub-tokens per batch; does not count in keys.
    """

    method: MethodName
    task: str
    languages: tuple[tuple[str, Split], ...]
    trained: str | None
    trained_task: str | None
    sources: tuple[Source, ...]
    average: bool
    backbone: Reference
    retrieval: RetrievalSettings | None
    data: tuple[str, ...]
    max_evaluation: int | None
    max_length: int
    doc_stride: int
    max_query_length: int
    precision: str
    batch_tokens: int


@dataclass(frozen=True)
class ScoreJob:
    """Score one target's predictions against gold.

    Attributes:
        task: Target task.
        languages: (language, split) pairs predicted.
        predictions: Key of the predictions.
        max_evaluation: Most examples per language.
    """

    task: str
    languages: tuple[tuple[str, Split], ...]
    predictions: str
    max_evaluation: int | None


Job = DataJob | TrainJob | PredictJob | ScoreJob
_KINDS: dict[type, StageKind] = {
    DataJob: StageKind.DATA,
    TrainJob: StageKind.TRAIN,
    PredictJob: StageKind.PREDICT,
    ScoreJob: StageKind.SCORE,
}
_SIMPLE = frozenset({str, int, float, bool, type(None)})
_NOT_IN_KEYS = frozenset({"location", "revision", "batch_tokens"})
_ONLY_WHERE_SET = frozenset({"after"})
"""Left out of keys where None: the keys of studies that have no use for them are as before they came."""


@dataclass(frozen=True)
class Stage:
    """One unit of work with one artefact.

    Attributes:
        name: For people, e.g. ``train stack mnli > xnli seed 1``.
        slug: Start of the artefact's folder name.
        job: What to do; decides the key.
        key: Content key, 64 hexadecimal digits.
        inputs: Keys of the stages that must be finished before.
        place: Where its examples are; None where all stages of the study read the same.
    """

    name: str
    slug: str
    job: Job
    key: str
    inputs: tuple[str, ...]
    place: DataPlace | None = None

    @property
    def kind(self) -> StageKind:
        """What it does."""
        return _KINDS[type(self.job)]


def make_stage(name: str, slug: str, job: Job, inputs: tuple[str, ...] = ()) -> Stage:
    """Build a stage; its key hashes the job, the keys of its inputs and `FORMAT_VERSION`, and nothing else.

    Args:
        name: For people; not in the key.
        slug: Folder name part; not in the key.
        job: What to do.
        inputs: Keys of the stages it needs.

    Returns:
        The stage.
    """
    key = content_key(FORMAT_VERSION, _KINDS[type(job)].value, describe(job), inputs)
    return Stage(name, slug, job, key, inputs)


def content_key(version: int, kind: str, job: dict[str, Any], inputs: Iterable[str]) -> str:
    """Return the key of what a stage or a manifest says: 64 hexadecimal digits.

    Args:
        version: Format version.
        kind: Value of the `StageKind`.
        job: The job as `describe` gives it.
        inputs: Keys of the stages it needs.
    """
    content = {"format": version, "kind": kind, "job": job, "inputs": sorted(inputs)}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def describe(job: Job) -> dict[str, Any]:
    """Return what counts of a job, as plain values: for keys and manifests."""
    described = _plain(job)
    if not isinstance(described, dict):
        raise TypeError(f"{job!r} is not a job")
    return described


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON values
    if type(value) in _SIMPLE:
        return value
    if isinstance(value, BaseModel):
        return _plain(value.model_dump())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [item.name for item in dataclasses.fields(value) if item.name not in _NOT_IN_KEYS]
        content = {name: getattr(value, name) for name in names}
        return {name: _plain(item) for name, item in content.items() if item is not None or name not in _ONLY_WHERE_SET}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
