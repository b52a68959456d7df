import os
import stat
from pathlib import Path

import pytest

from adaptstilts.engine.resources import Machine, this_machine
from adaptstilts.errors import EngineError

SAID = "0, GPU-aa, 81559\n1, GPU-bb, 40000\n"
MEBIBYTE = 1 << 20


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A stand-in for the driver's tool that says there are two GPUs."""

    def install(said: str = SAID, status: int = 0) -> None:
        tool = tmp_path / "nvidia-smi"
        tool.write_text("#!/bin/sh\ncat <<END\n" + said + f"END\nexit {status}\n")
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return install


@pytest.mark.parametrize(
    ("device", "visible", "names"),
    [
        ("auto", None, ("0", "1")),
        ("cuda:1", None, ("1",)),
        ("cpu", None, ()),
        ("auto", "1", ("1",)),
        ("auto", "GPU-bb,0", ("GPU-bb", "0")),
        ("cuda:1", "GPU-bb,0", ("0",)),
        ("auto", "", ()),
        ("auto", "7", ()),
    ],
)
def test_gpus_are_those_that_device_and_environment_leave(driver, monkeypatch, device, visible, names):
    driver()
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert this_machine(device).names == names


def test_memory_of_a_gpu_leaves_some_free(driver):
    driver()
    assert this_machine("auto").gpus == (int(81559 * MEBIBYTE * 0.92), int(40000 * MEBIBYTE * 0.92))


def test_a_driver_that_does_not_answer_means_no_gpu(driver):
    driver("no devices were found\n", 6)
    assert this_machine("auto") == Machine()


def test_grouped_gpus_have_the_memory_of_the_smallest_and_leave_out_the_rest():
    machine = Machine((9, 7, 8, 8, 5), ("0", "1", "2", "3", "4"))
    assert machine.grouped(2) == Machine((7, 8), ("0,1", "2,3"))
    assert machine.grouped(1) == machine
    assert Machine().grouped(4) == Machine()
    with pytest.raises(EngineError, match=r"parallel.processes: 6 processes .* there are 5\. Allowed: 1, 2, 3, 4, 5"):
        machine.grouped(6)
