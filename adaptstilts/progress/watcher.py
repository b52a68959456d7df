"""The state of a run in progress, from its events and from the heartbeats of workers elsewhere."""

from __future__ import annotations

import math
import os
import platform
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from adaptstilts.engine.heartbeats import Beat, Failure, read_beats
from adaptstilts.errors import AdaptstiltsError
from adaptstilts.formatting import estimate_text, number_text
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.stage import Stage, describe
from adaptstilts.store.store import Store
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.status import Observer, Status, summarise

if TYPE_CHECKING:
    from typing_extensions import Self

_SECONDS_BETWEEN_STORE_READS = 2.0


class StudyWatcher:
    """Follows the events of a run, and writes nothing; subclasses show lines and `status`.

    Args:
        plan: The plan that is carried out.
        workers: Number of stages that run at the same time.
        store: Folder of the store, from which measured times and the heartbeats of workers elsewhere are read. Without
            it, only the calls of this watcher count.
    """

    def __init__(self, plan: Plan, *, workers: int = 1, store: Path | None = None) -> None:
        self._plan = plan
        self._workers = workers
        self._store = store
        self._observer = Observer(Store(store if store is not None else Path()), plan)
        self._lock = threading.RLock()  # one thread draws while another reports
        self._closed = 0
        self._done: set[str] = set()
        self._failures: dict[str, Failure] = {}
        self._own: dict[str, Beat] = {}
        self._began: dict[str, float] = {}
        self._beats: dict[str, Beat] = {}
        self._read_at = -math.inf

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""

    def skipped(self, stages: list[Stage]) -> None:
        """Write how many stages are finished already."""
        with self._lock:
            self._done.update(stage.key for stage in stages)
            self._closed = len(stages)
        if stages:
            kinds = Counter(stage.kind.value for stage in stages)
            parts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
            self.line(f"skipping {number_text(len(stages), 'finished stage')} ({parts})")

    def started(self, stage: Stage, left: int, worker: str = "") -> None:
        """Show a stage as running."""
        beat = Beat(stage.key, stage.name, stage.kind.value, platform.node(), os.getpid(), worker)
        with self._lock:
            self._own[stage.key] = beat
            self._began[stage.key] = time.perf_counter()

    def stepped(self, stage: Stage, done: int, total: int, note: str) -> None:
        """Move a stage's bar."""
        with self._lock:
            if stage.key in self._own:
                self._own[stage.key] = replace(self._own[stage.key], done=done, total=total, note=note)

    def requeued(self, stage: Stage) -> None:
        """Remove a stage's bar, as the stage waits again."""
        with self._lock:
            self._own.pop(stage.key, None)
            self._began.pop(stage.key, None)

    def finished(self, stage: Stage, artefact: Artefact) -> None:
        """Write a finished stage's line."""
        with self._lock:
            self._close(stage)
            self._done.add(stage.key)
            if self._store is None:
                self._observer.pace.add(stage.kind.value, describe(stage.job), artefact.seconds, stage.inputs)
            left = estimate_text(self.status().seconds_left or 0.0)
            count = f"{self._closed}/{len(self._plan.stages)}"
        self.line(f"[{count}] {stage.name}: {artefact.seconds:.1f} s, about {left} left")

    def noted(self, text: str) -> None:
        """Write a line."""
        self.line(text)

    def failed(self, stage: Stage, error: AdaptstiltsError) -> None:
        """Write a failed stage's error."""
        failure = Failure(
            key=stage.key,
            name=stage.name,
            kind=stage.kind.value,
            error=str(error),
            type=type(error).__name__,
            host=platform.node(),
            pid=os.getpid(),
            worker="",
            when="",
            log="",
        )
        with self._lock:
            self._close(stage)
            self._failures[stage.key] = failure
        self.line(f"failed: {stage.name}: {error}", style="red")

    def line(self, text: str, style: str = "") -> None:
        """Show a line; this class drops it."""

    def status(self) -> Status:
        """Return the status of the study, from this watcher's calls and from the heartbeats in the store."""
        with self._lock:
            if self._store is not None and time.perf_counter() - self._read_at >= _SECONDS_BETWEEN_STORE_READS:
                self._read_at = time.perf_counter()
                self._done.update(self._observer.made().keys())
                self._beats = {beat.key: beat for beat in read_beats(self._observer.store)}
            beats = {key: beat for key, beat in self._beats.items() if key not in self._failures}
            beats |= {key: self._merged(beat, beats.get(key)) for key, beat in self._own.items()}
            failures = list(self._failures.values())
            return summarise(
                self._plan, self._done, list(beats.values()), failures, self._observer.pace, workers=self._workers
            )

    def _merged(self, own: Beat, stored: Beat | None) -> Beat:
        """Return the newest facts on a stage that this process runs; its own step counts beat the stored ones."""
        beat = own if stored is None else stored
        seconds = time.perf_counter() - self._began[own.key]
        steps = own if own.total else beat
        return replace(
            beat,
            worker=own.worker or beat.worker,
            seconds=seconds if stored is None else beat.seconds,
            done=steps.done,
            total=steps.total,
            note=steps.note,
        )

    def _close(self, stage: Stage) -> None:
        self._closed += 1
        self._own.pop(stage.key, None)
        self._began.pop(stage.key, None)
        self._beats.pop(stage.key, None)
