"""The results folder of a study: copies of its tables and report, or a report of what is finished so far."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from adaptstilts.formatting import number_text
from adaptstilts.results.report import RESULTS, ReportFiles, files_in
from adaptstilts.store.artefact import Artefact
from adaptstilts.study.history import append_entry, entry_of, former_files
from adaptstilts.study.layout import NOTES_FILE, PAGES_FILE
from adaptstilts.study.ownership import claim_results_folder, unwritable, writing_results
from adaptstilts.study.stages.contamination import data_roots
from adaptstilts.study.stages.report import report_stage, write_study_tables
from adaptstilts.study.study import Study

_INTERNAL = frozenset({NOTES_FILE, PAGES_FILE})


def place_report(study: Study, tables: Artefact, report: Artefact, missing: int = 0) -> ReportFiles:
    """Put a study's tables and report into its results folder in place of the former ones, and add them to its history.

    One process does this at a time, and the files are put in place together: they are all of one report.

    Args:
        study: The study.
        tables: Artefact with its tables.
        report: Artefact with its report.
        missing: Number of stages that the report lacks.

    Raises:
        StoreError: If the folder belongs to another configuration, or cannot be written.
    """
    folder = study.results_folder
    parts = [(name, part) for part in (tables, report) for name in part.names if name not in _INTERNAL]
    sources = {name: part.file(name) for name, part in parts if "/" not in name}
    with writing_results(study) as owner:
        _remove_leftovers(folder)
        copies = {name: folder / f".{name}.{os.getpid()}" for name in sources}
        try:
            for name, copy in copies.items():
                shutil.copyfile(sources[name], copy)
            former = former_files(folder) - set(sources)
            for name, copy in copies.items():
                copy.replace(folder / name)
        finally:
            for copy in copies.values():
                copy.unlink(missing_ok=True)
        for name in former:
            (folder / name).unlink(missing_ok=True)
        append_entry(folder, entry_of(study, owner, folder / RESULTS, list(sources), missing))
    return files_in(folder, report.record(PAGES_FILE))


def _remove_leftovers(folder: Path) -> None:
    """Remove copies that an interrupted process has not put in place; no other process is writing the folder."""
    for path in folder.glob(".*.*"):
        if path.suffix[1:].isdigit() and path.is_file():
            path.unlink(missing_ok=True)


def report_what_is_there(study: Study, done: Mapping[str, Artefact], missing: Sequence[str]) -> ReportFiles:
    """Write tables and report of the finished part of a study straight into its results folder.

    Args:
        study: The study.
        done: Finished artefacts by key.
        missing: A line about each stage that is not finished; the report says how many there are.

    Raises:
        AdaptstiltsError: If records or data cannot be read, or the folder cannot be written.
    """
    plan, store, folder = study.plan, study.store, study.results_folder
    roots = data_roots(study.config.data, plan, store)
    claim_results_folder(study)
    remarks = [f"{number_text(len(missing), 'stage')} missing: {missing[0]}"] if missing else []
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as place:
            tables, report = Artefact(Path(place) / "tables", {}), Artefact(Path(place) / "report", {})
            write_study_tables(plan.tables, done, tables.folder)
            report_stage(plan.report, tables, roots, store, report.folder, remarks)
            return place_report(study, tables, report, len(missing))
    except OSError as error:
        raise unwritable(folder, error) from error
