"""The network of a table cell of a study, chosen by name and loaded from the finished stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from adaptstilts.errors import ConfigError, StoreError
from adaptstilts.study.filters import Filter, admitted, filters_text, values_of
from adaptstilts.study.plan.jobs import Cell, PredictJob, job_of
from adaptstilts.study.study import RUN_HINT, Study

if TYPE_CHECKING:
    from adaptstilts.study.stages.finished import FinishedNetwork


def load_network(study: Study, filters: Mapping[str, Filter]) -> FinishedNetwork:
    """Load the network of the only cell of a study that the filters admit.

    Raises:
        ConfigError: If not exactly one cell fits.
        StoreError: If a stage that its weights come from is not finished.
        DamagedError: If their files are damaged.
    """
    from adaptstilts.study.stages.finished import finished_network  # noqa: PLC0415 - brings torch

    with study.settings_named():
        cell = choose_cell(study.plan.cells, filters)
        job = job_of(study.plan.stage((*cell.predict, *cell.hidden)[0]), PredictJob)
        if job is None:
            raise AssertionError("unreachable: a cell names what predicts it")
        keys = [source.key for source in job.sources] + ([job.trained] if job.trained is not None else [])
        stages = tuple(study.plan.stage(key) for key in dict.fromkeys(keys))
        missing = [stage.name for stage in stages if stage.key not in study.store.find_all(stages)]
        if missing:
            raise StoreError(f"not finished: {', '.join(missing)}", path=study.config.store, hint=RUN_HINT)
        return finished_network(job, stages, study.store)


def choose_cell(cells: Sequence[Cell], filters: Mapping[str, Filter]) -> Cell:
    """Return the only cell that the filters admit.

    Raises:
        ConfigError: If none or several fit; it lists those there are.
        ProblemsError: For several unknown values.
    """
    found = [(cell, values_of(cell)) for cell in admitted(cells, values_of, filters, what="network")]
    if len(found) == 1:
        return found[0][0]
    names = [name for name in filters if len({values[name] for _, values in found}) > 1]
    raise ConfigError(
        f"{len(found)} networks fit, and one is loaded; they differ in {', '.join(names)}",
        allowed=[f"({filters_text(values, names)})" for _, values in found],
        hint="Give the arguments of one of them.",
    )
