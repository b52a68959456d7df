"""Downloads over HTTP that resume, retry, and put a file in place only when it is complete and checked."""

from __future__ import annotations

import hashlib
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
from adaptstilts.errors import DataError

BLOCK = 1 << 16
"""Most bytes read at a time."""
_TOO_MANY_REQUESTS = 429
_TIMED_OUT = 408
_RANGE_NOT_SATISFIABLE = 416
_WEB_PAGE = re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE)
_AGAIN = "The same command goes on from there."

Tell = Callable[[str, int, int | None], None]
"""Told while a file arrives: its name, the bytes that are there, and the bytes in all where they are known."""


Say = Callable[[str], None]
"""Told what a person wants to read."""


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True)
class Patience:
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
class Wanted:
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
class _Start:
    """Where a partial file can be resumed: its size in bytes, and the version of the file that they belong to."""

    bytes: int = 0
    version: str | None = None


class _BrokenOffError(Exception):
    """A failure that may pass; carries the reason, and the delay in seconds that the server asks for."""

    def __init__(self, reason: str, delay: float = 0.0) -> None:
        super().__init__(reason)
        self.delay = delay


def download(wanted: Wanted, tell: Tell, *, patience: Patience = Patience(), say: Say = _silent) -> str:
    """Download a file unless it is there already.

    Bytes arrive in ``NAME.part``, with the server's version tag beside it, so that a later call resumes if the file has
    not changed. The file gets its own name when it is complete and checked.

    Returns:
        SHA-256 of the file, in hexadecimal.

    Raises:
        DataError: If the server cannot be reached, refuses, sends a web page or another file than expected, or keeps
            breaking the connection.
    """
    if wanted.path.is_file():
        found = digest(wanted.path)
        if wanted.sha256 in {None, found}:
            return found
        wanted.path.unlink()
    wanted.path.parent.mkdir(parents=True, exist_ok=True)
    resumed = _part(wanted).is_file() and _start(wanted).bytes > 0
    try:
        found = _complete(wanted, tell, patience, say)
    except _ChecksumError:
        if not resumed:
            raise
        found = _complete(wanted, tell, patience, say)  # what lay there was of another version
    _part(wanted).replace(wanted.path)
    _record(wanted).unlink(missing_ok=True)
    return found


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        value = hashlib.sha256()
        while block := file.read(1 << 20):
            value.update(block)
    return value.hexdigest()


class _ChecksumError(DataError):
    """The file that arrived is not the one expected."""


def _complete(wanted: Wanted, tell: Tell, patience: Patience, say: Say) -> str:
    """Receive the whole file into its partial file, with retries, and check it."""
    failures = 0
    while True:
        before = _size(_part(wanted))
        try:
            _receive(wanted, tell, patience.timeout)
            break
        except _BrokenOffError as error:
            failures = 1 if _size(_part(wanted)) > before else failures + 1
            if failures >= patience.tries:
                raise DataError(
                    f"{wanted.url}: {error}, {_size(_part(wanted)):,} bytes are there", hint=_AGAIN
                ) from error
            delay = min(max(patience.first_delay * 2 ** (failures - 1), error.delay), patience.longest_delay)
            say(f"{wanted.url}: {error}; trying again in {delay:.0f} s")
            time.sleep(delay)
    found = digest(_part(wanted))
    if wanted.sha256 not in {None, found}:
        _discard(wanted)
        raise _ChecksumError(
            f"{wanted.url}: SHA-256 is {found}, expected {wanted.sha256}; what arrived is deleted",
            hint="The source has changed or a proxy meddles with it; try again, or name another one with --manifest",
        )
    return found


def _receive(wanted: Wanted, tell: Tell, timeout: float) -> None:
    """Make one request and append the answer to the partial file."""
    start = _start(wanted)
    headers = {"User-Agent": f"adaptstilts/{__version__}", "Accept-Encoding": "identity"}
    if start.bytes:
        headers["Range"] = f"bytes={start.bytes}-"
        if start.version is not None:
            headers["If-Range"] = start.version
    if urlsplit(wanted.url).scheme not in {"http", "https"}:
        raise DataError(f"'{wanted.url}' is not an address that can be downloaded", allowed=("http", "https"))
    request = urllib.request.Request(wanted.url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            _write(wanted, response, start, tell)
    except urllib.error.HTTPError as error:
        _refuse(wanted, error, start)
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise DataError(f"{wanted.url}: its certificate is not trusted ({error.reason.verify_message})") from error
        raise _BrokenOffError(f"cannot be reached ({_reason(error.reason)})") from error
    except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
        raise _BrokenOffError(f"the connection broke off ({_reason(error)})") from error


def _write(wanted: Wanted, response: http.client.HTTPResponse, start: _Start, tell: Tell) -> None:
    here = start.bytes if response.status == http.client.PARTIAL_CONTENT else 0
    if here and _range_start(response.headers) != here:
        _discard(wanted)
        raise _BrokenOffError("the server sent another part than the one asked for")
    length = response.headers.get("Content-Length")
    total = here + int(length) if length is not None and length.isdigit() else None
    _refuse_web_page(wanted, response.headers.get_content_type())
    if not here:
        _part(wanted).unlink(missing_ok=True)
        _record(wanted).write_text(json.dumps({"url": wanted.url, "version": _version(response.headers)}))
    with _part(wanted).open("ab", buffering=0) as file:  # what arrived is there when the process is killed
        while block := response.read1(BLOCK):
            if here == 0 and _WEB_PAGE.match(block):
                _refuse_web_page(wanted, "text/html")
            file.write(block)
            here += len(block)
            tell(wanted.path.name, here, total)
    if total is not None and here < total:
        raise _BrokenOffError(f"the connection broke off after {here:,} of {total:,} bytes")


def _refuse(wanted: Wanted, error: urllib.error.HTTPError, start: _Start) -> None:
    """Raise the error that an HTTP status stands for: one that may pass, or one that will not."""
    code = error.code
    if code == _RANGE_NOT_SATISFIABLE and start.bytes:
        whole = re.fullmatch(r"bytes \*/(\d+)", error.headers.get("Content-Range", ""))
        if whole and int(whole.group(1)) == start.bytes:
            return
        _discard(wanted)
        raise _BrokenOffError("what was there is longer than the file") from error
    reason = f"the server answers {code} {error.reason}"
    if code in {_TIMED_OUT, _TOO_MANY_REQUESTS} or code >= http.client.INTERNAL_SERVER_ERROR:
        wish = error.headers.get("Retry-After", "")
        raise _BrokenOffError(reason, float(wish) if wish.isdigit() else 0.0) from error
    raise DataError(
        f"{wanted.url}: {reason}", hint="The source has moved; name its new address with --manifest FILE"
    ) from error


def _refuse_web_page(wanted: Wanted, kind: str) -> None:
    if kind == "text/html" and not wanted.url.endswith((".html", ".htm")):
        _discard(wanted)
        raise DataError(
            f"{wanted.url}: the server sent a web page in place of the file",
            hint="Open the address in a browser: there may be a log-in or a notice, or the source has moved",
        )


def _start(wanted: Wanted) -> _Start:
    """Return where to resume: at 0 if the partial file's version is unknown and no checksum can reveal a change."""
    try:
        values = json.loads(_record(wanted).read_text())
        version = values["version"] if values["url"] == wanted.url else None
    except (OSError, ValueError, KeyError, TypeError):
        version = None
    if version is None and wanted.sha256 is None:
        return _Start()
    return _Start(_size(_part(wanted)), version)


def _version(headers: Message) -> str | None:
    """Return what ``If-Range`` identifies a version by: a strong tag, or else the time of the last change."""
    tag = headers.get("ETag")
    if tag is not None and not tag.startswith("W/"):
        return tag
    return headers.get("Last-Modified")


def _range_start(headers: Message) -> int | None:
    found = re.match(r"bytes (\d+)-", headers.get("Content-Range", ""))
    return int(found.group(1)) if found else None


def _reason(error: object) -> str:
    strerror = getattr(error, "strerror", None)
    return str(strerror or error or type(error).__name__)


def _part(wanted: Wanted) -> Path:
    return wanted.path.with_name(f"{wanted.path.name}.part")


def _record(wanted: Wanted) -> Path:
    return wanted.path.with_name(f"{wanted.path.name}.part.json")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _discard(wanted: Wanted) -> None:
    _part(wanted).unlink(missing_ok=True)
    _record(wanted).unlink(missing_ok=True)
