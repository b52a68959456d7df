from __future__ import annotations

from dataclasses import replace

from adaptstilts.store.process import Mark, here, is_alive


def test_marks_tell_the_living_from_the_dead_and_from_those_elsewhere():
    assert is_alive(here()) is True
    assert is_alive(replace(here(), started="1")) is False  # the id was given out again
    assert is_alive(replace(here(), process=2**22 + 1)) is False
    assert is_alive(replace(here(), host="elsewhere")) is None
    assert is_alive(replace(here(), space="other", process=1)) is None
    assert Mark.parse(f"{here().text}~more") == here()
    assert Mark.parse("host-12-abc") is None
