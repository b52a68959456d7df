"""Processes that are spawned by a script without a guard for its main module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """\
import multiprocessing, sys
from adaptstilts.engine.spawning import without_main_module

print("the script", flush=True)
process = multiprocessing.get_context("spawn").Process(target=print, args=("the worker",))
with without_main_module():
    process.start()
process.join()
print(process.exitcode, sys.modules["__main__"].process is process)
"""


def test_script_without_a_guard_is_not_run_again_by_its_workers(tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["the script", "the worker", "0 True"], done.stderr
    assert done.stderr == ""
