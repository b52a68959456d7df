"""A miniature written once for all tests of the folder."""

from pathlib import Path

import pytest

from adaptstilts.mini.write import write_mini


@pytest.fixture(scope="session")
def mini_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mini")
    write_mini(root, seed=3, train=120, evaluation=60, low_resource=12)
    return root
