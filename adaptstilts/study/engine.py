"""Opening the engine that a study's configuration names."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from adaptstilts.addresses import shown_address
from adaptstilts.engine.in_process import InProcessEngine, StageStep
from adaptstilts.engine.protocols import Engine
from adaptstilts.engine.resources import this_machine
from adaptstilts.study.pricing.needs import needs_of
from adaptstilts.study.study import Study
from adaptstilts.tasks.registry import adopt, outside_tasks

if TYPE_CHECKING:
    from adaptstilts.config.schema import StudyConfig
    from adaptstilts.study.stages.runner import StageRunner
    from adaptstilts.tasks.spec import Task


def open_engine(study: Study, on_step: StageStep, on_message: Callable[[str], None]) -> Engine:
    """Open the engine that a study names.

    Args:
        study: The study, as `Study.placed_for_engine` returns it.
        on_step: Called with the progress of stages that run on this machine; that of others is read from the store.
        on_message: Called with a line about the engine.

    Returns:
        The engine; `adaptstilts.engine.scheduler.run_graph` closes it.

    Raises:
        EngineError: If it is not installed or cannot be reached.
    """
    config, store = study.config, study.store
    shown = config.model_copy(update={"store": shown_address(config.store)})  # runners do not use the store's address
    make_runner = partial(local_runner, shown, outside_tasks(), secrets.token_hex(8))
    if config.engine.name == "ray":
        from adaptstilts.engine.on_ray import RayEngine  # noqa: PLC0415

        return RayEngine(config, make_runner, store, needs_of(study.variants, study.plan), on_message)
    here = InProcessEngine(make_runner, store, on_step)
    if config.engine.name == "slurm":
        from adaptstilts.engine.on_slurm import SlurmEngine  # noqa: PLC0415

        return SlurmEngine(config, make_runner, store, here, on_message)
    if config.workers > 1:
        from adaptstilts.engine.process_pool import ProcessEngine  # noqa: PLC0415

        machine = this_machine(config.device).grouped(config.parallel.processes)
        needs = needs_of(study.variants, study.plan)
        return ProcessEngine(config.workers, make_runner, store, on_step, machine, needs)
    return here


def local_runner(config: StudyConfig, tasks: tuple[Task, ...] = (), run: str = "") -> StageRunner:
    """Return the runner of a study's stages in this process; a module-level function, so that it can be pickled.

    Args:
        config: The study.
        tasks: Outside tasks of the process that started the study, which workers have not registered.
        run: Random name of the run. A worker that outlives it, as Ray's may, keeps its runner no longer: the files that
            it holds to their content may have changed before the next run was planned.
    """
    from adaptstilts.study.stages.runner import StageRunner  # noqa: PLC0415 - brings torch

    adopt(tasks)
    return StageRunner(config)
