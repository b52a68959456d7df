"""A web server on this machine that behaves as the tests want: ranges, slow lines, broken lines, errors, a hub."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import pytest
from quiet_server import QuietServer


@dataclass
class Site:
    """What the server holds and how it behaves; tests change it while it runs."""

    files: dict[str, bytes] = field(default_factory=dict)
    repositories: dict[str, str] = field(default_factory=dict)
    """Hub data sets: name -> commit; their files are under /datasets/NAME/resolve/COMMIT/."""
    kinds: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, list[int]] = field(default_factory=dict)
    """Answers to give first, one per request."""
    cuts: dict[str, list[int]] = field(default_factory=dict)
    """Bytes after which to close the connection, one per request."""
    bytes_per_second: float | None = None
    ranges: bool = True
    tags: bool = True
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path and Range of every request."""
    on_bytes: Callable[[str, int], None] = lambda path, sent: None
    address: str = ""

    def gets(self, path: str) -> list[str | None]:
        return [asked for method, name, asked in self.requests if method == "GET" and name == path]


def tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()}"'


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body_too=False)

    def do_GET(self) -> None:
        self._answer(body_too=True)

    def _answer(self, *, body_too: bool) -> None:
        site, path = self.site, self.path.partition("?")[0]
        asked = self.headers.get("Range")
        site.requests.append((self.command, path, asked))
        if path.startswith("/api/datasets/"):
            return self._api(path.removeprefix("/api/datasets/"))
        if site.statuses.get(path):
            return self._plain(site.statuses[path].pop(0), b"sorry")
        if path not in site.files:
            return self._plain(404, b"nothing here")
        body = site.files[path]
        start = self._start(asked, body)
        if start is None:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", site.kinds.get(path, "application/octet-stream"))
        self.send_header("Content-Length", str(len(body) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if site.tags:
            self.send_header("ETag", tag(body))
        for name, commit in site.repositories.items():
            if path.startswith(f"/datasets/{name}/resolve/"):
                self.send_header("X-Repo-Commit", commit)
        self.end_headers()
        if body_too:
            self._send(path, body[start:])
        return None

    def _start(self, asked: str | None, body: bytes) -> int | None:
        """First byte to send; None if the range lies beyond the file."""
        if not asked or not self.site.ranges:
            return 0
        if self.headers.get("If-Range") not in {None, tag(body)}:
            return 0
        start = int(asked.removeprefix("bytes=").split("-", maxsplit=1)[0])
        return start if start < len(body) else None

    def _send(self, path: str, body: bytes) -> None:
        cut = self.site.cuts[path].pop(0) if self.site.cuts.get(path) else None
        body = body if cut is None else body[:cut]
        sent = 0
        try:
            while sent < len(body):
                block = body[sent : sent + 4096]
                self.wfile.write(block)
                self.wfile.flush()
                sent += len(block)
                self.site.on_bytes(path, sent)
                if self.site.bytes_per_second:
                    time.sleep(len(block) / self.site.bytes_per_second)
        except OSError:
            pass
        if cut is not None:
            self.close_connection = True

    def _api(self, rest: str) -> None:
        name = rest.partition("/revision/")[0]
        if name not in self.site.repositories:
            return self._plain(404, b'{"error": "Repository not found"}', ("X-Error-Code", "RepoNotFound"))
        commit = self.site.repositories[name]
        prefix = f"/datasets/{name}/resolve/{commit}/"
        siblings = [
            {
                "rfilename": path.removeprefix(prefix),
                "size": len(body),
                "lfs": {"size": len(body), "sha256": tag(body).strip('"'), "pointerSize": 100},
            }
            for path, body in self.site.files.items()
            if path.startswith(prefix)
        ]
        return self._plain(200, json.dumps({"id": name, "sha": commit, "siblings": siblings}).encode())

    def _plain(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


def serve() -> tuple[QuietServer, Site]:
    """Start a server on a free port, in a thread of its own."""
    site = Site()
    server = QuietServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": site}))
    site.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server, site


@pytest.fixture
def site():
    """What a web server on this machine holds; it is reached at `site.address`."""
    server, site = serve()
    yield site
    server.shutdown()
    server.server_close()
