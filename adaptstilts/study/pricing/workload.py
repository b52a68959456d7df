"""Amount of text a stage processes: examples, sequences and sub-tokens. Free of torch.

Numbers of examples come from the lock file of the data root, or are counted in files that are small enough; else they
are the published ones. For the mini world they are the configured ones. Lengths, and guesses at unpublished numbers,
are declared by the tasks: see `adaptstilts.tasks.spec.Size`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from adaptstilts.config.schema import StudyConfig
from adaptstilts.data.lock import Lock, read_lock
from adaptstilts.data.sources import expected_rows
from adaptstilts.errors import AdaptstiltsError
from adaptstilts.files import expanded
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.readers.sampling import HELD_OUT_MOST, held_out_count
from adaptstilts.study.plan.data_facts import MINI_ROOT, OFFICIAL_ROOT
from adaptstilts.study.plan.jobs import PredictJob, TrainJob
from adaptstilts.study.pricing.row_counts import RowCounts, parts_of
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split, Task


@dataclass(frozen=True)
class Workload:
    """Amount of text that a stage processes.

    Attributes:
        sequences: Sequences that pass the network: windows, alternatives or sentences.
        tokens: Mean sub-tokens per sequence.
        dev_sequences: Dev sequences scored during training to select the best checkpoint.
        examples: Examples of the data set; for training, of one epoch.
    """

    sequences: float
    tokens: float
    dev_sequences: float = 0.0
    examples: int = 0


class Workloads:
    """Estimates of the workloads of a study's stages.

    Args:
        jobs: Jobs whose examples may be counted in the data root.
    """

    def __init__(self, config: StudyConfig, jobs: Iterable[object] = ()) -> None:
        self._data = config.data
        self._jobs = jobs
        self._is_mini = config.data.root == MINI_ROOT
        self._lock: Lock | None = None
        self._folder: Path | None = None
        if config.data.root not in {MINI_ROOT, OFFICIAL_ROOT}:
            self._folder = expanded(config.data.root)
            self._lock = read_lock(self._folder)
        self.assumed: set[str] = set()
        """Tasks whose number of examples is a guess, collected with each estimate."""
        self.uncounted: set[str] = set()
        """Tasks whose files are there but too large to count, collected with each estimate."""
        self.rows = cache(self._rows)

    def training(self, job: TrainJob) -> Workload:
        """Estimate the workload of a training run that patience does not end early, which is an upper bound."""
        task, settings = get_task(job.task), job.settings
        train, dev = self._training_rows(task, hold_out=job.hold_out)
        if job.max_train is not None:
            train = min(train, job.max_train)
        steps = settings.steps(train)
        evaluations = math.ceil(steps / (settings.evaluate_every or max(1, math.ceil(train / settings.batch_size))))
        examples = min(settings.epochs * train, steps * settings.batch_size)
        scored = dev if settings.evaluate_examples is None else min(dev, settings.evaluate_examples)
        per_example = self.rows_per_example(task)
        return Workload(
            sequences=examples * per_example,
            tokens=min(self.length(task, SOURCE_LANGUAGE), settings.max_length),
            dev_sequences=evaluations * scored * per_example,
            examples=train,
        )

    def prediction(self, job: PredictJob, language: str, split: Split) -> Workload:
        """Estimate the workload of a prediction in one language; retrieval counts both sides."""
        task = get_task(job.task)
        rows = self._evaluation_rows(task, split, language)
        sides = 2 if FACTS[task.kind].is_bitext else 1
        is_counted = self._counts is not None and (task.name, split, language) in self._counts.rows
        if task.size.sentences is not None and not self._is_mini and not is_counted:
            rows = task.size.sentences // sides
        if job.max_evaluation is not None:
            rows = min(rows, job.max_evaluation)
        per_example = 1 if task.pool is not None else self.rows_per_example(task)  # `pool` counts the candidates
        length = min(self.length(task, language), job.max_length)
        return Workload(rows * sides * per_example, length, examples=rows)

    def pool(self, job: PredictJob) -> Workload:
        """Estimate the workload of encoding a dual encoder's candidate pool; empty for other targets."""
        task = get_task(job.task)
        length = min(self.length(task, SOURCE_LANGUAGE), job.max_length)
        counted = None if self._counts is None else self._counts.rows.get((task.name, None, ""))
        return Workload(task.size.pool if counted is None else counted, length)

    def length(self, task: Task, language: str) -> float:
        """Look up the mean sub-tokens per sequence of a task in a language."""
        own = task.size.english_length if language == SOURCE_LANGUAGE else None
        if self._is_mini:
            own = task.size.mini_length
        return float(task.size.length if own is None else own)

    def rows_per_example(self, task: Task) -> int:
        """Return the sequences per example: alternatives of a question, or query and candidate of a pair."""
        sequences = FACTS[task.kind].sequences
        return task.size.choices if sequences is None else sequences

    def outputs(self, task: Task) -> int:
        """Return the number of classes or tags of a task's head."""
        if task.labels_from_data:
            return task.size.mini_tags if self._is_mini else task.size.tags
        return len(task.labels)

    def _training_rows(self, task: Task, *, hold_out: bool) -> tuple[int, int]:
        """Return the numbers of training and dev examples, after dev examples are held out if the task needs it."""
        train = self.rows(task, Split.TRAIN, SOURCE_LANGUAGE)
        if train is None:
            self.assumed.add(task.name)
            train = task.size.training_rows
        dev = self.rows(task, Split.DEV, SOURCE_LANGUAGE)
        if hold_out or Split.DEV not in task.layouts or self._lacks_dev(task):
            dev = held_out_count(train)
            train -= dev
        return train, HELD_OUT_MOST if dev is None else dev

    def _lacks_dev(self, task: Task) -> bool:
        """Say whether the data root has training files of a task but no labelled dev files."""
        if self._folder is not None:
            root = DataRoot(self._folder)
            with suppress(AdaptstiltsError):
                is_there = root.has_files(task, Split.TRAIN, SOURCE_LANGUAGE)
                return is_there and not root.is_labelled(task, Split.DEV, SOURCE_LANGUAGE)
        return False

    @cached_property
    def _counts(self) -> RowCounts | None:
        """Numbers of examples in the data root, apart from those in its lock file."""
        if self._folder is None:
            return None
        parts = (part for part in parts_of(self._jobs) if self._locked(*part) is None)
        return RowCounts(self._folder, self._data.quoting, parts)

    def _locked(self, task: str, split: Split | None, language: str) -> int | None:
        return None if self._lock is None or split is None else self._lock.rows(task, split, language)

    def _evaluation_rows(self, task: Task, split: Split, language: str) -> int:
        found = self.rows(task, split, language)
        if found is None:
            self.assumed.add(task.name)
            return task.size.evaluation_rows
        return found

    def _rows(self, task: Task, split: Split, language: str) -> int | None:
        if self._is_mini:
            if split is not Split.TRAIN:
                return self._data.mini_evaluation
            return self._data.mini_low_resource if task.low_resource else self._data.mini_train
        locked = self._locked(task.name, split, language)
        if locked is not None:
            return locked
        part = (task.name, split, language)
        if self._counts is not None and part in self._counts.rows:
            return self._counts.rows[part]
        if self._counts is not None and part in self._counts.too_large:
            self.uncounted.add(task.name)
        return expected_rows(task.name, split, language) or (task.rows if split is Split.TRAIN else None)
