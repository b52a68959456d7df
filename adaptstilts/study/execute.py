"""Carrying out a plan on this machine: in order, one stage at a time, skipping what is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from adaptstilts.errors import AdaptstiltsError, WriteError
from adaptstilts.study.plan import Plan
from adaptstilts.study.stages import Stage, StageKind
from adaptstilts.study.store import Artefact, Store


class Watcher(Protocol):
    """Told what happens while a plan is carried out; the command line draws it."""

    def skipped(self, stages: list[Stage]) -> None:
        """These stages were there already."""
        ...

    def started(self, stage: Stage, left: int) -> None:
        """A stage begins; ``left`` stages are to do, this one included."""
        ...

    def stepped(self, done: int, total: int, note: str) -> None:
        """The running stage has done so many of its steps."""
        ...

    def finished(self, stage: Stage, artefact: Artefact) -> None:
        """A stage's artefact is in the store."""
        ...

    def noted(self, text: str) -> None:
        """Something about the whole study is known."""
        ...

    def failed(self, stage: Stage, error: AdaptstiltsError) -> None:
        """A stage could not be made; what depends on it is left out."""
        ...


StepCallback = Callable[[int, int, str], None]


class Runner(Protocol):
    """Makes the artefact of one stage."""

    def run(self, stage: Stage, inputs: tuple[Stage, ...], store: Store, on_step: StepCallback) -> Artefact:
        """Make the artefact.

        Args:
            stage: What to make.
            inputs: The stages it builds on; all are finished.
            store: Where it goes.
            on_step: Told how far it is.

        Returns:
            The finished artefact.

        Raises:
            AdaptstiltsError: If input makes it impossible.
        """
        ...


@dataclass
class Outcome:
    """What came of a plan.

    Attributes:
        done: Artefacts by key.
        made: Keys of the stages carried out this time.
        failures: Error by key of the stage it happened in.
        left_out: Names of stages that needed a failed one.
    """

    done: dict[str, Artefact] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    failures: dict[str, AdaptstiltsError] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def carry_out(
    plan: Plan,
    store: Store,
    runner: Runner,
    watcher: Watcher,
    *,
    when_data_is_there: Callable[[], object] | None = None,
) -> Outcome:
    """Make every artefact of a plan that is not there, in order.

    A stage that fails takes with it only the stages that need it. An interruption leaves finished artefacts as they
    are; the next call skips them.

    Args:
        plan: The plan.
        store: Where artefacts are.
        runner: Makes single stages.
        watcher: Told what happens.
        when_data_is_there: Called once before the first stage that does not make data.

    Returns:
        What came of it.

    Raises:
        StoreError: If an artefact that should be there is damaged, or the store cannot be written.
    """
    outcome, todo = sort_out(plan, store, watcher)
    for index, stage in enumerate(todo):
        if not all(key in outcome.done for key in stage.inputs):
            outcome.left_out.append(stage.name)
            continue
        if when_data_is_there is not None and stage.kind is not StageKind.DATA:
            when_data_is_there()
            when_data_is_there = None
        watcher.started(stage, len(todo) - index)
        try:
            artefact = runner.run(stage, plan.inputs_of(stage), store, watcher.stepped)
        except WriteError:
            raise
        except AdaptstiltsError as error:
            outcome.failures[stage.key] = error
            watcher.failed(stage, error)
            continue
        outcome.done[stage.key] = artefact
        outcome.made.append(stage.key)
        watcher.finished(stage, artefact)
    return outcome


def sort_out(plan: Plan, store: Store, watcher: Watcher) -> tuple[Outcome, list[Stage]]:
    """Tell finished stages from those to do; a missing stage that only finished ones need is left alone.

    Args:
        plan: The plan.
        store: Where artefacts are.
        watcher: Told which are skipped.

    Returns:
        The outcome so far, and the stages to do in the plan's order.

    Raises:
        StoreError: If an artefact that should be there is damaged.
    """
    outcome = Outcome(done=store.find_all(plan.stages))
    watcher.skipped([stage for stage in plan.stages if stage.key in outcome.done])
    used = {key for stage in plan.stages for key in stage.inputs}
    needed = {stage.key for stage in plan.stages if stage.key not in used}
    todo: list[Stage] = []
    for stage in reversed(plan.stages):
        if stage.key in needed and stage.key not in outcome.done:
            todo.append(stage)
            needed.update(stage.inputs)
    return outcome, todo[::-1]
