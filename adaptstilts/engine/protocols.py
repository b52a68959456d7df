"""What the engine's parts know of each other: requests and results, engines, runners, watchers."""

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
    """Told what happens while a plan is carried out; the command line draws it."""

    def skipped(self, stages: list[Stage]) -> None:
        """These stages were there already."""
        ...

    def started(self, stage: Stage, left: int, worker: str = "") -> None:
        """A stage begins, on this worker; ``left`` stages are to do, this one included."""
        ...

    def stepped(self, stage: Stage, done: int, total: int, note: str) -> None:
        """A running stage has done so many of its steps."""
        ...

    def requeued(self, stage: Stage) -> None:
        """A stage that began waits again: another process is making it, or its worker was lost."""
        ...

    def finished(self, stage: Stage, artefact: Artefact) -> None:
        """A stage's artefact is in the store."""
        ...

    def noted(self, text: str) -> None:
        """Something about the whole study is known."""
        ...

    def failed(self, stage: Stage, error: AdaptstiltsError) -> None:
        """A stage could not be made; what depends on it is left out."""
        ...


class Runner(Protocol):
    """Makes the artefact of one stage."""

    def run(self, stage: Stage, inputs: tuple[Stage, ...], store: Store, log: StageLog) -> Artefact:
        """Make the artefact.

        Args:
            stage: What to make.
            inputs: The stages it builds on; all are finished.
            store: Where it goes.
            log: Told how far it is.

        Returns:
            The finished artefact.

        Raises:
            AdaptstiltsError: If input makes it impossible.
        """
        ...


MakeRunner = Callable[[], Runner]
"""Makes the runner of a worker; it must survive pickling, since workers may be other processes."""


@dataclass(frozen=True)
class StageRequest:
    """All that a worker needs to make one artefact.

    Attributes:
        stage: What to make.
        inputs: The stages it builds on.
        tries: How often its worker was lost already; from then on it has a GPU to itself.
    """

    stage: Stage
    inputs: tuple[Stage, ...]
    tries: int = 0


ResultKind = Literal["built", "cached", "claimed", "failed", "lost"]
"""built: just now; cached: in the store already; claimed: another process is making it; failed: its input makes it
impossible; lost: the worker died or ran out of memory, and another try may succeed."""


@dataclass(frozen=True)
class StageResult:
    """What came of a request.

    Attributes:
        key: Key of its stage.
        what: See `ResultKind`.
        error: Why it failed or was lost.
    """

    key: str
    what: ResultKind
    error: AdaptstiltsError | None = None


class Engine(Protocol):
    """Takes requests, and returns one result for each, in any order."""

    def has_room(self, request: StageRequest) -> bool:
        """Whether this request would be started now rather than wait for another to end."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether there is room for no request at all."""
        ...

    def submit(self, request: StageRequest) -> None:
        """Take a request; it may be started later."""
        ...

    def results(self, seconds: float | None) -> Sequence[StageResult]:
        """Wait for a result.

        Args:
            seconds: Longest wait; None for no limit.

        Returns:
            What is known now; empty where time is over.
        """
        ...

    def close(self, *, at_once: bool) -> None:
        """End all workers; ``at_once`` without waiting for what they are doing."""
        ...
