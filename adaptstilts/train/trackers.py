"""TensorBoard and Weights & Biases, through accelerate's trackers; both are optional. No torch until one starts."""

from __future__ import annotations

import contextlib
import importlib.util
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptstilts.config.schema import TrackerName
from adaptstilts.errors import ConfigError


@dataclass(frozen=True)
class TrackedRun:
    """A training run as trackers know it.

    Attributes:
        name: Name that people read.
        slug: Name of its folder; also its id, so that a later attempt continues the same run.
        project: Project in Weights & Biases.
        settings: Everything that decides its result, as plain values.
    """

    name: str
    slug: str
    project: str
    settings: dict[str, Any]


def check_installed(names: Sequence[TrackerName]) -> None:
    """Raise an error if the package of a requested tracker is not installed; nothing is imported."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise ConfigError(
                f"'{name}' is not installed",
                key="tracking",
                hint=f"Install it: pip install adaptstilts[{name}]. More: adaptstilts docs watching.",
            )


class Trackers:
    """The trackers of one training run, started by accelerate, behind a single interface."""

    def __init__(self, trackers: Sequence[Any]) -> None:
        self._trackers = tuple(trackers)

    def log(self, values: dict[str, float], step: int) -> None:
        """Send values by name, after ``step`` optimiser steps, to all trackers.

        The names are ``loss``, ``learning_rate``, ``examples_per_second``, ``dev_score`` (percent), and ``summary/...``
        at the end.
        """
        for tracker in self._trackers:
            tracker.log(values, step=step)


@contextlib.contextmanager
def tracked(names: Sequence[TrackerName], run: TrackedRun, folder: Path) -> Iterator[Trackers]:
    """Start trackers for a training run, and stop them at its end.

    TensorBoard's files go below ``tensorboard/<slug>`` in ``folder``, those that Weights & Biases keeps locally below
    ``wandb``.
    """
    from accelerate import PartialState  # noqa: PLC0415 - brings torch

    PartialState()  # accelerate's trackers write to its log, which asks for it
    started: list[Any] = []
    try:
        for name in names:
            tracker = _make(name, run, folder)
            if hasattr(tracker, "start"):  # before accelerate 1.8 a tracker starts when it is made
                tracker.start()
            started.append(tracker)
            tracker.store_init_configuration(flatten(run.settings))
        yield Trackers(started)
    finally:
        for tracker in started:
            tracker.finish()


def _make(name: TrackerName, run: TrackedRun, folder: Path) -> Any:  # noqa: ANN401 - accelerate has no types
    from accelerate import tracking  # noqa: PLC0415

    if name == "tensorboard":
        return tracking.TensorBoardTracker(run.slug, folder / name)
    folder.mkdir(parents=True, exist_ok=True)
    return tracking.WandBTracker(run.project, name=run.name, id=run.slug, resume="allow", dir=str(folder))


def flatten(settings: dict[str, Any], above: str = "") -> dict[str, str | int | float | bool]:
    """Flatten nested settings to values by dotted name, as trackers want them; lists as JSON text, null as ``null``."""
    flat: dict[str, str | int | float | bool] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{above}{name}.")
        elif isinstance(value, str | int | float):
            flat[above + name] = value
        else:
            flat[above + name] = json.dumps(value)
    return flat
