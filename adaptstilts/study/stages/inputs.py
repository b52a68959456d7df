"""The finished artefacts that a stage builds on."""

from __future__ import annotations

from dataclasses import dataclass

from adaptstilts.errors import DamagedError
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store


@dataclass(frozen=True)
class Inputs:
    """Artefacts a stage needs.

    Attributes:
        stages: The stages that make them.
        store: Where they are.
    """

    stages: tuple[Stage, ...]
    store: Store

    def artefact(self, key: str) -> Artefact:
        """Return a finished input, every byte of it as it was written.

        Raises:
            DamagedError: If a file of it is damaged, or all of it is no longer there.
        """
        stage = next(stage for stage in self.stages if stage.key == key)
        found = self.store.open(stage)
        if found is None:
            raise self._gone(stage)
        return found

    def records(self) -> dict[str, Artefact]:
        """Return all inputs by key; bytes of a file are compared when it is read, and only then.

        Raises:
            DamagedError: If one is no longer there.
        """
        found = self.store.find_all(self.stages)
        for stage in self.stages:
            if stage.key not in found:
                raise self._gone(stage)
        return found

    def _gone(self, stage: Stage) -> DamagedError:
        return DamagedError(f"{stage.name} is no longer in the store", folder=self.store.folder(stage))
