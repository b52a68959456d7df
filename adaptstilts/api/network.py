"""The network of a table cell of a study, chosen by name and loaded from the finished stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adaptstilts.errors import ConfigError, StoreError
from adaptstilts.study.plan.jobs import Cell, PredictJob, job_of
from adaptstilts.study.select import NO_SOURCE, Wanted
from adaptstilts.study.study import Study

if TYPE_CHECKING:
    from adaptstilts.study.stages.finished import FinishedNetwork


def load_network(study: Study, target: str, wanted: Wanted) -> FinishedNetwork:
    """Load the network that predicts a target in one setting of a study.

    Raises:
        ConfigError: If not exactly one cell fits.
        StoreError: If a stage that its weights come from is not finished.
        DamagedError: If their files are damaged.
    """
    from adaptstilts.study.stages.finished import finished_network  # noqa: PLC0415 - brings torch

    with study.settings_named():
        cell = choose_cell(study.plan.cells, target, wanted)
        job = job_of(study.plan.stage((*cell.predict, *cell.hidden)[0]), PredictJob)
        if job is None:
            raise AssertionError("unreachable: a cell names what predicts it")
        keys = [source.key for source in job.sources] + ([job.trained] if job.trained is not None else [])
        stages = tuple(study.plan.stage(key) for key in dict.fromkeys(keys))
        missing = [stage.name for stage in stages if stage.key not in study.store.find_all(stages)]
        if missing:
            hint = "Run the study first: study.run(), or adaptstilts run."
            raise StoreError(f"not finished: {', '.join(missing)}", path=study.config.store, hint=hint)
        return finished_network(job, stages, study.store)


def choose_cell(cells: Sequence[Cell], target: str, wanted: Wanted) -> Cell:
    """Return the only cell of a target in the setting that is wanted.

    Raises:
        ConfigError: If none or several fit; it lists those there are.
    """
    of_target = [cell for cell in cells if cell.target == target]
    if not of_target:
        targets = dict.fromkeys(cell.target for cell in cells)
        raise ConfigError(f"'{target}' is not a target of this study", value=target, allowed=targets)
    found = [cell for cell in of_target if wanted.matches(cell)]
    if len(found) == 1:
        return found[0]
    if not found:
        problem, listed = f"no network of '{target}' fits", of_target
    else:
        problem, listed = f"{len(found)} networks of '{target}' fit, and one is loaded", found
    raise ConfigError(problem, allowed=map(_arguments, listed), hint="Give the arguments of one of them.")


def _arguments(cell: Cell) -> str:
    """Return the arguments of `adaptstilts.api.study.Study.network` that choose a cell."""
    named = [("method", cell.method), ("source", cell.source or NO_SOURCE), ("seed", cell.seed)]
    named += [("variant", cell.variant)] if cell.variant else []
    return f"({', '.join(f'{name}={value!r}' for name, value in named)})"
