"""Plans of swept studies: one graph for all variants, in which equal work stands once. Free of torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from adaptstilts.config.schema import DataSection
from adaptstilts.config.sweep import Variant, settings_text
from adaptstilts.errors import AdaptstiltsError, ProblemsError
from adaptstilts.formatting import merged_lines
from adaptstilts.store.stage import SUMMARIES, DataPlace, Stage, StageKind, StageMaker
from adaptstilts.study.plan.jobs import AnalyseJob, Cell, OverlapCheck, ReportView, Run
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.plan.report import last_stages, told_cells
from adaptstilts.study.plan.retrieval import retrieves, settings_line
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split

_COUNTS = {"max_train": None, "max_evaluation": None, "leaks": "stop"}
"""Of the data section, what does not change which data there is."""


def join_plans(planned: Sequence[tuple[Variant, Plan]]) -> Plan:
    """Make one plan of the plans of all variants.

    Stages with equal keys are one. Where stages of several variants would have one name, it tells them apart by the
    settings in which they differ.

    Args:
        planned: The variants with their plans.

    Returns:
        The plan: data first, then variant by variant what those before it lack; its cells name their variant. A single
        plan comes back as it is.
    """
    if len(planned) == 1:
        return planned[0][1]
    places = {DataPlace(variant.config.data.root, variant.config.data.quoting) for variant, _ in planned}
    stages: dict[str, Stage] = {}
    users: dict[str, list[Variant]] = defaultdict(list)
    for variant, plan in planned:
        place = DataPlace(variant.config.data.root, variant.config.data.quoting) if len(places) > 1 else None
        for stage in plan.stages:
            if stage.kind not in SUMMARIES:
                stages.setdefault(stage.key, replace(stage, place=place))
                users[stage.key].append(variant)
    named = _told_apart(stages, users)
    data_first = sorted(named, key=lambda stage: stage.kind is not StageKind.DATA)
    cells = tuple(replace(cell, variant=variant.label) for variant, plan in planned for cell in plan.cells)
    plans = {variant.label: plan for variant, plan in planned}
    groups = by_data([variant for variant, _ in planned])
    last = last_stages(
        _joined_tables(planned, {stage.key: stage.name for stage in named}, cells),
        planned[0][1].report.title,
        tuple(
            ReportView(plan.report.shown[0].published, variant.label, tuple(variant.settings))
            for variant, plan in planned
        ),
        tuple(_joined_data(group, plans, with_place=len(places) > 1, is_titled=len(groups) > 1) for group in groups),
        StageMaker(),
    )
    return Plan((*data_first, *last), cells, sum(plan.requested_runs for _, plan in planned))


def _joined_tables(
    planned: Sequence[tuple[Variant, Plan]], names: Mapping[str, str], cells: Iterable[Cell]
) -> AnalyseJob:
    """What is put into tables, of all variants."""
    runs: dict[str, Run] = {}
    for variant, plan in planned:
        for run in plan.tables.runs:
            known = runs.get(run.key)
            named = known if known is not None and (known.method or not run.method) else run
            labels = () if known is None else known.variants
            runs[run.key] = replace(named, stage=names[run.key], variants=(*labels, variant.label))
    return AnalyseJob(
        cells=told_cells(cells),
        runs=tuple(runs.values()),
        remarks=tuple(replace(plan.tables.remarks[0], variant=variant.label) for variant, plan in planned),
        version=planned[0][1].tables.version,
    )


def _joined_data(
    group: Sequence[Variant], plans: Mapping[str, Plan], *, with_place: bool, is_titled: bool
) -> OverlapCheck:
    """What is looked through of data that several variants read."""
    first, parts = group[0], [plans[variant.label].report.compared[0] for variant in group]
    scored: dict[str, dict[tuple[str, Split], None]] = defaultdict(dict)
    for name, pairs in (one for part in parts for one in part.scored):
        scored[name].update(dict.fromkeys(pairs))
    data = first.config.data
    return OverlapCheck(
        trained=tuple(dict.fromkeys(name for part in parts for name in part.trained)),
        scored=tuple((name, tuple(pairs)) for name, pairs in scored.items()),
        data=tuple(dict.fromkeys(digest for part in parts for digest in part.data)),
        world=parts[0].world,
        title=f"data of {first.label}" if is_titled else "",
        place=DataPlace(data.root, data.quoting) if with_place else None,
    )


def users_of(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return the labels of the variants that need each stage, by its key."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for label in labels_of(plan):
        for key in _needed(plan, [cell for cell in plan.cells if cell.variant == label]):
            found[key][label] = None
    return {key: tuple(labels) for key, labels in found.items()}


def labels_of(plan: Plan) -> tuple[str, ...]:
    """Return the labels of a plan's variants; one, which is empty, without a sweep."""
    return tuple(dict.fromkeys(cell.variant for cell in plan.cells))


def part_of(plan: Plan, labels: Sequence[str]) -> Plan:
    """Return what some variants need of a plan."""
    if set(labels_of(plan)) <= set(labels):
        return plan
    cells = tuple(cell for cell in plan.cells if cell.variant in labels)
    needed = _needed(plan, cells)
    stages = tuple(stage for stage in plan.stages if stage.key in needed)
    return Plan(stages, cells, plan.requested_runs)


def by_data(chosen: Sequence[Variant]) -> list[list[Variant]]:
    """Group variants by the data that they read, in order."""
    groups: dict[str, list[Variant]] = defaultdict(list)
    for variant in chosen:
        groups[data_key(variant.config.data)].append(variant)
    return list(groups.values())


def parts_by_data(chosen: Sequence[Variant], plan: Plan) -> list[tuple[Variant, Plan]]:
    """Split a study by the data that it reads.

    Args:
        chosen: All variants of the study.
        plan: Its plan.

    Returns:
        For each different data, the first variant that reads it, and what all variants that read it need of the plan.
    """
    groups = by_data(chosen)
    return [(group[0], part_of(plan, [variant.label for variant in group])) for group in groups]


def data_key(section: DataSection) -> str:
    """Return a text that is equal for sections that name the same data."""
    return section.model_copy(update=_COUNTS).model_dump_json()


def of_variants(problems: Sequence[tuple[Variant, AdaptstiltsError]], count: int) -> list[AdaptstiltsError]:
    """Say each problem of a sweep once, and of which variant it is unless it is one of all.

    Args:
        problems: Problems with the variants that have them.
        count: How many variants there are.

    Returns:
        The problems.
    """
    first: dict[str, AdaptstiltsError] = {}
    owners: dict[str, list[str]] = defaultdict(list)
    for variant, error in problems:
        for problem in error.problems if isinstance(error, ProblemsError) else (error,):
            first.setdefault(str(problem), problem)
            owners[str(problem)].append(variant.label)
    for text, problem in first.items():
        if len(owners[text]) < count:
            problem.problem = f"{problem.problem} (in variant {'; '.join(owners[text])})"
    return list(first.values())


def retrieval_lines(chosen: Sequence[Variant]) -> list[str]:
    """Return the settings in effect for each retrieval target; those not of all variants begin with the variant."""
    return merged_lines(
        {
            variant.label: [
                settings_line(variant.config.retrieval, task)
                for task in map(get_task, variant.config.target.tasks)
                if retrieves(task)
            ]
            for variant in chosen
        }
    )


def _told_apart(stages: Mapping[str, Stage], users: Mapping[str, Sequence[Variant]]) -> list[Stage]:
    """Put behind each name that stands several times what tells its stages apart."""
    groups: dict[str, list[Stage]] = defaultdict(list)
    for stage in stages.values():
        groups[stage.name].append(stage)
    names: dict[str, str] = {}
    for name, group in groups.items():
        if len(group) > 1:
            names.update(zip((stage.key for stage in group), _names(name, [users[s.key] for s in group]), strict=True))
    return [replace(stage, name=names.get(stage.key, stage.name)) for stage in stages.values()]


def _names(name: str, users: Sequence[Sequence[Variant]]) -> list[str]:
    """Name stages by the settings that all their variants share and others do not; else by their first variant.

    Two stages of one name are never of one variant, so that the first variants differ.
    """
    everywhere = _shared([variant for group in users for variant in group])
    texts = [settings_text([item for item in _shared(group) if item not in everywhere]) for group in users]
    if "" in texts or len(set(texts)) < len(texts):
        texts = [group[0].label for group in users]
    return [f"{name}, {text}" for text in texts]


def _shared(group: Sequence[Variant]) -> list[tuple[str, object]]:
    return [item for item in group[0].settings if all(item in variant.settings for variant in group)]


def _needed(plan: Plan, cells: Sequence[Cell]) -> set[str]:
    """Keys of the stages behind some cells."""
    waiting = [key for cell in cells for key in _keys_of(cell)]
    needed: set[str] = set()
    while waiting:
        key = waiting.pop()
        if key not in needed:
            needed.add(key)
            waiting += plan.stage(key).inputs
    return needed


def _keys_of(cell: Cell) -> Iterator[str]:
    for name in ("train", "predict", "score", "hidden"):
        value = getattr(cell, name)
        yield from (value,) if isinstance(value, str) else value or ()
