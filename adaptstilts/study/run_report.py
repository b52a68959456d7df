"""What the last stages of a study do: its tables, and its report. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from adaptstilts.analyse.layers import LayerRow
from adaptstilts.analyse.results import ResultRow, RunRow, read_csv
from adaptstilts.report.files import LAYERS, REPORT, RESULTS, RUNS, Additions, write_pages, write_tables
from adaptstilts.report.overlaps import add_overlaps
from adaptstilts.report.published import published_grids
from adaptstilts.study.collect import (
    LAYERS_FILE,
    SCORES_FILE,
    TRAINING_FILE,
    layer_rows,
    notes,
    result_rows,
    run_rows,
)
from adaptstilts.study.files import NOTES_FILE, TERMINAL_FILE, write_json
from adaptstilts.study.overlaps import find_overlaps
from adaptstilts.study.stages import AnalyseJob, ReportJob, Stage
from adaptstilts.study.store import Artefact, Store
from adaptstilts.tasks.sources import DataRoot


def analyse_stage(job: AnalyseJob, inputs: Sequence[Stage], store: Store, folder: Path) -> None:
    """Write the tables of a finished study, and the remarks on it.

    Of its inputs only the records are read, and compared with their hashes; weights and raw scores stay untouched.

    Args:
        job: What the study wants to know.
        inputs: The stages that found it out.
        store: Where their artefacts are.
        folder: Where to write.

    Raises:
        AdaptstiltsError: If a record is damaged or missing.
    """
    done: dict[str, Artefact] = {}
    for stage in inputs:
        artefact = store.find(stage)
        if artefact is None:
            raise RuntimeError(f"{stage.name} is not finished")
        store.verify(artefact, (SCORES_FILE, TRAINING_FILE, LAYERS_FILE))
        done[stage.key] = artefact
    write_study_tables(job, done, folder)


def write_study_tables(job: AnalyseJob, done: Mapping[str, Artefact], folder: Path) -> None:
    """Write the tables of a study and the remarks on it, as far as it is finished.

    Args:
        job: What the study wants to know.
        done: Finished artefacts by key.
        folder: Where to write.

    Raises:
        EvaluationError: If scores contradict each other.
    """
    write_tables(folder, result_rows(job, done), run_rows(job, done), layer_rows(job, done))
    write_json(folder / NOTES_FILE, notes(job, done))


def report_stage(
    job: ReportJob,
    tables: Artefact,
    root: DataRoot | None,
    store: Store,
    folder: Path,
    missing: Sequence[str] = (),
) -> None:
    """Write the report of a study, with its figures, and the text for the terminal.

    Args:
        job: What the report shows.
        tables: The study's tables.
        root: Its data, for leaks and overlaps; None where it is not there yet.
        store: Where findings of leaks and overlaps are remembered.
        folder: Where to write.
        missing: Remarks on what the tables lack.

    Raises:
        AdaptstiltsError: If tables or data cannot be read.
    """
    rows = read_csv(tables.file(RESULTS), ResultRow)
    layers = read_csv(tables.folder / LAYERS, LayerRow) if (tables.folder / LAYERS).is_file() else ()
    baselines = () if job.published is None else published_grids(rows, job.published)
    text = write_pages(
        folder,
        rows,
        read_csv(tables.file(RUNS), RunRow),
        job.title,
        [*missing, *tables.read_json(NOTES_FILE)],
        Additions(layers, baselines),
    )
    if root is not None:
        add_overlaps(folder / REPORT, find_overlaps(job.compared, root, store))
    (folder / TERMINAL_FILE).write_text(text, encoding="utf-8")
