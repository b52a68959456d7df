"""The simplest engine: this process, one stage at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adaptstilts.engine.perform import perform
from adaptstilts.engine.protocols import Runner, StageRequest, StageResult
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store

StageStep = Callable[[Stage, int, int, str], None]
"""Told (stage, steps done, steps in all, a word on it)."""


class InProcessEngine:
    """Carries stages out in this process, in order.

    Args:
        runner: Makes artefacts; or a function that makes the runner, called when the first stage is carried out.
        store: Where artefacts go.
        on_step: Told how far the running stage is.
    """

    def __init__(self, runner: Runner | Callable[[], Runner], store: Store, on_step: StageStep) -> None:
        self._runner = runner
        self._store = store
        self._on_step = on_step
        self._request: StageRequest | None = None

    @property
    def is_full(self) -> bool:
        """Whether there is a stage to carry out."""
        return self._request is not None

    def has_room(self, request: StageRequest) -> bool:
        """Whether there is no other stage to carry out."""
        return self._request is None

    def submit(self, request: StageRequest) -> None:
        """Take the next request; it is carried out when the result is asked for."""
        self._request = request

    def results(self, seconds: float | None) -> Sequence[StageResult]:
        """Carry the request out, however long it takes."""
        if self._request is None:
            return ()
        request, self._request = self._request, None
        if not hasattr(self._runner, "run"):
            self._runner = self._runner()

        def stepped(done: int, total: int, note: str) -> None:
            self._on_step(request.stage, done, total, note)

        return (perform(request, self._store, self._runner, stepped),)

    def close(self, *, at_once: bool) -> None:
        """Do nothing: nothing runs between two calls."""
