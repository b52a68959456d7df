"""Carrying out a plan in several processes on one machine: independent stages run side by side.

Results do not depend on the number of processes: each stage seeds itself, and its key says what decides it. Small
models gain most, since one stage cannot keep several cores busy.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from adaptstilts.errors import AdaptstiltsError, ConfigError, StoreError, WriteError
from adaptstilts.study.execute import Outcome, Watcher, sort_out
from adaptstilts.study.plan import Plan
from adaptstilts.study.stages import Stage, StageKind
from adaptstilts.study.store import Store

if TYPE_CHECKING:
    from adaptstilts.config.schema import StudyConfig
    from adaptstilts.study.runners import LocalRunner

_runner: LocalRunner | None = None


def carry_out_side_by_side(
    plan: Plan,
    store: Store,
    config: StudyConfig,
    watcher: Watcher,
    *,
    when_data_is_there: Callable[[], object] | None = None,
) -> Outcome:
    """Make every artefact of a plan that is not there, in ``config.workers`` processes.

    Args:
        plan: The plan.
        store: Where artefacts are.
        config: The study; each process makes its own runner of it.
        watcher: Told what happens; steps inside a stage are not told.
        when_data_is_there: Called once before the first stage that does not make data.

    Returns:
        What came of it, as `adaptstilts.study.execute.carry_out` returns it.

    Raises:
        StoreError: If an artefact that should be there is damaged, or a process died.
    """
    from adaptstilts.runtime import pick_device  # noqa: PLC0415 - brings torch

    if pick_device(config.device).type != "cpu":
        raise ConfigError(
            f"{config.workers} processes would share one GPU", key="workers", hint="Set workers=1 or device=cpu."
        )
    outcome, waiting = sort_out(plan, store, watcher)
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(config.workers, mp_context=context, initializer=_start, initargs=(config,))
    running: dict[Future[None], Stage] = {}
    try:
        while waiting or running:
            making_data = any(stage.kind is StageKind.DATA for stage in (*waiting, *running.values()))
            if when_data_is_there is not None and not making_data:
                when_data_is_there()
                when_data_is_there = None
            for stage in _ready(waiting, outcome, room=config.workers - len(running)):
                waiting.remove(stage)
                watcher.started(stage, len(waiting) + 1)
                running[pool.submit(_run, stage, plan.inputs_of(stage), store)] = stage
            if not running:
                outcome.left_out += [stage.name for stage in waiting]
                break
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                _take(future, running.pop(future), store, outcome, watcher)
    except KeyboardInterrupt:
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return outcome


def _ready(waiting: list[Stage], outcome: Outcome, *, room: int) -> list[Stage]:
    ready = [stage for stage in waiting if all(key in outcome.done for key in stage.inputs)]
    return ready[:room]


def _take(future: Future[None], stage: Stage, store: Store, outcome: Outcome, watcher: Watcher) -> None:
    try:
        future.result()
    except WriteError:
        raise
    except AdaptstiltsError as error:
        outcome.failures[stage.key] = error
        watcher.failed(stage, error)
        return
    except BrokenProcessPool as error:
        raise StoreError(
            f"a worker process died during '{stage.name}'",
            hint="Out of memory? Lower `workers`; the same command goes on from the finished stages.",
        ) from error
    artefact = store.find(stage)
    if artefact is None:
        raise RuntimeError(f"{stage.name} left no artefact")
    outcome.done[stage.key] = artefact
    outcome.made.append(stage.key)
    watcher.finished(stage, artefact)


def _start(config: StudyConfig) -> None:
    """Make the runner of a worker process; an interruption is the parent's to handle."""
    global _runner  # noqa: PLW0603 - one per process, set once
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from adaptstilts.study.runners import LocalRunner  # noqa: PLC0415

    _runner = LocalRunner(config)


def _run(stage: Stage, inputs: tuple[Stage, ...], store: Store) -> None:
    if _runner is None:
        raise RuntimeError("the worker has no runner")
    _runner.run(stage, inputs, store, lambda done, total, note: None)
