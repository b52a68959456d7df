"""Start several copies of a study at once on one store, and check that every stage is made exactly once.

    python benchmarks/at_once.py configs/quickstart.yaml --processes 8 --scratch /tmp/at_once

Exit status 1 if a stage was made twice or not at all, or if the reports differ.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import time
from pathlib import Path

from adaptstilts.engine.journal import made_counts
from adaptstilts.study.history import HISTORY_FILE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("overrides", nargs="*", help="key=value settings over those of the file")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--scratch", type=Path, required=True, help="an empty folder to work in")
    arguments = parser.parse_args()
    arguments.scratch.mkdir(parents=True)
    began = time.monotonic()
    runs = []
    for number in range(arguments.processes):
        words = [f"store={arguments.scratch / 'store'}", f"results={arguments.scratch / f'results{number}'}"]
        command = [sys.executable, "-m", "adaptstilts", "run", arguments.config, "workers=1", *words]
        with (arguments.scratch / f"output{number}.txt").open("wb") as output:
            runs.append(subprocess.Popen([*command, *arguments.overrides], stdout=output, stderr=subprocess.STDOUT))
    codes = [run.wait() for run in runs]
    seconds = time.monotonic() - began
    reports = set()
    for number in range(arguments.processes):
        found = (arguments.scratch / f"results{number}").glob("*/[!.]*")  # hidden files say whose the folder is
        files = sorted(path for path in found if path.name != HISTORY_FILE)  # it holds the time
        reports.add(tuple((path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files))
    made = made_counts(arguments.scratch / "store")
    manifests = len(list((arguments.scratch / "store").glob("*/*/manifest.json")))
    problems = [f"process {number} ended with status {code}" for number, code in enumerate(codes) if code]
    problems += [f"{key[:16]} made {count} times" for key, count in made.items() if count != 1]
    problems += [f"{len(made)} stages in the logs, {manifests} in the store"] if len(made) != manifests else []
    problems += [f"{len(reports)} different reports"] if len(reports) != 1 else []
    print(
        "\n".join(problems)
        or f"{arguments.processes} processes, {manifests} stages made once each, one report, {seconds:.0f} s"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
