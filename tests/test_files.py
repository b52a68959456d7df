"""What is no ordinary file is refused at once, with its kind in the message."""

import errno
import os
from pathlib import Path

import pytest
from special_files import OTHER_FILES, SPECIAL

from adaptstilts.errors import DataError
from adaptstilts.files import below, cause_of, check_file, clear, is_below, open_file, read_bytes, what_instead


@pytest.mark.parametrize(("make", "kind"), SPECIAL)
def test_special_file_is_refused_at_once(tmp_path: Path, make, kind: str):
    path = tmp_path / "data"
    make(path)
    for read in (check_file, lambda path: read_bytes(path, 10)):
        with pytest.raises(DataError, match=f"data: is {kind}, not a file. Put an ordinary file there."):
            read(path)


def test_ordinary_file_and_a_missing_one_are_not_special(tmp_path: Path):
    (tmp_path / "there").write_bytes(b"0123456789")
    assert what_instead(tmp_path / "there") is what_instead(tmp_path / "missing") is None
    assert what_instead(Path("a\0b")) is None
    assert read_bytes(tmp_path / "there", 10) == b"0123456789"
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "missing", 10)


def test_file_of_the_system_that_waits_for_content_is_refused(tmp_path: Path, monkeypatch):
    def wait(*_: object) -> bytes:
        raise BlockingIOError

    (tmp_path / "kmsg").touch()
    monkeypatch.setattr(os, "read", wait)
    with pytest.raises(DataError, match=r"kmsg: is a file of the system whose content never ends\. Put an ordinary f"):
        open_file(tmp_path / "kmsg")


def test_file_beyond_the_limit_is_refused(tmp_path: Path):
    (tmp_path / "there").write_bytes(b"0123456789")
    with pytest.raises(DataError, match="there: is longer than 9 B, the most that is read"):
        read_bytes(tmp_path / "there", 9)


ROWS = "Der Mann schläft .\tThe man sleeps .\tentailment\n" * 3


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        *OTHER_FILES.values(),
        (b"PAR1\x15\x04", "is a parquet file under another name: call it .parquet"),
        (b"ARROW1\0\0\xff\xff\xff\xff", "is an Arrow file under another name: call it .arrow"),
        (b"\xff\xff\xff\xff\x10\x01\0\0", "is an Arrow file under another name: call it .arrow"),
        (ROWS.encode("utf-16-be"), "is UTF-16 text: convert it to UTF-8"),
        (b"/annex/objects/SHA256E-s1--00\n", "is a pointer of git-annex: fetch the file"),
        (b"\xef\xbb\xbf<HTML lang=en>", "is a web page (HTML): download the file again"),
        (ROWS.replace("\n", "\r").encode(), "has carriage returns (CR) alone as line ends: convert them to line feeds"),
    ],
)
def test_what_a_file_really_is(content: bytes, cause: str):
    assert (cause_of(content[:4096]) or "").startswith(cause)


@pytest.mark.parametrize("content", [b"", ROWS.encode(), ROWS.replace("\n", "\r\n").encode(), ROWS.encode("latin-1")])
def test_nothing_is_said_of_text(content: bytes):
    assert cause_of(content) is None


def test_carriage_returns_in_a_document_are_blanks():
    assert cause_of(b'{"data":\r[]}', has_lines=False) is None


def test_zero_bytes_say_nothing_of_a_file_that_is_no_text():
    assert cause_of(b"\0\0a") is not None
    assert cause_of(b"\0\0a", is_text=False) is None
    assert cause_of(b"\x1f\x8b\0", is_text=False) == "is compressed (gzip): unpack it"


HOSTILE = [
    "../x",
    "a/../../x",
    "/x",
    "..\\x",
    "a\\..\\..\\x",
    "C:/x",
    "C:x",
    "",
    ".",
    "..",
    "a\0b",
]
LONG = ["x" * 256, "é" * 130, "a/" * 501 + "b", "a/" * 3000 + "b"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_lead_out_of_a_folder_are_refused(tmp_path, name):
    assert not is_below(name)
    with pytest.raises(DataError, match=r"list\.yaml: names a file '.*', which would be placed outside the target fo"):
        below(tmp_path, name, source="list.yaml")


@pytest.mark.parametrize("name", ["a", "a/b.tsv", "./a", "a//b", "..a/b..", "x" * 245, "ä/字.tsv", "a/" * 400 + "b"])
def test_names_below_a_folder_are_joined_to_it(tmp_path, name):
    assert below(tmp_path, name, source="list.yaml") == tmp_path / name


@pytest.mark.parametrize("name", [*LONG, "x" * 250])
def test_names_that_no_file_can_have_are_refused(tmp_path, name):
    assert is_below(name) is (name not in LONG)
    with pytest.raises(
        DataError, match=r"list\.yaml: names a file '.{100}\.\.\.', which is too long for the name of a f"
    ):
        below(tmp_path, name, source="list.yaml")


def test_links_on_the_way_are_refused_where_they_lead_out_of_the_folder(tmp_path):
    (tmp_path / "root/in").mkdir(parents=True)
    (tmp_path / "root/out").symlink_to(tmp_path)
    (tmp_path / "root/inner").symlink_to("in")
    assert below(tmp_path / "root", "inner/a", source="x") == tmp_path / "root/inner/a"
    with pytest.raises(
        DataError, match=r"root/out: is a link that leads out of .*root, where 'out/a' of x belongs\. Pu"
    ):
        below(tmp_path / "root", "out/a", source="x")


@pytest.mark.parametrize("make", [*(make for make, _ in SPECIAL), Path.touch])
def test_clear_removes_whatever_stands_at_a_path(tmp_path, make):
    path = tmp_path / "x"
    clear(path)
    make(path)
    clear(path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir])
def test_clear_raises_or_passes_over_what_cannot_be_removed(tmp_path, monkeypatch, make):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    make(tmp_path / "x")
    for module, name in ((os, "unlink"), (os, "rmdir"), (Path, "unlink")):
        monkeypatch.setattr(module, name, refuse)
    clear(tmp_path / "x", ignore_errors=True)
    with pytest.raises(PermissionError):
        clear(tmp_path / "x")
    assert (tmp_path / "x").exists()


def test_clear_leaves_what_a_link_leads_to(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a").touch()
    (tmp_path / "x").symlink_to("in")
    clear(tmp_path / "x")
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "a"]
