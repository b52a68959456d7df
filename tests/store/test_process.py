from __future__ import annotations

import os
from dataclasses import replace

import psutil
import pytest

from adaptstilts.store import process as process_module
from adaptstilts.store.process import Mark, here, is_alive


def test_marks_tell_the_living_from_the_dead_and_from_those_elsewhere():
    assert is_alive(here()) is True
    assert is_alive(replace(here(), started="1")) is False  # the id was given out again
    assert is_alive(replace(here(), process=2**22 + 1)) is False
    assert is_alive(replace(here(), host="elsewhere")) is None
    assert is_alive(replace(here(), space="other", process=1)) is None
    assert Mark.parse(f"{here().text}~more") == here()
    assert Mark.parse("host-12-abc") is None


@pytest.mark.parametrize("is_ours", [True, False])
def test_process_that_the_system_hides_may_be_alive(monkeypatch, is_ours):
    """As where /proc is mounted with hidepid=2 and another user's process is looked at."""

    def signal(process: int, number: int) -> None:
        assert number == 0
        if not is_ours:
            raise PermissionError(1, "Operation not permitted")

    def hidden(process: int) -> None:
        raise psutil.NoSuchProcess(process)

    mark = replace(here(), process=os.getppid())
    monkeypatch.setattr(process_module, "_PROC", process_module.Path("/nowhere"))
    monkeypatch.setattr(process_module, "here", lambda: mark)
    monkeypatch.setattr(psutil, "Process", hidden)
    monkeypatch.setattr(psutil, "pid_exists", lambda process: False)
    monkeypatch.setattr(os, "kill", signal)
    assert is_alive(mark) is None
