"""Jobs: what each kind of stage does, as an immutable record that decides the stage's content key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.config.retrieval import RetrievalSettings
from adaptstilts.config.schema import MethodName
from adaptstilts.config.section import Section
from adaptstilts.encoding.features import EncodeSettings
from adaptstilts.store.stage import DataPlace, Stage, StageKind
from adaptstilts.tasks.spec import Split

if TYPE_CHECKING:
    from adaptstilts.results.setting import RunSetting


@dataclass(frozen=True)
class BackboneRef:
    """A backbone, identified by its contents.

    Attributes:
        location: Folder or hub id; not part of keys.
        revision: Revision on the hub: its commit, once that is known; not part of keys.
        fingerprint: Digest of a folder's files; id and commit of a backbone on the hub.
        files: Names of a folder's files with the SHA-256 of each; not part of keys.
    """

    location: str = field(metadata={"key": False})
    revision: str | None = field(metadata={"key": False})
    fingerprint: str
    files: tuple[tuple[str, str], ...] = field(default=(), metadata={"key": False})


@dataclass(frozen=True)
class Source:
    """A training run that another stage builds on.

    Attributes:
        task: Training task of the run.
        key: Key of its stage.
    """

    task: str
    key: str


@dataclass(frozen=True)
class DataJob:
    """Generate the mini world."""

    kind: ClassVar[StageKind] = StageKind.DATA

    generator: int
    seed: int
    train: int
    evaluation: int
    low_resource: int


@dataclass(frozen=True)
class TrainJob:
    """Train one network.

    Attributes:
        task: Training task.
        sources: Intermediate runs, in order.
        reuse_head: Whether the head of the intermediate run is trained further.
        adapter: Settings of a new attachment on the backbone or on frozen attachments, of whichever kind the method
            trains; None if the run adds none. Content keys hold the field's name, which is older than other kinds.
        fusion: Settings of a new attachment that fuses frozen ones; None if the run adds none.
        data: Fingerprints of the training and dev files, or name of the generated set.
        max_train: Most training examples.
        hold_out: Whether dev examples are held out of the training set.
        after: Run of the same method on another task whose weights, head included, are trained further; None for a run
            that starts as its method says.
        declared: Digest of the task's declaration.
    """

    kind: ClassVar[StageKind] = StageKind.TRAIN

    method: MethodName
    task: str
    settings: TrainSettings
    seed: int
    backbone: BackboneRef
    sources: tuple[Source, ...]
    reuse_head: bool
    adapter: Section | None
    fusion: Section | None
    data: tuple[str, ...]
    max_train: int | None
    hold_out: bool
    after: Source | None = field(default=None, metadata={"key": "where set"})
    declared: str = ""

    @property
    def new_attachment(self) -> Section | None:
        """Settings of the attachment that the run adds with fresh weights; None if it adds none."""
        return self.fusion or self.adapter

    @property
    def lengths(self) -> EncodeSettings:
        """Settings by which examples are cut into inputs."""
        return EncodeSettings(self.settings.max_length, self.settings.doc_stride, self.settings.max_query_length)


@dataclass(frozen=True)
class PredictJob:
    """Predict one target in one language with one network.

    One job has all languages of a target if they cannot be separated: for dual encoders, whose pool of candidates is
    encoded once per network, and for retrieval by a layer that is fitted over all languages.

    Attributes:
        task: Target task.
        languages: (language, split) pairs to predict; one, except in the cases above.
        trained: Key of the network's training run; None for an untrained retrieval target.
        trained_task: Training task of that run.
        sources: Intermediate runs below or fused, in order; without a training run, those that the network comes from.
        average: Whether the sources are averaged without a trained fusion (retrieval).
        retrieval: Settings that affect a retrieval target; None for other targets.
        data: Fingerprints of the files that are read.
        max_evaluation: Most examples per language.
        max_length: Most sub-tokens per input.
        doc_stride: Sub-tokens between the starts of two windows (span extraction).
        max_query_length: Most sub-tokens of a question (span extraction) or query (dual encoders).
        batch_tokens: Sub-tokens per batch; not part of keys.
        declared: Digest of the target's declaration.
    """

    kind: ClassVar[StageKind] = StageKind.PREDICT

    method: MethodName
    task: str
    languages: tuple[tuple[str, Split], ...]
    trained: str | None
    trained_task: str | None
    sources: tuple[Source, ...]
    average: bool
    backbone: BackboneRef
    retrieval: RetrievalSettings | None
    data: tuple[str, ...]
    max_evaluation: int | None
    max_length: int
    doc_stride: int
    max_query_length: int
    precision: str
    batch_tokens: int = field(metadata={"key": False})
    declared: str = ""

    @property
    def lengths(self) -> EncodeSettings:
        """Settings by which examples are cut into inputs."""
        return EncodeSettings(self.max_length, self.doc_stride, self.max_query_length)


@dataclass(frozen=True)
class ScoreJob:
    """Score the predictions of one stage against gold labels.

    Attributes:
        languages: (language, split) pairs predicted.
        predictions: Key of the predicting stage.
        max_evaluation: Most examples per language.
        declared: Digest of the target's declaration.
    """

    kind: ClassVar[StageKind] = StageKind.SCORE

    task: str
    languages: tuple[tuple[str, Split], ...]
    predictions: str
    max_evaluation: int | None
    declared: str = ""


PARTIAL = "partial mean: no file in "
"""Start of the note of cells whose target lacks languages; their codes follow."""


@dataclass(frozen=True)
class Cell:
    """One number of the study's tables, and the stages it comes from.

    Attributes:
        source: Intermediate task; for a fusion, names joined by ``+``; empty for none.
        train: Key of the training run; None if the target has no training.
        predict: Keys of the predictions, in the order of the languages.
        score: Keys of the scores, one for each of ``predict``; empty if no label is known, so that ``predict`` is for a
            submission only.
        note: Remark that must be read with the number.
        hidden: Keys of the predictions for test splits with hidden labels.
        variant: Label of its variant of a sweep; empty without a sweep.
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

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all its stages."""
        return (*(() if self.train is None else (self.train,)), *self.predict, *self.score, *self.hidden)


@dataclass(frozen=True)
class Run:
    """A training run in the tables of results.

    Attributes:
        key: Key of its stage.
        method: Method of the first table cell that uses it; empty for an intermediate run that no cell uses directly.
        family: Family of weights that it trains.
        source: Intermediate task or tasks.
        target: Target of that cell; empty if there is no cell.
        stage: Name of its stage.
        variants: Labels of the variants that need it; without a sweep, one empty label.
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
class Notes:
    """Facts shown beside the numbers of a study, or of a variant of a sweep.

    Attributes:
        targets: Target tasks.
        benchmark: Benchmark whose averages are shown.
        retrieval: Retrieval targets, each with a line about its settings.
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
        cells: Cells of the tables. They name predictions only if an analysis reads them (`results.analyses.READS`).
        runs: Training runs.
        remarks: Notes, one record per variant.
        version: Version of the package, each of which makes its tables anew.
    """

    kind: ClassVar[StageKind] = StageKind.ANALYSE

    cells: tuple[Cell, ...]
    runs: tuple[Run, ...]
    remarks: tuple[Notes, ...]
    version: str


@dataclass(frozen=True)
class ReportView:
    """A study, or a variant of a sweep, as the report shows it.

    Attributes:
        published: Set-up of the study for comparison with published scores; None for no comparison.
        variant: Label of the variant; empty without a sweep.
        settings: Swept settings by name.
    """

    published: RunSetting | None
    variant: str = ""
    settings: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class OverlapCheck:
    """Data that is searched for leaks and overlaps.

    Attributes:
        trained: Training tasks.
        scored: Targets with the (language, split) pairs that are scored or, if none is, predicted.
        data: Fingerprints of all files that are compared.
        world: Key of the stage that generates the data; None for data in files.
        title: Heading in the report, if a sweep reads several data roots.
        place: Location of the data; None if all stages of the study read the same. Not part of keys.
    """

    trained: tuple[str, ...]
    scored: tuple[tuple[str, tuple[tuple[str, Split], ...]], ...]
    data: tuple[str, ...] = ()
    world: str | None = None
    title: str = ""
    place: DataPlace | None = field(default=None, metadata={"key": False})


@dataclass(frozen=True)
class ReportJob:
    """Write the report of a study.

    Attributes:
        analysis: Key of the stage that makes the tables.
        title: Heading.
        shown: The study, or the variants of a sweep.
        compared: Data searched for leaks and overlaps, one record per data root.
        version: Version of the package, each of which makes its reports anew.
    """

    kind: ClassVar[StageKind] = StageKind.REPORT

    analysis: str
    title: str
    shown: tuple[ReportView, ...]
    compared: tuple[OverlapCheck, ...]
    version: str


J = TypeVar("J")


def intermediate_runs(stages: Iterable[Stage]) -> set[str]:
    """Return the keys of the training runs that others of these stages start from, put below or fuse."""
    return {source.key for stage in stages for source in getattr(stage.job, "sources", ())}


def job_of(stage: Stage | None, kind: type[J]) -> J | None:
    """Return a stage's job if it is of the given type; None for other stages and for no stage."""
    return stage.job if stage is not None and isinstance(stage.job, kind) else None


def jobs_of(stages: Iterable[Stage], kind: type[J]) -> Iterator[tuple[Stage, J]]:
    """Yield the stages whose job is of the given type, each with its job."""
    for stage in stages:
        if isinstance(stage.job, kind):
            yield stage, stage.job
