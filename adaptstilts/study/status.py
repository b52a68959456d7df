"""State of a study: its stages that are done, run, wait, failed or are lost, and the time left. Free of torch.

All of it is read from the store that the workers share: manifests, heartbeats and failures. `Observer.look` reads them,
`summarise` is pure. For a store at an address, failures are kept in the local folder and are those of this machine.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from adaptstilts.engine.heartbeats import Beat, Failure, read_beats, read_failures
from adaptstilts.errors import DamagedError, UnreadableError
from adaptstilts.store.artefact import report_to
from adaptstilts.store.manifest import KEY_DIGITS, check_sizes, digits_of, read_placed
from adaptstilts.store.shared import SharedStore
from adaptstilts.store.stage import Stage, StageKind, describe
from adaptstilts.store.store import Store
from adaptstilts.study.eta import Pace, seconds_of
from adaptstilts.study.plan.plan import Plan

STATES = ("done", "running", "waiting", "failed", "left_out", "lost", "damaged")
"""States of a stage. Left out: it needs a stage that failed. Lost: its worker counts as dead. Damaged: its artefact
differs from what was written, as far as the manifest and the file sizes show."""
_RECENT_SECONDS = 3600.0


@dataclass(frozen=True)
class Made:
    """A finished artefact, as recorded in its manifest.

    Attributes:
        job: The stage's job as plain values.
        seconds: Wall time that making it took; for a training run, of all attempts together.
        ended: Time it was finished, in seconds since 1970 by its host's clock.
    """

    key: str
    kind: str
    job: dict[str, Any]
    seconds: float
    ended: float


@dataclass(frozen=True)
class Running:
    """A stage that a worker is carrying out.

    Attributes:
        beat: The worker's last heartbeat.
        seconds_left: Estimated time left; None if there is no estimate.
    """

    beat: Beat
    seconds_left: float | None


@dataclass(frozen=True)
class Damaged:
    """A stage whose artefact is damaged.

    Attributes:
        name: Name of the stage, or of its folder if the stage is unknown.
        problem: Description of the damage.
        folder: Folder or address of the artefact.
        can_be_rebuilt: Whether ``--rebuild`` replaces it; not if it cannot be read, since it may be whole.
    """

    name: str
    kind: str
    problem: str
    folder: str
    can_be_rebuilt: bool = True


@dataclass(frozen=True)
class Status:
    """State of a study, or of a whole store.

    Attributes:
        counts: Number of stages by kind and state.
        running: Running stages, the longest running first.
        lost: Last heartbeats of workers that count as dead (`Leases.is_over`).
        failed: Failures of stages, with their errors.
        left_out: Names of stages that need a failed one.
        seconds_left: Estimated time left with the present workers; None without a plan.
        workers: Number of workers assumed for the time left.
        is_measured: Whether most of the time left is estimated from measured times; otherwise it is a guess.
        elsewhere: Number of stages of other studies that run on the same store.
        recent: Number of artefacts finished in the last hour.
        seconds_made: Sum of the wall times of the finished artefacts.
        unreadable: Reason of each lease that cannot be read; its stage may run, and counts as if it did not.
    """

    counts: Mapping[str, Mapping[str, int]]
    running: tuple[Running, ...]
    lost: tuple[Beat, ...]
    failed: tuple[Failure, ...]
    left_out: tuple[str, ...]
    damaged: tuple[Damaged, ...]
    seconds_left: float | None
    workers: int
    is_measured: bool
    elsewhere: int = 0
    recent: int = 0
    seconds_made: float = 0.0
    unreadable: tuple[str, ...] = ()

    def total(self, state: str) -> int:
        """Count the stages in a state."""
        return sum(states[state] for states in self.counts.values())

    @property
    def stages(self) -> int:
        """Number of stages in any state."""
        return sum(sum(states.values()) for states in self.counts.values())

    @property
    def is_over(self) -> bool:
        """Whether no stage is running or left to do."""
        return self.stages == self.total("done") + self.total("failed") + self.total("left_out")

    @property
    def needs_rebuild(self) -> bool:
        """Whether there are damaged artefacts that ``--rebuild`` replaces."""
        return any(each.can_be_rebuilt for each in self.damaged)

    @property
    def examples_per_second(self) -> float:
        """Training examples per second, summed over all running stages."""
        return sum(each.beat.examples_per_second or 0.0 for each in self.running)

    def record(self) -> dict[str, Any]:
        """Convert to plain values."""
        return {**asdict(self), "stages": self.stages, "examples_per_second": self.examples_per_second}


class Observer:
    """Reader of a store's state that can be called repeatedly.

    Manifests and file sizes are read once per artefact. Damaged artefacts, and the whole store if it is at an address
    and no plan is given, are read every time.

    Args:
        plan: Plan of a study; None for the state of the whole store.
    """

    def __init__(self, store: Store, plan: Plan | None = None) -> None:
        self.store = store
        self.plan = plan
        self.pace = Pace()
        for stage in plan.stages if plan is not None else ():
            if stage.kind is StageKind.DATA:
                self.pace.add_world(stage.key, describe(stage.job))
        self._seen: dict[Path, Made] = {}
        self._damaged: list[DamagedError] = []

    def made(self) -> dict[str, Made]:
        """Read the finished artefacts of the store by key; damaged ones are omitted."""
        self._damaged.clear()
        found = self._at_address(self.store) if isinstance(self.store, SharedStore) else self._in_folders()
        return {made.key: made for made in found}

    def _in_folders(self) -> Iterator[Made]:
        for kind in StageKind:
            for path in self.store.folders(kind.value):
                if path not in self._seen:
                    # Files may be missing while the artefact is moved into place.
                    with report_to(self._damaged.append), contextlib.suppress(OSError):
                        self._add(path, _whole_manifest(path))
                if path in self._seen:
                    yield self._seen[path]

    def _at_address(self, store: SharedStore) -> Iterator[Made]:
        """Yield artefacts finished on any machine; with a plan, only new manifests are read."""
        if self.plan is None:
            found = store.artefacts(on_damage=self._damaged.append)
        else:
            present = store.present(self.plan.stages)
            yield from (made for made in self._seen.values() if made.key in present)
            seen = {made.key for made in self._seen.values()}
            new = [stage for stage in self.plan.stages if stage.key in present - seen]
            found = list(store.find_all(new, on_damage=self._damaged.append).values())
        for artefact in found:
            if artefact.folder not in self._seen:
                self._add(artefact.folder, artefact.manifest)
            if artefact.folder in self._seen:
                yield self._seen[artefact.folder]

    def _add(self, folder: Path, manifest: dict[str, Any]) -> None:
        made = _made(folder, manifest)
        self._seen[folder] = made
        if made.kind == StageKind.DATA.value:
            self.pace.add_world(made.key, made.job)
        self.pace.add(made.kind, made.job, made.seconds, manifest["inputs"])

    def look(self) -> Status:
        """Read the current state; a folder that does not exist counts as an empty store."""
        root = self.store.root
        unreadable: list[str] = []
        made, beats, failures = self.made(), read_beats(self.store, unreadable.append), read_failures(root)
        if self.plan is None:
            status = summarise_store(made, beats, failures, self._damaged)
            mine: Collection[str] = made.keys()
        else:
            status = summarise(self.plan, made, beats, failures, self.pace, damaged=self._damaged)
            mine = {stage.key for stage in self.plan.stages} & made.keys()
        now = time.time()
        return replace(
            status,
            recent=sum(0 <= now - made[key].ended <= _RECENT_SECONDS for key in mine),
            seconds_made=sum(made[key].seconds for key in mine),
            unreadable=tuple(unreadable),
        )


def _whole_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of an artefact and check that all files have the sizes recorded in it."""
    manifest = read_placed(folder)
    check_sizes(folder, manifest)
    return manifest


def _made(folder: Path, manifest: dict[str, Any]) -> Made:
    began = 0.0  # of old manifests
    with contextlib.suppress(ValueError, KeyError):
        began = datetime.strptime(manifest["started"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    kind = manifest.get("kind", folder.parent.name)
    ended = began + float(manifest["seconds"])
    return Made(manifest["key"], kind, manifest.get("job", {}), seconds_of(folder, manifest), ended)


def summarise(
    plan: Plan,
    done: Collection[str],
    beats: Sequence[Beat],
    failures: Sequence[Failure],
    pace: Pace,
    *,
    damaged: Sequence[DamagedError] = (),
    workers: int = 1,
) -> Status:
    """Summarise the state of a study.

    A stage that is done has no other state; one that runs again counts as neither failed nor damaged.

    Args:
        done: Keys of finished stages.
        beats: Heartbeats in the store, also of other studies.
        failures: Failures in the store, also of other studies.
        pace: Estimates of the stages' times.
        damaged: Damaged artefacts in the store, also of other studies.
        workers: Minimum number of workers; the time left is divided by it, or by the number running if that is larger.
    """
    mine = {stage.key: stage for stage in plan.stages}
    open_beats = {beat.key: beat for beat in beats if beat.key in mine and beat.key not in done}
    failed = {item.key: item for item in failures if item.key in mine and item.key not in done}
    broken = _damaged_stages(mine.values(), damaged)
    states = _states(plan, done, open_beats, failed, broken)
    running = [_running(beat, mine[key], pace) for key, beat in open_beats.items() if states.get(key) == "running"]
    counts: dict[str, Counter[str]] = {}
    for key, state in states.items():
        counts.setdefault(mine[key].kind.value, Counter(dict.fromkeys(STATES, 0)))[state] += 1
    workers = max(workers, len(running))
    waiting = [mine[key] for key, state in states.items() if state in {"waiting", "lost", "damaged"}]
    work = sum(map(pace.seconds, waiting))
    left_running = [each.seconds_left or 0.0 for each in running]
    return Status(
        counts={kind: dict(count) for kind, count in counts.items()},
        running=tuple(running),
        lost=tuple(beat for beat in open_beats.values() if states.get(beat.key) == "lost"),
        failed=tuple(item for item in failed.values() if states.get(item.key) == "failed"),
        left_out=tuple(mine[key].name for key, state in states.items() if state == "left_out"),
        damaged=tuple(item for key, item in broken.items() if states.get(key) == "damaged"),
        seconds_left=max((work + sum(left_running)) / workers, *left_running, 0.0),
        workers=workers,
        is_measured=2 * sum(pace.seconds(stage) for stage in waiting if pace.knows(stage)) >= work,
        elsewhere=sum(beat.key not in mine and not beat.is_lost for beat in beats),
    )


def _running(beat: Beat, stage: Stage, pace: Pace) -> Running:
    left = beat.seconds_left
    if left is None:
        rest = pace.seconds(stage) - beat.seconds
        return Running(beat, rest if rest > 0 else None)
    pace.hint(stage, beat.seconds + left)
    return Running(beat, left)


def _damaged_stages(stages: Iterable[Stage], damaged: Sequence[DamagedError]) -> dict[str, Damaged]:
    """Match damaged artefacts with their stages by the digits of the key in the folder's name."""
    errors = {digits_of(error.folder): error for error in damaged}
    found = ((stage, errors.get(stage.key[:KEY_DIGITS])) for stage in stages if errors)
    return {stage.key: _damaged(stage.name, stage.kind.value, error) for stage, error in found if error is not None}


def _problem(error: DamagedError) -> str:
    """Describe the damage of an artefact, with the file concerned."""
    is_inside = error.path is not None and error.path.is_relative_to(error.folder)
    return f"{error.path.relative_to(error.folder)}: {error.problem}" if error.path and is_inside else error.problem


def _states(
    plan: Plan,
    done: Collection[str],
    beats: Mapping[str, Beat],
    failed: Mapping[str, Failure],
    damaged: Collection[str],
) -> dict[str, str]:
    """Determine the state of every stage, in the plan's order."""
    states: dict[str, str] = {}
    for stage in plan.stages:
        if stage.key in done:
            states[stage.key] = "done"
        elif stage.key in beats and not beats[stage.key].is_lost:
            states[stage.key] = "running"
        elif stage.key in damaged:
            states[stage.key] = "damaged"
        elif stage.key in beats:  # a failed stage leaves no heartbeat, so this attempt is later than its failure
            states[stage.key] = "lost"
        elif stage.key in failed:
            states[stage.key] = "failed"
        else:
            blocked = any(states.get(key) in {"failed", "left_out"} for key in stage.inputs)
            states[stage.key] = "left_out" if blocked else "waiting"
    return states


def summarise_store(
    made: Mapping[str, Made], beats: Sequence[Beat], failures: Sequence[Failure], damaged: Sequence[DamagedError] = ()
) -> Status:
    """Summarise the state of a store across all studies, without waiting stages and time left, which need a plan.

    Args:
        made: Finished artefacts by key.
    """
    counts = {kind.value: Counter(dict.fromkeys(STATES, 0)) for kind in StageKind}
    known = {digits_of(error.folder): _damaged_folder(error) for error in damaged}
    unfinished = [beat for beat in beats if beat.key not in made]
    running = [beat for beat in unfinished if not beat.is_lost]
    lost = [beat for beat in unfinished if beat.is_lost and beat.key[:KEY_DIGITS] not in known]
    failed = [
        item
        for item in failures
        if item.key not in {*made, *(beat.key for beat in unfinished)} and item.key[:KEY_DIGITS] not in known
    ]
    rebuilding = {beat.key[:KEY_DIGITS] for beat in running}
    broken = [item for digits, item in known.items() if digits not in rebuilding]
    states: dict[str, Collection[Made | Beat | Failure | Damaged]] = {
        "done": made.values(),
        "running": running,
        "lost": lost,
        "failed": failed,
        "damaged": broken,
    }
    for state, items in states.items():
        for kind, count in Counter(item.kind for item in items).items():
            counts.setdefault(kind, Counter(dict.fromkeys(STATES, 0)))[state] += count
    return Status(
        counts={kind: dict(count) for kind, count in counts.items() if count.total()},
        running=tuple(Running(beat, beat.seconds_left) for beat in running),
        lost=tuple(lost),
        failed=tuple(failed),
        left_out=(),
        damaged=tuple(broken),
        seconds_left=None,
        workers=max(1, len(running)),
        is_measured=True,
    )


def _damaged_folder(error: DamagedError) -> Damaged:
    folder = Path(error.folder)
    return _damaged(folder.name, folder.parent.name, error)


def _damaged(name: str, kind: str, error: DamagedError) -> Damaged:
    return Damaged(name, kind, _problem(error), str(error.folder), not isinstance(error, UnreadableError))
