"""What a worker process does with a request; one runner per process stays warm between requests."""

from __future__ import annotations

import functools
import pickle
from typing import TYPE_CHECKING

from adaptstilts.engine.journal import StepCallback
from adaptstilts.engine.perform import perform
from adaptstilts.engine.protocols import MakeRunner, Runner, StageRequest, StageResult
from adaptstilts.errors import AdaptstiltsError

if TYPE_CHECKING:
    from adaptstilts.store.store import Store


@functools.lru_cache(maxsize=1)
def _runner(pickled: bytes) -> Runner:
    make_runner: MakeRunner = pickle.loads(pickled)
    return make_runner()


def untold(done: int, total: int, note: str) -> None:
    """Report steps to nobody: workers elsewhere are watched through the store."""


def perform_here(
    make_runner: MakeRunner, store: Store, request: StageRequest, on_step: StepCallback = untold
) -> StageResult:
    """Carry a request out in this process.

    Args:
        make_runner: Makes the runner, unless an equal one has made it in this process before.
        store: The store that all workers share.
        request: What to make.
        on_step: Called with how far it is.
    """
    try:
        runner = _runner(pickle.dumps(make_runner))
    except AdaptstiltsError as error:
        return StageResult(request.stage.key, "failed", error)
    return perform(request, store, runner, on_step)
