from __future__ import annotations

import ftplib
import json
import pickle
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest
from claimers import ROOT, start_holder
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from adaptstilts.engine.heartbeats import read_beats
from adaptstilts.errors import DamagedError, StoreError, WriteError
from adaptstilts.store import store as store_module
from adaptstilts.store.gc import find_waste
from adaptstilts.store.leases import Lease
from adaptstilts.store.manifest import manifest_text
from adaptstilts.store.process import here
from adaptstilts.store.remote import Remote
from adaptstilts.store.shared import SHARED_MARK, SharedStore, store_at
from adaptstilts.store.stage import make_stage
from adaptstilts.store.store import MANIFEST, Store
from adaptstilts.store.verify import verify_store
from adaptstilts.study.plan.jobs import DataJob, ScoreJob

STAGE = make_stage("generate", "mini", DataJob(1, 1, 10, 10, 10))
OTHER = make_stage("generate", "mini", DataJob(1, 2, 10, 10, 10))
SCORE = make_stage("score", "score", ScoreJob("nli", (), STAGE.key, None), (STAGE.key,))
FAR = replace(here(), host="elsewhere")


class CountingMemory(MemoryFileSystem):
    """Memory that counts what it is asked."""

    protocol = "counted"
    store: dict = {}  # noqa: RUF012
    pseudo_dirs = [""]  # noqa: RUF012 - as the base class has it
    asked: list[str] = []  # noqa: RUF012

    @classmethod
    def _strip_protocol(cls, path):
        return MemoryFileSystem._strip_protocol(path.replace("counted://", "memory://"))

    def find(self, path, **options):
        self.asked.append(f"find {path}")
        return super().find(path, **options)

    def cat_file(self, path, *positions, **options):
        self.asked.append(f"read {path}")
        return super().cat_file(path, *positions, **options)

    def put_file(self, source, target, **options):
        if "full" in target:
            raise OSError(28, "No space left on device")
        return super().put_file(source, target, **options)


class Shelf(LocalFileSystem):
    """A folder under a protocol of its own, with exclusive creation."""

    protocol = "shelf"
    unreadable: list[str] = []  # noqa: RUF012

    @classmethod
    def _strip_protocol(cls, path):
        return str(path).removeprefix("shelf://")

    def cat_file(self, path, *positions, **options):
        if any(part in path for part in self.unreadable):
            raise TimeoutError(110, "Connection timed out")
        return super().cat_file(path, *positions, **options)

    def _open(self, path, mode="rb", **options):
        if mode == "rb" and any(part in path for part in self.unreadable):
            raise TimeoutError(110, "Connection timed out")
        return super()._open(path, mode, **options)

    def ls(self, path, *positions, **options):
        if any(self._strip_protocol(path).endswith(part) for part in self.unreadable):
            raise PermissionError(13, "Permission denied")
        return super().ls(path, *positions, **options)

    def pipe_file(self, path, value, mode="overwrite", **options):
        with Path(self._strip_protocol(path)).open("xb" if mode == "create" else "wb") as file:
            file.write(value)


class Plain(LocalFileSystem):
    """A folder whose file system creates files as fsspec does; another process is always a moment faster."""

    protocol = "plain"
    has_exclusive_mode = True

    @classmethod
    def _strip_protocol(cls, path):
        return str(path).removeprefix("plain://")

    def exists(self, path, **options):
        return False

    def _open(self, path, mode="rb", **options):
        if mode == "xb" and not self.has_exclusive_mode:
            raise ValueError("no such mode")
        return super()._open(path, mode, **options)


fsspec.register_implementation("counted", CountingMemory, clobber=True)
fsspec.register_implementation("shelf", Shelf, clobber=True)
fsspec.register_implementation("plain", Plain, clobber=True)


def make(store, stage=STAGE, text="rows"):
    with store.writing(stage, {"python": "x"}) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "a.txt").write_text(text)
        (folder / "b.json").write_text("[1]")
    return store.find(stage)


@pytest.fixture
def machines(tmp_path, request):
    """Two machines, each with a folder of its own, on one address."""
    address = f"memory://{request.node.name}"
    yield SharedStore(address, tmp_path / "one"), SharedStore(address, tmp_path / "two")
    MemoryFileSystem.store.clear()


@pytest.fixture
def shelf(tmp_path):
    """Makes machines that share a folder which creates files exclusively."""
    return lambda name: SharedStore(f"shelf://{tmp_path}/shared", tmp_path / name)


def test_store_at_picks_the_kind_of_store_by_its_location(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert type(store_at("checkpoints")) is Store
    assert store_at("~/a").root == tmp_path / "a"
    assert type(store_at("file:///data/store")) is Store
    assert store_at("file:///data/store").root == Path("/data/store")
    shared = store_at("memory://a/b/")
    assert isinstance(shared, SharedStore)
    assert shared.root.parent == Path("checkpoints/cache")
    assert shared.root == store_at("memory://a/b").root != store_at("memory://a/c").root
    assert store_at("memory://a/b", "here").root == Path("here")


@pytest.mark.parametrize(("address", "package"), [("s3://bucket/x", "s3fs"), ("gs://bucket/x", "gcsfs")])
def test_address_whose_package_is_not_installed_names_it(tmp_path, address, package):
    try:
        __import__(package)
    except ImportError:
        with pytest.raises(
            StoreError, match=rf"{address}: the package for .* is not installed\. pip install {package}"
        ):
            store_at(address, str(tmp_path)).find(STAGE)
    else:
        pytest.skip(f"{package} is installed")


def test_address_of_no_known_file_system_is_refused_with_near_matches(tmp_path):
    with pytest.raises(StoreError, match=r"memry://a: .*Did you mean 'memory'\?"):
        store_at("memry://a", str(tmp_path)).find(STAGE)


class Gone(MemoryFileSystem):
    """A server that refuses."""

    protocol = "gone"
    cachable = False
    error = OSError()

    def __init__(self, host, **options):
        raise self.error

    @staticmethod
    def _get_kwargs_from_urls(path):
        host = path.removeprefix("gone://").partition("/")[0]
        return {"host": host} if host else {}


fsspec.register_implementation("gone", Gone, clobber=True)


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError(111, "refused"), ftplib.error_perm("530 refused"), EOFError()]
)
def test_address_that_cannot_be_reached_is_one_clear_error(tmp_path, monkeypatch, error):
    monkeypatch.setattr(Gone, "error", error)
    store = SharedStore("gone://host/x", tmp_path)
    for ask in (store.artefacts, store.orphans, lambda: store.present([STAGE]), lambda: store.remote.path("a")):
        with pytest.raises(
            StoreError, match=r"gone://host/x: cannot be read: .*(refused|EOFError)\. Check the address"
        ):
            ask()
    with pytest.raises(WriteError, match="cannot be written"):
        store.remote.write(b"", "a")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("zip://x::file://{file}", "File is not a zip file"),
        ("tar://::file://{file}", "[a-z]+ header"),
        ("data://text/plain,abc", "NotImplementedError"),
        ("dir://x", "'NoneType' object has no attribute"),
    ],
)
def test_address_with_which_its_package_fails_is_one_clear_error(tmp_path, address, said):
    (tmp_path / "file").write_bytes(b"no archive")
    store = SharedStore(address.format(file=tmp_path / "file"), tmp_path)
    with pytest.raises(StoreError, match=rf"cannot be read: .*({said}).*\. Check the address, the network"):
        store.remote.is_there()
    with pytest.raises(WriteError, match=r"cannot be written: .*\. Check the address, the network"):
        store.remote.write(b"", "a")


def test_address_without_a_host_is_one_clear_error(tmp_path):
    with pytest.raises(StoreError, match=r"gone:///x: not a complete address: .*'host'"):
        SharedStore("gone:///x", tmp_path).present([STAGE])


def test_passwords_in_addresses_are_not_shown(tmp_path):
    store = store_at("sftp://me:secret@host/x", str(tmp_path))
    assert store.location == "sftp://***@host/x"


def test_artefact_made_on_one_machine_is_found_on_another(machines):
    one, two = machines
    made = make(one)
    assert two.present([STAGE, OTHER]) == {STAGE.key}
    found = two.find(STAGE)
    assert found.read_json("b.json") == [1]
    assert not (found.folder / "sub").exists()
    assert (found.file("sub") / "a.txt").read_text() == "rows"
    opened = two.open(STAGE)
    assert opened.fetch is None
    assert opened.manifest["files"] == made.manifest["files"]
    assert opened.folder == two.root / "data" / made.folder.name
    assert two.find(OTHER) is None


def test_find_all_reads_listings_and_manifests_and_no_other_file(tmp_path):
    store = SharedStore("counted://many", tmp_path / "one")
    stages = [make_stage("generate", "mini", DataJob(1, seed, 10, 10, 10)) for seed in range(12)]
    for stage in stages[:10]:
        make(store, stage)
    fresh = SharedStore("counted://many", tmp_path / "two")
    CountingMemory.asked.clear()
    assert fresh.present([*stages, SCORE]) == {stage.key for stage in stages[:10]}
    assert sorted(CountingMemory.asked) == ["find /many/data", "find /many/score"]
    CountingMemory.asked.clear()
    assert len(fresh.find_all(stages)) == 10
    assert len(CountingMemory.asked) == 11


def test_manifest_that_cannot_be_read_is_no_absent_one(shelf, monkeypatch):
    one, two = shelf("one"), shelf("two")
    make(one)
    make(one, OTHER)
    monkeypatch.setattr(Shelf, "unreadable", [f"{STAGE.key[:16]}/{MANIFEST}"])
    asked = ((two.find, STAGE), (two.find_all, [STAGE, OTHER]), (two.artefacts, None))
    for ask, of in asked:
        with pytest.raises(StoreError, match=r"shelf://.*: cannot be read: .*Connection timed out"):
            ask(of)


@pytest.mark.parametrize("part", ["/data", f"/data/{STAGE.key[:16]}"])
def test_folder_that_cannot_be_listed_is_no_empty_one(shelf, monkeypatch, part):
    one, two = shelf("one"), shelf("two")
    make(one)
    monkeypatch.setattr(Shelf, "unreadable", [part])
    for ask in (lambda: two.present([STAGE]), lambda: two.find_all([STAGE]), two.artefacts, two.orphans):
        with pytest.raises(StoreError, match=r"shelf://.*: cannot be read: .*Permission denied"):
            ask()
    assert two.present([SCORE]) == set()


def test_file_system_that_says_in_its_own_way_that_nothing_is_there(shelf, monkeypatch):
    class OwnError(OSError):
        pass

    def refuse(self, path, *positions, **options):
        raise OwnError(2, "STATUS_OBJECT_NAME_NOT_FOUND", path)

    monkeypatch.setattr(Shelf, "ls", refuse)
    monkeypatch.setattr(Shelf, "cat_file", refuse)
    one = shelf("one")
    assert one.present([STAGE]) == set()
    assert one.find(STAGE) is None
    assert one.remote.read_many(["a"]) == {}
    assert not one.remote.is_there()


def test_file_system_that_removes_a_file_in_another_way_than_a_folder(shelf, monkeypatch):
    def remove(self, path, recursive=False, maxdepth=None):
        if recursive and Path(path).is_file():
            raise NotADirectoryError(20, "Not a directory", path)
        LocalFileSystem.rm(self, path, recursive, maxdepth)

    monkeypatch.setattr(Shelf, "rm", remove)
    one = shelf("one")
    with one.claim(STAGE):
        make(one)
    assert one.claimant(STAGE) is None
    assert one.remote.names(".leases") == []
    one.discard(STAGE)
    one.discard(STAGE)
    assert one.remote.names("data") == []


def test_address_is_there_when_a_folder_lies_at_it(shelf, tmp_path):
    one = shelf("one")
    assert not one.remote.is_there()
    make(one)
    assert one.remote.is_there()
    for address in (f"shelf://{tmp_path}/shared/data/{STAGE.key[:16]}/{MANIFEST}", "memory://nothing"):
        assert not SharedStore(address, tmp_path).remote.is_there()


def test_store_travels_to_worker_processes(machines):
    one, two = machines
    make(pickle.loads(pickle.dumps(one)))
    artefact = pickle.loads(pickle.dumps(two.find(STAGE)))
    assert artefact.read_json("b.json") == [1]


def test_flipped_byte_at_the_address_is_found_on_use_and_by_verify(machines):
    one, two = machines
    make(one)
    (path,) = [name for name in MemoryFileSystem.store if name.endswith("a.txt")]
    MemoryFileSystem.store[path].seek(0)
    MemoryFileSystem.store[path].write(b"roWs")
    with pytest.raises(DamagedError, match=r"memory://.*/sub/a\.txt: damaged\. Rebuild it: .* or remove memory://"):
        two.open(STAGE)
    with pytest.raises(DamagedError, match=r"a\.txt: damaged"):
        two.find(STAGE).file("sub")
    assert two.find(STAGE).read_json("b.json") == [1]
    (artefact,) = two.artefacts()
    (wrong,) = two.verify(artefact)
    assert "a.txt: damaged or missing" in str(wrong)
    two.discard(STAGE)
    one.discard(STAGE)
    assert one.find(STAGE) is two.find(STAGE) is None
    assert make(two) is not None
    assert one.open(STAGE) is not None


def test_missing_file_and_damaged_manifest_at_the_address_are_reported(machines):
    one, two = machines
    make(one)
    (path,) = [name for name in MemoryFileSystem.store if name.endswith("a.txt")]
    del MemoryFileSystem.store[path]
    with pytest.raises(DamagedError, match=r"sub/a\.txt: missing"):
        two.open(STAGE)
    two.remote.write(b"{", "data", STAGE.key[:16], MANIFEST)
    for call in (two.find, two.open, lambda stage: two.find_all([stage])):
        with pytest.raises(DamagedError, match=r"manifest\.json: damaged"):
            call(STAGE)
    told = []
    assert two.artefacts(on_damage=told.append) == []
    assert len(told) == 1


def test_damaged_local_copy_is_fetched_again(machines):
    one, two = machines
    make(one)
    copy = two.open(STAGE).folder / "sub" / "a.txt"
    copy.write_text("roWs")
    assert (two.open(STAGE).folder / "sub" / "a.txt").read_text() == "rows"
    copy.write_text("")
    assert two.present([STAGE]) == {STAGE.key}
    assert two.find(STAGE).fetch is not None
    assert (two.open(STAGE).folder / "sub" / "a.txt").read_text() == "rows"


def test_upload_that_comes_second_gives_way(machines):
    one, two = machines
    with two.writing(STAGE, {}) as folder:
        (folder / "b.json").write_text("[2]")
        make(one)
    assert one.open(STAGE).read_json("b.json") == two.open(STAGE).read_json("b.json") == [1]
    assert one.orphans() == []


def test_upload_that_broke_off_is_no_artefact_and_goes_on_with_the_next_run(tmp_path):
    store = SharedStore("counted://full", tmp_path / "one")
    with pytest.raises(WriteError, match=r"counted://full: cannot be written: .*No space left"):
        make(store)
    assert SharedStore("counted://full", tmp_path / "two").find(STAGE) is None
    moved = SharedStore("counted://roomy", tmp_path / "one")
    moved.remove_leftovers()
    assert SharedStore("counted://roomy", tmp_path / "two").open(STAGE) is not None


def test_upload_of_a_living_process_is_left_to_it(tmp_path):
    store = SharedStore("counted://full", tmp_path / "one")
    with store.claim(STAGE):
        with pytest.raises(WriteError):
            make(store)
        moved = SharedStore("counted://left", tmp_path / "one")
        moved.remove_leftovers()
        assert moved.present([STAGE]) == {STAGE.key}
        assert moved.remote.names("data") == []
    moved.remove_leftovers()
    assert len(moved.remote.names("data")) == 3


def test_upload_that_broke_off_goes_on_under_a_claim(tmp_path, monkeypatch):
    store = SharedStore("counted://full", tmp_path / "one")
    with pytest.raises(WriteError):
        make(store)
    moved = SharedStore("counted://claimed", tmp_path / "one")
    claimed = []
    upload = moved.remote.upload
    monkeypatch.setattr(moved.remote, "upload", lambda *what: (claimed.append(moved.claimant(STAGE)), upload(*what)))
    moved.remove_leftovers()
    assert claimed == [here()] * 2
    assert moved.claimant(STAGE) is None


def unshared(store):
    """Make an artefact that counts as not uploaded yet."""
    folder = make(store).folder
    (folder / SHARED_MARK).unlink()
    return folder


def test_local_artefact_that_is_the_same_at_the_address_stays(machines):
    one, _ = machines
    folder = unshared(one)
    one.remove_leftovers()
    assert {path.name for path in folder.iterdir()} == {SHARED_MARK, MANIFEST, "b.json", "sub"}
    assert one.orphans() == []


def test_local_artefact_stays_where_that_at_the_address_is_damaged(machines):
    one, two = machines
    folder = unshared(one)
    one.remote.write(b"{", "data", STAGE.key[:16], MANIFEST)
    one.remove_leftovers()
    assert one.open(STAGE).folder == folder
    two.discard(STAGE)
    one.remove_leftovers()
    assert two.open(STAGE).read_json("b.json") == [1]


def test_damaged_artefact_is_not_uploaded(machines):
    one, two = machines
    folder = unshared(one)
    two.discard(STAGE)
    (folder / "b.json").write_text("[2]")
    one.remove_leftovers()
    assert two.find(STAGE) is None


def test_what_was_removed_at_the_address_is_not_uploaded_again(machines):
    one, two = machines
    make(one)
    two.discard(STAGE)
    one.remove_leftovers()
    assert two.find(STAGE) is None


def test_orphaned_uploads_are_listed_unless_the_stage_is_being_made(machines):
    one, two = machines
    make(one)
    one.remote.write(b"x", "data", STAGE.key[:16], "0abc", "a.txt")
    assert two.orphans() == [("data", STAGE.key[:16], "0abc")]
    with two.claim(STAGE):
        assert one.orphans() == []


@pytest.mark.parametrize("content", [b"{", b"{}"])
def test_upload_under_a_damaged_manifest_is_no_orphan(machines, content):
    one, two = machines
    make(one)
    one.remote.write(content, "data", STAGE.key[:16], MANIFEST)
    assert two.orphans() == []


def test_upload_that_ends_while_orphans_are_looked_for_is_none(machines, monkeypatch):
    one, two = machines
    asked = []

    def names(*parts):
        asked.append(parts)
        found = type(two.remote).names(two.remote, *parts)
        if parts == ("data",):  # the files of an upload lie there, its manifest not yet
            claim.__exit__(None, None, None)
            found += [f"data/{STAGE.key[:16]}/{upload}/a.txt"]
        return found

    claim = one.claim(STAGE)
    claim.__enter__()
    make(one)
    upload = json.loads(one.remote.read("data", STAGE.key[:16], MANIFEST))["upload"]
    monkeypatch.setattr(two.remote, "names", names)
    assert two.orphans() == []
    assert asked[-1] == (".leases",)


def test_orphan_that_has_come_into_use_is_not_removed(machines):
    one, two = machines
    place = ("data", STAGE.key[:16], "0abc")
    one.remote.write(b"x", *place, "a.txt")
    assert two.orphans() == [place]
    with one.claim(STAGE):
        assert two.remove_orphan(place) is False
    make(one)
    manifest = json.loads(one.remote.read(*place[:2], MANIFEST))
    one.remote.write(manifest_text({**manifest, "upload": "0abc"}).encode(), *place[:2], MANIFEST)
    assert two.remove_orphan(place) is False
    one.remote.write(manifest_text(manifest).encode(), *place[:2], MANIFEST)
    assert two.remove_orphan(place) is True
    assert one.orphans() == []


def test_lease_that_has_come_into_use_is_not_removed(machines):
    one, two = machines
    name = f"{STAGE.key[:16]}.lease"
    one.remote.write(Lease("old", FAR, time.time() - 100, name).text().encode(), ".leases", name)
    assert two.leases()[-1].stale() == [name]
    with one.claim(STAGE) as is_mine:
        assert is_mine
        assert two.leases()[-1].remove_stale(name) is False
    assert two.leases()[-1].remove_stale(name) is False


def test_claim_holds_between_machines(machines):
    one, two = machines
    with one.claim(STAGE) as is_mine, two.claim(STAGE) as is_other, two.claim(OTHER) as is_free:
        assert (is_mine is None, is_other is None, is_free is None) == (False, True, False)
        assert two.claimant(STAGE) == here()
    assert not two.is_claimed(STAGE)
    with two.claim(STAGE) as is_mine:
        assert is_mine


@pytest.mark.parametrize("has_exclusive_mode", [True, False])
def test_file_that_another_creates_at_the_same_time_is_not_created(tmp_path, monkeypatch, has_exclusive_mode):
    monkeypatch.setattr(Plain, "has_exclusive_mode", has_exclusive_mode)
    remote = Remote(f"plain://{tmp_path}")
    assert remote.create(b"ours", "a") is True
    assert (tmp_path / "a").read_bytes() == b"ours"
    (tmp_path / "b").write_bytes(b"theirs")
    if not has_exclusive_mode:  # whoever writes last has it
        monkeypatch.setattr(Plain, "cat_file", lambda *arguments, **options: b"theirs")
    assert remote.create(b"ours", "b") is False


def test_file_that_another_removes_as_soon_as_it_is_created_is_not_created(tmp_path, monkeypatch):
    def gone(self, path, *positions, **options):
        raise FileNotFoundError(2, "No such file or directory", path)

    monkeypatch.setattr(Plain, "cat_file", gone)
    assert Remote(f"plain://{tmp_path}").create(b"ours", "a") is False


@pytest.mark.parametrize(("silence", "expected"), [(10, False), (100, True)])
def test_claim_of_a_silent_machine_is_taken_over(machines, silence, expected):
    one, _ = machines
    name = f"{STAGE.key[:16]}.lease"
    one.remote.write(Lease("old", FAR, time.time() - silence, name).text().encode(), ".leases", name)
    assert one.leases()[-1].stale() == [name] * expected
    with one.claim(STAGE) as is_mine:
        assert (is_mine is not None) == expected


def test_claim_stays_fresh_while_the_block_runs(tmp_path):
    store = SharedStore("memory://fresh", tmp_path, lifetime=0.4)
    with store.claim(STAGE):
        first = json.loads(store.remote.read(".leases", f"{STAGE.key[:16]}.lease"))["beat"]
        deadline = time.monotonic() + 20
        while (now := json.loads(store.remote.read(".leases", f"{STAGE.key[:16]}.lease"))["beat"]) == first:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert now > first


WORKER = """
import sys, time
sys.path.insert(0, "tests")
from pathlib import Path
import importlib.util
spec = importlib.util.spec_from_file_location("shelf", "tests/store/test_shared.py")
module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
from adaptstilts.study.plan.jobs import DataJob; from adaptstilts.store.stage import make_stage
store = module.SharedStore(f"shelf://{sys.argv[1]}/shared", Path(sys.argv[1]) / sys.argv[2])
stages = [make_stage("generate", "mini", DataJob(1, seed, 10, 10, 10)) for seed in range(8)]
if sys.argv[3] == "hold":
    with store.claim(stages[0]) as is_mine:
        print(is_mine is not None, flush=True)
        time.sleep(60)
made = []
while len(store.present(stages)) < len(stages):
    for stage in stages:
        with store.claim(stage) as is_mine:
            if is_mine and store.find(stage) is None:
                module.make(store, stage)
                made.append(stage.key)
    time.sleep(0.01)
print(*made)
assert all(store.open(stage) is not None for stage in stages)
"""


def test_processes_with_folders_of_their_own_make_each_stage_once(tmp_path):
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path), str(number), "make"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    said = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    made = " ".join(said).split()
    assert len(made) == len(set(made)) == 8


def test_lease_of_a_killed_process_is_taken_over_at_once(tmp_path):
    holder = start_holder(WORKER, tmp_path, "one", "hold")
    store = SharedStore(f"shelf://{tmp_path}/shared", tmp_path / "two")
    stage = make_stage("generate", "mini", DataJob(1, 0, 10, 10, 10))
    try:
        assert store.claimant(stage).process == holder.pid
        with store.claim(stage) as is_mine:
            assert not is_mine
    finally:
        holder.kill()
        holder.communicate()
    with store.claim(stage) as is_mine:
        assert is_mine


def test_artefact_whose_files_cannot_be_read_at_the_address_hides_no_other(shelf, monkeypatch):
    for stage in (STAGE, OTHER):
        make(shelf("one"), stage)
    monkeypatch.setattr(Shelf, "unreadable", ["sub/a.txt"])
    done = verify_store(shelf("two"), [], lambda *_: None)
    assert done.artefacts == 2
    assert len(done.damaged) == 2
    assert all("sub/a.txt: cannot be read: " in str(error) for error in done.damaged)
    assert "0 damaged files, 2 artefacts cannot be read" in done.text()


def test_folder_in_place_of_a_file_at_the_address_is_damage(shelf, tmp_path):
    made = make(shelf("one"))
    place = f"{tmp_path}/shared/data/{STAGE.key[:16]}/{shelf('two').find(STAGE).manifest['upload']}/b.json"
    Path(place).unlink()
    Path(place).mkdir()
    with pytest.raises(DamagedError, match=rf"/b\.json: damaged\. .*remove shelf://{tmp_path}/shared/data/"):
        shelf("two").find(STAGE).file("b.json")
    assert list((tmp_path / "two" / ".unfinished").iterdir()) == []
    checked = verify_store(shelf("two"), [], lambda *_: None)
    assert (len(checked.damaged), made.key) == (1, STAGE.key)


def test_manifest_that_cannot_be_read_at_the_address_ends_no_clean_up(shelf, monkeypatch):
    one = shelf("one")
    for stage in (STAGE, OTHER):
        make(one, stage)
        one.remote.write(b"x", "data", stage.key[:16], "0abc", "a.txt")
    monkeypatch.setattr(Shelf, "unreadable", [f"{STAGE.key[:16]}/{MANIFEST}"])
    two = shelf("two")
    waste = find_waste(two)
    assert [what for what, _, _ in waste.items] == [f"broken-off upload data/{OTHER.key[:16]}/0abc"]
    assert ["cannot be read" in str(error) for error in waste.damaged] == [True]
    waste.remove()
    assert one.remote.names("data", OTHER.key[:16], "0abc") == []
    assert one.remote.names("data", STAGE.key[:16], "0abc") != []


def test_upload_that_broke_off_waits_until_the_address_can_be_read(shelf, monkeypatch):
    one = shelf("one")
    for stage in (STAGE, OTHER):
        make(one, stage)
        (one.folder(stage) / ".shared").unlink()
        one.remote.delete("data", stage.key[:16])
    monkeypatch.setattr(Shelf, "unreadable", [f"{STAGE.key[:16]}/{MANIFEST}"])
    one.remove_leftovers()
    assert [(one.folder(stage) / ".shared").exists() for stage in (STAGE, OTHER)] == [False, True]
    monkeypatch.setattr(Shelf, "unreadable", [])
    one.remove_leftovers()
    assert (one.folder(STAGE) / ".shared").exists()


def test_lease_that_cannot_be_read_hides_no_other(shelf, monkeypatch):
    one, two = shelf("one"), shelf("two")
    one.remote.write(b"x", "data", STAGE.key[:16], "0abc", "a.txt")
    with one.claim(STAGE), one.claim(OTHER):
        monkeypatch.setattr(Shelf, "unreadable", [f"{STAGE.key[:16]}.lease"])
        told = []
        assert [beat.key for beat in read_beats(two, told.append)] == [OTHER.key]
        assert len(told) == 1
        assert re.search(rf"shelf://.*/shared/\.leases/{STAGE.key[:16]}\.lease: cannot be read: .*timed out", told[0])
        assert two.orphans() == []
        assert two.leases()[-1].stale() == []
        with pytest.raises(StoreError, match=rf"{STAGE.key[:16]}\.lease: cannot be read"):
            two.claimant(STAGE)


def test_claim_at_an_address_that_cannot_be_read_is_tried_again_and_then_named(shelf, monkeypatch):
    one, reads = shelf("one"), []
    read = one.remote.read
    monkeypatch.setattr(one.remote, "read", lambda *parts, **bound: (reads.append(parts), read(*parts, **bound))[1])
    monkeypatch.setattr(store_module, "_READING_PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr(Shelf, "unreadable", [".lease"])
    with pytest.raises(StoreError, match=rf"{STAGE.key[:16]}\.lease: cannot be read: .*timed out"):
        one.claim(STAGE).__enter__()
    assert len(reads) >= 4
    monkeypatch.setattr(Shelf, "unreadable", [])
    with one.claim(STAGE) as progress:
        assert progress is not None
