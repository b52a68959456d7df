"""Finished work in a store: list, inspect, verify, clean up, export and import it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adaptstilts.api.shown import Shown
from adaptstilts.api.study import Study
from adaptstilts.arguments import cache_of, flag_of, location_of, path_of, text_of, texts_of
from adaptstilts.errors import ConfigError, DamagedError
from adaptstilts.formatting import number_text
from adaptstilts.progress.bars import VerifyWatcher
from adaptstilts.progress.choose import error_console
from adaptstilts.store.archive import choose, export, import_bundle
from adaptstilts.store.gc import Waste, find_waste
from adaptstilts.store.shared import store_at
from adaptstilts.store.show import check_kinds, details, details_text, listing, listing_text, open_existing, resolve
from adaptstilts.store.store import Store
from adaptstilts.store.verify import verify_store

DEFAULT_STORE = "checkpoints"
"""The store of studies that name none, below the working folder."""


def list_artefacts(
    store: str = DEFAULT_STORE, *, kinds: Sequence[str] | None = None, store_cache: str | None = None
) -> Shown:
    """List the artefacts of a store; damaged ones are problems of the answer.

    Args:
        store: Folder or address of the store.
        kinds: Only these kinds of stages.
        store_cache: Local folder for a store at an address.

    Raises:
        StoreError: If there is no such store, or no such kind.
    """
    damaged: list[DamagedError] = []
    rows = listing(
        _opened(store, store_cache).artefacts(check_kinds(texts_of("kinds", kinds)), on_damage=damaged.append)
    )
    return Shown(rows, listing_text(rows), problems=tuple(damaged))


def show_artefact(key: str, store: str = DEFAULT_STORE, *, store_cache: str | None = None) -> Shown:
    """Show one artefact: settings, files, inputs, and what uses it; notes name damaged others.

    Args:
        key: A key, its first digits, or a stage's name.
        store: Folder or address of the store.
        store_cache: Local folder for a store at an address.

    Raises:
        StoreError: If there is no such store or artefact.
    """
    damaged: list[DamagedError] = []
    known = _opened(store, store_cache).artefacts(on_damage=damaged.append)
    record = details(known, resolve(known, text_of("key", key), damaged))
    return Shown(record, details_text(record), tuple(map(str, damaged)))


def verify_artefacts(keys: Sequence[str] = (), store: str = DEFAULT_STORE, *, store_cache: str | None = None) -> Shown:
    """Compare every byte of artefacts with their checksums; what differs is a problem of the answer.

    Args:
        keys: Keys, their first digits, or names of stages; by default all artefacts.
        store: Folder or address of the store.
        store_cache: Local folder for a store at an address.

    Raises:
        StoreError: If there is no such store or artefact.
    """
    with VerifyWatcher(error_console()) as watcher:
        checked = verify_store(_opened(store, store_cache), texts_of("keys", keys), watcher.read)
    return Shown(checked.record(), checked.text(), problems=tuple(checked.damaged))


@dataclass(frozen=True, repr=False)
class FoundWaste(Shown):
    """What may be removed from a store."""

    waste: Waste = field(kw_only=True)

    def remove(self) -> Shown:
        """Remove it.

        Raises:
            WriteError: If the store cannot be written.
        """
        self.waste.remove()
        return Shown(self.waste.record(), self.waste.text())


def unused_artefacts(*studies: Study, store: str | None = None, store_cache: str | None = None) -> FoundWaste:
    """Find leftovers of processes that died, and artefacts that none of the studies uses; nothing is removed yet.

    Args:
        studies: Studies to keep; without any, only leftovers and artefacts of older formats are found.
        store: Folder or address of the store; by default that of the studies.
        store_cache: Local folder for a store at an address.

    Raises:
        ConfigError: If several stores are named.
        StoreError: If there is no such store.
    """
    _check_studies(studies)
    given = None if store is None else location_of("store", store)
    opened = open_existing(*_place(studies, given, cache_of("store_cache", store_cache)))
    needed = {key for study in studies for key in study.keys}
    waste = find_waste(opened, needed if studies else None)
    return FoundWaste(waste.record(), waste.text(), waste=waste)


def export_artefacts(
    keys: Sequence[str],
    to: Path | str,
    store: str = DEFAULT_STORE,
    *,
    with_inputs: bool = False,
    store_cache: str | None = None,
) -> Shown:
    """Write artefacts with their checksums to an archive or a folder.

    Args:
        keys: Keys, their first digits, or names of stages.
        to: A file ending with .tar or .tar.gz, or a folder.
        store: Folder or address of the store.
        with_inputs: Also export all artefacts they were made from.
        store_cache: Local folder for a store at an address.

    Raises:
        StoreError: If there is no such artefact, or the archive cannot be written.
    """
    names, place, with_inputs = texts_of("keys", keys), path_of("to", to), flag_of("with_inputs", with_inputs)
    if not names:
        raise ConfigError("there is nothing to export", key="keys", hint="Give keys, or names of stages.")
    chosen = choose(_opened(store, store_cache), names, with_inputs=with_inputs)
    export(chosen, place)
    return Shown([artefact.key for artefact in chosen], f"{to}: {number_text(len(chosen), 'artefact')}")


def import_artefacts(bundle: Path | str, store: str = DEFAULT_STORE, *, store_cache: str | None = None) -> Shown:
    """Check exported artefacts and add them to a store.

    Args:
        bundle: An archive or folder written by `export_artefacts`.
        store: Folder or address of the store.
        store_cache: Local folder for a store at an address.

    Raises:
        StoreError: If the bundle is damaged, or the store cannot be written.
    """
    done = import_bundle(
        store_at(location_of("store", store), cache_of("store_cache", store_cache)), path_of("bundle", bundle)
    )
    return Shown(done.record(), done.text())


def _check_studies(studies: Sequence[object]) -> None:
    for place, study in enumerate(studies):
        if not isinstance(study, Study):
            problem = f"a value of type {type(study).__name__} is not a study"
            raise ConfigError(problem, key=f"studies[{place}]", hint="Load it: load_study(source).")


def _opened(store: str, cache: str | None) -> Store:
    """Return the existing store that an argument names."""
    return open_existing(location_of("store", store), cache_of("store_cache", cache))


def _place(studies: Sequence[Study], store: str | None, cache: str | None) -> tuple[str, str | None]:
    """Return the location of the store, and its local folder, that arguments and studies name.

    With a store given, studies that set no store of their own are taken to use that one.

    Raises:
        ConfigError: If several stores are named: what a study in one needs says nothing about the others.
    """
    caches = [study.config.store_cache for study in studies if study.config.store_cache is not None]
    named = [] if store is None else [("store", store, cache or next(iter(caches), None))]
    named += [
        (study.place, study.config.store, cache or study.config.store_cache)
        for study in studies
        if store is None or "store" in study.config.model_fields_set
    ]
    if not named:
        return DEFAULT_STORE, cache
    places = [(name, _shown(store_at(location, folder))) for name, location, folder in named]
    if len({place for _, place in places}) > 1:
        several = "; ".join(f"{name}: {place}" for name, place in dict(places).items())
        raise ConfigError(f"several stores are named ({several})", hint="Name one store, and only studies that use it.")
    return named[0][1:]


def _shown(store: Store) -> str:
    """Return where a store is, as a text that is equal for all names of the same place."""
    root = str(store.root.resolve())
    return root if store.location == str(store.root) else f"{store.location} by way of {root}"
