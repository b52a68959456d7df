"""Verification of a store: reads every byte and reports damage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from adaptstilts.errors import DamagedError, StoreError, UnreadableError
from adaptstilts.formatting import number_text, size_text, system_reason, visible
from adaptstilts.store.artefact import Artefact, report_to
from adaptstilts.store.manifest import KEY_DIGITS
from adaptstilts.store.show import name_of, resolve
from adaptstilts.store.store import Store

ByteCallback = Callable[[int, int, str], object]
"""Called with bytes done, bytes in all, and the name of the artefact."""


@dataclass(frozen=True)
class Checked:
    """Findings of a verification.

    Attributes:
        artefacts: Number of artefacts read.
        bytes: Their total size.
        damaged: One error per damaged file or manifest, and per artefact that cannot be read.
        missing: One line per input that a manifest names and the store lacks.
    """

    artefacts: int
    bytes: int
    damaged: list[StoreError]
    missing: list[str]

    def record(self) -> dict[str, Any]:
        """Return the findings as plain values."""
        damaged = [str(error) for error in self.damaged]
        return {"artefacts": self.artefacts, "bytes": self.bytes, "damaged": damaged, "missing_inputs": self.missing}

    def text(self) -> str:
        """Return a summary for a terminal; damaged files are printed separately, as errors."""
        count = len(self.damaged)
        unread = sum(
            isinstance(error, UnreadableError) or not isinstance(error, DamagedError) for error in self.damaged
        )
        found = number_text(count - unread, "damaged file") if count else "all as written"
        found += f", {number_text(unread, 'artefact')} cannot be read" if unread else ""
        return "\n".join(
            [
                *map(visible, self.missing),
                f"{number_text(self.artefacts, 'artefact')}, {size_text(self.bytes)} read: {found}",
            ]
        )


def verify_store(store: Store, words: Sequence[str], on_bytes: ByteCallback) -> Checked:
    """Read every byte of a store's artefacts.

    Args:
        words: Artefacts as `resolve` takes them; none for all.
        on_bytes: Called with bytes done, bytes in all, and the name of the artefact.

    Raises:
        StoreError: If a word names no artefact.
    """
    unread: list[DamagedError] = []
    known = store.artefacts(on_damage=unread.append)
    chosen, damaged = _chosen(known, words, unread) if words else (known, list(unread))
    there = {artefact.key for artefact in known}
    total, done = sum(artefact.bytes for artefact in chosen), 0

    def read(name: str, count: int) -> None:
        nonlocal done
        done += count
        on_bytes(done, total, name)

    found: list[StoreError] = list(damaged)
    for artefact in chosen:
        try:
            found += store.verify(artefact, partial(read, name_of(artefact)))
        except OSError as error:  # noqa: PERF203 - unreadable is not damaged
            hint = "Check the disk, and verify again."
            reason = f"cannot be read: {system_reason(error)}"
            found.append(StoreError(reason, path=error.filename or artefact.folder, hint=hint))
        except StoreError as error:  # a file at an address
            found.append(error)
    missing = [
        f"{name_of(artefact)}: its input {key[:KEY_DIGITS]} is not in the store; it is made again when needed"
        for artefact in chosen
        for key in artefact.manifest["inputs"]
        if key not in there
    ]
    return Checked(len(chosen), done, found, missing)


def _chosen(
    known: Sequence[Artefact], words: Sequence[str], unread: Sequence[DamagedError]
) -> tuple[list[Artefact], list[DamagedError]]:
    chosen: list[Artefact] = []
    damaged: list[DamagedError] = []
    for word in words:
        with report_to(damaged.append):
            chosen.append(resolve(known, word, unread))
    return chosen, damaged
