"""A trial of a tokenizer.json in a process of its own, before this process reads it. Free of torch."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from adaptstilts.errors import CheckpointError
from adaptstilts.models.tokenizer_files import SAVE_AGAIN

_SCRIPT = Path(__file__).with_name("tokenizer_trial.py")
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
_SECONDS = 5
_BYTES_PER_SECOND = 4 * 2**20
_BYTES = 2**30
_BYTES_PER_BYTE = 40
"""Memory that the library takes for each byte of a file, at most: tries and tables of a large vocabulary."""


def try_tokenizer(path: Path) -> int:
    """Let another process read a tokenizer.json and cut texts with it, under limits of time and memory.

    Returns:
        The largest id that it gives.

    Raises:
        CheckpointError: If it cannot be read, cannot cut a text, or takes too long or too much memory.
    """
    size = path.stat().st_size
    library = importlib.util.find_spec("tokenizers")
    if library is None or library.origin is None:
        raise CheckpointError("tokenizers is not installed", value="tokenizers", hint="pip install tokenizers")
    seconds = _SECONDS + size // _BYTES_PER_SECOND
    request = {
        "file": str(path.absolute()),
        "path": [str(Path(library.origin).parents[1])],
        "seconds": seconds,
        "bytes": _BYTES + _BYTES_PER_BYTE * size,
    }
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_SCRIPT), json.dumps(request)],
            env={**kept, "TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=6 * seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _too_much(path, f"more than {6 * seconds} s") from error
    answer = _answer(done, path, seconds)
    if "fault" in answer:
        raise CheckpointError(f"is not a usable tokenizer: {answer['fault']}", path=path, hint=SAVE_AGAIN)
    for index, given, found in answer["others"]:
        key = f"added_tokens[{index}].id"
        raise CheckpointError(f"{given} is read as {found}: ids must follow those before", path=path, key=key,
                              value=given, hint=SAVE_AGAIN)  # fmt: skip
    return int(answer["largest"])


def _answer(done: subprocess.CompletedProcess[bytes], path: Path, seconds: int) -> dict[str, Any]:
    if done.returncode == 0 and done.stdout.strip():
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return found
    if done.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
        raise _too_much(path, f"more than {seconds} s")
    if done.returncode == -signal.SIGABRT:
        raise _too_much(path, "more memory than its size explains")
    raise CheckpointError(
        f"is not a usable tokenizer: reading it ended a process with status {done.returncode}",
        path=path,
        hint=SAVE_AGAIN,
    )


def _too_much(path: Path, what: str) -> CheckpointError:
    return CheckpointError(f"is not a usable tokenizer: cutting short texts took {what}", path=path, hint=SAVE_AGAIN)
