"""Bundles that strangers hand in: refused with one line that blames the bundle, and nothing is placed."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import json
import os
import platform
import subprocess
import sys
import tarfile
import threading
import time
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
from special_files import device, loop, pipe
from stored_stages import SCORE, WORLD, refuse

from adaptstilts.errors import StoreError, UnreadableError, WriteError
from adaptstilts.store import archive as archives
from adaptstilts.store import manifest as manifests
from adaptstilts.store.archive import CHECKSUMS, choose, export, import_bundle
from adaptstilts.store.gc import find_waste
from adaptstilts.store.manifest import manifest_text
from adaptstilts.store.process import here
from adaptstilts.store.stage import FORMAT_VERSION, content_key
from adaptstilts.store.store import MANIFEST, Store
from adaptstilts.store.unfinished import beside

BLAMED = "The bundle is at fault, not the store, and nothing was placed"


@pytest.fixture
def bundle(store, tmp_path):
    export(choose(store, ["nli"], with_inputs=True), tmp_path / "folder")
    return tmp_path / "folder"


@pytest.fixture
def other(tmp_path):
    return Store(tmp_path / "other")


def placed(store):
    return sorted(path for path in store.root.glob("*/*") if path.parent.name != ".leases")


def refused(other, source, message):
    with pytest.raises(StoreError, match=message) as found:
        import_bundle(other, source)
    assert str(source) in str(found.value)
    assert "\n" not in str(found.value)
    assert placed(other) == []
    return str(found.value)


def change(folder, place, **changes):
    """Seal a manifest anew with other values; text that JSON has no values for is put in by name."""
    (path,) = folder.glob(f"{place}/*/{MANIFEST}")
    text = manifest_text({**json.loads(path.read_text()), **changes})
    path.write_text(text)
    sums(folder)


def sums(folder):
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != CHECKSUMS
    ]
    (folder / CHECKSUMS).write_text("\n".join(lines))


FIELDS = [
    ("seconds", float("nan"), "NaN is no finite number"),
    ("seconds", float("-inf"), "-Infinity is no finite number"),
    ("seconds", -1, "'seconds' is -1, not a number of seconds"),
    ("seconds", True, "'seconds' is true, not a number of seconds"),
    ("seconds", 10**30, "'seconds' is 10+, not"),
    ("format", True, "'format' is true, not the number of a format"),
    ("format", -4, "'format' is -4, not"),
    ("format", 4.0, "'format' is 4.0, not"),
    ("started", 0, "'started' is 0, not a time"),
    ("started", "yesterday", "'started' is 'yesterday', not a time"),
    ("name", "\ud800", "an unpaired surrogate"),
    ("name", None, "'name' is null, not a text"),
    ("slug", "a/b", "'slug' is 'a/b', not the name of a folder"),
    ("kind", "..", "'kind' is '..', not a kind of stage"),
    ("key", "0" * 63, "'key' is '0+', not 64 hexadecimal digits"),
    ("inputs", ["x"], r"'inputs' is \['x'\], not a list of keys"),
    ("job", [], r"'job' is \[\], not a table"),
    ("environment", "x", "'environment' is 'x', not a table"),
    ("files", {MANIFEST: {"bytes": 1, "sha256": "0" * 64}}, "'manifest.json' is a name that the store keeps"),
    ("files", {".shared": {"bytes": 1, "sha256": "0" * 64}}, "'.shared' is a name that the store keeps"),
    ("files", {"a": {"bytes": -1, "sha256": "0" * 64}}, "the size or hash of 'a' is missing or no such thing"),
    ("files", {"a": {"bytes": True, "sha256": "0" * 64}}, "the size or hash of 'a'"),
    ("files", {"a\u0000": {"bytes": 1, "sha256": "0" * 64}}, "is not a path inside the artefact"),
    ("files", {"a" * 300: {"bytes": 1, "sha256": "0" * 64}}, "is not a path inside the artefact"),
    ("files", {f"{n}": {"bytes": 1, "sha256": "0" * 64} for n in range(100_001)}, "names 100,001 files, more than"),
]


@pytest.mark.parametrize(
    ("name", "value", "message"), FIELDS, ids=[f"{name}-{n}" for n, (name, *_) in enumerate(FIELDS)]
)
def test_values_that_no_export_writes_are_faults_of_the_bundle(bundle, other, name, value, message):
    if value == "\ud800":
        (path,) = bundle.glob(f"score/*/{MANIFEST}")
        text = json.dumps({**json.loads(path.read_text()), "name": value, "seal": "0" * 64}, indent=2, sort_keys=True)
        digits = hashlib.sha256(text.encode()).hexdigest()
        path.write_text(text.replace(f'"seal": "{"0" * 64}"', f'"seal": "{digits}"'))
        sums(bundle)
    else:
        change(bundle, "score", **{name: value})
    said = refused(other, bundle, rf"score/nli-\w+/manifest\.json: not a usable manifest: .*{message}")
    assert BLAMED in said


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"seconds": ', '"seconds": 1e400, "x": ', "1e400 is no finite number"),
        ('"seconds": ', f'"seconds": {"9" * 5000}, "x": ', "an integer of 5,000 digits cannot be read"),
        ('"seconds": ', '"name": "x", "seconds": ', "name: stands twice in one JSON object"),
        ('"job": ', f'"x": {"[" * 100_000}{"]" * 100_000}, "job": ', "nested too deeply"),
        ('"job": ', f'"x": {"[" * 100}{"]" * 100}, "job": ', "nested too deeply"),
        ('"job": ', f'"x": [{"1," * 5_000_001}1], "job": ', "more than 5,000,000 values"),
        ("{", "", "Extra data|Expecting|damaged"),
    ],
    ids=["1e400", "digits", "repeated", "deep", "deeper than allowed", "values", "cut"],
)
def test_texts_of_manifests_that_strain_a_reader_are_refused(bundle, other, old, new, message):
    (path,) = bundle.glob(f"score/*/{MANIFEST}")
    text = path.read_text().replace(old, new, 1)
    plain = text.replace(f'"seal": "{json.loads(path.read_text())["seal"]}"', f'"seal": "{"0" * 64}"')
    digits = hashlib.sha256(plain.encode()).hexdigest()
    path.write_text(plain.replace(f'"seal": "{"0" * 64}"', f'"seal": "{digits}"'))
    sums(bundle)
    refused(other, bundle, message)


def tar(path, *members, mode="w"):
    """Write an archive of (name, type, size) members, without content where the type has none."""
    with tarfile.open(path, mode) as opened:
        for name, kind, size in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, "data/x/first", size
            opened.addfile(info, io.BytesIO(bytes(size)))


NAMES = [
    ("data/x/a", "data/x/a", "stands twice"),
    ("data/x/a", "data/x/A", "are the same name on some disks"),
    ("data/x/stra\u00dfe", "data/x/STRASSE", "are the same name on some disks"),
    ("data/x/\u00e9", "data/x/e\u0301", "are the same name on some disks"),
    ("data/x/a", "data/X/b", "are the same name on some disks"),
    ("data/x/a", "data/x/a/b", "is both a file and a folder"),
    ("data/x/a/b", "data/x/a", "is both a file and a folder"),
    ("data/x/a", "./data/x/a", "leads out of the bundle, or is no name"),
    ("data/x/a", "data//x/b", "leads out of the bundle, or is no name"),
    ("data/x/a", "data/x/b\x1b[2J", "leads out of the bundle, or is no name"),
    ("data/x/a", "data\\x\\b", "leads out of the bundle, or is no name"),
    ("data/x/a", "data/x/" + "b" * 256, "leads out of the bundle, or is no name"),
    ("data/x/a", "/".join("b" * 600), "leads out of the bundle, or is no name"),
]


@pytest.mark.parametrize(("first", "second", "message"), NAMES)
def test_names_that_disks_do_not_keep_apart_are_refused(tmp_path, other, first, second, message):
    tar(tmp_path / "b.tar", (first, tarfile.REGTYPE, 1), (second, tarfile.REGTYPE, 1))
    said = refused(other, tmp_path / "b.tar", message)
    assert "\x1b" not in said
    assert BLAMED in said


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (tarfile.LNKTYPE, "is a link or a device"),
        (tarfile.SYMTYPE, "is a link or a device"),
        (tarfile.CHRTYPE, "is a link or a device"),
        (tarfile.BLKTYPE, "is a link or a device"),
        (tarfile.FIFOTYPE, "is a link or a device"),
    ],
)
def test_members_that_are_no_files_are_refused(tmp_path, other, kind, message):
    tar(tmp_path / "b.tar", ("data/x/first", tarfile.REGTYPE, 1), ("data/x/a", kind, 0))
    refused(other, tmp_path / "b.tar", message)


def test_sparse_member_is_refused_before_anything_is_written(tmp_path, other):
    (tmp_path / "big").touch()
    os.truncate(tmp_path / "big", 2**40)
    done = subprocess.run(
        ["tar", "-cSf", tmp_path / "b.tar", "-C", tmp_path, "--format=gnu", "big"], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip("this tar writes no sparse files")
    refused(other, tmp_path / "b.tar", "is a sparse file|unpacks to more than")


def test_bomb_is_refused_by_its_ratio(tmp_path, other):
    with gzip.open(tmp_path / "b.tar.gz", "wb") as file:
        info = tarfile.TarInfo("data/x/zeros")
        info.size = 2**26
        file.write(info.tobuf())
        for _ in range(64):
            file.write(bytes(2**20))
    said = refused(other, tmp_path / "b.tar.gz", r"unpacks to more than 200 times its \d+ kB")
    assert "raise the limit ADAPTSTILTS_MOST_RATIO" in said


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("ADAPTSTILTS_MOST_MEMBERS", "5", "holds more than 5 files and folders"),
        ("ADAPTSTILTS_MOST_UNPACKED_BYTES", "3e6", r"unpacks to more than 3\.0 MB"),
    ],
)
@pytest.mark.parametrize("name", ["b.tar", "b.tar.gz"])
def test_limits_are_settings(tmp_path, other, monkeypatch, variable, value, message, name):
    monkeypatch.setenv(variable, value)
    members = [(f"data/x/{n}", tarfile.REGTYPE, 10**6) for n in range(9)]
    tar(tmp_path / name, *members, mode="w:gz" if name.endswith("gz") else "w")
    assert f"raise the limit {variable}" in refused(other, tmp_path / name, message)


def test_header_of_gigabytes_is_not_read_into_memory(tmp_path, other):
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 3 * 2**30
    (tmp_path / "b.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT))
    refused(other, tmp_path / "b.tar", r"not a readable bundle: it has a header of more than 262 kB")


def packed(path, *blocks, repeat=1):
    """Write a compressed archive of blocks, each padded as tar pads them."""
    with gzip.open(path, "wb") as file:
        for block in blocks * repeat:
            file.write(block + bytes(-len(block) % 512))


def header(name, kind, size=0):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


LIST = b"9" * 100_000
HEADERS = {
    "digits for the length": ("b" * 99, tarfile.XHDTYPE, LIST, "a number of a hundred digits"),
    "digits for all": ("b", tarfile.XGLTYPE, LIST, "a number of a hundred digits"),
    "map of holes": (
        "b", tarfile.XHDTYPE, b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n" + b"20 GNU.sparse.name=x\n",
        "a header of more than 262 kB|a sparse file",
    ),
    "long name": ("b", tarfile.GNUTYPE_LONGNAME, b"a/" * 200_000, "a header of more than 262 kB"),
}  # fmt: skip


@pytest.mark.parametrize("what", HEADERS)
def test_headers_that_keep_the_library_busy_are_refused_at_once(tmp_path, other, what):
    name, kind, content, message = HEADERS[what]
    holes = b"99999999\n" + b"1\n" * 10_000_000 if what == "map of holes" else b""
    packed(
        tmp_path / "b.tar.gz",
        header(name, kind, len(content)), content, header("data/x/a", tarfile.REGTYPE, len(holes)), holes, bytes(1024),
    )  # fmt: skip
    began = time.process_time()
    refused(other, tmp_path / "b.tar.gz", message)
    assert time.process_time() - began < 2


def test_folders_that_only_names_tell_of_count_too(tmp_path, other, monkeypatch):
    monkeypatch.setenv("ADAPTSTILTS_MOST_MEMBERS", "1000")
    tar(tmp_path / "b.tar", *((f"{n}/" + "d/" * 400 + "x", tarfile.REGTYPE, 0) for n in range(4)))
    assert "raise the limit ADAPTSTILTS_MOST_MEMBERS" in refused(
        other, tmp_path / "b.tar", "holds more than 1,000 files and folders"
    )


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE])
def test_long_name_is_cut_in_the_message(tmp_path, other, kind):
    tar(tmp_path / "b.tar", ("x" * 50_000, kind, 0))
    assert len(refused(other, tmp_path / "b.tar", r"xxx\.\.\.' (leads|is a link)")) < 600


def test_folder_that_is_given_again_and_again_is_refused(tmp_path, other):
    tar(tmp_path / "b.tar", *[("data/x", tarfile.DIRTYPE, 0)] * 2)
    refused(other, tmp_path / "b.tar", "'data/x' stands twice in it")


@pytest.mark.parametrize("name", ["b.tar", "b.tar.gz"])
def test_bundle_cut_off_anywhere_is_refused(store, tmp_path, other, name):
    export(choose(store, ["nli"], with_inputs=True), tmp_path / name)
    content = (tmp_path / name).read_bytes()
    last = len(content.rstrip(b"\0")) if name == "b.tar" else len(content) - 64  # then only zeros and the end follow
    for size in {*range(0, last, 512), *range(0, last, 199), last - 1}:
        (tmp_path / name).write_bytes(content[:size])
        refused(other, tmp_path / name, r"not a readable bundle|lacks SHA256SUMS|damaged|holds no artefact")


def test_chain_of_a_thousand_long_names_is_refused(tmp_path, other):
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2
    (tmp_path / "b.tar").write_bytes((info.tobuf(tarfile.GNU_FORMAT) + b"a\0".ljust(512, b"\0")) * 3000)
    refused(other, tmp_path / "b.tar", "not a readable bundle: it has a header of more than 262 kB")


def test_member_that_begins_before_the_last_one_ends_is_refused(tmp_path, other):
    info = tarfile.TarInfo("data/x/a")
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 10 + b"\xfc\x00"  # -1024, as GNU tar writes numbers
    header[148:156] = b"%06o\0 " % (256 + sum(header[:148]) + sum(header[156:]))
    (tmp_path / "b.tar").write_bytes(bytes(1024) + bytes(header) + bytes(1024))
    (tmp_path / "c.tar").write_bytes(bytes(header) * 3 + bytes(1024))
    refused(other, tmp_path / "c.tar", "begins before|not a readable bundle")


@pytest.mark.parametrize("make", [pipe, loop, device])
def test_bundle_that_is_no_file_is_refused_at_once(tmp_path, other, make):
    make(tmp_path / "b.tar")
    refused(other, tmp_path / "b.tar", r"b\.tar: is (a named pipe|a link that leads to itself|a device), not a file")


@pytest.mark.parametrize("place", [MANIFEST, "deep/a.bin", "deep/more", CHECKSUMS])
def test_pipe_anywhere_in_a_folder_is_refused_at_once(bundle, other, place):
    (folder,) = bundle.glob("score/*")
    path = bundle / place if place == CHECKSUMS else folder / place
    path.unlink(missing_ok=True)
    pipe(path)
    refused(other, bundle, "is a link, a pipe or a device")


def test_kind_that_leads_elsewhere_is_refused(bundle, other, tmp_path):
    (bundle / "score").rename(tmp_path / "elsewhere")
    (bundle / "score").symlink_to(tmp_path / "elsewhere")
    refused(other, bundle, "'score' is a link")


def test_bundle_that_cannot_be_read_is_not_blamed_on_the_store(bundle, other, monkeypatch):
    ask = os.open

    def fail(path, *more, **options):
        if str(path).endswith("a.bin") and str(path).startswith(str(bundle)):
            raise OSError(5, "Input/output error", str(path))
        return ask(path, *more, **options)

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(
        StoreError, match=rf"^{bundle}: cannot be read: Input/output error\. .*store is as it was"
    ) as found:
        import_bundle(other, bundle)
    assert not isinstance(found.value, WriteError)


def test_disk_without_room_is_told_before_anything_is_written(store, tmp_path, other, monkeypatch):
    export(choose(store, ["nli"], with_inputs=True), tmp_path / "b.tar")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("adaptstilts.store.unpack.shutil.disk_usage", lambda path: usage(9, 9, 1000))
    message = rf"^{other.root}: only 1\.0 kB are free, and {tmp_path}/b\.tar unpacks to \d\.\d kB\. .*make room"
    with pytest.raises(WriteError, match=message):
        import_bundle(other, tmp_path / "b.tar")
    assert placed(other) == []


def made_by(folder, version):
    """Turn the bundle's world into that of a version with another format, with a key of its own."""
    (path,) = folder.glob(f"data/*/{MANIFEST}")
    manifest = json.loads(path.read_text())
    key = content_key(version, "data", manifest["job"], [])
    path.write_text(manifest_text({**manifest, "format": version, "key": key}))
    path.parent.rename(path.parent.with_name(f"world-{key[:16]}"))
    sums(folder)


def test_artefacts_of_an_older_format_are_left_and_the_others_placed(bundle, other):
    made_by(bundle, FORMAT_VERSION - 1)
    done = import_bundle(other, bundle)
    assert (done.placed, done.old) == (["score nli"], [f"generate the world, of format {FORMAT_VERSION - 1}"])
    assert done.text().splitlines()[1:] == [
        f"left generate the world, of format {FORMAT_VERSION - 1}: this version uses format {FORMAT_VERSION}, "
        "and would make it again",
        "1 artefact placed, 0 were there, 1 left",
    ]


def test_artefacts_of_a_newer_format_are_refused(bundle, other):
    made_by(bundle, FORMAT_VERSION + 1)
    said = refused(other, bundle, rf"is of format {FORMAT_VERSION + 1}, and this version reads format {FORMAT_VERSION}")
    assert "Import it with a newer version of adaptstilts" in said


def test_same_artefact_under_two_names_is_refused(bundle, other):
    (path,) = bundle.glob(f"data/*/{MANIFEST}")
    copy = path.parent.with_name(path.parent.name.replace("world", "earth"))
    (copy / "deep").mkdir(parents=True)
    (copy / "deep" / "a.bin").write_bytes((path.parent / "deep" / "a.bin").read_bytes())
    (copy / MANIFEST).write_text(manifest_text({**json.loads(path.read_text()), "slug": "earth"}))
    sums(bundle)
    refused(other, bundle, rf"holds the artefact {WORLD.key[:16]} twice")


def test_bundle_tells_nothing_of_its_maker(store, tmp_path):
    for name in ("b.tar", "b.tar.gz"):
        export(choose(store, ["nli"], with_inputs=True), tmp_path / name)
    content = (tmp_path / "b.tar").read_bytes()
    assert b'"host"' not in content
    assert b'"host"' in (store.find(SCORE).folder / MANIFEST).read_bytes()
    for text in (f'"{platform.node()}"', str(tmp_path), str(Path.home()) + "/", f'"{os.environ.get("USER", "root")}"'):
        assert text.encode() not in content
    with tarfile.open(tmp_path / "b.tar") as opened:
        assert {(item.uid, item.gid, item.uname, item.gname, item.mtime) for item in opened} == {(0, 0, "", "", 0)}
    assert (tmp_path / "b.tar.gz").read_bytes()[:10] == b"\x1f\x8b\x08\x00" + bytes(4) + b"\x02\xff"  # no name, no time


HEEDS_SIGHUP = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
"""Lets a process heed the signal, also where tests run under nohup."""


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGHUP", "SIGKILL"])
def test_what_an_interrupted_import_leaves_is_found_and_removed(store, tmp_path, other, signal):
    export(choose(store, ["nli"], with_inputs=True), tmp_path / "b.tar")
    code = (
        "import sys, time; from pathlib import Path; from adaptstilts.store import archive, store\n"
        "archive._checked = lambda *_: (print('unpacked', flush=True), time.sleep(60))\n"
        "archive.import_bundle(store.Store(Path(sys.argv[1])), Path(sys.argv[2]))\n"
    )
    command = [sys.executable, "-c", HEEDS_SIGHUP + code, str(other.root), str(tmp_path / "b.tar")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"unpacked\n"
        (left,) = (other.root / ".unfinished").iterdir()
        assert len(list(left.rglob("a.bin"))) == 2
        assert find_waste(other).items == []  # it is at work
        process.send_signal(getattr(__import__("signal"), signal))
    waste = find_waste(other)
    assert [what for what, _, _ in waste.items] == [f"unfinished {left.name}"]
    assert waste.items[0][1] > 1000
    waste.remove()
    assert placed(other) == []


@pytest.mark.parametrize("name", ["b.tar", "b.tar.gz", "folder"])
@pytest.mark.parametrize("signal", ["SIGTERM", "SIGHUP", "SIGKILL"])
def test_what_an_interrupted_export_leaves_is_removed_by_the_next(store, tmp_path, signal, name):
    code = (
        "import io, sys, time; from pathlib import Path; from adaptstilts.store import archive, store\n"
        "def slow(_, bundle):\n"
        "    bundle.add_file('data/x', io.BytesIO(b'x'), 1); print('begun', flush=True); time.sleep(60); yield ''\n"
        "archive._pack = slow\n"
        "there = store.Store(Path(sys.argv[1]))\n"
        "archive.export(there.artefacts(), Path(sys.argv[2]))\n"
    )
    command = [sys.executable, "-c", HEEDS_SIGHUP + code, str(store.root), str(tmp_path / name)]
    (tmp_path / f".{name}~mine").write_text("not an export's")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"begun\n"
        others = choose(store, ["world"], with_inputs=False)
        export(others, tmp_path / f"other-{name}")
        left = set(tmp_path.glob(f".{name}~*~*"))
        process.send_signal(getattr(__import__("signal"), signal))
    assert len(left) == 1
    assert left <= set(tmp_path.iterdir())
    export(others, tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"store", name, f"other-{name}", f".{name}~mine"}
    assert import_bundle(Store(tmp_path / "again"), tmp_path / name).placed == ["generate the world"]


def test_export_that_is_at_work_is_left_alone(store, tmp_path):
    with beside(tmp_path / "b.tar") as partial:
        partial.write_text("half")
        with beside(tmp_path / "c.tar") as second:
            second.write_text("whole")
        assert partial.read_text() == "half"
        (tmp_path / f".b.tar~{replace(here(), host='elsewhere').text}").write_text("of another machine")
        (tmp_path / f".b.tar~{replace(here(), process=999_999_999).text}").write_text("of a dead process")
        with beside(tmp_path / "d.tar") as third:
            third.write_text("whole")
    with beside(tmp_path / "b.tar") as partial:
        partial.write_text("new")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] == ".") == [
        f".b.tar~{replace(here(), host='elsewhere').text}"
    ]
    with pytest.raises(KeyError), beside(tmp_path / "b.tar") as partial:
        partial.mkdir()
        raise KeyError
    assert (tmp_path / "b.tar").read_text() == "new"
    assert not partial.exists()


def test_artefact_that_became_whole_meanwhile_is_left_as_it_is(store, tmp_path, monkeypatch):
    """Another process rebuilds a damaged artefact after the bundle was checked and before it is placed."""
    export(choose(store, ["nli"], with_inputs=True), tmp_path / "b.tar")
    whole = (store.find(SCORE).folder / "deep" / "a.bin").read_bytes()
    (store.find(SCORE).folder / "deep" / "a.bin").write_bytes(b"X" * len(whole))
    checked = archives._checked

    def then_rebuilt(*arguments):
        found = checked(*arguments)
        store.discard(SCORE)
        with store.writing(SCORE, {"python": "mine"}) as folder:
            (folder / "deep").mkdir()
            (folder / "deep" / "a.bin").write_bytes(whole)
        return found

    monkeypatch.setattr(archives, "_checked", then_rebuilt)
    done = import_bundle(store, tmp_path / "b.tar")
    assert (done.placed, done.replaced, len(done.there)) == ([], [], 2)
    assert store.open(SCORE).manifest["environment"] == {"python": "mine"}


def test_artefact_that_cannot_be_read_is_not_replaced(store, tmp_path, monkeypatch):
    export(choose(store, ["nli"], with_inputs=True), tmp_path / "b.tar")
    refuse(monkeypatch, "open", str(store.find(SCORE).folder / MANIFEST), errno.EACCES)
    with pytest.raises(UnreadableError, match=r"cannot be read: Permission denied"):
        import_bundle(store, tmp_path / "b.tar")
    monkeypatch.undo()
    assert store.open(SCORE) is not None


def test_file_that_cannot_be_read_is_not_told_as_a_store_that_cannot_be_written(store, tmp_path, monkeypatch):
    export(choose(store, ["nli"], with_inputs=True), tmp_path / "b.tar")
    path, size_of = store.find(SCORE).folder / "deep" / "a.bin", manifests._size

    def fail(asked):
        if asked == path:
            raise PermissionError(13, "Permission denied", str(asked))
        return size_of(asked)

    monkeypatch.setattr(manifests, "_size", fail)
    with pytest.raises(UnreadableError, match=rf"^{path}: cannot be read: Permission denied\. Check its permissions"):
        import_bundle(store, tmp_path / "b.tar")
    monkeypatch.undo()
    assert store.open(SCORE) is not None


def test_imports_at_once_place_everything_once(store, tmp_path, other):
    export(choose(store, ["nli"], with_inputs=True), tmp_path / "b.tar")
    done = []
    threads = [threading.Thread(target=lambda: done.append(import_bundle(other, tmp_path / "b.tar"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4
    assert sorted(name for one in done for name in one.placed) == ["generate the world", "score nli"]
    assert all(other.open(stage) is not None for stage in (WORLD, SCORE))


def test_import_brings_files_that_change_while_they_are_copied_to_an_end(bundle, other, monkeypatch):
    bring = archives._bring

    def changed(path, target, *more, **options):
        bring(path, target, *more, **options)
        target.write_bytes(b"X" * target.stat().st_size)

    monkeypatch.setattr(archives, "_bring", changed)
    with pytest.raises(StoreError, match=r"the files of generate the world have changed while they were copied"):
        import_bundle(other, bundle)
    assert placed(other) == []


def test_old_artefacts_are_not_exported(store, tmp_path):
    path = store.find(WORLD).folder / MANIFEST
    path.write_text(manifest_text({**json.loads(path.read_text()), "format": 3}))
    message = rf"generate the world is of format 3, and only format {FORMAT_VERSION} can be imported"
    with pytest.raises(StoreError, match=message):
        export(choose(store, ["world"], with_inputs=False), tmp_path / "b.tar")
    assert not list(tmp_path.glob("*b.tar*"))


def test_manifests_that_name_each_other_end_no_export(store):
    for stage, item in ((WORLD, SCORE), (SCORE, WORLD)):
        path = store.find(stage).folder / MANIFEST
        path.write_text(manifest_text({**json.loads(path.read_text()), "inputs": [item.key]}))
    assert {artefact.key for artefact in choose(store, ["nli"], with_inputs=True)} == {WORLD.key, SCORE.key}
