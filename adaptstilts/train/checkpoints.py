"""Checkpoints of an unfinished training run: files that survive a kill at any moment.

A checkpoint is two files: tensors (safetensors) and plain values (JSON, which names the SHA-256 of the tensors and of
itself). The best weights so far have a file of their own, which checkpoints share until a better step is found. Every
file is written under another name, flushed to the disk and renamed; the JSON file comes last, so that a checkpoint is
complete or does not exist.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from adaptstilts.config.runtime import ResumeSection
from adaptstilts.contents import Pins, content_hash
from adaptstilts.errors import ChangedError, CheckpointError
from adaptstilts.files import check_file, clear, read_bytes
from adaptstilts.formatting import reason_of, system_reason
from adaptstilts.store.manifest import KEY_DIGITS
from adaptstilts.store.store import RESUME_FOLDER

if TYPE_CHECKING:
    from types import FrameType

    from torch import Tensor

from typing import Protocol

FORMAT = 1
"""Number that rises when the content of a checkpoint changes; a checkpoint of another format is not used."""
_TEMPORARY = ".partial"
_MOST_BYTES = 256 * 2**20
"""Longest JSON file of a checkpoint that is read: it holds the losses of all steps so far."""


@dataclass(frozen=True)
class Snapshot:
    """The state of a run between two optimiser steps.

    Attributes:
        tensors: Trained weights, optimiser and random states by name, on the CPU.
        values: Everything else, as plain values.
        best_step: Step of the best dev score so far; 0 if there is none.
        best: Trained weights of that step, on the CPU; empty if there is none.
        notes: Notes on checkpoints from earlier attempts.
    """

    step: int
    tensors: dict[str, Tensor]
    values: dict[str, Any]
    best_step: int
    best: dict[str, Tensor]
    notes: tuple[str, ...] = ()


class Checkpoints:
    """The checkpoints of one run, in one folder; only one process writes them.

    Args:
        folder: See `resume_folder`.
        key: Key of the stage; checkpoints of another one are not used.
        section: When checkpoints are written and how many are kept.
        log: Receives what is written, used, damaged or cannot be written.

    Attributes:
        notes: What was used, damaged or could not be written, a line each, in earlier attempts too.
    """

    def __init__(self, folder: Path, key: str, section: ResumeSection, log: CheckpointLog | None = None) -> None:
        self.folder = folder
        self.key = key
        self.section = section
        self.notes: list[str] = []
        self._log = log
        self._since = time.monotonic()
        self._got_sigterm = False
        self._previous: Any = None

    def is_due(self, step: int) -> bool:
        """Say whether a checkpoint is to be written after ``step`` optimiser steps."""
        every, minutes = self.section.every_steps, self.section.every_minutes
        by_steps = every is not None and step % every == 0
        by_time = minutes is not None and time.monotonic() - self._since >= 60 * minutes
        return by_steps or by_time or self._got_sigterm

    def write(self, snapshot: Snapshot, run: str) -> None:
        """Write a checkpoint and remove those that are no longer kept.

        A failed write becomes a note, since the run itself may still fit on the disk. ``run`` is the run's digest,
        which `latest` compares.
        """
        self._since = began = time.monotonic()
        try:
            self._write(snapshot, run)
        except (OSError, SafetensorError) as error:
            reason = system_reason(error) if isinstance(error, OSError) else reason_of(error)
            self.note(f"no checkpoint at step {snapshot.step}: {reason}")
        else:
            if self._log is not None:
                self._log.checkpoint(snapshot.step, time.monotonic() - began)
        with contextlib.suppress(OSError):
            self._prune()

    def latest(self, run: str) -> Snapshot | None:
        """Return the newest good checkpoint of a run with this digest; None to start from the beginning.

        Checkpoints that cannot be used are noted and removed.
        """
        self._since = time.monotonic()
        paths = sorted(self.folder.glob("step-*.json"), reverse=True)
        found = next((good for path in paths if (good := self._read_or_remove(path, run)) is not None), None)
        if found is not None:
            self.notes = [*found.notes, *self.notes, f"goes on from the checkpoint at step {found.step}"]
            if self._log is not None:
                self._log.resumed(found.step)
        elif paths:
            self.note("starts again from the beginning")
        with contextlib.suppress(OSError):
            self._prune()
        return found

    def read(self, step: int, run: str) -> Snapshot:
        """Return the checkpoint of one step; a missing, damaged or foreign one raises `CheckpointError`."""
        return _read(self.path(step), self.key, run)

    @contextlib.contextmanager
    def awaiting_sigterm(self) -> Iterator[None]:
        """Delay SIGTERM until the step is done and a checkpoint is written; only works in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._previous = signal.signal(signal.SIGTERM, self._on_sigterm)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_DFL if self._previous is None else self._previous)

    def pass_sigterm_on(self) -> None:
        """Deliver a delayed SIGTERM, if one came; call it once the checkpoint is written."""
        if not self._got_sigterm:
            return
        self._got_sigterm = False
        if callable(self._previous):
            self._previous(signal.SIGTERM, None)
        elif self._previous == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)

    def _read_or_remove(self, path: Path, run: str) -> Snapshot | None:
        try:
            return _read(path, self.key, run)
        except CheckpointError as error:
            # Notes become part of the artefact, which may travel: they name no folder of this machine.
            self.note(f"not used: {path.name if error.path is None else error.path.name}: {error.problem}")
            clear(path, ignore_errors=True)
            return None

    def note(self, text: str) -> None:
        """Keep a note and send it to the log."""
        self.notes.append(text)
        if self._log is not None:
            self._log.noted(text)

    def _on_sigterm(self, _: int, __: FrameType | None) -> None:
        self._got_sigterm = True

    def path(self, step: int) -> Path:
        """Return the path of the checkpoint of one step, whether or not it exists."""
        return self.folder / f"step-{step:08d}.json"

    def _write(self, snapshot: Snapshot, run: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(snapshot.step)
        content = {"format": FORMAT, "key": self.key, "run": run, "step": snapshot.step, "values": snapshot.values}
        content |= {"best_step": snapshot.best_step, "told": self.notes}  # the name in files of format 1
        content["best"] = self._write_best(snapshot)
        content["tensors"] = _save(path.with_suffix(".safetensors"), snapshot.tensors)
        text = json.dumps({"sha256": _digest(content), "content": content}, sort_keys=True)
        partial = _partial(path)
        partial.write_text(text, encoding="utf-8")
        _commit(partial, path)

    def _write_best(self, snapshot: Snapshot) -> dict[str, str] | None:
        """Write the best weights if they have no file yet; return its name and SHA-256."""
        if not snapshot.best:
            return None
        path = self.folder / f"best-{snapshot.best_step:08d}.safetensors"
        for other in self.folder.glob("step-*.json"):
            known = _content(other).get("best")
            if known is not None and known["file"] == path.name and _is_whole(path, known["sha256"]):
                return dict(known)
        return _save(path, snapshot.best)

    def _prune(self) -> None:
        """Remove all but the newest checkpoints, and the files that these do not name."""
        paths = sorted(self.folder.glob("step-*.json"))
        for path in paths[: -self.section.keep]:
            clear(path)
        kept = paths[-self.section.keep :]
        named = {path.name for path in kept}
        for path in kept:
            content = _content(path)
            named |= {record["file"] for record in (content.get("tensors"), content.get("best")) if record}
        for path in self.folder.glob("*"):
            if path.name not in named:
                clear(path)


def resume_folder(root: Path, key: str) -> Path:
    """Return the folder of a stage's checkpoints in the store at ``root``."""
    return root / RESUME_FOLDER / key[:KEY_DIGITS]


def remove_checkpoints(root: Path, key: str) -> None:
    """Remove the checkpoints of a stage whose artefact is finished."""
    shutil.rmtree(resume_folder(root, key), ignore_errors=True)
    with contextlib.suppress(OSError):  # others are still under way
        (root / RESUME_FOLDER).rmdir()


def _read(path: Path, key: str, run: str) -> Snapshot:
    content = _content(path)
    if not content:
        raise CheckpointError("the checkpoint is damaged", path=path)
    if (content["format"], content["key"], content["run"]) != (FORMAT, key, run):
        raise CheckpointError("the checkpoint is of another run", path=path)
    tensors = _load(path.parent, content["tensors"])
    best = {} if content["best"] is None else _load(path.parent, content["best"])
    return Snapshot(content["step"], tensors, content["values"], content["best_step"], best, tuple(content["told"]))


def _content(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file; empty if it is damaged, or not what `Checkpoints.write` writes."""
    try:
        found = json.loads(read_bytes(path, _MOST_BYTES, CheckpointError))
        content: dict[str, Any] = found["content"]
        is_good = found["sha256"] == _digest(content) and _has_all_fields(content)
    except (OSError, ValueError, TypeError, KeyError, RecursionError, CheckpointError):
        return {}
    return content if is_good else {}


def _has_all_fields(content: dict[str, Any]) -> bool:
    """Return whether a content has all fields, each of its type; the values are checked where they are put back."""
    files = [content["tensors"], *([] if content["best"] is None else [content["best"]])]
    return (
        all(isinstance(content[name], str) for name in ("key", "run"))
        and all(type(content[name]) is int and content[name] >= 0 for name in ("format", "step", "best_step"))
        and all(isinstance(text, str) for text in content["told"])
        and isinstance(content["values"], dict)
        and all(Path(record["file"]).name == record["file"] and isinstance(record["sha256"], str) for record in files)
    )


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _save(path: Path, tensors: dict[str, Tensor]) -> dict[str, str]:
    """Write tensors; return the file's name and SHA-256."""
    partial = _partial(path)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial)
    _commit(partial, path)
    return {"file": path.name, "sha256": content_hash(path, again=True)}


def _load(folder: Path, record: dict[str, str]) -> dict[str, Tensor]:
    """Return copies of a file's tensors, since those of the library would change with a file that is written to."""
    path = folder / record["file"]
    pins = Pins()
    pins.hold(path, record["sha256"])
    try:
        check_file(path, CheckpointError)
        with pins.reading([path]):
            pins.check([path])
            return {name: tensor.clone() for name, tensor in load_file(path).items()}
    except ChangedError as error:
        raise CheckpointError("the checkpoint is damaged", path=path) from error
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"the checkpoint cannot be read: {error}", path=path) from error


def _partial(path: Path) -> Path:
    return path.with_name(f"{path.name}{_TEMPORARY}")


def _commit(partial: Path, path: Path) -> None:
    """Flush a file to the disk and give it its final name."""
    with partial.open("rb+") as handle:
        os.fsync(handle.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _is_whole(path: Path, sha256: str) -> bool:
    """Say whether a file of best weights is unchanged; it is read again only if it has been written since."""
    try:
        return content_hash(path) == sha256
    except OSError:
        return False


class CheckpointLog(Protocol):
    """Receiver of events about the checkpoints of a run."""

    def checkpoint(self, step: int, seconds: float) -> None:
        """Record a checkpoint that was written after a step, and how long that took."""
        ...

    def resumed(self, step: int) -> None:
        """Record that the run continues after a step of an earlier attempt."""
        ...

    def noted(self, text: str) -> None:
        """Record that a checkpoint is damaged or cannot be written."""
        ...
