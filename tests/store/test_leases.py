from __future__ import annotations

import errno
import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from claimers import race, start_holder

from adaptstilts.errors import StoreError
from adaptstilts.store import holding
from adaptstilts.store import leases as leases_module
from adaptstilts.store import objects as objects_module
from adaptstilts.store.holding import hold
from adaptstilts.store.leases import Lease, Leases
from adaptstilts.store.objects import FolderObjects
from adaptstilts.store.process import here

HOLD = """
import sys, time
from pathlib import Path
from adaptstilts.store.holding import hold
from adaptstilts.store.leases import Leases
from adaptstilts.store.objects import FolderObjects
with hold([Leases(FolderObjects(Path(sys.argv[1])))], "a") as held:
    print(held is not None, flush=True)
    time.sleep(60)
"""
DEAD = replace(here(), started="1")
"""A process with this one's id that started when the machine did: the id was given out again."""
FAR = replace(here(), host="elsewhere")


@pytest.fixture(autouse=True)
def _nothing_held(monkeypatch):
    monkeypatch.setattr(leases_module, "_held", {})


def at(folder: Path, lifetime: float = 60.0) -> Leases:
    return Leases(FolderObjects(folder), lifetime)


def leave(folder: Path, holder=DEAD, name: str = "a", *, silence=0.0, number: str = "old", work=None) -> Path:
    """Write the lease that a process has left."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(Lease(number, holder, time.time(), name, work or {}).text())
    os.utime(path, (time.time() - silence,) * 2)
    return path


def attempt(leases: Leases, name: str = "a") -> bool:
    with hold([leases], name) as held:
        return held is not None


def until(is_so, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)
    return is_so()


def test_lease_is_given_once_and_again_when_given_back(tmp_path):
    leases = at(tmp_path / "leases")
    with hold([leases], "a") as held, hold([leases], "b") as other:
        assert None not in {id(held), id(other)}
        assert not attempt(leases)
        assert not attempt(at(tmp_path / "leases"))
        assert leases.holder("a") == here()
    assert leases.holder("a") is None
    assert list((tmp_path / "leases").iterdir()) == []
    assert attempt(leases)


def test_lease_is_given_back_when_the_block_raises(tmp_path):
    with pytest.raises(ZeroDivisionError), hold([at(tmp_path)], "a"):
        raise ZeroDivisionError
    assert attempt(at(tmp_path))


def test_lease_is_the_same_under_another_name_of_its_folder(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with hold([at(tmp_path / "real")], "a"):
        assert not attempt(at(tmp_path / "link"))
        assert at(tmp_path / "link").holder("a") == here()


def test_lease_excludes_other_threads_of_the_process(tmp_path):
    gate, won = threading.Barrier(8), []

    def compete() -> None:
        gate.wait()
        with hold([at(tmp_path)], "a") as held:
            won.append(held is not None)
            gate.wait()

    threads = [threading.Thread(target=compete) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


@pytest.mark.parametrize("left", [False, True], ids=["free", "dead"])
def test_one_of_eight_processes_has_a_lease_in_every_round(tmp_path, left):
    for turn in range(100 * left):
        leave(tmp_path, DEAD, str(turn), number=f"old{turn}")
    won = race(lambda turn: hold([at(tmp_path)], str(turn)), processes=8, rounds=100)
    assert [len(winners) for winners in won] == [1] * 100
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_reaped", [True, False], ids=["reaped", "zombie"])
def test_lease_of_a_killed_process_is_taken_over_at_once(tmp_path, is_reaped):
    holder = start_holder(HOLD, tmp_path)
    try:
        assert not attempt(at(tmp_path))
        assert at(tmp_path).holder("a").process == holder.pid
        holder.kill()
        if is_reaped:
            holder.wait()
        else:
            os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
        assert at(tmp_path).holder("a") is None
        assert attempt(at(tmp_path))
    finally:
        holder.kill()
        holder.communicate()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("holder", "silence", "is_taken"),
    [(DEAD, 0, True), (FAR, 0, False), (FAR, 30, False), (FAR, 65, False), (FAR, 80, True)],
)
def test_lease_of_a_dead_or_silent_holder_is_taken_over(tmp_path, holder, silence, is_taken):
    leave(tmp_path, holder, silence=silence)
    leases = at(tmp_path)
    assert (leases.holder("a") is None) == is_taken
    assert leases.stale() == ["a"] * is_taken
    lease = leases.acquire("a")
    assert (lease is not None) == is_taken
    assert leases.read("a").number == (lease.number if is_taken else "old")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("process", [1, 2**22 + 1, os.getpid()], ids=["first", "another", "ours"])
def test_lease_of_another_boot_or_container_of_this_host_lives_while_it_sends_heartbeats(tmp_path, process):
    other = replace(here(), space="other", process=process)
    leave(tmp_path, other)
    assert not attempt(at(tmp_path))
    leave(tmp_path, other, silence=80)
    assert attempt(at(tmp_path))


def test_lease_this_process_forgot_is_taken_over(tmp_path):
    leave(tmp_path, here())
    assert attempt(at(tmp_path))


@pytest.mark.parametrize("text", ["", "[]", '{"number": 1, "holder": null, "beat": 0}'])
def test_lease_that_nobody_can_read_is_over_after_its_lifetime(tmp_path, text):
    (tmp_path / "a").write_text(text)
    assert not attempt(at(tmp_path))
    assert at(tmp_path).holder("a").host == "unknown"
    os.utime(tmp_path / "a", (time.time() - 100,) * 2)
    assert attempt(at(tmp_path))


def test_age_is_measured_by_the_clock_of_the_file_system(tmp_path, monkeypatch):
    leave(tmp_path, FAR)
    monkeypatch.setattr(time, "time", lambda: 4e9)  # a machine whose clock is decades ahead
    assert not attempt(at(tmp_path))
    assert at(tmp_path).age(at(tmp_path).read("a")) < 10
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_lease_with_a_time_that_has_not_come_yet_is_over_when_it_stays_as_it_is(tmp_path, monkeypatch):
    leave(tmp_path, FAR, silence=-86400)
    assert not attempt(at(tmp_path))
    clock = time.monotonic
    monkeypatch.setattr(leases_module.time, "monotonic", lambda: clock() + 100)
    leave(tmp_path, FAR, silence=-86500)  # a heartbeat: the clock is wrong, and the holder lives
    assert not attempt(at(tmp_path))
    monkeypatch.setattr(leases_module.time, "monotonic", lambda: clock() + 200)
    assert attempt(at(tmp_path))


def test_lease_stays_fresh_while_the_block_runs(tmp_path):
    with hold([at(tmp_path, lifetime=0.4)], "a"):
        path = tmp_path / "a"
        os.utime(path, (0, 0))
        assert until(lambda: path.stat().st_mtime > 0)


def test_lease_says_how_far_its_holder_is_as_soon_as_there_is_progress(tmp_path, monkeypatch):
    monkeypatch.setattr(leases_module, "_STEP_SECONDS", 0.02)
    leases = at(tmp_path, lifetime=4000)
    with hold([leases], "a", {"key": "k", "name": "make", "kind": "data"}) as progress:
        first = leases.read("a")
        assert first.work.items() >= {"key": "k", "name": "make", "kind": "data", "done": 0, "note": ""}.items()
        progress.done, progress.total, progress.note = 3, 9, "loss 0.5"
        assert until(lambda: leases.read("a").work["done"] == 3)
        now = leases.read("a")
        assert (now.number, now.work["total"], now.work["note"]) == (first.number, 9, "loss 0.5")
        assert now.work["seconds"] >= first.work["seconds"]


def test_heartbeats_go_on_when_one_could_not_be_written(tmp_path, monkeypatch):
    failing = [StoreError("no network"), OSError(28, "No space left on device")]
    write = FolderObjects.write

    def fail_first(self: FolderObjects, name: str, text: str) -> None:
        if failing:
            raise failing.pop()
        write(self, name, text)

    monkeypatch.setattr(FolderObjects, "write", fail_first)
    with hold([at(tmp_path, lifetime=0.2)], "a"):
        os.utime(tmp_path / "a", (0, 0))
        assert until(lambda: (tmp_path / "a").stat().st_mtime > 0)


def test_refresh_sends_a_heartbeat_only_while_the_lease_is_the_holders(tmp_path):
    leases = at(tmp_path)
    lease = leases.acquire("a")
    os.utime(tmp_path / "a", (0, 0))
    leases.refresh(lease, {"done": 1})
    assert (leases.read("a").beat, leases.read("a").work) == (pytest.approx(time.time(), abs=5), {"done": 1})
    (tmp_path / "a").unlink()  # by someone who takes the holder for dead
    leases.refresh(lease, {})
    assert leases.holder("a") == here()
    leave(tmp_path, FAR, number="other")
    leases.refresh(lease, {})
    leases.release(lease)
    assert leases.read("a").number == "other"


def test_lease_is_replaced_though_one_who_replaced_it_died_halfway(tmp_path):
    leave(tmp_path, DEAD)
    leave(tmp_path, DEAD, "a.old", number="next")
    leases = at(tmp_path)
    lease = leases.acquire("a")
    assert leases.read("a").number == lease.number
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("text", ["", "[]"])
def test_lease_is_taken_though_it_and_its_takeover_cannot_be_read(tmp_path, text):
    for name in ("a", f"a.unread{len(text)}"):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (0, 0))
    assert attempt(at(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_one_who_looks_and_one_who_takes_agree_while_a_lease_is_being_taken_over(tmp_path):
    leave(tmp_path, DEAD)
    leave(tmp_path, FAR, "a.old", number="next")
    leases = at(tmp_path)
    assert leases.holder("a") == FAR
    assert leases.stale() == []
    assert not attempt(leases)
    leave(tmp_path, FAR, "a.old", number="next", silence=80)
    assert leases.holder("a") is None
    assert leases.stale() == ["a", "a.old"]
    assert attempt(leases)


def test_takeover_that_someone_removes_meanwhile_gives_no_right(tmp_path):
    class Slow(FolderObjects):
        """Lets another process remove the half-done takeover just before the right to go on with it is taken."""

        def create(self, name: str, text: str) -> bool:
            if name == "a.old.next":
                removed.append(at(tmp_path).remove_stale("a.old"))
            return super().create(name, text)

    removed: list[bool] = []
    leave(tmp_path, DEAD)
    leave(tmp_path, DEAD, "a.old", number="next")
    assert Leases(Slow(tmp_path)).acquire("a") is None
    assert removed == [True]
    assert at(tmp_path).read("a").number == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert attempt(at(tmp_path))


@pytest.mark.parametrize("left", [False, True], ids=["free", "dead"])
def test_of_two_who_write_where_nothing_is_exclusive_the_last_one_has_the_lease(tmp_path, left):
    class Loose(FolderObjects):
        """Has no exclusive creation; another process writes just after this one."""

        def create(self, name: str, text: str) -> bool:
            if not left:
                self.write(name, text)
                leave(tmp_path, FAR, number="other")
                return True
            return super().create(name, text)

        def write(self, name: str, text: str) -> None:
            super().write(name, text)
            leave(tmp_path, FAR, number="other")

    if left:
        leave(tmp_path, DEAD)
    leases = Leases(Loose(tmp_path))
    assert leases.acquire("a") is None
    assert leases.read("a").number == "other"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_one_who_replaces_a_lease_that_is_another_by_then_gives_up(tmp_path):
    class Slow(FolderObjects):
        """Lets another holder have the lease just before the right to replace it is taken."""

        def create(self, name: str, text: str) -> bool:
            if name == "a.old":
                leave(tmp_path, FAR, number="new")
            return super().create(name, text)

    leave(tmp_path, DEAD)
    leases = Leases(Slow(tmp_path))
    assert leases.acquire("a") is None
    assert leases.read("a").number == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_lease_is_had_though_the_answer_that_it_was_created_was_lost(tmp_path):
    class Lossy(FolderObjects):
        def create(self, name: str, text: str) -> bool:
            super().create(name, text)
            return super().create(name, text)

    leases = Leases(Lossy(tmp_path))
    with hold([leases], "a") as held:
        assert held is not None
        assert leases.holder("a") == here()
    assert list(tmp_path.iterdir()) == []


def test_leases_of_several_places_are_held_together_or_not_at_all(tmp_path):
    one, two = at(tmp_path / "one"), at(tmp_path / "two")
    with hold([two], "a"), hold([one, two], "a") as held:
        assert held is None
        assert one.holder("a") is None
    with hold([one, two], "a"):
        assert (one.holder("a"), two.holder("a")) == (here(), here())
    assert (one.holder("a"), two.holder("a")) == (None, None)


def test_lease_raises_when_its_folder_cannot_be_made(tmp_path):
    (tmp_path / "leases").write_text("")
    with pytest.raises(FileExistsError), hold([at(tmp_path / "leases")], "a"):
        pass


def test_lease_leaves_nothing_when_the_disk_is_full(tmp_path, monkeypatch):
    def full(path: Path, mode: str = "r", **options):
        if mode == "r":
            return open(path)  # noqa: PTH123 - closed by whoever reads
        path.touch(exist_ok=False)
        return open("/dev/full", "w")  # noqa: PTH123 - closed by whoever writes

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="No space left"), hold([at(tmp_path)], "a"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_dead_processes_left_is_found_and_removed_and_nothing_else(tmp_path):
    leases = at(tmp_path)
    leave(tmp_path, DEAD, "dead")
    leave(tmp_path, DEAD, "dead.12.0abc", number="half")  # was writing a heartbeat
    leave(tmp_path, FAR, "far")
    (tmp_path / ".clock-x").touch()
    os.utime(tmp_path / ".clock-x", (0, 0))
    with hold([leases], "mine"):
        assert sorted(leases.stale()) == [".clock-x", "dead", "dead.12.0abc"]
        assert [leases.remove_stale(name) for name in (*leases.stale(), "far", "mine", "none")] == [True] * 3 + [
            False
        ] * 3
        assert sorted(path.name for path in tmp_path.iterdir()) == ["far", "mine"]


@pytest.mark.parametrize(
    ("holder", "silence", "request_", "is_removed"),
    [
        (DEAD, 0, "ours", True),
        (FAR, 0, "ours", True),
        (FAR, 80, "ours", True),
        (here(), 0, "ours", False),
        (FAR, 0, "theirs", False),
        (FAR, 0, None, False),
    ],
)
def test_lease_of_a_process_that_is_known_to_have_ended_is_removed_and_no_other(
    tmp_path, holder, silence, request_, is_removed
):
    work = {} if request_ is None else {"request": request_}
    leave(tmp_path, holder, silence=silence, work=work)
    at(tmp_path).revoke("a", "ours")
    assert [path.name for path in tmp_path.iterdir()] == ["a"] * (not is_removed)


def test_forked_child_holds_no_lease_of_its_parent(tmp_path):
    with hold([at(tmp_path)], "a"):
        (lease,) = at(tmp_path).read_all()
        os.utime(tmp_path / "a", (0, 0))
        leave(tmp_path, replace(FAR, process=os.getpid()), number=lease.number, silence=100)  # here, but out of sight
        assert not at(tmp_path).is_over(at(tmp_path).read("a"))
        child = os.fork()
        if child == 0:
            os._exit(at(tmp_path).is_over(at(tmp_path).read("a")))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        leases_module._held.clear()  # as if another thread's
    (tmp_path / "a").unlink(missing_ok=True)


def test_lease_of_a_process_killed_while_it_took_it_is_complete_or_not_there(tmp_path, monkeypatch):
    def die(source: Path, target: Path) -> None:
        assert Path(source).read_text() == "text"
        assert not Path(target).exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", die)
    with pytest.raises(KeyboardInterrupt):
        FolderObjects(tmp_path).create("a", "text")
    assert list(tmp_path.iterdir()) == []


def test_lease_is_exclusive_where_files_cannot_be_linked(tmp_path, monkeypatch):
    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with hold([at(tmp_path)], "a") as held:
        assert held is not None
        assert [path.name for path in tmp_path.iterdir()] == ["a"]
        assert FolderObjects(tmp_path).create("a", "") is False
    assert list(tmp_path.iterdir()) == []


def test_file_that_was_replaced_while_it_was_opened_is_read_again(tmp_path, monkeypatch):
    class Opened:
        def __enter__(self):
            return self

        def __exit__(self, *error: object) -> None: ...

        def read(self, _) -> str:
            raise OSError(errno.ESTALE, "Stale file handle")

    (tmp_path / "a").write_text("text")
    handles, real = [Opened()], objects_module.open_file
    monkeypatch.setattr(objects_module, "open_file", lambda *path: handles.pop() if handles else real(*path))
    assert FolderObjects(tmp_path).read("a").text == "text"


def test_object_that_cannot_be_read_hides_no_other_and_is_named(tmp_path):
    (tmp_path / "0").mkdir()
    leave(tmp_path, FAR)
    unreadable, other = at(tmp_path).read_all()
    assert (unreadable.name, other.name, other.problem) == ("0", "a", "")
    assert unreadable.problem == f"{tmp_path / '0'}: is a folder, not a file. Remove it."
    assert at(tmp_path).stale() == []


class Failing(FolderObjects):
    """Fails once in an operation."""

    def __init__(self, folder: Path, operation: str) -> None:
        super().__init__(folder)
        self.operation = operation

    def _fail(self, operation: str) -> None:
        if self.operation == operation:
            self.operation = ""
            raise OSError(errno.EIO, "Input/output error")

    def read(self, name: str):
        self._fail("read")
        return super().read(name)

    def write(self, name: str, text: str) -> None:
        self._fail("write")
        super().write(name, text)

    def delete(self, name: str) -> None:
        self._fail("delete")
        super().delete(name)


@pytest.mark.parametrize(("operation", "is_left"), [("read", False), ("write", True)])
def test_attempt_that_fails_halfway_leaves_nothing_of_this_process(tmp_path, operation, is_left):
    if is_left:
        leave(tmp_path, DEAD)
    with pytest.raises(OSError, match="Input/output"), hold([Leases(Failing(tmp_path, operation))], "a"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["a"] * is_left
    assert attempt(at(tmp_path))


@pytest.mark.parametrize("again", ["acquire", "refresh"])
def test_lease_that_could_not_be_removed_is_removed_later(tmp_path, again):
    leases = Leases(Failing(tmp_path, ""))
    other = leases.acquire("other")
    with hold([leases], "a"):
        leases.objects.operation = "delete"
    assert (tmp_path / "a").exists()
    assert leases.holder("a") is None  # this process knows that it has given it back
    if again == "refresh":
        leases.refresh(other, {})
    else:
        leases.acquire("third")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "third"][: 1 + (again == "acquire")]
    for lease in leases.read_all():
        leases.release(lease)
    assert leases_module._held == {}


def test_lease_that_could_not_be_removed_is_removed_though_nothing_else_happens(tmp_path, monkeypatch):
    monkeypatch.setattr(leases_module, "_FIRST_REMOVAL_PAUSE", 0.02)
    leave(tmp_path, DEAD)
    leave(tmp_path, DEAD, "a.old", number="next")
    leases = Leases(Failing(tmp_path, ""))
    lease = leases_module.new_lease("a")
    leases.objects.operation = "delete"
    assert leases.take(lease)
    assert len(list(tmp_path.iterdir())) > 1
    leases.objects.operation = "delete"
    leases.release(lease)
    assert until(lambda: list(tmp_path.iterdir()) == [])
    assert until(lambda: leases_module._held == {} and not leases_module._removing)


def test_process_forgets_the_leases_it_has_given_back_and_those_it_did_not_get(tmp_path):
    with hold([at(tmp_path)], "a"):
        assert not attempt(at(tmp_path))
        assert len(leases_module._held) == 1
    assert leases_module._held == {}


@pytest.mark.parametrize("moment", ["take", "start", "end"])
def test_interruption_leaves_neither_lease_nor_thread(tmp_path, monkeypatch, moment):
    def interrupted(function):
        def call(*arguments: object) -> None:
            function(*arguments)
            raise KeyboardInterrupt

        return call

    class Interrupted(threading.Event):
        def set(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(leases_module, "_STEP_SECONDS", 0.05 if moment == "end" else 600)
    if moment == "take":
        monkeypatch.setattr(Leases, "take", interrupted(Leases.take))
    elif moment == "start":
        monkeypatch.setattr(threading.Thread, "start", interrupted(threading.Thread.start))
    else:
        monkeypatch.setattr(holding, "threading", SimpleNamespace(Event=Interrupted, Thread=threading.Thread))
    with pytest.raises(KeyboardInterrupt), hold([at(tmp_path, lifetime=4000)], "a"):
        monkeypatch.undo()
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    assert leases_module._held == {}
    assert until(lambda: "lease" not in {thread.name for thread in threading.enumerate()})


def test_heartbeats_go_on_after_any_error(tmp_path, monkeypatch):
    failing, refresh = [MemoryError(), ValueError()], Leases.refresh

    def fail_first(*arguments: object) -> None:
        if failing:
            raise failing.pop()
        refresh(*arguments)

    monkeypatch.setattr(Leases, "refresh", fail_first)
    with hold([at(tmp_path, lifetime=0.2)], "a"):
        os.utime(tmp_path / "a", (0, 0))
        assert until(lambda: (tmp_path / "a").stat().st_mtime > 0)


class Hanging(FolderObjects):
    """Writes a heartbeat only when it is let."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.writes, self.may_go_on, self.written = threading.Event(), threading.Event(), threading.Event()

    def write(self, name: str, text: str) -> None:
        self.writes.set()
        assert self.may_go_on.wait(20)
        super().write(name, text)
        self.written.set()


def test_end_waits_for_a_heartbeat_that_is_being_written(tmp_path):
    objects = Hanging(tmp_path)
    with hold([Leases(objects, lifetime=0.2)], "a"):
        assert objects.writes.wait(20)
        threading.Timer(0.2, objects.may_go_on.set).start()
    assert objects.written.is_set()
    assert list(tmp_path.iterdir()) == []


def test_heartbeat_that_hangs_delays_the_end_only_so_long_and_brings_no_lease_back(tmp_path, monkeypatch):
    monkeypatch.setattr(holding, "_LONGEST_WAIT", 0.05)
    objects = Hanging(tmp_path)
    with hold([Leases(objects, lifetime=0.2)], "a"):
        assert objects.writes.wait(20)
    assert list(tmp_path.iterdir()) == []
    objects.may_go_on.set()
    assert objects.written.wait(20)
    assert until(lambda: "lease" not in {thread.name for thread in threading.enumerate()})
    assert list(tmp_path.iterdir()) == []
    assert leases_module._held == {}


def test_lease_seen_unreadable_twice_with_heartbeats_between_is_not_over(tmp_path, monkeypatch):
    class Clockless(FolderObjects):
        def read(self, name: str):
            found = super().read(name)
            return found and found._replace(written=None)

    leases, clock = Leases(Clockless(tmp_path)), time.monotonic
    for seconds, text in ((0, ""), (50, Lease("n", FAR, time.time(), "a").text()), (100, "")):
        (tmp_path / "a").write_text(text)
        monkeypatch.setattr(leases_module.time, "monotonic", lambda later=seconds: clock() + later)
        assert leases.holder("a") is not None
    monkeypatch.setattr(leases_module.time, "monotonic", lambda: clock() + 200)
    assert leases.holder("a") is None
