"""Final stages of a study: its result tables and its report. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adaptstilts.readers.data_root import DataRoot
from adaptstilts.results.analyses import READS, csv_name, get_analysis
from adaptstilts.results.contamination import add_overlaps
from adaptstilts.results.grid import Grid
from adaptstilts.results.published import published_grids
from adaptstilts.results.report import REPORT, RESULTS, RUNS, Additions, write_pages, write_tables
from adaptstilts.results.rows import ResultRow, RunRow, read_csv
from adaptstilts.results.variants import ShownVariant
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.json_files import write_json
from adaptstilts.store.record import wrong_content
from adaptstilts.store.store import Store
from adaptstilts.study.layout import NOTES_FILE, PAGES_FILE
from adaptstilts.study.plan.jobs import AnalyseJob, ReportJob, ReportView
from adaptstilts.study.stages.collect import analysis_rows, notes, result_rows, run_rows
from adaptstilts.study.stages.contamination import find_overlaps


def write_study_tables(job: AnalyseJob, done: Mapping[str, Artefact], folder: Path) -> None:
    """Write the result tables of a study and the notes on it, for the stages that are finished.

    Of training runs and scores only the records are read; of predictions, whatever an analysis reads.

    Args:
        done: Finished artefacts by key.

    Raises:
        AdaptstiltsError: If a record is damaged, or scores contradict each other.
    """
    write_tables(folder, result_rows(job, done), run_rows(job, done), analysis_rows(job, done))
    write_json(folder / NOTES_FILE, notes(job, done))


def report_stage(
    job: ReportJob,
    tables: Artefact,
    roots: Sequence[DataRoot | None],
    store: Store,
    folder: Path,
    missing: Sequence[str] = (),
) -> None:
    """Write the report of a study with its figures, and a list of the files.

    Args:
        tables: Artefact with the study's result tables.
        roots: Data searched for leaks and overlaps, in the order of the job; None for data that is not there yet.
        store: Store that keeps the findings of leaks and overlaps.
        missing: Notes on results that the tables lack.

    Raises:
        AdaptstiltsError: If tables or data cannot be read.
    """
    rows, runs = read_csv(tables.file(RESULTS), ResultRow), read_csv(tables.file(RUNS), RunRow)
    analyses = {
        name: read_csv(tables.file(csv_name(name)), get_analysis(name).row)
        for name in READS
        if csv_name(name) in tables.names
    }
    files = write_pages(folder, rows, runs, job.title, [*missing, *_notes(tables)], _additions(job, rows, analyses))
    for compared, root in zip(job.compared, roots, strict=True):
        if root is not None:
            add_overlaps(folder / REPORT, find_overlaps(compared, root, store), compared.title)
    write_json(folder / PAGES_FILE, files.record())


def _notes(tables: Artefact) -> list[str]:
    found = tables.read_json(NOTES_FILE)
    if not isinstance(found, list) or not all(isinstance(note, str) for note in found):
        raise wrong_content("damaged: it is not a list of texts", tables.folder / NOTES_FILE, tables.folder)
    return found


def _additions(job: ReportJob, rows: Sequence[ResultRow], analyses: Mapping[str, Sequence[Any]]) -> Additions:
    is_generated = any(compared.world is not None for compared in job.compared)
    if len(job.shown) == 1:
        return Additions(analyses=analyses, baselines=_baselines(job.shown[0], rows), is_generated=is_generated)
    variants = (
        ShownVariant(
            label=shown.variant,
            settings=shown.settings,
            baselines=_baselines(shown, [row for row in rows if row.variant == shown.variant]),
            is_generated=is_generated and shown.published is None,
        )
        for shown in job.shown
    )
    return Additions(analyses=analyses, variants=tuple(variants), is_generated=is_generated)


def _baselines(shown: ReportView, rows: Sequence[ResultRow]) -> Sequence[Grid]:
    return () if shown.published is None else published_grids(rows, shown.published)
