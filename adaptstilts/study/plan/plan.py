"""From a configuration to stages: a pure function, free of torch, that recognises equal work by its key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from adaptstilts.config.recipes import PhaseName
from adaptstilts.config.schema import Family, FusionSection, MethodName, StudyConfig
from adaptstilts.engine.graph import Graph
from adaptstilts.store.stage import Stage
from adaptstilts.study.plan.builder import Planner
from adaptstilts.study.plan.check_config import AVERAGE, check_tasks
from adaptstilts.study.plan.data_facts import DataFacts
from adaptstilts.study.plan.evaluation import above_target, in_order_of_networks, predict_stages, score_stages
from adaptstilts.study.plan.jobs import (
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
from adaptstilts.tasks.registry import get_task, training_chain, training_task
from adaptstilts.tasks.spec import Phase, Task, declared
from adaptstilts.train.methods import METHODS, Method

if TYPE_CHECKING:
    from adaptstilts.results.setting import RunSetting


@dataclass(frozen=True)
class Plan(Graph):
    """A study's stages, and the numbers they are for.

    Attributes:
        cells: What the study wants to know.
        requested_runs: Training runs that loops over seeds, methods, sources and targets would start without sharing.
    """

    cells: tuple[Cell, ...]
    requested_runs: int

    @property
    def tables(self) -> AnalyseJob:
        """What is put into the study's tables."""
        return next(job for _, job in jobs_of(reversed(self.stages), AnalyseJob))

    @property
    def report(self) -> ReportJob:
        """What the study's report shows."""
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
        backbone: Its backbone, with fingerprint.
        data: Generator's job, for the embedded world.
        published: The study's set-up, for a comparison of its report with published scores; None for none.

    Returns:
        The plan.

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
    stages = partial(predict_stages, planner, method, target, trained, sources, seed)
    predict = stages()
    score = score_stages(planner, predict)
    hidden = stages(hidden=True) if planner.config.evaluation.submission else ()
    return Cell(
        method=_name(method),
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
    """Return what stands in for target training on a target without training data, and the note that says so."""
    if method.use == "fused":
        choice = planner.config.fusion.retrieval
        if choice == AVERAGE:
            return None, "no training data: plain average of the adapters"
        stage = _train_stage(planner, method, get_task(choice), "intermediate", sources, seed)
        return stage, f"no training data: fusion trained on {choice}"
    notes = {
        "direct": "no training data: the backbone itself",
        "full": "no training data: the intermediate model itself",
        "adapter": "no training data: the backbone itself",
    }
    return None, notes.get(method.name, "no training data: the backbone with the intermediate adapter")


def _intermediate_run(planner: Planner, task: Task, family: Family, seed: int) -> Stage:
    method = METHODS["direct" if family == "full" else "adapter"]
    return _train_stage(planner, method, task, "intermediate", (), seed)


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
    """Name the phase where a run of the same name has the settings of the other phase."""
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
    job = TrainJob(
        method=_name(method),
        task=task.name,
        settings=planner.settings(method.family, task, phase),
        seed=seed,
        backbone=planner.backbone,
        sources=sources,
        reuse_head=method.name == "full" and before is None and _same_labels(get_task(sources[0].task), task),
        adapter=config.adapter if "adapter" in method.trains and method.use != "start" else None,
        fusion=_fusion_shape(config.fusion) if "fusion" in method.trains else None,
        data=planner.facts.training_files(task, dev=not hold_out),
        max_train=config.data.max_train,
        hold_out=hold_out,
        after=None if before is None else Source(get_task(str(task.after)).name, before.key),
        declared=declared(task),
    )
    above = above_target("+".join(source.task for source in sources))
    trained = [each.name for each in training_chain(task)]
    return planner.make(
        f"train {method.name}: {' > '.join([*above, *trained])}, seed {seed}",
        "-".join([method.name, *above, *trained]),
        job,
        (*planner.data_inputs, *(source.key for source in (*sources, *([job.after] if job.after else [])))),
    )


def _fusion_shape(section: FusionSection) -> FusionSection:
    """What decides a fusion's training; which tasks are fused is told by the sources."""
    changes: dict[str, object] = {"tasks": (), "retrieval": AVERAGE}
    if section.kind == "static":  # it has no value matrix to be kept close to identity
        changes["regularisation"] = FusionSection().regularisation
    return section.model_copy(update=changes)


def _holds_out(planner: Planner, task: Task) -> bool:
    """Whether the English dev set would be scored, so that checkpoints are picked on held-out training rows."""
    return task.phase is Phase.TARGET and planner.facts.scores_english_dev(task)


def _same_labels(one: Task, other: Task) -> bool:
    return one.kind is other.kind and one.labels == other.labels and not one.labels_from_data


def _keys(stages: tuple[Stage, ...]) -> tuple[str, ...]:
    return tuple(stage.key for stage in stages)


def _name(method: Method) -> MethodName:
    return method.name  # type: ignore[return-value]
