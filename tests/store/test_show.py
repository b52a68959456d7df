from __future__ import annotations

import errno
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from stored_stages import SCORE, WORLD, refuse

from adaptstilts.errors import DamagedError, StoreError, UnreadableError
from adaptstilts.store import manifest as manifests
from adaptstilts.store.gc import find_waste
from adaptstilts.store.leases import Lease
from adaptstilts.store.manifest import manifest_text
from adaptstilts.store.process import here
from adaptstilts.store.shared import SharedStore
from adaptstilts.store.show import check_kinds, details, details_text, listing, listing_text, resolve
from adaptstilts.store.stage import make_stage
from adaptstilts.store.store import MANIFEST, Store
from adaptstilts.store.verify import verify_store
from adaptstilts.study.plan.jobs import DataJob, ScoreJob

OTHER = make_stage("score qa", "qa", ScoreJob("qa", (), WORLD.key, None), (WORLD.key,))
DEAD = replace(here(), started="1")


def make(store, *stages):
    for stage in stages:
        with store.writing(stage, {"python": "x"}) as folder:
            (folder / "a.bin").write_bytes(stage.name.encode() * 100)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store")
    make(store, WORLD, SCORE, OTHER)
    return store


def test_listing_says_what_each_artefact_is_and_cost(store):
    rows = listing(store.artefacts())
    assert [row["name"] for row in rows] == ["generate the world", "score nli", "score qa"]
    assert rows[1] | {"age_seconds": 0, "seconds": 0} == {
        "name": "score nli",
        "kind": "score",
        "key": SCORE.key,
        "bytes": 900,
        "age_seconds": 0,
        "seconds": 0,
        "host": here().host,
    }
    text = listing_text(rows)
    assert text.splitlines()[-1].startswith("3 artefacts, 3.5 kB, 0.")
    assert text.endswith("(1 data, 2 score)")
    assert listing_text([]).endswith("0 artefacts, 0 B, 0.0 s to make")


def test_listing_shows_no_negative_age(store):
    row = listing(store.artefacts())[0]
    ages = {3600: "60 min", -3: "0.0 s", -86400: "future", None: ""}
    for seconds, text in ages.items():
        line = listing_text([row | {"age_seconds": seconds}]).splitlines()[1]
        assert line.split("1.8 kB")[1].startswith(f"  {text or '   '}  ")


def test_kinds_that_are_none_are_refused_with_near_matches():
    assert check_kinds(None) is None
    assert check_kinds(["train"]) == ["train"]
    with pytest.raises(StoreError, match=r"'trian' is not a kind of stage\. Did you mean 'train'\?"):
        check_kinds(["trian"])


@pytest.mark.parametrize("word", [SCORE.key, SCORE.key[:6], SCORE.key[:16].upper(), "score nli", "nli"])
def test_resolve_takes_keys_digits_and_names(store, word):
    assert resolve(store.artefacts(), word).key == SCORE.key


def test_resolve_names_near_matches_and_all_that_a_word_could_be(store):
    with pytest.raises(StoreError, match=r"no artefact 'score nil'\. Did you mean 'score nli'\?.*store ls"):
        resolve(store.artefacts(), "score nil")
    with pytest.raises(StoreError, match=rf"no artefact '{SCORE.key[:3]}'\..* at least 4 digits of the key"):
        resolve(store.artefacts(), SCORE.key[:3])
    twin = make_stage("score nli", "nli", ScoreJob("nli", (), "x", None))
    make(store, twin)
    with pytest.raises(StoreError, match=rf"'score nli' names 2 artefacts\. Allowed: .*{twin.key[:16]} \(score nli\)"):
        resolve(store.artefacts(), "score nli")


@pytest.mark.parametrize("word", [SCORE.key, SCORE.key[:6].upper(), "nli", f"nli-{SCORE.key[:16]}"])
def test_artefact_whose_manifest_is_damaged_is_found_by_its_folder(store, word):
    (store.find(SCORE).folder / MANIFEST).write_text("{")
    damaged = []
    known = store.artefacts(on_damage=damaged.append)
    with pytest.raises(DamagedError, match=r"manifest\.json: damaged"):
        resolve(known, word, damaged)
    checked = verify_store(store, [word, "qa"], lambda *step: None)
    assert (checked.artefacts, [str(error) for error in checked.damaged]) == (1, [str(damaged[0])])


def test_words_name_what_is_damaged_beside_what_is_not(store):
    twin = make_stage("score nli", "nli", ScoreJob("nli", (), "x", None))
    make(store, twin)
    (store.find(SCORE).folder / MANIFEST).write_text("{")
    damaged = []
    known = store.artefacts(on_damage=damaged.append)
    with pytest.raises(StoreError, match=rf"'nli' names 2 artefacts\. Allowed: .*{SCORE.key[:16]} \(damaged\)"):
        resolve(known, "nli", damaged)
    with pytest.raises(StoreError, match=r"no artefact 'world 2'\..* 1 damaged manifest, see: .* verify"):
        resolve(known, "world 2", damaged)


def test_damaged_artefacts_at_an_address_are_found_by_digits(tmp_path):
    store = SharedStore("memory://damaged", tmp_path)
    make(store, WORLD, SCORE)
    store.remote.write(b"{", "score", SCORE.key[:16], MANIFEST)
    checked = verify_store(store, [SCORE.key[:8]], lambda *step: None)
    assert "manifest.json: damaged" in str(checked.damaged[0])
    MemoryFileSystem.store.clear()


def test_details_name_what_an_artefact_was_made_from_and_what_from_it(store):
    known = store.artefacts()
    world = details(known, resolve(known, "world"))
    assert [item["key"] for item in world["used_by"]] == sorted(
        [SCORE.key, OTHER.key], key=[i.key for i in known].index
    )
    score = details(known, resolve(known, "nli"))
    assert score["made_from"] == [{"key": WORLD.key, "name": "generate the world", "there": True}]
    assert json.loads(json.dumps(score))["manifest"]["key"] == SCORE.key
    text = details_text(score)
    assert f"made from  {WORLD.key[:16]} generate the world" in text
    assert "used by    nothing" in text
    assert "a.bin" in text
    store.discard(WORLD)
    known = store.artefacts()
    assert f"{WORLD.key[:16]} not in this store" in details_text(details(known, resolve(known, "nli")))


def test_verify_reads_every_byte_and_names_each_damaged_file_and_missing_input(store):
    steps = []
    checked = verify_store(store, (), lambda *step: steps.append(step))
    assert (checked.artefacts, checked.bytes, checked.damaged, checked.missing) == (3, 3500, [], [])
    assert steps[-1] == (3500, 3500, "score qa")
    for stage in (SCORE, OTHER):
        path = store.find(stage).folder / "a.bin"
        path.write_bytes(b"X" + path.read_bytes()[1:])
    (store.find(WORLD).folder / MANIFEST).write_text("{")
    checked = verify_store(store, (), lambda *step: None)
    assert [error.path.name for error in checked.damaged] == [MANIFEST, "a.bin", "a.bin"]
    assert len(checked.missing) == 2
    assert checked.missing[0].startswith(f"score nli: its input {WORLD.key[:16]} is not in the store")
    assert checked.text().endswith("2 artefacts, 1.7 kB read: 3 damaged files")
    assert verify_store(store, ["nli"], lambda *step: None).record()["damaged"] == [str(checked.damaged[1])]


def test_verify_of_a_folder_that_cannot_be_listed_is_an_error(store, monkeypatch):
    refuse(monkeypatch, "listdir", "score")
    with pytest.raises(StoreError, match=r"score: cannot be read: Input/output error\. Check its permissions"):
        verify_store(store, (), lambda *step: None)


def test_verify_goes_on_after_a_manifest_that_cannot_be_read(store, monkeypatch):
    refuse(monkeypatch, "open", f"{SCORE.key[:16]}/{MANIFEST}")
    checked = verify_store(store, (), lambda *step: None)
    (error,) = checked.damaged
    assert isinstance(error, UnreadableError)
    assert str(error) == (
        f"{store.folder(SCORE) / MANIFEST}: cannot be read: Input/output error. "
        "Check its permissions, its disk and the network."
    )
    assert checked.artefacts == 2


def test_verify_goes_on_after_an_artefact_that_cannot_be_read(store, monkeypatch):
    folder = store.find(SCORE).folder
    read = manifests.content_hash

    def refuse(path, **how):
        if path.is_relative_to(folder):
            raise OSError(5, "Input/output error")
        return read(path, **how)

    monkeypatch.setattr(manifests, "content_hash", refuse)
    checked = verify_store(store, (), lambda *step: None)
    (error,) = checked.damaged
    assert str(error) == f"{folder}: cannot be read: Input/output error. Check the disk, and verify again."
    assert checked.text().endswith("0 damaged files, 1 artefact cannot be read")


def test_manifest_that_cannot_be_read_is_not_counted_as_damage(store, monkeypatch):
    refuse(monkeypatch, "open", f"{SCORE.key[:16]}/{MANIFEST}", errno.EACCES)
    checked = verify_store(store, [], lambda *_: None)
    assert checked.text().endswith("read: 0 damaged files, 1 artefact cannot be read")


@pytest.mark.parametrize("number", [5, 13, 116])
def test_folder_whose_manifest_cannot_be_seen_is_no_waste(store, monkeypatch, number):
    folder = store.find(SCORE).folder
    ask = os.stat

    def fail(path, *more, **options):
        if str(path).startswith(f"{folder}/"):
            raise OSError(number, os.strerror(number), str(path))
        return ask(path, *more, **options)

    for path in (folder, *folder.iterdir()):
        os.utime(path, (0, 0))
    monkeypatch.setattr(os, "stat", fail)
    waste = find_waste(store)
    waste.remove()
    monkeypatch.undo()
    assert (waste.items, store.open(SCORE) is None) == ([], False)


def what(waste):
    return [item["what"] for item in waste.record()["items"]]


def test_waste_of_a_tidy_store_is_nothing(store):
    with store.claim(SCORE), store.writing(make_stage("x", "x", DataJob(1, 9, 1, 1, 1)), {}):
        waste = find_waste(store)
    assert (waste.items, waste.text()) == ([], "nothing to remove")


def test_leftovers_are_found_and_removed_and_nothing_else(store):
    root = store.root
    leases = root / ".leases"
    leases.mkdir(exist_ok=True)
    dead = f"{SCORE.key[:16]}.lease"
    (leases / dead).write_text(Lease("old", DEAD, 0, dead).text())
    for name, days in ((".claims", 5), (".running", 0)):
        (root / name).mkdir()
        os.utime(root / name, (time.time() - days * 86400,) * 2)
    unfinished = root / ".unfinished"
    far = replace(DEAD, host="elsewhere").text
    for name in (f"{DEAD.text}~aa~1", f"{far}~bb~old", f"{far}~cc~new", f"{here().text}~dd~1"):
        (unfinished / name).mkdir(parents=True)
    for folder in (unfinished / f"{far}~bb~old", unfinished / f"{here().text}~dd~1"):
        os.utime(folder, (time.time() - 5 * 86400,) * 2)
    for digits in (SCORE.key[:16], "f" * 16):
        (root / ".resume" / digits).mkdir(parents=True)
        (root / ".resume" / digits / "state").write_bytes(b"x" * 10)
    broken = root / "score" / f"gone-{'e' * 16}"
    broken.mkdir()
    (broken / "a").write_text("x")
    for path in (broken / "a", broken):
        os.utime(path, (time.time() - 5 * 86400,) * 2)
    waste = find_waste(store)
    assert what(waste) == [
        f"dead claim {dead}",
        ".claims, which an older version left",
        f"unfinished {far}~bb~old",
        f"unfinished {DEAD.text}~aa~1",
        f"without a manifest {broken.name}",
        f"state to resume {SCORE.key[:16]}, which is finished",
    ]
    assert waste.text().endswith("would remove 6 things, 11 B; do it with --yes (in Python: remove())")
    assert broken.exists()
    waste.remove()
    assert waste.text().endswith("removed 6 things, 11 B")
    assert find_waste(store).items == []
    assert list(leases.iterdir()) == []
    assert len(list(unfinished.iterdir())) == 2
    assert (root / ".resume" / ("f" * 16) / "state").exists()
    assert len(store.find_all([WORLD, SCORE, OTHER])) == 3


def test_artefacts_that_no_study_needs_go_only_when_studies_are_named_and_never_when_claimed(store):
    needed = {WORLD.key, SCORE.key}
    with store.claim(OTHER):
        assert find_waste(store, needed).items == []
    waste = find_waste(store, needed)
    (found,) = what(waste)
    assert found.startswith("score qa (qa-")
    assert found.endswith("no named study needs it")
    waste.remove()
    assert store.find_all([WORLD, SCORE, OTHER]).keys() == needed


def test_folder_that_changes_while_it_is_looked_at_stays(store, monkeypatch):
    far = replace(here(), host="elsewhere")
    folder = store.root / ".unfinished" / f"{far.text}~{WORLD.key[:16]}~0abc"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "file").touch()
    for path in (folder / "sub" / "file", folder / "sub", folder):
        os.utime(path, (0, 0))
    assert len(find_waste(store).items) == 1
    stat = Path.stat

    def vanish(path: Path, **options):
        if path.name in gone:
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", vanish)
    gone: list[str] = []
    for name in (folder.name, "sub", "file"):
        gone[:] = [name]
        assert find_waste(store).items == []


def test_states_to_resume_what_no_study_needs_go_when_they_are_old_and_studies_are_named(store):
    ages = {"a" * 16: 5, "b" * 16: 0, SCORE.key[:16]: 5, "c" * 16: 5}
    store.discard(SCORE)
    for digits, days in ages.items():
        folder = store.root / ".resume" / digits
        folder.mkdir(parents=True)
        os.utime(folder, (time.time() - days * 86400,) * 2)
    needed = {WORLD.key, SCORE.key, OTHER.key}
    with store.claim_of("c" * 16):
        assert find_waste(store).items == []
        waste = find_waste(store, needed)
    assert what(waste) == [f"state to resume {'a' * 16}, which no named study needs"]
    waste.remove()
    assert sorted(path.name for path in (store.root / ".resume").iterdir()) == sorted(ages.keys() - {"a" * 16})


def test_what_is_damaged_is_named_and_stays(store):
    (store.find(SCORE).folder / MANIFEST).write_text("{")
    waste = find_waste(store, {WORLD.key, OTHER.key})
    assert waste.items == []
    assert waste.text().startswith("left  ")
    assert "manifest.json: damaged" in waste.text()
    assert waste.text().endswith("\nnothing to remove")
    (told,) = waste.record()["damaged"]
    assert "manifest.json: damaged" in told
    waste.remove()
    assert (store.root / "score" / f"nli-{SCORE.key[:16]}").is_dir()


def test_what_comes_into_use_before_it_is_removed_stays(store):
    broken = store.root / "data" / f"gone-{'e' * 16}"
    state = store.root / ".resume" / SCORE.key[:16]
    far = replace(here(), host="elsewhere").text
    unfinished, former = store.root / ".unfinished" / f"{far}~{OTHER.key[:16]}~0abc", store.root / ".claims"
    for folder in (broken, state, unfinished, former):
        folder.mkdir(parents=True)
        os.utime(folder, (time.time() - 5 * 86400,) * 2)
    waste = find_waste(store, {WORLD.key, SCORE.key})
    assert len(waste.items) == 5
    (broken / MANIFEST).write_text("{")
    (former / "x.lock").touch()
    with store.claim(SCORE), store.claim(OTHER):
        waste.remove()
    assert [folder.exists() for folder in (broken, state, unfinished, former)] == [True] * 4
    assert store.find(OTHER) is not None
    assert waste.text() == "nothing to remove"


def test_artefacts_of_older_formats_are_waste_and_of_newer_ones_not(store):
    for stage, version in ((SCORE, 3), (OTHER, 999)):
        path = store.find(stage).folder / MANIFEST
        path.write_text(manifest_text({**json.loads(path.read_text()), "format": version}))
    assert [item.split(": ")[1] for item in what(find_waste(store, {WORLD.key}))] == ["of an older format, 3"]


def test_waste_of_a_shared_store_is_at_its_address_too(tmp_path):
    store = SharedStore("memory://waste", tmp_path)
    make(store, WORLD, SCORE)
    name = f"{OTHER.key[:16]}.lease"
    store.remote.write(Lease("old", DEAD, 0, name).text().encode(), ".leases", name)
    store.remote.write(b"x", "data", WORLD.key[:16], "0abc", "a.bin")
    waste = find_waste(store, {WORLD.key})
    assert what(waste)[:2] == [f"dead claim {name}", f"broken-off upload data/{WORLD.key[:16]}/0abc"]
    assert len(what(waste)) == 3
    waste.remove()
    assert find_waste(store, {WORLD.key}).items == []
    assert store.present([WORLD, SCORE]) == {WORLD.key}
    MemoryFileSystem.store.clear()
