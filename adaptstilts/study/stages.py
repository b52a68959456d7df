"""Stages of a study and their content keys. Pure: nothing here reads a file or imports torch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.config.retrieval import RetrievalSettings
from adaptstilts.config.schema import AdapterSection, FusionSection, MethodName
from adaptstilts.tasks.spec import Split

if TYPE_CHECKING:
    from adaptstilts.report.setting import RunSetting

FORMAT_VERSION = 4
"""Part of every key; raised when the meaning of a stage or the content of its artefact changes."""


class StageKind(str, Enum):
    """What a stage does; also the folder of its artefacts in the store."""

    DATA = "data"
    TRAIN = "train"
    PREDICT = "predict"
    SCORE = "score"
    ANALYSE = "analyse"
    REPORT = "report"


SUMMARIES = frozenset({StageKind.ANALYSE, StageKind.REPORT})
"""Stages that tell of all others."""


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
        declared: Digest of the task's declaration.
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
    declared: str = ""


@dataclass(frozen=True)
class PredictJob:
    """Predict one target in one language with one network.

    All languages of a target are in one job where they cannot be had apart: dual encoders, whose pool of candidates is
    encoded once per network, and retrieval by a layer that is fitted over all languages.

    Attributes:
        method: Method whose network it is.
        task: Target task.
        languages: (language, split) pairs to predict; one, but for the exceptions above.
        trained: Training run of the network; None for retrieval.
        trained_task: Training task of that run.
        sources: Intermediate runs below or fused, in order.
        average: Whether the sources are averaged without a trained fusion (retrieval).
        backbone: Backbone below everything.
        retrieval: What decides a retrieval target: only settings that have an effect on it.
        data: Fingerprints of the files that are read for it.
        max_evaluation: Most examples per language.
        max_length: Most sub-tokens per input.
        doc_stride: Window movement (span extraction).
        max_query_length: Question or query length (span extraction, dual encoders).
        precision: Arithmetic.
        batch_tokens: Sub-tokens per batch; does not count in keys.
        declared: Digest of the target's declaration.
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
    declared: str = ""


@dataclass(frozen=True)
class ScoreJob:
    """Score what one stage predicted against gold.

    Attributes:
        task: Target task.
        languages: (language, split) pairs predicted.
        predictions: Key of the predictions.
        max_evaluation: Most examples per language.
        declared: Digest of the target's declaration.
    """

    task: str
    languages: tuple[tuple[str, Split], ...]
    predictions: str
    max_evaluation: int | None
    declared: str = ""


@dataclass(frozen=True)
class Cell:
    """One number of the study's tables, and the stages it comes from.

    Attributes:
        method: Method.
        source: Intermediate task; names joined by ``+`` for a fusion; empty for none.
        target: Target task.
        seed: Seed.
        train: Key of the training run; None where the target has no training.
        predict: Keys of the predictions, in the order of the languages.
        score: Keys of the scores, one for each of ``predict``; empty where no label is known, so that ``predict`` is
            for a submission only.
        note: What a reader of the number must know.
        hidden: Keys of the predictions for test splits whose labels are hidden.
        variant: Label of the variant of a sweep that it belongs to; empty without a sweep.
    """

    method: MethodName
    source: str
    target: str
    seed: int
    train: str | None
    predict: tuple[str, ...]
    score: tuple[str, ...] = ()
    note: str = ""
    hidden: tuple[str, ...] = ()
    variant: str = ""


@dataclass(frozen=True)
class Run:
    """A training run as results tell of it.

    Attributes:
        key: Key of its stage.
        method: Method of the first table cell that it stands in; empty for an intermediate run that stands in none.
        family: What is trained.
        source: Intermediate task or tasks.
        target: Target of that cell; empty likewise.
        seed: Seed.
        stage: Name of its stage.
        variants: Labels of the variants that need it; one, which is empty, without a sweep.
    """

    key: str
    method: str
    family: str
    source: str
    target: str
    seed: int
    stage: str
    variants: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class Remarks:
    """What is remarked on a study, or on a variant of a sweep, beside its numbers.

    Attributes:
        targets: Target tasks.
        benchmark: Whose averages they count in or not.
        retrieval: Each retrieval target, with its settings in a line.
        variant: Label of the variant; empty without a sweep.
    """

    targets: tuple[str, ...]
    benchmark: str
    retrieval: tuple[tuple[str, str], ...]
    variant: str = ""


@dataclass(frozen=True)
class AnalyseJob:
    """Collect the results of a study into tables.

    Attributes:
        cells: What the study wants to know. Of predictions only those are named whose layers are told (retrieval).
        runs: Its training runs.
        remarks: What is remarked on it, variant by variant.
        version: Version of the package: tables are made anew by each.
    """

    cells: tuple[Cell, ...]
    runs: tuple[Run, ...]
    remarks: tuple[Remarks, ...]
    version: str


@dataclass(frozen=True)
class Shown:
    """What a report shows a study as, or a variant of a sweep.

    Attributes:
        published: Its set-up, for a comparison with published scores; None for none.
        variant: Label of the variant; empty without a sweep.
        settings: Its swept settings by name.
    """

    published: RunSetting | None
    variant: str = ""
    settings: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Compared:
    """What is looked through for leaks and overlaps.

    Attributes:
        trained: Training tasks.
        scored: Each target with the (language, split) pairs that are scored, or predicted where none is.
        data: Fingerprints of the English training and dev files, and of what else is compared but not scored.
        world: Key of the stage that makes the data; None where it is there.
        title: What is said of it in the report, where a sweep reads several data.
        place: Where it is; None where all stages of the study read the same. Does not count in keys.
    """

    trained: tuple[str, ...]
    scored: tuple[tuple[str, tuple[tuple[str, Split], ...]], ...]
    data: tuple[str, ...] = ()
    world: str | None = None
    title: str = ""
    place: DataPlace | None = None


@dataclass(frozen=True)
class ReportJob:
    """Write the report of a study.

    Attributes:
        analysis: Key of the tables it shows.
        title: Heading.
        shown: The study, or the variants of a sweep.
        compared: What is looked through for leaks and overlaps, data by data.
        version: Version of the package: reports are made anew by each.
    """

    analysis: str
    title: str
    shown: tuple[Shown, ...]
    compared: tuple[Compared, ...]
    version: str


Job = DataJob | TrainJob | PredictJob | ScoreJob | AnalyseJob | ReportJob
_KINDS: dict[type, StageKind] = {
    DataJob: StageKind.DATA,
    TrainJob: StageKind.TRAIN,
    PredictJob: StageKind.PREDICT,
    ScoreJob: StageKind.SCORE,
    AnalyseJob: StageKind.ANALYSE,
    ReportJob: StageKind.REPORT,
}
_SIMPLE = frozenset({str, int, float, bool, type(None)})
_NOT_IN_KEYS = frozenset({"location", "revision", "batch_tokens", "place", "gradient_checkpointing"})
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
    return hashlib.sha256(_json(content).encode()).hexdigest()


class StageMaker:
    """Builds the stages of one plan as `make_stage` does, with the same keys, in a fraction of the time.

    Thousands of jobs share a backbone, settings and sources; each of these is put into words once.
    """

    def __init__(self) -> None:
        self._words: dict[int, tuple[object, str]] = {}
        self._fields: dict[type, tuple[tuple[str, str, bool], ...]] = {}

    def __call__(self, name: str, slug: str, job: Job, inputs: tuple[str, ...] = ()) -> Stage:
        """Build a stage; see `make_stage`."""
        needed = '","'.join(sorted(inputs))
        needed = f'["{needed}"]' if needed else "[]"
        kind = _KINDS[type(job)].value
        text = f'{{"format":{FORMAT_VERSION},"inputs":{needed},"job":{self._object(job)},"kind":"{kind}"}}'
        return Stage(name, slug, job, hashlib.sha256(text.encode()).hexdigest(), inputs)

    def _object(self, value: object) -> str:
        parts, known, kind = [], self._words, type(value)
        if kind not in self._fields:
            self._fields[kind] = _counted_fields(kind)
        for name, label, only_where_set in self._fields[kind]:
            item = getattr(value, name)
            if item is None and only_where_set:
                continue
            words = known.get(id(item))
            parts.append(label + (self._text(item) if words is None else words[1]))
        return "{" + ",".join(parts) + "}"

    def _text(self, value: object) -> str:
        """Return what `_json` makes of `_plain`."""
        if type(value) is str:
            return encode_basestring_ascii(value)
        known = self._words.get(id(value))
        if known is not None:
            return known[1]
        if type(value) is tuple:
            text = "[" + ",".join([self._text(item) for item in value]) + "]"
        else:
            text = self._object(value) if dataclasses.is_dataclass(value) else _json(_plain(value))
        self._words[id(value)] = (value, text)  # the value is kept, so that no other gets its id
        return text


def _counted_fields(kind: type) -> tuple[tuple[str, str, bool], ...]:
    """Name, label in JSON, and whether it is left out where None, of all fields that count, in order of their names."""
    names = sorted(item.name for item in dataclasses.fields(kind) if item.name not in _NOT_IN_KEYS)
    return tuple((name, f'"{name}":', name in _ONLY_WHERE_SET) for name in names)


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


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
