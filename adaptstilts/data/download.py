"""Downloads over HTTP that resume, retry, and put a file in place only when it is complete and checked."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from urllib.parse import urlsplit

from adaptstilts import __version__
from adaptstilts.contents import content_hash
from adaptstilts.errors import DataError

BLOCK = 1 << 16
"""Most bytes read at a time."""
_TOO_MANY_REQUESTS = 429
_TIMED_OUT = 408
_RANGE_NOT_SATISFIABLE = 416
_WEB_PAGE = re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE)
_RESUME_HINT = "Run the same command again to resume the download."

BytesCallback = Callable[[str, int, int | None], None]
"""Called as a file arrives, with its name, the bytes received so far, and its size where known."""


MessageCallback = Callable[[str], None]
"""Called with a message for the user."""


def _ignore(_: str) -> None:
    pass


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long to retry a download; all times in seconds.

    Attributes:
        tries: Consecutive attempts, at least 1, that may fail to bring a single byte.
        first_delay: Wait before the second try; it doubles from try to try.
        longest_delay: Longest wait between two tries.
        timeout: Time without a byte after which a connection counts as broken.
    """

    tries: int = 5
    first_delay: float = 1.0
    longest_delay: float = 60.0
    timeout: float = 60.0


@dataclass(frozen=True)
class RemoteFile:
    """A file to download.

    Attributes:
        url: Address, http or https.
        path: Where to put the file.
        sha256: Expected checksum in hexadecimal; None where it is not known yet.
    """

    url: str
    path: Path
    sha256: str | None = None


@dataclass(frozen=True)
class _ResumePoint:
    """Where a partial file can be resumed: its size in bytes, and the version of the file that they belong to."""

    bytes: int = 0
    version: str | None = None


class _TransientError(Exception):
    """A failure that may pass; carries the reason, and the delay in seconds that the server asks for."""

    def __init__(self, reason: str, delay: float = 0.0) -> None:
        super().__init__(reason)
        self.delay = delay


def download(
    remote: RemoteFile,
    on_bytes: BytesCallback,
    *,
    retry: RetryPolicy = RetryPolicy(),
    on_message: MessageCallback = _ignore,
) -> str:
    """Download a file unless it is there already.

    Bytes arrive in ``NAME.part``, with the server's version tag beside it, so that a later call resumes if the file has
    not changed. The file gets its own name when it is complete and checked.

    Returns:
        SHA-256 of the file, in hexadecimal.

    Raises:
        DataError: If the server cannot be reached, refuses, sends a web page or another file than expected, or keeps
            breaking the connection.
    """
    if remote.path.is_file():
        found = digest(remote.path)
        if remote.sha256 in {None, found}:
            return found
        remote.path.unlink()
    remote.path.parent.mkdir(parents=True, exist_ok=True)
    resumed = _partial_path(remote).is_file() and _resume_point(remote).bytes > 0
    try:
        found = _complete(remote, on_bytes, retry, on_message)
    except _ChecksumError:
        if not resumed:
            raise
        found = _complete(remote, on_bytes, retry, on_message)  # the resumed part was of another version
    _partial_path(remote).replace(remote.path)
    _version_path(remote).unlink(missing_ok=True)
    return found


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return content_hash(path, certain=True)


class _ChecksumError(DataError):
    """The file that arrived is not the one expected."""


def _complete(remote: RemoteFile, on_bytes: BytesCallback, retry: RetryPolicy, on_message: MessageCallback) -> str:
    """Receive the whole file into its partial file, with retries, and check it."""
    failures = 0
    while True:
        before = _size(_partial_path(remote))
        try:
            _receive(remote, on_bytes, retry.timeout)
            break
        except _TransientError as error:
            failures = 1 if _size(_partial_path(remote)) > before else failures + 1
            if failures >= retry.tries:
                raise DataError(
                    f"{remote.url}: {error}, {_size(_partial_path(remote)):,} bytes are kept", hint=_RESUME_HINT
                ) from error
            delay = min(max(retry.first_delay * 2 ** (failures - 1), error.delay), retry.longest_delay)
            on_message(f"{remote.url}: {error}; trying again in {delay:.0f} s")
            time.sleep(delay)
    found = digest(_partial_path(remote))
    if remote.sha256 not in {None, found}:
        _discard(remote)
        raise _ChecksumError(
            f"{remote.url}: SHA-256 is {found}, expected {remote.sha256}; the download was deleted",
            hint="The source has changed, or a proxy alters it; try again, or name another source in a list of "
            "your own (manifest, --manifest). More: adaptstilts docs fetching.",
        )
    return found


def _receive(remote: RemoteFile, on_bytes: BytesCallback, timeout: float) -> None:
    """Make one request and append the response to the partial file."""
    start = _resume_point(remote)
    headers = {"User-Agent": f"adaptstilts/{__version__}", "Accept-Encoding": "identity"}
    if start.bytes:
        headers["Range"] = f"bytes={start.bytes}-"
        if start.version is not None:
            headers["If-Range"] = start.version
    if urlsplit(remote.url).scheme not in {"http", "https"}:
        raise DataError(f"'{remote.url}' is not an address that can be downloaded", allowed=("http", "https"))
    request = urllib.request.Request(remote.url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            _append(remote, response, start, on_bytes)
    except urllib.error.HTTPError as error:
        _handle_http_error(remote, error, start)
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise DataError(f"{remote.url}: its certificate is not trusted ({error.reason.verify_message})") from error
        raise _TransientError(f"cannot be reached ({_reason_of(error.reason)})") from error
    except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
        raise _TransientError(f"the connection was lost ({_reason_of(error)})") from error


def _append(
    remote: RemoteFile, response: http.client.HTTPResponse, start: _ResumePoint, on_bytes: BytesCallback
) -> None:
    here = start.bytes if response.status == http.client.PARTIAL_CONTENT else 0
    if here and _range_start(response.headers) != here:
        _discard(remote)
        raise _TransientError("the server sent another part of the file than requested")
    length = response.headers.get("Content-Length")
    total = here + int(length) if length is not None and length.isdigit() else None
    _refuse_web_page(remote, response.headers.get_content_type())
    if not here:
        _partial_path(remote).unlink(missing_ok=True)
        _version_path(remote).write_text(json.dumps({"url": remote.url, "version": _version(response.headers)}))
    with _partial_path(remote).open("ab", buffering=0) as file:  # unbuffered: killing the process loses nothing
        while block := response.read1(BLOCK):
            if here == 0 and _WEB_PAGE.match(block):
                _refuse_web_page(remote, "text/html")
            file.write(block)
            here += len(block)
            on_bytes(remote.path.name, here, total)
    if total is not None and here < total:
        raise _TransientError(f"the connection was lost after {here:,} of {total:,} bytes")


def _handle_http_error(remote: RemoteFile, error: urllib.error.HTTPError, start: _ResumePoint) -> None:
    """Raise the error for an HTTP status, transient or final; return if the partial file is complete already."""
    code = error.code
    if code == _RANGE_NOT_SATISFIABLE and start.bytes:
        whole = re.fullmatch(r"bytes \*/(\d+)", error.headers.get("Content-Range", ""))
        if whole and int(whole.group(1)) == start.bytes:
            return
        _discard(remote)
        raise _TransientError("the partial file is longer than the file on the server") from error
    reason = f"the server answers {code} {error.reason}"
    if code in {_TIMED_OUT, _TOO_MANY_REQUESTS} or code >= http.client.INTERNAL_SERVER_ERROR:
        wish = error.headers.get("Retry-After", "")
        raise _TransientError(reason, float(wish) if wish.isdigit() else 0.0) from error
    raise DataError(
        f"{remote.url}: {reason}",
        hint="The source may have moved; name its new address in a list of sources of your own (manifest, --manifest). "
        "More: adaptstilts docs fetching.",
    ) from error


def _refuse_web_page(remote: RemoteFile, kind: str) -> None:
    if kind == "text/html" and not remote.url.endswith((".html", ".htm")):
        _discard(remote)
        raise DataError(
            f"{remote.url}: the server sent a web page instead of the file",
            hint="Open the address in a browser: it may need a log-in, or the source may have moved",
        )


def _resume_point(remote: RemoteFile) -> _ResumePoint:
    """Return where to resume: at 0 if the partial file's version is unknown and no checksum can reveal a change."""
    try:
        values = json.loads(_version_path(remote).read_text())
        version = values["version"] if values["url"] == remote.url else None
    except (OSError, ValueError, KeyError, TypeError):
        version = None
    if version is None and remote.sha256 is None:
        return _ResumePoint()
    return _ResumePoint(_size(_partial_path(remote)), version)


def _version(headers: Message) -> str | None:
    """Return what ``If-Range`` identifies a version by: a strong tag, or else the time of the last change."""
    tag = headers.get("ETag")
    if tag is not None and not tag.startswith("W/"):
        return tag
    return headers.get("Last-Modified")


def _range_start(headers: Message) -> int | None:
    found = re.match(r"bytes (\d+)-", headers.get("Content-Range", ""))
    return int(found.group(1)) if found else None


def _reason_of(error: object) -> str:
    strerror = getattr(error, "strerror", None)
    return str(strerror or error or type(error).__name__)


def _partial_path(remote: RemoteFile) -> Path:
    return remote.path.with_name(f"{remote.path.name}.part")


def _version_path(remote: RemoteFile) -> Path:
    return remote.path.with_name(f"{remote.path.name}.part.json")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _discard(remote: RemoteFile) -> None:
    _partial_path(remote).unlink(missing_ok=True)
    _version_path(remote).unlink(missing_ok=True)
