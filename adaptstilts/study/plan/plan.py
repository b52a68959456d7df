"""From a configuration to a plan: a pure function, free of torch, that recognises equal work by its content key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from adaptstilts.config.recipes import PhaseName
from adaptstilts.config.schema import FUSION_AVERAGE, Family, MethodName, StudyConfig
from adaptstilts.config.section import Section
from adaptstilts.engine.graph import Graph
from adaptstilts.store.stage import Stage
from adaptstilts.study.plan.builder import Planner
from adaptstilts.study.plan.check_config import check_tasks
from adaptstilts.study.plan.data_facts import DataFacts
from adaptstilts.study.plan.evaluation import above_target, in_order_of_networks, predict_stages, score_stages
from adaptstilts.study.plan.jobs import (
    PARTIAL,
    AnalyseJob,
    BackboneRef,
    Cell,
    DataJob,
    ReportJob,
    Source,
    TrainJob,
    jobs_of,
)
from adaptstilts.study.plan.report import report_stages
from adaptstilts.study.plan.retrieval import preset_note, retrieves
from adaptstilts.tasks.registry import declaration_digest, get_task, training_chain, training_task
from adaptstilts.tasks.spec import Phase, Task
from adaptstilts.train.methods import METHODS, Method, single_task_method

if TYPE_CHECKING:
    from adaptstilts.results.setting import RunSetting


@dataclass(frozen=True)
class Plan(Graph):
    """Stages of a study, and the table cells that they are for.

    Attributes:
        cells: Cells of the study's tables.
        requested_runs: Number of training runs if every cell trained all that it needs for itself.
    """

    cells: tuple[Cell, ...]
    requested_runs: int

    @property
    def summaries(self) -> tuple[Stage, Stage]:
        """The stages of the study's tables and of its report."""
        tables, report = self.stages[-2:]
        return tables, report

    @property
    def tables(self) -> AnalyseJob:
        """Job that makes the study's tables."""
        return next(job for _, job in jobs_of(reversed(self.stages), AnalyseJob))

    @property
    def report(self) -> ReportJob:
        """Job that writes the study's report."""
        return next(job for _, job in jobs_of(reversed(self.stages), ReportJob))


def make_plan(
    config: StudyConfig,
    facts: DataFacts,
    backbone: BackboneRef,
    data: DataJob | None,
    published: RunSetting | None = None,
) -> Plan:
    """Turn a configuration into stages.

    Args:
        config: The study.
        facts: Facts about its data.
        backbone: The study's backbone with its fingerprint.
        data: Job of the mini world's generator; None for data in files.
        published: Set-up of the study for comparison with published scores; None for no comparison.

    Raises:
        AdaptstiltsError: If tasks, methods or languages do not fit together; all problems at once.
    """
    check_tasks(config)
    planner = Planner(config, facts, backbone)
    if data is not None:
        planner.data_inputs = (planner.add(planner.make("generate the mini world", "mini", data)).key,)
    cells = tuple(
        cell
        for seed in config.seeds
        for method in _in_table_order(config.methods)
        for cell in _cells(planner, METHODS[method], seed)
    )
    stages = (*in_order_of_networks(planner.stages), *report_stages(planner, cells, published))
    return Plan(stages, cells, planner.requested_runs)


def _in_table_order(methods: tuple[MethodName, ...]) -> list[MethodName]:
    return [method for method in METHODS if method in methods]


def _cells(planner: Planner, method: Method, seed: int) -> list[Cell]:
    sources: tuple[tuple[str, ...], ...]
    tasks = planner.config.intermediate.tasks
    if method.use == "none":
        sources = ((),)
    elif method.use == "fused":
        sources = (planner.config.fusion.tasks or tasks,)
    else:
        sources = tuple((task,) for task in tasks)
    targets = [get_task(name) for name in planner.config.target.tasks]
    return [_cell(planner, method, names, target, seed) for names in sources for target in targets]


def _cell(planner: Planner, method: Method, names: tuple[str, ...], target: Task, seed: int) -> Cell:
    family = method.intermediate
    sources: tuple[Source, ...] = ()
    if family is not None:
        sources = tuple(Source(name, _intermediate_run(planner, get_task(name), family, seed).key) for name in names)
    if target.trains:
        task = training_task(target)
        trained: Stage | None = _train_stage(planner, method, task, "target", sources, seed)
        note = f"encoder trained on {task.name}" if retrieves(target) else ""
    else:
        trained, note = _untrained(planner, method, sources, seed)
    if retrieves(target):
        note = "; ".join(part for part in (note, preset_note(planner.config.retrieval, target)) if part)
    left_out = planner.facts.left_out(target)
    if left_out:
        note = "; ".join(part for part in (note, f"{PARTIAL}{', '.join(left_out)}") if part)
    stages = partial(predict_stages, planner, method, target, trained, sources, seed)
    predict = stages()
    score = score_stages(planner, predict)
    hidden = stages(hidden=True) if planner.config.evaluation.submission else ()
    return Cell(
        method=method.name,
        source="+".join(names),
        target=target.name,
        seed=seed,
        train=trained.key if trained is not None else None,
        predict=_keys(predict or hidden),
        score=_keys(score),
        note=note,
        hidden=_keys(hidden),
    )


def _untrained(planner: Planner, method: Method, sources: tuple[Source, ...], seed: int) -> tuple[Stage | None, str]:
    """Return what replaces target training on a target without training data, and a note about it."""
    if method.use == "fused":
        choice = planner.config.fusion.retrieval
        if choice == FUSION_AVERAGE:
            return None, f"no training data: {method.untrained}"
        stage = _train_stage(planner, method, get_task(choice), "intermediate", sources, seed)
        return stage, f"no training data: fusion trained on {choice}"
    return None, f"no training data: {method.untrained}"


def _intermediate_run(planner: Planner, task: Task, family: Family, seed: int) -> Stage:
    return _train_stage(planner, single_task_method(family), task, "intermediate", (), seed)


def _train_stage(
    planner: Planner, method: Method, task: Task, phase: PhaseName, sources: tuple[Source, ...], seed: int
) -> Stage:
    before = _train_stage(planner, method, get_task(task.after), phase, sources, seed) if task.after else None
    planner.requested_runs += 1
    asked = (method.name, task.name, phase, sources, seed)
    if asked not in planner.trained:
        stage = _new_train_stage(planner, method, task, phase, sources, seed, before)
        planner.trained[asked] = planner.add(_told_apart(planner, stage, phase))
    return planner.trained[asked]


def _told_apart(planner: Planner, stage: Stage, phase: PhaseName) -> Stage:
    """Add the phase to the name of a run if another run with settings of the other phase has the same name."""
    if all(known.name != stage.name or known.key == stage.key for known in planner.trained.values()):
        return stage
    return replace(stage, name=f"{stage.name}, {phase} settings")


def _new_train_stage(
    planner: Planner,
    method: Method,
    task: Task,
    phase: PhaseName,
    sources: tuple[Source, ...],
    seed: int,
    before: Stage | None,
) -> Stage:
    config = planner.config
    hold_out = _holds_out(planner, task)
    new = _new_attachment(config, method)
    job = TrainJob(
        method=method.name,
        task=task.name,
        settings=planner.settings(method.family, task, phase),
        seed=seed,
        backbone=planner.backbone,
        sources=sources,
        reuse_head=_reuses_head(method, sources, task) and before is None,
        adapter=None if method.use == "fused" else new,
        fusion=new if method.use == "fused" else None,
        data=planner.facts.training_files(task, dev=not hold_out),
        max_train=config.data.max_train,
        hold_out=hold_out,
        after=None if before is None else Source(get_task(str(task.after)).name, before.key),
        declared=declaration_digest(task),
    )
    above = above_target("+".join(source.task for source in sources))
    trained = [each.name for each in training_chain(task)]
    return planner.make(
        f"train {method.name}: {' > '.join([*above, *trained])}, seed {seed}",
        "-".join([method.name, *above, *trained]),
        job,
        (*planner.data_inputs, *(source.key for source in (*sources, *([job.after] if job.after else [])))),
    )


def _new_attachment(config: StudyConfig, method: Method) -> Section | None:
    """Return the settings of the attachment that a run adds with fresh weights; None if it adds none."""
    return None if method.attachment is None or method.use == "start" else method.attachment.section(config)


def _reuses_head(method: Method, sources: tuple[Source, ...], task: Task) -> bool:
    """Return whether a full model continues with the head of the intermediate task."""
    is_full = method.attachment is None and method.use == "start"
    return is_full and _same_labels(get_task(sources[0].task), task)


def _holds_out(planner: Planner, task: Task) -> bool:
    """Say whether checkpoints are picked on held-out training rows, as the English dev set is scored."""
    return task.phase is Phase.TARGET and planner.facts.scores_english_dev(task)


def _same_labels(one: Task, other: Task) -> bool:
    return one.kind is other.kind and one.labels == other.labels and not one.labels_from_data


def _keys(stages: tuple[Stage, ...]) -> tuple[str, ...]:
    return tuple(stage.key for stage in stages)
