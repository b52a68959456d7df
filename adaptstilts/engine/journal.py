"""Event logs of stages, as JSON lines.

One file per stage, ``logs/<kind>/<slug>-<key>.jsonl`` below the store, to which every attempt appends. It is no part of
the artefact and decides no key. Each line is written at once to a file opened for appending: on a local file system
lines of several processes never mix. On a network file system two hosts that append at the same moment could lose a
line, but a stage has only one worker at a time. A line that a crash has cut short is ended by the next writer and left
out by the reader.

Events: ``started``, ``resumed``, ``step``, ``dev``, ``checkpoint``, ``note``, and at the end one of ``finished``,
``failed`` and ``interrupted``.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from adaptstilts.addresses import shown_address
from adaptstilts.engine.heartbeats import Failure, clear_failure, write_failure
from adaptstilts.errors import StoreError, TakenOverError
from adaptstilts.files import open_file
from adaptstilts.json_text import parse_json
from adaptstilts.store.holding import Progress
from adaptstilts.store.stage import Stage

if TYPE_CHECKING:
    from typing_extensions import Self

    from adaptstilts.store.artefact import Artefact

LOGS_FOLDER = "logs"
_LEAST_SECONDS = 1.0
_LEAST_SHARE = 0.01
"""Least distance of two ``step`` events: a second, and a hundredth of the steps. The last step is always written."""
_LONGEST_TEXT = 4000
_LONGEST_LINE = 1 << 20

StepCallback = Callable[[int, int, str], None]


class Follower(Protocol):
    """Receives the numbers of a training run, as experiment trackers do."""

    def log(self, values: dict[str, float], step: int) -> None:
        """Record the values of a step."""
        ...


class Journal:
    """The logs of a store's stages.

    Args:
        root: Folder of the store.
        worker: Name that the engine gives this worker; may be empty.
    """

    def __init__(self, root: Path, worker: str = "") -> None:
        self.root = root
        self.worker = worker

    def path(self, stage: Stage) -> Path:
        """Return the path of a stage's log, whether or not it exists."""
        return self.root / LOGS_FOLDER / stage.kind.value / f"{stage.folder}.jsonl"

    def stage(self, stage: Stage, on_step: StepCallback | None = None, progress: Progress | None = None) -> StageLog:
        """Return the log of one attempt at a stage, a context manager to work in.

        It writes ``started`` on entering and ``finished``, ``failed`` or ``interrupted`` on leaving.

        Args:
            stage: The stage; this process must hold its claim.
            on_step: Called with steps done, steps in all and a note.
            progress: The claim's record of progress, kept up to date.
        """
        return StageLog(self, stage, on_step, progress)

    def failed(self, stage: Stage, error: BaseException) -> None:
        """Record a failure that the worker could not: it died, or the engine gave up."""
        write_event(self.path(stage), {**self.heading("failed", stage.key), **_error_fields(error)}, is_first=True)
        self.keep_failure(stage, error)

    def noted(self, stage: Stage, text: str) -> None:
        """Write a note about a stage outside any attempt."""
        write_event(
            self.path(stage),
            {**self.heading("note", stage.key), "text": shown_address(text)[-_LONGEST_TEXT:]},
            is_first=True,
        )

    def keep_failure(self, stage: Stage, error: BaseException) -> None:
        """Keep the error of a stage for `adaptstilts status` until the stage succeeds."""
        failure = Failure(
            key=stage.key,
            name=stage.name,
            kind=stage.kind.value,
            when=_now(),
            log=self.path(stage).relative_to(self.root).as_posix(),
            **_error_fields(error),
            **self.place(),
        )
        write_failure(self.root, failure)

    def place(self) -> dict[str, Any]:
        """Return host, process and worker."""
        return {"host": platform.node(), "pid": os.getpid(), "worker": self.worker}

    def heading(self, event: str, key: str) -> dict[str, Any]:
        """Return the fields that all events share."""
        place = {name: value for name, value in self.place().items() if value != ""}
        return {"time": _now(), "event": event, "key": key, **place}


class StageLog:
    """Log of one attempt at one stage; made by `Journal.stage`."""

    def __init__(
        self,
        journal: Journal,
        stage: Stage,
        on_step: StepCallback | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.followers: list[Follower] = []
        self.progress = Progress() if progress is None else progress
        self.progress.worker = journal.worker
        self._journal = journal
        self._stage = stage
        self._on_step = on_step
        self._path = journal.path(stage)
        self._steps = _StepEvents()
        self._bytes: int | None = None
        self._began = time.perf_counter()

    def __enter__(self) -> Self:
        """Write ``started``."""
        self._began = time.perf_counter()
        self._write("started", name=self._stage.name, kind=self._stage.kind.value)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the ending: ``finished``, ``failed`` or ``interrupted``."""
        self._write_step(self._steps.pending())
        seconds = round(time.perf_counter() - self._began, 3)
        if error is None:
            self._write("finished", seconds=seconds, bytes=self._bytes)
            clear_failure(self._journal.root, self._stage.key)
        elif isinstance(error, Exception) and not isinstance(error, TakenOverError):
            self._write("failed", seconds=seconds, **_error_fields(error))
            self._journal.keep_failure(self._stage, error)
        else:
            self._write("interrupted", seconds=seconds, type=type(error).__name__)

    def stepped(self, done: int, total: int, note: str = "", numbers: StepNumbers | None = None) -> None:
        """Record that a step is finished.

        Args:
            done: Steps done.
            total: Steps in all.
            note: Text for people, such as the loss.
            numbers: Measurements of a training step; None for other stages.

        Raises:
            TakenOverError: If another process has taken over the stage, since this one seemed dead.
        """
        if self.progress.is_taken_over:
            raise TakenOverError("another process is making this stage, since this one seemed dead")
        if not self.progress.total:
            self.progress.first, self.progress.before = done, round(time.perf_counter() - self._began, 3)
        self.progress.done, self.progress.total, self.progress.note = done, total, note
        event = self._steps.add(done, total, note, numbers)
        values: dict[str, float | None] = {}
        if numbers is not None:
            values |= {"loss": numbers.loss, "learning_rate": numbers.learning_rate}
        if event is not None:
            speed = event.get("examples_per_second")
            self.progress.examples_per_second = speed
            values["examples_per_second"] = speed
            self._write_step(event)
        self._send(values, done)
        if self._on_step is not None:
            self._on_step(done, total, note)

    def dev(self, step: int, score: float, seconds: float = 0.0) -> None:
        """Record a score on the dev set.

        Args:
            step: Optimiser steps done.
            score: Major metric in percent.
            seconds: Wall time of scoring; does not count in examples per second.
        """
        self._steps.paused += seconds
        self._write("dev", step=step, score=score, seconds=round(seconds, 3))
        self._send({"dev_score": score}, step)

    def checkpoint(self, step: int, seconds: float) -> None:
        """Record a checkpoint after ``step`` optimiser steps; writing it took ``seconds``."""
        self._steps.paused += seconds
        self._write("checkpoint", step=step, seconds=round(seconds, 3))

    def resumed(self, step: int) -> None:
        """Record that the attempt continues after ``step`` steps of an earlier one."""
        self.progress.done = step
        self._write("resumed", step=step)

    def noted(self, text: str) -> None:
        """Write a note."""
        self._write("note", text=shown_address(text)[:_LONGEST_TEXT])

    def summary(self, record: dict[str, Any]) -> None:
        """Pass the numbers of a finished training run's record to the followers."""
        numbers = {
            f"summary/{name}": value
            for name, value in record.items()
            if isinstance(value, int | float) and math.isfinite(value)
        }
        self._send(dict(numbers), self.progress.done)

    def made(self, artefact: Artefact) -> None:
        """Note the size of the finished artefact for ``finished``."""
        self._bytes = sum(int(record["bytes"]) for record in artefact.manifest["files"].values())

    def _send(self, values: dict[str, float | None], step: int) -> None:
        known = {name: value for name, value in values.items() if value is not None}
        if known:
            for follower in self.followers:
                follower.log(known, step)

    def _write_step(self, event: dict[str, Any] | None) -> None:
        if event is not None:
            self._write("step", **event)

    def _write(self, event: str, **values: Any) -> None:  # noqa: ANN401 - JSON values
        heading = self._journal.heading(event, self._stage.key)
        write_event(self._path, {**heading, **values}, is_first=event == "started")


class _StepEvents:
    """Thins steps out into events, and averages what lies between two of them."""

    def __init__(self) -> None:
        self.paused = 0.0
        self._last: dict[str, Any] = {}
        self._written_step: int | None = None
        self._written = time.perf_counter()
        self._losses: list[float] = []
        self._examples = 0

    def add(self, done: int, total: int, note: str, numbers: StepNumbers | None) -> dict[str, Any] | None:
        """Take in a step; return the event that is due, if any."""
        self._last = {"step": done, "steps": total}
        if numbers is None:
            self._last["note"] = note
        else:
            self._losses.append(numbers.loss)
            self._examples += numbers.examples
            self._last["learning_rate"] = _shorten(numbers.learning_rate)
        if done < total and self._written_step is not None:
            soon = time.perf_counter() - self._written < _LEAST_SECONDS
            if soon or done - self._written_step < _LEAST_SHARE * total:
                return None
        return self.pending()

    def pending(self) -> dict[str, Any] | None:
        """Return an event for the steps since the last one; None if there were none."""
        event = {name: value for name, value in self._last.items() if value not in {None, ""}}
        if not event:
            return None
        if self._losses:
            event["loss"] = _shorten(sum(self._losses) / len(self._losses))
        seconds = time.perf_counter() - self._written - self.paused
        if self._examples and self._written_step is not None and seconds > 0:
            event["examples_per_second"] = round(self._examples / seconds, 2)
        self._written_step, self._written, self.paused = event["step"], time.perf_counter(), 0.0
        self._last, self._losses, self._examples = {}, [], 0
        return event


def write_event(path: Path, record: dict[str, Any], *, is_first: bool = False) -> None:
    """Append one line to a log; a log that cannot be written is ignored.

    Whatever prevents it also prevents writing the artefact, and is reported there.

    Args:
        record: Plain values; numbers that are not finite become null.
        is_first: Whether an attempt begins, so that the last line may have been cut short.
    """
    line = json.dumps({name: _finite(value) for name, value in record.items()}, ensure_ascii=False) + "\n"
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+", buffering=0) as file:
            file.write(((_end_of_line(file) if is_first else "") + line).encode("utf-8"))


def _end_of_line(file: Any) -> str:  # noqa: ANN401 - a raw file
    """Return the line break that a killed writer failed to write, or nothing."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return ""
    file.seek(size - 1)
    return "" if file.read(1) == b"\n" else "\n"


def read_events(path: Path) -> list[dict[str, Any]]:
    """Return the events of a log as written, without lines that a crash cut short; empty if there is no log."""
    return list(_events(path))


def _events(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with open_file(path, StoreError) as file:
            while line := file.readline(_LONGEST_LINE):
                with contextlib.suppress(ValueError):  # includes text that is not UTF-8
                    event = parse_json(line)
                    if isinstance(event, dict) and "event" in event:
                        yield event
    except (OSError, StoreError):  # there is none, or something else in its place
        return


def made_counts(root: Path) -> dict[str, int]:
    """Return how often each artefact was made according to the logs: ``finished`` events by stage key.

    Stages that only started count 0, as does a worker killed between storing its artefact and logging it.
    """
    counts: Counter[str] = Counter()
    for path in sorted((root / LOGS_FOLDER).glob("*/*.jsonl")):
        for event in _events(path):
            counts[str(event.get("key"))] += event["event"] == "finished"
    return dict(counts)


def _error_fields(error: BaseException) -> dict[str, Any]:
    text = shown_address(str(error))[:_LONGEST_TEXT]
    return {"error": text or type(error).__name__, "type": type(error).__name__}


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shorten(value: float) -> float:
    return float(f"{value:.7g}")


def _finite(value: Any) -> Any:  # noqa: ANN401 - JSON values
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(frozen=True)
class StepNumbers:
    """Measurements of one training step.

    Attributes:
        loss: Mean loss; not finite where training diverges.
        examples: Examples in all processes together.
    """

    loss: float
    learning_rate: float
    examples: int = 0
