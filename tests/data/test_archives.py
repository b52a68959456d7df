"""Archives: what is asked for comes out, and nothing lands elsewhere."""

import gzip
import io
import random
import re
import resource
import struct
import tarfile
import time
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from forked import forked
from special_files import folder, loop, pipe

from adaptstilts.data.archives import is_archive, put, unpack
from adaptstilts.errors import DataError

FILES = {"set-1.0/": None, "set-1.0/de/dev.tsv": b"eins\n", "set-1.0/en/dev.tsv": b"one\n", "set-1.0/README": b"x"}


def pack(path, files):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, body in files.items():
                archive.writestr(name, body or b"")
        return path
    mode = {".tgz": "w:gz", ".bz2": "w:bz2", ".tar": "w"}[path.suffix]
    with tarfile.open(path, mode) as archive:
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE if body is None else tarfile.REGTYPE
            member.size = len(body or b"")
            archive.addfile(member, io.BytesIO(body or b""))
    return path


@pytest.mark.parametrize("name", ["a.zip", "a.tgz", "a.tar.bz2", "a.tar"])
def test_unpack_takes_what_is_asked_for_and_puts_it_where_it_is_wanted(tmp_path, name):
    archive = pack(tmp_path / name, FILES)
    assert is_archive(archive)
    unpack(archive, [("set-1.0/de/dev.tsv", "t/dev-de.tsv"), ("set-*/en/dev.tsv", "t/")], tmp_path / "out")
    paths = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    found = {path.relative_to(tmp_path / "out").as_posix(): path.read_bytes() for path in paths}
    assert found == {"t/dev-de.tsv": b"eins\n", "t/set-1.0/en/dev.tsv": b"one\n"}


@pytest.mark.parametrize("evil", ["../evil.txt", "a/../../evil.txt", "/tmp/evil.txt", "..\\evil.txt", "C:/evil.txt"])
@pytest.mark.parametrize("name", ["a.zip", "a.tgz"])
def test_unpack_raises_when_a_path_leads_out_of_the_folder(tmp_path, name, evil):
    archive = pack(tmp_path / name, {"good.txt": b"1", evil: b"2"})
    with pytest.raises(DataError, match=r"would be unpacked outside the target folder"):
        unpack(archive, [("*", "in/")], tmp_path / "out")
    assert not list(tmp_path.rglob("evil.txt"))


def test_unpack_passes_over_links(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("dev.tsv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hosts"
        archive.addfile(link)
    with pytest.raises(DataError, match=r"a\.tar: holds no file 'dev\.tsv'"):
        unpack(path, [("dev.tsv", "dev.tsv")], tmp_path / "out")


def test_unpack_names_what_is_missing_and_what_is_there(tmp_path):
    archive = pack(tmp_path / "a.zip", FILES)
    with pytest.raises(
        DataError,
        match=r"a\.zip: holds no file 'set-2\.0/\*', only set-1\.0/de/dev\.tsv, .*a list of sources of your own",
    ):
        unpack(archive, [("set-2.0/*", "x/")], tmp_path / "out")


@pytest.mark.parametrize("name", ["a.zip", "a.tgz", "a.tar.bz2"])
def test_unpack_raises_one_line_when_the_archive_is_cut_short(tmp_path, name):
    archive = pack(tmp_path / name, {f"{n}.txt": bytes(str(n), "ascii") * 5000 for n in range(50)})
    archive.write_bytes(archive.read_bytes()[:-400])
    with pytest.raises(DataError, match=r"is damaged or not an archive .*Delete it and fetch again"):
        unpack(archive, [("*.txt", "x/")], tmp_path / "out")


def test_put_gives_a_file_its_place(tmp_path):
    path = tmp_path / "dev-v1.1.json"
    path.write_text("{}")
    assert put(path, path.name, [("dev-*.json", "squad/"), ("dev-v1.1.json", "b/dev.json")], tmp_path / "out")
    assert (tmp_path / "out/squad/dev-v1.1.json").read_text() == (tmp_path / "out/b/dev.json").read_text() == "{}"
    assert not put(path, path.name, [("test.json", "x/")], tmp_path / "out")


@pytest.mark.parametrize(("at", "value"), [(6, 1), (8, 99)], ids=["encrypted", "unknown compression"])
def test_unpack_raises_one_line_when_a_member_cannot_be_read(tmp_path, at, value):
    archive = pack(tmp_path / "a.zip", {"a.txt": b"x" * 100})
    body = bytearray(archive.read_bytes())
    body[at] = body[body.index(b"PK\x01\x02") + at + 2] = value  # once in the file's header, once in the directory
    archive.write_bytes(body)
    with pytest.raises(DataError, match=r"a\.zip: is damaged or not an archive \(.*(encrypted|compression)"):
        unpack(archive, [("a.txt", "t/")], tmp_path / "out")


def refusal(path, place=(("*", "in/"),)):
    """What is said of an archive that is not unpacked, and nothing of which is left outside."""
    out = path.parent / "out"
    out.mkdir()
    with pytest.raises(DataError) as caught:
        unpack(path, place, out)
    assert {item.name for item in path.parent.iterdir()} == {path.name, "out"}
    return str(caught.value)


KINDS = ["a.zip", "a.tgz", "a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.tar"]


def compressed(path, files):
    """As `pack`, with members that are really compressed."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, body in files.items():
                archive.writestr(name, body)
        return path
    with tarfile.open(path, {".tar": "w"}.get(path.suffix, f"w:{path.suffix[1:].replace('tgz', 'gz')}")) as archive:
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return path


@pytest.mark.parametrize("name", [name for name in KINDS if name != "a.tar"])
def test_bombs_are_given_up_before_they_have_unpacked(tmp_path, name):
    path = compressed(tmp_path / name, {"a.tsv": bytes(30_000_000)})
    assert refusal(path).startswith(
        f"{path}: unpacks to more than 200 times its size, as only bombs do. Do not use it, or, if you know that it is "
        "right, set ADAPTSTILTS_MOST_RATIO. "
    )
    assert sum(item.stat().st_size for item in tmp_path.rglob("*") if item.is_file()) < 10_000_000


@pytest.mark.parametrize("name", KINDS)
def test_archives_that_unpack_to_too_much_are_refused(tmp_path, monkeypatch, name):
    path = compressed(tmp_path / name, {f"{number}.tsv": random.randbytes(40_000) for number in range(3)})
    monkeypatch.setenv("ADAPTSTILTS_MOST_UNPACKED_BYTES", "100000")
    assert (
        "unpacks to more than 100 kB. Do not use it, or, if you know that it is right, set ADAPTSTILTS_MOST_UNPACK"
        in (refusal(path))
    )


@pytest.mark.parametrize("name", KINDS)
def test_archives_of_too_many_members_are_refused(tmp_path, monkeypatch, name):
    path = compressed(tmp_path / name, {f"{number}.tsv": b"x" for number in range(12)})
    monkeypatch.setenv("ADAPTSTILTS_MOST_MEMBERS", "10")
    assert f"{path}: holds more than 10 files and folders. Do not use it" in refusal(path)


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tar"])
def test_sparse_members_count_with_all_their_bytes(tmp_path, name):
    """A GNU sparse member of 100 GB that takes one block of the archive."""
    member = tarfile.TarInfo("a.tsv")
    member.type, member.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"00000000000\x0000000001000\x00"  # 512 bytes at 0
    header[483:495] = b"\x80\x00\x00\x00\x00\x00\x00\x17\x48\x76\xe8\x00"  # the size of the file
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    content = bytes(header) + b"x" * 512 + bytes(1024)
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert "unpacks to more than 21.5 GB" in refusal(path)


def test_headers_that_state_gigabytes_are_refused(tmp_path):
    member = tarfile.TarInfo("long")
    member.type, member.size = tarfile.XHDTYPE, 2**34
    path = tmp_path / "a.tar.gz"
    with gzip.open(path, "wb") as file:
        file.write(member.tobuf(tarfile.PAX_FORMAT))
        for _ in range(40):
            file.write(bytes(1 << 20))
    assert "is damaged or not an archive" in refusal(path)


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
@pytest.mark.parametrize("holes", [False, True])
def test_headers_that_keep_the_library_busy_are_refused_at_once(tmp_path, name, holes):
    info = tarfile.TarInfo("x")
    info.type = tarfile.XHDTYPE
    text = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n" if holes else b"9" * 100_000
    info.size = len(text)
    sparse = tarfile.TarInfo("a")
    numbers = b"99999999\n" + b"1\n" * 10_000_000
    sparse.size = len(numbers)
    blocks = (info.tobuf(tarfile.GNU_FORMAT), text, sparse.tobuf(tarfile.GNU_FORMAT), numbers, bytes(1024))
    content = b"".join(block + bytes(-len(block) % 512) for block in blocks)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    began = time.process_time()
    said = refusal(tmp_path / name)
    assert ("a header of more than 262 kB" if holes else "a number of a hundred digits") in said
    assert time.process_time() - began < 2


def test_zip_members_that_share_their_bytes_are_no_way_around_the_limits(tmp_path, monkeypatch):
    """Two hundred entries of the directory point at one member."""
    path = compressed(tmp_path / "a.zip", {"0.tsv": bytes(500_000)})
    body = path.read_bytes()
    start, end = body.index(b"PK\x01\x02"), body.index(b"PK\x05\x06")
    entries = b"".join(body[start:end].replace(b"0.tsv", b"%5d" % number) for number in range(400))
    counts = struct.pack("<HHLL", 400, 400, len(entries), start)
    path.write_bytes(body[:start] + entries + body[end : end + 8] + counts + body[end + 20 :])
    assert re.search(r"unpacks to more than 200 times its size|is damaged", refusal(path))


def test_a_nearly_full_disk_is_told_before_anything_is_unpacked(tmp_path, monkeypatch):
    path = compressed(tmp_path / "a.zip", {"a.tsv": b"x" * 2000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1500))
    assert f"holds a file of 2.0 kB, and 1.5 kB are free in {tmp_path / 'out'}. Free some space" in refusal(path)


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_members_for_one_place_are_refused(tmp_path, name):
    path = compressed(tmp_path / name, {"a/x.tsv": b"1", "b/x.tsv": b"2"})
    assert "holds both 'a/x.tsv' and 'b/x.tsv', for one place: 'x.tsv'. Correct" in refusal(path, [("*", "x.tsv")])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_file_with_a_name_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x.tsv", b"1")
        archive.writestr("x.tsv", b"2")
    assert "a.zip: holds 'x.tsv' twice, for one place: 'in/x.tsv'. Correct `place`" in refusal(tmp_path / "a.zip")


def test_links_of_zip_files_are_passed_over(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("dev.tsv")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/hosts")
    assert "holds no file '*'" in refusal(path)


@pytest.mark.parametrize("kind", ["member", "target"])
def test_unpack_refuses_links_in_the_target_folder_and_names_of_targets_that_lead_out(tmp_path, kind):
    path = compressed(tmp_path / "a.zip", {"x/a.tsv": b"1"})
    (tmp_path / "out").mkdir()
    (tmp_path / "out/in").symlink_to("/tmp")
    place = {"member": [("*", "in/")], "target": [("*", "../a.tsv")]}[kind]
    with pytest.raises(DataError, match=r"link that leads out of|would be placed outside the target folder"):
        unpack(path, place, tmp_path / "out")
    assert not list(tmp_path.rglob("a.tsv")) and not (Path("/tmp") / "x/a.tsv").exists()


@pytest.mark.parametrize("make", [pipe, folder, loop])
@pytest.mark.parametrize("name", ["a.zip", "a.tgz"])
def test_what_is_no_file_is_no_archive(tmp_path, make, name):
    make(tmp_path / name)
    assert f"{tmp_path / name}: is a" in refusal(tmp_path / name)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_members_that_unpack_without_a_bound_are_refused(tmp_path, method):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.tsv", b"1")
    text = refusal(path)
    assert re.search(
        r"a\.zip: is damaged or not an archive \(its members are packed by (bzip2|LZMA), not deflated\)", text
    )


def test_a_window_of_gigabytes_is_one_line(tmp_path):
    path = compressed(tmp_path / "a.tar.xz", {"a.tsv": b"1"})
    body = bytearray(path.read_bytes())
    end = 12 + 4 * (body[12] + 1)  # of the header of the first block
    body[body.index(b"\x21\x01", 12) + 2] = 40  # 4 GiB
    body[end - 4 : end] = struct.pack("<I", zlib.crc32(bytes(body[12 : end - 4])))
    path.write_bytes(body)

    def call():
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
        return refusal(path)

    assert forked(call).answer.startswith(f"{path}: is damaged or not an archive (MemoryError). Delete it")


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["a", "a/b"], "holds 'a/b', whose folder is a file. Correct `place`"),
        (["a", "a/b/c"], "holds 'a/b/c', whose folder is a file. Correct `place`"),
        (["a/b", "a"], "holds a file 'a', and other files below it. Correct `place`"),
        (["a/" * 3000 + "b"], "holds a file 'a/a/"),
        (["a" * 256], "', which is too long for the name of a file"),
    ],
)
def test_members_that_no_disk_holds_are_one_line(tmp_path, name, files, said):
    assert said in refusal(pack(tmp_path / name, dict.fromkeys(files, b"1")))
