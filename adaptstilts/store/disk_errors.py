"""Errors of the disk while an artefact is made: those of reading told from those of writing."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

from adaptstilts.errors import StoreError
from adaptstilts.formatting import system_reason

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
"""Errors of a disk that takes no more data, whichever file they name."""


@contextlib.contextmanager
def reading_apart(temporary: Path) -> Iterator[None]:
    """Separate errors of reading, in the block, from errors of writing to ``temporary``.

    Raises:
        StoreError: If a file cannot be read.
        OSError: If a file cannot be written: it is in ``temporary``, or there is no room wherever it is.
    """
    try:
        yield
    except OSError as error:
        names = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
        if error_number(error) in NO_ROOM or any(
            Path(name).absolute().is_relative_to(temporary.absolute()) for name in names
        ):
            raise
        hint = "Check the disk; the same command continues from what is finished."
        where = names[0] if names else None
        raise StoreError(f"cannot be read: {system_reason(error)}", path=where, hint=hint) from error


def error_number(error: Exception) -> int:
    """Return the system's error number, which safetensors gives only in its message; 0 if there is none."""
    found = re.search(r"os error (\d+)", str(error))
    return getattr(error, "errno", None) or (int(found[1]) if found is not None else 0)
