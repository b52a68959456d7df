"""What a study asks of the machine that runs it: `run` checks it before any stage, `validate` as far as that can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from adaptstilts.config.schema import StudyConfig
from adaptstilts.errors import ConfigError
from adaptstilts.runtime import ATTENTION_ON_CPU
from adaptstilts.store.stage import Stage
from adaptstilts.study.plan.check_inputs import check_data_is_there
from adaptstilts.study.plan.check_limits import precision_settings
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.study import Study
from adaptstilts.train.trackers import check_installed


def check_what_is_here(study: Study) -> None:
    """Check that the trackers of a study are installed, and that its data is not only for planning.

    Raises:
        ConfigError: If not.
    """
    for check in _checks_of_what_is_here(study):
        check()


def check_device_of(config: StudyConfig, plan: Plan, left: Sequence[Stage]) -> None:
    """Check that this machine has what stages of a study need; workers elsewhere are asked for nothing but a CPU.

    Args:
        left: The stages that are to be computed.

    Raises:
        ConfigError: If the device, its kernels of attention or its arithmetic is not there.
    """
    precisions = precision_settings(plan, left)
    is_here = config.engine.name == "local" or config.device == "cpu"
    if left and is_here and not _is_everywhere(config, precisions):
        from adaptstilts.study.stages.train_parallel import check_device  # noqa: PLC0415 - brings torch

        check_device(config, precisions)


def unchecked_here(study: Study, plan: Plan, left: Sequence[Stage]) -> tuple[str, ...]:
    """Check the same as `check_what_is_here` and `check_device_of` for a study that may be meant for another machine.

    Returns:
        A line about each thing that this machine lacks and another may have.

    Raises:
        ConfigError: If the device is ``cpu``, which is the same everywhere, and cannot do what is asked of it.
    """
    config = study.config
    if config.device == "cpu":
        check_device_of(config, plan, left)
    lines: dict[str, None] = {}
    checks = _checks_of_what_is_here(study)
    if config.device != "cpu":
        checks.append(partial(check_device_of, config, plan, left))
    for check in checks:
        try:
            check()
        except ConfigError as error:  # noqa: PERF203 - all are tried
            lines[f"{error.key}: {error.problem}; `run` refuses that on this machine"] = None
    if config.engine.name != "local":
        whether = f"whether the engine {config.engine.name} can be used, and what device its workers have"
        lines[f"{whether}: `run` starts it before the first stage"] = None
    return tuple(lines)


def _checks_of_what_is_here(study: Study) -> list[Callable[[], None]]:
    data: list[Callable[[], None]] = [partial(check_data_is_there, variant.config.data) for variant in study.variants]
    return [partial(check_installed, study.config.tracking), *data]


def _is_everywhere(config: StudyConfig, precisions: Mapping[str, str]) -> bool:
    """Say whether any machine has what is asked for, so that there is no need to load torch and look."""
    is_one = config.device in {"auto", "cpu"} and config.parallel.processes == 1
    return is_one and config.runtime.attention in {"auto", *ATTENTION_ON_CPU} and "fp16" not in precisions.values()
