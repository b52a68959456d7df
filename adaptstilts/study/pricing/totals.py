"""The bill of a plan: prices by kind of stage, and what sharing and adapters save. Free of torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adaptstilts.store.stage import Stage, StageKind
from adaptstilts.study.plan.jobs import PredictJob, TrainJob, intermediate_runs, job_of
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.pricing.cost import FREE, Price, Pricing, total
from adaptstilts.study.pricing.memory import Memory
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task
from adaptstilts.train.methods import FAMILIES, METHODS

_PHASES = ("data", "intermediate", "target", "predict")
_MOST_WARNINGS = 5
_HOUR = 3600.0
_PROCESSES = (2, 4, 8)
"""Of a stage, to be looked at whether it would fit."""


@dataclass
class _Alike:
    """Stages with one price: how many, how many of them are not finished, and the name of the first."""

    price: Price
    name: str
    count: int = 0
    left: int = 0


@dataclass
class Sum:
    """Stages with their prices, summed.

    Attributes:
        stages: How many.
        done: How many of them are finished.
        runs: How many train.
        runs_done: How many of those are finished.
        measured: Seconds that finished ones took on the device asked for; None where none did.
    """

    stages: int = 0
    done: int = 0
    runs: int = 0
    runs_done: int = 0
    measured: float | None = None
    _alike: dict[int, _Alike] = field(default_factory=dict)

    def add(self, stage: Stage, price: Price, *, is_done: bool, seconds: float | None = None) -> None:
        """Add a stage."""
        trains = stage.kind is StageKind.TRAIN
        self.stages += 1
        self.done += is_done
        self.runs += trains
        self.runs_done += is_done and trains
        alike = self._alike.get(id(price)) or self._alike.setdefault(id(price), _Alike(price, stage.name))
        alike.count += 1
        alike.left += not is_done
        if seconds is not None:
            self.measured = (self.measured or 0.0) + seconds

    @property
    def price(self) -> Price:
        """Of all of them; of memory the largest."""
        return total((alike.price, alike.count) for alike in self._alike.values())

    @property
    def left(self) -> Price:
        """Of those that are not finished."""
        return total((alike.price, alike.left) for alike in self._alike.values())

    @property
    def largest(self) -> str:
        """Name of a stage with the largest peak; empty where none runs a network."""
        named = {_peak(alike.price): alike.name for alike in reversed(self._alike.values())}
        return named[max(named)] if named and max(named) else ""

    def record(self, memory: int) -> dict[str, Any]:
        """Return it as plain values.

        Args:
            memory: Bytes of the device.
        """
        price, left = self.price, self.left
        peak = _peak(price) or None
        return {
            "stages": self.stages,
            "done": self.done,
            "to_do": self.stages - self.done,
            "trained_each": max((alike.price.trained for alike in self._alike.values()), default=0),
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
class Bill:
    """Prices of a plan.

    Attributes:
        rows: Sums by kind of stage and method; intermediate runs by family.
        columns: Sums for full models and adapters, whatever is shared within each.
        naive: What loops that share nothing would cost, by the same columns, with their training runs.
        warnings: Runs that do not fit the device, and what to change.
        is_priced: Whether there are prices: the backbone's shape is known.
    """

    rows: dict[str, Sum] = field(default_factory=dict)
    columns: dict[str, Sum] = field(default_factory=dict)
    naive: dict[str, tuple[int, Price]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    is_priced: bool = True

    def record(self, memory: int) -> dict[str, Any]:
        """Return it as plain values.

        Args:
            memory: Bytes of the device.
        """
        columns = {}
        for name, column in self.columns.items():
            runs, price = self.naive[name]
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


def make_bill(plan: Plan, pricing: Pricing, done: Collection[str], seconds: Mapping[str, float]) -> Bill:
    """Price a plan.

    Args:
        plan: The plan.
        pricing: Prices of its stages.
        done: Keys of finished stages.
        seconds: What finished ones took, by key, where it was measured on the device asked for.

    Returns:
        The bill.
    """
    bill = Bill()
    prices: dict[str, Price] = {}
    intermediate = intermediate_runs(plan.stages)
    for stage in plan.stages:
        price = pricing.price(stage)
        bill.is_priced = bill.is_priced and price is not None
        prices[stage.key] = price or FREE
        row = bill.rows.setdefault(_row(stage, intermediate), Sum())
        row.add(stage, prices[stage.key], is_done=stage.key in done, seconds=seconds.get(stage.key))
    bill.rows = dict(sorted(bill.rows.items(), key=lambda item: _place(item[0])))
    _add_columns(bill, plan, prices, done)
    bill.warnings = _warnings(plan, pricing, prices, intermediate)
    return bill


def _place(row: str) -> tuple[int, int]:
    """Where a row stands: in the order in which stages are carried out, and of the methods."""
    phase, _, name = row.partition(" ")
    names = [*(family.many for family in FAMILIES.values()), *METHODS]
    place = _PHASES.index(phase) if phase in _PHASES else len(_PHASES)
    return place, names.index(name) if name in names else 0


def _row(stage: Stage, intermediate: Collection[str]) -> str:
    training, prediction = job_of(stage, TrainJob), job_of(stage, PredictJob)
    if training is not None and stage.key in intermediate:
        return f"intermediate {FAMILIES[METHODS[training.method].family].many}"
    if training is not None:
        return f"target {training.method}"
    return stage.kind.value if prediction is None else f"predict {prediction.method}"


def _add_columns(bill: Bill, plan: Plan, prices: Mapping[str, Price], done: Collection[str]) -> None:
    """Sum what the cells of each column need: once with sharing, and once as if every cell made all of it anew."""
    known: dict[str, frozenset[str]] = {}
    runs = {stage.key for stage in plan.stages if stage.kind is StageKind.TRAIN}
    for group in dict.fromkeys(family.group for family in FAMILIES.values()):
        name = FAMILIES[group].many
        times: Counter[str] = Counter()
        for cell in plan.cells:
            if FAMILIES[METHODS[cell.method].family].group == group:
                trained = () if cell.train is None else (cell.train,)
                times.update(_needed(plan, known, (*trained, *cell.predict, *cell.score, *cell.hidden)))
        if times:
            # In the plan's order, since sums of rounded numbers depend on it.
            naive = total((prices[stage.key], times[stage.key]) for stage in plan.stages)
            bill.naive[name] = (sum(count for key, count in times.items() if key in runs), naive)
            column = bill.columns[name] = Sum()
            for stage in plan.stages:
                if stage.key in times:
                    column.add(stage, prices[stage.key], is_done=stage.key in done)


def _needed(plan: Plan, known: dict[str, frozenset[str]], keys: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(_with_inputs(plan, known, key) for key in keys))


def _with_inputs(plan: Plan, known: dict[str, frozenset[str]], key: str) -> frozenset[str]:
    """A stage and all it builds on but the data set, which no loop makes twice."""
    if key not in known:
        stage = plan.stage(key)
        above = (_with_inputs(plan, known, one) for one in stage.inputs)
        known[key] = frozenset() if stage.kind is StageKind.DATA else frozenset({key}).union(*above)
    return known[key]


def _warnings(plan: Plan, pricing: Pricing, prices: Mapping[str, Price], intermediate: Collection[str]) -> list[str]:
    """Name what does not fit, once for every method and task, with the cheapest change that helps."""
    found: dict[str, str] = {}
    for stage in plan.stages:
        memory, job = prices[stage.key].memory, job_of(stage, TrainJob) or job_of(stage, PredictJob)
        if memory is None or memory.total <= pricing.device.memory or job is None:
            continue
        phase = "intermediate" if stage.key in intermediate else "target"
        what = f"{stage.kind.value} {job.method} {job.task}"
        if what not in found:
            found[what] = (
                f"{stage.name} needs about {memory.total / 1e9:.1f} GB, {pricing.device.title} has "
                f"{pricing.device.memory / 1e9:.0f} GB: {_remedy(stage, phase, pricing)}"
            )
    listed = list(found.values())
    if len(listed) > _MOST_WARNINGS:
        listed = [*listed[:_MOST_WARNINGS], f"{len(listed) - _MOST_WARNINGS} more kinds of runs do not fit either"]
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
    """How many processes let a run fit, each on a device; empty where none do. What is trained stays as it is."""
    for processes in (count for count in _PROCESSES if count > pricing.parallel.processes):
        if _fits(pricing.memory_on(stage, pricing.device, processes), pricing):
            return f"parallel.processes={processes}, each with a device of its own"
    return ""


def _smaller_batches(stage: Stage, job: TrainJob, section: str, pricing: Pricing) -> str:
    """What lets a run fit one device; empty where nothing does. First of all to recompute, which is in no key."""
    powers = range(job.settings.batch_size.bit_length())
    cut = [(recomputed, 2**power) for recomputed in (False, True) for power in powers]
    for recomputed, parts in [(True, job.settings.accumulation), *cut]:
        settings = {"accumulation": parts, "gradient_checkpointing": recomputed}
        if _fits(pricing.memory_on(stage, pricing.device, **settings), pricing):
            words = [f"{section}.gradient_checkpointing=true"] if recomputed else []
            words += [f"{section}.accumulation={parts}"] if parts != job.settings.accumulation else []
            return " and ".join(words) + (_not_alike(job) if parts > job.settings.accumulation else "")
    return ""


def _fits(memory: Memory | None, pricing: Pricing) -> bool:
    return memory is not None and memory.total <= pricing.device.memory


def _not_alike(job: TrainJob) -> str:
    if FACTS[get_task(job.task).kind].has_candidates:
        return " (each query then has fewer candidates)"
    return ""
