from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from stored_stages import SCORE, WORLD

from adaptstilts.errors import DamagedError, StoreError, WriteError
from adaptstilts.store.archive import CHECKSUMS, choose, export, import_bundle
from adaptstilts.store.manifest import manifest_text
from adaptstilts.store.shared import SharedStore
from adaptstilts.store.store import MANIFEST, Store


def without_host(manifest):
    return {name: value for name, value in manifest.items() if name != "host"}


def nothing_placed(store):
    return store.artefacts() == [] and [*store.root.rglob("*")] == [store.root / ".unfinished"]


@pytest.mark.parametrize("name", ["b.tar", "b.TAR.GZ", "b.tgz", "folder", "folder.v2"])
def test_artefacts_travel_with_their_inputs_in_any_form(store, tmp_path, name):
    chosen = choose(store, ["nli"], with_inputs=True)
    assert [artefact.key for artefact in chosen] == [WORLD.key, SCORE.key]
    export(chosen, tmp_path / name)
    other = Store(tmp_path / "other")
    done = import_bundle(other, tmp_path / name)
    assert sorted(done.placed) == ["generate the world", "score nli"]
    for stage in (WORLD, SCORE):
        assert other.open(stage).manifest == without_host(store.find(stage).manifest)
    again = import_bundle(other, tmp_path / name)
    assert (again.placed, len(again.there)) == ([], 2)
    assert again.text() == "0 artefacts placed, 2 were there"
    assert {path.name for path in (tmp_path / "other").iterdir()} == {"data", "score", ".unfinished", ".leases"}


def cut(folder):
    (folder / "deep" / "a.bin").write_bytes(b"")


def flip_byte(folder):
    path = folder / "deep" / "a.bin"
    path.write_bytes(b"X" + path.read_bytes()[1:])


def remove_file(folder):
    (folder / "deep" / "a.bin").unlink()


def spoil_manifest(folder):
    (folder / MANIFEST).write_text("{")


def rename_and_spoil_manifest(folder):
    spoil_manifest(folder)
    folder.rename(folder.with_name(f"other-{SCORE.key[:16]}"))


@pytest.mark.parametrize("spoil", [cut, flip_byte, remove_file, spoil_manifest, rename_and_spoil_manifest])
def test_import_replaces_what_is_damaged_and_says_so(store, tmp_path, spoil):
    export(choose(store, ["nli"], with_inputs=True), tmp_path / "b.tar")
    spoil(store.find(SCORE).folder)
    done = import_bundle(store, tmp_path / "b.tar")
    assert done.record() == {
        "placed": [],
        "replaced": ["score nli"],
        "there": ["generate the world"],
        "other": [],
        "busy": [],
        "old": [],
    }
    assert done.text().splitlines() == [
        "replaced score nli, which was damaged",
        "0 artefacts placed, 1 replaced, 1 were there",
    ]
    assert store.open(SCORE) is not None
    assert len(store.artefacts()) == 2
    assert len(import_bundle(store, tmp_path / "b.tar").there) == 2


@pytest.mark.parametrize("part", ["a.bin", MANIFEST])
def test_import_replaces_what_is_damaged_at_an_address(store, tmp_path, part):
    export(choose(store, ["nli"], with_inputs=True), tmp_path / "b.tar")
    shared = SharedStore("memory://here", tmp_path / "one")
    import_bundle(shared, tmp_path / "b.tar")
    (name,) = [name for name in MemoryFileSystem.store if "/score/" in name and name.endswith(part)]
    shared.remote.write(b"{", *name.split("/")[2:])
    try:
        for machine in ("one", "two"):
            here = SharedStore("memory://here", tmp_path / machine)
            done = import_bundle(here, tmp_path / "b.tar")
            assert (done.placed, done.replaced) == ([], ["score nli"] if machine == "one" else [])
            assert SharedStore("memory://here", tmp_path / f"from {machine}").open(SCORE) is not None
            assert here.orphans() == []
    finally:
        MemoryFileSystem.store.clear()


@pytest.mark.parametrize(("name", "differs"), [("scores.json", True), ("training.json", False)])
def test_import_says_where_the_store_has_other_content_under_a_key(tmp_path, name, differs):
    bundles = []
    for content in ("50.0", "50.1"):
        maker = Store(tmp_path / f"maker of {content}")
        with maker.writing(SCORE, {}) as folder:
            (folder / name).write_text(content)
        bundles.append(tmp_path / f"{content}.tar")
        export(choose(maker, [SCORE.key], with_inputs=False), bundles[-1])
    other = Store(tmp_path / "other")
    import_bundle(other, bundles[0])
    done = import_bundle(other, bundles[1])
    assert (done.other, done.there) == ((["score nli"], []) if differs else ([], ["score nli"]))
    if differs:
        assert done.text().splitlines() == [
            "left score nli as it is in the store: its content in the bundle is another",
            "0 artefacts placed, 0 were there, 1 left",
        ]
    assert other.open(SCORE).file(name).read_text() == "50.0"


def test_import_leaves_what_a_process_is_making_to_it(store, tmp_path):
    export(choose(store, ["nli"], with_inputs=True), tmp_path / "b.tar")
    other = Store(tmp_path / "other")
    with other.claim(SCORE):
        done = import_bundle(other, tmp_path / "b.tar")
    assert (done.placed, done.busy) == (["generate the world"], ["score nli"])
    assert done.text().splitlines()[1:] == [
        "left score nli, which a process is making",
        "1 artefact placed, 0 were there, 1 left",
    ]
    assert other.find(SCORE) is None


def test_checksums_of_a_folder_are_read_by_the_usual_tool(store, tmp_path):
    export(choose(store, ["nli", "world"], with_inputs=False), tmp_path / "folder")
    if shutil.which("sha256sum") is None:
        pytest.skip("sha256sum is not installed")
    told = subprocess.check_output(["sha256sum", "-c", CHECKSUMS], cwd=tmp_path / "folder", text=True)
    assert told.count(": OK") == 4


def test_artefacts_travel_between_addresses(store, tmp_path):
    export(choose(store, ["nli"], with_inputs=True), tmp_path / "b.tar")
    shared = SharedStore("memory://here", tmp_path / "one")
    import_bundle(shared, tmp_path / "b.tar")
    other = SharedStore("memory://here", tmp_path / "two")
    assert other.open(SCORE) is not None
    export(choose(SharedStore("memory://here", tmp_path / "three"), ["nli"], with_inputs=False), tmp_path / "back.tar")
    last = Store(tmp_path / "last")
    import_bundle(last, tmp_path / "back.tar")
    assert last.open(SCORE).manifest == without_host(store.find(SCORE).manifest)
    MemoryFileSystem.store.clear()


def test_export_refuses_a_target_that_is_there_and_inputs_that_are_not(store, tmp_path):
    (tmp_path / "b.tar").write_text("mine")
    with pytest.raises(StoreError, match=r"b\.tar: exists already\. Give another name"):
        export(choose(store, ["nli"], with_inputs=False), tmp_path / "b.tar")
    store.discard(WORLD)
    with pytest.raises(StoreError, match=rf"score nli: its input {WORLD.key[:16]} is not in the store"):
        choose(store, ["nli"], with_inputs=True)
    with pytest.raises(WriteError, match=r"c\.tar: cannot be written: .*Give another place"):
        export(choose(store, ["nli"], with_inputs=False), tmp_path / "b.tar" / "c.tar")


@pytest.mark.parametrize("name", ["c.zip", "c.7z", "c.tar.bz2", "c.tar.XZ", "c.gz"])
def test_export_refuses_archives_of_other_kinds(store, tmp_path, name):
    with pytest.raises(StoreError, match=r"cannot write a \.\w+ file\. Allowed: \.tar, \.tar\.gz, \.tgz\."):
        export(choose(store, ["nli"], with_inputs=False), tmp_path / name)
    assert not (tmp_path / name).exists()


def test_export_of_a_damaged_artefact_writes_nothing(store, tmp_path):
    chosen = choose(store, ["nli"], with_inputs=False)
    (chosen[0].folder / "deep" / "a.bin").write_bytes(b"x" * 900)
    for name in ("b.tar", "folder"):
        with pytest.raises(DamagedError, match=r"a\.bin: damaged"):
            export(chosen, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


@pytest.mark.parametrize("stage", [WORLD, SCORE])
def test_export_of_what_has_a_damaged_manifest_names_it(store, stage):
    (store.find(stage).folder / MANIFEST).write_text("{")
    with pytest.raises(DamagedError, match=rf"{stage.key[:16]}/manifest\.json: damaged"):
        choose(store, ["nli"], with_inputs=True)


def change_manifest(folder, **changes):
    (path,) = folder.glob(f"score/*/{MANIFEST}")
    path.write_text(manifest_text({**json.loads(path.read_text()), **changes}))
    lines = [line for line in (folder / CHECKSUMS).read_text().splitlines() if MANIFEST not in line]
    for manifest in folder.glob(f"*/*/{MANIFEST}"):
        digits = hashlib.sha256(manifest.read_bytes()).hexdigest()
        lines.append(f"{digits}  {manifest.relative_to(folder).as_posix()}")
    (folder / CHECKSUMS).write_text("\n".join(lines))


def flip(folder):
    (path,) = folder.glob("score/*/deep/a.bin")
    path.write_bytes(b"X" + path.read_bytes()[1:])


def rename(folder):
    (path,) = folder.glob("score/*")
    path.rename(path.with_name(f"nli-{'0' * 16}"))


def link(folder):
    (path,) = folder.glob("score/*/deep/a.bin")
    path.with_name("b").symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (flip, r"score/nli-\w+/deep/a\.bin: damaged"),
        (rename, "the folder's name does not fit its manifest"),
        (link, "deep/b' is a link, a pipe or a device"),
        (lambda folder: change_manifest(folder, key="0" * 64), "key 0000000000000000 does not match its content"),
        (lambda folder: change_manifest(folder, inputs=[]), "does not match its content"),
        (lambda folder: change_manifest(folder, slug="../../nli"), "'slug' is '../../nli', not the name"),
        (
            lambda folder: change_manifest(folder, files={"../a": {"bytes": 1, "sha256": "0" * 64}}),
            "'../a' is not a path",
        ),
        (lambda folder: change_manifest(folder, files={"b": {"bytes": 1, "sha256": "0" * 64}}), "b: missing or cut"),
        (lambda folder: (folder / CHECKSUMS).write_text(""), "manifest.json: damaged"),
        (lambda folder: (folder / CHECKSUMS).unlink(), "lacks SHA256SUMS"),
    ],
    ids=["byte", "name", "link", "key", "inputs", "slug", "traversal", "missing", "sums", "no sums"],
)
def test_import_refuses_a_bundle_with_anything_wrong_and_places_nothing(store, tmp_path, spoil, message):
    export(choose(store, ["nli"], with_inputs=True), tmp_path / "folder")
    spoil(tmp_path / "folder")
    other = Store(tmp_path / "other")
    with pytest.raises(StoreError, match=message):
        import_bundle(other, tmp_path / "folder")
    assert nothing_placed(other)


def archive(path, *members):
    with tarfile.open(path, "w") as tar:
        for name, kind in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info, io.BytesIO())


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("../evil", tarfile.REGTYPE, r"'\.\./evil' leads out of the bundle"),
        ("/evil", tarfile.REGTYPE, "leads out"),
        ("data/x/../../../evil", tarfile.REGTYPE, "leads out"),
        ("data/x/a", tarfile.SYMTYPE, "is a link or a device"),
        ("data/x/a", tarfile.LNKTYPE, "is a link or a device"),
        ("data/x/a", tarfile.FIFOTYPE, "is a link or a device"),
        ("data/x/a", tarfile.REGTYPE, "holds no artefact"),
    ],
)
def test_import_refuses_archives_that_lead_elsewhere(tmp_path, name, kind, message):
    archive(tmp_path / "b.tar", ("data/x/first", tarfile.REGTYPE), (name, kind))
    with pytest.raises(StoreError, match=message):
        import_bundle(Store(tmp_path / "inner" / "store"), tmp_path / "b.tar")
    assert not list(tmp_path.rglob("evil"))


def test_import_says_what_is_no_bundle(store, tmp_path):
    with pytest.raises(StoreError, match=r"none\.tar: no such bundle\. Make one with: adaptstilts store export"):
        import_bundle(store, tmp_path / "none.tar")
    for content in ("text", "", "x" * 2000):
        (tmp_path / "b.tar").write_text(content)
        with pytest.raises(StoreError, match=r"not a readable bundle: .*\. Is it whole\?") as found:
            import_bundle(store, tmp_path / "b.tar")
        assert "\n" not in str(found.value)
    export(choose(store, ["nli"], with_inputs=True), tmp_path / "whole.tar.gz")
    (tmp_path / "cut.tar.gz").write_bytes((tmp_path / "whole.tar.gz").read_bytes()[:300])
    content = (tmp_path / "whole.tar.gz").read_bytes()
    (tmp_path / "turned.tar.gz").write_bytes(content[:300] + content[300:400][::-1] + content[400:])
    for name in ("cut", "turned"):
        # What is turned round may end in the archive's structure, or in the text of a manifest.
        with pytest.raises(StoreError, match=rf"{name}\.tar\.gz: .*not a (readable bundle|usable manifest): "):
            import_bundle(Store(tmp_path / "other"), tmp_path / f"{name}.tar.gz")
