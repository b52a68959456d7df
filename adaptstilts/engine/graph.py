"""Graph of stages, ordered so that each comes after its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from adaptstilts.store.stage import Stage


@dataclass(frozen=True)
class Graph:
    """Stages to carry out, each after its inputs and only once."""

    stages: tuple[Stage, ...]

    def stage(self, key: str) -> Stage:
        """Return a stage by its key."""
        return self._by_key[key]

    def inputs_of(self, stage: Stage) -> tuple[Stage, ...]:
        """Return the stages that a stage builds on."""
        return tuple(self._by_key[key] for key in stage.inputs)

    @cached_property
    def _by_key(self) -> dict[str, Stage]:
        return {stage.key: stage for stage in self.stages}
