"""Source files on disk: taken from the folder of downloads, or downloaded from an address or the hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adaptstilts.data import hub_files as hub
from adaptstilts.data.download import BytesCallback, MessageCallback, RemoteFile, RetryPolicy, digest, download
from adaptstilts.data.lock import Lock, write_lock
from adaptstilts.data.sources import Entry, Part
from adaptstilts.errors import DataError

DOWNLOADS = ".downloads"
"""Folder of a data root for downloads; it may be deleted when everything is fetched."""
_ADDRESSES_SHOWN = 3


class OfflineError(DataError):
    """Files are needed that were not downloaded before, and the network may not be used."""

    def __init__(self, root: Path, addresses: tuple[str, ...]) -> None:
        shown = ", ".join(addresses[:_ADDRESSES_SHOWN]) + (", ..." if len(addresses) > _ADDRESSES_SHOWN else "")
        super().__init__(
            f"offline, and {len(addresses)} files have not been downloaded: {shown}",
            path=root / DOWNLOADS,
            hint="Run it once without offline (--offline), or copy this folder from a machine where it was run. "
            "More: adaptstilts docs fetching.",
        )
        self.addresses = addresses


@dataclass
class SourceFile:
    """A source file on disk.

    Attributes:
        name: Name in the source.
        place: What to take from it and where to put it; see `adaptstilts.data.sources.Part`.
    """

    path: Path
    name: str
    place: list[tuple[str, str]]


class SourceFiles:
    """Source files on disk, with what the lock file knows of them.

    Args:
        root: The data root.
        lock: Content of its lock file; new checksums and commits are added and written at once.
        callbacks: For the bytes of downloads, and for messages to the user.
        offline: Never use the network.
        retry: How to retry downloads.
    """

    def __init__(
        self,
        root: Path,
        lock: Lock,
        callbacks: tuple[BytesCallback, MessageCallback],
        *,
        offline: bool,
        retry: RetryPolicy,
    ) -> None:
        self.lock = lock
        self._root = root
        self._on_bytes, self._on_message = callbacks
        self._offline = offline
        self._retry = retry
        self._repositories: dict[str, hub.Repository] = {}
        self._ready: set[str] = set()

    def obtain(self, parts: Sequence[Part]) -> list[SourceFile]:
        """Obtain all files of some parts; equal files are obtained once, with all that is to be taken from them.

        Raises:
            OfflineError: If files are not on disk and may not be downloaded.
            DataError: If a file cannot be downloaded, or is not the one expected.
        """
        sources: dict[Path, SourceFile] = {}
        missing: list[str] = []
        for part in parts:
            for address, name, path in self._files(part):
                if not self._ensure_file(part, address, path):
                    missing.append(address)
                item = sources.setdefault(path, SourceFile(path, name, []))
                item.place += [pair for pair in part.place if pair not in item.place]
        if missing:
            raise OfflineError(self._root, tuple(dict.fromkeys(missing)))
        return list(sources.values())

    def addresses(self, entry: Entry) -> tuple[str, ...]:
        """Return the addresses of the files that a language and split is made of."""
        return tuple(dict.fromkeys(address for part in entry.parts for address, _, _ in self._files(part)))

    def revision(self, entry: Entry) -> str | None:
        """Return the commits of the sources that have one, separated by commas, or None."""
        commits = (self._commit(part) if part.source.hub else part.source.revision for part in entry.parts)
        return ", ".join(dict.fromkeys(commit for commit in commits if commit)) or None

    def _files(self, part: Part) -> list[tuple[str, str, Path]]:
        """Return address, name in the source and path of each file of a part."""
        folder = self._root / DOWNLOADS / part.name
        if part.source.hub is None:
            names = [(url, url.rpartition("/")[2]) for url in part.urls]
            return [(url, name, folder / name) for url, name in names]
        folder /= self._commit(part) or ""
        found = [name for pattern in part.patterns for name in self._matching(part, pattern, folder)]
        return [(f"hub:{part.source.hub}/{name}", name, folder / name) for name in found]

    def _matching(self, part: Part, pattern: str, folder: Path) -> tuple[str, ...]:
        if not self._offline:
            return self._repository(part).matching(pattern)
        names = tuple(
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and ".cache" not in path.relative_to(folder).parts
        )
        return hub.matching_names(pattern, names, f"offline, in {folder}") if names else (pattern,)

    def _commit(self, part: Part) -> str | None:
        """Return the commit of a hub repository: the manifest's, or the lock file's, or (online) the newest."""
        name = part.source.hub or ""
        known = part.source.revision or self.lock.revisions.get(name)
        if known is None and not self._offline:
            known = self._repository(part).commit
        return known

    def _repository(self, part: Part) -> hub.Repository:
        name = part.source.hub or ""
        if name not in self._repositories:
            found = hub.look_up(name, part.source.revision or self.lock.revisions.get(name))
            self._repositories[name] = found
            if self.lock.revisions.get(name) != found.commit:
                self._update_lock(self.lock.with_revision(name, found.commit))
        return self._repositories[name]

    def _ensure_file(self, part: Part, address: str, path: Path) -> bool:
        """Make sure that a file is on disk and is the one expected; False if it is missing and may not be fetched."""
        if address in self._ready:
            return True
        expected = part.source.checksum(path.name) or self.lock.downloads.get(address)
        if self._offline:
            if not path.is_file():
                return False
            found = digest(path)
        elif part.source.hub is None:
            found = download(
                RemoteFile(address, path, expected), self._on_bytes, retry=self._retry, on_message=self._on_message
            )
        else:
            name = address.removeprefix(f"hub:{part.source.hub}/")
            folder = self._root / DOWNLOADS / part.name / (self._commit(part) or "")
            found = hub.download(self._repository(part), name, folder, self._on_bytes)
        if expected not in {None, found}:
            raise DataError(
                f"SHA-256 is {found}, expected {expected}", path=path, hint="Delete it and fetch again, online"
            )
        if self.lock.downloads.get(address) != found:
            self._update_lock(self.lock.with_download(address, found))
        self._ready.add(address)
        return True

    def _update_lock(self, lock: Lock) -> None:
        self.lock = lock
        write_lock(self._root, lock)
