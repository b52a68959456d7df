"""A first configuration for a folder of one's own files, or for the mini world, with every setting explained."""

from __future__ import annotations

import os
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adaptstilts import __version__
from adaptstilts.api.configs import get_config, study_name, write_new
from adaptstilts.api.shown import Shown
from adaptstilts.api.survey import FoundTask, ProgressCallback, Survey, survey
from adaptstilts.arguments import function_of, path_of, text_of, texts_of
from adaptstilts.config.load import load_study
from adaptstilts.config.schema import StudyConfig
from adaptstilts.config.write import commented_yaml
from adaptstilts.engine.resources import this_machine
from adaptstilts.errors import AdaptstiltsError, ConfigError, DataError, raise_all
from adaptstilts.formatting import number_text, visible
from adaptstilts.models.backbone import MINI_BACKBONE, locate_backbone
from adaptstilts.study.plan.data_facts import MINI_ROOT, OFFICIAL_ROOT
from adaptstilts.tasks.spec import BenchmarkName, Phase, Task

_FEW_WORKERS = 4
_NO_INTERMEDIATE = ("direct", "adapter")
_FAMILIES = ("full", "adapter", "fusion")
_MOST_PROBLEMS = 8


@dataclass(frozen=True, repr=False)
class Initialised(Shown):
    """A configuration that was written; it prints as what was found, what was chosen, and the commands that come next.

    Attributes:
        file: The configuration.
        survey: What was found in the folder of data; None for the mini world.
    """

    file: Path = field(kw_only=True)
    survey: Survey | None = field(kw_only=True)


def init_study(
    to: Path | str,
    data: Path | str | None = None,
    *,
    backbone: str = MINI_BACKBONE,
    on_step: ProgressCallback | None = None,
    options: Sequence[str] = (),
) -> Initialised:
    """Write a configuration in which every setting stands: those for the data found in force, the others as comments.

    Args:
        to: File to write; the study is named after it.
        data: Folder of data sets; None for the mini world.
        backbone: Backbone of the study: ``mini``, a folder or a hub id.
        on_step: Called before each task of the folder is read.
        options: Options that the commands which come next need.

    Raises:
        ConfigError: If the file exists.
        DataError: If the folder does not exist, or holds nothing that a study could be evaluated on.
        CheckpointError: If the backbone is a folder that cannot be used.
    """
    file, folder = path_of("to", to), None if data is None else path_of("data", data)
    words, told = texts_of("options", options), function_of("on_step", on_step)
    if file.exists():
        raise ConfigError("exists already, and is not overwritten", path=file, hint="Give another file.")
    locate_backbone(text_of("backbone", backbone))
    found = None if folder is None else survey(folder, told)
    chosen = _settings(study_name(file), found, backbone)
    summary = _mini_summary() if found is None else _summary(found, chosen)
    asked = "" if data is None else f" --data {shlex.quote(str(data))}"
    header = [f"Written by adaptstilts {__version__}: adaptstilts init{asked}", "", *_wrapped(summary), "", *_HOW_TO]
    notes = _notes(found, backbone)
    header = list(map(visible, header))  # a line break in a name would end the comment
    write_new(file, commented_yaml(StudyConfig, chosen, header=header, notes=notes, left_out=("sweep",)))
    text = _text(file, chosen["name"], summary, words)
    return Initialised(_record(file, found), text, file=file, survey=found)


_HOW_TO = (
    "Settings in force have no # before them. Every other setting stands here with its default: remove its #, and that",
    "of the section it belongs to, to change it. `adaptstilts docs settings` lists all settings.",
)


def _record(file: Path, found: Survey | None) -> dict[str, Any]:
    """Return what was written and found as plain values."""
    tasks, unread = ((), ()) if found is None else (found.tasks, found.unread)
    return {
        "file": str(file),
        "tasks": [
            {
                "task": one.task.name,
                "phase": one.task.phase.value,
                "rows": {split.value: dict(rows) for split, rows in one.splits},
                "obstacle": one.obstacle or None,
                "same_as": one.same_as or None,
            }
            for one in tasks
        ],
        "not_recognised": [one.text() for one in unread],
    }


def _text(file: Path, name: str, summary: Sequence[str], options: Sequence[str]) -> str:
    """Return the summary, and the commands that come next."""
    words = shlex.join([str(file), *options])
    study = "" if name == file.stem else f", the study {name}"
    steps = [f"  adaptstilts {verb} {words}" for verb in ("validate", "plan", "run", "report")]
    return "\n".join(map(visible, [*summary, "", f"wrote {file}{study}; next:", *steps]))


def _settings(name: str, found: Survey | None, backbone: str) -> dict[str, Any]:
    """Return the settings in force: tasks that are there, and training that suits the backbone."""
    chosen: dict[str, Any] = {"name": name, "backbone": backbone}
    if found is None:
        model = _raw("quickstart") if backbone == MINI_BACKBONE else _without_training(_raw("quickstart"))
        chosen |= {section: model[section] for section in ("data", "intermediate", "target")}
        chosen["evaluation"] = {"languages": "present"}
    else:
        model = _raw("slices") if backbone == MINI_BACKBONE else {}
        chosen |= _found_settings(found, model)
    if backbone == MINI_BACKBONE:
        chosen["adapter"] = model["adapter"]
    return chosen | _machine(backbone)


def _found_settings(found: Survey, model: dict[str, Any]) -> dict[str, Any]:
    """Return data, tasks and languages of a folder, with the training settings of ``model`` if it has any."""
    targets, sources = _targets(found), found.usable(Phase.INTERMEDIATE)
    chosen: dict[str, Any] = {"data": {"root": _root(found.root)}, "evaluation": {"languages": "present"}}
    for phase, tasks in (("intermediate", sources), ("target", targets)):
        settings = model.get(phase, {})
        training = {family: settings[family] for family in _FAMILIES if family in settings}
        chosen[phase] = {"tasks": [task.name for task in tasks], **training}
    if not sources:
        chosen["methods"] = list(_NO_INTERMEDIATE)
        del chosen["intermediate"]
    if {benchmark for task in targets for benchmark in task.benchmarks} == {BenchmarkName.XTREME_R}:
        chosen["evaluation"]["benchmark"] = BenchmarkName.XTREME_R.value
    return chosen


def _without_training(model: dict[str, Any]) -> dict[str, Any]:
    """Return settings without those of training, so that tasks are trained by their recipes."""
    phases = {phase: {"tasks": model[phase]["tasks"]} for phase in ("intermediate", "target")}
    return model | phases


def _machine(backbone: str) -> dict[str, Any]:
    """Return workers and threads for this machine: a worker for each GPU; without one, small models side by side."""
    gpus, cores = len(this_machine("auto").gpus), os.cpu_count() or 1
    if gpus:
        return {"workers": gpus}
    return {"workers": min(_FEW_WORKERS, cores), "threads": 1} if backbone == MINI_BACKBONE else {"workers": 1}


def _targets(found: Survey) -> tuple[Task, ...]:
    """Return the targets of one benchmark, the one of which more are there, and those that belong to none.

    Raises:
        DataError: If there is no target that can be used.
    """
    usable = found.usable(Phase.TARGET)
    if not usable:
        raise_all([_no_target(found), *_distinct(found)])
    counts = {benchmark: sum(benchmark in task.benchmarks for task in usable) for benchmark in BenchmarkName}
    best = max(counts, key=lambda benchmark: counts[benchmark])
    return tuple(task for task in usable if best in task.benchmarks or not task.benchmarks)


def _no_target(found: Survey) -> DataError:
    """Return the error of a folder without a target that can be used, with the files that no task reads."""
    shown = [one.text() for one in found.unread[:_MOST_PROBLEMS]]
    more = [f"{len(found.unread) - len(shown)} more"] if len(found.unread) > len(shown) else []
    unread = f". Not recognised: {'; '.join([*shown, *more])}" if shown else ""
    hint = "The files of every task: adaptstilts docs data. A task of your own: adaptstilts docs tasks."
    return DataError(f"holds no target task that a study could be evaluated on{unread}", path=found.root, hint=hint)


def _distinct(found: Survey) -> list[AdaptstiltsError]:
    """Return what is wrong with the tasks found, each problem once, with the tasks that it concerns."""
    tasks: dict[str, list[str]] = {}
    errors: dict[str, AdaptstiltsError] = {}
    for one in found.tasks:
        for error in one.obstacles:
            errors.setdefault(str(error), error)
            tasks.setdefault(str(error), []).append(one.task.name)
    told = [copy(error) for error in list(errors.values())[:_MOST_PROBLEMS]]
    for error, names in zip(told, tasks.values(), strict=False):
        error.problem += f" (task{'s' if len(names) > 1 else ''} {', '.join(names)})"
    left = len(errors) - len(told)
    more = DataError(f"{number_text(left, 'more problem')}; all of them: adaptstilts data check", path=found.root)
    return [*told, *([more] if left else [])]


def _summary(found: Survey, chosen: dict[str, Any]) -> list[str]:
    """Return lines on what was found in a folder, what of it is used, and what no task reads."""
    named = {*chosen.get("intermediate", {}).get("tasks", ()), *chosen["target"]["tasks"]}
    lines = [f"Found in {found.root}:"]
    told: dict[str, str] = {}
    for one in found.tasks:
        lines.append(f"- {one.task.name} ({one.task.phase.value}): {one.splits_text()}{_remark(one, named, told)}")
        if one.obstacle:
            told.setdefault(one.obstacle, one.task.name)
    if found.unread:
        lines += ["Not recognised:", *(f"- {one.text()}" for one in found.unread)]
        lines += ["Where files of known tasks are looked for: adaptstilts docs data"]
        lines += ["A task for files of another format: adaptstilts docs tasks"]
    if "intermediate" not in chosen:
        lines += ["No intermediate task is there, so only the methods that need none are compared."]
    return lines


def _remark(one: FoundTask, named: set[str], told: Mapping[str, str]) -> str:
    """Return why a task is left out; ``told`` are the obstacles of the tasks before it."""
    if one.obstacle in told:
        return f". Left out for the same reason as {told[one.obstacle]}"
    if one.obstacle:
        others = len(one.obstacles) - 1
        more = f" (and {others} more: adaptstilts data check)" if others else ""
        return f". Left out: {one.obstacle}{more}"
    if one.same_as:
        return f". Left out: only the rows of {one.same_as} are there"
    if one.task.name not in named and one.task.phase is Phase.TARGET:
        return f". Left out: it belongs to {one.task.benchmarks[0].value}, unlike most of the others"
    return ""


def _mini_summary() -> list[str]:
    return [
        "The data is the mini world, a generated benchmark in eight languages that needs no download.",
        "For your own files: adaptstilts init --data FOLDER",
    ]


def _notes(found: Survey | None, backbone: str) -> dict[str, str]:
    gpus = len(this_machine("auto").gpus)
    notes = {"workers": f"This machine has {number_text(os.cpu_count() or 1, 'CPU core')} and "
             f"{number_text(gpus, 'GPU') if gpus else 'no GPU'}."}  # fmt: skip
    if found is not None and backbone == MINI_BACKBONE:
        notes["backbone"] = (
            "The miniature lets a study run in minutes, but it knows the mini world only: expect scores near chance. "
            "For real ones give a real backbone, such as FacebookAI/xlm-roberta-base, and remove the training settings "
            "below, which suit the miniature."
        )
    return notes


def _raw(name: str) -> dict[str, Any]:
    """Return the settings of a configuration that comes with the package, as its file gives them."""
    return load_study(get_config(name).path)[0].model_dump(exclude_unset=True)


def _root(folder: Path) -> str:
    """Return a folder as `data.root` takes it: a folder called ``mini`` is not the mini world."""
    return f"./{folder}" if str(folder) in {MINI_ROOT, OFFICIAL_ROOT} else str(folder)


def _wrapped(lines: Sequence[str]) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(line, 110, break_long_words=False)]
