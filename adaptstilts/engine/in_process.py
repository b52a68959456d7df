"""The simplest engine: stages run in this process, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adaptstilts.engine.perform import perform
from adaptstilts.engine.protocols import Answer, Order, Runner
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store

StageStep = Callable[[Stage, int, int, str], None]
"""Called with (stage, steps done, steps in total, a short note such as the loss)."""


class InProcessEngine:
    """Runs stages in this process, in order.

    Args:
        runner: Makes artefacts; or a function that makes the runner, called when the first stage is run.
        store: Where artefacts go.
        on_step: Called with the progress of the running stage.
    """

    def __init__(self, runner: Runner | Callable[[], Runner], store: Store, on_step: StageStep) -> None:
        self._runner = runner
        self._store = store
        self._on_step = on_step
        self._order: Order | None = None

    @property
    def is_full(self) -> bool:
        """Whether a stage is waiting to be run."""
        return self._order is not None

    def has_room(self, order: Order) -> bool:
        """Whether no other stage is waiting to be run."""
        return self._order is None

    def submit(self, order: Order) -> None:
        """Take the next order; it is carried out when `answers` is called."""
        self._order = order

    def answers(self, seconds: float | None) -> Sequence[Answer]:
        """Carry out the order, however long it takes."""
        if self._order is None:
            return ()
        order, self._order = self._order, None
        if not hasattr(self._runner, "run"):
            self._runner = self._runner()

        def stepped(done: int, total: int, note: str) -> None:
            self._on_step(order.stage, done, total, note)

        return (perform(order, self._store, self._runner, stepped),)

    def close(self, *, at_once: bool) -> None:
        """Do nothing, as nothing runs between two calls."""
