"""Making one artefact, wherever that happens: claim it, look again whether it is there, make it."""

from __future__ import annotations

import traceback

from adaptstilts.engine.journal import Journal, StepCallback
from adaptstilts.engine.protocols import Runner, StageRequest, StageResult
from adaptstilts.errors import AdaptstiltsError, CrashError, EngineError
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store

_LONGEST_REASON = 300
"""Letters of an unforeseen error that are told; its log has all of it."""


def perform(request: StageRequest, store: Store, runner: Runner, on_step: StepCallback) -> StageResult:
    """Make an artefact unless it is there or another process is making it.

    Args:
        request: What to make.
        store: Where it goes; its claim keeps two processes from making the same artefact.
        runner: Makes it.
        on_step: Told how far it is.

    Returns:
        The result; all errors are in it, foreseen or not.
    """
    key = request.stage.key
    try:
        with store.claim(request.stage) as progress:
            if progress is None:
                return StageResult(key, "claimed")
            if store.find(request.stage) is not None:
                return StageResult(key, "cached")
            with Journal(store.root).stage(request.stage, on_step, progress) as log:
                log.made(runner.run(request.stage, request.inputs, store, log))
    except AdaptstiltsError as error:
        return StageResult(key, "failed", error)
    except Exception as error:  # noqa: BLE001 - it costs this stage only
        return _crashed(request.stage, store, error)
    return StageResult(key, "built")


def _crashed(stage: Stage, store: Store, error: Exception) -> StageResult:
    """Put the traceback of what nobody foresaw into the stage's log; a lack of memory may end with another try."""
    journal = Journal(store.root)
    journal.noted(stage, traceback.format_exc())
    said = (str(error).strip().splitlines() or [""])[0][:_LONGEST_REASON].rstrip(".")
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, without loading it
        return StageResult(stage.key, "lost", EngineError(f"out of memory: {said or type(error).__name__}"))
    hint = f"A bug, or trouble of the machine; the traceback is in {journal.path(stage)}."
    return StageResult(stage.key, "failed", CrashError(f"{type(error).__name__}: {said}", hint=hint))
