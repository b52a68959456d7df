"""Files of a report: Markdown, CSV tables, and figures."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from adaptstilts.formatting import markdown_text
from adaptstilts.results.analyses import csv_name, get_analysis, picture_name
from adaptstilts.results.grid import TERMINAL_WIDTH, Grid, markdown
from adaptstilts.results.read_rows import rows_grid
from adaptstilts.results.rows import ResultRow, RunRow, TaskScore, task_scores, write_csv, write_table
from adaptstilts.results.totals import SCORE_COLUMNS, score_rows
from adaptstilts.results.transfer import ADAPTER_REFERENCE, REFERENCE, Scope, transfer_tables
from adaptstilts.results.variants import ShownVariant
from adaptstilts.results.views import StudyView, SweepView, View
from adaptstilts.store.manifest_fields import is_inside
from adaptstilts.store.record import Record

REPORT, RESULTS, RUNS, TRANSFER, SCORES = "report.md", "results.csv", "runs.csv", "transfer.csv", "scores.csv"
_GENERATED = (
    "The scores come from the mini world, a small benchmark that this package generates. They compare the methods with "
    "each other; they are not scores of XTREME and cannot be compared with any."
)
TRANSFER_COLUMNS = (
    "method",
    "source",
    "target",
    "reference",
    "scope",
    "score",
    "reference_score",
    "difference",
    "spread",
    "seeds",
    "notes",
    "variant",
)


@dataclass(frozen=True)
class ReportFiles:
    """Paths of a written report.

    Attributes:
        folder: Folder of all files.
        heatmap: Figure of the differences; None where there is nothing to compare yet.
        languages: Figure of the scores by language; None without scores.
        text: Summary and main tables for the terminal.
        analyses: Table and figure of each analysis of predictions that had something to say.
        pictures: Figures of a sweep: one per swept number, then those of each variant.
    """

    folder: Path
    heatmap: Path | None
    languages: Path | None
    text: str
    analyses: tuple[Path, ...] = ()
    pictures: tuple[Path, ...] = ()

    @property
    def report(self) -> Path:
        """The page, in Markdown."""
        return self.folder / REPORT

    @property
    def results(self) -> Path:
        """Every score, one row each."""
        return self.folder / RESULTS

    @property
    def runs(self) -> Path:
        """Every training run, one row each."""
        return self.folder / RUNS

    @property
    def transfer(self) -> Path:
        """Every difference to a reference, one row each."""
        return self.folder / TRANSFER

    @property
    def scores(self) -> Path:
        """Averages as in XTREME and XTREME-R: languages, tasks, groups, overall."""
        return self.folder / SCORES

    @property
    def paths(self) -> tuple[Path, ...]:
        """Paths of all files, the report first."""
        tables = (self.report, self.results, self.runs, self.transfer, self.scores)
        found = (*tables, self.heatmap, self.languages, *self.analyses, *self.pictures)
        return tuple(path for path in found if path is not None)

    def record(self) -> dict[str, Any]:
        """Return everything that differs between reports, as plain values without the folder."""
        return {
            "heatmap": None if self.heatmap is None else self.heatmap.name,
            "languages": None if self.languages is None else self.languages.name,
            "analyses": [path.name for path in self.analyses],
            "pictures": [path.name for path in self.pictures],
            "text": self.text,
        }


@dataclass(frozen=True)
class Additions:
    """Optional parts of a report.

    Attributes:
        analyses: Rows of analyses of predictions, by their names.
        baselines: Tables with published scores; the terminal shows the first.
        variants: Variants of a sweep.
        is_generated: Whether the data is the mini world, of some variant at least in a sweep.
    """

    analyses: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    baselines: Sequence[Grid] = ()
    variants: Sequence[ShownVariant] = ()
    is_generated: bool = False


_NOTHING_MORE = Additions()


def write_tables(
    folder: Path,
    rows: Sequence[ResultRow],
    runs: Sequence[RunRow],
    analyses: Mapping[str, Sequence[Any]] = MappingProxyType({}),
) -> None:
    """Write the tables of a study as CSV: results, runs, transfer and scores, and those of analyses that have rows.

    Raises:
        EvaluationError: If the scores contradict each other.
    """
    write_csv(folder / RESULTS, rows, ResultRow)
    write_csv(folder / RUNS, runs, RunRow)
    write_table(folder / TRANSFER, TRANSFER_COLUMNS, transfer_rows(task_scores(rows)))
    write_table(folder / SCORES, SCORE_COLUMNS, score_rows(rows))
    for name, found in analyses.items():
        if found:
            write_csv(folder / csv_name(name), found, get_analysis(name).row)


def write_pages(
    folder: Path,
    rows: Sequence[ResultRow],
    runs: Sequence[RunRow],
    title: str,
    notes: Sequence[str] = (),
    more: Additions = _NOTHING_MORE,
) -> ReportFiles:
    """Write report.md and its figures: a heat map of differences and the scores by language.

    The page says first if the data is the mini world, and links to the tables that `write_tables` writes. A sweep has a
    figure per swept number, and those two for each of its variants; then come the rows that were read, and the part of
    each analysis that has rows.

    Args:
        notes: Remarks on the whole study, each a sentence of plain text.

    Returns:
        Paths of all files, with the tables expected in the same folder.

    Raises:
        EvaluationError: If the scores contradict each other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    view: View = SweepView(rows, runs, folder, more.variants)
    if not more.variants:
        view = StudyView(rows, runs, folder, more.baselines, is_generated=more.is_generated)
    view.draw()
    warning = _generated_text(more)
    names = (RESULTS, RUNS, TRANSFER, SCORES)
    data = "Data: " + ", ".join(f"[{name}]({name})" for name in names) + ".\n"
    head = [f"# {markdown_text(title)}\n", *([f"**Generated data.** {markdown_text(warning)}\n"] if warning else [])]
    read = rows_grid(rows, runs)
    text = "\n".join([*head, *view.parts(notes), *([] if read is None else [markdown(read)]), data])
    shown = [name for name, found in more.analyses.items() if found]
    for name in shown:
        page = get_analysis(name).page(more.analyses[name], folder, csv_name(name), picture_name(name))
        text += f"\n{page}"
    (folder / REPORT).write_text(text, encoding="utf-8")
    drawn = [name for name in map(picture_name, shown) if (folder / name).is_file()]
    ending = f"\n\n{textwrap.fill(f'Generated data: {warning}', TERMINAL_WIDTH)}" if warning else ""
    return ReportFiles(
        folder=folder,
        heatmap=view.heatmap,
        languages=view.languages,
        text=f"{view.terminal()}{ending}",
        analyses=tuple(folder / name for name in (*map(csv_name, shown), *drawn)),
        pictures=view.pictures,
    )


def _generated_text(more: Additions) -> str:
    """Return the warning about scores on the mini world; empty where there are none."""
    if not more.is_generated:
        return ""
    real = [variant for variant in more.variants if not variant.is_generated]
    labels = [variant.label for variant in more.variants if variant.is_generated]
    return f"{_GENERATED} This concerns the variants: {'; '.join(labels)}." if real else _GENERATED


def files_in(folder: Path, pages: Record) -> ReportFiles:
    """Return the paths of a report's files from their folder and the record of `ReportFiles.record`."""

    def where(name: str) -> Path | None:
        return None if pages.values.get(name) is None else folder / _plain(pages, name, pages.text(name))

    def several(name: str) -> tuple[Path, ...]:
        return tuple(folder / _plain(pages, name, text) for text in pages.texts(name))

    return ReportFiles(
        folder=folder,
        heatmap=where("heatmap"),
        languages=where("languages"),
        text=pages.text("text"),
        analyses=several("analyses"),
        pictures=several("pictures"),
    )


def _plain(pages: Record, name: str, text: str) -> str:
    if not is_inside(text) or "/" in text:
        raise pages.wrong(name, "the name of a file of the report")
    return text


def transfer_rows(scores: Sequence[TaskScore]) -> list[tuple[object, ...]]:
    """Return every difference as a row of `TRANSFER_COLUMNS`, to both references and over all three scopes.

    In a sweep each variant is compared with its own references. Several seeds or notes are joined by semicolons.
    """
    known = list(scores)
    labels = dict.fromkeys(score.variant for score in known)
    return [
        (*row, label)
        for label in labels
        for row in _rows_of_variant([score for score in known if score.variant == label])
    ]


def _rows_of_variant(scores: Sequence[TaskScore]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for reference in (REFERENCE, ADAPTER_REFERENCE):
        for scope in Scope:
            for table in transfer_tables(scores, reference=reference, scope=scope):
                for cell in table.cells:
                    if cell.difference is None:
                        continue
                    own = table.reference_of(cell.target)
                    row = (table.method, cell.source, cell.target, reference, scope.value, cell.score)
                    reference_score = None if own is None else own.score
                    seeds = ";".join(str(seed) for seed in cell.seeds)
                    rows.append((*row, reference_score, cell.difference, cell.spread, seeds, "; ".join(cell.notes)))
    return rows
