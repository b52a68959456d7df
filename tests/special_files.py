"""What may stand in place of an ordinary file or of a text, and how messages call it."""

import bz2
import gzip
import lzma
import os
import socket
from pathlib import Path


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def dead_link(path: Path) -> None:
    path.symlink_to("nothing")


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def bound_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket may have 108 characters
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


SPECIAL = [
    (folder, "a folder"),
    (pipe, "a named pipe"),
    (loop, "a link that leads to itself"),
    (dead_link, "a link that leads nowhere"),
    (device, "a device"),
    (bound_socket, "a socket"),
]

_TEXT = ("Der Mann schläft .\tThe man sleeps .\tentailment\n" * 3).encode()
OTHER_FILES = {
    "gzip": (gzip.compress(_TEXT, mtime=0), "is compressed (gzip): unpack it"),
    "bzip2": (bz2.compress(_TEXT), "is compressed (bzip2): unpack it"),
    "xz": (lzma.compress(_TEXT), "is compressed (xz): unpack it"),
    "zstd": (b"\x28\xb5\x2f\xfd\x04\x00rest", "is compressed (zstd): unpack it"),
    "zip": (b"PK\x03\x04\x14\0\0\0", "is a zip archive: unpack it"),
    "tar": (b"train-en.tsv".ljust(257, b"\0") + b"ustar\0", "is a tar archive: unpack it"),
    "PDF": (b"%PDF-1.7\n", "is a PDF document: export its content as text"),
    "UTF-16": (_TEXT.decode().encode("utf-16"), "is UTF-16 text: convert it to UTF-8"),
    "UTF-16 without a mark": (_TEXT.decode().encode("utf-16-le"), "is UTF-16 text: convert it to UTF-8"),
    "UTF-32": (_TEXT.decode().encode("utf-32"), "is UTF-32 text: convert it to UTF-8"),
    "zeros": (b"a\tb\n\0\0\0\0\0\0", "is no text (it holds zero bytes): put the right file there"),
    "LFS pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        "is a pointer of Git LFS: fetch the file (git lfs pull)",
    ),
    "web page": (b"\n<!DOCTYPE html><html><body>404</body></html>\n", "is a web page (HTML): download the file again"),
    "XML": (b"<?xml version='1.0'?><Error><Code>AccessDenied", "is an XML document: download the file again"),
}
"""Contents of files that are no UTF-8 text, or stand in for one, and what messages say of them."""
