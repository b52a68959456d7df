"""The files of a report: Markdown, CSV tables, and pictures."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from adaptstilts.analyse.layers import LayerRow, layer_curves
from adaptstilts.analyse.results import ResultRow, RunRow, TaskScore, task_scores, write_csv, write_table
from adaptstilts.analyse.totals import SCORE_COLUMNS, score_rows
from adaptstilts.analyse.transfer import (
    ADAPTER_REFERENCE,
    REFERENCE,
    Scope,
    TransferTable,
    best_per_target,
    transfer_tables,
)
from adaptstilts.report.checklist import checklist_grid
from adaptstilts.report.figures import draw_heatmap, draw_languages
from adaptstilts.report.grid import TERMINAL_WIDTH, Grid, markdown, terminal_text
from adaptstilts.report.layers import draw_layers, layers_grid
from adaptstilts.report.summary import summarise
from adaptstilts.report.tables import best_grid, cost_grid, transfer_grid, zero_shot_grid
from adaptstilts.report.totals import benchmark_grids

REPORT, RESULTS, RUNS, TRANSFER, SCORES = "report.md", "results.csv", "runs.csv", "transfer.csv", "scores.csv"
HEATMAP, LANGUAGES = "heatmap.png", "languages.png"
LAYERS, LAYERS_PICTURE = "layers.csv", "layers.png"
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
)


@dataclass(frozen=True)
class ReportFiles:
    """Where a report was written.

    Attributes:
        report: Markdown.
        results: Every score, one row each.
        runs: Every training run, one row each.
        transfer: Every difference to a reference, one row each.
        scores: Every score as XTREME and XTREME-R average them: languages, tasks, groups, overall.
        heatmap: Picture of the differences; None where there is nothing to compare yet.
        languages: Picture of the scores by language; None without scores.
        layers: Every score by hidden layer, one row each; None where layers were not swept.
        layers_picture: Picture of them; None likewise.
        text: Summary and main tables for the terminal.
    """

    report: Path
    results: Path
    runs: Path
    transfer: Path
    scores: Path
    heatmap: Path | None
    languages: Path | None
    layers: Path | None
    layers_picture: Path | None
    text: str

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that were written, the report first."""
        tables = (self.report, self.results, self.runs, self.transfer, self.scores, self.layers)
        found = (*tables, self.heatmap, self.languages, self.layers_picture)
        return tuple(path for path in found if path is not None)


@dataclass(frozen=True)
class Additions:
    """What only some studies have to show.

    Attributes:
        layers: Scores by hidden layer.
        baselines: Tables that show the study beside published scores; the terminal shows the first.
    """

    layers: Sequence[LayerRow] = ()
    baselines: Sequence[Grid] = ()


_NOTHING_MORE = Additions()


def write_report(
    folder: Path,
    rows: Sequence[ResultRow],
    runs: Sequence[RunRow],
    title: str,
    notes: Sequence[str] = (),
    more: Additions = _NOTHING_MORE,
) -> ReportFiles:
    """Write a study's report: report.md, four tables (results, runs, transfer, scores) as CSV, and two figures.

    Where hidden layers were swept, layers.csv and layers.png too.

    Args:
        folder: Where to write; made if missing, files of the same names are replaced.
        rows: Scores.
        runs: Training runs.
        title: Heading of the report.
        notes: Remarks on the whole study, each a sentence in Markdown.
        more: What else is shown.

    Returns:
        The files.

    Raises:
        EvaluationError: If the scores contradict each other.
    """
    write_tables(folder, rows, runs, more.layers)
    text = write_pages(folder, rows, runs, title, notes, more)
    tables = transfer_tables(task_scores(rows))
    return files_in(folder, _names(tables, rows, more), text)


def write_tables(
    folder: Path, rows: Sequence[ResultRow], runs: Sequence[RunRow], layers: Sequence[LayerRow] = ()
) -> None:
    """Write the tables of a study as CSV: results, runs, transfer and scores; layers where they were swept.

    Args:
        folder: Where to write; made if missing.
        rows: Scores.
        runs: Training runs.
        layers: Scores by hidden layer.

    Raises:
        EvaluationError: If the scores contradict each other.
    """
    scores = task_scores(rows)
    write_csv(folder / RESULTS, rows, ResultRow)
    write_csv(folder / RUNS, runs, RunRow)
    write_table(folder / TRANSFER, TRANSFER_COLUMNS, transfer_rows(scores))
    write_table(folder / SCORES, SCORE_COLUMNS, score_rows(rows))
    if layers:
        write_csv(folder / LAYERS, layers, LayerRow)


def write_pages(
    folder: Path,
    rows: Sequence[ResultRow],
    runs: Sequence[RunRow],
    title: str,
    notes: Sequence[str] = (),
    more: Additions = _NOTHING_MORE,
) -> str:
    """Write report.md and its figures, which link to the tables that `write_tables` writes.

    Args:
        folder: Where to write; made if missing.
        rows: Scores.
        runs: Training runs.
        title: Heading of the report.
        notes: Remarks on the whole study, each a sentence in Markdown.
        more: What else is shown.

    Returns:
        Summary and main tables for the terminal.

    Raises:
        EvaluationError: If the scores contradict each other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scores = task_scores(rows)
    tables = transfer_tables(scores)
    files = files_in(folder, _names(tables, rows, more), terminal_report(scores, runs, more.baselines[:1]))
    if files.heatmap is not None:
        draw_heatmap(tables, files.heatmap)
    if files.languages is not None:
        draw_languages(scores, files.languages)
    text = report_text(rows, runs, title, notes, files, more.baselines)
    if files.layers is not None and files.layers_picture is not None:
        draw_layers(layer_curves(more.layers), files.layers_picture)
        text += f"\n{_layers_text(more.layers, files)}"
    files.report.write_text(text, encoding="utf-8")
    return files.text


def files_in(folder: Path, names: Collection[str], text: str) -> ReportFiles:
    """Return where the files of a report are.

    Args:
        folder: Their folder.
        names: Names of those that were written; of the pictures and of layers.csv, which not every study has.
        text: Text for the terminal.

    Returns:
        The files.
    """

    def where(name: str) -> Path | None:
        return folder / name if name in names else None

    return ReportFiles(
        report=folder / REPORT,
        results=folder / RESULTS,
        runs=folder / RUNS,
        transfer=folder / TRANSFER,
        scores=folder / SCORES,
        heatmap=where(HEATMAP),
        languages=where(LANGUAGES),
        layers=where(LAYERS),
        layers_picture=where(LAYERS_PICTURE),
        text=text,
    )


def _names(tables: Sequence[TransferTable], rows: Sequence[ResultRow], more: Additions) -> tuple[str, ...]:
    """Of the files that not every study has, those that this one has."""
    heatmap = (HEATMAP,) if any(map(_has_differences, tables)) else ()
    languages = (LANGUAGES,) if any(row.is_major for row in rows) else ()
    return (*heatmap, *languages, *((LAYERS, LAYERS_PICTURE) if more.layers else ()))


def terminal_report(scores: Sequence[TaskScore], runs: Sequence[RunRow], baselines: Sequence[Grid] = ()) -> str:
    """Return the main tables and the summary as plain text for a terminal of 100 columns.

    Args:
        scores: Scores of a study.
        runs: Its training runs.
        baselines: Tables beside published scores that are shown too.

    Returns:
        Text without colour or Markdown.
    """
    words = summarise(scores).replace("**", "").replace("`", "'")
    grids = main_grids(scores, runs)
    if not any(map(_has_differences, transfer_tables(scores))):
        grids = (zero_shot_grid(scores), *grids)
    return f"{terminal_text((*grids, *baselines))}\n\n{textwrap.fill(words, TERMINAL_WIDTH)}"


def main_grids(scores: Sequence[TaskScore], runs: Sequence[RunRow]) -> tuple[Grid, ...]:
    """Return the tables that a finished study shows first: differences, best settings, costs.

    Args:
        scores: Scores of the study.
        runs: Its training runs.

    Returns:
        As many of the three as there is something to show for.
    """
    tables = transfer_tables(scores)
    best = best_per_target(tables)
    grids = []
    if tables:
        grids.append(transfer_grid(tables, runs))
    if best:
        grids.append(best_grid(best))
    if runs:
        grids.append(cost_grid(runs))
    return tuple(grids)


def report_text(
    rows: Sequence[ResultRow],
    runs: Sequence[RunRow],
    title: str,
    notes: Sequence[str],
    files: ReportFiles,
    baselines: Sequence[Grid] = (),
) -> str:
    """Return the report in Markdown.

    Args:
        rows: Scores of the study.
        runs: Its training runs.
        title: Heading.
        notes: Remarks on the whole study.
        files: Files that the report links to, in its own folder.
        baselines: Tables beside published scores.

    Returns:
        The text.
    """
    scores = task_scores(rows)
    parts = [f"# {title}\n", f"{summarise(scores)}\n"]
    if notes:
        parts.append("".join(f"- {note}\n" for note in notes))
    if files.heatmap is not None:
        parts.append(f"![Differences to {REFERENCE}]({files.heatmap.name})\n")
    parts.extend(markdown(grid) for grid in main_grids(scores, runs))
    against_adapter = [
        table for table in transfer_tables(scores, reference=ADAPTER_REFERENCE) if _is_adapter(table, scores)
    ]
    if any(map(_has_differences, against_adapter)):
        parts.append(markdown(transfer_grid(against_adapter)))
    zero_shot = [table for table in transfer_tables(scores, scope=Scope.ZERO_SHOT) if _has_differences(table)]
    if zero_shot:
        parts.append(markdown(transfer_grid(zero_shot)))
    if scores:
        parts.append(markdown(zero_shot_grid(scores)))
    parts.extend(markdown(grid) for grid in benchmark_grids(rows))
    errors = checklist_grid(rows)
    if errors is not None:
        parts.append(markdown(errors))
    parts.extend(markdown(grid) for grid in baselines)
    if files.languages is not None:
        parts.append(f"![Scores by language]({files.languages.name})\n")
    names = (files.results, files.runs, files.transfer, files.scores)
    parts.append("Data: " + ", ".join(f"[{path.name}]({path.name})" for path in names) + ".\n")
    return "\n".join(parts)


def _layers_text(layers: Sequence[LayerRow], files: ReportFiles) -> str:
    parts = [markdown(layers_grid(layer_curves(layers)))]
    if files.layers is not None and files.layers_picture is not None:
        parts.append(f"![Scores by hidden layer]({files.layers_picture.name})\n")
        parts.append(f"Data: [{files.layers.name}]({files.layers.name}).\n")
    return "\n".join(parts)


def transfer_rows(scores: Sequence[TaskScore]) -> list[tuple[object, ...]]:
    """Return every difference as a row of `TRANSFER_COLUMNS`, to both references and over all three scopes.

    Args:
        scores: Scores of a study.

    Returns:
        Rows of plain values; several seeds or notes are joined by semicolons.
    """
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


def _has_differences(table: TransferTable) -> bool:
    return any(cell.difference is not None for cell in table.cells)


def _is_adapter(table: TransferTable, scores: Sequence[TaskScore]) -> bool:
    return any(score.method == table.method and score.family != "full" for score in scores)
