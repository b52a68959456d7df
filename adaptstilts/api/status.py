"""The state of a study or a store: stages by state, what runs, what failed, and the time left."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from adaptstilts.addresses import shown_address
from adaptstilts.api.shown import Shown
from adaptstilts.arguments import cache_of, location_of, number_of, texts_of
from adaptstilts.errors import StoreError
from adaptstilts.progress.watching import watch
from adaptstilts.store.remote import is_address
from adaptstilts.store.shared import store_at
from adaptstilts.study.status import Observer, Status
from adaptstilts.study.status_text import status_text


@dataclass(frozen=True, repr=False)
class StudyStatus(Shown):
    """State of a study or a store at the time of the call.

    Attributes:
        status: Its facts.
    """

    status: Status = field(kw_only=True)


class StatusReader:
    """Reads the state of a study or a store, again and again.

    Args:
        observer: Reads the store.
        words: Words that name the study on the command line; for a store, a placeholder.
    """

    def __init__(self, observer: Observer, words: Sequence[str] = ("CONFIG",)) -> None:
        self._observer = observer
        self._words = words

    def status(self, *, options: Sequence[str] = ()) -> StudyStatus:
        """Return the present state.

        Args:
            options: Options that the command which continues the study needs.
        """
        more = texts_of("options", options)
        found = self._observer.look()
        command = next_command(found, [*self._words, *more])
        text = status_text(found, self._observer.store.root, command)
        return StudyStatus({**found.record(), "go_on": command}, text, status=found)

    def watch(self, every: float) -> None:
        """Draw the state every so many seconds until nothing is left to do or the user interrupts."""
        watch(self._observer.look, number_of("every", every, least=0))


def store_status(store: str, *, store_cache: str | None = None) -> StatusReader:
    """Return a reader of all that runs on a store, whatever study it is of.

    Args:
        store: Folder or address of the store.
        store_cache: Local folder for a store at an address.

    Raises:
        StoreError: If there is no such folder, or the address cannot be reached.
    """
    store = location_of("store", store)
    opened = store_at(store, cache_of("store_cache", store_cache))
    if not is_address(store) and not opened.root.is_dir():
        raise StoreError("no such folder", path=store, hint="Name the store of a study that has been started.")
    return StatusReader(Observer(opened))


def next_command(found: Status, words: Sequence[str]) -> str:
    """Return the command that goes on with a study in this state; ``words`` name the study and its settings."""
    verb = "report" if found.is_over and not found.total("failed") else "run"
    return shlex.join(
        ["adaptstilts", verb, *map(shown_address, words), *(["--rebuild"] if found.needs_rebuild else [])]
    )
