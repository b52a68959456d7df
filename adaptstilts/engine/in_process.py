"""The simplest engine: stages run in this process, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adaptstilts.engine.perform import perform
from adaptstilts.engine.protocols import MakeRunner, Runner, StageRequest, StageResult
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store

StageStep = Callable[[Stage, int, int, str], None]
"""Called with (stage, steps done, steps in total, a short note such as the loss)."""


class InProcessEngine:
    """Runs stages in this process, in order.

    Args:
        make_runner: Called when the first stage is run.
        store: Where artefacts go.
        on_step: Called with the progress of the running stage.
    """

    def __init__(self, make_runner: MakeRunner, store: Store, on_step: StageStep) -> None:
        self._make_runner = make_runner
        self._runner: Runner | None = None
        self._store = store
        self._on_step = on_step
        self._request: StageRequest | None = None

    @property
    def is_full(self) -> bool:
        """Whether a stage is waiting to be run."""
        return self._request is not None

    def has_room(self, request: StageRequest) -> bool:
        """Whether no other stage is waiting to be run."""
        return self._request is None

    def submit(self, request: StageRequest) -> None:
        """Take the next request; it is carried out when `results` is called."""
        self._request = request

    def results(self, seconds: float | None) -> Sequence[StageResult]:
        """Carry out the request, however long it takes."""
        if self._request is None:
            return ()
        request, self._request = self._request, None
        if self._runner is None:
            self._runner = self._make_runner()

        def stepped(done: int, total: int, note: str) -> None:
            self._on_step(request.stage, done, total, note)

        return (perform(request, self._store, self._runner, stepped),)

    def close(self, *, at_once: bool) -> None:
        """Do nothing, as nothing runs between two calls."""
