"""The data that a planned stage reads: a folder of files, or a mini world that the study has generated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adaptstilts.errors import StoreError
from adaptstilts.files import expanded
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import DataPlace, Stage, StageKind
from adaptstilts.study.layout import DATA_FOLDER
from adaptstilts.study.plan.plan import Plan


@dataclass(frozen=True)
class StageData:
    """Where the data of a stage is, and how it is read.

    Attributes:
        quoting: ``data.quoting``.
        is_generated: Whether it is a mini world, whose files the store checks.
    """

    folder: Path
    quoting: str
    is_generated: bool

    def open(self) -> DataRoot:
        """Return the data for reading; nothing is read yet."""
        return DataRoot(self.folder, options={"quoting": self.quoting})


def data_of(stage: Stage, plan: Plan, done: Mapping[str, Artefact], own: DataPlace) -> StageData:
    """Return the data that a stage reads.

    Args:
        stage: A stage of the plan.
        plan: Plan of the study.
        done: Finished artefacts by key; generated data are among them.
        own: Place of the data of stages that name none.

    Raises:
        StoreError: If it was generated and is no longer in the store.
    """
    place = stage.place or own
    world = next((item for item in plan.inputs_of(stage) if item.kind is StageKind.DATA), None)
    if world is None:
        return StageData(expanded(place.root), place.quoting, is_generated=False)
    if world.key not in done:
        hint = "Generate them again: study.run(), or adaptstilts run CONFIG."
        raise StoreError(f"the examples of '{stage.name}' are no longer in the store", hint=hint)
    return StageData(done[world.key].file(DATA_FOLDER), place.quoting, is_generated=True)
