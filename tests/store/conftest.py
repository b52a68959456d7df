"""The store that tests of archives share."""

from __future__ import annotations

from pathlib import Path

import pytest
from stored_stages import SCORE, WORLD

from adaptstilts.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of two artefacts, each with a file in a folder."""
    store = Store(tmp_path / "store")
    for stage in (WORLD, SCORE):
        with store.writing(stage, {"python": "x"}) as folder:
            (folder / "deep").mkdir()
            (folder / "deep" / "a.bin").write_bytes(stage.name.encode() * 100)
    return store
