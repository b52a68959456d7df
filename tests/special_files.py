"""What may stand in place of an ordinary file, made at a path of a test, and how messages call it."""

import os
import socket
from pathlib import Path


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


SPECIAL = [
    (folder, "a folder"),
    (pipe, "a named pipe"),
    (loop, "a link that leads to itself"),
    (device, "a device"),
    (bound_socket, "a socket"),
]
