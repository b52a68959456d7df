"""Interfaces between the parts of an engine: requests and results, engines, runners, watchers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from adaptstilts.engine.journal import StageLog
from adaptstilts.errors import AdaptstiltsError
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store


class Watcher(Protocol):
    """Receives the events of a run; the command line draws them."""

    def skipped(self, stages: list[Stage]) -> None:
        """Called once with the stages that are in the store already."""
        ...

    def started(self, stage: Stage, left: int, worker: str = "") -> None:
        """A worker begins a stage; ``left`` stages are unfinished, this one included."""
        ...

    def stepped(self, stage: Stage, done: int, total: int, note: str) -> None:
        """A running stage has finished ``done`` of its ``total`` steps."""
        ...

    def requeued(self, stage: Stage) -> None:
        """A stage that had begun waits again: another process is making it, or its worker was lost."""
        ...

    def finished(self, stage: Stage, artefact: Artefact) -> None:
        """A stage's artefact is in the store."""
        ...

    def noted(self, text: str) -> None:
        """A message about the whole run."""
        ...

    def failed(self, stage: Stage, error: AdaptstiltsError) -> None:
        """A stage could not be made; the stages that depend on it are left out."""
        ...


class Runner(Protocol):
    """Makes the artefact of one stage."""

    def run(self, stage: Stage, inputs: tuple[Stage, ...], store: Store, log: StageLog) -> Artefact:
        """Make the artefact of a stage.

        Args:
            inputs: The stages it builds on, all finished.
            log: Receives steps, notes and numbers.

        Raises:
            AdaptstiltsError: If the input is unusable.
        """
        ...


MakeRunner = Callable[[], Runner]
"""Makes the runner of a worker; it must survive pickling, since workers may be other processes."""


@dataclass(frozen=True)
class StageRequest:
    """Everything a worker needs to make one artefact.

    Attributes:
        inputs: The stages it builds on.
        losses: How often its work was lost before; from the first time on it gets a GPU to itself, unless
            the configuration fixes the GPUs per stage.
        number: Random name of the request, which the claim of whoever carries it out bears; may be empty.
    """

    stage: Stage
    inputs: tuple[Stage, ...]
    losses: int = 0
    number: str = ""


ResultKind = Literal["built", "cached", "claimed", "failed", "lost"]
"""built: just now; cached: in the store already; claimed: another process is making it; failed: its input makes it
impossible; lost: the worker died or ran out of memory, and another try may succeed."""


@dataclass(frozen=True)
class StageResult:
    """The outcome of one request.

    Attributes:
        key: Key of the stage.
        what: See `ResultKind`.
        error: Reason of a failure or a loss.
    """

    key: str
    what: ResultKind
    error: AdaptstiltsError | None = None


class Engine(Protocol):
    """Runs stages: takes requests, and returns one result for each, in any order."""

    def has_room(self, request: StageRequest) -> bool:
        """Whether this request would start now rather than wait for another one to end."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether no request at all would start now."""
        ...

    def submit(self, request: StageRequest) -> None:
        """Accept a request; the stage may start later."""
        ...

    def results(self, seconds: float | None) -> Sequence[StageResult]:
        """Wait for results.

        Args:
            seconds: Longest wait; None for no limit.

        Returns:
            All results that have come in; empty if the time is over.
        """
        ...

    def close(self, *, at_once: bool) -> None:
        """End all workers; with ``at_once`` without waiting for their current stages."""
        ...
