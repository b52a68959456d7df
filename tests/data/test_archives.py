"""Archives: what is asked for comes out, and nothing lands elsewhere."""

import io
import tarfile
import zipfile

import pytest

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
