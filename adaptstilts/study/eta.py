"""Estimates of how long stages take, from the measured times of finished ones. Pure, and free of torch."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptstilts.errors import StoreError
from adaptstilts.files import read_bytes
from adaptstilts.json_text import parse_json
from adaptstilts.store.stage import Stage, StageKind, describe
from adaptstilts.study.layout import TRAINING_FILE
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.train.methods import METHODS

_MOST_BYTES = 64 * 2**20
"""Longest record of a training run that is read."""
_GUESS_SECONDS = {
    StageKind.DATA.value: 2.5,
    StageKind.TRAIN.value: 3.5,
    StageKind.PREDICT.value: 0.1,
    StageKind.SCORE.value: 0.01,
}
_OTHER_GUESS_SECONDS = 1.0
"""Means of the quickstart on two slow cores: used until something is measured, and as the ratio between kinds of stages
of which only some are measured."""

Group = tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """What the time of a stage depends on.

    Attributes:
        groups: Groups of similar stages, from the most similar to all of the same kind.
        work: Amount of work, to which time is proportional within a group; each kind of stage has its own unit.
    """

    groups: tuple[Group, ...]
    work: float


def profile_of(kind: str, job: dict[str, Any], world: Mapping[str, Any] | None = None) -> Profile:
    """Return what the time of a stage depends on.

    Args:
        kind: Kind of the stage.
        job: Job as plain values, as `adaptstilts.store.stage.describe` returns it and manifests hold it.
        world: Job of the stage that generated its data; None for published data.

    Returns:
        Groups: same backbone, method and task; the same task with the same family of weights; the same task; the same
            method; the same backbone; the same kind. Work: for a training run, the examples of all its steps times
            sub-tokens of the longest input; for predictions and scores, the number of languages; else 1.
    """
    backbone = str((job.get("backbone") or {}).get("fingerprint", ""))
    method, task = str(job.get("method", "")), str(job.get("task", ""))
    family = METHODS[method].family if method in METHODS else ""
    groups = (
        (kind, backbone, "method", method, task),
        (kind, backbone, "family", family, task),
        (kind, backbone, "task", task),
        (kind, backbone, "method", method),
        (kind, backbone),
        (kind,),
    )
    if kind == StageKind.TRAIN.value:
        return Profile(groups, _training_work(job, task, world))
    return Profile(groups, float(max(1, len(job.get("languages", ())))))


def _training_work(job: dict[str, Any], task: str, world: Mapping[str, Any] | None) -> float:
    settings = job["settings"]
    rows = float(_declared_rows(task) if world is None else _generated_rows(world, task))
    # Values of a manifest may be of any type: a text that is multiplied would fill the memory.
    if job.get("max_train") is not None:
        rows = min(rows, float(job["max_train"]))
    examples = float(settings["epochs"]) * rows
    if settings.get("max_steps") is not None:
        examples = min(examples, float(settings["max_steps"]) * float(settings["batch_size"]))
    return examples * float(settings["max_length"])


def _declared_rows(name: str) -> int:
    """Return the published or assumed number of training examples."""
    task = get_task(name)
    return task.rows or task.size.training_rows


def _generated_rows(world: Mapping[str, Any], task: str) -> int:
    """Return the number of training examples of a task in a generated world."""
    return int(world["low_resource" if get_task(task).low_resource else "train"])


class Pace:
    """Estimates the time of stages from measured ones."""

    def __init__(self) -> None:
        self._worlds: dict[str, Mapping[str, Any]] = {}
        self._measured: dict[Group, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._kinds: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._hints: dict[Group, float] = {}
        self._profiles: dict[str, Profile] = {}

    def add_world(self, key: str, job: Mapping[str, Any]) -> None:
        """Record how much data a stage generates that others read; the first job of a key counts."""
        self._worlds.setdefault(key, job)

    def add(self, kind: str, job: dict[str, Any], seconds: float, inputs: Iterable[str] = ()) -> None:
        """Record the wall time of a finished stage.

        ``job`` is the stage's job as plain values, ``inputs`` are the keys of the stages it builds on. A training run
        on generated data only counts if the amount of that data is known, one on an outside task only if this process
        has the task.
        """
        if kind == StageKind.TRAIN.value and job.get("task") not in [task.name for task in all_tasks()]:
            return
        if job.get("data") == [f"{job.get('task')}/train"] and not any(key in self._worlds for key in inputs):
            return  # only generated data has names in place of fingerprints
        try:
            profile = self._profile_of(kind, job, inputs)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):  # not as this version writes jobs
            return
        if not 0 < profile.work < math.inf:
            return
        for group in profile.groups:
            self._measured[group][0] += seconds
            self._measured[group][1] += profile.work
        self._kinds[kind][0] += seconds
        self._kinds[kind][1] += 1

    def hint(self, stage: Stage, seconds: float) -> None:
        """Record how long a running stage will take at its present speed; used until a similar one is finished."""
        profile = self._profile(stage)
        for group in profile.groups:
            self._hints[group] = seconds / profile.work

    def knows(self, stage: Stage) -> bool:
        """Say whether a stage of this kind was measured; if not, its time is a guess."""
        kind = (stage.kind.value,)
        return kind in self._measured or kind in self._hints

    def seconds(self, stage: Stage) -> float:
        """Return the estimated wall time of a stage.

        It is scaled by work from the most similar finished stages, or else from a running one. If neither exists, it is
        a guess, scaled by how long the measured kinds took compared with their guesses.
        """
        profile = self._profile(stage)
        for group in profile.groups:
            if group in self._measured:
                seconds, work = self._measured[group]
                return seconds / work * profile.work
            if group in self._hints:
                return self._hints[group] * profile.work
        guesses = sum(_guess(kind) for kind in self._kinds)
        ratio = sum(seconds / count for seconds, count in self._kinds.values()) / guesses if guesses else 1.0
        return _guess(stage.kind.value) * ratio

    def _profile(self, stage: Stage) -> Profile:
        if stage.key not in self._profiles:
            self._profiles[stage.key] = self._profile_of(stage.kind.value, describe(stage.job), stage.inputs)
        return self._profiles[stage.key]

    def _profile_of(self, kind: str, job: dict[str, Any], inputs: Iterable[str]) -> Profile:
        return profile_of(kind, job, next((self._worlds[key] for key in inputs if key in self._worlds), None))


def _guess(kind: str) -> float:
    return _GUESS_SECONDS.get(kind, _OTHER_GUESS_SECONDS)


def seconds_of(folder: Path, manifest: Mapping[str, Any]) -> float:
    """Return the wall time in seconds that an artefact took to make.

    A manifest knows only the last attempt; for a training run that was resumed, the time of all its steps is read from
    its record, if that is on this machine.
    """
    last = float(manifest["seconds"])
    if manifest.get("kind") != StageKind.TRAIN.value:
        return last
    try:
        record = parse_json(read_bytes(folder / TRAINING_FILE, _MOST_BYTES, StoreError))
        return max(last, float(record["seconds"]))
    except (OSError, StoreError, ValueError, KeyError, TypeError, OverflowError):
        return last  # not on this machine, or damaged, which is reported when results are read
