"""Makes one artefact, on whatever engine: claim the stage, check that it is still missing, run it."""

from __future__ import annotations

import traceback

from adaptstilts.addresses import shown_address
from adaptstilts.engine.journal import Journal, StepCallback
from adaptstilts.engine.protocols import Runner, StageRequest, StageResult
from adaptstilts.errors import AdaptstiltsError, CrashError, EngineError, TakenOverError
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store

_LONGEST_REASON = 300
"""Most characters of an unexpected error in a message; the log has all of it."""


def perform(request: StageRequest, store: Store, runner: Runner, on_step: StepCallback) -> StageResult:
    """Make an artefact unless it is in the store or another process is making it.

    Args:
        store: Receives the artefact; its claim keeps two processes from making the same one.
        on_step: Called with steps done, steps in all and a note.

    Returns:
        The result; it carries every error, expected or not.
    """
    key = request.stage.key
    try:
        with store.claim(request.stage, request.number) as progress:
            if progress is None:
                return StageResult(key, "claimed")
            if store.find(request.stage) is not None:
                return StageResult(key, "cached")
            with Journal(store.root).stage(request.stage, on_step, progress) as log:
                log.made(runner.run(request.stage, request.inputs, store, log))
    except TakenOverError:
        return StageResult(key, "claimed")
    except AdaptstiltsError as error:
        return StageResult(key, "failed", error)
    except Exception as error:  # noqa: BLE001 - any error costs only this stage
        return _crashed(request.stage, store, error)
    return StageResult(key, "built")


def _crashed(stage: Stage, store: Store, error: Exception) -> StageResult:
    """Log the traceback of an unexpected error and return the result; out of memory counts as a lost worker."""
    journal = Journal(store.root)
    journal.noted(stage, traceback.format_exc())
    reason = (shown_address(str(error)).strip().splitlines() or [""])[0][:_LONGEST_REASON].rstrip(".")
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, without loading it
        return StageResult(stage.key, "lost", EngineError(f"out of memory: {reason or type(error).__name__}"))
    hint = f"A bug, or a problem of the machine; the traceback is in {journal.path(stage)}."
    return StageResult(stage.key, "failed", CrashError(f"{type(error).__name__}: {reason}", hint=hint))
