from __future__ import annotations

import os
import re
import shutil

import pytest
from commandline import say
from repository import CONFIGS
from stored_stages import SCORE, WORLD

from adaptstilts.store.shared import SharedStore
from adaptstilts.store.store import Store

QUICKSTART = CONFIGS / "quickstart.yaml"


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store")
    for stage in (WORLD, SCORE):
        with store.writing(stage, {"python": "x"}) as folder:
            (folder / "a.bin").write_bytes(stage.name.encode() * 100)
    return store


def test_ls_takes_the_store_as_an_argument_too(store):
    assert [row["key"] for row in say("store", "ls", store.root, "--json").json] == [WORLD.key, SCORE.key]
    said = say("store", "ls", store.root, "--store", "elsewhere")
    assert said.code == 2
    assert "the store is given twice" in said.err


def test_ls_lists_a_store(store):
    assert [row["key"] for row in say("store", "ls", "--store", store.root, "--json").json] == [WORLD.key, SCORE.key]
    said = say("store", "ls", "--store", store.root, "--kind", "score")
    assert said.code == 0
    assert said.out.splitlines()[1].startswith("score nli ")
    assert said.out.splitlines()[-1].startswith("1 artefact, 900 B, ")
    assert "Did you mean 'score'?" in say("store", "ls", "--store", store.root, "--kind", "scores").err


def test_show_shows_an_artefact_or_near_matches(store):
    said = say("store", "show", SCORE.key[:8], "--store", store.root)
    assert f"made from  {WORLD.key[:16]} generate the world" in said.out
    assert say("store", "show", "nli", "--store", store.root, "--json").json["manifest"]["key"] == SCORE.key
    said = say("store", "show", "score nil", "--store", store.root)
    assert (said.code, "Did you mean 'score nli'?" in said.err) == (2, True)


def test_damaged_manifest_is_told_of_the_artefact_asked_for_and_beside_others(store):
    (store.find(SCORE).folder / "manifest.json").write_text("{")
    for verb in ("show", "verify"):
        said = say("store", verb, SCORE.key[:8], "--store", store.root)
        assert (said.code, said.err.count("manifest.json: damaged")) == (2, 1)
    said = say("store", "show", "world", "--store", store.root)
    assert (said.code, said.err.count("manifest.json: damaged")) == (0, 1)


def test_verify_ends_with_2_and_one_line_for_each_damaged_file(store):
    assert say("store", "verify", "--store", store.root).out == "2 artefacts, 2.7 kB read: all as written\n"
    for stage in (WORLD, SCORE):
        (store.find(stage).folder / "a.bin").write_bytes(b"x")
    said = say("store", "verify", "--store", store.root)
    assert said.code == 2
    lines = [line for line in said.err.splitlines() if "a.bin: missing or cut short" in line]
    assert len(lines) == 2
    assert all("adaptstilts run CONFIG --rebuild" in line for line in lines)
    assert len(say("store", "verify", "nli", "--store", store.root, "--json").json["damaged"]) == 1


def test_gc_lists_what_no_study_needs_and_removes_it_when_told_to(store):
    assert say("store", "gc", "--store", store.root).out == "nothing to remove\n"
    said = say("store", "gc", QUICKSTART, "--store", store.root)
    assert said.out.endswith("would remove 2 things, 2.7 kB; do it with --yes (in Python: remove())\n")
    assert len(store.artefacts()) == 2
    assert say("store", "gc", QUICKSTART, "--store", store.root, "--yes", "--json").json["removed"] is True
    assert store.artefacts() == []


def study_in(folder, name, *lines):
    path = folder / name
    path.write_text(QUICKSTART.read_text() + "\n".join(lines) + "\n")
    return path


def planned(*words):
    """Keys of the training stages of a study."""
    stages = say("plan", *words, "--json").json["stages"]
    return [stage["key"] for stage in stages if stage["kind"] == "train"]


def pretend(store, keys):
    for key in keys:
        manifest = {"format": 999, "key": key, "name": key[:16], "slug": "x", "kind": "train", "job": {}, "files": {}}
        with store.adopting(manifest | {"inputs": [], "seconds": 0}):
            pass


def test_gc_takes_the_settings_that_studies_were_run_with(store, monkeypatch):
    monkeypatch.setattr("adaptstilts.store.gc.FORMAT_VERSION", 999)
    sweep = "adapter.reduction_factor=[4,16]"
    few, many = set(planned(QUICKSTART)), set(planned(QUICKSTART, sweep))
    assert few < many
    pretend(store, many)

    def unneeded(*words):
        items = say("store", "gc", *words, "--store", store.root, "--json").json["items"]
        return {item["what"].split()[0] for item in items if "no named study" in item["what"]} - {"generate", "score"}

    assert unneeded(QUICKSTART) == {key[:16] for key in many - few}
    assert unneeded(QUICKSTART, sweep) == set()
    said = say("store", "gc", sweep, "--store", store.root)
    assert (said.code, "settings without a study" in said.err) == (2, True)


def test_gc_looks_at_the_store_of_the_studies(store, tmp_path):
    one = study_in(tmp_path, "one.yaml", f"store: {store.root}")
    two = study_in(tmp_path, "two.yaml", f"store: {tmp_path}/./store/")
    for words in ((one,), (one, two), (one, "--store", store.root), (QUICKSTART, f"store={store.root}")):
        assert "would remove 2 things" in say("store", "gc", *words).out
    assert "would remove 2 things" in say("store", "gc", QUICKSTART, "--store", store.root).out


@pytest.mark.parametrize(
    "words", [("one.yaml", QUICKSTART), ("one.yaml", "--store", "other"), (QUICKSTART, "store=a", "--store", "b")]
)
def test_gc_refuses_several_stores(store, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    study_in(tmp_path, "one.yaml", f"store: {store.root}")
    said = say("store", "gc", *words)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "several stores are named (" in said.err
    assert "Name one store" in said.err


def test_gc_takes_the_local_folder_of_an_address_from_the_studies(tmp_path, monkeypatch):
    from fsspec.implementations.memory import MemoryFileSystem

    monkeypatch.chdir(tmp_path)
    SharedStore("memory://kept", tmp_path / "one").remote.write(b"x", "data", "a")
    (tmp_path / "one" / ".resume" / WORLD.key[:16]).mkdir(parents=True)
    os.utime(tmp_path / "one" / ".resume" / WORLD.key[:16], (0, 0))
    config = study_in(tmp_path, "one.yaml", "store: memory://kept", "store_cache: one")
    for words in ((config,), (config, "--store", "memory://kept"), (config, "--store", "memory://kept/")):
        assert "state to resume" in say("store", "gc", *words).out
    said = say("store", "gc", config, study_in(tmp_path, "two.yaml", "store: memory://kept"))
    assert "several stores are named (" in said.err
    MemoryFileSystem.store.clear()


def test_export_and_import_hand_artefacts_on(store, tmp_path):
    bundle = tmp_path / "nli.tar"
    said = say("store", "export", "nli", "--to", bundle, "--with-inputs", "--store", store.root)
    assert (said.code, said.out) == (0, f"{bundle}: 2 artefacts\n")
    shutil.rmtree(store.root)
    said = say("store", "import", bundle, "--store", store.root)
    assert said.out.splitlines()[-1] == "2 artefacts placed, 0 were there"
    assert say("store", "verify", "--store", store.root).code == 0
    assert say("store", "import", bundle, "--store", store.root, "--json").json["placed"] == []
    (tmp_path / "bad.tar").write_text("x")
    assert say("store", "import", tmp_path / "bad.tar", "--store", store.root).code == 2


def test_import_into_a_store_that_cannot_be_written_names_the_option(store, tmp_path):
    say("store", "export", "nli", "--to", tmp_path / "b.tar", "--store", store.root)
    (tmp_path / "file").write_text("x")
    said = say("store", "import", tmp_path / "b.tar", "--store", tmp_path / "file")
    assert (said.code, "cannot be written" in said.err, "Set --store FOLDER" in said.err) == (2, True, True)


def test_store_verbs_name_the_package_that_an_address_needs(tmp_path):
    said = say("store", "ls", "--store", "smb://host/x", "--store-cache", tmp_path)
    assert (said.code, "pip install smbprotocol" in said.err) == (2, True)


@pytest.mark.parametrize("words", [("ls",), ("show", "nli"), ("verify",), ("gc",), ("export", "nli", "--to", "b.tar")])
@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("{}/none", "there is no such folder"),
        ("{}/file", "is not a folder"),
        ("memory://none", "there is no such folder"),
        ("http://127.0.0.1:9/x", "cannot be read: .*127.0.0.1"),
    ],
)
def test_store_verbs_refuse_a_store_that_is_not_there(tmp_path, words, location, problem):
    (tmp_path / "file").write_text("x")
    said = say("store", *words, "--store", location.format(tmp_path), "--store-cache", tmp_path / "cache")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert re.search(problem, said.err)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
