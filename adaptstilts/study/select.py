"""Selection of the setting of a study that a submission is made of."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adaptstilts.errors import ConfigError, EvaluationError, StoreError
from adaptstilts.store.artefact import Artefact
from adaptstilts.study.filters import NO_SOURCE, admitted, filters_text, values_of
from adaptstilts.study.layout import TRAINING_FILE
from adaptstilts.study.plan.jobs import Cell
from adaptstilts.study.plan.plan import Plan
from adaptstilts.tasks.registry import get_task

_BEST_HINT = "choose per task by English dev scores with best (--best)"


@dataclass(frozen=True)
class Wanted:
    """Setting that a submission is made of; None matches anything.

    Attributes:
        source: Intermediate task; for a fusion, names joined by ``+``; ``none`` for settings without one.
        best: Whether to choose per task, by the score on the English dev set.
        variant: Label of a variant of a sweep.
    """

    method: str | None = None
    source: str | None = None
    seed: int | None = None
    best: bool = False
    variant: str | None = None


def setting_text(cell: Cell) -> str:
    """Return the command-line flags that select a cell's setting."""
    variant = f" --variant {shlex.quote(cell.variant)}" if cell.variant else ""
    return f"--method {cell.method} --source {cell.source or NO_SOURCE} --seed {cell.seed}{variant}"


def choose_cells(plan: Plan, done: Mapping[str, Artefact], wanted: Wanted) -> dict[str, Cell]:
    """Return the cell of each target task that belongs to the wanted setting.

    ``done`` holds the study's finished artefacts by key.

    Raises:
        ConfigError: If no setting matches, or several do and the best was not asked for.
        StoreError: If the best is asked for and no finished training run has a dev score.
        EvaluationError: If the best is asked for and a target without training has no setting to choose by.
    """
    filters = {"method": wanted.method, "source": wanted.source, "seed": wanted.seed, "variant": wanted.variant}
    cells = admitted(plan.cells, values_of, filters, what="setting")
    if wanted.best:
        return _best(done, cells)
    labels = list(dict.fromkeys(cell.variant for cell in cells))
    if len(labels) > 1:
        raise ConfigError(
            f"the study has {len(labels)} variants, and a submission holds one",
            key="variant",
            allowed=labels,
            hint=f"Name one, or {_BEST_HINT}.",
        )
    settings = dict.fromkeys(filters_text(values_of(cell), ("method", "source", "seed")) for cell in cells)
    if len(settings) > 1:
        raise ConfigError(
            f"{len(settings)} settings match, and a submission holds one",
            allowed=[f"({one})" for one in settings],
            hint=f"Name one by method, source and seed (--method, --source, --seed), or {_BEST_HINT}.",
        )
    return {cell.target: cell for cell in cells}


def _best(done: Mapping[str, Artefact], cells: Sequence[Cell]) -> dict[str, Cell]:
    """Return for each target the cell that is best on the English dev set, the first of equal ones.

    Targets without training have no dev score of their own: they take the setting with the best mean over the others,
    among those that have scores on all of them.
    """
    scores: dict[str, dict[str, float]] = {}
    for cell in cells:
        if cell.train is not None and cell.train in done and get_task(cell.target).trains:
            record = done[cell.train].record(TRAINING_FILE)
            if record.values.get("best_dev") is not None:
                scores.setdefault(cell.target, {})[setting_text(cell)] = float(record.number("best_dev"))
    if not scores:
        raise StoreError("no finished run has an English dev score", hint="Name a setting by method and source.")
    common = [name for name in dict.fromkeys(map(setting_text, cells)) if all(name in own for own in scores.values())]
    chosen: dict[str, Cell] = {}
    for cell in cells:
        own = scores.get(cell.target)
        if own is None and not common:
            raise EvaluationError(
                f"no setting has an English dev score on every target, so none is best for {cell.target}",
                hint="Finish the study, or name a setting by method and source.",
            )
        if own is not None:
            best = max(own, key=own.__getitem__)
        else:
            best = max(common, key=lambda name: sum(by_setting[name] for by_setting in scores.values()))
        if setting_text(cell) == best:
            chosen[cell.target] = cell
    return chosen
