"""Prices of a whole plan, by kind of stage, and the savings of sharing and of adapters. Free of torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from adaptstilts.formatting import number_text
from adaptstilts.store.stage import Stage, StageKind
from adaptstilts.study.plan.jobs import PredictJob, TrainJob, intermediate_runs, job_of
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.pricing.cost import FREE, Price, Pricing, total
from adaptstilts.study.pricing.memory import Memory
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task
from adaptstilts.train.methods import FAMILIES, METHODS, RESULT_GROUPS

_PHASES = ("data", "intermediate", "target", "predict")
_MAX_WARNINGS = 5
_HOUR = 3600.0
_PROCESS_COUNTS = (2, 4, 8)
"""Numbers of processes to try for a stage that does not fit one device."""


@dataclass
class _SamePrice:
    """Stages with the same price: their number, the number not finished, and the name of the first."""

    price: Price
    name: str
    count: int = 0
    left: int = 0


@dataclass
class PriceSum:
    """Sum of the prices of several stages.

    Attributes:
        stages: Number of stages.
        done: Number of finished stages.
        runs: Number of training stages.
        runs_done: Number of finished training stages.
        measured: Seconds that finished stages took on the device priced for; None if none ran on it.
    """

    stages: int = 0
    done: int = 0
    runs: int = 0
    runs_done: int = 0
    measured: float | None = None
    _by_price: dict[int, _SamePrice] = field(default_factory=dict)

    def add(self, stage: Stage, price: Price, *, is_done: bool, seconds: float | None = None) -> None:
        """Add a stage; ``seconds`` is its measured time, if there is one."""
        self.stages += 1
        self.done += is_done
        if stage.kind is StageKind.TRAIN:
            self.runs += 1
            self.runs_done += is_done
        entry = self._by_price.get(id(price)) or self._by_price.setdefault(id(price), _SamePrice(price, stage.name))
        entry.count += 1
        entry.left += not is_done
        if seconds is not None:
            self.measured = (self.measured or 0.0) + seconds

    @property
    def price(self) -> Price:
        """Price of all stages; memory is the largest peak."""
        return total((entry.price, entry.count) for entry in self._by_price.values())

    @property
    def left(self) -> Price:
        """Price of the stages that are not finished."""
        return total((entry.price, entry.left) for entry in self._by_price.values())

    @property
    def largest(self) -> str:
        """Name of a stage with the largest peak memory; empty if none runs a network."""
        named = {_peak(entry.price): entry.name for entry in reversed(self._by_price.values())}
        return named[max(named)] if named and max(named) else ""

    def record(self, memory: int) -> dict[str, Any]:
        """Convert to plain values.

        Args:
            memory: Memory of the device in bytes.
        """
        price, left = self.price, self.left
        peak = _peak(price) or None
        return {
            "stages": self.stages,
            "done": self.done,
            "to_do": self.stages - self.done,
            "trained_each": max((entry.price.trained for entry in self._by_price.values()), default=0),
            **_amounts(price),
            "bytes_to_do": left.written,
            "flops_to_do": left.flops,
            "hours_to_do": left.seconds / _HOUR,
            "memory_bytes": peak,
            "largest": self.largest,
            "fits": peak is None or peak <= memory,
            "hours_measured": None if self.measured is None else self.measured / _HOUR,
        }


def _peak(price: Price) -> float:
    return 0.0 if price.memory is None else price.memory.total


def _amounts(price: Price) -> dict[str, float]:
    return {
        "trained_parameters": price.trained,
        "bytes": price.written,
        "tokens": price.tokens,
        "flops": price.flops,
        "hours": price.seconds / _HOUR,
    }


@dataclass
class PlanPrices:
    """Prices of a whole plan.

    Attributes:
        rows: Sums by kind of stage and method; intermediate runs by family.
        columns: Sums for full models and for adapters, with sharing within each.
        without_sharing: Number of training runs and price if each cell made all that it needs, by the same columns.
        warnings: Stages that do not fit the device, with the change that would make them fit.
        is_priced: Whether all stages have a price, which requires the backbone's shape.
    """

    rows: dict[str, PriceSum] = field(default_factory=dict)
    columns: dict[str, PriceSum] = field(default_factory=dict)
    without_sharing: dict[str, tuple[int, Price]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    is_priced: bool = True

    def record(self, memory: int) -> dict[str, Any]:
        """Convert to plain values.

        Args:
            memory: Memory of the device in bytes.
        """
        columns = {}
        for name, column in self.columns.items():
            runs, price = self.without_sharing[name]
            columns[name] = {
                "runs": column.runs,
                "runs_done": column.runs_done,
                **column.record(memory),
                "without_sharing": {"runs": runs, **_amounts(price)},
            }
        return {
            "table": [{"what": name, **row.record(memory)} for name, row in self.rows.items()],
            "families": columns,
            "warnings": self.warnings,
            "is_priced": self.is_priced,
        }


def price_plan(plan: Plan, pricing: Pricing, done: Collection[str], seconds: Mapping[str, float]) -> PlanPrices:
    """Sum the prices of a plan's stages.

    Args:
        done: Keys of finished stages.
        seconds: Measured times of finished stages by key, if they ran on the device priced for.
    """
    totals = PlanPrices()
    prices: dict[str, Price] = {}
    intermediate = intermediate_runs(plan.stages)
    for stage in plan.stages:
        price = pricing.price(stage)
        totals.is_priced = totals.is_priced and price is not None
        prices[stage.key] = price or FREE
        row = totals.rows.setdefault(_row(stage, intermediate), PriceSum())
        row.add(stage, prices[stage.key], is_done=stage.key in done, seconds=seconds.get(stage.key))
    totals.rows = dict(sorted(totals.rows.items(), key=lambda item: _row_order(item[0])))
    _add_columns(totals, plan, prices, done)
    totals.warnings = _warnings(plan, pricing, prices, intermediate)
    return totals


def _row_order(row: str) -> tuple[int, int]:
    """Return the sorting key of a row: order of execution, then order of the methods."""
    phase, _, name = row.partition(" ")
    names = [*(family.plural for family in FAMILIES.values()), *METHODS]
    place = _PHASES.index(phase) if phase in _PHASES else len(_PHASES)
    return place, names.index(name) if name in names else 0


def _row(stage: Stage, intermediate: Collection[str]) -> str:
    prediction = job_of(stage, PredictJob)
    if prediction is not None:
        return f"predict {prediction.method}"
    training = job_of(stage, TrainJob)
    if training is None:
        return stage.kind.value
    if stage.key in intermediate:
        return f"intermediate {FAMILIES[METHODS[training.method].family].plural}"
    return f"target {training.method}"


def _add_columns(totals: PlanPrices, plan: Plan, prices: Mapping[str, Price], done: Collection[str]) -> None:
    """Sum the stages that the cells of each column need, with sharing and as if each cell repeated all of them."""
    runs = {stage.key for stage in plan.stages if stage.kind is StageKind.TRAIN}
    data = {stage.key for stage in plan.stages if stage.kind is StageKind.DATA}  # no repetition would generate it again
    for group in RESULT_GROUPS.values():
        times: Counter[str] = Counter()
        for cell in plan.cells:
            if FAMILIES[METHODS[cell.method].family].group == group.name:
                times.update(plan.with_inputs(cell.keys) - data)
        if times:
            # In the plan's order, since sums of rounded numbers depend on it.
            needed = [stage for stage in plan.stages if stage.key in times]
            unshared = total((prices[stage.key], times[stage.key]) for stage in needed)
            totals.without_sharing[group.plural] = (sum(count for key, count in times.items() if key in runs), unshared)
            column = totals.columns[group.plural] = PriceSum()
            for stage in needed:
                column.add(stage, prices[stage.key], is_done=stage.key in done)


def _warnings(plan: Plan, pricing: Pricing, prices: Mapping[str, Price], intermediate: Collection[str]) -> list[str]:
    """List the stages that do not fit the device, one per method and task, with the cheapest change that helps."""
    found: dict[str, str] = {}
    for stage in plan.stages:
        memory = prices[stage.key].memory
        if memory is None or memory.total <= pricing.device.memory:
            continue
        job = job_of(stage, TrainJob) or job_of(stage, PredictJob)
        if job is None:
            continue
        phase = "intermediate" if stage.key in intermediate else "target"
        what = f"{stage.kind.value} {job.method} {job.task}"
        if what not in found:
            found[what] = (
                f"{stage.name} needs about {memory.total / 1e9:.1f} GB, {pricing.device.title} has "
                f"{pricing.device.memory / 1e9:.0f} GB: {_remedy(stage, phase, pricing)}"
            )
    listed = list(found.values())
    if len(listed) > _MAX_WARNINGS:
        listed = [
            *listed[:_MAX_WARNINGS],
            f"too large as well: {number_text(len(listed) - _MAX_WARNINGS, 'more kind', 'of runs')}",
        ]
    return listed


def _remedy(stage: Stage, phase: str, pricing: Pricing) -> str:
    job, prediction = job_of(stage, TrainJob), job_of(stage, PredictJob)
    if prediction is not None:
        return f"set evaluation.batch_tokens below {prediction.batch_tokens}, or give a larger device"
    if job is None:
        return "give a larger device"
    section = f"{phase}.{METHODS[job.method].family}"
    options = [_more_processes(stage, pricing), _smaller_batches(stage, job, section, pricing)]
    if any(options):
        return f"set {', or '.join(filter(None, options))}"
    if METHODS[job.method].attachment is None:
        return "its weights, gradients and optimizer alone are too much; use adapters, or a larger device"
    return "give a larger device"


def _more_processes(stage: Stage, pricing: Pricing) -> str:
    """Suggest the number of processes that lets a run fit; empty if none does. Results stay the same."""
    for processes in (count for count in _PROCESS_COUNTS if count > pricing.parallel.processes):
        if _fits(pricing.memory_on(stage, pricing.device, processes), pricing):
            return f"parallel.processes={processes}, each with a device of its own"
    return ""


def _smaller_batches(stage: Stage, job: TrainJob, section: str, pricing: Pricing) -> str:
    """Suggest the setting that lets a run fit one device; empty if none does.

    Recomputing activations is tried first, since it changes no content key.
    """
    powers = range(job.settings.batch_size.bit_length())
    cut = [(recomputed, 2**power) for recomputed in (False, True) for power in powers]
    for recomputed, parts in [(True, job.settings.accumulation), *cut]:
        settings = {"accumulation": parts, "gradient_checkpointing": recomputed}
        if _fits(pricing.memory_on(stage, pricing.device, **settings), pricing):
            words = [f"{section}.gradient_checkpointing=true"] if recomputed else []
            words += [f"{section}.accumulation={parts}"] if parts != job.settings.accumulation else []
            return " and ".join(words) + (_fewer_candidates_note(job) if parts > job.settings.accumulation else "")
    return ""


def _fits(memory: Memory | None, pricing: Pricing) -> bool:
    return memory is not None and memory.total <= pricing.device.memory


def _fewer_candidates_note(job: TrainJob) -> str:
    if FACTS[get_task(job.task).kind].has_candidates:
        return " (each query then has fewer candidates)"
    return ""
