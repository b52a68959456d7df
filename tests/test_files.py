"""What is no ordinary file is refused at once, with its kind in the message."""

import os
import socket
from pathlib import Path

import pytest

from adaptstilts.errors import DataError
from adaptstilts.files import check_file, read_bytes, what_instead


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (folder, "a folder"),
        (pipe, "a named pipe"),
        (loop, "a link that leads to itself"),
        (device, "a device"),
        (bound_socket, "a socket"),
    ],
)
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


def test_file_beyond_the_limit_is_refused(tmp_path: Path):
    (tmp_path / "there").write_bytes(b"0123456789")
    with pytest.raises(DataError, match="there: is longer than 9 B, the most that is read"):
        read_bytes(tmp_path / "there", 9)
