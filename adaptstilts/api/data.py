"""Data sets: download them, check a folder of them, write question-answering tests from templates."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from adaptstilts.api.shown import Shown
from adaptstilts.arguments import flag_of, path_of, texts_of, whole_number_of
from adaptstilts.data.check import check_folder
from adaptstilts.data.check_text import table, values
from adaptstilts.data.checklist import DEFAULT_CASES, DEFAULT_SEED
from adaptstilts.data.checklist.write import write_checklist as write_files
from adaptstilts.data.fetch import FetchOptions, fetch, missing_training_sets
from adaptstilts.data.sources import packaged, read_manifest
from adaptstilts.formatting import number_text
from adaptstilts.progress.bars import CheckWatcher, FetchWatcher
from adaptstilts.progress.choose import error_console
from adaptstilts.tasks.registry import all_tasks, get_task


def fetch_data(
    root: Path | str,
    tasks: Sequence[str] = (),
    *,
    languages: Sequence[str] = (),
    offline: bool = False,
    manifest: Path | str | None = None,
) -> Shown:
    """Download data sets, check them, and convert them to one layout.

    Resumes interrupted downloads, skips finished ones, and records rows and checksums in the root's lock file.

    Args:
        root: Folder for the data; set ``data.root`` to it later.
        tasks: Tasks to download; by default all that can be.
        languages: Dev and test sets of these languages only, besides English training.
        offline: Never use the network, only files in the root's folder ``.downloads``.
        manifest: One's own list of sources, in the format of ``adaptstilts/data/sources.yaml``.

    Returns:
        Counts; the record holds the splits fetched and present, and the notes say what is left to do.

    Raises:
        AdaptstiltsError: If data cannot be downloaded, is not what was expected, or cannot be written.
    """
    place, names = path_of("root", root), texts_of("tasks", tasks)
    sources = packaged() if manifest is None else read_manifest(path_of("manifest", manifest))
    codes, offline = texts_of("languages", languages), flag_of("offline", offline)
    options = FetchOptions(languages=codes or None, offline=offline, manifest=sources)
    with FetchWatcher(error_console()) as watcher:
        result = fetch(place, names, watcher, options)
    training = missing_training_sets(place, names)
    commands = (shlex.join(["adaptstilts", "data", "fetch", name, "--root", str(root)]) for name in training)
    notes = (*result.by_hand, *(f"training data not fetched yet: {command}" for command in commands))
    text = f"{root}: {number_text(len(result.fetched), 'split')} fetched, {len(result.present)} were there"
    return Shown(asdict(result), text, notes)


def check_data(root: Path | str, tasks: Sequence[str] = (), *, strict: bool = False) -> Shown:
    """Read every row of a data folder, and say per task and split what is there, missing, leaked or malformed.

    Args:
        root: Folder with data sets, as in ``data.root``.
        tasks: Tasks to check; by default all.
        strict: Whether missing languages and unexpected numbers of rows count as problems.

    Raises:
        AdaptstiltsError: If a task is unknown or there is no such folder.
    """
    names, strict = texts_of("tasks", tasks), flag_of("strict", strict)
    wanted = [get_task(name) for name in names] if names else list(all_tasks())
    with CheckWatcher(error_console()) as watcher:
        found = check_folder(path_of("root", root), wanted, strict=strict, on_step=watcher.stepped)
    return Shown(values(found), table(found), problems=tuple(found.problems))


def write_checklist(
    root: Path | str, languages: Sequence[str] = (), *, cases: int = DEFAULT_CASES, seed: int = DEFAULT_SEED
) -> Shown:
    """Write the tests of the target `multichecklist` from templates.

    Args:
        root: Data root; the files go into its folder ``multichecklist``.
        languages: Languages to write; by default all ten.
        cases: Cases per test and language.
        seed: Decides which cases are drawn.

    Raises:
        AdaptstiltsError: If there are no templates in a language, or the folder cannot be written.
    """
    place, codes = path_of("root", root), texts_of("languages", languages)
    most, start = whole_number_of("cases", cases, least=1), whole_number_of("seed", seed)
    written = write_files(place, codes, cases=most, seed=start)
    text = f"{root}: {number_text(len(written), 'file')} of {number_text(cases, 'case')} each, seed {seed}"
    return Shown({"files": [str(path) for path in written], "cases": cases, "seed": seed}, text)
