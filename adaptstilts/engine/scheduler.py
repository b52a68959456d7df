"""Runs a graph of stages on an engine: ready stages are submitted, finished ones skipped, failures contained.

The engine decides where stages run; this module decides which, and when. Engines are the modules of
this package that implement `adaptstilts.engine.protocols.Engine`; `adaptstilts.study.engine` opens the configured one.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from adaptstilts.engine.graph import Graph
from adaptstilts.engine.journal import Journal
from adaptstilts.engine.protocols import Engine, StageRequest, StageResult, Watcher
from adaptstilts.engine.queue import Waiting
from adaptstilts.errors import AdaptstiltsError, DamagedError, EngineError, StoreError, UnreadableError, WriteError
from adaptstilts.formatting import number_text
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.manifest import KEY_DIGITS, digits_of
from adaptstilts.store.stage import SUMMARIES, Stage, StageKind
from adaptstilts.store.store import Store

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
"""Seconds between two checks of stages that other processes are making."""
_MOST_UNREADABLE = 10
"""How many checks of a stage in a row may fail to read its claim; then the stage fails."""
_MOST_REMADE = 3
"""How often the inputs of a stage are made again in one run; more often, somebody keeps removing them."""


@dataclass
class Outcome:
    """Results of running a graph of stages.

    Attributes:
        done: Artefacts by key.
        made: Keys of the stages that this call made.
        failures: Error by key of the stage it happened in.
        left_out: Names of stages that needed a failed one.
    """

    done: dict[str, Artefact] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    failures: dict[str, AdaptstiltsError] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def run_graph(
    graph: Graph,
    store: Store,
    engine: Engine,
    watcher: Watcher,
    *,
    retries: int = 0,
    rebuild: bool = False,
    when_data_is_there: Callable[[], object] | None = None,
) -> Outcome:
    """Make every artefact of a graph that is missing from the store.

    A failed stage takes with it only the stages that need it. A stage that another process is making is waited for, and
    other work goes on meanwhile. An interruption leaves finished artefacts as they are; the next call skips them.

    Args:
        engine: Runs the stages; closed in any case.
        retries: How often a stage is tried again after its worker was lost.
        rebuild: Remove damaged artefacts and make them again.
        when_data_is_there: Called once, before the first stage that does not make data.

    Raises:
        WriteError: If the store cannot be written.
    """
    outcome, todo = sort_out(graph, store, watcher, rebuild=rebuild)
    run = _Run(graph, store, engine, watcher, outcome, Waiting(graph, todo), retries, rebuild)
    at_once = True
    try:
        while run.waiting or run.running:
            if when_data_is_there is not None and not run.makes_data:
                when_data_is_there()
                when_data_is_there = None
            run.send()
            if not run.running and not run.elsewhere:
                break
            run.collect()
        at_once = False
    finally:
        engine.close(at_once=at_once)
    outcome.left_out += [stage.name for stage in run.waiting.stages()]
    return outcome


def sort_out(graph: Graph, store: Store, watcher: Watcher, *, rebuild: bool = False) -> tuple[Outcome, list[Stage]]:
    """Separate finished stages from those to do.

    Args:
        rebuild: Remove damaged artefacts and make them again.

    Returns:
        The outcome so far, and the stages to do in the graph's order. A damaged artefact is a failure of its stage, and
        leaves out those to do that need it.
    """
    if rebuild:
        for stage in graph.stages:
            discard_damaged(store, stage, watcher)
    errors: list[DamagedError] = []
    outcome = Outcome(done=store.find_all(graph.stages, on_damage=errors.append))
    damaged = {digits_of(error.folder): error for error in errors}
    watcher.skipped([stage for stage in graph.stages if stage.key in outcome.done])
    todo: list[Stage] = []
    blocked: set[str] = set()
    for stage in graph.stages:
        if stage.key in outcome.done:
            continue
        error = damaged.get(stage.key[:KEY_DIGITS])
        if error is not None:
            outcome.failures[stage.key] = error
            watcher.failed(stage, error)
        elif blocked.intersection(stage.inputs):
            outcome.left_out.append(stage.name)
        else:
            todo.append(stage)
            continue
        blocked.add(stage.key)
    return outcome, todo


def discard_damaged(store: Store, stage: Stage, watcher: Watcher) -> bool:
    """Read every byte of a stage's artefact and remove it if it is damaged; return whether it was.

    One that cannot be read may be whole, and stays.
    """
    try:
        store.open(stage)
    except UnreadableError:
        return False
    except DamagedError as error:
        watcher.noted(f"made again: {stage.name}: {error.problem} ({error.path})")
        store.discard(stage)
        return True
    return False


@dataclass
class _Run:
    """State of one call of `run_graph`."""

    graph: Graph
    store: Store
    engine: Engine
    watcher: Watcher
    outcome: Outcome
    waiting: Waiting
    retries: int
    rebuild: bool
    running: dict[str, Stage] = field(default_factory=dict)
    elsewhere: dict[str, float] = field(default_factory=dict)  # when to look again at the earliest, by key
    numbers: dict[str, str] = field(default_factory=dict)  # of the last requests
    unreadable: Counter[str] = field(default_factory=Counter)
    pause: float = _FIRST_PAUSE
    has_noted_waiting: bool = False
    lost: Counter[str] = field(default_factory=Counter)
    remade: Counter[str] = field(default_factory=Counter)
    data: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.data = tuple(stage.key for stage in self.graph.stages if stage.kind is StageKind.DATA)

    @property
    def makes_data(self) -> bool:
        """Whether a data stage is still unfinished."""
        return any(key not in self.outcome.done for key in self.data)

    def send(self) -> None:
        """Submit ready stages while the engine has room, in the graph's order."""
        for stage in self.waiting.ready():
            if stage.key in self.elsewhere:
                continue
            if self._is_claimed(stage):
                if stage.key in self.waiting:
                    self.elsewhere.setdefault(stage.key, 0.0)
                continue
            number = secrets.token_hex(8)
            request = StageRequest(stage, self.graph.inputs_of(stage), self.lost[stage.key], number)
            if not self.engine.has_room(request):
                if self.engine.is_full:
                    break
                continue
            self.watcher.started(stage, len(self.waiting) + len(self.running))
            self.waiting.remove(stage)
            self.engine.submit(request)
            self.running[stage.key] = stage
            self.numbers[stage.key] = number

    def collect(self) -> None:
        """Wait for results, then check the stages that other processes are making."""
        if self.running:
            for result in self.engine.results(self.pause if self.elsewhere else None):
                self._act_on(result)
        else:
            if not self.has_noted_waiting:
                self.has_noted_waiting = True
                first = self.graph.stage(next(iter(self.elsewhere)))
                self.watcher.noted(f"waiting for another process, which is making: {first.name}")
            time.sleep(self.pause)
        if self.elsewhere:
            self._look_elsewhere()

    def _act_on(self, result: StageResult) -> None:
        """Act on the result of a request."""
        stage = self.running.pop(result.key)
        if isinstance(result.error, WriteError):
            raise result.error  # nothing more could be kept
        if result.what == "claimed":
            self.watcher.requeued(stage)
            self.waiting.add(stage)
            self.elsewhere[stage.key] = time.monotonic() + self.pause  # though its claim may look free from here
        elif result.what == "lost":
            self._lose(stage, result.error)
        elif result.what == "failed" and result.error is not None:
            self._fail(stage, result.error)
        else:
            self._finish(stage, is_mine=result.what == "built")

    def _finish(self, stage: Stage, *, is_mine: bool) -> None:
        """Note that a stage's artefact is in the store, and whether this run has made it."""
        try:
            artefact = self.store.find(stage)
        except DamagedError as error:
            self._fail(stage, error)
            return
        if artefact is None:
            self._lose(stage, EngineError("its artefact was removed right after it was made"))
            return
        self.outcome.done[stage.key] = artefact
        self.waiting.finish(stage.key)
        if is_mine:
            self.outcome.made.append(stage.key)
        self.watcher.finished(stage, artefact)

    def _lose(self, stage: Stage, error: AdaptstiltsError | None) -> None:
        """Queue a stage again whose worker was lost, or let it fail if that has happened too often."""
        self.lost[stage.key] += 1
        reason = error.problem if error is not None else "its worker died"
        if self.lost[stage.key] <= self.retries:
            times = f"{self.lost[stage.key]} of {number_text(self.retries, 'time')}"
            self.watcher.requeued(stage)
            self.watcher.noted(f"tried again ({times}): {stage.name}: {reason}")
            self.waiting.add(stage)
            return
        tries = f"{self.lost[stage.key]} tries" if self.lost[stage.key] > 1 else "1 try"
        hint = (
            "Out of memory? Lower `workers`, raise `accumulation` or `engine.gpus_per_stage`; "
            "the same command goes on from here."
        )
        given_up = EngineError(f"{reason}, after {tries}", hint=hint)
        self.store.revoke(stage, self.numbers.get(stage.key, ""))
        Journal(self.store.root).failed(stage, given_up)
        self._fail(stage, given_up)

    def _fail(self, stage: Stage, error: AdaptstiltsError) -> None:
        """Note that a stage has failed, unless it has only lacked an input that can be made again."""
        if isinstance(error, DamagedError) and self.remade[stage.key] < _MOST_REMADE:
            lacks = self._missing_inputs(stage)
            if lacks is not None:
                self.remade[stage.key] += 1
                self.watcher.requeued(stage)
                self.waiting.add(stage, lacks)
                return
        self.outcome.failures[stage.key] = error
        self.watcher.failed(stage, error)

    def _missing_inputs(self, stage: Stage) -> list[str] | None:
        """Queue the inputs of a stage that have been removed, or are damaged and may be replaced.

        Returns:
            Their keys, empty if all inputs are whole by now; None if one is damaged and must stay.
        """
        missing = []
        for item in (*self.graph.inputs_of(stage), stage):
            if self.rebuild:
                discard_damaged(self.store, item, self.watcher)
            try:
                is_there = self.store.open(item) is not None
            except DamagedError:
                return None
            if not is_there and item is not stage:
                missing.append(item)
        for item in missing:
            self.outcome.done.pop(item.key, None)
        for item in missing:
            if item.key not in self.running and item.key not in self.waiting:
                self.watcher.noted(f"made again: {item.name}: it is no longer in the store")
                self.waiting.add(item, [key for key in item.inputs if key not in self.outcome.done])
        return [item.key for item in missing]

    def _look_elsewhere(self) -> None:
        """Collect what other processes have finished, and retry what they have released."""
        now = time.monotonic()
        ripe = [self.graph.stage(key) for key, when in self.elsewhere.items() if when <= now]
        free = [stage for stage in ripe if not self._is_claimed(stage)]
        for stage in free:
            del self.elsewhere[stage.key]
            if self._is_there(stage):
                self.waiting.remove(stage)
                self._finish(stage, is_mine=False)
        self.pause = _FIRST_PAUSE if free else min(_LONGEST_PAUSE, self.pause * 1.5)

    def _is_there(self, stage: Stage) -> bool:
        """Return whether a stage has an artefact, damaged or not."""
        try:
            return self.store.find(stage) is not None
        except DamagedError:
            return True

    def _is_claimed(self, stage: Stage) -> bool:
        """Return whether another process is making a stage; also if that cannot be read, until the stage fails."""
        try:
            is_claimed = self.store.is_claimed(stage)
        except StoreError as error:
            self.unreadable[stage.key] += 1
            if self.unreadable[stage.key] > _MOST_UNREADABLE:
                self.elsewhere.pop(stage.key, None)
                self.waiting.remove(stage)
                self._fail(stage, error)
            else:
                self.elsewhere[stage.key] = time.monotonic() + self.pause
            return True
        del self.unreadable[stage.key]
        return is_claimed


def failed_lines(graph: Graph, outcome: Outcome) -> tuple[str, ...]:
    """Return one line per failed stage, then one per stage left out because of it.

    Tables and report are not listed as left out, since a partial report takes their place.
    """
    written = {stage.name for stage in graph.stages if stage.kind in SUMMARIES}
    lines: Iterable[str] = (f"{graph.stage(key).name}: {error}" for key, error in outcome.failures.items())
    return (
        *lines,
        *(f"{name}: left out, it needs a stage that failed" for name in outcome.left_out if name not in written),
    )
