"""The streams that commands write to: no character controls the terminal, and no failing write costs a traceback."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from adaptstilts.errors import AdaptstiltsError
from adaptstilts.formatting import system_reason, visible_lines

CLOSED_PIPE = 141
"""Exit status after the reader of the output has gone, as shells report SIGPIPE."""


def prepare_streams() -> None:
    """Let both streams write characters that their encoding lacks as escapes."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def can_encode_all() -> bool:
    """Say whether standard output can write any character."""
    return (getattr(sys.stdout, "encoding", None) or "utf-8").casefold().replace("_", "-").startswith("utf")


def echo(text: str, *, end: str = "\n") -> None:
    """Write to standard output; characters that control a terminal, or cannot be seen, are escaped.

    Raises:
        AdaptstiltsError: If it cannot be written, such as on a full disk.
        SystemExit: If its reader has gone.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.write(visible_lines(text) + end)
            sys.stdout.flush()
    except OSError as error:
        raise_unwritten(error)


def echo_error(text: object) -> None:
    """Write to standard error; what cannot be written is dropped, since there is no other place for it."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(f"{visible_lines(str(text))}\n")
            sys.stderr.flush()
    except (OSError, ValueError):
        _mute(sys.stderr)


def raise_unwritten(error: OSError) -> None:
    """Raise what ends a command whose output cannot be written; what it has computed is kept.

    Raises:
        AdaptstiltsError: Always, unless the reader of the output has gone.
        SystemExit: Then, without a word.
    """
    _mute(sys.stdout)
    if isinstance(error, BrokenPipeError):
        raise SystemExit(CLOSED_PIPE) from error
    hint = "What the command has made is kept; send its output to another place."
    raise AdaptstiltsError(f"the output cannot be written: {system_reason(error)}", hint=hint) from error


def flush_streams() -> None:
    """Write what is left in both streams, so that nothing can fail when the process ends.

    Raises:
        AdaptstiltsError: If standard output cannot be written, such as on a full disk.
        SystemExit: If its reader has gone.
    """
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except (OSError, ValueError):
        _mute(sys.stderr)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        raise_unwritten(error)


def _mute(stream: TextIO | None) -> None:
    """Send everything else that is written to a stream nowhere, the rest of its buffer included."""
    try:
        target = -1 if stream is None else stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, target)
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):  # a stream without a file behind it
        pass
