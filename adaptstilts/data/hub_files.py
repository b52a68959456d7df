"""Files of data set repositories on the Hugging Face hub at one commit; ``HF_ENDPOINT`` selects the hub."""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from adaptstilts.addresses import keep_token
from adaptstilts.data.download import RemoteFile
from adaptstilts.errors import DataError
from adaptstilts.files import is_below, is_too_long
from adaptstilts.formatting import cut
from adaptstilts.readers.shards import problem_of_names
from adaptstilts.waiting import in_time

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

DISK_ERRORS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR}
)
"""Error numbers that mean trouble with the disk, not with the network."""
_TIMEOUT_SECONDS = 30.0
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_HINT = "Check that the hub can be reached (HF_ENDPOINT selects another one) and that it has the repository"
_LONGEST_REASON = 160
"""Longest reason that is shown, in characters."""


@dataclass(frozen=True)
class HubFile:
    """What the hub states of a file; None where it does not.

    Attributes:
        sha256: In hexadecimal.
        size: In bytes.
    """

    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class Repository:
    """A repository at one commit.

    Attributes:
        name: ``owner/name``.
        files: Name -> what the hub states of each file.
    """

    name: str
    commit: str
    files: dict[str, HubFile]

    def matching(self, pattern: str) -> tuple[str, ...]:
        """Return the files that a pattern with ``*`` matches, sorted; see `matching_names`."""
        return matching_names(pattern, tuple(self.files), f"{self.name} at commit {self.commit}")


def matching_names(pattern: str, names: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Return the names that a pattern with ``*`` matches, sorted; `where` names their place in the error.

    Raises:
        DataError: If no name matches, or if the names of a folder are not those of one whole set.
    """
    found = tuple(sorted(name for name in names if fnmatchcase(name, pattern)))
    if not found:
        raise DataError(
            f"{where}: no file matches '{pattern}'",
            allowed=sorted(names),
            hint="Its layout has changed; correct `files` in a list of sources of your own (manifest, --manifest). "
            "More: adaptstilts docs fetching.",
        )
    for folder in dict.fromkeys(name.rpartition("/")[0] for name in found):
        several = [name.rpartition("/")[2] for name in found if name.rpartition("/")[0] == folder]
        problem = problem_of_names(several, pattern.rpartition("/")[2]) if "*" in pattern else None
        if problem is not None:
            raise DataError(f"{where}: {problem}", key=folder or None, hint="Fetch all files of one commit again")
    return found


def look_up(name: str, revision: str | None) -> Repository:
    """Look up a repository (``owner/name``) on the hub at a commit, or at the newest one if `revision` is None.

    Raises:
        DataError: If the hub cannot be reached or does not have it.
    """
    import huggingface_hub  # noqa: PLC0415 - slow to import

    with _hub_errors(name), _quiet():
        ask = huggingface_hub.HfApi(endpoint=_endpoint()).dataset_info
        info = in_time(partial(ask, name, revision=revision, timeout=_TIMEOUT_SECONDS, files_metadata=True))
    if info.sha is None:
        raise DataError(
            f"the hub states no commit of {name}",
            hint="Name one as its `revision` in a list of sources of your own (manifest, --manifest)",
        )
    if not _COMMIT.fullmatch(info.sha):
        raise DataError(f"{name}: the hub states '{info.sha}' as its commit, which is none", hint=_HINT)
    files = {item.rfilename: _stated(item) for item in info.siblings or ()}
    for file in files:
        if is_too_long(file):
            raise DataError(f"{name}: the hub lists a file '{cut(file)}', which is too long for the name of a file")
        if not is_below(file):
            raise DataError(
                f"{name}: the hub lists a file '{file}', which would be placed outside its folder", hint=_HINT
            )
    return Repository(name, info.sha, files)


def _stated(item: RepoSibling) -> HubFile:
    size = item.lfs.size if item.lfs else item.size
    return HubFile(item.lfs.sha256 if item.lfs else None, size if type(size) is int else None)


def remote_file(repository: Repository, file: str, path: Path, sha256: str | None) -> RemoteFile:
    """Return how one file of a repository is downloaded; the token of the hub's library, if there is one, is sent.

    Args:
        sha256: Checksum expected from elsewhere; the hub's counts where there is none.
    """
    import huggingface_hub  # noqa: PLC0415 - slow to import

    url = huggingface_hub.hf_hub_url(
        repository.name, file, repo_type="dataset", revision=repository.commit, endpoint=_endpoint()
    )
    token = huggingface_hub.get_token()
    keep_token(token or "")
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    stated = repository.files.get(file, HubFile())
    return RemoteFile(url, path, sha256 or stated.sha256, stated.size, headers)


def _endpoint() -> str | None:
    """Return the hub's address as it is set now; the library reads it only once, when it is first imported."""
    return os.environ.get("HF_ENDPOINT") or None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the hub library from showing progress bars and warnings."""
    from huggingface_hub import utils  # noqa: PLC0415 - slow to import

    group, log = "huggingface_hub.http_get", logging.getLogger("huggingface_hub")
    shown, level = not utils.are_progress_bars_disabled(group), log.level  # type: ignore[attr-defined]
    utils.disable_progress_bars(group)  # type: ignore[attr-defined]
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
        if shown:
            utils.enable_progress_bars(group)  # type: ignore[attr-defined]


@contextmanager
def _hub_errors(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # covers all errors of the library and of requests
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            raise
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = f", {lines[0]}" if lines and len(lines[0]) <= _LONGEST_REASON else ""
        raise DataError(
            f"{name} cannot be downloaded from the hub: {type(error).__name__}{reason}",
            hint=_HINT,
        ) from error
