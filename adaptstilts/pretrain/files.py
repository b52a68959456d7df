"""Files of a pretraining run: saved states, the training log, and the folder of the finished backbone."""

from __future__ import annotations

import contextlib
import json
import pickle
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from adaptstilts.config.pretrain import PretrainSection
from adaptstilts.errors import ConfigError, StoreError
from adaptstilts.files import read_bytes
from adaptstilts.formatting import reason_of
from adaptstilts.json_text import JsonError, parse_json
from adaptstilts.pretrain.corpora import Corpus
from adaptstilts.pretrain.run import PretrainingRun
from adaptstilts.runtime import environment

RECORD_FILE = "pretraining.json"
"""Settings, environment and results of a finished run."""
LOG_FILE = "training_log.jsonl"
"""One JSON object per log interval: step, sub-tokens, seconds, mean loss of each objective."""
_STATE_FILE = "state.pt"
_SETTINGS_FILE = "settings.json"
_MOST_BYTES = 1 << 24
_OTHER_FOLDER = "Remove it, or choose another output folder."
# Settings that may change between two parts of one run.
_NOT_IN_IDENTITY = ("output", "title", "device", "threads", "max_minutes")


@dataclass(frozen=True)
class PretrainReport:
    """Results of a pretraining run so far, over all its parts.

    Attributes:
        folder: Folder of the finished backbone, which may not exist yet.
        steps: Optimiser steps taken.
        parameters: Weights of the model, the tied output layer counted once.
        pieces: Size of the vocabulary.
        tokens: Sub-tokens trained on, padding excluded.
        losses: Objective -> mean loss in the last entry of the log, in nats.
        held_out: Language -> MLM loss on held-out lines, in nats; empty until the run is finished.
    """

    folder: Path
    steps: int
    planned_steps: int
    parameters: int
    pieces: int
    tokens: int
    seconds: float
    losses: dict[str, float]
    held_out: dict[str, float]

    @property
    def is_finished(self) -> bool:
        """Whether all steps are done."""
        return self.steps == self.planned_steps


def find_finished(settings: PretrainSection, output: Path) -> PretrainReport | None:
    """Return the report of a finished backbone with these settings, or None if the folder holds none.

    Raises:
        ConfigError: If the folder holds the backbone of another run.
        StoreError: If its record is damaged.
    """
    record = output / RECORD_FILE
    if not record.is_file():
        if (output / "config.json").exists():
            raise ConfigError(
                f"{output} holds a backbone that this command did not make", key="output",
                hint="Choose another output folder.",
            )  # fmt: skip
        return None
    found = _read(record)
    if found.get("settings") != _identity(settings):
        raise ConfigError(
            f"{output} holds the finished backbone of other settings", key="output",
            hint="Choose another output folder.",
        )  # fmt: skip
    if not _is_report(found.get("report")):
        raise StoreError("is not the record of a finished run", path=record, key="report", hint=_OTHER_FOLDER)
    return PretrainReport(**{**found["report"], "folder": output})


def _read(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file of a run.

    Raises:
        StoreError: If there is none in it.
    """
    try:
        found = parse_json(read_bytes(path, _MOST_BYTES, StoreError, _OTHER_FOLDER))
    except JsonError as error:
        problem = f"is damaged: {error.problem}"
        raise StoreError(problem, path=path, line=error.line, key=error.key, hint=_OTHER_FOLDER) from error
    if not isinstance(found, dict):
        raise StoreError("is damaged: not a JSON object", path=path, hint=_OTHER_FOLDER)
    return found


def _is_report(found: object) -> bool:
    """Return whether a value has the fields of a `PretrainReport` but the folder, each of its type."""
    kinds = {item.name: str(item.type) for item in fields(PretrainReport) if item.name != "folder"}
    if not isinstance(found, dict) or found.keys() != kinds.keys():
        return False
    numbers: list[object] = []
    for name, value in found.items():
        is_table = kinds[name].startswith("dict")
        if is_table != isinstance(value, dict):
            return False
        numbers += value.values() if is_table else [value]
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in numbers)


def _identity(settings: PretrainSection) -> dict[str, Any]:
    """Return the settings that decide the weights, as JSON values, without paths of this machine."""
    identity = settings.model_dump(mode="json", exclude=set(_NOT_IN_IDENTITY))
    identity["data"].pop("root")
    return identity


def open_states(settings: PretrainSection, part: Path) -> None:
    """Create the folder of a run's states, or check that the existing one belongs to this run.

    Raises:
        ConfigError: If it belongs to a run with other settings.
        StoreError: If the record of its settings is damaged.
    """
    path = part / _SETTINGS_FILE
    if path.is_file():
        if _read(path) != _identity(settings):
            raise ConfigError(
                f"{part} holds an unfinished run with other settings", key="output",
                hint="Delete the folder or choose another output folder.",
            )  # fmt: skip
        return
    part.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_identity(settings), indent=2) + "\n", encoding="utf-8")


def save_state(run: PretrainingRun, part: Path) -> None:
    """Write model, optimiser, schedule and step; an earlier state stays whole until the new one is complete."""
    state = {
        "model": run.model.state_dict(),
        "matcher": run.matcher.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "schedule": run.schedule.state_dict(),
        "progress": {"step": run.step, "tokens": run.tokens, "seconds": run.seconds},
    }
    unfinished = part / f"{_STATE_FILE}.new"
    torch.save(state, unfinished)
    unfinished.replace(part / _STATE_FILE)


def restore_state(run: PretrainingRun, part: Path) -> None:
    """Load the saved state, if there is one, into a run at step 0.

    Raises:
        StoreError: If the state is damaged.
    """
    path = part / _STATE_FILE
    if not path.is_file():
        return
    try:
        state = torch.load(path, map_location=run.device, weights_only=True)
        run.model.load_state_dict(state["model"])
        run.matcher.load_state_dict(state["matcher"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.schedule.load_state_dict(state["schedule"])
        progress = state["progress"]
        run.step, run.tokens, run.seconds = progress["step"], progress["tokens"], progress["seconds"]
    except (RuntimeError, KeyError, ValueError, EOFError, pickle.UnpicklingError) as error:
        first = reason_of(error)
        raise StoreError(
            f"the saved state is damaged: {first}", path=path, hint="Delete it to train from scratch."
        ) from error


@contextmanager
def open_log(part: Path, step: int) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Open the training log after a step and yield a function that writes one entry.

    Entries of later steps, whose state was lost, are dropped, and what a killed process wrote of one.
    """
    path = part / LOG_FILE
    entries = path.read_bytes().splitlines() if path.is_file() else []
    path.write_bytes(b"".join(entry + b"\n" for entry in entries if _is_until(step, entry)))
    with path.open("a", encoding="utf-8") as handle:

        def write(entry: dict[str, Any]) -> None:
            handle.write(json.dumps(entry) + "\n")
            handle.flush()

        yield write


def _is_until(step: int, entry: bytes) -> bool:
    """Return whether a line of the training log is whole and of no later step."""
    with contextlib.suppress(JsonError):
        found = parse_json(entry)
        return isinstance(found, dict) and type(found.get("step")) is int and found["step"] <= step
    return False


def finish(run: PretrainingRun, corpus: Corpus, report: PretrainReport, part: Path, output: Path) -> None:
    """Write the finished folder and delete the states.

    Weights are stored in half precision. The record, which holds a digest of the training text, is written last and
    marks the folder as finished. A model card in the folder stays.
    """
    output.mkdir(parents=True, exist_ok=True)
    for path in sorted((part / "tokenizer").iterdir()):
        shutil.copy2(path, output / path.name)
    model = run.model.eval().to("cpu", torch.float16)
    model.config._name_or_path = ""
    model.config.tie_word_embeddings = True
    model.save_pretrained(str(output))
    (output / "model.safetensors").chmod(0o644)
    shutil.copy2(part / LOG_FILE, output / LOG_FILE)
    record = {
        "settings": _identity(run.settings),
        "text_sha256": corpus.digest(),
        "environment": environment(),
        "report": {name: value for name, value in asdict(report).items() if name != "folder"},
    }
    (output / RECORD_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(part)
