"""Graph of stages, ordered so that each comes after its inputs."""

from __future__ import annotations

from collections.abc import Iterable
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

    def with_inputs(self, keys: Iterable[str]) -> set[str]:
        """Return the keys of stages and of all stages that they build on, directly or not."""
        found: set[str] = set()
        waiting = list(keys)
        while waiting:
            key = waiting.pop()
            if key not in found:
                found.add(key)
                waiting += self._by_key[key].inputs
        return found

    @cached_property
    def _by_key(self) -> dict[str, Stage]:
        return {stage.key: stage for stage in self.stages}
