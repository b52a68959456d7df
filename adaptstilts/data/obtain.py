"""Source files on disk: taken from the folder of downloads, or downloaded from an address or the hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from adaptstilts.addresses import shown_address, without_secrets
from adaptstilts.data import hub_files as hub
from adaptstilts.data.download import (
    UNFINISHED,
    BytesCallback,
    ChecksumError,
    MessageCallback,
    RemoteFile,
    RetryPolicy,
    digest,
    download,
)
from adaptstilts.data.lock import FETCH_AGAIN, LOCK_NAME, Lock
from adaptstilts.data.sources import Entry, Part
from adaptstilts.errors import DataError
from adaptstilts.files import below
from adaptstilts.formatting import number_text

DOWNLOADS = ".downloads"
"""Folder of a data root for downloads; it may be deleted when everything is fetched."""
_ADDRESSES_SHOWN = 3


class OfflineError(DataError):
    """Files are needed that were not downloaded before, and the network may not be used."""

    def __init__(self, root: Path, addresses: tuple[str, ...]) -> None:
        shown = ", ".join(addresses[:_ADDRESSES_SHOWN]) + (", ..." if len(addresses) > _ADDRESSES_SHOWN else "")
        super().__init__(
            f"offline, and {number_text(len(addresses), 'file')} not downloaded yet: {shown}",
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
        address: Where it is from, without what logs in.
    """

    path: Path
    name: str
    place: list[tuple[str, str]]
    address: str = ""


class SourceFiles:
    """Source files on disk, with what the lock file knows of them.

    Attributes:
        lock: Content of the lock file. New checksums and commits are added by `confirm`, once what they belong to could
            be read.

    Args:
        root: The data root.
        lock: Content of its lock file.
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
        self._ready: dict[str, tuple[str, int]] = {}
        self._new: dict[str, Path] = {}
        self._were_there: set[str] = set()

    def obtain(self, parts: Sequence[Part]) -> list[SourceFile]:
        """Obtain all files of some parts; equal files are obtained once, with all that is to be taken from them.

        Raises:
            OfflineError: If files are not on disk and may not be downloaded.
            DataError: If a file cannot be downloaded, or is not the one expected.
        """
        sources: dict[Path, SourceFile] = {}
        missing: list[str] = []
        for part in parts:
            for url, name, path in self._files(part):
                address = shown_address(url)
                if not self._ensure_file(part, url, path):
                    missing.append(address)
                item = sources.setdefault(path, SourceFile(path, name, [], address))
                item.place += [pair for pair in part.place if pair not in item.place]
        if missing:
            raise OfflineError(self._root, tuple(dict.fromkeys(missing)))
        return list(sources.values())

    def addresses(self, entry: Entry) -> tuple[str, ...]:
        """Return the addresses of the files that a language and split is made of."""
        return tuple(dict.fromkeys(shown_address(url) for part in entry.parts for url, _, _ in self._files(part)))

    def confirm(self, entry: Entry, unread: Sequence[Entry] = ()) -> None:
        """Take into the lock the commits and checksums of a language and split, which could be read.

        Args:
            unread: Others that are still to be read; checksums of files that they share are left to them.
        """
        shared = {address for other in unread for address in self.addresses(other)}
        for address in [address for address in self.addresses(entry) if address not in shared]:
            self.lock = self.lock.with_download(address, *self._ready[address])
            self._new.pop(address, None)
        for part in entry.parts:
            if part.source.hub is not None and (commit := self._commit(part)) is not None:
                self.lock = self.lock.with_revision(part.source.hub, commit)

    def drop_unread(self, *, may_be_good: bool) -> tuple[list[Path], bool]:
        """Delete the downloads of which nothing could be read, unless a known checksum vouches for them.

        Args:
            may_be_good: Whether to keep those that have just arrived, as another limit may let them be read.

        Returns:
            What was deleted, and whether any of it lay there before, so that another download may be better.
        """
        unread = {} if self._offline else self._new
        dropped = {address: path for address, path in unread.items() if not may_be_good or address in self._were_there}
        for address, path in dropped.items():
            path.unlink(missing_ok=True)
            del self._ready[address]
        self._new.clear()
        were_there = self._were_there & dropped.keys()
        self._were_there -= were_there
        return list(dropped.values()), bool(were_there)

    def revision(self, entry: Entry) -> str | None:
        """Return the commits of the sources that have one, separated by commas, or None."""
        commits = (self._commit(part) if part.source.hub else part.source.revision for part in entry.parts)
        return ", ".join(dict.fromkeys(commit for commit in commits if commit)) or None

    def _files(self, part: Part) -> list[tuple[str, str, Path]]:
        """Return address, name in the source and path of each file of a part."""
        folder = self._folder(part)
        if part.source.hub is None:
            names = [(url, _file_name(url)) for url in part.urls]
            return [(url, name, below(folder, name, source=shown_address(url))) for url, name in names]
        found = [name for pattern in part.patterns for name in self._matching(part, pattern, folder)]
        return [(f"hub:{part.source.hub}/{name}", name, below(folder, name, source=part.source.hub)) for name in found]

    def _folder(self, part: Part) -> Path:
        """Return the folder of a part's downloads; names that the manifest, the hub or the lock give stay below it."""
        downloads = self._root / DOWNLOADS
        folder = below(downloads, f"{part.name}/x", source=f"source '{part.name}'").parent
        commit = self._commit(part) if part.source.hub is not None else None
        return folder if commit is None else below(folder, f"{commit}/x", source=f"source '{part.name}'").parent

    def _matching(self, part: Part, pattern: str, folder: Path) -> tuple[str, ...]:
        if not self._offline:
            return self._repository(part).matching(pattern)
        names = tuple(
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and ".cache" not in path.relative_to(folder).parts and not path.name.endswith(UNFINISHED)
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
            self._repositories[name] = hub.look_up(name, part.source.revision or self.lock.revisions.get(name))
        return self._repositories[name]

    def _ensure_file(self, part: Part, url: str, path: Path) -> bool:
        """Make sure that a file is on disk and is the one expected; False if it is missing and may not be fetched."""
        address = shown_address(url)
        if address in self._ready:
            return True
        published, locked = part.source.checksum(path.name), self.lock.downloads.get(address)
        expected = published or locked
        if self._offline:
            if not path.is_file():
                return False
            found = digest(path)
            if expected not in {None, found}:
                raise DataError(
                    f"SHA-256 is {found}, expected {expected}", path=path, hint="Delete it and fetch again, online"
                )
        else:
            self._were_there |= {address} if path.is_file() else set()
            size = self.lock.sizes.get(address) if expected is not None and expected == locked else None
            remote = RemoteFile(url, path, expected, size)
            if part.source.hub is not None:
                name = url.removeprefix(f"hub:{part.source.hub}/")
                remote = hub.remote_file(self._repository(part), name, path, expected)
            try:
                found = download(remote, self._on_bytes, retry=self._retry, on_message=self._on_message)
            except ChecksumError as error:
                if published is None and locked is not None and locked == remote.sha256:
                    lock = self._root / LOCK_NAME
                    error.hint = (
                        f"The source has changed since it was fetched first, or a proxy alters it. To take it as it is "
                        f"now: {lock}: {FETCH_AGAIN}"
                    )
                raise
        self._ready[address] = (found, path.stat().st_size)
        if expected is None:
            self._new[address] = path
        return True


def _file_name(url: str) -> str:
    """Return the name of the file at an address: what follows the last / of its path, with what a query asks for."""
    plain = without_secrets(url)
    path = urlsplit(plain)._replace(query="").geturl()
    return path.rpartition("/")[2] + plain[len(path) :]
