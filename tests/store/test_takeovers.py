"""A holder that sleeps for longer than its lease lives, is taken over, and wakes up: it must not finish its work."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from adaptstilts.engine.heartbeats import read_failures
from adaptstilts.engine.journal import Journal, StageLog, read_events
from adaptstilts.engine.perform import perform
from adaptstilts.engine.protocols import StageRequest
from adaptstilts.errors import TakenOverError, WriteError
from adaptstilts.store import leases as leases_module
from adaptstilts.store import process
from adaptstilts.store import store as store_module
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.leases import Lease, Leases
from adaptstilts.store.objects import FolderObjects
from adaptstilts.store.process import Mark, here
from adaptstilts.store.shared import SharedStore
from adaptstilts.store.stage import Stage, make_stage
from adaptstilts.store.store import Store
from adaptstilts.study.plan.jobs import DataJob

STAGE = make_stage("generate", "mini", DataJob(1, 1, 10, 10, 10))
NAME = f"{STAGE.key[:16]}.lease"
FAR = replace(here(), host="elsewhere")

real_mark = process._mark


@pytest.fixture
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process look like one of another machine to the processes it forks."""
    monkeypatch.setattr(process, "_mark", lambda pid: Mark("asleep", "there", "1", pid))


def in_another_process(act: Callable[[], bool]) -> None:
    """Call a function in a process of this machine that ends at once, as by ``kill -9``; it must return true."""
    child = os.fork()
    if child == 0:
        is_right = False
        try:
            process._mark = real_mark
            is_right = act()
        finally:
            os._exit(not is_right)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def take_over(root: Path) -> None:
    """Let this process's claim fall silent for longer than it lives, and another process take it over."""

    def claim() -> bool:
        return Store(root).claim(STAGE).__enter__() is not None

    os.utime(root / ".leases" / NAME, (time.time() - 100,) * 2)
    in_another_process(claim)


def made_late(root: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Make an artefact under a claim that another process takes over at some moment."""
    store, put, write = Store(root), Store._put, store_module.write_synced

    def put_late(*arguments: object) -> None:
        take_over(root)
        put(*arguments)  # type: ignore[arg-type]

    def write_late(path: Path, text: str) -> None:
        take_over(root)
        write(path, text)

    if moment == "just before the folder gets its name":
        monkeypatch.setattr(Store, "_put", put_late)
    elif moment == "just before the manifest is written":
        monkeypatch.setattr(store_module, "write_synced", write_late)
    with store.claim(STAGE) as progress, store.writing(STAGE, {}) as folder:
        assert progress is not None
        (folder / "a.txt").write_text("rows")
        mine = (root / ".leases" / NAME).read_text()
        if moment.startswith("while"):
            take_over(root)
            folder.mkdir(exist_ok=True)  # as libraries do
            (folder / "b.txt").write_text("rows")
        if moment.endswith("heartbeat"):
            (root / ".leases" / NAME).write_text(mine)


@pytest.mark.usefixtures("_elsewhere")
@pytest.mark.parametrize(
    "moment",
    [
        "while it makes the artefact",
        "while it makes the artefact and writes a heartbeat",
        "just before the manifest is written",
        "just before the folder gets its name",
    ],
)
def test_one_who_was_taken_over_cannot_finish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str):
    with pytest.raises(TakenOverError, match="another process"), monkeypatch.context() as patch:
        made_late(tmp_path, patch, moment)
    assert not list(tmp_path.glob("data/*"))
    assert Store(tmp_path).unfinished() == []
    with Store(tmp_path).claim(STAGE) as progress, Store(tmp_path).writing(STAGE, {}) as folder:
        assert progress is not None
        (folder / "a.txt").write_text("rows")
    assert Store(tmp_path).open(STAGE) is not None


@pytest.mark.usefixtures("_elsewhere")
def test_error_that_a_takeover_causes_is_no_error_of_the_disk(tmp_path: Path):
    with pytest.raises(TakenOverError), Store(tmp_path).claim(STAGE), Store(tmp_path).writing(STAGE, {}) as folder:
        take_over(tmp_path)
        (folder / "a.txt").write_text("rows")


@pytest.mark.usefixtures("_elsewhere")
def test_one_whose_folder_is_taken_away_before_it_writes_has_no_error_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def make(self: Path, mode: int = 0o777, **options: bool) -> None:
        real(self, mode, **options)
        if self.parent.name == ".unfinished" and Path.mkdir is make:
            monkeypatch.undo()
            monkeypatch.setattr(process, "_mark", lambda pid: Mark("asleep", "there", "1", pid))
            take_over(tmp_path)

    real = Path.mkdir
    with pytest.raises(TakenOverError), Store(tmp_path).claim(STAGE):
        monkeypatch.setattr(Path, "mkdir", make)
        with Store(tmp_path).writing(STAGE, {}):
            raise AssertionError("unreachable")


def test_store_that_is_gone_is_no_takeover(tmp_path: Path):
    with pytest.raises(WriteError, match="No such file"), Store(tmp_path / "store").writing(STAGE, {}) as folder:
        (tmp_path / "store").rename(tmp_path / "gone")
        (folder / "a.txt").write_text("rows")


@pytest.mark.usefixtures("_elsewhere")
def test_folder_of_another_process_than_the_former_holder_stays(tmp_path: Path):
    theirs = tmp_path / ".unfinished" / f"{FAR.text}~{STAGE.key[:16]}~0abc"
    theirs.mkdir(parents=True)
    with Store(tmp_path).claim(STAGE):
        take_over(tmp_path)
    assert Store(tmp_path).unfinished() == [theirs]


@pytest.mark.usefixtures("_elsewhere")
def test_stage_that_was_taken_over_is_waited_for_and_has_not_failed(tmp_path: Path):
    class Sleeper:
        def run(self, stage: Stage, inputs: tuple[Stage, ...], store: Store, log: StageLog) -> Artefact:
            with store.writing(stage, {}):
                take_over(tmp_path)
            raise AssertionError("unreachable")

    store = Store(tmp_path)
    result = perform(StageRequest(STAGE, ()), store, Sleeper(), lambda *step: None)
    assert (result.what, result.error) == ("claimed", None)
    assert read_failures(tmp_path) == []
    events = [event["event"] for event in read_events(Journal(tmp_path).path(STAGE))]
    assert events == ["started", "interrupted"]


def test_work_that_is_in_vain_ends_at_its_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Sleeper:
        def run(self, stage: Stage, inputs: tuple[Stage, ...], store: Store, log: StageLog) -> Artefact:
            log.stepped(1, 3)
            path.write_text(Lease("theirs", FAR, time.time(), NAME).text())
            end = time.monotonic() + 20
            while not log.progress.is_taken_over and time.monotonic() < end:
                time.sleep(0.01)
            log.stepped(2, 3)
            raise AssertionError("unreachable")

    monkeypatch.setattr(leases_module, "_STEP_SECONDS", 0.02)
    monkeypatch.setattr(leases_module, "_BEAT_SECONDS", 0.02)
    path = tmp_path / ".leases" / NAME
    result = perform(StageRequest(STAGE, ()), Store(tmp_path), Sleeper(), lambda *step: None)
    assert (result.what, result.error) == ("claimed", None)
    assert path.exists()


@pytest.fixture
def shared(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SharedStore]:
    yield SharedStore(f"memory://{request.node.name}", tmp_path)
    MemoryFileSystem.store.clear()


@pytest.mark.parametrize("moment", ["before it has finished", "after its upload"])
def test_one_who_was_taken_over_at_an_address_leaves_nothing_there(
    shared: SharedStore, monkeypatch: pytest.MonkeyPatch, moment: str
):
    upload = shared.remote.upload

    def take() -> None:
        shared.remote.write(Lease("theirs", FAR, time.time(), NAME).text().encode(), ".leases", NAME)

    def upload_late(source: Path, *parts: str) -> None:
        upload(source, *parts)
        take()

    if moment == "after its upload":
        monkeypatch.setattr(shared.remote, "upload", upload_late)
    with pytest.raises(TakenOverError), shared.claim(STAGE), shared.writing(STAGE, {}) as folder:
        (folder / "a.txt").write_text("rows")
        if moment == "before it has finished":
            take()
    assert shared.remote.names("data") == []
    assert not list(shared.root.glob("data/*"))
    assert shared.leases()[-1].read(NAME) is not None


def test_one_who_comes_second_under_a_claim_says_so(tmp_path: Path, shared: SharedStore):
    def make(store: Store, text: str) -> None:
        with store.writing(STAGE, {}) as folder:
            (folder / "a.txt").write_text(text)

    for store, other in ((Store(tmp_path / "a"),) * 2, (shared, SharedStore(shared.remote.address, tmp_path / "b"))):
        with (
            pytest.raises(TakenOverError, match="has made this stage"),
            store.claim(STAGE),
            store.writing(STAGE, {}) as folder,
        ):
            (folder / "a.txt").write_text("second")
            make(other, "first")
        artefact = store.open(STAGE)
        assert artefact is not None
        assert artefact.file("a.txt").read_text() == "first"
        make(store, "third")  # without a claim nobody expects to be the only one


@pytest.mark.usefixtures("_elsewhere")
def test_successor_that_dies_as_soon_as_it_is_the_holder_has_taken_the_folder_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def die(self: FolderObjects, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        os._exit(0)

    with pytest.raises(TakenOverError), Store(tmp_path).claim(STAGE), Store(tmp_path).writing(STAGE, {}):
        with monkeypatch.context() as patch:
            patch.setattr(FolderObjects, "write", die)
            take_over(tmp_path)
        assert Store(tmp_path).unfinished() == []


@pytest.mark.parametrize("is_gone", [True, False])
def test_claim_that_cannot_be_read_or_is_gone_does_not_keep_its_holder_from_finishing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_gone: bool
):
    def fail(self: FolderObjects, name: str) -> None:
        raise OSError(5, "Input/output error")

    store = Store(tmp_path)
    with store.claim(STAGE), monkeypatch.context() as patch, store.writing(STAGE, {}) as folder:
        (folder / "a.txt").write_text("rows")
        if is_gone:
            (tmp_path / ".leases" / NAME).unlink()
        else:
            patch.setattr(FolderObjects, "_read", fail)
    assert store.open(STAGE) is not None


def at(folder: Path, objects: type[FolderObjects] = FolderObjects) -> Leases:
    return Leases(objects(folder))


def leave(folder: Path, number: str) -> None:
    """Write the lease of a process that has ended."""
    (folder / "a").write_text(Lease(number, replace(here(), started="1"), time.time(), "a").text())


def test_lease_that_a_former_holder_has_written_over_or_removed_is_put_back(tmp_path: Path):
    leave(tmp_path, "former")
    leases = at(tmp_path)
    lease = leases.acquire("a")
    assert lease is not None
    leave(tmp_path, "former")
    assert leases.refresh(lease, {"done": 1})
    leave(tmp_path, "former")
    assert leases.keeps("a")
    assert (leases.read("a") or lease).number == lease.number
    (tmp_path / "a").unlink()
    assert leases.keeps("a")
    assert (leases.read("a") or lease).work == {}
    (tmp_path / "a").write_text("{")  # half written
    assert leases.keeps("a")
    leave(tmp_path, "another's")
    assert not leases.refresh(lease, {})
    assert not leases.keeps("a")
    leases.release(lease)
    assert (leases.read("a") or lease).number == "another's"
    assert leases.keeps("a")  # it holds none, and so has lost none


@pytest.mark.usefixtures("_elsewhere")
def test_one_who_slept_before_replacing_a_lease_gives_up(tmp_path: Path):
    class Sleepy(FolderObjects):
        def write(self, name: str, text: str) -> None:
            os.utime(tmp_path / "a.former", (0, 0))
            in_another_process(lambda: at(tmp_path).acquire("a") is not None)
            super().write(name, text)

    leave(tmp_path, "former")
    os.utime(tmp_path / "a", (0, 0))
    before = leases_module._held.copy()
    assert at(tmp_path, Sleepy).acquire("a") is None
    assert list(tmp_path.iterdir()) == []
    assert leases_module._held == before
