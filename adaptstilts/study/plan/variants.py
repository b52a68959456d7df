"""Plans of swept studies: one graph for all variants, in which equal stages appear once. Free of torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from adaptstilts.config.schema import DataSection
from adaptstilts.config.sweep import Variant, settings_text
from adaptstilts.errors import AdaptstiltsError, ProblemsError
from adaptstilts.formatting import merged_lines
from adaptstilts.store.stage import SUMMARIES, DataPlace, Stage, StageKind, StageMaker
from adaptstilts.study.plan.jobs import AnalyseJob, Cell, OverlapCheck, ReportView, Run
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.plan.report import cells_for_tables, last_stages
from adaptstilts.study.plan.retrieval import retrieves, settings_line
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split

_COUNTS = {"max_train": None, "max_evaluation": None, "leaks": "stop"}
"""Settings of the data section that do not change which data is read, with neutral values."""


def join_plans(planned: Sequence[tuple[Variant, Plan]]) -> Plan:
    """Join the plans of all variants into one.

    Stages with equal keys are one stage. If stages of several variants would have the same name, the settings in which
    they differ are added to it. Data comes first, then the stages of each variant that those before it lack; cells name
    their variant. A single plan is returned unchanged.
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
    """Return the job that makes the tables of all variants."""
    runs: dict[str, Run] = {}
    for variant, plan in planned:
        for run in plan.tables.runs:
            known = runs.get(run.key)
            named = known if known is not None and (known.method or not run.method) else run
            labels = () if known is None else known.variants
            runs[run.key] = replace(named, stage=names[run.key], variants=(*labels, variant.label))
    return AnalyseJob(
        cells=cells_for_tables(cells),
        runs=tuple(runs.values()),
        remarks=tuple(replace(plan.tables.remarks[0], variant=variant.label) for variant, plan in planned),
        version=planned[0][1].tables.version,
    )


def _joined_data(
    group: Sequence[Variant], plans: Mapping[str, Plan], *, with_place: bool, is_titled: bool
) -> OverlapCheck:
    """Return the data to search for leaks that a group of variants reads."""
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


def labels_of(plan: Plan) -> tuple[str, ...]:
    """Return the labels of a plan's variants; without a sweep, one empty label."""
    return tuple(dict.fromkeys(cell.variant for cell in plan.cells))


def part_of(plan: Plan, labels: Sequence[str]) -> Plan:
    """Return the part of a plan that some variants need."""
    if set(labels_of(plan)) <= set(labels):
        return plan
    cells = tuple(cell for cell in plan.cells if cell.variant in labels)
    needed = plan.with_inputs(key for cell in cells for key in cell.keys)
    stages = tuple(stage for stage in plan.stages if stage.key in needed)
    return Plan(stages, cells, plan.requested_runs)


def by_data(chosen: Sequence[Variant]) -> list[list[Variant]]:
    """Group variants by the data they read, in order."""
    groups: dict[str, list[Variant]] = defaultdict(list)
    for variant in chosen:
        groups[data_key(variant.config.data)].append(variant)
    return list(groups.values())


def parts_by_data(chosen: Sequence[Variant], plan: Plan) -> list[tuple[Variant, Plan]]:
    """Split a study's plan by the data that its variants read.

    Returns:
        For each different data section, the first variant that reads it, and the part of the plan that its readers
        need.
    """
    groups = by_data(chosen)
    return [(group[0], part_of(plan, [variant.label for variant in group])) for group in groups]


def data_key(section: DataSection) -> str:
    """Return a text that is equal for sections that name the same data."""
    return section.model_copy(update=_COUNTS).model_dump_json()


def of_variants(problems: Sequence[tuple[Variant, AdaptstiltsError]], count: int) -> list[AdaptstiltsError]:
    """Merge the problems of all variants: each is reported once, with its variants unless all have it.

    ``count`` is the number of variants.
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
    """Return a line on the settings of each retrieval target; lines not common to all variants name the variant."""
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
    """Make the names of stages unique by adding what distinguishes stages of the same name."""
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

    Two stages with one name are never of the same variant, so their first variants differ.
    """
    everywhere = _shared([variant for group in users for variant in group])
    texts = [settings_text([item for item in _shared(group) if item not in everywhere]) for group in users]
    if "" in texts or len(set(texts)) < len(texts):
        texts = [group[0].label for group in users]
    return [f"{name}, {text}" for text in texts]


def _shared(group: Sequence[Variant]) -> list[tuple[str, object]]:
    return [item for item in group[0].settings if all(item in variant.settings for variant in group)]
