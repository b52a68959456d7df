"""Selection of a study's predictions by task, language, method, source, seed, variant and split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adaptstilts.store.stage import Stage
from adaptstilts.study.filters import Filter, Value, admitted, values_of
from adaptstilts.study.plan.jobs import Cell, PredictJob, job_of
from adaptstilts.study.plan.plan import Plan
from adaptstilts.tasks.spec import Split


@dataclass(frozen=True)
class Selected:
    """Predictions of one language for one cell of a study.

    Attributes:
        cell: Cell that refers to them; several cells may share one stage.
        stage: Stage that makes them.
        job: The stage's job.
    """

    cell: Cell
    stage: Stage
    job: PredictJob
    language: str
    split: Split

    @property
    def values(self) -> dict[str, Value]:
        """Values that filters are compared with, by name of the filter."""
        return {**values_of(self.cell), "language": self.language, "split": self.split.value}


def select(plan: Plan, filters: Mapping[str, Filter]) -> list[Selected]:
    """Return the predictions that all filters admit, finished or not, in the order of the plan's cells.

    Raises:
        ConfigError: If the study has no predictions that one filter, or several together, admit.
        ProblemsError: For several unknown values.
    """
    every = [found for cell in plan.cells for found in _of_cell(plan, cell)]
    return admitted(every, lambda found: found.values, filters, what="predictions")


def _of_cell(plan: Plan, cell: Cell) -> list[Selected]:
    stages = [plan.stage(key) for key in dict.fromkeys((*cell.predict, *cell.hidden))]
    return [
        Selected(cell, stage, job, language, split)
        for stage in stages
        if (job := job_of(stage, PredictJob)) is not None
        for language, split in job.languages
    ]
