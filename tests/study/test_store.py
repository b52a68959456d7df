import errno
import json

import pytest

from adaptstilts.errors import StoreError, WriteError
from adaptstilts.study.stages import DataJob, make_stage
from adaptstilts.study.store import MANIFEST, Store

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
        match=r"a\.txt: missing or cut short\. Rebuild it: adaptstilts run CONFIG --rebuild, or remove .*mini-",
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
    path.write_text(json.dumps({**json.loads(path.read_text()), "key": "0" * 64}))
    with pytest.raises(StoreError, match="manifest is of another stage"):
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
