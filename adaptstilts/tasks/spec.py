"""Data model of a task: kinds, splits, metrics, file layouts, sizes, and the declaration itself.

A task is one frozen `Task` instance. Head, encoding, loss and decoding follow from its `kind`; its metric and its files
are declared. Nothing else in the package asks for a task by name.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any, TypeAlias, cast

from adaptstilts.config.recipes import Recipe
from adaptstilts.tasks.fields import checked_fields


class Kind(str, Enum):
    """The six kinds of task; each has one head, one encoding and one way of decoding."""

    CLASSIFY = "classify"
    CHOOSE = "choose"
    TAG = "tag"
    EXTRACT = "extract"
    RETRIEVE = "retrieve"
    """Match sentences of two collections by the encoder alone; there is no head."""
    MATCH = "match"
    """Search one pool of candidates for queries; a dual encoder encodes query and candidate separately."""


class Phase(str, Enum):
    """Role of a task in the three-phase recipe."""

    INTERMEDIATE = "intermediate"
    TARGET = "target"
    TRAINING = "training"
    """Only trains targets: neither an intermediate task of the paper nor scored itself."""


class BenchmarkName(str, Enum):
    """Benchmark, which decides the official languages of a task."""

    XTREME = "xtreme"
    """Hu et al. 2020: nine tasks, 40 languages."""
    XTREME_R = "xtreme_r"
    """Ruder et al. 2021: ten tasks, 50 languages."""


class Split(str, Enum):
    """Part of a data set."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


class Metric(str, Enum):
    """Major metric of a task; computed by `adaptstilts.evaluate.metrics`."""

    ACCURACY = "accuracy"
    ACCURACY_F1 = "accuracy_f1"
    """Mean of accuracy and F1 of the positive class (QQP, as in GLUE)."""
    TOKEN_ACCURACY = "token_accuracy"
    CHUNK_F1 = "chunk_f1"
    """Micro F1 over chunks by the rules of seqeval 0.0.12 (PAN-X with BIO tags, UDPOS with bare tags)."""
    SQUAD = "squad"
    """Mean of exact match and F1 with SQuAD's normaliser."""
    SQUAD2 = "squad2"
    """As `SQUAD`, with unanswerable questions."""
    MLQA = "mlqa"
    """Mean of exact match and F1 with MLQA's normaliser of the answer language."""
    CHECKLIST = "checklist"
    """Share of passed cases in the manner of MultiCheckList: 100 less the mean error rate of the tests."""
    BUCC_F1 = "bucc_f1"
    TATOEBA_ACCURACY = "tatoeba_accuracy"
    MAP20 = "map20"
    """Mean average precision over the first 20 candidates (LAReQA, Mewsli-X)."""


class Group(str, Enum):
    """XTREME's and XTREME-R's groups of target tasks."""

    CLASSIFICATION = "classification"
    STRUCTURED = "structured_prediction"
    QA = "question_answering"
    RETRIEVAL = "retrieval"


@dataclass(frozen=True)
class Layout:
    """Paths of one split of a task below the data root, and its reader.

    Attributes:
        reader: Name in `adaptstilts.tasks.reader_facts.READER_FACTS`.
        files: Alternatives in order of preference; the first whose files all exist is taken. Each is a tuple of paths
            that belong to one language and split (several where text and labels are apart, or where a data set has
            several parts). ``{language}`` stands for the code of the language, or for what ``codes`` makes of it,
            ``{language3}`` for the code of the Tatoeba files, ``{name}`` and ``{name_lower}`` for the English name. A
            path with ``*`` names all files that match, sorted by name.
        options: Extra options of the reader, by name.
        otherwise: Taken where none of ``files`` exists: the same split in a form that needs another reader.
        holds: Languages in the files, where one file holds several; empty where the path contains the language.
        same_rows: Whether the files hold the published rows, though not under the first name looked for; if not, the
            report says that they replace the published file.
        parts: Other data sets that are read after this one and pooled with it (ANLI+); missing parts are left out as
            long as one is present.
        codes: Pairs of a language's code in the package and the one in the names and columns of the files, where they
            differ: ``("sw", "swh_Latn")``.
    """

    reader: str
    files: tuple[tuple[str, ...], ...]
    options: tuple[tuple[str, str], ...] = ()
    otherwise: Layout | None = None
    holds: tuple[str, ...] = ()
    same_rows: bool = False
    parts: tuple[Layout, ...] = ()
    codes: tuple[tuple[str, str], ...] = ()

    def code(self, language: str) -> str:
        """Return what the files call a language."""
        return dict(self.codes).get(language, language) if self.codes else language


Columns: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Hub:
    """A data set on the Hugging Face hub.

    Attributes:
        repository: Repository id.
        config: Configuration; ``{language}``, ``{language3}`` and ``{name}`` as in `Layout`. Empty for none.
        note: Known faults of the hub copy.
        reader: Reader of its rows; empty where they are not read.
        columns: Column by the name its reader expects; see `adaptstilts.readers.hub`.
        splits: Names of its splits, where they are not the usual ones.
        words: The data set's names of the task's classes, in the task's order; empty if they are the same.
        languages: Languages of a configuration that holds several, separated by spaces.
    """

    repository: str
    config: str = ""
    note: str = ""
    reader: str = ""
    columns: Columns = ()
    splits: tuple[tuple[Split, tuple[str, ...]], ...] = ()
    words: str = ""
    languages: str = ""


@dataclass(frozen=True)
class Size:
    """Amount of text in a task's examples, so that a study can be priced without reading them.

    Lengths are means without padding, in sub-tokens of XLM-R's tokenizer: of pairs (40), PAWS-X (58), SQuAD's windows
    (171), UDPOS (26) and PAN-X (15) counted on the English training sets, of XQuAD on its English and its Hindi files
    (223 and 290, here 223 and 256; MLQA as XQuAD), of BUCC2018 on its four pairs of languages, dev included (84
    million). Those of multiple choice, CCG, Tatoeba and dual encoders are guesses, and so is what a task does not say:
    sequences as long as pairs, 1,000 examples of each split.

    Attributes:
        length: Mean sub-tokens of a sequence: a window, an alternative, a sentence.
        english_length: The same in English where that was counted separately.
        choices: Alternatives of a question (`CHOOSE` only).
        training_rows: Estimated training examples where no number is published.
        evaluation_rows: Estimated examples per language where no number is published; mean over the languages.
        sentences: Sentences of both sides in one language, dev included, where all are searched (mining).
        pool: Candidates of the published pool.
        tags: Number of tags where they are learnt from the data.
        mini_length: Mean sub-tokens, with the miniature's tokenizer, over the English training set of the mini world;
            None for a task that it does not have.
        mini_tags: Number of tags in the mini world.
    """

    length: float = 40
    english_length: float | None = None
    choices: int = 1
    training_rows: int = 1_000
    evaluation_rows: int = 1_000
    sentences: int | None = None
    pool: int = 0
    tags: int = 0
    mini_length: float | None = None
    mini_tags: int = 0


_NO_KEY = {"key": False}
"""Metadata of a field that does not count in keys: it changes no result, or only through settings that count."""


METRICS = {
    Kind.CLASSIFY: (Metric.ACCURACY, Metric.ACCURACY_F1),
    Kind.CHOOSE: (Metric.ACCURACY,),
    Kind.TAG: (Metric.CHUNK_F1, Metric.TOKEN_ACCURACY),
    Kind.EXTRACT: (Metric.SQUAD, Metric.SQUAD2, Metric.MLQA, Metric.CHECKLIST),
    Kind.RETRIEVE: (Metric.TATOEBA_ACCURACY, Metric.BUCC_F1),
    Kind.MATCH: (Metric.MAP20,),
}
"""Metrics of the tasks of a kind; the first is that of a task that names none."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Declaration of one task.

    A field counts in `declared`, and so in keys of stages, unless it is declared with ``metadata={"key": False}``. Of a
    task from outside the package every field counts (`declared_whole`).

    Attributes:
        name: Identifier used in configurations, folders and tables; lower case letters, digits and underscores.
        title: Name in texts for people; the identifier where none is given.
        metric: The first of its kind in `METRICS` where none is given; `Metric.SQUAD2` for unanswerable questions.
        languages: ISO 639-1 codes of the evaluated languages, source language first when present; XTREME's where both
            benchmarks have the task. Other codes are possible for languages that are none of the package's 50.
        size: Amount of text, for prices.
        languages_r: Languages that XTREME-R adds.
        benchmarks: Empty for tasks that are no targets.
        labels: Label words in the order of the classes; empty except for `CLASSIFY` and `TAG`. A tagging task whose
            tags are read from its training data (CCG) has none here and ``labels_from_data`` set.
        train_task: Task whose training and dev sets train it (itself when None); two tasks that train on the same rows
            share one training run.
        after: Task that is trained before this one with the same weights, head included: training on COPA starts from
            weights trained on Social IQa. None where training starts as the method says.
        layouts: Files of each split; splits that a task lacks are absent.
        pool: Files of the candidates that queries search (`MATCH` targets only); one per language, or one for all.
        group: Group in the averages of a benchmark.
        trains: Whether it has training data at all (XTREME's BUCC2018 and Tatoeba do not).
        folder: Its folder in a submission, and of its data in our own layout; empty where that is its name.
        rows: Published number of training examples.
        unanswerable: Whether questions without an answer occur (span extraction only).
        labels_from_data: The tag set is learnt from the training file.
        low_resource: Whether its English training set is small; the mini world has a separate setting for such tasks.
        recipe: Default training settings.
        licence: Licence as its publisher states it.
    """

    name: str = field(metadata=_NO_KEY)
    title: str = field(default="", metadata=_NO_KEY)
    phase: Phase = field(default=Phase.TARGET, metadata=_NO_KEY)
    kind: Kind
    metric: Metric = field(default=cast("Metric", None))  # filled in by `__post_init__`
    languages: tuple[str, ...] = field(metadata=_NO_KEY)
    size: Size = field(default=Size(), metadata=_NO_KEY)
    languages_r: tuple[str, ...] = field(default=(), metadata=_NO_KEY)
    benchmarks: tuple[BenchmarkName, ...] = field(default=(), metadata=_NO_KEY)
    labels: tuple[str, ...] = ()
    train_task: str | None = field(default=None, metadata=_NO_KEY)
    after: str | None = field(default=None, metadata=_NO_KEY)
    layouts: dict[Split, Layout] = field(default_factory=dict, hash=False)
    pool: Layout | None = None
    group: Group | None = field(default=None, metadata=_NO_KEY)
    trains: bool = field(default=True, metadata=_NO_KEY)
    folder: str = field(default="", metadata=_NO_KEY)
    rows: int | None = field(default=None, metadata=_NO_KEY)
    unanswerable: bool = False
    labels_from_data: bool = False
    low_resource: bool = field(default=False, metadata=_NO_KEY)
    recipe: Recipe = field(default=Recipe(), metadata=_NO_KEY)
    hub: Hub | None = field(default=None, metadata=_NO_KEY)
    citation: str = field(default="", metadata=_NO_KEY)
    licence: str = field(default="", metadata=_NO_KEY)

    def __post_init__(self) -> None:
        """Check every field; fill in title and metric.

        Raises:
            ConfigError: If a field has a value that it cannot have.
            ProblemsError: If several have.
        """
        for name, value in checked_fields(self).items():
            object.__setattr__(self, name, value)
        if not self.title:
            object.__setattr__(self, "title", self.name)
        if not self.metric:
            usual = Metric.SQUAD2 if self.unanswerable else METRICS[self.kind][0]
            object.__setattr__(self, "metric", usual)

    @property
    def test_split(self) -> Split:
        """The split that a benchmark scores: test, or dev where there is no test (XTREME's TyDiQA)."""
        return Split.TEST if Split.TEST in self.layouts else Split.DEV

    def official(self, benchmark: BenchmarkName) -> tuple[str, ...]:
        """Return the ISO 639-1 codes of a benchmark's languages for this task, those that XTREME-R adds last.

        A task of another benchmark has only one list.
        """
        return self.languages + (self.languages_r if benchmark is BenchmarkName.XTREME_R else ())


@functools.cache
def declared(task: Task) -> str:
    """Return a digest of the declaration for keys of stages: 16 hexadecimal digits.

    It covers the fields that decide results: kind, metric, labels and readers with their options.
    """
    facts = {item.name: _plain(getattr(task, item.name)) for item in fields(task) if item.metadata.get("key", True)}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


@functools.cache
def declared_whole(task: Task) -> str:
    """Return a digest of a whole declaration, files, languages and recipe included: 16 hexadecimal digits.

    What has its default value is left out, so that a later field leaves the digest as it is.
    """
    return hashlib.sha256(json.dumps(_whole(task), sort_keys=True).encode()).hexdigest()[:16]


def _whole(value: object) -> object:
    """Return a value as plain values; of a dataclass, the fields that have not their default value."""
    if is_dataclass(value):
        given = {item.name: (getattr(value, item.name), item.default) for item in fields(value)}
        return {name: _whole(one) for name, (one, default) in given.items() if one != default}
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_whole(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def _plain(value: object) -> object:
    """Return a field's value as plain values; layouts are reduced to their readers."""
    if isinstance(value, Layout):
        return _read_by(value)
    if isinstance(value, dict):
        return {key.value: _plain(item) for key, item in value.items()}
    return value.value if isinstance(value, Enum) else value


def _read_by(layout: Layout) -> list[Any]:
    """Return readers and options of a layout, of its alternatives and its parts."""
    otherwise = None if layout.otherwise is None else _read_by(layout.otherwise)
    return [layout.reader, layout.options, otherwise, [_read_by(part) for part in layout.parts]]
