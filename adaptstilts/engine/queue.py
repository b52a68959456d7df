"""Queue of stages: which are ready, and what the others wait for."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Sequence

from adaptstilts.engine.graph import Graph
from adaptstilts.store.stage import Stage


class Waiting:
    """Stages to do, in the graph's order, with the inputs that each still waits for.

    Args:
        graph: All stages of the plan.
        todo: Those that are not finished.
    """

    def __init__(self, graph: Graph, todo: Sequence[Stage]) -> None:
        self._position = {stage.key: place for place, stage in enumerate(graph.stages)}
        self._users: dict[str, list[Stage]] = defaultdict(list)
        for stage in graph.stages:
            for key in set(stage.inputs):
                self._users[key].append(stage)
        self._stages = {stage.key: stage for stage in todo}
        self._lacks = {stage.key: {key for key in stage.inputs if key in self._stages} for stage in todo}
        self._ready = [self._position[stage.key] for stage in todo if not self._lacks[stage.key]]
        self._all = graph.stages

    def __bool__(self) -> bool:
        """Whether any stage is left."""
        return bool(self._stages)

    def __len__(self) -> int:
        """Number of stages left."""
        return len(self._stages)

    def __contains__(self, key: object) -> bool:
        """Whether the stage with this key is left."""
        return key in self._stages

    def stages(self) -> list[Stage]:
        """Return all stages left, in the graph's order."""
        return sorted(self._stages.values(), key=lambda stage: self._position[stage.key])

    def ready(self) -> list[Stage]:
        """Return the stages whose inputs are finished, in the graph's order."""
        return [self._all[place] for place in self._ready]

    def add(self, stage: Stage, lacks: Iterable[str] = ()) -> None:
        """Add a stage, which waits for the stages with the keys ``lacks``; the stages that use it wait for it again."""
        self._stages[stage.key] = stage
        self._lacks[stage.key] = set(lacks)
        if not self._lacks[stage.key]:
            bisect.insort(self._ready, self._position[stage.key])
        for user in self._users[stage.key]:
            if user.key in self._stages and not self._lacks[user.key]:
                self._ready.remove(self._position[user.key])
            self._lacks.setdefault(user.key, set()).add(stage.key)

    def remove(self, stage: Stage) -> None:
        """Remove a ready stage."""
        del self._stages[stage.key]
        self._ready.remove(self._position[stage.key])

    def finish(self, key: str) -> None:
        """Note that a stage is finished; stages that waited only for it become ready."""
        for user in self._users[key]:
            lacks = self._lacks.get(user.key)
            if lacks is not None and key in lacks:
                lacks.remove(key)
                if not lacks and user.key in self._stages:
                    bisect.insort(self._ready, self._position[user.key])
