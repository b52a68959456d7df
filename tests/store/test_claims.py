from __future__ import annotations

import errno
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from claimers import race, start_holder

from adaptstilts.store import leases
from adaptstilts.store.claims import Claims
from adaptstilts.store.process import Mark, here, is_alive

HOLD = """
import sys, time
from pathlib import Path
from adaptstilts.store.claims import Claims
with Claims(Path(sys.argv[1]), float(sys.argv[2])).claim("a") as is_mine:
    print(is_mine, flush=True)
    time.sleep(60)
"""
DEAD = replace(here(), started="1")
"""A process with this one's id that started when the machine did: the id was given out again."""
FAR = replace(here(), host="elsewhere")


def leave(folder: Path, mark: Mark, name: str = "a", *, until: float | None = None) -> Path:
    """Write the lock that a process has left, as the lock library makes it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.lock"
    made = folder / f"{path.name}^{mark.text}~0a^{mark.process}^77"
    made.write_text(str(made))
    if until is not None:
        os.utime(made, (until, until))
    path.hardlink_to(made)
    return path


def attempt(claims: Claims, name: str = "a") -> bool:
    with claims.claim(name) as is_mine:
        return is_mine


def test_claim_is_given_once_and_again_when_given_back(tmp_path):
    claims = Claims(tmp_path / "claims")
    with claims.claim("a") as is_mine, claims.claim("b") as is_other:
        assert (is_mine, is_other) == (True, True)
        assert not attempt(claims)
        assert not attempt(Claims(tmp_path / "claims"))
        assert claims.holder("a") == here()
    assert claims.holder("a") is None
    assert list((tmp_path / "claims").iterdir()) == []
    assert attempt(claims)


def test_claim_is_given_back_when_the_block_raises(tmp_path):
    claims = Claims(tmp_path)
    with pytest.raises(ZeroDivisionError), claims.claim("a"):
        raise ZeroDivisionError
    assert attempt(claims)


def test_claim_excludes_other_threads_of_the_process(tmp_path):
    gate, won = threading.Barrier(8), []

    def compete() -> None:
        gate.wait()
        with Claims(tmp_path).claim("a") as is_mine:
            won.append(is_mine)
            gate.wait()

    threads = [threading.Thread(target=compete) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def test_one_of_eight_processes_has_a_claim_in_every_round(tmp_path):
    claims = Claims(tmp_path)
    assert [len(won) for won in race(lambda turn: claims.claim(str(turn)), processes=8, rounds=100)] == [1] * 100


def test_one_of_eight_processes_takes_over_a_dead_claim_in_every_round(tmp_path):
    for turn in range(100):
        leave(tmp_path, DEAD, str(turn))
    claims = Claims(tmp_path)
    assert [len(won) for won in race(lambda turn: claims.claim(str(turn)), processes=8, rounds=100)] == [1] * 100
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_reaped", [True, False], ids=["reaped", "zombie"])
def test_claim_of_a_killed_process_is_taken_over_at_once(tmp_path, is_reaped):
    holder = start_holder(HOLD, tmp_path, 60)
    try:
        assert not attempt(Claims(tmp_path))
        assert Claims(tmp_path).holder("a").process == holder.pid
        holder.kill()
        if is_reaped:
            holder.wait()
        else:
            os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
        assert Claims(tmp_path).holder("a") is None
        assert attempt(Claims(tmp_path))
    finally:
        holder.kill()
        holder.communicate()
    assert list(tmp_path.iterdir()) == []


def test_claim_stays_fresh_while_the_block_runs(tmp_path):
    claims = Claims(tmp_path, lifetime=4)
    with claims.claim("a"):
        path = tmp_path / "a.lock"
        first = path.stat().st_mtime
        deadline = time.monotonic() + 20
        while path.stat().st_mtime == first and time.monotonic() < deadline:
            time.sleep(0.1)
        assert path.stat().st_mtime > first


@pytest.mark.parametrize(("left", "expected"), [(60, False), (-5, False), (-30, True)])
def test_claim_of_another_machine_is_taken_over_after_its_lifetime_and_some_slop(tmp_path, left, expected):
    leave(tmp_path, FAR, until=time.time() + left)
    claims = Claims(tmp_path)
    assert (claims.holder("a") is None) == expected
    assert attempt(claims) == expected


def test_claim_of_another_boot_of_this_machine_is_not_taken_for_dead(tmp_path):
    leave(tmp_path, replace(here(), space="other", process=1), until=time.time() + 60)
    assert not attempt(Claims(tmp_path))


def test_claim_with_a_time_that_has_not_come_yet_is_dead_when_it_stays_as_it_is(tmp_path, monkeypatch):
    path = leave(tmp_path, FAR, until=time.time() + 86400)
    claims = Claims(tmp_path)
    assert not attempt(claims)
    clock = time.monotonic
    monkeypatch.setattr(leases.time, "monotonic", lambda: clock() + 100)
    os.utime(path, (time.time() + 86500,) * 2)  # a sign of life: its clock is wrong, and it lives
    assert not attempt(claims)
    monkeypatch.setattr(leases.time, "monotonic", lambda: clock() + 200)
    assert attempt(claims)


def test_claim_this_process_forgot_is_taken_over(tmp_path):
    leave(tmp_path, here())
    assert attempt(Claims(tmp_path))


def test_lock_that_nobody_can_read_is_broken_after_its_lifetime(tmp_path):
    (tmp_path / "a.lock").write_text("")
    assert not attempt(Claims(tmp_path))
    os.utime(tmp_path / "a.lock", (time.time() - 100,) * 2)
    assert attempt(Claims(tmp_path))


def test_claims_work_in_folders_whose_names_have_the_separators(tmp_path):
    folder = tmp_path / "a^b|c~d"
    leave(folder, DEAD)
    assert attempt(Claims(folder))


def test_claim_raises_when_the_folder_cannot_be_made(tmp_path):
    (tmp_path / "claims").write_text("")
    with pytest.raises(FileExistsError), Claims(tmp_path / "claims").claim("a"):
        pass


def test_claim_leaves_nothing_when_the_disk_is_full(tmp_path, monkeypatch):
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "a")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(OSError, match="No space left"), Claims(tmp_path).claim("a"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def without_links(monkeypatch):
    """A system whose file systems have no hard links."""

    def refuse(source: str, target: str) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported", source, None, target)

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("without_links")
def test_leases_stand_in_where_there_are_no_hard_links(tmp_path):
    claims = Claims(tmp_path)
    with claims.claim("a") as is_mine:
        assert is_mine
        assert not attempt(claims)
        assert claims.holder("a") == here()
    assert claims.holder("a") is None
    assert list(tmp_path.iterdir()) == []
    assert [len(won) for won in race(lambda turn: claims.claim(str(turn)), processes=8, rounds=50)] == [1] * 50


def test_sweep_finds_what_dead_processes_left_and_nothing_else(tmp_path):
    claims = Claims(tmp_path)
    leave(tmp_path, DEAD, "dead")
    leave(tmp_path, FAR, "far", until=time.time() + 60)
    (tmp_path / f"b.lock^{DEAD.text}~0a^1^2").write_text(f"b.lock^{DEAD.text}~0a^1^2")
    with claims.claim("mine"):
        left = claims.sweep(remove=True)
        assert claims.holder("mine") == here()
    assert {path.name.partition("^")[0] for path in left} == {"dead.lock", "b.lock"}
    assert {path.name.partition("^")[0] for path in tmp_path.iterdir()} == {"far.lock"}


def test_marks_tell_the_living_from_the_dead_and_from_those_elsewhere():
    assert is_alive(here()) is True
    assert is_alive(DEAD) is False
    assert is_alive(replace(here(), process=2**22 + 1)) is False
    assert is_alive(FAR) is None
    assert Mark.parse(f"{here().text}~more") == here()
    assert Mark.parse("host-12-abc") is None
