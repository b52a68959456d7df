"""Whatever stands in the place of a manifest is one damaged artefact, and the others go on being listed and used."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commandline import say
from fsspec.implementations.memory import MemoryFileSystem
from special_files import bound_socket, device, folder, loop, pipe
from stand_in_work import QuietWatcher, StandInRunner
from stored_stages import SCORE, WORLD

import adaptstilts
from adaptstilts.engine import scheduler
from adaptstilts.engine.in_process import InProcessEngine
from adaptstilts.engine.scheduler import run_graph
from adaptstilts.store import manifest_fields
from adaptstilts.store.manifest import manifest_text
from adaptstilts.store.shared import SharedStore
from adaptstilts.store.stage import FORMAT_VERSION, make_stage
from adaptstilts.store.store import MANIFEST, Store
from adaptstilts.study.explain import explain, explain_text
from adaptstilts.study.plan.jobs import ScoreJob
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.status import Observer
from adaptstilts.study.status_text import status_text

if TYPE_CHECKING:
    from collections.abc import Callable

MANY = 1_001
"""More files than the limit that these tests set; the last test has the real one."""
OTHER = make_stage("score pos", "pos", ScoreJob("pos", (), WORLD.key, None), (WORLD.key,))
PLAN = Plan((WORLD, SCORE, OTHER), (), 0)


def resealed(path: Path, **changes: object) -> None:
    path.write_text(manifest_text({**json.loads(path.read_text()), **changes}))


def text_with(path: Path, old: str, new: str) -> None:
    """Replace text of a manifest, and seal it anew."""
    before = path.read_text()
    seal = json.loads(before)["seal"]
    plain = before.replace(old, new, 1).replace(f'"seal": "{seal}"', f'"seal": "{"0" * 64}"')
    path.write_text(plain.replace(f'"seal": "{"0" * 64}"', f'"seal": "{hashlib.sha256(plain.encode()).hexdigest()}"'))


CONTENTS: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "blank": lambda path: path.write_bytes(b" \n"),
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 9),
    "no UTF-8": lambda path: path.write_bytes(b'{"key": "\xff"}'),
    "UTF-16": lambda path: path.write_bytes(path.read_text().encode("utf-16")),
    "null": lambda path: path.write_text("null"),
    "number": lambda path: path.write_text("1"),
    "list": lambda path: path.write_text("[]"),
    "object": lambda path: path.write_text("{}"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "deep": lambda path: path.write_text("[" * 200_000),
    "deep object": lambda path: path.write_text('{"a":' * 200_000),
    "deep job": lambda path: text_with(path, '"job": {', f'"job": {{"x": {"[" * 500}{"]" * 500}, '),
    "huge integer": lambda path: text_with(path, '"seconds": ', f'"seconds": {"9" * 5000}, "y": '),
    "infinite": lambda path: text_with(path, '"seconds": ', '"seconds": 1e999, "y": '),
    "NaN": lambda path: resealed(path, seconds=float("nan")),
    "negative": lambda path: resealed(path, seconds=-1.0),
    "true": lambda path: resealed(path, format=True),
    "other key": lambda path: resealed(path, key=WORLD.key),
    "odd key": lambda path: resealed(path, key="../../../etc"),
    "odd kind": lambda path: resealed(path, kind="unknown"),
    "odd slug": lambda path: resealed(path, slug="../x"),
    "odd job": lambda path: resealed(path, job=[1]),
    "odd inputs": lambda path: resealed(path, inputs=[{}]),
    "odd files": lambda path: resealed(path, files=[1]),
    "odd record": lambda path: resealed(path, files={"name": {"bytes": "1", "sha256": 1}}),
    "odd environment": lambda path: resealed(path, environment=1),
    "many files": lambda path: resealed(path, files={f"{n}": {"bytes": 0, "sha256": "0" * 64} for n in range(MANY)}),
    "surrogate": lambda path: text_with(path, '"name": "', '"name": "\\ud800'),
    "edited": lambda path: path.write_text(path.read_text().replace("score", "scare")),
    "gigabyte": lambda path: os.truncate(path, 2**30),
    "pipe": lambda path: (path.unlink(), pipe(path)),
    "device": lambda path: (path.unlink(), device(path)),
    "folder": lambda path: (path.unlink(), folder(path)),
    "loop": lambda path: (path.unlink(), loop(path)),
    "socket": lambda path: (path.unlink(), bound_socket(path)),
    "folder that loops": lambda path: (path.parent.rename(f"{path.parent}.away"), path.parent.symlink_to(path.parent)),
}
"""What may stand in the place of a manifest."""
FILES: dict[str, Callable[[Path], object]] = {
    "file is a pipe": CONTENTS["pipe"],
    "file is a folder": CONTENTS["folder"],
    "file is a loop": CONTENTS["loop"],
    "file is a device": CONTENTS["device"],
    "file leads outside": lambda path: (path.unlink(), path.symlink_to("/etc/passwd")),
    "file is cut": lambda path: os.truncate(path, 2),
}
"""What may stand in the place of an artefact's file."""


@pytest.fixture(autouse=True)
def _few_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_fields, "MOST_FILES", MANY - 1)


def fill(store: Store) -> None:
    for stage in (WORLD, SCORE, OTHER):
        with store.writing(stage, {"python": "x"}) as folder:
            (folder / "name").write_text(stage.name)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    fill(store)
    return store


@pytest.mark.parametrize("what", [*CONTENTS, *FILES])
def test_local_store_has_one_damaged_artefact(store: Store, tmp_path: Path, what: str):
    folder = store.folder(SCORE)
    if what in CONTENTS:
        CONTENTS[what](folder / MANIFEST)
    else:
        FILES[what](folder / "name")
    is_loop, is_file = what == "folder that loops", what in FILES
    place = ("--store", store.root)

    said = say("store", "ls", *place)
    assert said.code == (0 if is_file else 2)
    assert said.out.splitlines()[-1].startswith(f"{3 if is_file else 2} artefacts")
    assert said.err.count("\n") == (0 if is_file else 1)
    assert "Traceback" not in said.err

    said = say("store", "verify", *place)
    assert said.code == 2
    assert said.err.count("\n") == 1, said.err
    assert SCORE.key[:16] in said.err

    said = say("store", "show", "generate the world", *place)
    assert (said.code, "generate the world" in said.out) == (0, True)
    assert say("store", "show", SCORE.key[:16], *place).code == (0 if is_file else 2)

    said = say("store", "gc", *place)
    assert (said.code, said.out.splitlines()[-1]) == (0, "nothing to remove")

    said = say("store", "export", "score pos", "--with-inputs", "--to", tmp_path / "b.tar", *place)
    assert (said.code, said.err) == (0, "")
    said = say("store", "export", SCORE.key[:16], "--to", tmp_path / "c.tar", *place)
    assert (said.code, said.err.count("\n")) == (2, 1)

    status = Observer(store, PLAN).look()
    assert (status.total("done"), status.total("damaged")) == (2, 1)
    assert "1 damaged" in status_text(status, store.root, "run")
    whole = Observer(store).look()
    assert (whole.total("done"), whole.total("damaged")) == (2, 1)

    (record,) = explain(PLAN, store, "score nli")
    assert (record["done"], record["damaged"] is None) == (False, False)
    assert "damaged: " in explain_text([record])
    assert explain(PLAN, store, "score pos")[0]["done"]

    outcome = carry(store)
    assert (list(outcome.failures), outcome.made) == ([SCORE.key], [])
    assert outcome.done.keys() == {WORLD.key, OTHER.key}
    assert "\n" not in str(outcome.failures[SCORE.key])

    again = carry(store, rebuild=True)
    assert (again.made, again.failures) == ([SCORE.key], {})
    assert store.open(SCORE) is not None
    assert say("store", "verify", *place).code == 0
    assert is_loop or not list(store.root.glob("*/*.away"))


def carry(store: Store, *, rebuild: bool = False):
    return run_graph(
        PLAN, store, InProcessEngine(StandInRunner, store, lambda *_: None), QuietWatcher(), rebuild=rebuild
    )


SPECIAL = {"pipe", "device", "folder", "loop", "socket", "folder that loops"}


@pytest.mark.parametrize("what", [name for name in CONTENTS if name not in SPECIAL])
def test_store_at_an_address_has_one_damaged_artefact(tmp_path: Path, what: str):
    shared = SharedStore("memory://hostile", tmp_path / "one")
    try:
        fill(shared)
        name = f"/hostile/score/{SCORE.key[:16]}/{MANIFEST}"
        (tmp_path / MANIFEST).write_bytes(MemoryFileSystem().cat_file(name))
        CONTENTS[what](tmp_path / MANIFEST)
        if what == "gigabyte":
            os.truncate(tmp_path / MANIFEST, 2**27 + 2**20)
        MemoryFileSystem().pipe_file(name, (tmp_path / MANIFEST).read_bytes())

        place = ("--store", "memory://hostile", "--store-cache", tmp_path / "two")
        for verb in ("ls", "verify"):
            said = say("store", verb, *place)
            assert (said.code, said.err.count("\n")) == (2, 1), said.err
            assert f"memory://hostile/score/{SCORE.key[:16]}" in said.err
        assert say("store", "show", "generate the world", *place).code == 0
        assert say("store", "gc", *place).out.endswith("nothing to remove\n")
        assert say("store", "export", "score pos", "--to", tmp_path / "b.tar", *place).code == 0

        there = SharedStore("memory://hostile", tmp_path / "three")
        status = Observer(there, PLAN).look()
        assert (status.total("done"), status.total("damaged")) == (2, 1)
        outcome = carry(there)
        assert (list(outcome.failures), outcome.made) == ([SCORE.key], [])
        again = carry(there, rebuild=True)
        assert (again.made, again.failures) == ([SCORE.key], {})
        assert say("store", "verify", *place).code == 0
    finally:
        MemoryFileSystem.store.clear()


@pytest.mark.parametrize(
    "job",
    [
        {},
        {"task": ["x"], "method": {}, "languages": 5, "backbone": [1], "settings": 1},
        {"task": "mnli", "settings": {"epochs": "x", "max_length": []}, "backbone": "x", "data": 3},
        {"task": "mnli", "settings": {"epochs": -1, "max_length": 0}, "languages": None, "sources": 7, "after": "x"},
        {"cells": 5, "runs": {"a": 1}, "sources": [1, {"key": 3}], "trained": [], "data": {"a": [[1]]}},
    ],
)
@pytest.mark.parametrize("kind", ["train", "score", "data", "analyse"])
def test_job_that_no_version_writes_stops_nobody(store: Store, job: dict, kind: str):
    key, manifest = "ab" * 32, json.loads((store.folder(WORLD) / MANIFEST).read_text())
    folder = store.root / kind / f"x-{key[:16]}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(WORLD.name)
    changed = {**manifest, "key": key, "kind": kind, "slug": "x", "job": job, "name": "\x1b[2Jodd", "inputs": [key]}
    changed.pop("seal")
    (folder / MANIFEST).write_text(manifest_text(changed))
    place = ("--store", store.root)
    for words in (
        ("ls",),
        ("verify",),
        ("show", "abab"),
        ("gc",),
        ("export", "abab", "--with-inputs", "--to", store.root / "b"),
    ):
        said = say("store", *words, *place)
        assert (said.code, said.err) == (0, "")
    for plan in (PLAN, None):
        status = Observer(store, plan).look()
        assert status.total("damaged") == 0
    for stage in PLAN.stages:
        store.discard(stage)
    for stage in PLAN.stages:
        explain_text(explain(PLAN, store, stage.name))
    assert len(carry(store).made) == 3
    assert adaptstilts.list_artefacts(str(store.root)).record[-1]["bytes"] > 0


def test_foreign_things_in_a_store_are_left_alone(store: Store):
    for kind in ("train", "score", "data"):
        place = store.root / kind
        place.mkdir(exist_ok=True)
        (place / "notes").mkdir()
        (place / "notes" / MANIFEST).write_text("mine")
        (place / "summary-of-all-results-v1").mkdir()
        (place / "README").write_text("mine")
        pipe(place / f"aaa-{SCORE.key[:16]}")
        (place / f"bbb-{WORLD.key[:16]}").write_text("mine")
        (place / "loop").symlink_to("loop")
    (store.root / "mine").mkdir()
    os.utime(store.root / "score" / "summary-of-all-results-v1", (0, 0))
    place = ("--store", store.root)
    for words in (("ls",), ("verify",), ("gc",)):
        said = say("store", *words, *place)
        assert (said.code, said.err) == (0, ""), words
    assert "summary" not in said.out
    assert Observer(store, PLAN).look().total("done") == 3
    assert carry(store, rebuild=True).done.keys() == {WORLD.key, SCORE.key, OTHER.key}


LEASES = {
    "empty": b"",
    "binary": bytes(range(256)),
    "deep": b"[" * 100_000,
    "list": b"[]",
    "types": b'{"number": 1, "holder": [], "beat": {}}',
    "traversal": b'{"number": "../../evil", "holder": "a~b~c~1", "beat": 1}',
    "huge": b'{"number": "1", "holder": "a~b~c~' + b"9" * 5000 + b'", "beat": 1e999}',
    "digits": '{"number": "1", "holder": "a~b~c~²", "beat": 1}'.encode(),
    "beat": b'{"number": "1", "holder": "a~b~c~1", "beat": NaN, "key": 1, "name": [], "kind": {}, "seconds": "x"}',
    "work": json.dumps(
        {"number": "1", "holder": "a~b~c~1", "beat": 1, "key": 1, "name": [], "kind": None, "worker": 2, "started": 3,
         "seconds": "x", "done": "y", "total": [], "note": {}, "first": None, "before": "", "examples_per_second": "z"}
    ).encode(),
    "long": b"x" * 3_000_000,
}  # fmt: skip


@pytest.mark.parametrize("what", LEASES)
def test_leases_of_any_content_stop_nobody(store: Store, what: str):
    leases = store.root / ".leases"
    leases.mkdir(exist_ok=True)
    for name in (f"{SCORE.key[:16]}.lease", "other.lease", "x"):
        (leases / name).write_bytes(LEASES[what])
        os.utime(leases / name, (0, 0))
    pipe(leases / "pipe.lease")
    (leases / "folder.lease").mkdir()
    store.discard(SCORE)
    for plan in (PLAN, None):
        status = Observer(store, plan).look()
        status_text(status, store.root, "run")
        assert len(status.unreadable) == 2
    assert say("store", "gc", "--store", store.root).code == 0
    assert carry(store).made == [SCORE.key]
    assert not list(store.root.parent.rglob("*evil*"))


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "device"])
def test_lease_that_cannot_be_read_costs_only_its_stage(store: Store, monkeypatch: pytest.MonkeyPatch, kind: str):
    monkeypatch.setattr(scheduler, "_LONGEST_PAUSE", 0.1)
    leases = store.root / ".leases"
    leases.mkdir(exist_ok=True)
    lease = leases / f"{SCORE.key[:16]}.lease"
    lease.write_text("")
    CONTENTS[kind](lease)
    store.discard(SCORE)
    store.discard(OTHER)
    outcome = carry(store)
    assert (outcome.made, list(outcome.failures)) == ([OTHER.key], [SCORE.key])
    assert re.search(rf"{lease}: is a .*, not a file\. Remove it\.$", str(outcome.failures[SCORE.key]))
    status = Observer(store, PLAN).look()
    assert status.total("done") == 2
    assert say("store", "gc", "--store", store.root).code == 0


FIELDS = ("key", "name", "kind", "error", "type", "host", "pid", "worker", "when", "log")
FAILURES = {
    **{name: content for name, content in LEASES.items() if name in {"empty", "binary", "deep", "list", "long"}},
    "types": json.dumps({name: [1] for name in FIELDS}).encode(),
    "numbers": json.dumps(dict.fromkeys(FIELDS, 1)).encode(),
}


@pytest.mark.parametrize("what", FAILURES)
def test_records_of_failures_and_logs_of_any_content_stop_nobody(store: Store, what: str):
    failed = store.root / ".failed"
    failed.mkdir()
    (failed / f"{SCORE.key[:16]}.json").write_bytes(FAILURES[what])
    pipe(failed / f"{OTHER.key[:16]}.json")
    (failed / "x.json").mkdir()
    logs = store.root / "logs" / "score"
    logs.mkdir(parents=True, exist_ok=True)
    (logs / f"{SCORE.folder}.jsonl").unlink(missing_ok=True)
    pipe(logs / f"{SCORE.folder}.jsonl")
    (logs / f"{OTHER.folder}.jsonl").write_bytes(FAILURES[what])
    store.discard(SCORE)
    store.discard(OTHER)
    status = Observer(store, PLAN).look()
    assert (status.total("waiting"), status.total("failed")) == (2, 0)
    assert sorted(carry(store).made) == sorted([SCORE.key, OTHER.key])


def test_unfinished_folders_and_states_to_resume_of_any_kind_stop_nobody(store: Store, tmp_path: Path):
    for place in (store.root / ".unfinished", store.root / ".resume"):
        place.mkdir(exist_ok=True)
        for name in ("x", "a~b~c~²", "a~b~c~" + "9" * 100, "a~b~c~0~k~h", "a~b", f"{SCORE.key[:16]}"):
            (place / name).write_text("x")
        pipe(place / "a~b~c~1~k~pipe")
        (place / "a~b~c~1~k~loop").symlink_to(place)
        for path in place.iterdir():
            os.utime(path, (0, 0), follow_symlinks=False)
    store.remove_leftovers()
    assert say("store", "gc", "--store", store.root, "--yes").code == 0
    assert [path.name for path in (store.root / ".unfinished").iterdir()] == []
    assert store.present(PLAN.stages) == {stage.key for stage in PLAN.stages}


def test_format_of_a_newer_version_is_listed_and_not_removed(store: Store):
    resealed(store.folder(SCORE) / MANIFEST, format=FORMAT_VERSION + 1)
    said = say("store", "ls", "--store", store.root)
    assert (said.code, said.out.splitlines()[-1].startswith("3 artefacts")) == (0, True)
    assert say("store", "gc", "--store", store.root).out == "nothing to remove\n"


def test_a_hundred_thousand_files_are_read_and_no_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    record = {"bytes": 0, "sha256": "0" * 64}
    manifest: dict[str, object] = {"key": "0" * 64, "inputs": [], "seconds": 1.0}
    manifest_fields.check_fields({**manifest, "files": dict.fromkeys(map(str, range(100_000)), record)}, "")
    with pytest.raises(ValueError, match=r"^it names 100,001 files, more than 100,000$"):
        manifest_fields.check_fields({**manifest, "files": dict.fromkeys(map(str, range(100_001)), record)}, "")
