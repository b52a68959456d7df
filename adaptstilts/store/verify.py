"""Reading every byte of a store, and what is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from adaptstilts.errors import DamagedError, StoreError
from adaptstilts.formatting import size_text
from adaptstilts.store.artefact import Artefact, report_to
from adaptstilts.store.manifest import KEY_DIGITS
from adaptstilts.store.show import name_of, resolve
from adaptstilts.store.store import Store

ByteCallback = Callable[[int, int, str], object]
"""Told how many bytes of how many are done, and of what."""


@dataclass(frozen=True)
class Checked:
    """What reading every byte of some artefacts has found.

    Attributes:
        artefacts: How many were read.
        bytes: Their size.
        damaged: One error per damaged file or manifest, and per artefact that cannot be read.
        missing: One line per input that is named in a manifest and not in the store.
    """

    artefacts: int
    bytes: int
    damaged: list[StoreError]
    missing: list[str]

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        damaged = [str(error) for error in self.damaged]
        return {"artefacts": self.artefacts, "bytes": self.bytes, "damaged": damaged, "missing_inputs": self.missing}

    def text(self) -> str:
        """Return it for a terminal; the damaged files are told as errors."""
        count = len(self.damaged)
        unread = sum(not isinstance(error, DamagedError) for error in self.damaged)
        found = f"{count - unread} damaged files" if count else "all as written"
        found += f", {unread} artefacts cannot be read" if unread else ""
        return "\n".join([*self.missing, f"{self.artefacts} artefacts, {size_text(self.bytes)} read: {found}"])


def verify_store(store: Store, words: Sequence[str], on_bytes: ByteCallback) -> Checked:
    """Read every byte of a store's artefacts.

    Args:
        store: The store.
        words: Which artefacts, as `resolve` takes them; none for all.
        on_bytes: Told how far it is.

    Returns:
        What was found.

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
        except OSError as error:  # noqa: PERF203 - of its bytes nothing is known: it is not called damaged
            hint = "Look at the disk, and verify again."
            reason = f"cannot be read: {error.strerror or error}"
            found.append(StoreError(reason, path=error.filename or artefact.folder, hint=hint))
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
