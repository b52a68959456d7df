"""Damage every file of a finished study's store, remove artefacts, and check detection and repair.

    python benchmarks/damage.py configs/quickstart.yaml --scratch /tmp/damage

The study is run first. Then one bit is flipped in each file: `store verify` must name every file, and using it must
raise an error. Manifests are replaced by hostile ones (pipes, devices, deep JSON, sealed values of wrong types), one
artefact each: `store ls`, `verify`, `gc`, `status` and `plan` must name each of them and go on with all others.
`run --rebuild` must make those, and a random sample of damaged artefacts, again and nothing else, `run` a random sample
of removed ones, and the results must stay equal byte for byte. Exit status 1 if any check fails.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from adaptstilts.errors import DamagedError
from adaptstilts.store.manifest import manifest_text
from adaptstilts.store.store import MANIFEST, Store
from adaptstilts.study.study import Study


def adaptstilts(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command with these arguments."""
    return subprocess.run([sys.executable, "-m", "adaptstilts", *words], capture_output=True, text=True, check=False)


def flip(path: Path, rng: random.Random) -> None:
    """Flip one bit of a random byte."""
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(content))


def files_of(folder: Path) -> list[Path]:
    """List the files in an artefact's manifest, without empty ones, which have no byte to flip."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return [folder / name for name, record in manifest["files"].items() if record["bytes"]]


def not_named(store: Path, damaged: list[Path]) -> list[str]:
    """List the damaged files that `store verify` does not name, and report a wrong number of names."""
    said = adaptstilts("store", "verify", "--store", str(store))
    lines = [line for line in (said.stdout + said.stderr).splitlines() if "--rebuild" in line]
    missed = [f"verify does not name {path}" for path in damaged if not any(f"{path}:" in line for line in lines)]
    return missed + ([f"verify names {len(lines)} files, not {len(damaged)}"] if len(lines) != len(damaged) else [])


def unseen_on_use(store: Store, config: Path, words: list[str], rng: random.Random) -> tuple[int, list[str]]:
    """Flip a bit of each file in turn and open its artefact; return the number of files and the undetected ones."""
    problems, count = [], 0
    for stage in Study.load(config, words).plan.stages:
        folder = store.folder(stage)
        for path in (*files_of(folder), folder / MANIFEST):
            content = path.read_bytes()
            flip(path, rng)
            try:
                store.open(stage)
                problems.append(f"{path} is used although it is damaged")
            except DamagedError as error:
                if error.path != path:
                    problems.append(f"{path} is damaged, but {error.path} is named")
            path.write_bytes(content)
            count += 1
    return count, problems


def resealed(path: Path, **changes: object) -> None:
    """Change values of a manifest, and seal it as its maker would."""
    path.write_text(manifest_text({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def put(path: Path, make: Callable[[Path], object]) -> None:
    """Put something else in the place of a manifest."""
    path.unlink()
    make(path)


HOSTILE: tuple[Callable[[Path], object], ...] = (
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(bytes(range(256))),
    lambda path: path.write_text("[" * 200_000),
    lambda path: path.write_text('{"a":' * 200_000),
    lambda path: path.write_text('{"seconds": ' + "9" * 5000 + "}"),
    lambda path: os.truncate(path, 2**30),
    lambda path: put(path, os.mkfifo),
    lambda path: put(path, lambda place: place.symlink_to("/dev/zero")),
    lambda path: put(path, lambda place: place.symlink_to(place)),
    lambda path: put(path, lambda place: place.mkdir()),
    lambda path: resealed(path, seconds=float("nan")),
    lambda path: resealed(path, seconds=True),
    lambda path: resealed(path, format=10**30),
    lambda path: resealed(path, key="0" * 64),
    lambda path: resealed(path, kind="../data"),
    lambda path: resealed(path, slug="../../x"),
    lambda path: resealed(path, files={"../x": {"bytes": 1, "sha256": "0" * 64}}),
    lambda path: resealed(path, files={"x\x1b[2J": {"bytes": 1, "sha256": "0" * 64}}),
    lambda path: resealed(path, files=[1]),
    lambda path: resealed(path, inputs={"a": 1}),
    lambda path: resealed(path, job=None),
)
"""What may be done to a manifest."""


def stopped_by_hostile(place: Path, folders: list[Path], words: list[str]) -> tuple[int, list[str]]:
    """Make manifests hostile, one kind of hostility each; return their number and the commands that do not go on."""
    chosen = folders[: len(HOSTILE)]
    for folder, act in zip(chosen, HOSTILE, strict=False):
        act(folder / MANIFEST)
    problems = []
    left = len(folders) - len(chosen)
    for command in (
        ["store", "ls", "--store", str(place)],
        ["store", "verify", "--store", str(place)],
        ["store", "gc", "--store", str(place)],
        ["status", *words],
        ["plan", *words, "--table"],
    ):
        said = adaptstilts(*command)
        text = said.stdout + said.stderr
        what = " ".join(command[:2])
        if "Traceback" in text or said.returncode not in {0, 2}:
            problems.append(f"{what}: ended with status {said.returncode}: {said.stderr[-300:]}")
        if command[0] != "status":  # which names the first ones, and counts
            problems += [f"{what} does not name {folder}" for folder in chosen if str(folder) not in text]
        if command[1] == "ls" and f"{left} artefacts" not in said.stdout:
            problems.append(f"{what} does not list the {left} others")
    return len(chosen), problems


def made_again(words: list[str], results: Path, before: bytes, expected: int, what: str) -> list[str]:
    """Run the study and check the number of stages made and the results."""
    said = adaptstilts("run", *words, "--json")
    if said.returncode != 0:
        return [f"{what}: the run ended with status {said.returncode}: {said.stderr[-500:]}"]
    made = json.loads(said.stdout)["made"]
    problems = [] if made == expected else [f"{what}: {made} stages were made, not {expected}"]
    (after,) = results.glob("*/results.csv")
    return problems if after.read_bytes() == before else [*problems, f"{what}: results.csv differs"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("overrides", nargs="*", help="key=value settings over those of the file")
    parser.add_argument("--sample", type=int, default=12, help="artefacts that are damaged, and removed, before a run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scratch", type=Path, required=True, help="an empty folder to work in")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    place, results = arguments.scratch / "store", arguments.scratch / "results"
    settings = [*arguments.overrides, f"store={place}", f"results={results}"]
    words = [str(arguments.config), *settings]
    said = adaptstilts("run", *words)
    if said.returncode != 0:
        sys.exit(f"the study ended with status {said.returncode}: {said.stderr[-2000:]}")
    (table,) = results.glob("*/results.csv")
    before = table.read_bytes()
    folders = sorted(path.parent for path in place.glob(f"*/*/{MANIFEST}"))
    whole = arguments.scratch / "whole"
    shutil.copytree(place, whole)

    files = [path for folder in folders for path in files_of(folder)]
    for path in files:
        flip(path, rng)
    problems = not_named(place, files)
    shutil.rmtree(place)
    shutil.copytree(whole, place)
    for folder in folders:
        flip(folder / MANIFEST, rng)
    problems += not_named(place, [folder / MANIFEST for folder in folders])
    shutil.rmtree(place)
    shutil.copytree(whole, place)
    count, unseen = unseen_on_use(Store(place), arguments.config, settings, rng)
    problems += unseen

    hostile, stopped = stopped_by_hostile(place, folders, words)
    problems += stopped
    problems += made_again([*words, "--rebuild"], results, before, hostile, "hostile")
    damaged = rng.sample(folders, arguments.sample)
    for folder in damaged:
        flip(rng.choice([*files_of(folder), folder / MANIFEST]), rng)
    problems += made_again([*words, "--rebuild"], results, before, len(damaged), "damaged")
    for folder in (removed := rng.sample(folders, arguments.sample)):
        shutil.rmtree(folder)
    problems += made_again(words, results, before, len(removed), "removed")
    found = f"{len(files)} damaged files and {len(folders)} damaged manifests named by verify, {count} refused on use"
    found += f", {hostile} hostile manifests stopped no command"
    again = f"{hostile} hostile, {len(damaged)} damaged and {len(removed)} removed made again and nothing else"
    print("\n".join(problems) or f"{len(folders)} artefacts: {found}; {again}, results equal")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
