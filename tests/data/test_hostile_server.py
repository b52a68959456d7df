"""Downloads from servers that want to keep a client busy, fill its disk or lead it astray: each ends with one line."""

import contextlib
import hashlib
import json
import os
import socket
import threading
import time

import pytest
from special_files import pipe

from adaptstilts.data.connection import opened
from adaptstilts.data.download import RemoteFile, RetryPolicy, download
from adaptstilts.errors import DataError

BODY = bytes(range(256)) * 400
SHA = hashlib.sha256(BODY).hexdigest()
HASTY = RetryPolicy(tries=2, first_delay=0.0, longest_delay=0.01, timeout=5.0)
OK = b"HTTP/1.1 200 OK\r\n"
LONGEST = 20.0
"""Seconds after which a download of these tests counts as endless."""


@pytest.fixture(autouse=True)
def small_limits(monkeypatch):
    monkeypatch.setenv("ADAPTSTILTS_RATE_SECONDS", "0.4")


@pytest.fixture
def server():
    """Start servers that answer every connection by a function of the socket and the request's first line."""
    stop, listening = threading.Event(), []

    def start(answer):
        listener = socket.create_server(("127.0.0.1", 0))
        listening.append(listener)

        def talk(connection):
            with contextlib.suppress(OSError), connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    block = connection.recv(65536)
                    if not block:
                        return
                    request += block
                answer(connection, request.decode("latin-1"))

        def accept():
            with contextlib.suppress(OSError):
                while not stop.is_set():
                    connection, _ = listener.accept()
                    threading.Thread(target=talk, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    stop.set()
    for listener in listening:
        listener.close()


def fetched(address, tmp_path, sha256=None, retry=HASTY, name="a.bin", size=None):
    path = tmp_path / "in" / name
    found = download(RemoteFile(f"{address}/{name}", path, sha256, size), lambda *_: None, retry=retry)
    return found, path.read_bytes()


def refusal(address, tmp_path, **options):
    started = time.monotonic()
    with pytest.raises(DataError) as caught:
        fetched(address, tmp_path, **options)
    assert time.monotonic() - started < LONGEST
    text = str(caught.value)
    assert "\n" not in text and address.rpartition("@")[2].removeprefix("http://") in text
    return text


def drip(connection, first, again, pause=0.02):
    """Send a beginning, then a piece again and again until the other side has gone."""
    connection.sendall(first)
    while True:
        connection.sendall(again)
        time.sleep(pause)


ENDLESS = {
    "body": (OK + b"Content-Length: 100000000\r\n\r\n", b"x"),
    "body without length": (OK + b"\r\n", b"x"),
    "headers": (OK, b"a"),
    "status line": (b"HTTP/1.1 200 ", b"a"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunk size": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "chunk extension": (OK + b"Transfer-Encoding: chunked\r\n\r\n4;", b"a"),
    "trailers": (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n"),
    "nothing": (b"", b""),
    "redirect": (b"HTTP/1.1 302 Found\r\nLocation: ", b"a"),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_download_gives_up_what_comes_byte_by_byte(server, tmp_path, what):
    address = server(lambda connection, _: drip(connection, *ENDLESS[what]))
    text = refusal(address, tmp_path)
    assert "less than the 10 kB per second of ADAPTSTILTS_LEAST_RATE" in text or "timed out" in text
    assert text.endswith("Run the same command again to resume the download.")


def test_download_gives_up_a_server_that_sends_a_byte_per_connection(server, tmp_path):
    asked = []

    def answer(connection, request):
        asked.append(request)
        start = int(request.partition("bytes=")[2].partition("-")[0] or 0)
        status = b"HTTP/1.1 206 Part\r\nContent-Range: bytes %d-999999/1000000\r\n" % start if start else OK
        connection.sendall(status + b'ETag: "1"\r\nContent-Length: %d\r\n\r\nx' % (1_000_000 - start))

    text = refusal(server(answer), tmp_path)
    assert "the connection was lost after" in text and f"{len(asked)} bytes are kept" in text
    assert len(asked) <= 5


def test_download_goes_on_while_each_connection_brings_enough(server, tmp_path):
    """More breaks than tries, each after a good part of the file."""

    def answer(connection, request):
        start = int(request.partition("bytes=")[2].partition("-")[0] or 0)
        end = len(BODY) - 1
        status = b"HTTP/1.1 206 Part\r\nContent-Range: bytes %d-%d/%d\r\n" % (start, end, end + 1) if start else OK
        connection.sendall(status + b'ETag: "1"\r\nContent-Length: %d\r\n\r\n' % (len(BODY) - start))
        connection.sendall(BODY[start : start + 10_000])

    assert fetched(server(answer), tmp_path) == (SHA, BODY)


def test_download_has_a_longest_time(server, tmp_path, monkeypatch):
    monkeypatch.setenv("ADAPTSTILTS_MOST_DOWNLOAD_SECONDS", "1")
    monkeypatch.setenv("ADAPTSTILTS_LEAST_RATE", "inf")
    text = refusal(server(lambda connection, _: drip(connection, OK + b"\r\n", b"xxx")), tmp_path)
    assert "/a.bin: not there after 1.0 s, the longest time for one file; what arrived is kept. Run the same" in text
    assert "ADAPTSTILTS_MOST_DOWNLOAD_SECONDS" in text


@pytest.mark.parametrize("wish", ["1000000000", "9" * 5000, "²", "-1", "Wed, 21 Oct 2099 07:28:00 GMT", "nan", "1e400"])
@pytest.mark.parametrize("status", [429, 503])
def test_download_does_not_wait_as_long_as_a_server_wants(server, tmp_path, status, wish):
    answer = f"HTTP/1.1 {status} Later\r\nRetry-After: {wish}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
    text = refusal(server(lambda connection, _: connection.sendall(answer)), tmp_path)
    assert f"the server answers {status} Later, 0 bytes are kept" in text


@pytest.mark.parametrize("length", ["200000", "-5", "²", "9" * 5000, "abc", "1.5"])
def test_download_ends_when_the_length_is_a_lie(server, tmp_path, length):
    head = OK + f"Content-Length: {length}\r\n\r\n".encode("latin-1")
    address = server(lambda connection, _: connection.sendall(head + BODY))
    if length == "200000":
        assert f"the connection was lost after {len(BODY):,} of 200,000 bytes" in refusal(address, tmp_path)
    else:
        assert fetched(address, tmp_path) == (SHA, BODY)


def test_download_takes_no_more_than_the_length(server, tmp_path):
    answer = OK + b"Content-Length: 1000\r\n\r\n" + BODY
    assert fetched(server(lambda connection, _: connection.sendall(answer)), tmp_path)[1] == BODY[:1000]


@pytest.mark.parametrize("head", [b"\r\n", b"Content-Length: 9000000000\r\n\r\n"])
def test_download_is_bounded(server, tmp_path, monkeypatch, head):
    monkeypatch.setenv("ADAPTSTILTS_MOST_UNPACKED_BYTES", "1000000")
    text = refusal(server(lambda connection, _: drip(connection, OK + head, bytes(50_000), 0)), tmp_path)
    assert (
        "/a.bin: has more than 1.0 MB, the most that are downloaded. If that is right, set ADAPTSTILTS_MOST_UNP" in text
    )
    assert not list((tmp_path / "in").iterdir())


def test_what_arrived_within_the_limit_is_kept_if_it_can_be_resumed(server, tmp_path, monkeypatch):
    monkeypatch.setenv("ADAPTSTILTS_MOST_UNPACKED_BYTES", "1000000")
    head = OK + b'ETag: "1"\r\n\r\n'
    text = refusal(server(lambda connection, _: drip(connection, head, bytes(50_000), 0)), tmp_path)
    assert "the most that are downloaded, and what arrived is kept. If that is right, set ADAPTSTILTS_MOST_" in text
    assert 0 < (tmp_path / "in/a.bin.part").stat().st_size <= 1_000_000


SIZES = {
    "more is announced": (OK + b"Content-Length: 200000\r\n\r\n", "200,000"),
    "less is announced": (OK + b"Content-Length: 20\r\n\r\n", "20"),
    "more comes": (OK + b"\r\n", "more"),
    "more comes in chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", "more"),
}


@pytest.mark.parametrize("case", SIZES)
def test_download_of_another_size_than_known_is_given_up_at_once(server, tmp_path, case):
    head, found = SIZES[case]
    body = b"4000\r\n" + bytes(0x4000) + b"\r\n" if b"chunked" in head else bytes(0x4000)
    text = refusal(server(lambda connection, _: drip(connection, head, body, 0)), tmp_path, size=len(BODY))
    assert f"/a.bin: has {found} bytes, expected 102,400. The source has changed" in text
    assert not list((tmp_path / "in").iterdir())


@pytest.mark.parametrize("head", [b"\r\n", b"Content-Length: %d\r\n\r\n" % len(BODY)])
def test_download_of_the_known_size_is_taken(server, tmp_path, head):
    address = server(lambda connection, _: connection.sendall(OK + head + BODY))
    assert fetched(address, tmp_path, size=len(BODY)) == (SHA, BODY)


def test_partial_file_of_another_size_than_known_is_begun_anew(server, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.bin.part").write_bytes(bytes(len(BODY) + 9))
    assert fetched(server(good), tmp_path, SHA, size=len(BODY)) == (SHA, BODY)


def test_download_says_first_that_the_disk_has_no_room(server, tmp_path):
    answer = OK + b"Content-Length: 900000000000000\r\n\r\n" + BODY
    os.environ["ADAPTSTILTS_MOST_UNPACKED_BYTES"] = "inf"
    try:
        text = refusal(server(lambda connection, _: connection.sendall(answer)), tmp_path)
    finally:
        del os.environ["ADAPTSTILTS_MOST_UNPACKED_BYTES"]
    assert "in: no room for http://" in text and "900.0 TB are needed" in text and "Free some space" in text


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/a.bin", "redirected more than 10 times"),
        (
            "file:///etc/hosts",
            "redirected to 'file:///etc/hosts' is not an address that can be downloaded. Allowed: http",
        ),
        ("ftp://127.0.0.1/a", "redirected to 'ftp://127.0.0.1/a' is not an address that can be downloaded"),
        ("data:text/plain,x", "redirected to 'data:text/plain,x' is not an address that can be downloaded"),
        ("https://:80/x", "it names no server"),
        ("http://[::1", "is not an address"),
        ("http://127.0.0.1:99999/", "is not an address"),
        ("http://a..b/\x01", ""),
        ("//user:Geheimnis@127.0.0.1:1/", "cannot be reached"),
    ],
)
def test_redirects_stay_on_the_web_and_end(server, tmp_path, target, said):
    answer = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 99999999\r\n\r\nxxx".encode("latin-1")
    text = refusal(server(lambda connection, _: connection.sendall(answer)), tmp_path)
    assert said in text and "Geheimnis" not in text


def test_redirects_keep_the_range_and_send_passwords_to_the_first_server_only(server, tmp_path):
    asked = []

    def last(connection, request):
        asked.append(request)
        connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)

    place = server(last)

    def first(connection, request):
        asked.append(request)
        connection.sendall(f"HTTP/1.1 307 Go\r\nLocation: {place}/b\r\nContent-Length: 0\r\n\r\n".encode())

    address = server(first).replace("//", "//me:Geheim%40nis@")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.bin.part").write_bytes(BODY[:1000])
    assert fetched(address, tmp_path, SHA) == (SHA, BODY)
    assert "Authorization: Basic bWU6R2VoZWltQG5pcw==" in asked[0] and "Range: bytes=1000-" in asked[0]
    assert "Authorization" not in asked[1] and "Range: bytes=1000-" in asked[1]


def test_redirects_never_fall_back_from_https(monkeypatch):
    class Response:
        status, headers = 302, {"Location": "http://example.org/a"}

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    class Opener:
        def open(self, request, timeout):
            return Response()

    class Watch:
        timeout = 1.0

        def restart(self):
            pass

    monkeypatch.setattr("adaptstilts.data.connection._opener", lambda _: Opener())
    with (
        pytest.raises(
            DataError, match=r"https://example\.org/a: redirected from https to 'http://example\.org/a', where"
        ),
        opened("https://example.org/a", {}, 1.0, Watch()),
    ):
        pass


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", "the server answers 204 No Content"),
        (
            b"HTTP/1.1 206 Part\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\nxxxxx",
            "another part of the file",
        ),
        (b"HTTP/1.1 206 Part\r\nContent-Length: 5\r\n\r\nxxxxx", "another part of the file"),
        (
            OK + b"Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
            "in the encoding 'gzip', which was not asked for",
        ),
        (b"SSH-2.0-OpenSSH\r\n", "the connection was lost"),
        (b"", "lost"),
        (b"HTTP/1.1 999 \x1b[31mred\r\n\r\n", r"answers 999 \x1b[31mred"),
        (b"HTTP/1.1 404 " + b"x" * 30_000 + b"\r\n\r\n", "the server answers 404 xxxx"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", "the server answers 304"),
    ],
)
def test_odd_answers_are_one_line(server, tmp_path, answer, said):
    text = refusal(server(lambda connection, _: connection.sendall(answer)), tmp_path)
    assert said in text and len(text) < 700 and "\x1b" not in text


def good(connection, request):
    connection.sendall(OK + b'ETag: "1"\r\nContent-Length: %d\r\n\r\n' % len(BODY) + BODY)


@pytest.mark.parametrize("place", ["a.bin", "a.bin.part", "a.bin.part.json"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "link", "device"])
def test_whatever_stands_in_the_way_of_a_download_is_replaced(server, tmp_path, place, kind):
    path = tmp_path / "in" / place
    path.parent.mkdir()
    (tmp_path / "mine").write_text("mine")
    if kind == "pipe":
        pipe(path)
    elif kind == "folder":
        (path / "x").mkdir(parents=True)
    else:
        path.symlink_to({"loop": path.name, "link": "../mine", "device": "/dev/zero"}[kind])
    assert fetched(server(good), tmp_path, SHA) == (SHA, BODY)
    assert [item.name for item in path.parent.iterdir()] == ["a.bin"] and not (tmp_path / "in/a.bin").is_symlink()
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize(
    "note",
    [
        "",
        "{",
        "[" * 100_000,
        "[]",
        '{"url": 1, "version": 2}',
        "URL 5",
        'URL "a\\nEvil: 1"',
        'URL "' + "x" * 9000 + '"',
    ],
)
def test_a_poisoned_note_on_a_partial_file_is_passed_over(server, tmp_path, note):
    address = server(good)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.bin.part").write_bytes(b"old" * 1000)
    text = note.replace("URL ", f'{{"url": {json.dumps(address + "/a.bin")}, "version": ') + "}" * note.startswith(
        "URL"
    )
    (tmp_path / "in/a.bin.part.json").write_text(text)
    assert fetched(address, tmp_path) == (SHA, BODY)


def test_a_file_stays_until_a_better_one_is_there(server, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.bin").write_bytes(BODY)
    text = refusal(server(good), tmp_path, sha256="0" * 64)
    assert f"SHA-256 is {SHA}, expected {'0' * 64}" in text
    assert (tmp_path / "in/a.bin").read_bytes() == BODY


@pytest.mark.parametrize(
    "proxy", ["socks5://me:secret77@127.0.0.1:1", "http://me:secret77@host:port", "http://[::1", "no proxy", "http:/x"]
)
def test_a_proxy_that_cannot_be_used_is_named(monkeypatch, tmp_path, proxy):
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(DataError) as caught:
        fetched("http://127.0.0.1:1", tmp_path)
    assert str(caught.value) == (
        f"http_proxy: '{proxy.replace('me:secret77', '***')}' is not the address of a proxy. Set the variable to "
        "http://HOST:PORT, or unset it; SOCKS proxies are not supported."
    )


@pytest.mark.parametrize(
    "proxy", ["127.0.0.1:{port}", "http://127.0.0.1:{port}", "http://me:pass7777@127.0.0.1:{port}/"]
)
def test_a_proxy_is_used_and_its_password_is_never_shown(monkeypatch, server, tmp_path, proxy):
    address = server(lambda connection, _: connection.sendall(b"HTTP/1.1 404 me:pass7777 is wrong\r\n\r\n"))
    monkeypatch.setenv("http_proxy", proxy.format(port=address.rpartition(":")[2]))
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(DataError) as caught:
        fetched("http://example.invalid", tmp_path)
    assert f"the server answers 404 me:{'***' if '@' in proxy else 'pass7777'} is wrong" in str(caught.value)


def test_a_proxy_that_an_address_goes_around_is_not_looked_at(monkeypatch, server, tmp_path):
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    head = OK + b"Content-Length: %d\r\n\r\n" % len(BODY)
    address = server(lambda connection, _: connection.sendall(head + BODY))
    assert fetched(address, tmp_path) == (SHA, BODY)
