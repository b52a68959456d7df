"""Text of a study's status for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adaptstilts.engine.heartbeats import Beat
from adaptstilts.errors import UNREADABLE_HINT
from adaptstilts.formatting import aligned, estimate_text, number_text, visible
from adaptstilts.study.status import STATES, Running, Status


def status_text(status: Status, root: Path, command: str) -> str:
    """Format a status: a summary line, a table of kinds by state, and the stages that run, failed or are damaged.

    Args:
        root: Folder of the store, which contains the logs.
        command: Command that continues the study.
    """
    lines = [head_line(status), "", *_table(status)]
    if status.running:
        lines += ["", "running", *(f"  {running_line(each)}" for each in status.running)]
    if status.lost:
        lines += ["", "lost", *(f"  {lost_line(beat)}" for beat in status.lost)]
    for failure in status.failed:
        lines += ["", *f"failed: {visible(failure.name)}: {failure.error}".split("\n")]
        lines += [f"  {failure.host}, {failure.when}"]
        lines += [f"  log: {root / failure.log}"]
    for damaged in status.damaged:
        lines += ["", f"damaged: {damaged.name}: {damaged.problem}", f"  folder: {damaged.folder}"]
        if not damaged.can_be_rebuilt:
            lines.append(f"  it may be whole, and is never replaced: {UNREADABLE_HINT[0].lower()}{UNREADABLE_HINT[1:]}")
    for problem in status.unreadable:
        lines += ["", f"unreadable lease: {problem}"]
    if status.left_out:
        lines += ["", f"left out, since they need a stage that failed: {_shorten(status.left_out)}"]
    if status.elsewhere:
        lines += ["", f"{number_text(status.elsewhere, 'stage')} of other studies running on this store"]
    lines += ["", next_step_line(status, command)]
    return "\n".join(map(visible, lines))


def head_line(status: Status) -> str:
    """Format the summary line: stages by state, time left, speed."""
    parts = [f"{status.total('done')} of {number_text(status.stages, 'stage')} done"]
    parts += [f"{status.total(state)} {state.replace('_', ' ')}" for state in STATES[1:] if status.total(state)]
    if status.seconds_left:
        parts.append(left_text(status))
    if status.recent:
        parts.append(f"{status.recent} made in the last hour")
    if status.examples_per_second:
        parts.append(f"{status.examples_per_second:.0f} training examples/s")
    return ", ".join(parts)


def left_text(status: Status) -> str:
    """Format the estimated time left."""
    workers = number_text(status.workers, "worker")
    guess = "" if status.is_measured else ", a guess, since little has been measured yet"
    return f"about {estimate_text(status.seconds_left or 0.0)} left with {workers}{guess}"


def running_line(each: Running) -> str:
    """Format the line of a running stage."""
    beat = each.beat
    steps = [f"step {beat.done} of {beat.total}"] if beat.total else []
    speed = [f"{beat.examples_per_second:.0f} examples/s"] if beat.examples_per_second else []
    left = [f"about {estimate_text(each.seconds_left)} left"] if each.seconds_left is not None else []
    parts = [*steps, *([beat.note] if beat.note else []), *speed, f"for {estimate_text(beat.seconds)}", *left]
    return f"{beat.name}: {', '.join(parts)} ({place(beat)})"


def lost_line(beat: Beat) -> str:
    """Format the line of a stage whose worker has stopped sending heartbeats."""
    return (
        f"{beat.name}: no heartbeat from {place(beat)} for {estimate_text(beat.age)}: "
        "the worker died or is unreachable; the next run, or one in progress, takes over its stage"
    )


def place(beat: Beat) -> str:
    """Format a worker's location: host, process id, and the engine's name for it."""
    return f"{beat.host}:{beat.pid}" + (f" {beat.worker}" if beat.worker else "")


def next_step_line(status: Status, command: str) -> str:
    """Format the line with the next command to run."""
    if status.is_over and not status.total("failed"):
        return f"all done: {command}"
    if status.total("failed"):
        return f"fix what failed, then run: {command}"
    if status.needs_rebuild:
        return f"make the damaged artefacts again and continue: {command}"
    if status.damaged:
        return f"make the artefacts readable that cannot be read, then continue with: {command}"
    return f"continue with: {command}"


def _table(status: Status) -> list[str]:
    states = [state for state in STATES if state in STATES[:3] or status.total(state)]
    rows = [["kind", "all", *(state.replace("_", " ") for state in states)]]
    for kind, count in status.counts.items():
        rows.append([kind, str(sum(count.values())), *(str(count[state]) for state in states)])
    return aligned(rows, "<>")


def _shorten(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return "; ".join(names[:most]) + more
