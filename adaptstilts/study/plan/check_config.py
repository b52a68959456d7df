"""Checks of a configuration before it is planned: names of tasks and languages, and combinations of settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from adaptstilts.config.recipes import PhaseName
from adaptstilts.config.schema import FUSION_AVERAGE, AdapterSection, MethodName, PhaseSection, StudyConfig
from adaptstilts.errors import AdaptstiltsError, ConfigError, raise_all
from adaptstilts.languages import all_languages
from adaptstilts.study.plan.retrieval import check_retrieval
from adaptstilts.tasks.registry import TASKS_HINT, all_tasks, broken_packages
from adaptstilts.tasks.spec import Phase
from adaptstilts.train.methods import METHODS


def check_tasks(config: StudyConfig) -> None:
    """Check the names and combinations of tasks, methods and languages in a configuration.

    Raises:
        ConfigError: For one problem.
        ProblemsError: For several.
    """
    phases: dict[PhaseName, PhaseSection] = {"intermediate": config.intermediate, "target": config.target}
    problems = check_task_names({name: section.tasks for name, section in phases.items()})
    for name, section in phases.items():
        problems += _check_overrides(tuple(section.overrides), f"{name}.overrides")
    problems += _check_languages(config.evaluation.languages)
    problems += _check_repeated(config.seeds, "seeds")
    problems += _check_repeated(config.methods, "methods")
    problems += _check_composed(config.adapter, config.methods)
    if not config.target.tasks:
        problems.append(ConfigError("no target task is given", key="target.tasks", hint=TASKS_HINT))
    needing = [method for method in config.methods if METHODS[method].intermediate is not None]
    if needing and not config.intermediate.tasks:
        problems.append(
            ConfigError(
                f"{', '.join(needing)} need an intermediate task",
                key="intermediate.tasks",
                hint="Name one, or set methods=[direct,adapter], which need none.",
            )
        )
    problems += _check_names(config.fusion.tasks, config.intermediate.tasks, "fusion.tasks", "task that can stand here")
    retrieval = (config.fusion.retrieval,)
    problems += check_retrieval(config.retrieval, config.target.tasks)
    problems += _check_names(
        retrieval, (FUSION_AVERAGE, *config.intermediate.tasks), "fusion.retrieval", "task that can stand here"
    )
    if config.evaluation.submission and config.data.max_evaluation is not None:
        problem = f"a submission needs every row, not {config.data.max_evaluation}"
        problems.append(ConfigError(problem, key="data.max_evaluation", allowed=("null",)))
    raise_all(problems)


def check_task_names(named: Mapping[PhaseName, tuple[str, ...]]) -> list[AdaptstiltsError]:
    """Return the problems of the names given as tasks of each phase."""
    problems: list[AdaptstiltsError] = []
    known = {task.name for task in all_tasks()}
    for name, tasks in named.items():
        phase = Phase(name)
        allowed = tuple(task.name for task in all_tasks() if task.phase is phase)
        problems += _check_names(tasks, allowed, f"{name}.tasks", f"{phase.value} task", hint=TASKS_HINT)
    missing = [task for tasks in named.values() for task in tasks if task not in known]
    return [*problems, *broken_packages(missing)] if missing else problems


def _check_overrides(names: tuple[str, ...], key: str) -> list[AdaptstiltsError]:
    """Check that overrides name tasks with training rows of their own; other names would have no effect."""
    trainable = tuple(task.name for task in all_tasks() if task.trains and task.train_task is None)
    problems: list[AdaptstiltsError] = []
    for name in names:
        if name not in trainable:
            task = next((task for task in all_tasks() if task.name == name), None)
            hint = f"'{name}' is trained on '{task.train_task}'; override that" if task and task.train_task else None
            problems.append(
                ConfigError(f"'{name}' has no training of its own", key=key, value=name, allowed=trainable, hint=hint)
            )
    return problems


def _check_languages(codes: str | tuple[str, ...]) -> list[AdaptstiltsError]:
    if isinstance(codes, str):
        return []
    key = "evaluation.languages"
    if not codes:
        allowed = ("official", "present", "a list of codes")
        return [ConfigError("no language is given", key=key, allowed=allowed)]
    declared = (code for task in all_tasks() for code in task.languages)
    known = tuple(dict.fromkeys([*(language.code for language in all_languages()), *declared]))
    return _check_names(codes, known, key, "known language code", hint=None)


def _check_repeated(values: tuple[object, ...], key: str) -> list[AdaptstiltsError]:
    return [ConfigError(f"'{value}' is given twice", key=key) for value, count in Counter(values).items() if count > 1]


def _check_composed(adapter: AdapterSection, methods: tuple[MethodName, ...]) -> list[AdaptstiltsError]:
    """Refuse kinds of adapters that cannot be stacked or fused if a method does so."""
    rows = [METHODS[method] for method in methods]
    composed = [row.name for row in rows if row.intermediate == "adapter" and row.use in {"below", "fused"}]
    if adapter.kind != "par_bn" or not composed:
        return []
    problem = f"parallel adapters cannot be used by {', '.join(composed)}: the lower one would be lost"
    return [ConfigError(problem, key="adapter.kind", allowed=("seq_bn", "double_seq_bn"))]


def _check_names(
    names: tuple[str, ...],
    allowed: tuple[str, ...],
    key: str,
    what: str,
    *,
    hint: str | None = "See: adaptstilts tasks",
) -> list[AdaptstiltsError]:
    problems: list[AdaptstiltsError] = []
    for name in names:
        if name not in allowed:
            article = "an" if what.startswith("i") else "a"
            problem = f"'{name}' is not {article} {what}"
            problems.append(ConfigError(problem, key=key, value=name, allowed=allowed, hint=hint))
    return [*problems, *_check_repeated(names, key)]
