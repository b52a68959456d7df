"""Headers of tar archives that somebody else made: bounded before the standard library takes them apart.

Names, extended headers and the maps of sparse files stand in front of a member's content. The library reads them whole,
and until Python 3.11.10 it takes them apart with patterns that need quadratic time for a long row of digits
(CVE-2024-6232).
"""

from __future__ import annotations

import re
import tarfile
from typing import IO

from adaptstilts.formatting import size_text

_MOST_BYTES = 1 << 18
"""Most bytes in front of a member's content; a few hundred are usual."""
_DIGITS = re.compile(rb"[0-9]{100}")


class HeaderGuard:
    """Watches what is read of an archive, which knows no difference between headers and content."""

    def __init__(self) -> None:
        self._left: int | None = _MOST_BYTES

    def expect_header(self) -> None:
        """Say that the headers of a member are read next."""
        self._left = _MOST_BYTES

    def expect_content(self) -> None:
        """Say that the content of a member is read next, if anything."""
        self._left = None

    def read(self, file: IO[bytes], count: int) -> bytes:
        """Read from the archive, for the library.

        Raises:
            tarfile.ReadError: If it is a header that is too long, or would take the library very long.
        """
        if self._left is None:
            return file.read(count)
        if not 0 <= count <= self._left:
            raise tarfile.ReadError(f"it has a header of more than {size_text(_MOST_BYTES)}")
        content = file.read(count)
        self._left -= len(content)
        if _DIGITS.search(content):
            raise tarfile.ReadError("it has a header with a number of a hundred digits")
        return content
