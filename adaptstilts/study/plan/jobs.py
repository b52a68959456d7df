"""What the stages of a study do: one immutable job per kind. A job decides the content key of its stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.config.retrieval import RetrievalSettings
from adaptstilts.config.schema import AdapterSection, FusionSection, MethodName
from adaptstilts.encoding.features import EncodeSettings
from adaptstilts.store.stage import DataPlace, Stage, StageKind
from adaptstilts.tasks.spec import Split

if TYPE_CHECKING:
    from adaptstilts.results.setting import RunSetting


@dataclass(frozen=True)
class BackboneRef:
    """A backbone, identified by its contents.

    Attributes:
        location: Folder or hub id; does not count in keys.
        revision: Revision of a hub backbone.
        fingerprint: What counts.
    """

    location: str = field(metadata={"key": False})
    revision: str | None = field(metadata={"key": False})
    fingerprint: str


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

    kind: ClassVar[StageKind] = StageKind.TRAIN

    method: MethodName
    task: str
    settings: TrainSettings
    seed: int
    backbone: BackboneRef
    sources: tuple[Source, ...]
    reuse_head: bool
    adapter: AdapterSection | None
    fusion: FusionSection | None
    data: tuple[str, ...]
    max_train: int | None
    hold_out: bool
    after: Source | None = field(default=None, metadata={"key": "where set"})
    declared: str = ""

    @property
    def lengths(self) -> EncodeSettings:
        """How its examples are cut into inputs."""
        return EncodeSettings(self.settings.max_length, self.settings.doc_stride, self.settings.max_query_length)


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
        """How its examples are cut into inputs."""
        return EncodeSettings(self.max_length, self.doc_stride, self.max_query_length)


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

    kind: ClassVar[StageKind] = StageKind.SCORE

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
class Notes:
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

    kind: ClassVar[StageKind] = StageKind.ANALYSE

    cells: tuple[Cell, ...]
    runs: tuple[Run, ...]
    remarks: tuple[Notes, ...]
    version: str


@dataclass(frozen=True)
class ReportView:
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
class OverlapCheck:
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
    place: DataPlace | None = field(default=None, metadata={"key": False})


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

    kind: ClassVar[StageKind] = StageKind.REPORT

    analysis: str
    title: str
    shown: tuple[ReportView, ...]
    compared: tuple[OverlapCheck, ...]
    version: str


J = TypeVar("J")


def job_of(stage: Stage | None, kind: type[J]) -> J | None:
    """Return a stage's job if it is of one type; None for other stages, and for no stage."""
    return stage.job if stage is not None and isinstance(stage.job, kind) else None


def jobs_of(stages: Iterable[Stage], kind: type[J]) -> Iterator[tuple[Stage, J]]:
    """Yield the stages whose job is of one type, each with its job."""
    for stage in stages:
        if isinstance(stage.job, kind):
            yield stage, stage.job
