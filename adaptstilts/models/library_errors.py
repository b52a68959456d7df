"""Errors of libraries about files that somebody else wrote, as one error that keeps the reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adaptstilts.errors import AdaptstiltsError, CheckpointError
from adaptstilts.formatting import reason_of

_PANIC = "PanicException"
"""Name of the exception that a fault in a library's Rust code becomes; it is no `Exception`."""


@contextmanager
def library_errors(problem: str, path: Path | str, hint: str | None = None) -> Iterator[None]:
    """Turn whatever a library raises while it reads a file into one error: what cannot be done, and the reason.

    Libraries raise errors of any class for files that they cannot use, bare `Exception` among them.

    Args:
        problem: What cannot be done with the file, such as ``cannot be loaded``.
        path: The file or folder.
        hint: What to do next.

    Raises:
        CheckpointError: If the block raises an error that is not this package's own.
    """
    try:
        yield
    except AdaptstiltsError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise
        raise CheckpointError(f"{problem}: {reason_of(error)}", path=path, hint=hint) from error
