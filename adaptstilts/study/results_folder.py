"""The results folder of a study: copies of its tables and report, or a report of what is finished so far."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from adaptstilts.errors import StoreError
from adaptstilts.results.report import ReportFiles, files_in
from adaptstilts.store.artefact import Artefact
from adaptstilts.study.layout import NOTES_FILE, PAGES_FILE
from adaptstilts.study.stages.contamination import data_roots
from adaptstilts.study.stages.report import report_stage, write_study_tables
from adaptstilts.study.study import Study

_INTERNAL = frozenset({NOTES_FILE, PAGES_FILE})
_HINT = "Set results=FOLDER."


def make_folder(folder: Path) -> None:
    """Make a results folder.

    Raises:
        StoreError: If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot be written: {error.strerror}", path=folder, hint=_HINT) from error


def place_report(tables: Artefact, report: Artefact, folder: Path) -> ReportFiles:
    """Copy a study's tables and report into its results folder.

    Each file is replaced in one step, so that several processes may do this at the same time.

    Raises:
        StoreError: If the folder cannot be written.
    """
    make_folder(folder)
    parts = [(name, part) for part in (tables, report) for name in part.names if name not in _INTERNAL]
    sources = {name: part.file(name) for name, part in parts if "/" not in name}
    for name, path in sources.items():
        unfinished = folder / f".{name}.{os.getpid()}"
        try:
            shutil.copyfile(path, unfinished)
            unfinished.replace(folder / name)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise StoreError(f"cannot be written: {error.strerror}", path=folder / name, hint=_HINT) from error
    return files_in(folder, report.record(PAGES_FILE))


def report_what_is_there(study: Study, done: Mapping[str, Artefact], missing: Sequence[str]) -> ReportFiles:
    """Write tables and report of the finished part of a study straight into its results folder.

    Args:
        study: The study.
        done: Finished artefacts by key.
        missing: Remarks on what is not finished, which the report shows.

    Raises:
        AdaptstiltsError: If records or data cannot be read, or the folder cannot be written.
    """
    plan, store, folder = study.plan, study.store, study.results_folder
    roots = data_roots(study.config.data, plan, store)
    make_folder(folder)
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as place:
            tables, report = Artefact(Path(place) / "tables", {}), Artefact(Path(place) / "report", {})
            write_study_tables(plan.tables, done, tables.folder)
            report_stage(plan.report, tables, roots, store, report.folder, missing)
            return place_report(tables, report, folder)
    except OSError as error:
        raise StoreError(f"cannot be written: {error.strerror}", path=folder, hint=_HINT) from error
