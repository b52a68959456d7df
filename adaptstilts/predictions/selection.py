"""Selection of a study's predictions by task, language, method, source, seed, variant and split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from adaptstilts.errors import ConfigError, raise_all
from adaptstilts.store.stage import Stage
from adaptstilts.study.plan.jobs import Cell, PredictJob, job_of
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.select import NO_SOURCE
from adaptstilts.tasks.spec import Split

Filter: TypeAlias = "str | int | Iterable[str | int] | None"
"""A value or several of them; None for all."""


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
    def values(self) -> dict[str, str | int]:
        """Values that filters are compared with, by name of the filter."""
        return {
            "task": self.cell.target,
            "language": self.language,
            "method": self.cell.method,
            "source": self.cell.source,
            "seed": self.cell.seed,
            "variant": self.cell.variant,
            "split": self.split.value,
        }


def select(plan: Plan, filters: Mapping[str, Filter]) -> list[Selected]:
    """Return the predictions that all filters admit, finished or not, in the order of the plan's cells.

    Raises:
        ConfigError: If a filter has a value that no prediction of the study has, with those that there are.
    """
    every = [found for cell in plan.cells for found in _of_cell(plan, cell)]
    known = {name: list(dict.fromkeys(found.values[name] for found in every)) for name in filters}
    wanted = {name: _values(name, value) for name, value in filters.items() if value is not None}
    raise_all([problem for name, values in wanted.items() for problem in _unknown(name, values, known[name])])
    return [found for found in every if all(found.values[name] in values for name, values in wanted.items())]


def _of_cell(plan: Plan, cell: Cell) -> list[Selected]:
    stages = [plan.stage(key) for key in dict.fromkeys((*cell.predict, *cell.hidden))]
    return [
        Selected(cell, stage, job, language, split)
        for stage in stages
        if (job := job_of(stage, PredictJob)) is not None
        for language, split in job.languages
    ]


def _values(name: str, value: Any) -> list[str | int]:  # noqa: ANN401 - a filter as a caller wrote it
    values = [value] if isinstance(value, str | int) else list(value)
    plain = [one.value if isinstance(one, Split) else one for one in values]
    return ["" if name == "source" and one == NO_SOURCE else one for one in plain]


def _unknown(name: str, values: Sequence[str | int], known: Sequence[str | int]) -> list[ConfigError]:
    shown = [NO_SOURCE if name == "source" and one == "" else one for one in known]
    if name == "variant" and known == [""]:
        problem, allowed, hint = "is not a variant: the study is no sweep", None, "Leave variant out."
    else:
        problem, allowed, hint = f"is not a {name} of the study's predictions", shown, None
    return [
        ConfigError(f"'{one}' {problem}", key=name, value=one, allowed=allowed, hint=hint)
        for one in values
        if one not in known
    ]
