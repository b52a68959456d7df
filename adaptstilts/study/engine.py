"""From a configuration to the engine that carries its stages out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from adaptstilts.engine.in_process import InProcessEngine, StageStep
from adaptstilts.engine.protocols import Engine
from adaptstilts.engine.resources import NeedsOf, this_machine
from adaptstilts.models.backbone import locate
from adaptstilts.store.store import Store
from adaptstilts.study.plan.data_facts import MINI, OFFICIAL

if TYPE_CHECKING:
    from adaptstilts.config.schema import StudyConfig
    from adaptstilts.study.stages.runner import LocalRunner


def open_engine(
    config: StudyConfig, store: Store, on_step: StageStep, needs: NeedsOf, tell: Callable[[str], None]
) -> Engine:
    """Start the engine that a study names.

    Args:
        config: The study, as `placed_for_engine` returns it.
        store: Where artefacts go.
        on_step: Told how far stages are that run on this machine; of others the store tells.
        needs: Memory that a stage takes on a GPU.
        tell: Told a line about the engine.

    Returns:
        The engine; `adaptstilts.engine.scheduler.carry_out` closes it.

    Raises:
        EngineError: If it is not installed or cannot be reached.
    """
    make_runner = partial(local_runner, config)
    if config.engine.name == "ray":
        from adaptstilts.engine.on_ray import RayEngine  # noqa: PLC0415

        return RayEngine(config, make_runner, store, needs, tell)
    here = InProcessEngine(make_runner, store, on_step)
    if config.engine.name == "slurm":
        from adaptstilts.engine.on_slurm import SlurmEngine  # noqa: PLC0415

        return SlurmEngine(config, make_runner, store, here, tell)
    if config.workers > 1:
        from adaptstilts.engine.process_pool import ProcessEngine  # noqa: PLC0415

        machine = this_machine(config.device).grouped(config.parallel.processes)
        return ProcessEngine(config.workers, make_runner, store, on_step, machine, needs)
    return here


def local_runner(config: StudyConfig) -> LocalRunner:
    """Return a runner of a study's stages; a function by name, so that it travels to other processes."""
    from adaptstilts.study.stages.runner import LocalRunner  # noqa: PLC0415 - brings torch

    return LocalRunner(config)


def placed_for_engine(config: StudyConfig) -> StudyConfig:
    """Make paths absolute for engines whose workers may run in another folder.

    Args:
        config: The study.

    Returns:
        The same study; folders and files that are there, and the store, are named from the root.
    """
    if config.engine.name == "local":
        return config

    def absolute(name: str) -> str:
        return name if "://" in name else str(Path(name).expanduser().absolute())

    def backbone(name: str) -> str:
        located = locate(name)
        return absolute(located) if Path(located).is_dir() else located

    def root(name: str) -> str:
        return name if name in {MINI, OFFICIAL} else absolute(name)

    places = {"backbone": backbone, "data.root": root}
    return config.model_copy(
        update={
            "store": absolute(config.store),
            "backbone": backbone(config.backbone),
            "data": config.data.model_copy(update={"root": root(config.data.root)}),
            "sweep": tuple(
                {key: places[key](value) if key in places else value for key, value in point.items()}
                for point in config.sweep
            ),
        }
    )
