import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from adaptstilts.study import claims
from adaptstilts.study.claims import claimed, holder, is_claimed

HOLD = """
import sys, time
from pathlib import Path
from adaptstilts.study.claims import claimed
with claimed(Path(sys.argv[1])) as is_mine:
    print("mine" if is_mine else "busy", flush=True)
    time.sleep(float(sys.argv[2]))
"""
RACE = """
import sys, time
from pathlib import Path
from adaptstilts.study.claims import claimed
folder, start = Path(sys.argv[1]), float(sys.argv[2])
won = []
for turn in range(25):
    time.sleep(max(0, start + turn * 0.06 - time.time()))
    with claimed(folder / f"{turn}.lock") as is_mine:
        if is_mine and not (folder / f"{turn}.made").exists():
            won.append(turn)
            time.sleep(0.02)
            (folder / f"{turn}.made").touch()
print(*won)
"""


def start(script: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )


def test_a_claim_excludes_others_and_ends_with_its_block(tmp_path):
    path = tmp_path / "claims" / "one.lock"
    assert not is_claimed(path)
    assert holder(path) is None
    with claimed(path) as is_mine:
        assert is_mine
        assert is_claimed(path)
        assert holder(path)[1] == os.getpid()
        with claimed(path) as second:
            assert not second
        threads = []
        thread = threading.Thread(target=lambda: threads.append(_try(path)))
        thread.start()
        thread.join()
        assert threads == [False]
    assert not is_claimed(path)
    with claimed(path) as is_mine:
        assert is_mine
    assert list(path.parent.iterdir()) == []


def _try(path: Path) -> bool:
    with claimed(path) as is_mine:
        return is_mine


def test_an_exception_ends_a_claim(tmp_path):
    with pytest.raises(ZeroDivisionError), claimed(tmp_path / "one.lock"):
        raise ZeroDivisionError
    assert not is_claimed(tmp_path / "one.lock")


def test_a_live_process_keeps_its_claim_and_a_killed_one_loses_it_at_once(tmp_path):
    path = tmp_path / "one.lock"
    other = start(HOLD, path, 60)
    assert other.stdout.readline() == "mine\n"
    assert is_claimed(path)
    assert holder(path)[1] == other.pid
    assert not _try(path)
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert not is_claimed(path)
    assert _try(path)


def test_one_of_several_that_see_a_dead_claim_takes_it_over(tmp_path):
    start_at = time.time() + 2.5
    for turn in range(25):
        dead = tmp_path / f"{turn}.lock"
        claim = tmp_path / f"{turn}.lock|{claims.Lock(str(dead)).hostname}|999999999|{turn}"
        claim.write_text(str(claim))
        os.utime(claim, (start_at + 60, start_at + 60))
        os.link(claim, dead)
    processes = [start(RACE, tmp_path, start_at) for _ in range(4)]
    won = [int(turn) for process in processes for turn in process.communicate()[0].split()]
    assert sorted(won) == list(range(25))


def test_eight_processes_get_a_claim_one_at_a_time(tmp_path):
    start_at = time.time() + 5
    processes = [start(RACE, tmp_path, start_at) for _ in range(8)]
    won = [int(turn) for process in processes for turn in process.communicate()[0].split()]
    assert sorted(won) == list(range(25))


def test_a_claim_of_another_host_is_taken_over_when_it_has_expired(tmp_path, monkeypatch):
    path = tmp_path / "one.lock"
    claim = tmp_path / "one.lock|elsewhere|1|7"
    claim.write_text(str(claim))
    os.link(claim, path)
    assert is_claimed(path)
    assert not _try(path)
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))
    assert not is_claimed(path)
    assert _try(path)


def test_a_claim_shows_signs_of_life(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "_SECONDS_BETWEEN_SIGNS", 0.1)
    monkeypatch.setattr(claims, "LIFETIME", timedelta(seconds=2))
    path = tmp_path / "one.lock"
    with claimed(path) as is_mine:
        assert is_mine
        first = path.stat().st_mtime
        time.sleep(2.5)
        assert path.stat().st_mtime > first


def test_a_file_system_without_hard_links_has_claims_too(tmp_path, monkeypatch):
    def refuse(source: str, target: str) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "one.lock"
    with claimed(path) as is_mine:
        assert is_mine
        assert not _try(path)
    assert _try(path)
