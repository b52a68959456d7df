"""Carrying out requests in a worker process, whose runner is kept from one request to the next."""

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


def ignore_steps(done: int, total: int, note: str) -> None:
    """Discard progress: workers elsewhere are watched through the store."""


def perform_here(
    make_runner: MakeRunner, store: Store, request: StageRequest, on_step: StepCallback = ignore_steps
) -> StageResult:
    """Carry out a request in this process.

    The runner is made once per process and kept while ``make_runner`` stays equal, so that a loaded network is reused.
    """
    try:
        runner = _runner(pickle.dumps(make_runner))
    except AdaptstiltsError as error:
        return StageResult(request.stage.key, "failed", error)
    return perform(request, store, runner, on_step)
