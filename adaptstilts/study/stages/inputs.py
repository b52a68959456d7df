"""What a stage builds on: finished artefacts and a backbone, held to the content that its key was made from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from adaptstilts.contents import Pins
from adaptstilts.errors import DamagedError
from adaptstilts.store.artefact import Artefact, raise_first
from adaptstilts.store.manifest import damages
from adaptstilts.store.stage import Stage, StageKind
from adaptstilts.store.store import Store


@dataclass(frozen=True)
class Inputs:
    """Input artefacts of a stage, opened by the keys of the stages that made them.

    Attributes:
        pins: Files that the process holds to their content, those of the backbone included.
        opened: Artefacts opened so far, by key.
        backbone: Files of the backbone.
    """

    stages: tuple[Stage, ...]
    store: Store
    pins: Pins = field(default_factory=Pins)
    opened: dict[str, Artefact] = field(default_factory=dict)
    backbone: list[Path] = field(default_factory=list)

    def artefact(self, key: str) -> Artefact:
        """Open an input after checking every byte of its files.

        Raises:
            DamagedError: If a file is damaged, or the artefact is no longer in the store.
        """
        stage = next(stage for stage in self.stages if stage.key == key)
        found = self.store.open(stage)
        if found is None:
            raise self._gone(stage)
        self.opened[key] = found
        for name, record in found.manifest["files"].items():
            self.pins.hold(found.folder / name, record["sha256"])
        return found

    @property
    def files(self) -> tuple[Path, ...]:
        """Files of the backbone and of the artefacts opened so far, except data, which are read set by set."""
        data = {stage.key for stage in self.stages if stage.kind is StageKind.DATA}
        trained = (one for key, one in self.opened.items() if key not in data)
        made = (one.folder / name for one in trained for name in one.manifest["files"])
        return (*self.backbone, *made)

    @property
    def content(self) -> object:
        """Content of these files, for comparison."""
        return self.pins.state(self.files)

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Load weights in the block, and make sure that they are those of the opened artefacts and of the backbone.

        Raises:
            ChangedError: If a file differs, or changes meanwhile.
        """
        with self.pins.reading(self.files):
            yield

    def check_opened(self) -> None:
        """Compare the artefacts opened so far with their manifests once more, before anything made of them is kept.

        Raises:
            DamagedError: If one has been changed or removed meanwhile.
        """
        for artefact in self.opened.values():
            raise_first(damages(artefact.folder, artefact.manifest["files"], certain=True))

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
