"""Errors that a user can act on: they name the place, the fault, the allowed values and the next step.

Every class carries its facts as fields; ``AdaptstiltsError.__str__`` alone makes the text. The command line prints one
line per error and exits with status 2. Anything else is a bug and keeps its traceback; if it happens within a stage,
the traceback is in that stage's log (`CrashError`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from adaptstilts.addresses import shown_address
from adaptstilts.formatting import cut, number_text, visible, visible_lines
from adaptstilts.suggestions import near_matches

_COLLAPSED = re.compile(r"^((?:\w+::)*[a-z][a-z0-9+.-]+):/(?=[^/])", re.IGNORECASE)
"""Begin of an address that became a path, which has lost a slash."""
_LONGEST_KEY, _LONGEST_PROBLEM, _LONGEST_ALLOWED = 200, 1_000, 200
"""Characters that are shown of a key, a problem and an allowed value; names in a file may be as long as it."""


class AdaptstiltsError(Exception):
    """Base of all errors that bad input can cause; what logs in to an address is hidden in all its texts.

    Args:
        problem: What is wrong, including the offending value, without a full stop.
        path: File in which it was found.
        line: Line in that file, counted from 1.
        key: Dotted configuration key or column name.
        value: The offending value; for a text, a near match among ``allowed`` is suggested.
        allowed: Values that would have been accepted.
        hint: What to do next.
    """

    def __init__(
        self,
        problem: str,
        *,
        path: Path | str | None = None,
        line: int | None = None,
        key: str | None = None,
        value: object = None,
        allowed: Iterable[object] | None = None,
        hint: str | None = None,
    ) -> None:
        problem = shown_address(problem)
        super().__init__(problem)
        self.problem = problem
        self.path = None if path is None else Path(shown_address(path) if isinstance(path, str) else path)
        self.line = line
        self.key = None if key is None else shown_address(key)
        self.value = shown_address(value) if isinstance(value, str) else value
        self.allowed: tuple[str, ...] = () if allowed is None else tuple(str(item) for item in allowed)
        self.hint = None if hint is None else shown_address(hint)

    def __str__(self) -> str:
        """Return a line, ``file:line: key: problem. Allowed: ... Next step``, without secrets or control characters."""
        where = ""
        if self.path is not None:
            place = _COLLAPSED.sub(r"\1://", str(self.path))
            where = f"{place}:{self.line}: " if self.line is not None else f"{place}: "
        key = f"{cut(self.key, _LONGEST_KEY)}: " if self.key else ""
        parts = [f"{where}{key}{cut(self.problem, _LONGEST_PROBLEM)}"]
        guess = _near_match(self.value, self.allowed)
        if guess is not None:
            parts.append(f"Did you mean '{guess}'?")
        if self.allowed:
            parts.append(f"Allowed: {_shorten(self.allowed)}")
        if self.hint:
            parts.append(self.hint)
        return visible(shown_address(_join_sentences(parts)))


class ConfigError(AdaptstiltsError):
    """A configuration file, an override, a combination of settings or an argument of a call cannot be used."""


class DataError(AdaptstiltsError):
    """A data file is missing, malformed, or holds other rows than expected."""


class CheckpointError(AdaptstiltsError):
    """A checkpoint, adapter or tokenizer does not fit the model it is meant for."""


class ChangedError(AdaptstiltsError):
    """A file that keys were made from has another content by now; nothing that was made with it is kept."""

    def __init__(self, problem: str, **where: Any) -> None:  # noqa: ANN401 - as its base
        hint = "Nothing was stored under its former content. Run again: it is then planned with the file as it is."
        super().__init__(problem, **{"hint": hint} | where)


class TrainingError(AdaptstiltsError):
    """Training cannot continue: wrong trainable set, no data, loss not finite."""


class EvaluationError(AdaptstiltsError):
    """Predictions, gold labels or scores do not fit together."""


class StoreError(AdaptstiltsError):
    """The artefact store cannot be read or written, or an artefact is damaged."""


class UnfinishedError(StoreError):
    """Nothing can be reported, since stages failed; ``causes`` has a line for each of the first of them."""

    def __init__(self, problem: str, *, causes: Iterable[str] = (), **where: Any) -> None:  # noqa: ANN401 - as its base
        super().__init__(problem, **where)
        self.causes = tuple(causes)

    @property
    def summary(self) -> str:
        """The first line, for where the causes have been shown already."""
        return super().__str__()

    def __str__(self) -> str:
        """Return the summary, and a line per cause."""
        return "\n".join([self.summary, *map(visible_lines, self.causes)])


class DamagedError(StoreError):
    """A file of the artefact at ``folder`` (a path or an address) differs from its manifest, or that is invalid."""

    def __init__(self, problem: str, *, folder: Path | str = "", path: Path | str | None = None) -> None:
        # Without a folder only while an error that came from another process is put together again.
        hint = f"Rebuild it: study.run(rebuild=True), adaptstilts run CONFIG --rebuild, or remove {folder}."
        super().__init__(problem, path=path, hint=hint)
        self.folder = folder


UNREADABLE_HINT = "Check its permissions, its disk and the network."


class UnreadableError(DamagedError):
    """The manifest of the artefact at ``folder`` exists and cannot be read: it may be whole, and is never replaced."""

    def __init__(self, problem: str, *, folder: Path | str = "", path: Path | str | None = None) -> None:
        super().__init__(problem, folder=folder, path=path)
        self.hint = UNREADABLE_HINT


class WriteError(StoreError):
    """The store cannot be written (disk full, no permission); the run stops, since it could keep no further result."""


class TakenOverError(StoreError):
    """Another process is making the stage, since this one seemed dead; what this one has made of it is dropped."""


class EngineError(AdaptstiltsError):
    """An engine cannot be started, or lost the worker of a stage too often."""


class CrashError(AdaptstiltsError):
    """A stage failed unexpectedly: a bug, or trouble with its machine. Others continue; its log has the traceback."""


class ProblemsError(AdaptstiltsError):
    """Several problems, at least one, found by one pass of checks and reported together in the order of finding."""

    def __init__(self, problems: Sequence[AdaptstiltsError]) -> None:
        super().__init__(number_text(len(problems), "problem"))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        """Return one line per problem."""
        return "\n".join(str(problem) for problem in self.problems)


def problems_of(error: AdaptstiltsError) -> tuple[AdaptstiltsError, ...]:
    """Return the problems that an error reports: several of a `ProblemsError`, else the error itself."""
    return error.problems if isinstance(error, ProblemsError) else (error,)


def raise_all(problems: Sequence[AdaptstiltsError]) -> None:
    """Raise the collected problems: the only one itself, several as a `ProblemsError`; none raises nothing."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise ProblemsError(problems)


def _near_match(value: object, allowed: Sequence[str]) -> str | None:
    found = near_matches(value, allowed) if isinstance(value, str) else []
    return found[0] if found and found[0] != value else None


def _shorten(allowed: Sequence[str], most: int = 24) -> str:
    shown = ", ".join(cut(name, _LONGEST_ALLOWED) for name in allowed[:most])
    return shown if len(allowed) <= most else f"{shown}, ... ({len(allowed)} in all)"


def _join_sentences(parts: Sequence[str]) -> str:
    return " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in parts)
