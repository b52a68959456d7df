"""What a worker process does with an order; one runner per process stays warm between orders."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from adaptstilts.errors import AdaptstiltsError
from adaptstilts.study.execute import Answer, Order, perform
from adaptstilts.study.journal import StepCallback

if TYPE_CHECKING:
    from adaptstilts.config.schema import StudyConfig
    from adaptstilts.study.runners import LocalRunner
    from adaptstilts.study.store import Store


@functools.lru_cache(maxsize=1)
def _runner(config_json: str) -> LocalRunner:
    from adaptstilts.config.schema import StudyConfig  # noqa: PLC0415
    from adaptstilts.study.runners import LocalRunner  # noqa: PLC0415

    return LocalRunner(StudyConfig.model_validate_json(config_json))


Work = Callable[["StudyConfig", "Store", Order, StepCallback], Answer]
"""Carries an order out; `perform_here`, or what a test puts in its place."""


def untold(done: int, total: int, note: str) -> None:
    """Tell nobody: workers elsewhere are watched through the store."""


def perform_here(config: StudyConfig, store: Store, order: Order, on_step: StepCallback = untold) -> Answer:
    """Carry an order out in this process.

    Args:
        config: The study; with absolute paths where this process may run in another folder than its parent.
        store: The store that all workers share.
        order: What to make.
        on_step: Told how far it is.

    Returns:
        The answer.
    """
    try:
        runner = _runner(config.model_dump_json())
    except AdaptstiltsError as error:
        return Answer(order.stage.key, "failed", error)
    return perform(order, store, runner, on_step)
