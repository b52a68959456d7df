"""Retrieval settings of a study's targets: checks, the settings in effect, and how results name them."""

from __future__ import annotations

from collections.abc import Sequence

from adaptstilts.config.retrieval import FITTED, RetrievalSettings, Use, changes, resolve_retrieval, without_effect
from adaptstilts.config.schema import RetrievalOverride, RetrievalSection
from adaptstilts.errors import AdaptstiltsError, ConfigError, DataError
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import all_tasks
from adaptstilts.tasks.spec import Metric, Split, Task

_POOLING_WORDS = {
    "mean": "mean of all sub-tokens",
    "mean_no_specials": "mean of the sub-tokens but `<s>` and `</s>`",
    "cls": "vector of `<s>`",
}


def use_of(task: Task) -> Use:
    """Return whether a retrieval task mines pairs or searches."""
    return "mine" if task.metric is Metric.BUCC_F1 else "search"


def retrieval_settings(section: RetrievalSection, task: Task) -> RetrievalSettings:
    """Return the settings that decide a retrieval task's result."""
    return resolve_retrieval(section, task.name, use_of(task))


def preset_note(section: RetrievalSection, task: Task) -> str:
    """Return the name of a task's preset and every setting that differs from it, for the notes of results."""
    differing = [
        f"{name} {value}" for name, value in changes(section, task.name, use_of(task)).items() if value is not None
    ]
    return f"retrieval preset {section.preset}" + (f" but {', '.join(differing)}" if differing else "")


def settings_line(section: RetrievalSection, task: Task) -> str:
    """Describe a task's retrieval settings in one line of Markdown."""
    settings = retrieval_settings(section, task)
    layer = f"layer {settings.layer}"
    if settings.layer == FITTED:
        layer = "layer fitted on dev"
    elif settings.blocks is not None:
        layer += f" of {settings.blocks} or the same share of another depth"
    margin = "no margin" if settings.margin == "none" else f"{settings.margin} margin over {settings.neighbours}"
    parts = [
        layer,
        _POOLING_WORDS[settings.pooling],
        {"cosine": "cosine", "dot": "dot product", "l2": "1 / (1 + squared distance)"}[settings.similarity],
        margin if settings.margin == "none" else f"{margin} neighbours",
    ]
    if settings.direction is not None:
        parts.append(f"direction {settings.direction}")
    if settings.candidates is not None:
        parts.append(f"candidates {settings.candidates}, repeated texts as in {settings.duplicates}")
    parts.append(f"at most {settings.max_length} sub-tokens")
    return f"{task.name}: {preset_note(section, task)}: {', '.join(parts)}."


def retrieves(task: Task) -> bool:
    """Return whether section `retrieval` says how a task is scored: vectors are compared, no head is trained."""
    return not FACTS[task.kind].has_head


def check_retrieval(section: RetrievalSection, targets: Sequence[str]) -> list[AdaptstiltsError]:
    """Check that overrides name retrieval tasks, that each setting has an effect, and that dev layers can be fitted.

    The names of targets need not have been checked before. All problems are returned.
    """
    tasks = {task.name: task for task in all_tasks() if retrieves(task)}
    problems: list[AdaptstiltsError] = []
    for name, override in section.overrides.items():
        if name in tasks:
            problems += _check_override(section, override, tasks[name])
        else:
            problems.append(
                ConfigError(
                    f"'{name}' is not a retrieval task",
                    key="retrieval.overrides",
                    value=name,
                    allowed=tuple(tasks),
                )
            )
    for name in dict.fromkeys(targets):
        if name in tasks and retrieval_settings(section, tasks[name]).layer == FITTED:
            problems += _check_fitted(section, tasks[name])
    return problems


def _check_override(section: RetrievalSection, override: RetrievalOverride, task: Task) -> list[AdaptstiltsError]:
    idle = [name for name in sorted(without_effect(use_of(task))) if getattr(override, name) is not None]
    problems: list[AdaptstiltsError] = [
        ConfigError(f"has no effect on {task.name}", key=f"retrieval.overrides.{task.name}.{name}", hint="Remove it.")
        for name in idle
    ]
    if override.neighbours is not None and retrieval_settings(section, task).margin == "none":
        problems.append(
            ConfigError(
                f"has no effect on {task.name} without a margin",
                key=f"retrieval.overrides.{task.name}.neighbours",
                hint="Remove it, or set its margin to ratio or distance.",
            )
        )
    return problems


def _check_fitted(section: RetrievalSection, task: Task) -> list[AdaptstiltsError]:
    if Split.DEV in task.layouts:
        return []
    override = section.overrides.get(task.name)
    own = override is not None and override.layer is not None
    others = [other.name for other in all_tasks() if retrieves(other) and Split.DEV in other.layouts]
    return [
        ConfigError(
            f"{task.name} has no dev split to choose a layer on",
            key=f"retrieval.overrides.{task.name}.layer" if own else "retrieval.layer",
            value=FITTED,
            allowed=("a number",),
            hint=f"Set retrieval.overrides.{task.name}.layer to a number"
            + ("." if own else f", or fit only: {', '.join(f'retrieval.overrides.{name}.layer' for name in others)}."),
        )
    ]


def require_dev(root: DataRoot, task: Task, language: str) -> None:
    """Check that a layer of a retrieval task can be chosen on the dev split of a language.

    Raises:
        DataError: If there are no dev files, or their labels are hidden.
    """
    if not root.is_labelled(task, Split.DEV, language):
        raise DataError(
            f"{task.name} has no labelled dev split in '{language}' to choose a layer on",
            path=root.path,
            key="retrieval.layer",
            hint=f"Add its files, or set retrieval.overrides.{task.name}.layer to a number.",
        )
