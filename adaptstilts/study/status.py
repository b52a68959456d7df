"""Where a study stands: what runs, waits, is done, failed or lost, and the time left. Free of torch.

Everything comes from the store that all workers share: manifests, signs of life and failures. `look` reads them,
`summarise` is pure. Of a store that is an address, failures lie in the local folder, and are those of this machine.
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
from adaptstilts.errors import DamagedError
from adaptstilts.store.artefact import report_to
from adaptstilts.store.manifest import KEY_DIGITS, MANIFEST, check_sizes, read_manifest
from adaptstilts.store.shared import SharedStore
from adaptstilts.store.stage import Stage, StageKind, describe
from adaptstilts.store.store import Store
from adaptstilts.study.eta import Pace, seconds_of
from adaptstilts.study.plan.plan import Plan

STATES = ("done", "running", "waiting", "failed", "left_out", "lost", "damaged")
"""What a stage can be. Left out: it needs one that failed. Lost: its worker gives no sign of life. Damaged: its
artefact is not what was written, as far as manifest and sizes of files show."""
_RECENT_SECONDS = 3600.0


@dataclass(frozen=True)
class Made:
    """A finished artefact, as its manifest tells it.

    Attributes:
        key: Key of the stage.
        kind: Kind of the stage.
        job: Its job as plain values.
        seconds: Wall time it took, all attempts together for a training run.
        ended: When it was finished, in seconds since 1970 by the clock of its host.
    """

    key: str
    kind: str
    job: dict[str, Any]
    seconds: float
    ended: float


@dataclass(frozen=True)
class Running:
    """A stage that a worker is making.

    Attributes:
        beat: The worker's last sign of life.
        seconds_left: About how long it will still take; None where nothing is known of it.
    """

    beat: Beat
    seconds_left: float | None


@dataclass(frozen=True)
class Damaged:
    """A stage whose artefact is damaged.

    Attributes:
        name: Name of the stage; of its folder where the stage is not known.
        kind: Kind of the stage.
        problem: What is wrong.
        folder: Folder or address of the artefact.
    """

    name: str
    kind: str
    problem: str
    folder: str


@dataclass(frozen=True)
class Status:
    """Where a study, or a store, stands.

    Attributes:
        counts: Number of stages by kind and state; stages that nothing needs any more are in none.
        running: Stages that run, the longest running first.
        lost: Last signs of life of workers that give none any more.
        failed: What stages failed with.
        left_out: Names of stages that need a failed one.
        damaged: Stages whose artefact is damaged.
        seconds_left: About how long the study still takes with the present workers; None without a plan.
        workers: Workers that this was divided by.
        is_measured: Whether most of the time left is known from measured times; if not, it is a guess.
        elsewhere: Stages of other studies that run on the same store.
        recent: Artefacts of the study finished in the last hour.
        seconds_made: Wall time that its finished artefacts took, added up.
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

    def total(self, state: str) -> int:
        """Return the number of stages in a state."""
        return sum(states[state] for states in self.counts.values())

    @property
    def stages(self) -> int:
        """Number of stages in any state."""
        return sum(sum(states.values()) for states in self.counts.values())

    @property
    def is_over(self) -> bool:
        """Whether nothing runs and nothing is left to do."""
        return self.stages == self.total("done") + self.total("failed") + self.total("left_out")

    @property
    def examples_per_second(self) -> float:
        """Speed of all running training runs together."""
        return sum(each.beat.examples_per_second or 0.0 for each in self.running)

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**asdict(self), "stages": self.stages, "examples_per_second": self.examples_per_second}


class Observer:
    """Looks at a store again and again.

    Manifests and the sizes of files are read once; of damaged artefacts, and of an address without a study, every time.

    Args:
        store: The store.
        plan: The study; None to look at the store as a whole.
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
        """Return the finished artefacts of the store by key; damaged ones are left out."""
        self._damaged.clear()
        found = self._at_address(self.store) if isinstance(self.store, SharedStore) else self._in_folders()
        return {made.key: made for made in found}

    def _in_folders(self) -> Iterator[Made]:
        for kind in StageKind:
            folder = self.store.root / kind.value
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                if path not in self._seen:
                    with report_to(self._damaged.append), contextlib.suppress(OSError):  # perhaps it is being put there
                        self._see(path, _whole_manifest(path))
                if path in self._seen:
                    yield self._seen[path]

    def _at_address(self, store: SharedStore) -> Iterator[Made]:
        """What is finished on any machine; of a study only the manifests that are new are read."""
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
                self._see(artefact.folder, artefact.manifest)
            if artefact.folder in self._seen:
                yield self._seen[artefact.folder]

    def _see(self, folder: Path, manifest: dict[str, Any]) -> None:
        made = _made(folder, manifest)
        if made is not None:
            self._seen[folder] = made
            if made.kind == StageKind.DATA.value:
                self.pace.add_world(made.key, made.job)
            self.pace.add(made.kind, made.job, made.seconds, manifest["inputs"])

    def look(self) -> Status:
        """Return where things stand now.

        Returns:
            The status; that of an empty store where the folder is not there.
        """
        root = self.store.root
        made, beats, failures = self.made(), read_beats(self.store), read_failures(root)
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
        )


def _whole_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of an artefact whose files all have the sizes that it says."""
    manifest = read_manifest(folder / MANIFEST)
    if not manifest["key"].startswith(_digits(folder)):
        raise DamagedError("the manifest belongs to another stage", path=folder / MANIFEST, folder=folder)
    check_sizes(folder, manifest)
    return manifest


def _digits(folder: Path | str) -> str:
    """Return the digits of the key in the name of an artefact's folder, or at the end of its address."""
    return Path(folder).name.rpartition("-")[2]


def _made(folder: Path, manifest: dict[str, Any]) -> Made | None:
    try:
        began = datetime.strptime(manifest["started"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        ended = began.timestamp() + float(manifest["seconds"])
        return Made(manifest["key"], manifest["kind"], manifest["job"], seconds_of(folder, manifest), ended)
    except (ValueError, KeyError, TypeError):
        return None


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
    """Put together where a study stands.

    Args:
        plan: The study.
        done: Keys of finished stages.
        beats: Signs of life in its store.
        failures: Failures kept in its store.
        pace: Estimates of times.
        damaged: What is wrong with damaged artefacts in its store.
        workers: Fewest workers to expect; the time left is divided by this or by the number of those seen running.

    Returns:
        The status. A stage that is done is nothing else; one that runs again is neither failed nor damaged.
    """
    mine = {stage.key: stage for stage in plan.stages}
    open_beats = {beat.key: beat for beat in beats if beat.key in mine and beat.key not in done}
    failed = {item.key: item for item in failures if item.key in mine and item.key not in done}
    broken = _by_key(mine.values(), damaged)
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


def _by_key(stages: Iterable[Stage], damaged: Sequence[DamagedError]) -> dict[str, Damaged]:
    """Return which of some stages have a damaged artefact, found by the digits in its folder's name."""
    errors = {_digits(error.folder): error for error in damaged}
    found = ((stage, errors.get(stage.key[:KEY_DIGITS])) for stage in stages if errors)
    return {
        stage.key: Damaged(stage.name, stage.kind.value, _problem(error), str(error.folder))
        for stage, error in found
        if error is not None
    }


def _problem(error: DamagedError) -> str:
    """Return what is wrong with an artefact, and with which of its files."""
    return error.problem if error.path is None else f"{error.path.relative_to(error.folder)}: {error.problem}"


def _states(
    plan: Plan,
    done: Collection[str],
    beats: Mapping[str, Beat],
    failed: Mapping[str, Failure],
    damaged: Collection[str],
) -> dict[str, str]:
    """Return the state of every stage, in the plan's order."""
    states: dict[str, str] = {}
    for stage in plan.stages:
        if stage.key in done:
            states[stage.key] = "done"
        elif stage.key in beats and not beats[stage.key].is_lost:
            states[stage.key] = "running"
        elif stage.key in damaged:
            states[stage.key] = "damaged"
        elif stage.key in beats:  # a stage that fails leaves no beat, so that this attempt came after its failure
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
    """Put together what is going on in a store, whatever studies it is of; what waits is not known.

    Args:
        made: Finished artefacts by key.
        beats: Signs of life.
        failures: Failures kept.
        damaged: What is wrong with damaged artefacts.

    Returns:
        The status, without a time left.
    """
    counts = {kind.value: Counter(dict.fromkeys(STATES, 0)) for kind in StageKind}
    known = {_digits(error.folder): _of_folder(error) for error in damaged}
    unfinished = [beat for beat in beats if beat.key not in made]
    running = [beat for beat in unfinished if not beat.is_lost]
    lost = [beat for beat in unfinished if beat.is_lost and beat.key[:KEY_DIGITS] not in known]
    failed = [
        item
        for item in failures
        if item.key not in {*made, *(beat.key for beat in unfinished)} and item.key[:KEY_DIGITS] not in known
    ]
    again = {beat.key[:KEY_DIGITS] for beat in running}
    broken = [item for digits, item in known.items() if digits not in again]
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


def _of_folder(error: DamagedError) -> Damaged:
    folder = Path(error.folder)
    return Damaged(folder.name, folder.parent.name, _problem(error), str(error.folder))
