"""How much text a stage works through: examples, sequences and sub-tokens. Free of torch; no data file is read.

Numbers of examples are those of the lock file of the data root, else the published ones, else of the mini world the
configured ones. Mean lengths are estimates, without padding, for XLM-R's tokenizer:

- counted on the English training sets: pairs 40, PAWS-X 58, SQuAD windows 171, UDPOS 26, PAN-X 15;
- counted on XQuAD: 223 sub-tokens in English to 290 in Hindi, here 223 and 256; MLQA as XQuAD;
- counted on BUCC2018: 84 million sub-tokens in its four pairs of languages, dev included;
- not counted, our guesses: multiple choice, CCG, Tatoeba, dual encoders, and numbers of examples in `_ASSUMED_ROWS`.

The mini world's lengths are means over its English training sets with the miniature's tokenizer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.config.schema import StudyConfig
from adaptstilts.data.lock import Lock, read_lock
from adaptstilts.data.sources import expected_rows
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.readers.data_root import HELD_OUT_MOST, HELD_OUT_SHARE
from adaptstilts.study.plan.data_facts import MINI, OFFICIAL
from adaptstilts.study.plan.jobs import PredictJob, TrainJob
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind, Metric, Split, Task

_PAIR = 40.0
_LENGTHS = {
    "anli": _PAIR, "mnli": _PAIR, "qqp": _PAIR, "xnli": _PAIR, "pawsx": 58.0,
    "squad1": 171.0, "squad2": 171.0, "tydiqa": 171.0, "xquad": 256.0, "mlqa": 256.0, "multichecklist": 60.0,
    "udpos": 26.0, "panx": 15.0, "ccg": 26.0,
    "hellaswag": 90.0, "cosmosqa": 115.0, "commonsenseqa": 22.0, "siqa": 35.0, "copa": 20.0, "xcopa": 20.0,
    "squad_r": 90.0, "lareqa": 90.0, "wikipairs": 55.0, "mewslix": 55.0,
    "tatoeba": 12.0, "tatoeba_r": 12.0, "bucc2018": 32.0,
}  # fmt: skip
_ENGLISH_LENGTHS = {"xquad": 223.0, "mlqa": 223.0}
_MINI_LENGTHS = {
    "anli": 27.0, "mnli": 22.0, "qqp": 20.0, "xnli": 21.0, "pawsx": 40.0, "squad1": 43.0, "squad2": 44.0,
    "tydiqa": 30.0, "xquad": 40.0, "mlqa": 44.0, "udpos": 10.0, "panx": 9.0, "ccg": 10.0,
    "hellaswag": 31.0, "cosmosqa": 60.0, "commonsenseqa": 12.0, "bucc2018": 14.0, "tatoeba": 11.0,
}  # fmt: skip
_OTHER_LENGTH = {Kind.EXTRACT: 171.0, Kind.TAG: 26.0}
_CHOICES = {"hellaswag": 4, "cosmosqa": 4, "commonsenseqa": 5, "siqa": 3, "copa": 2, "xcopa": 2}
_OTHER_CHOICES = 4
_ASSUMED_ROWS = {"ccg": 38_000, "siqa": 33_000}
_ASSUMED_EVALUATION = {"udpos": 2_500, "tydiqa": 564, "tatoeba": 936, "lareqa": 1_190, "mewslix": 1_330, "xcopa": 500}
"""Examples of a language where its published number is not known: means over the languages."""
_OTHER_EVALUATION = 1_000
_BUCC_SENTENCES = 660_000
"""Sentences of both sides in one language, dev included."""
_POOLS = {"lareqa": 13_014, "mewslix": 1_003_893}
"""Candidates of the published pools."""
_TAGS_FROM_DATA = 1_363
"""Supertags of CCGbank, as jiant's task lists them."""
_MINI_TAGS_FROM_DATA = 20


@dataclass(frozen=True)
class Volume:
    """What a stage works through.

    Attributes:
        sequences: Sequences that pass the network: windows, alternatives, sentences.
        tokens: Mean sub-tokens of one.
        longest: Most sub-tokens of one.
        dev_sequences: Sequences that are scored meanwhile, to pick the best weights (training only).
        examples: Examples of the data set, for training those of one epoch.
    """

    sequences: float
    tokens: float
    longest: int
    dev_sequences: float = 0.0
    examples: int = 0


class Volumes:
    """Volumes of a study's stages.

    Args:
        config: The study.
    """

    def __init__(self, config: StudyConfig) -> None:
        self._data = config.data
        self._is_mini = config.data.root == MINI
        self._lock: Lock | None = None
        if config.data.root not in {MINI, OFFICIAL}:
            self._lock = read_lock(Path(config.data.root).expanduser())
        self.assumed: set[str] = set()
        """Tasks whose number of examples is a guess, found out on the way."""
        self.rows = cache(self._rows)

    def training(self, job: TrainJob) -> Volume:
        """Return what a training run works through if patience never ends it: an upper bound.

        Args:
            job: The run.

        Returns:
            Its volume: every epoch, and the dev examples of every evaluation.
        """
        task, settings = get_task(job.task), job.settings
        train, dev = self._training_rows(task, hold_out=job.hold_out)
        if job.max_train is not None:
            train = min(train, job.max_train)
        steps = planned_steps(train, settings)
        evaluations = math.ceil(steps / (settings.evaluate_every or max(1, math.ceil(train / settings.batch_size))))
        examples = min(settings.epochs * train, steps * settings.batch_size)
        scored = dev if settings.evaluate_examples is None else min(dev, settings.evaluate_examples)
        per_example = self.rows_per_example(task)
        return Volume(
            sequences=examples * per_example,
            tokens=min(self.length(task, SOURCE_LANGUAGE), settings.max_length),
            longest=settings.max_length,
            dev_sequences=evaluations * scored * per_example,
            examples=train,
        )

    def prediction(self, job: PredictJob, language: str, split: Split) -> Volume:
        """Return what a prediction works through in one language.

        Args:
            job: The prediction.
            language: ISO 639-1 code.
            split: Split that is predicted.

        Returns:
            Its volume; for retrieval that of both sides.
        """
        task = get_task(job.task)
        rows = self._evaluation_rows(task, split, language)
        sides = 2 if FACTS[task.kind].is_bitext else 1
        if task.metric is Metric.BUCC_F1 and not self._is_mini:
            rows = _BUCC_SENTENCES // sides
        if job.max_evaluation is not None:
            rows = min(rows, job.max_evaluation)
        per_example = 1 if task.pool is not None else self.rows_per_example(task)  # candidates: see `pool`
        length = min(self.length(task, language), job.max_length)
        return Volume(rows * sides * per_example, length, job.max_length, examples=rows)

    def pool(self, job: PredictJob) -> Volume:
        """Return what the pool of a dual encoder takes; nothing for other targets."""
        task = get_task(job.task)
        length = min(self.length(task, SOURCE_LANGUAGE), job.max_length)
        return Volume(_POOLS.get(task.name, 0), length, job.max_length)

    def length(self, task: Task, language: str) -> float:
        """Return the mean sub-tokens of a task's sequences in a language."""
        if self._is_mini:
            return _MINI_LENGTHS.get(task.name, _PAIR)
        english = _ENGLISH_LENGTHS.get(task.name) if language == SOURCE_LANGUAGE else None
        return english or _LENGTHS.get(task.name) or _OTHER_LENGTH.get(task.kind, _PAIR)

    def rows_per_example(self, task: Task) -> int:
        """Return how many sequences an example is: alternatives of a question, query and candidate of a pair."""
        sequences = FACTS[task.kind].sequences
        return _CHOICES.get(task.name, _OTHER_CHOICES) if sequences is None else sequences

    def outputs(self, task: Task) -> int:
        """Return the classes or tags of a task's head."""
        if task.labels_from_data:
            return _MINI_TAGS_FROM_DATA if self._is_mini else _TAGS_FROM_DATA
        return len(task.labels)

    def _training_rows(self, task: Task, *, hold_out: bool) -> tuple[int, int]:
        """Training and dev examples, the latter cut off the former where that is done."""
        train = self.rows(task, Split.TRAIN, SOURCE_LANGUAGE)
        if train is None:
            self.assumed.add(task.name)
            train = _ASSUMED_ROWS.get(task.name, 0)
        dev = self.rows(task, Split.DEV, SOURCE_LANGUAGE)
        if hold_out or Split.DEV not in task.layouts:
            dev = max(1, min(train // HELD_OUT_SHARE, HELD_OUT_MOST))
            train -= dev
        return train, HELD_OUT_MOST if dev is None else dev

    def _evaluation_rows(self, task: Task, split: Split, language: str) -> int:
        found = self.rows(task, split, language)
        if found is None:
            self.assumed.add(task.name)
            return _ASSUMED_EVALUATION.get(task.name, _OTHER_EVALUATION)
        return found

    def _rows(self, task: Task, split: Split, language: str) -> int | None:
        if self._is_mini:
            if split is not Split.TRAIN:
                return self._data.mini_evaluation
            return self._data.mini_low_resource if task.name == "tydiqa" else self._data.mini_train
        locked = None if self._lock is None else self._lock.rows(task.name, split, language)
        if locked is not None:
            return locked
        return expected_rows(task.name, split, language) or (task.rows if split is Split.TRAIN else None)


def planned_steps(examples: int, settings: TrainSettings) -> int:
    """Return the optimiser steps of a run over ``examples`` examples that patience does not end."""
    steps = settings.epochs * math.ceil(examples / settings.batch_size)
    return steps if settings.max_steps is None else min(steps, settings.max_steps)
