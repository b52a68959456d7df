"""How long stages take: estimates from the measured times of finished ones. Pure, and free of torch."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptstilts.store.stage import Stage, StageKind, describe
from adaptstilts.study.layout import TRAINING_FILE
from adaptstilts.tasks.registry import get_task
from adaptstilts.train.methods import METHODS

_GUESS_SECONDS = {StageKind.DATA.value: 10.0, StageKind.TRAIN.value: 10.0, StageKind.PREDICT.value: 3.0}
_OTHER_GUESS_SECONDS = 0.3
"""Of the mini world on a CPU: what stands in until something is measured, and the proportion between kinds of which one
is measured."""

Group = tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """What the time of a stage depends on.

    Attributes:
        groups: From the stages most like it to all of its kind.
        work: What the time is proportional to among stages of a group, in a unit of its own per kind.
    """

    groups: tuple[Group, ...]
    work: float


def shape_of(kind: str, job: dict[str, Any], world: Mapping[str, Any] | None = None) -> Shape:
    """Return what the time of a stage depends on.

    Args:
        kind: Its kind.
        job: Its job, as `adaptstilts.store.stage.describe` returns it and manifests hold it.
        world: Job of the stage that generated its data; None where they are published ones.

    Returns:
        Groups: same backbone, method and task; then the same task with the same family of weights; the same task; the
        same method; the same backbone; the same kind. Work: of a training run the examples of all its steps times
        sub-tokens of the longest input; of predictions and scores the number of languages; else 1.
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
        return Shape(groups, _training_work(job, task, world))
    return Shape(groups, float(max(1, len(job.get("languages", ())))))


def _training_work(job: dict[str, Any], task: str, world: Mapping[str, Any] | None) -> float:
    settings = job["settings"]
    rows = get_task(task).rows or 1 if world is None else _generated_rows(world, task)
    if job.get("max_train") is not None:
        rows = min(rows, job["max_train"])
    examples = settings["epochs"] * rows
    if settings.get("max_steps") is not None:
        examples = min(examples, settings["max_steps"] * settings["batch_size"])
    return float(examples * settings["max_length"])


def _generated_rows(world: Mapping[str, Any], task: str) -> int:
    """Return the training examples of a task in a generated world.

    Args:
        world: The generator's job as plain values.
        task: Name of the task.
    """
    return int(world["low_resource" if get_task(task).low_resource else "train"])


class Pace:
    """Estimates of the time that stages take."""

    def __init__(self) -> None:
        self._worlds: dict[str, Mapping[str, Any]] = {}
        self._measured: dict[Group, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._kinds: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._hints: dict[Group, float] = {}
        self._shapes: dict[str, Shape] = {}

    def add_world(self, key: str, job: Mapping[str, Any]) -> None:
        """Take in how much a stage generates that others read.

        Args:
            key: Key of the stage.
            job: Its job as plain values.
        """
        self._worlds[key] = job

    def add(self, kind: str, job: dict[str, Any], seconds: float, inputs: Iterable[str] = ()) -> None:
        """Take in the measured time of a finished stage; that of a run on generated data only if it is known how much.

        Args:
            kind: Its kind.
            job: Its job as plain values.
            seconds: Wall time.
            inputs: Keys of the stages that it builds on.
        """
        if job.get("data") == [f"{job.get('task')}/train"] and not any(key in self._worlds for key in inputs):
            return  # names of generated files, where others have fingerprints
        shape = self._shape_of(kind, job, inputs)
        for group in shape.groups:
            self._measured[group][0] += seconds
            self._measured[group][1] += shape.work
        self._kinds[kind][0] += seconds
        self._kinds[kind][1] += 1

    def hint(self, stage: Stage, seconds: float) -> None:
        """Take in what a running stage will take at its present speed; used where nothing like it is finished."""
        shape = self._shape(stage)
        for group in shape.groups:
            self._hints[group] = seconds / shape.work

    def knows(self, stage: Stage) -> bool:
        """Return whether a stage of this kind was measured; if not, its time is a guess."""
        kind = (stage.kind.value,)
        return kind in self._measured or kind in self._hints

    def seconds(self, stage: Stage) -> float:
        """Return about how long a stage takes.

        Args:
            stage: The stage.

        Returns:
            Wall time: from the finished stages most like it, in proportion to the work; from a running stage; in
            proportion to other kinds; or a guess.
        """
        shape = self._shape(stage)
        for group in shape.groups:
            if group in self._measured:
                seconds, work = self._measured[group]
                return seconds / work * shape.work
            if group in self._hints:
                return self._hints[group] * shape.work
        guesses = sum(_guess(kind) for kind in self._kinds)
        ratio = sum(seconds / count for seconds, count in self._kinds.values()) / guesses if guesses else 1.0
        return _guess(stage.kind.value) * ratio

    def _shape(self, stage: Stage) -> Shape:
        if stage.key not in self._shapes:
            self._shapes[stage.key] = self._shape_of(stage.kind.value, describe(stage.job), stage.inputs)
        return self._shapes[stage.key]

    def _shape_of(self, kind: str, job: dict[str, Any], inputs: Iterable[str]) -> Shape:
        return shape_of(kind, job, next((self._worlds[key] for key in inputs if key in self._worlds), None))


def _guess(kind: str) -> float:
    return _GUESS_SECONDS.get(kind, _OTHER_GUESS_SECONDS)


def seconds_of(folder: Path, manifest: Mapping[str, Any]) -> float:
    """Return how long an artefact took to make.

    Args:
        folder: Its folder.
        manifest: Its manifest, which tells of the last attempt.

    Returns:
        Wall time in seconds; of a training run that went on after an interruption, that of all its steps, where its
        record is on this machine.
    """
    last = float(manifest["seconds"])
    if manifest.get("kind") != StageKind.TRAIN.value:
        return last
    try:
        return max(last, float(json.loads((folder / TRAINING_FILE).read_bytes())["seconds"]))
    except (OSError, ValueError, KeyError, TypeError):  # not on this machine, or damaged: who reads results will say so
        return last
