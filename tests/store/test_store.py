import errno
import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from claimers import race, start_holder
from safetensors import SafetensorError

from adaptstilts.errors import DamagedError, StoreError, WriteError
from adaptstilts.store import store as store_module
from adaptstilts.store.manifest import manifest_text
from adaptstilts.store.objects import FolderObjects
from adaptstilts.store.process import here
from adaptstilts.store.stage import FORMAT_VERSION, make_stage
from adaptstilts.store.store import MANIFEST, Store
from adaptstilts.study.plan.jobs import DataJob

STAGE = make_stage("generate", "mini", DataJob(1, 1, 10, 10, 10))
OTHER = make_stage("generate", "mini", DataJob(1, 2, 10, 10, 10))


def make(store, stage=STAGE, text="rows"):
    with store.writing(stage, {"python": "x"}) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "a.txt").write_text(text)
    return store.find(stage)


def test_artefact_is_found_by_key_with_everything_recorded(tmp_path):
    artefact = make(Store(tmp_path))
    assert artefact.folder.parent == tmp_path / "data"
    assert artefact.manifest["key"] == STAGE.key
    assert artefact.manifest["job"]["seed"] == 1
    assert artefact.manifest["files"]["sub/a.txt"]["bytes"] == 4
    assert artefact.seconds >= 0


def test_artefact_is_found_under_another_slug(tmp_path):
    artefact = make(Store(tmp_path))
    renamed = artefact.folder.with_name(f"other-{STAGE.key[:16]}")
    artefact.folder.rename(renamed)
    assert Store(tmp_path).find(STAGE).folder == renamed


def test_find_returns_none_when_nothing_was_made(tmp_path):
    assert Store(tmp_path / "none").find(STAGE) is None
    make(Store(tmp_path))
    assert Store(tmp_path).find(OTHER) is None


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_kept_when_writing_is_interrupted(tmp_path, error):
    store = Store(tmp_path)
    with pytest.raises(error), store.writing(STAGE, {}) as folder:
        (folder / "a.txt").write_text("half")
        raise error
    assert store.find(STAGE) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_system_errors_while_writing_name_the_store_and_what_to_do(tmp_path):
    message = r"No space left on device \(a\.bin\)\. Set store=FOLDER, or make room"
    with pytest.raises(WriteError, match=message), Store(tmp_path).writing(STAGE, {}):
        raise OSError(errno.ENOSPC, "No space left on device", "a.bin")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_writing_says_so_when_the_place_of_artefacts_is_a_file(tmp_path):
    (tmp_path / "data").write_text("x")
    with pytest.raises(WriteError, match=r"cannot be written: File exists \(.*data\)"):
        make(Store(tmp_path))


def test_artefact_that_another_process_made_meanwhile_is_kept(tmp_path):
    store = Store(tmp_path)
    with store.writing(STAGE, {}) as folder:
        (folder / "a.txt").write_text("second")
        (folder.parent / "other").mkdir()
        made = {"key": STAGE.key, "files": {}, "inputs": [], "seconds": 1}
        (folder.parent / "other" / "manifest.json").write_text(json.dumps(made))
        store.folder(STAGE).parent.mkdir()
        (folder.parent / "other").rename(store.folder(STAGE))
    assert [path.name for path in store.find(STAGE).folder.iterdir()] == ["manifest.json"]
    assert list((tmp_path / ".unfinished").iterdir()) == []


def test_artefact_that_comes_while_a_folder_without_a_manifest_is_removed_is_kept(tmp_path, monkeypatch):
    store = Store(tmp_path)
    final = store.root / STAGE.kind.value / STAGE.folder
    late, rename = [True], Path.rename

    def come(folder: Path, target: Path) -> Path:
        if folder == final and late:
            late.pop()
            (final / "old.txt").unlink()
            make(store, text="first")
        return rename(folder, target)

    final.mkdir(parents=True)
    (final / "old.txt").touch()
    monkeypatch.setattr(Path, "rename", come)
    make(store, text="second")
    assert (store.open(STAGE).folder / "sub" / "a.txt").read_text() == "first"
    assert store.unfinished() == []


def test_find_refuses_a_manifest_of_another_shape(tmp_path):
    artefact = make(Store(tmp_path))
    (artefact.folder / MANIFEST).write_text("[]")
    with pytest.raises(StoreError, match=r"manifest\.json: damaged: not a manifest\. Rebuild it: .* or remove .*mini-"):
        Store(tmp_path).find(STAGE)


def test_find_names_the_file_that_is_cut_short(tmp_path):
    artefact = make(Store(tmp_path))
    (artefact.folder / "sub" / "a.txt").write_text("ro")
    with pytest.raises(
        StoreError,
        match=r"a\.txt: missing or cut short\. Rebuild it: .*adaptstilts run CONFIG --rebuild, or remove .*mini-",
    ):
        Store(tmp_path).find(STAGE)


def test_verify_names_the_file_with_a_flipped_byte(tmp_path):
    store = Store(tmp_path)
    artefact = make(store)
    assert store.verify(artefact) == []
    (artefact.folder / "sub" / "a.txt").write_text("roWs")
    (wrong,) = store.verify(artefact)
    assert str(wrong).startswith(f"{artefact.folder}/sub/a.txt: damaged. Rebuild it")


def test_find_names_a_damaged_manifest(tmp_path):
    artefact = make(Store(tmp_path))
    (artefact.folder / MANIFEST).write_text("{")
    with pytest.raises(StoreError, match=r"manifest\.json: damaged"):
        Store(tmp_path).find(STAGE)


def test_find_refuses_a_manifest_of_another_stage(tmp_path):
    artefact = make(Store(tmp_path))
    path = artefact.folder / MANIFEST
    path.write_text(manifest_text({**json.loads(path.read_text()), "key": "0" * 64}))
    with pytest.raises(StoreError, match="manifest belongs to another stage"):
        Store(tmp_path).find(STAGE)


def test_writing_says_so_when_the_store_is_a_file(tmp_path):
    path = tmp_path / "store"
    path.write_text("")
    with pytest.raises(StoreError, match=r"cannot be written: .*Set store=FOLDER"), Store(path).writing(STAGE, {}):
        pass


def test_read_json_names_missing_and_damaged_files(tmp_path):
    artefact = make(Store(tmp_path))
    with pytest.raises(StoreError, match=r"lacks 'none\.json'"):
        artefact.read_json("none.json")
    with pytest.raises(StoreError, match=r"a\.txt: damaged"):
        artefact.read_json("sub/a.txt")


def test_manifest_says_how_where_and_when_it_was_made(tmp_path):
    manifest = make(Store(tmp_path)).manifest
    assert (manifest["format"], manifest["host"], manifest["kind"]) == (FORMAT_VERSION, here().host, "data")
    assert manifest["name"] == "generate"
    assert manifest["environment"] == {"python": "x"}
    assert manifest["inputs"] == []
    assert manifest["started"].endswith("Z")
    assert len(manifest["files"]["sub/a.txt"]["sha256"]) == 64


@pytest.mark.parametrize("call", [Store.find, Store.open, lambda store, stage: store.find_all([stage])])
def test_files_that_the_manifest_does_not_name_do_not_count(tmp_path, call):
    (make(Store(tmp_path)).folder / "extra").write_text("x")
    assert call(Store(tmp_path), STAGE)


def test_a_flipped_byte_in_any_file_is_found_by_open_and_by_verify_and_on_use(tmp_path):
    store = Store(tmp_path)
    with store.writing(STAGE, {}) as folder:
        (folder / "deep" / "er").mkdir(parents=True)
        for name in ("a.bin", "deep/b.bin", "deep/er/c.bin"):
            (folder / name).write_bytes(bytes(range(200)))
        (folder / "empty").touch()
    artefact = store.open(STAGE)
    files = [path for path in artefact.folder.rglob("*") if path.is_file() and path.stat().st_size]
    assert len(files) == 4
    for path in files:
        good, times = path.read_bytes(), path.stat()
        flipped = bytearray(good)
        flipped[len(good) // 2] ^= 1
        path.write_bytes(flipped)
        where = rf"{path.name}: damaged.* or remove {artefact.folder}\."
        if path.name == MANIFEST:
            assert not _is_same(store, artefact.manifest)
        else:
            with pytest.raises(DamagedError, match=where) as caught:
                store.open(STAGE)
            assert caught.value.folder == artefact.folder
            with pytest.raises(DamagedError, match=where):
                artefact.file(path.relative_to(artefact.folder).parts[0])
            assert [error.path for error in store.verify(artefact)] == [path]
        path.write_bytes(good)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert store.open(STAGE) == artefact


def _is_same(store, manifest):
    try:
        return store.open(STAGE).manifest == manifest
    except DamagedError:
        return False


def test_open_reads_a_file_again_only_if_it_was_written(tmp_path, monkeypatch):
    store = Store(tmp_path)
    path = make(store).folder / "sub" / "a.txt"
    store.open(STAGE)
    opened, read = Path.open, []
    monkeypatch.setattr(Path, "open", lambda one, *rest, **more: read.append(one) or opened(one, *rest, **more))
    assert store.open(STAGE) is not None
    assert path not in read
    times = path.stat()
    path.write_text("roWs")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(DamagedError, match=r"a\.txt: damaged"):
        store.open(STAGE)


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"../a": {"bytes": 1, "sha256": "0" * 64}}},
        {"files": {"/a": {"bytes": 1, "sha256": "0" * 64}}},
        {"files": {"a": {"bytes": 1}}},
        {"files": {"a": 1}},
        {"inputs": None},
        {"seconds": "long"},
        {"seconds": True},
        {"format": "4"},
        {"format": None},
        {"name": 1},
        {"kind": ["train"]},
        {"job": []},
        {"environment": None},
        {"inputs": [1]},
    ],
    ids=str,
)
def test_find_refuses_a_manifest_with_a_part_of_another_shape(tmp_path, change):
    path = make(Store(tmp_path)).folder / MANIFEST
    path.write_text(manifest_text({**json.loads(path.read_text()), **change}))
    with pytest.raises(DamagedError, match=r"manifest\.json: damaged: "):
        Store(tmp_path).find(STAGE)


def test_find_all_gives_what_is_there_in_the_order_of_the_stages(tmp_path):
    store = Store(tmp_path)
    third = make_stage("generate", "renamed", DataJob(1, 3, 10, 10, 10))
    for stage in (STAGE, third):
        make(store, stage)
    found = store.find_all([third, OTHER, replace(STAGE, slug="another")])
    assert list(found) == [third.key, STAGE.key]
    assert found[STAGE.key] == store.find(STAGE)
    assert store.present([OTHER, third]) == {third.key}


def test_find_all_tells_damage_and_goes_on_when_somebody_wants_to_know(tmp_path):
    store = Store(tmp_path)
    make(store, OTHER)
    damaged = make(store).folder / "sub" / "a.txt"
    damaged.write_text("")
    with pytest.raises(DamagedError, match=r"a\.txt: missing or cut short"):
        store.find_all([STAGE, OTHER])
    told = []
    assert list(store.find_all([STAGE, OTHER], on_damage=told.append)) == [OTHER.key]
    damaged.write_text("roWs")
    assert len(store.find_all([STAGE, OTHER])) == 2
    assert list(store.find_all([STAGE, OTHER], check=True, on_damage=told.append)) == [OTHER.key]
    assert [error.path for error in told] == [damaged, damaged]


def test_discard_removes_an_artefact_so_that_it_can_be_made_again(tmp_path):
    store = Store(tmp_path)
    path = make(store).folder / MANIFEST
    path.write_text("{")
    store.discard(STAGE)
    assert store.find(STAGE) is None
    assert list((tmp_path / ".unfinished").iterdir()) == []
    store.discard(STAGE)
    assert make(store) is not None


def test_remove_leftovers_takes_only_what_dead_processes_of_this_machine_left(tmp_path):
    store = Store(tmp_path)
    place = tmp_path / ".unfinished"
    dead = replace(here(), started="1")
    names = {
        "dead": f"{dead.text}~{STAGE.key[:16]}~ab",
        "alive": f"{here().text}~{STAGE.key[:16]}~ab",
        "elsewhere": f"{replace(dead, host=here().host + '-7').text}~{STAGE.key[:16]}~ab",
        "other boot": f"{replace(dead, space='x').text}~{STAGE.key[:16]}~ab",
        "strange": "a-folder",
    }
    for name in names.values():
        (place / name / "deep").mkdir(parents=True)
    store.remove_leftovers()
    assert {path.name for path in place.iterdir()} == set(names.values()) - {names["dead"]}


def test_two_folders_for_the_same_stage_do_not_meet(tmp_path):
    store = Store(tmp_path)
    with store.writing(STAGE, {}) as first, store.writing(STAGE, {}) as second:
        (first / "a").write_text("1")
        (second / "a").write_text("2")
    assert (store.open(STAGE).folder / "a").read_text() == "2"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_weights_that_find_no_room_are_an_error_of_the_store(tmp_path, number):
    error = SafetensorError(f"Error while serializing: I/O error: words (os error {number})")
    with (
        pytest.raises(WriteError, match=rf"cannot be written: {os.strerror(number)}"),
        Store(tmp_path).writing(STAGE, {}),
    ):
        raise error
    with pytest.raises(SafetensorError, match="header"), Store(tmp_path).writing(STAGE, {}):
        raise SafetensorError("header too large")


def test_errors_about_files_elsewhere_are_not_taken_for_the_stores(tmp_path):
    message = r"data\.tsv: cannot be read: No such file or directory\. Check the disk; the same command"
    with pytest.raises(StoreError, match=message) as caught, Store(tmp_path / "store").writing(STAGE, {}):
        (tmp_path / "data.tsv").read_text()
    assert not isinstance(caught.value, WriteError)


def test_artefact_that_cannot_be_read_is_not_taken_for_a_store_that_cannot_be_written(tmp_path):
    store = Store(tmp_path)
    make(store, OTHER)
    path = store.find(OTHER).folder / "a.txt"
    with pytest.raises(StoreError, match="cannot be read: Input/output error") as caught, store.writing(STAGE, {}):
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
    assert not isinstance(caught.value, WriteError)
    with pytest.raises(WriteError, match="cannot be written: Input/output error"), store.writing(STAGE, {}) as folder:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(folder / "a.txt"))


def test_nothing_counts_as_made_when_the_disk_is_full_at_the_manifest(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left"):
        make(Store(tmp_path))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only to root")
def test_claims_and_artefacts_need_a_folder_that_can_be_written(tmp_path):
    make(Store(tmp_path))
    for folder in (tmp_path, tmp_path / ".unfinished"):
        folder.chmod(0o555)
    try:
        with pytest.raises(WriteError, match="Permission denied"), Store(tmp_path).claim(OTHER):
            pass
        with pytest.raises(WriteError, match="Permission denied"):
            make(Store(tmp_path), OTHER)
        assert Store(tmp_path).open(STAGE) is not None
        assert not Store(tmp_path).is_claimed(STAGE)
    finally:
        for folder in (tmp_path, tmp_path / ".unfinished"):
            folder.chmod(0o755)


def test_claim_says_so_when_the_store_is_a_file(tmp_path):
    (tmp_path / "store").write_text("")
    store = Store(tmp_path / "store")
    with pytest.raises(WriteError, match=r"store: cannot be written: .*Set store=FOLDER"), store.claim(STAGE):
        pass


def test_errors_of_the_block_go_through_a_claim_as_they_are(tmp_path):
    with pytest.raises(FileNotFoundError, match="none"), Store(tmp_path).claim(STAGE):
        (tmp_path / "none").read_text()
    assert not Store(tmp_path).is_claimed(STAGE)


def test_claim_tells_who_makes_a_stage(tmp_path):
    store = pickle.loads(pickle.dumps(Store(tmp_path)))
    assert store.claimant(STAGE) is None
    with store.claim(STAGE) as is_mine, store.claim(OTHER) as is_other:
        assert None not in (is_mine, is_other)
        assert Store(tmp_path).is_claimed(STAGE)
        assert (Store(tmp_path).claimant(STAGE).host, store.claimant(STAGE).process) == (here().host, os.getpid())
    assert not store.is_claimed(STAGE)


def test_eight_processes_make_each_stage_once(tmp_path):
    stages = [make_stage("generate", "mini", DataJob(1, seed, 10, 10, 10)) for seed in range(20)]
    for _ in range(3):  # those that come late find the artefact
        won = race(lambda turn: _making(Store(tmp_path / "store"), stages[turn], tmp_path), processes=8, rounds=20)
    made = sorted((tmp_path / "made").read_text().split())
    assert made == sorted(stage.key for stage in stages)
    assert [len(winners) for winners in won] == [1] * 20
    assert len(Store(tmp_path / "store").find_all(stages, check=True)) == 20


class _making:  # noqa: N801 - stands where `Store.claim` does
    """Claims a stage and makes it if it is not there, as an engine does."""

    def __init__(self, store: Store, stage, notes: Path) -> None:
        self.claim, self.store, self.stage, self.notes = store.claim(stage), store, stage, notes

    def __enter__(self) -> bool:
        is_mine = self.claim.__enter__()
        if is_mine and self.store.find(self.stage) is None:
            make(self.store, self.stage)
            with (self.notes / "made").open("a") as file:
                file.write(f"{self.stage.key}\n")
        return is_mine

    def __exit__(self, *error) -> None:
        self.claim.__exit__(*error)


def test_stage_of_a_killed_process_is_made_by_the_next(tmp_path):
    code = (
        "import sys, time; from pathlib import Path\n"
        "from adaptstilts.study.plan.jobs import DataJob; from adaptstilts.store.stage import make_stage\n"
        "from adaptstilts.store.store import Store\n"
        "stage, store = make_stage('generate', 'mini', DataJob(1, 1, 10, 10, 10)), Store(Path(sys.argv[1]))\n"
        "with store.claim(stage) as is_mine, store.writing(stage, {}) as folder:\n"
        "    (folder / 'a').write_text('half'); print(is_mine is not None, flush=True); time.sleep(60)\n"
    )
    holder = start_holder(code, tmp_path)
    store = Store(tmp_path)
    try:
        store.remove_leftovers()
        assert len(store.unfinished()) == 1
        assert store.claimant(STAGE).process == holder.pid
    finally:
        holder.kill()
        holder.communicate()
    assert store.find(STAGE) is None
    with store.claim(STAGE) as is_mine:
        assert is_mine
        store.remove_leftovers()
        assert store.unfinished() == []
        assert make(store) is not None


def test_a_flipped_byte_in_every_place_of_a_manifest_is_found(tmp_path):
    store = Store(tmp_path)
    path = make(store).folder / MANIFEST
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DamagedError, match="manifest"):
            store.open(STAGE)
    path.write_bytes(whole)
    assert store.open(STAGE) is not None


@pytest.mark.parametrize("failures", [1, 3, 4])
def test_claim_that_cannot_be_read_is_tried_again_and_then_named(tmp_path, monkeypatch, failures):
    class Failing(FolderObjects):
        """Cannot be read during the first attempts."""

        def create(self, name, text):
            attempts.append(name)
            return super().create(name, text)

        def _read(self, name):
            if len(attempts) <= failures:
                raise OSError(errno.EIO, "Input/output error")
            return super()._read(name)

    attempts = []
    monkeypatch.setattr(store_module, "FolderObjects", Failing)
    monkeypatch.setattr(store_module, "_READING_PAUSES", (0.0, 0.0, 0.0))
    store = Store(tmp_path)
    if failures == 4:
        with pytest.raises(StoreError, match=r"\.leases/[0-9a-f]{16}\.lease: cannot be read: Input/output") as caught:
            store.claim(STAGE).__enter__()
        assert not isinstance(caught.value, WriteError)
        assert len(attempts) == 4
    with store.claim(STAGE) as progress:
        assert progress is not None
    assert list((tmp_path / ".leases").iterdir()) == []
