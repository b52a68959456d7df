"""Downloads against a server on this machine that breaks off, refuses, changes its mind and sends web pages."""

import hashlib
import itertools
import socket

import pytest

from adaptstilts.data.download import RemoteFile, RetryPolicy, digest, download
from adaptstilts.errors import DataError

BODY = bytes(range(256)) * 400
SHA = hashlib.sha256(BODY).hexdigest()
HASTY = RetryPolicy(tries=3, first_delay=0.0, longest_delay=0.0, timeout=5.0)


def silent(_name, _done, _total):
    pass


def wanted(site, tmp_path, sha256=None, name="a.bin"):
    site.files.setdefault(f"/{name}", BODY)
    return RemoteFile(f"{site.address}/{name}", tmp_path / "in" / name, sha256)


def test_download_leaves_the_file_and_nothing_else(site, tmp_path):
    told = []
    want = wanted(site, tmp_path)
    assert download(want, lambda *what: told.append(what), retry=HASTY) == SHA
    assert want.path.read_bytes() == BODY
    assert [path.name for path in want.path.parent.iterdir()] == ["a.bin"]
    assert told[-1] == ("a.bin", len(BODY), len(BODY))
    assert all(before[1] < after[1] for before, after in itertools.pairwise(told))


def test_download_asks_for_the_rest_when_the_connection_breaks_off(site, tmp_path):
    site.cuts["/a.bin"] = [30_000, 20_000]
    want = wanted(site, tmp_path)
    assert download(want, silent, retry=HASTY) == SHA
    assert want.path.read_bytes() == BODY
    assert site.gets("/a.bin") == [None, "bytes=30000-", "bytes=50000-"]


def test_download_starts_over_when_the_file_changed_in_between(site, tmp_path):
    want = wanted(site, tmp_path)
    site.files["/a.bin"] = b"old" * 20_000
    site.cuts["/a.bin"] = [30_000]
    with pytest.raises(DataError, match=r"after 30,000 of 60,000 bytes, 30,000 bytes are kept\. Run the same command"):
        download(want, silent, retry=RetryPolicy(tries=1))
    site.files["/a.bin"] = BODY
    assert download(want, silent, retry=HASTY) == SHA
    assert want.path.read_bytes() == BODY


@pytest.mark.parametrize("lack", ["ranges", "tags"])
def test_download_starts_over_when_the_server_cannot_resume(site, tmp_path, lack):
    setattr(site, lack, False)
    site.cuts["/a.bin"] = [30_000]
    want = wanted(site, tmp_path)
    assert download(want, silent, retry=HASTY) == SHA
    assert want.path.read_bytes() == BODY


def test_download_resumes_without_a_version_tag_when_the_checksum_is_known(site, tmp_path):
    site.tags = False
    site.cuts["/a.bin"] = [30_000]
    assert download(wanted(site, tmp_path, SHA), silent, retry=HASTY) == SHA
    assert site.gets("/a.bin")[1] == "bytes=30000-"


def test_download_starts_over_when_what_lay_there_was_of_another_file(site, tmp_path):
    want = wanted(site, tmp_path, SHA)
    want.path.parent.mkdir()
    (tmp_path / "in" / "a.bin.part").write_bytes(b"x" * 1000)
    assert download(want, silent, retry=HASTY) == SHA
    assert want.path.read_bytes() == BODY
    assert site.gets("/a.bin") == ["bytes=1000-", None]


def test_download_finishes_when_it_was_killed_before_the_file_got_its_name(site, tmp_path):
    want = wanted(site, tmp_path, SHA)
    want.path.parent.mkdir()
    (tmp_path / "in" / "a.bin.part").write_bytes(BODY)
    assert download(want, silent, retry=HASTY) == SHA
    assert want.path.read_bytes() == BODY


def test_download_asks_nobody_when_the_file_is_there(site, tmp_path):
    want = wanted(site, tmp_path, SHA)
    want.path.parent.mkdir()
    want.path.write_bytes(BODY)
    assert download(want, silent) == SHA
    assert site.requests == []


def test_download_replaces_a_damaged_file(site, tmp_path):
    want = wanted(site, tmp_path, SHA)
    want.path.parent.mkdir()
    want.path.write_bytes(BODY[:-1])
    assert download(want, silent, retry=HASTY) == SHA
    assert digest(want.path) == SHA


@pytest.mark.parametrize("status", [503, 500, 429, 408])
def test_download_tries_again_when_the_server_is_out_of_breath(site, tmp_path, status):
    site.statuses["/a.bin"] = [status]
    said = []
    assert download(wanted(site, tmp_path), silent, retry=HASTY, on_message=said.append) == SHA
    assert len(site.gets("/a.bin")) == 2
    assert len(said) == 1
    assert f"/a.bin: the server answers {status}" in said[0] and said[0].endswith("trying again in 0 s")


@pytest.mark.parametrize("status", [404, 403, 410])
def test_download_raises_at_once_when_the_server_refuses(site, tmp_path, status):
    site.statuses["/a.bin"] = [status]
    with pytest.raises(DataError, match=rf"/a\.bin: the server answers {status} .*manifest, --manifest"):
        download(wanted(site, tmp_path), silent, retry=HASTY)
    assert len(site.gets("/a.bin")) == 1


def test_download_gives_up_after_tries_that_bring_nothing(site, tmp_path):
    site.statuses["/a.bin"] = [503] * 10
    with pytest.raises(DataError, match=r"the server answers 503 .*, 0 bytes are kept"):
        download(wanted(site, tmp_path), silent, retry=HASTY)
    assert len(site.gets("/a.bin")) == 3


def test_download_raises_one_line_when_nobody_answers(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/a.bin"
    with pytest.raises(DataError, match=r"cannot be reached \(Connection refused\), 0 bytes are kept"):
        download(RemoteFile(address, tmp_path / "a.bin"), silent, retry=HASTY)


def test_download_raises_when_the_address_is_of_another_kind(tmp_path):
    with pytest.raises(DataError, match=r"'file:///etc/hosts' is not an address.*Allowed: http, https"):
        download(RemoteFile("file:///etc/hosts", tmp_path / "a"), silent)


@pytest.mark.parametrize("kind", ["text/html", "application/zip"])
def test_download_raises_when_a_web_page_comes_in_place_of_the_file(site, tmp_path, kind):
    site.files["/a.zip"] = b"\n<!DOCTYPE html><title>Please log in</title>"
    site.kinds["/a.zip"] = kind
    want = wanted(site, tmp_path, name="a.zip")
    with pytest.raises(DataError, match=r"a\.zip: the server sent a web page instead of the file"):
        download(want, silent, retry=HASTY)
    assert list(want.path.parent.iterdir()) == []


def test_download_deletes_what_arrived_when_its_checksum_is_wrong(site, tmp_path):
    want = wanted(site, tmp_path, "0" * 64)
    with pytest.raises(DataError, match=rf"a\.bin: SHA-256 is {SHA}, expected 0{{64}}; the download was deleted"):
        download(want, silent, retry=HASTY)
    assert list(want.path.parent.iterdir()) == []
    assert len(site.gets("/a.bin")) == 1
