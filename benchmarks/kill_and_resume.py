"""Kill a study at random moments, resume it, and compare its artefacts with an undisturbed run, byte for byte.

    python benchmarks/kill_and_resume.py configs/quickstart.yaml --kills 30 --engine local --scratch /tmp/killed

Each round starts the study on an empty store, kills the whole process group with SIGKILL after a random time and
starts it again until it finishes; rounds are repeated until there were enough kills. The comparison covers results.csv
and every file of every artefact except those that hold times. Stages made are counted from their logs. Exit status 1 if
anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from adaptstilts.engine.journal import made_counts

WITH_TIMES = {"training.json", "runs.csv", "report.md", "pages.json"}
"""Files that contain times, and so differ from run to run."""


def command(arguments: argparse.Namespace, folder: Path) -> list[str]:
    words = [f"store={folder / 'store'}", f"results={folder / 'results'}", *arguments.overrides]
    engine = ["--engine", arguments.engine]
    return [sys.executable, "-m", "adaptstilts", "run", arguments.config, *words, *engine]


def start(arguments: argparse.Namespace, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "output.txt").open("ab") as output:
        return subprocess.Popen(
            command(arguments, folder), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def disturbed_round(arguments: argparse.Namespace, folder: Path, usual: float, rng: random.Random, killed: int) -> int:
    """Run a study to its end, killing it until there were enough kills; return the number of kills so far."""
    folder.mkdir(parents=True)
    while True:
        began = time.monotonic()
        process = start(arguments, folder)
        wait = rng.uniform(0.5, max(6.0, usual * 0.6)) if killed < arguments.kills else None
        try:
            code = process.wait(wait)
        except subprocess.TimeoutExpired:
            kill_group(process)
            killed += 1
            print(f"kill {killed} after {time.monotonic() - began:.1f} s", flush=True)
            continue
        if code != 0:
            sys.exit(f"the study ended with status {code}; see {folder / 'output.txt'}")
        return killed


def hashes(folder: Path) -> dict[tuple[str, str], str]:
    """Read the recorded SHA-256 of all files without times, by key and file."""
    found = {}
    for path in (folder / "store").glob("*/*/manifest.json"):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        for name, record in manifest["files"].items():
            if Path(name).name not in WITH_TIMES:
                found[manifest["key"], name] = record["sha256"]
    return found


def differences(undisturbed: Path, folder: Path) -> list[str]:
    """List the differences of a round's results and artefacts from the undisturbed run."""
    problems = []
    for path in sorted((undisturbed / "results").glob("*/results.csv")):
        other = folder / path.relative_to(undisturbed)
        if not other.is_file() or other.read_bytes() != path.read_bytes():
            problems.append(f"{other}: differs")
    expected, found = hashes(undisturbed), hashes(folder)
    problems += [
        f"{key[:16]} {name}: differs" for (key, name), value in expected.items() if found.get((key, name)) != value
    ]
    problems += [f"{key[:16]} {name}: not in the undisturbed run" for key, name in found.keys() - expected.keys()]
    # A kill between the last rename of an artefact and the line in its log leaves a count of 0.
    twice = {key: count for key, count in made_counts(folder / "store").items() if count > 1}
    problems += [f"{key[:16]}: made {count} times" for key, count in twice.items()]
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("overrides", nargs="*", help="key=value settings over those of the file")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--engine", default="local", choices=["local", "ray"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scratch", type=Path, required=True, help="an empty folder to work in")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    undisturbed = arguments.scratch / "undisturbed"
    undisturbed.mkdir(parents=True)
    began = time.monotonic()
    if start(arguments, undisturbed).wait() != 0:
        sys.exit(f"the undisturbed run failed; see {undisturbed / 'output.txt'}")
    usual = time.monotonic() - began
    files = Counter(Path(name).suffix for _, name in hashes(undisturbed))
    print(f"undisturbed: {usual:.1f} s, {dict(files)}", flush=True)
    killed, rounds, problems = 0, 0, []
    while killed < arguments.kills:
        folder = arguments.scratch / f"round{rounds}"
        killed = disturbed_round(arguments, folder, usual, rng, killed)
        problems += differences(undisturbed, folder)
        rounds += 1
    made = len(made_counts(undisturbed / "store"))
    print(
        "\n".join(problems)
        if problems
        else f"{killed} kills in {rounds} rounds: {made} artefacts equal, each made once"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
