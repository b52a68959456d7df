"""What the data say of predicted examples: their ids, groups and gold labels, in the order of the predictions.

The examples are read from the data files, which the keys of the predictions fix: other files belong to other stages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adaptstilts.errors import DataError
from adaptstilts.predictions.selection import Selected
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.readers.sampling import positions, shrink
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import DataPlace, Stage
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.plan.retrieval import use_of
from adaptstilts.study.stage_data import StageData, data_of
from adaptstilts.tasks.examples import (
    Bitext,
    ChoiceExample,
    Example,
    MatchExample,
    PairExample,
    SpanExample,
    TagExample,
)
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind, Split, Task

_GROUP_DIGITS = 12


@dataclass(frozen=True)
class Part:
    """Examples that are predicted together: one language of a target.

    Attributes:
        languages: All (language, split) pairs of the stage that predicts them.
        most: Most examples per language; None for all.
        direction: Direction of search; None except in Tatoeba.
        fingerprints: Contents of the files that were predicted; of a generated world, names of its sets.
    """

    task: Task
    language: str
    split: Split
    languages: tuple[tuple[str, Split], ...]
    most: int | None
    direction: str | None
    fingerprints: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """Facts about the predicted examples, one entry per row of a frame.

    Attributes:
        rows: Positions in the data files, from 0.
        groups: What rows have in common, as `adaptstilts.predictions.frame.predictions_frame` explains it.
        gold: Gold labels in the form of predictions; None where hidden.
        referred: What stored predictions refer to by position: label words, the context of each question, or the ids
            of the sentences that are searched.
    """

    rows: Sequence[int]
    ids: list[str]
    groups: list[str]
    gold: list[Any]
    referred: Sequence[str] = ()


def part_of(selected: Selected) -> Part:
    """Return the examples that a selected stage predicts in one language."""
    job = selected.job
    return Part(
        task=get_task(job.task),
        language=selected.language,
        split=selected.split,
        languages=job.languages,
        most=job.max_evaluation,
        direction=None if job.retrieval is None else job.retrieval.direction,
        fingerprints=job.data,
    )


class StudyData:
    """The data of a study, each file of which is read once.

    Args:
        plan: Plan of the study.
        done: Finished artefacts by key; generated data are among them.
        own: Place of the data of stages that name none.
    """

    def __init__(self, plan: Plan, done: Mapping[str, Artefact], own: DataPlace) -> None:
        self._plan = plan
        self._done = done
        self._own = own
        self._opened: dict[StageData, Data] = {}

    def of(self, stage: Stage) -> Data:
        """Return the data that a stage reads.

        Raises:
            StoreError: If they were generated and are no longer in the store.
        """
        found = data_of(stage, self._plan, self._done, self._own)
        if found not in self._opened:
            self._opened[found] = Data(found.open(), is_generated=found.is_generated)
        return self._opened[found]


@dataclass
class Data:
    """One data root, with what has been read from it."""

    root: DataRoot
    is_generated: bool
    _known: dict[Part, Known] = field(default_factory=dict)
    _answers: dict[tuple[object, ...], Answers] = field(default_factory=dict)

    def known(self, part: Part) -> Known:
        """Return what the data say of predicted examples.

        Raises:
            DataError: If the files cannot be read, or have changed since the study was planned.
        """
        if part not in self._known:
            if not self.is_generated:  # a world is part of its store, which checks its files
                self._check_contents(part)
            self._known[part] = _KNOWN[part.task.kind](self, part)
        return self._known[part]

    def _check_contents(self, part: Part) -> None:
        found = [self.root.fingerprint(part.task, part.split, part.language)]
        if part.task.pool is not None:
            found.append(self.root.pool_fingerprint(part.task))
        if not set(found) <= set(part.fingerprints):
            raise DataError(
                f"examples of {part.task.name} in '{part.language}' have changed since the study was planned",
                path=self.root.files(part.task, part.split, part.language)[0],
                hint="Load the study again: it has other predictions, which may have to be made.",
            )
        self.root.pins.pin(self.root.files_behind(part.task, part.split, part.language))
        if part.task.pool is not None:
            self.root.pins.pin(self.root.pool_files(part.task))

    def labels(self, task: Task) -> tuple[str, ...]:
        """Return the label words of a task in the order of the classes; none for a task without labels."""
        return self.root.labels(task)

    def examples(self, part: Part) -> tuple[Sequence[int], list[Example]]:
        """Return the positions of the predicted examples in their files, and the examples."""
        every = self.root.load_examples(part.task, part.split, part.language)
        chosen = _sampled(len(every), part.most)
        return chosen, [every[at] for at in chosen]

    def answers(self, part: Part) -> Answers:
        """Return the right candidates of the queries of all languages that are predicted with a part."""
        key = (part.task, part.languages, part.most)
        if key not in self._answers:
            found = [self.root.load_examples(part.task, split, code, part.most) for code, split in part.languages]
            wanted = {row.target for rows in found for row in rows if isinstance(row, MatchExample) and row.target}
            self._answers[key] = _answers(self.root, part.task, wanted)
        return self._answers[key]


@dataclass(frozen=True)
class Answers:
    """Right candidates of a pool.

    Attributes:
        ids: Ids of the candidates by the target that they answer, in the order of the pool.
        groups: By target, the group of the first of them.
    """

    ids: Mapping[str, list[str]]
    groups: Mapping[str, str]


def _answers(root: DataRoot, task: Task, wanted: set[str]) -> Answers:
    ids: dict[str, list[str]] = {}
    groups: dict[str, str] = {}
    for candidate in root.candidates(task):
        for target in wanted.intersection(candidate.answers):
            ids.setdefault(target, []).append(candidate.id)
            groups.setdefault(target, target if candidate.context is None else group_of(candidate.context))
    return Answers(ids, groups)


def group_of(text: str) -> str:
    """Return the group of the examples that share a text: the first 12 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:_GROUP_DIGITS]


def _sampled(count: int, most: int | None) -> Sequence[int]:
    return range(count) if most is None or most >= count else positions(count, most)


def _pairs(data: Data, part: Part) -> Known:
    rows, examples = data.examples(part)
    labels = data.labels(part.task)
    pairs = [row for row in examples if isinstance(row, PairExample)]
    return Known(
        rows,
        [row.id for row in pairs],
        ["" if row.second is None else group_of(row.first) for row in pairs],
        [None if row.label is None else labels[row.label] for row in pairs],
        labels,
    )


def _choices(data: Data, part: Part) -> Known:
    rows, examples = data.examples(part)
    questions = [row for row in examples if isinstance(row, ChoiceExample)]
    groups = [group_of(row.prompt) for row in questions]
    return Known(rows, [row.id for row in questions], groups, [row.label for row in questions])


def _tags(data: Data, part: Part) -> Known:
    rows, examples = data.examples(part)
    labels = data.labels(part.task)
    sentences = [row for row in examples if isinstance(row, TagExample)]
    gold = [None if row.tags is None else [labels[tag] for tag in row.tags] for row in sentences]
    return Known(rows, [row.id for row in sentences], [""] * len(sentences), gold, labels)


def _spans(data: Data, part: Part) -> Known:
    rows, examples = data.examples(part)
    questions = [row for row in examples if isinstance(row, SpanExample)]
    return Known(
        rows,
        [row.id for row in questions],
        [group_of(row.context) for row in questions],
        [None if row.answers is None else [answer.text for answer in row.answers] for row in questions],
        [row.context for row in questions],
    )


def _sentences(data: Data, part: Part) -> Known:
    """Return the sentences that are searched for, or the foreign ones of a task that mines pairs."""
    whole = data.root.load_bitext(part.task, part.split, part.language)
    used = shrink(whole, part.most)
    mines, is_from_english = use_of(part.task) == "mine", part.direction == "english_to_foreign"
    queries, others = (used.english, used.foreign) if is_from_english else (used.foreign, used.english)
    rows = {sentence.id: row for row, sentence in enumerate(whole.english if is_from_english else whole.foreign)}
    ids = [sentence.id for sentence in queries]
    partners = _partners(used, is_from_english=is_from_english)
    gold: list[Any] = [None] * len(ids)
    if partners is not None:
        gold = [partners.get(name, []) if mines else next(iter(partners.get(name, ())), None) for name in ids]
    return Known([rows[name] for name in ids], ids, [""] * len(ids), gold, [sentence.id for sentence in others])


def _partners(bitext: Bitext, *, is_from_english: bool) -> dict[str, list[str]] | None:
    if bitext.gold is None:
        return None
    partners: dict[str, list[str]] = {}
    for foreign, english in sorted(bitext.gold):
        query, other = (english, foreign) if is_from_english else (foreign, english)
        partners.setdefault(query, []).append(other)
    return partners


def _queries(data: Data, part: Part) -> Known:
    rows, examples = data.examples(part)
    answers = data.answers(part)
    queries = [row for row in examples if isinstance(row, MatchExample)]
    return Known(
        rows,
        [row.id for row in queries],
        ["" if row.target is None else answers.groups.get(row.target, row.target) for row in queries],
        [None if row.target is None else answers.ids.get(row.target, []) for row in queries],
    )


_KNOWN: dict[Kind, Callable[[Data, Part], Known]] = {
    Kind.CLASSIFY: _pairs,
    Kind.CHOOSE: _choices,
    Kind.TAG: _tags,
    Kind.EXTRACT: _spans,
    Kind.RETRIEVE: _sentences,
    Kind.MATCH: _queries,
}
"""Functions that read what the data say of the examples of each kind."""
