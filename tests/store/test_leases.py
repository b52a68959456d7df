from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from claimers import race

from adaptstilts.store.claims import Claims
from adaptstilts.store.leases import FolderObjects, Lease, Leases
from adaptstilts.store.process import here

DEAD = replace(here(), started="1")
FAR = replace(here(), host="elsewhere")


def test_lease_is_taken_once_and_again_when_released(tmp_path):
    leases = Leases(FolderObjects(tmp_path))
    lease = leases.acquire("a")
    assert leases.acquire("a") is None
    assert leases.holder("a") == here()
    leases.release(lease)
    assert leases.holder("a") is None
    assert leases.acquire("a") is not None


def test_refresh_gives_a_sign_of_life_only_while_the_lease_is_the_holders(tmp_path):
    leases = Leases(FolderObjects(tmp_path))
    lease = leases.acquire("a")
    leases.refresh(replace(lease, beat=0))
    assert leases.read("a").beat == pytest.approx(time.time(), abs=5)
    leases.objects.write("a", Lease("other", FAR, 1.0, "a").text())
    leases.refresh(lease)
    leases.release(lease)
    assert leases.read("a").beat == 1.0


@pytest.mark.parametrize(
    ("holder", "silence", "is_taken"), [(DEAD, 0, True), (FAR, 30, False), (FAR, 65, False), (FAR, 80, True)]
)
def test_lease_of_a_dead_or_silent_holder_is_replaced(tmp_path, holder, silence, is_taken):
    leases = Leases(FolderObjects(tmp_path))
    leases.objects.write("a", Lease("old", holder, time.time() - silence, "a").text())
    lease = leases.acquire("a")
    assert (lease is not None) == is_taken
    assert leases.read("a").number == (lease.number if is_taken else "old")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_lease_is_replaced_though_one_who_replaced_it_died_halfway(tmp_path):
    leases = Leases(FolderObjects(tmp_path))
    leases.objects.write("a", Lease("old", DEAD, 0, "a").text())
    leases.objects.write("a.old", Lease("next", DEAD, 0, "a").text())
    lease = leases.acquire("a")
    assert leases.read("a").number == lease.number
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_one_who_replaces_a_lease_that_is_another_by_then_gives_up(tmp_path):
    class Slow(FolderObjects):
        """Lets another holder have the lease just before the right to replace it is taken."""

        def create(self, name: str, text: str) -> bool:
            if name == "a.old":
                self.write("a", Lease("new", FAR, time.time(), "a").text())
            return super().create(name, text)

    leases = Leases(Slow(tmp_path))
    leases.objects.write("a", Lease("old", DEAD, 0, "a").text())
    assert leases.acquire("a") is None
    assert leases.read("a").number == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_one_of_eight_processes_replaces_a_dead_lease_in_every_round(tmp_path: Path, monkeypatch):
    import errno
    import os

    def refuse(source: str, target: str) -> None:
        raise OSError(errno.EPERM, "Operation not permitted", source, None, target)

    monkeypatch.setattr(os, "link", refuse)
    for turn in range(50):
        FolderObjects(tmp_path).write(f"{turn}.lease", Lease(f"old{turn}", DEAD, 0, "").text())
    claims = Claims(tmp_path)
    assert [len(won) for won in race(lambda turn: claims.claim(str(turn)), processes=8, rounds=50)] == [1] * 50
    assert list(tmp_path.iterdir()) == []
