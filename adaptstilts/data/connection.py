"""Requests over HTTP that end: redirects stay on the web, and a connection that is too slow is closed.

A server can keep a request busy in many ways (headers or chunks that come byte by byte, endless trailers), most of them
inside Python's library. So a thread watches each request, and shuts its socket when it breaks a limit.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import math
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from adaptstilts.addresses import keep_secret
from adaptstilts.errors import DataError
from adaptstilts.formatting import duration_text, size_text
from adaptstilts.limits import LEAST_RATE, MOST_DOWNLOAD_SECONDS, RATE_SECONDS

if TYPE_CHECKING:
    from typing_extensions import Self

SCHEMES = ("http", "https")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 10
_SAFE = "%/:=&?~#+!$,;'@()*[]"
"""Characters of addresses that stay as they are."""
_OTHER_SOURCE = "Name another source in a list of your own (manifest, --manifest). More: adaptstilts docs fetching."


class TransientError(Exception):
    """A failure that may pass; carries the reason, and the delay in seconds that the server asks for."""

    def __init__(self, reason: str, delay: float = 0.0) -> None:
        super().__init__(reason)
        self.delay = delay


class TransferWatch:
    """Ends a request that is slower than `limits.LEAST_RATE`, or goes on beyond a deadline; a context manager.

    Args:
        url: Address of the file, for the error.
        deadline: Time by the monotonic clock at which all attempts at the file must have ended.
    """

    def __init__(self, url: str, deadline: float) -> None:
        self._url = url
        self._deadline = deadline
        self._seconds = RATE_SECONDS.value()
        self._rate = least_rate()
        self._socket: Any = None
        self._since = time.monotonic()
        self._count = 0
        self._done = threading.Event()
        self._problem: DataError | TransientError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name="transfer")

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Stop watching; an error that the watch has brought about is replaced by its reason."""
        self._done.set()
        self._thread.join()
        if self._problem is not None and (error is None or isinstance(error, Exception)):
            raise self._problem from error

    @property
    def timeout(self) -> float | None:
        """Longest wait for a single byte; None for no limit."""
        seconds = min(self._seconds, self._deadline - time.monotonic())
        return None if math.isinf(seconds) else max(seconds, 0.001)

    def hold(self, connected: Any) -> None:  # noqa: ANN401 - a socket, plain or of SSL
        """Take the socket of the request, or of the one that follows a redirect."""
        self._socket = connected
        self.restart()

    def restart(self) -> None:
        """Measure the rate from now on."""
        self._since, self._count = time.monotonic(), 0

    def received(self, count: int) -> None:
        """Take notice of bytes of the file."""
        self._count += count

    def _run(self) -> None:
        while not self._done.wait(min(0.25, self._seconds / 10)):
            now = time.monotonic()
            if now >= self._deadline:
                self._problem = out_of_time(self._url)
            elif now - self._since >= self._seconds:
                if self._count < self._rate * (now - self._since):
                    self._problem = TransientError(self._slow(now - self._since))
                self.restart()
            if self._problem is not None:
                with contextlib.suppress(OSError, AttributeError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
                # Goes on: the socket may have been opened at this moment, or another one after a redirect.

    def _slow(self, seconds: float) -> str:
        return (
            f"{size_text(self._count)} came in {duration_text(seconds)}, less than the {size_text(self._rate)} per "
            f"second of {LEAST_RATE.variable}"
        )


def least_rate() -> float:
    """Return the bytes per second below which a transfer is given up; 0 for no limit."""
    rate = LEAST_RATE.value()
    return 0.0 if math.isinf(rate) else rate


def out_of_time(url: str) -> DataError:
    """Return the error about a file for which there is no more time."""
    return DataError(
        f"{url}: not there after {duration_text(MOST_DOWNLOAD_SECONDS.value())}, the longest time for one file; what "
        "arrived is kept",
        hint=f"Run the same command again to resume the download; {MOST_DOWNLOAD_SECONDS.variable} changes the time.",
    )


@contextlib.contextmanager
def opened(url: str, headers: Mapping[str, str], timeout: float, watch: TransferWatch) -> Iterator[Any]:
    """Request a file, following redirects; yields the response whatever its status.

    User and password of an address are sent as basic authentication. What logs in is sent to no other server than the
    first one.

    Raises:
        DataError: If an address cannot be used, or redirects lead astray.
    """
    keep_secret(url)
    plain, login = _plain_address(url, url)
    sent = {**headers, **login}
    for _ in range(_MOST_REDIRECTS + 1):
        _check_proxy(plain)
        request = urllib.request.Request(plain, headers=sent)
        longest = watch.timeout
        with _opener(watch).open(request, timeout=timeout if longest is None else min(timeout, longest)) as response:
            watch.restart()
            target = response.headers.get("Location") if response.status in _REDIRECTS else None
            if target is None:
                yield response
                return
        keep_secret(target)
        following, _ = _plain_address(target, url, plain)
        if urlsplit(plain).scheme == "https" and urlsplit(following).scheme == "http":
            raise DataError(
                f"{url}: redirected from https to '{following}', where anybody on the way can alter it",
                hint=_OTHER_SOURCE,
            )
        if urlsplit(plain)[:2] != urlsplit(following)[:2]:
            sent = {name: value for name, value in sent.items() if name != "Authorization"}
        plain = following
    raise DataError(f"{url}: redirected more than {_MOST_REDIRECTS} times", hint=_OTHER_SOURCE)


def _plain_address(url: str, first: str, base: str = "") -> tuple[str, dict[str, str]]:
    """Return an address, relative to another one, without user, password and fragment, and the header that sends them.

    Args:
        first: The address that was asked for, for errors about those that it is redirected to.
    """
    source = "" if url == first else f"{first}: redirected to "
    try:
        parts = urlsplit(urljoin(base, quote(url, safe=_SAFE)))
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise DataError(f"{source}'{url}' is not an address ({error})", hint=_OTHER_SOURCE) from error
    if parts.scheme not in SCHEMES:
        raise DataError(f"{source}'{url}' is not an address that can be downloaded", allowed=SCHEMES)
    if not host:
        raise DataError(f"{source}'{url}' is not an address: it names no server", hint=_OTHER_SOURCE)
    login, at, place = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    pair = base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode("ascii")
    return urlunsplit((parts.scheme, place, parts.path, parts.query, "")), (
        {"Authorization": f"Basic {pair}"} if at else {}
    )


def _check_proxy(url: str) -> None:
    """Check the proxy that the environment names for an address, if any; the library blames the address for its faults.

    Raises:
        DataError: If it cannot be used.
    """
    scheme, place = urlsplit(url)[:2]
    proxy = urllib.request.getproxies().get(scheme)
    if not proxy or urllib.request.proxy_bypass(place.rpartition("@")[2]):
        return
    keep_secret(proxy)
    try:
        parts = urlsplit(proxy if ":/" in proxy else f"//{proxy}")
        is_right = bool(parts.hostname) and (parts.port or 1) > 0 and parts.scheme in {"", *SCHEMES}
    except ValueError:
        is_right = False
    if not is_right or not proxy.isprintable() or " " in proxy:
        raise DataError(
            f"'{proxy}' is not the address of a proxy",
            key=f"{scheme}_proxy",
            hint="Set the variable to http://HOST:PORT, or unset it; SOCKS proxies are not supported.",
        )


def _opener(watch: TransferWatch) -> urllib.request.OpenerDirector:
    """Return an opener of http and https alone, that returns every response as it is."""
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler(), _Http(watch), _Https(watch)):
        opener.add_handler(handler)
    return opener


class _Http(urllib.request.HTTPHandler):
    def __init__(self, watch: TransferWatch) -> None:
        super().__init__()
        self._watch = watch

    def http_open(self, request: urllib.request.Request) -> Any:  # noqa: ANN401 - a response
        return self.do_open(_watched(http.client.HTTPConnection, self._watch), request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, watch: TransferWatch) -> None:
        super().__init__()
        self._watch = watch

    def https_open(self, request: urllib.request.Request) -> Any:  # noqa: ANN401 - a response
        return self.do_open(_watched(http.client.HTTPSConnection, self._watch), request)


def _watched(kind: type[http.client.HTTPConnection], watch: TransferWatch) -> Any:  # noqa: ANN401 - as urllib calls it
    class Watched(kind):  # type: ignore[valid-type,misc]
        def connect(self) -> None:
            super().connect()
            watch.hold(self.sock)

    return Watched
