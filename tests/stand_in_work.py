"""What workers do in tests of engines: small artefacts, and the ways in which a worker can end.

A stage's slug says what happens: ``die-once`` kills the worker the first time, ``die`` always, ``bug``, ``bad-input``
and ``no-memory`` (``no-memory-once`` the first time) raise, ``slow`` takes its time (``slow-once`` ten seconds, the
first time), everything else is made at once. Every attempt leaves a line in ``attempts`` of the store's folder.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from adaptstilts.engine.journal import StageLog
from adaptstilts.errors import DataError
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import Stage, make_stage
from adaptstilts.store.store import Store
from adaptstilts.study.plan.jobs import DataJob
from adaptstilts.study.plan.plan import Plan


def stage(slug: str, *inputs: Stage) -> Stage:
    """A stage of which only the name matters."""
    return make_stage(slug, slug, DataJob(1, sum(slug.encode()), 8, 8, 8), tuple(item.key for item in inputs))


def plan_of(*stages: Stage) -> Plan:
    return Plan(stages, (), 0)


def attempts(store: Store) -> list[tuple[str, int]]:
    """(slug, process) of every attempt so far."""
    path = Path(store.root) / "attempts"
    lines = path.read_text().splitlines() if path.is_file() else []
    return [(line.split()[0], int(line.split()[1])) for line in lines]


class OutOfMemoryError(RuntimeError):
    """What torch raises has this name too."""


class StandInRunner:
    """Makes a file with the stage's slug in it."""

    def run(self, stage: Stage, inputs: tuple[Stage, ...], store: Store, log: StageLog) -> Artefact:
        with (Path(store.root) / "attempts").open("a") as file:
            file.write(f"{stage.slug} {os.getpid()}\n")
        with store.writing(stage, {}) as folder:
            (folder / "name").write_text(stage.slug)
            (folder / "gpu").write_text(os.environ.get("CUDA_VISIBLE_DEVICES", ""))
            log.stepped(1, 2, "half")
            self._misbehave(stage.slug, store)
        found = store.find(stage)
        assert found is not None
        return found

    def _misbehave(self, slug: str, store: Store) -> None:
        tries = sum(done == slug for done, _ in attempts(store))
        if slug == "die" or (slug == "die-once" and tries == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        if slug == "no-memory" or (slug == "no-memory-once" and tries == 1):
            raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.\nMore lines")
        if slug == "bug":
            raise ZeroDivisionError("a bug")
        if slug == "bad-input":
            raise DataError("no rows", path="some.tsv")
        if slug.startswith("slow"):
            time.sleep(10 if slug == "slow-once" and tries == 1 else 0.5)


class QuietWatcher:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def skipped(self, stages: list[Stage]) -> None:
        self.told.append(("skipped", len(stages)))

    def started(self, stage: Stage, left: int, worker: str = "") -> None:
        self.told.append(("started", stage.slug))

    def stepped(self, stage: Stage, done: int, total: int, note: str) -> None:
        self.told.append(("stepped", stage.slug, done, total, note))

    def requeued(self, stage: Stage) -> None:
        self.told.append(("put back", stage.slug))

    def finished(self, stage: Stage, artefact: Artefact) -> None:
        self.told.append(("finished", stage.slug))

    def noted(self, text: str) -> None:
        self.told.append(("noted", text))

    def failed(self, stage: Stage, error: Exception) -> None:
        self.told.append(("failed", stage.slug, str(error)))
