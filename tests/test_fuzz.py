"""A part of the fuzz run, and the seeds that failed once, by name."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from repository import ROOT

FAILED_ONCE = {
    "data:1000017": "an integer of 5,000 digits in a line of JSON",
    "data:1000032": "a named pipe in place of a table",
    "data:1000133": "a device in place of a CSV file",
    "override:1000020": "an integer of 5,000 digits as an override",
    "config:1000037": "an integer of 5,000 digits in a configuration",
    "config:2000018": "a key of 100,000 characters",
    "download:1000019": "an integer of 5,000 digits in a downloaded SQuAD file",
    "download:1000040": "an integer of 5,000 digits in another file of it",
    "download:1000042": "a zip whose member is said to begin before the archive",
    "lock:1000028": "a list in place of an object in a lock file",
    "data:3000098": "offsets of an Arrow file that lead outside it",
    "layout:1000174": "a link that leads nowhere in place of a part of a parquet set",
    "layout:3000040": "a wrong length of a list in an Arrow file",
}
"""Cases of the fuzz run that ended in a traceback or a crash, or not at all, when they were first carried out."""
KINDS = ("config", "override", "data", "predictions", "lock", "sources", "download")
"""Kinds whose cases take a fraction of a second; the others need a study to be run first."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and reads limits and states of processes")


def fuzz(*words: str) -> str:
    """Run the command and return what it printed; it must end with status 0."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "benchmarks" / "fuzz.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, f"{done.stdout[-5000:]}{done.stderr[-2000:]}"
    return done.stdout


def test_cases_that_failed_once_end_with_a_message():
    found = fuzz("--only", *FAILED_ONCE)
    assert f"{len(FAILED_ONCE)} cases in " in found
    assert "Traceback" not in found


def test_mutated_files_end_with_status_0_or_with_a_message():
    found = fuzz("--cases", "200", "--seed", "1", "--jobs", "2", "--seconds", "80", "--kinds", *KINDS)
    assert re.search(r"^\d+ cases in \d+ s, 0 failed", found, re.MULTILINE)


def test_unchanged_files_are_fine():
    found = fuzz("--only", "config:0", "data:0", "lock:0", "sources:0", "download:0")
    assert found.count("nothing  [") == 5
