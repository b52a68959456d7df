"""The finished artefacts that a stage builds on."""

from __future__ import annotations

from dataclasses import dataclass

from adaptstilts.errors import DamagedError
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store


@dataclass(frozen=True)
class Inputs:
    """Input artefacts of a stage, opened by the keys of the stages that made them."""

    stages: tuple[Stage, ...]
    store: Store

    def artefact(self, key: str) -> Artefact:
        """Open an input after checking every byte of its files.

        Raises:
            DamagedError: If a file is damaged, or the artefact is no longer in the store.
        """
        stage = next(stage for stage in self.stages if stage.key == key)
        found = self.store.open(stage)
        if found is None:
            raise self._gone(stage)
        return found

    def records(self) -> dict[str, Artefact]:
        """Open all inputs by key; the bytes of a file are checked only when it is read.

        Raises:
            DamagedError: If an artefact is no longer in the store.
        """
        found = self.store.find_all(self.stages)
        for stage in self.stages:
            if stage.key not in found:
                raise self._gone(stage)
        return found

    def _gone(self, stage: Stage) -> DamagedError:
        return DamagedError(f"{stage.name} is no longer in the store", folder=self.store.folder(stage))
