"""State of a plan that is being made: the configuration, facts about its data, the stages so far. Free of torch."""

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
    """Collects the stages of a study.

    Attributes:
        facts: Facts about the study's data.
        stages: Stages so far by key, each after its inputs.
        requested_runs: Training runs requested so far, whether new or shared.
        data_inputs: Keys of the stages that generate the data: one for the mini world, else none.
        trained: Training runs by the arguments they were requested with.
        parts: Groups of languages that are evaluated in one stage each, by target and whether labels are hidden.
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
        """Add a stage unless there is one with its key; return the one that is in the plan."""
        return self.stages.setdefault(stage.key, stage)

    def settings(self, family: Family, task: Task, phase: PhaseName) -> TrainSettings:
        """Return the training settings of a task, with those that have no effect on its kind at their defaults."""
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
