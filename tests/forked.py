"""A call in a process of its own, with limits of time, and what it took."""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """What a call in another process came to."""

    answer: Any
    seconds: float
    grown_bytes: int


def forked(call: Callable[[], Any], *, seconds: int = 60) -> Outcome:
    """Call a function in a fork of this process; its answer is None if the process died.

    Its memory is counted from that of this process; what it writes to the terminal is dropped.
    """
    reading, writing = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if not child:
        os.close(reading)
        signal.alarm(seconds)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            answer = call()
        except BaseException as error:  # noqa: BLE001 - any kind is reported
            answer = {"type": type(error).__name__, "text": str(error)}
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        os.write(writing, json.dumps([answer, grown * 1024]).encode()[:60_000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    os.waitpid(child, 0)
    answer, grown = json.loads(content) if content else (None, 0)
    return Outcome(answer, time.monotonic() - started, grown)
