"""From a configuration to stages: a pure function, free of torch, that recognises equal work by its key."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from adaptstilts.config.recipes import PhaseName, TrainSettings, resolve
from adaptstilts.config.schema import Family, FusionSection, MethodName, StudyConfig
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.study.asked import AVERAGE, check_tasks
from adaptstilts.study.inputs import DataFacts
from adaptstilts.study.retrieval import preset_note, retrieval_settings
from adaptstilts.study.stages import DataJob, PredictJob, Reference, ScoreJob, Source, Stage, TrainJob, make_stage
from adaptstilts.tasks.registry import get_task, training_chain, training_task
from adaptstilts.tasks.spec import Kind, Phase, Split, Task
from adaptstilts.train.methods import METHODS, Method


@dataclass(frozen=True)
class Cell:
    """One number of the study's tables, and the stages it comes from.

    Attributes:
        method: Method.
        source: Intermediate task; names joined by ``+`` for a fusion; empty for none.
        target: Target task.
        seed: Seed.
        train: Key of the training run; None where the target has no training.
        predict: Key of the predictions.
        score: Key of the scores; None where no label is known, so that ``predict`` is for a submission only.
        note: What a reader of the number must know.
        hidden: Key of the predictions for test splits whose labels are hidden; None where there are none.
        variant: Label of the variant of a sweep that it belongs to; empty without a sweep.
    """

    method: MethodName
    source: str
    target: str
    seed: int
    train: str | None
    predict: str
    score: str | None
    note: str = ""
    hidden: str | None = None
    variant: str = ""


@dataclass(frozen=True)
class Plan:
    """A study's stages in an order in which each comes after its inputs.

    Attributes:
        stages: Each exactly once.
        cells: What the study wants to know.
        requested_runs: Training runs that loops over seeds, methods, sources and targets would start without sharing.
    """

    stages: tuple[Stage, ...]
    cells: tuple[Cell, ...]
    requested_runs: int

    def stage(self, key: str) -> Stage:
        """Return a stage by its key."""
        return self._by_key[key]

    def inputs_of(self, stage: Stage) -> tuple[Stage, ...]:
        """Return the stages that one builds on."""
        return tuple(self._by_key[key] for key in stage.inputs)

    @cached_property
    def _by_key(self) -> dict[str, Stage]:
        return {stage.key: stage for stage in self.stages}


@dataclass
class _Planner:
    """Collects stages while a configuration is walked through."""

    config: StudyConfig
    facts: DataFacts
    backbone: Reference
    data: Stage | None
    stages: dict[str, Stage] = field(default_factory=dict)
    requested_runs: int = 0

    def add(self, stage: Stage) -> Stage:
        self.requested_runs += isinstance(stage.job, TrainJob)
        return self.stages.setdefault(stage.key, stage)

    @property
    def data_inputs(self) -> tuple[str, ...]:
        return (self.data.key,) if self.data is not None else ()


def make_plan(config: StudyConfig, facts: DataFacts, backbone: Reference, data: DataJob | None) -> Plan:
    """Turn a configuration into stages.

    Args:
        config: The study.
        facts: Facts about its data.
        backbone: Its backbone, with fingerprint.
        data: Generator's job, for the embedded world.

    Returns:
        The plan.

    Raises:
        AdaptstiltsError: If tasks, methods or languages do not fit together; all problems at once.
    """
    check_tasks(config)
    generate = None if data is None else make_stage("generate the mini world", "mini", data)
    planner = _Planner(config, facts, backbone, generate)
    if generate is not None:
        planner.add(generate)
    cells = [
        cell
        for seed in config.seeds
        for method in _in_table_order(config.methods)
        for cell in _cells(planner, METHODS[method], seed)
    ]
    return Plan(tuple(planner.stages.values()), tuple(cells), planner.requested_runs)


def _in_table_order(methods: tuple[MethodName, ...]) -> list[MethodName]:
    return [method for method in METHODS if method in methods]


def _cells(planner: _Planner, method: Method, seed: int) -> list[Cell]:
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


def _cell(planner: _Planner, method: Method, names: tuple[str, ...], target: Task, seed: int) -> Cell:
    family = method.intermediate
    sources: tuple[Source, ...] = ()
    if family is not None:
        sources = tuple(Source(name, _intermediate_run(planner, get_task(name), family, seed).key) for name in names)
    if target.trains:
        task = training_task(target)
        trained: Stage | None = _train_stage(planner, method, task, "target", sources, seed)
        note = f"encoder trained on {task.name}" if target.kind is Kind.RETRIEVE else ""
    else:
        trained, note = _untrained(planner, method, sources, seed)
    if target.kind is Kind.RETRIEVE:
        note = "; ".join(part for part in (note, preset_note(planner.config.retrieval, target)) if part)
    predict = _predict_stage(planner, method, target, trained, sources, seed)
    hidden = _hidden_stage(planner, target, predict)
    key = trained.key if trained is not None else None
    cell = Cell(_name(method), "+".join(names), target.name, seed, key, predict.key, None, note)
    if not planner.facts.languages(target) and hidden is not None:
        return replace(cell, predict=hidden.key, hidden=hidden.key)
    score = planner.add(_score_stage(planner, planner.add(predict)))
    return replace(cell, score=score.key, hidden=None if hidden is None else hidden.key)


def _untrained(planner: _Planner, method: Method, sources: tuple[Source, ...], seed: int) -> tuple[Stage | None, str]:
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


def _intermediate_run(planner: _Planner, task: Task, family: Family, seed: int) -> Stage:
    method = METHODS["direct" if family == "full" else "adapter"]
    return _train_stage(planner, method, task, "intermediate", (), seed)


def _train_stage(
    planner: _Planner, method: Method, task: Task, phase: PhaseName, sources: tuple[Source, ...], seed: int
) -> Stage:
    config = planner.config
    before = _train_stage(planner, method, get_task(task.after), phase, sources, seed) if task.after else None
    job = TrainJob(
        method=_name(method),
        task=task.name,
        settings=_settings(config, method.family, task, phase),
        seed=seed,
        backbone=planner.backbone,
        sources=sources,
        reuse_head=method.name == "full" and before is None and _same_labels(get_task(sources[0].task), task),
        adapter=config.adapter if "adapter" in method.trains and method.use != "start" else None,
        fusion=_fusion_shape(config) if "fusion" in method.trains else None,
        data=planner.facts.training_files(task),
        max_train=config.data.max_train,
        hold_out=_holds_out(planner, task),
        after=None if before is None else Source(get_task(str(task.after)).name, before.key),
    )
    above = "+".join(source.task for source in sources)
    trained = [each.name for each in training_chain(task)]
    stage = make_stage(
        f"train {method.name}: {' > '.join([*_above(above), *trained])}, seed {seed}",
        "-".join([method.name, *_above(above), *trained]),
        job,
        (*planner.data_inputs, *(source.key for source in (*sources, *([job.after] if job.after else [])))),
    )
    return planner.add(stage)


def _predict_stage(
    planner: _Planner, method: Method, target: Task, trained: Stage | None, sources: tuple[Source, ...], seed: int
) -> Stage:
    config = planner.config
    task = training_task(target)
    settings = _settings(config, method.family, task, "target")
    languages = planner.facts.languages(target)
    retrieval = retrieval_settings(config.retrieval, target) if target.kind is Kind.RETRIEVE else None
    canonical = _canonical(method, retrieval is not None, trained)
    job = PredictJob(
        method=canonical,
        task=target.name,
        languages=languages,
        trained=trained.key if trained is not None else None,
        trained_task=_trained_task(trained),
        sources=sources if METHODS[canonical].use in {"below", "fused"} or trained is None else (),
        average=method.use == "fused" and trained is None,
        backbone=planner.backbone,
        retrieval=retrieval,
        data=planner.facts.evaluation_files(target, _with_dev(target, languages)),
        max_evaluation=config.data.max_evaluation,
        max_length=settings.max_length if retrieval is None else retrieval.max_length,
        doc_stride=settings.doc_stride,
        max_query_length=settings.max_query_length,
        precision=config.evaluation.precision,
        batch_tokens=config.evaluation.batch_tokens,
    )
    above = _above("+".join(source.task for source in sources))
    label = " > ".join([*above, target.name])
    inputs = [*planner.data_inputs, *(source.key for source in job.sources)]
    if trained is not None:
        inputs.append(trained.key)
    name = f"predict {method.name}: {label}, seed {seed}"
    slug = "-".join([method.name, *above, target.name])
    return make_stage(name, slug, job, tuple(inputs))


def _hidden_stage(planner: _Planner, target: Task, predict: Stage) -> Stage | None:
    """Predict with the same network what a leaderboard wants and nobody here can score."""
    languages = planner.facts.hidden_languages(target) if planner.config.evaluation.submission else ()
    if not languages or not isinstance(predict.job, PredictJob):
        return None
    data = planner.facts.evaluation_files(target, _with_dev(target, languages))
    job = replace(predict.job, languages=languages, data=data)
    return planner.add(make_stage(f"{predict.name}, hidden labels", f"{predict.slug}-hidden", job, predict.inputs))


def _canonical(method: Method, retrieves: bool, trained: Stage | None) -> MethodName:
    """Methods that are the same network on a target without training share its predictions."""
    if not retrieves or trained is not None:
        return _name(method)
    return {"adapter": "direct", "continue": "stack"}.get(method.name, method.name)  # type: ignore[return-value]


def _trained_task(trained: Stage | None) -> str | None:
    return trained.job.task if trained is not None and isinstance(trained.job, TrainJob) else None


def _with_dev(target: Task, languages: tuple[tuple[str, Split], ...]) -> tuple[tuple[str, Split], ...]:
    """BUCC's threshold is fitted on dev, so dev files count where test is scored."""
    if target.kind is not Kind.RETRIEVE or Split.DEV not in target.layouts:
        return languages
    dev = tuple((code, Split.DEV) for code, split in languages if split is Split.TEST)
    return languages + dev


def _score_stage(planner: _Planner, predict: Stage) -> Stage:
    job = predict.job
    if not isinstance(job, PredictJob):
        raise TypeError(f"{predict.name} does not predict")
    score = ScoreJob(job.task, job.languages, predict.key, job.max_evaluation)
    name = predict.name.replace("predict ", "score ", 1)
    return make_stage(name, predict.slug, score, (*planner.data_inputs, predict.key))


def _settings(config: StudyConfig, family: Family, task: Task, phase: PhaseName) -> TrainSettings:
    section = config.intermediate if phase == "intermediate" else config.target
    override = section.overrides.get(task.name)
    settings = resolve(getattr(section, family), override, task=task.name, phase=phase, family=family)
    if task.kind is Kind.EXTRACT:
        return settings
    settings = replace(settings, doc_stride=TrainSettings.doc_stride)
    return settings if task.kind is Kind.MATCH else replace(settings, max_query_length=TrainSettings.max_query_length)


def _fusion_shape(config: StudyConfig) -> FusionSection:
    """What decides a fusion's training; which tasks are fused is told by the sources."""
    return config.fusion.model_copy(update={"tasks": (), "retrieval": AVERAGE})


def _holds_out(planner: _Planner, task: Task) -> bool:
    """Whether the English dev set is what is scored, so that checkpoints are picked on held-out training rows."""
    return task.phase is Phase.TARGET and (SOURCE_LANGUAGE, Split.DEV) in planner.facts.languages(task)


def _same_labels(one: Task, other: Task) -> bool:
    return one.kind is other.kind and one.labels == other.labels and not one.labels_from_data


def _name(method: Method) -> MethodName:
    return method.name  # type: ignore[return-value]


def _above(above: str) -> list[str]:
    """What stands before the target in a name: nothing, the sources, or how many they are."""
    if not above:
        return []
    return [above if above.count("+") < 3 else f"{above.count('+') + 1}-tasks"]
