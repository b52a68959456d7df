"""Downloads over HTTP that resume, retry, and put a file in place only when it is complete and checked."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import ssl
import time
import urllib.error
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

from adaptstilts import __version__
from adaptstilts.addresses import shown_address
from adaptstilts.contents import content_hash
from adaptstilts.data.connection import TransferWatch, TransientError, least_rate, opened, out_of_time
from adaptstilts.errors import DataError
from adaptstilts.files import clear, read_bytes
from adaptstilts.formatting import number_text, size_text
from adaptstilts.limits import MOST_DOWNLOAD_SECONDS, MOST_UNPACKED_BYTES

BLOCK = 1 << 16
"""Most bytes read at a time."""
_TOO_MANY_REQUESTS = 429
_TIMED_OUT = 408
_RANGE_NOT_SATISFIABLE = 416
_WEB_PAGE = re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE)
_CHANGED_HINT = (
    "The source has changed, or a proxy alters it; try again, or name another source in a list of your own (manifest, "
    "--manifest). More: adaptstilts docs fetching."
)
_RESUME_HINT = "Run the same command again to resume the download."
_LONGEST_REASON = 200
"""Most characters of a server's or a library's reason that are shown."""
_LONGEST_VERSION = 1000
_ROOM_LEFT = 64 << 20
"""Bytes of the disk that a download of unknown length leaves free."""
_ROOM_EVERY = 16 << 20
"""Bytes between two looks at the room on the disk."""

UNFINISHED = (".part", ".part.json")
"""Ends of the names of what is still arriving."""

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
        tries: Consecutive attempts, at least 1, that may bring less than `adaptstilts.limits.LEAST_RATE`, the waits
            before them included.
        first_delay: Wait before the second try; it doubles from try to try.
        longest_delay: Longest wait between two tries.
        timeout: Time without a byte after which a connection counts as broken; less if a limit is less.
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
        size: Expected number of bytes; None where it is not known yet.
        headers: Sent with each request, to the first server only where they log in.
    """

    url: str
    path: Path
    sha256: str | None = None
    size: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class _ResumePoint:
    """Where a partial file can be resumed: its size in bytes, and the version of the file that they belong to."""

    bytes: int = 0
    version: str | None = None


def download(
    remote: RemoteFile,
    on_bytes: BytesCallback,
    *,
    retry: RetryPolicy = RetryPolicy(),
    on_message: MessageCallback = _ignore,
) -> str:
    """Download a file unless it is there already.

    Bytes arrive in ``NAME.part``, with the server's version tag beside it, so that a later call resumes if the file has
    not changed. The file gets its own name when it is complete and checked; what had that name stays until then.

    Returns:
        SHA-256 of the file, in hexadecimal.

    Raises:
        DataError: If the server cannot be reached, refuses, sends a web page or another file than expected, keeps
            breaking the connection, or breaks a limit (`adaptstilts.limits`).
    """
    if remote.path.is_file():
        found = digest(remote.path)
        if remote.sha256 in {None, found}:
            return found
    else:
        clear(remote.path)
    for path in (_partial_path(remote), _version_path(remote)):
        if path.is_symlink() or not path.is_file():
            clear(path)
    remote.path.parent.mkdir(parents=True, exist_ok=True)
    resumed = _partial_path(remote).is_file() and _resume_point(remote).bytes > 0
    try:
        found = _complete(remote, on_bytes, retry, on_message)
    except ChecksumError:
        if not resumed:
            raise
        found = _complete(remote, on_bytes, retry, on_message)  # the resumed part was of another version
    _partial_path(remote).replace(remote.path)
    _version_path(remote).unlink(missing_ok=True)
    return found


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return content_hash(path, certain=True)


class ChecksumError(DataError):
    """The file that arrived is not the one expected."""


def _complete(remote: RemoteFile, on_bytes: BytesCallback, retry: RetryPolicy, on_message: MessageCallback) -> str:
    """Receive the whole file into its partial file, with retries, and check it."""
    failures, since = 0, time.monotonic()
    deadline = since + MOST_DOWNLOAD_SECONDS.value()
    while True:
        before = _size(_partial_path(remote))
        try:
            with TransferWatch(remote.url, deadline) as watch:
                _receive(remote, on_bytes, retry.timeout, watch)
            break
        except TransientError as error:
            gained, now = _size(_partial_path(remote)) - before, time.monotonic()
            failures = 1 if gained > 0 and gained >= least_rate() * (now - since) else failures + 1
            since = now
            reason = shown_address(f"{remote.url}: {error}")
            if failures >= retry.tries:
                kept = f"{_size(_partial_path(remote)):,} bytes are kept"
                raise DataError(f"{reason}, {kept}", hint=_RESUME_HINT) from error
            delay = min(max(retry.first_delay * 2 ** (failures - 1), error.delay), retry.longest_delay)
            if now + delay >= deadline:
                raise out_of_time(remote.url) from error
            on_message(f"{reason}; trying again in {delay:.0f} s")
            time.sleep(delay)
    found = digest(_partial_path(remote))
    if remote.sha256 not in {None, found}:
        _discard(remote)
        raise ChecksumError(
            f"{remote.url}: SHA-256 is {found}, expected {remote.sha256}; the download was deleted", hint=_CHANGED_HINT
        )
    return found


def _receive(remote: RemoteFile, on_bytes: BytesCallback, timeout: float, watch: TransferWatch) -> None:
    """Make one request and append the response to the partial file."""
    start = _resume_point(remote)
    headers = {"User-Agent": f"adaptstilts/{__version__}", "Accept-Encoding": "identity", **remote.headers}
    if start.bytes:
        headers["Range"] = f"bytes={start.bytes}-"
        if start.version is not None:
            headers["If-Range"] = start.version
    try:
        with opened(remote.url, headers, timeout, watch) as response:
            if response.status in {http.client.OK, http.client.PARTIAL_CONTENT}:
                _append(remote, response, start, on_bytes, watch)
            else:
                _handle_status(remote, response, start)
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise DataError(f"{remote.url}: its certificate is not trusted ({error.reason.verify_message})") from error
        raise TransientError(f"cannot be reached ({_reason_of(error.reason)})") from error
    except (http.client.InvalidURL, UnicodeError) as error:
        raise DataError(f"'{remote.url}' is not an address ({_reason_of(error)})") from error
    except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
        raise TransientError(f"the connection was lost ({_reason_of(error)})") from error


def _append(
    remote: RemoteFile,
    response: http.client.HTTPResponse,
    start: _ResumePoint,
    on_bytes: BytesCallback,
    watch: TransferWatch,
) -> None:
    """Append the body of a response to the partial file."""
    is_part = response.status == http.client.PARTIAL_CONTENT
    here = start.bytes if is_part else 0
    if is_part and _range_start(response.headers) != here:
        _discard(remote)
        raise TransientError("the server sent another part of the file than requested")
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        _discard(remote)
        raise DataError(f"{remote.url}: the server sent it in the encoding '{encoding}', which was not asked for")
    _refuse_web_page(remote, response.headers.get_content_type())
    length = _number(response.headers.get("Content-Length"))
    total = None if length is None else here + length
    _check_size(remote, here if total is None else total, is_whole=total is not None)
    _check_room(remote, _ROOM_LEFT if length is None else length)
    if not here:
        _partial_path(remote).unlink(missing_ok=True)
        _version_path(remote).write_text(
            json.dumps({"url": shown_address(remote.url), "version": _version(response.headers)})
        )
    with _partial_path(remote).open("ab", buffering=0) as file:  # unbuffered: killing the process loses nothing
        while block := response.read1(BLOCK):
            if here == 0 and _WEB_PAGE.match(block):
                _refuse_web_page(remote, "text/html")
            watch.received(len(block))
            _check_size(remote, here + len(block))
            if total is None and here // _ROOM_EVERY != (here + len(block)) // _ROOM_EVERY:
                _check_room(remote, _ROOM_LEFT)
            file.write(block)
            here += len(block)
            on_bytes(remote.path.name, here, total)
    if total is not None and here < total:
        raise TransientError(f"the connection was lost after {here:,} of {total:,} bytes")


def _check_size(remote: RemoteFile, size: int, *, is_whole: bool = False) -> None:
    """Refuse a file that is larger than expected or allowed; a size that the server states must be the expected one."""
    expected = remote.size
    if expected is not None and (size > expected or (is_whole and size < expected)):
        _discard(remote)
        found = number_text(size, "byte") if is_whole else "more bytes"
        raise ChecksumError(f"{remote.url}: has {found}, expected {expected:,}", hint=_CHANGED_HINT)
    most = MOST_UNPACKED_BYTES.value()
    if size > most:
        kept = ", and what arrived is kept"
        if not _resume_point(remote).bytes:
            _discard(remote)
            kept = ""
        raise DataError(
            f"{remote.url}: has more than {size_text(most)}, the most that are downloaded{kept}",
            hint=f"If that is right, set {MOST_UNPACKED_BYTES.variable}. More: adaptstilts docs limits.",
        )


def _check_room(remote: RemoteFile, needed: int) -> None:
    free = shutil.disk_usage(remote.path.parent).free
    if needed > free:
        raise DataError(
            f"no room for {remote.url}: {size_text(needed)} are needed, {size_text(free)} are free",
            path=remote.path.parent,
            hint="Free some space and run the same command again; it resumes where it stopped",
        )


def _handle_status(remote: RemoteFile, response: http.client.HTTPResponse, start: _ResumePoint) -> None:
    """Raise the error for an HTTP status, transient or final; return if the partial file is complete already."""
    code = response.status
    if code == _RANGE_NOT_SATISFIABLE and start.bytes:
        whole = re.fullmatch(r"bytes \*/(\d+)", response.headers.get("Content-Range", ""))
        if whole and _number(whole.group(1)) == start.bytes:
            return
        _discard(remote)
        raise TransientError("the partial file is longer than the file on the server")
    reason = f"the server answers {code} {response.reason[:_LONGEST_REASON]}".strip()
    if code in {_TIMED_OUT, _TOO_MANY_REQUESTS} or code >= http.client.INTERNAL_SERVER_ERROR:
        raise TransientError(reason, float(_number(response.headers.get("Retry-After")) or 0))
    raise DataError(
        f"{remote.url}: {reason}",
        hint="The source may have moved; name its new address in a list of sources of your own (manifest, --manifest). "
        "More: adaptstilts docs fetching.",
    )


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
        values = json.loads(read_bytes(_version_path(remote), 8 * _LONGEST_VERSION))
        version = values["version"] if values["url"] == shown_address(remote.url) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, DataError):
        version = None
    version = version if _is_version(version) else None
    if version is None and remote.sha256 is None:
        return _ResumePoint()
    return _ResumePoint(_size(_partial_path(remote)), version)


def _version(headers: Message) -> str | None:
    """Return what ``If-Range`` identifies a version by: a strong tag, or else the time of the last change."""
    tag = headers.get("ETag")
    found = headers.get("Last-Modified") if tag is None or tag.startswith("W/") else tag
    return found if _is_version(found) else None


def _is_version(found: Any) -> bool:  # noqa: ANN401 - what a server or a file says
    return isinstance(found, str) and len(found) <= _LONGEST_VERSION and found.isascii() and found.isprintable()


def _range_start(headers: Message) -> int | None:
    found = re.match(r"bytes (\d+)-", headers.get("Content-Range", ""))
    return _number(found.group(1)) if found else None


def _number(text: str | None) -> int | None:
    """Return the number that a header states; None if it is no number, or beyond all sizes."""
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else None


def _reason_of(error: object) -> str:
    """Return the reason of an error as one short line."""
    text = str(getattr(error, "strerror", None) or error or type(error).__name__)
    return " ".join(text.split())[:_LONGEST_REASON]


def _partial_path(remote: RemoteFile) -> Path:
    return remote.path.with_name(f"{remote.path.name}.part")


def _version_path(remote: RemoteFile) -> Path:
    return remote.path.with_name(f"{remote.path.name}.part.json")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _discard(remote: RemoteFile) -> None:
    _partial_path(remote).unlink(missing_ok=True)
    _version_path(remote).unlink(missing_ok=True)
