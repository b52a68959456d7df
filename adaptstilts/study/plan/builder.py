"""What is known while a plan is made: the configuration, facts about its data, the stages so far. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from adaptstilts.config.recipes import PhaseName, TrainSettings, resolve
from adaptstilts.config.schema import Family, PhaseSection, StudyConfig
from adaptstilts.store.stage import Stage, StageMaker
from adaptstilts.study.plan.data_facts import DataFacts
from adaptstilts.study.plan.jobs import BackboneRef
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.spec import Split, Task

Pairs = tuple[tuple[str, Split], ...]
"""Languages with their splits."""


@dataclass
class Planner:
    """Collects stages while a configuration is walked through.

    Attributes:
        config: The study.
        facts: Facts about its data.
        backbone: Its backbone.
        stages: Stages so far by key, each after its inputs.
        requested_runs: Training runs that were asked for so far, shared or not.
        data_inputs: Key of the stage that makes the data; empty where it is there.
        trained: Training runs by what they were asked for with.
        parts: What is evaluated in stages of its own, by target and whether labels are hidden.
        make: Builds stages.
    """

    config: StudyConfig
    facts: DataFacts
    backbone: BackboneRef
    stages: dict[str, Stage] = field(default_factory=dict)
    requested_runs: int = 0
    data_inputs: tuple[str, ...] = ()
    trained: dict[tuple[object, ...], Stage] = field(default_factory=dict)
    parts: dict[tuple[str, bool], tuple[tuple[Pairs, tuple[str, ...]], ...]] = field(default_factory=dict)
    make: StageMaker = field(default_factory=StageMaker)
    _settings: dict[tuple[str, str, str], TrainSettings] = field(default_factory=dict)

    def add(self, stage: Stage) -> Stage:
        """Take a stage in, unless there is one of its key; return the one that is there."""
        return self.stages.setdefault(stage.key, stage)

    def settings(self, family: Family, task: Task, phase: PhaseName) -> TrainSettings:
        """Return the settings of a task's training, without those that have no effect on its kind."""
        known = (family, task.name, phase)
        if known not in self._settings:
            section = self.config.intermediate if phase == "intermediate" else self.config.target
            self._settings[known] = _settings(section, family, task, phase)
        return self._settings[known]


def _settings(section: PhaseSection, family: Family, task: Task, phase: PhaseName) -> TrainSettings:
    override = section.overrides.get(task.name)
    settings = resolve(getattr(section, family), override, recipe=task.recipe, phase=phase, family=family)
    counts = FACTS[task.kind].lengths
    return replace(
        settings,
        doc_stride=settings.doc_stride if "doc_stride" in counts else TrainSettings.doc_stride,
        max_query_length=settings.max_query_length if "max_query_length" in counts else TrainSettings.max_query_length,
    )
