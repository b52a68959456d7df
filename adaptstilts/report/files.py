"""The files of a report: Markdown, CSV tables, and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from adaptstilts.analyse.layers import LayerRow, layer_curves
from adaptstilts.analyse.results import ResultRow, RunRow, TaskScore, task_scores, write_csv, write_table
from adaptstilts.analyse.totals import SCORE_COLUMNS, score_rows
from adaptstilts.analyse.transfer import ADAPTER_REFERENCE, REFERENCE, Scope, transfer_tables
from adaptstilts.report.grid import Grid, markdown
from adaptstilts.report.layers import draw_layers, layers_grid
from adaptstilts.report.variants import ShownVariant
from adaptstilts.report.views import StudyView, SweepView, View

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
        pictures: Pictures of a sweep: one per swept number, then those of each variant.
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
    pictures: tuple[Path, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that were written, the report first."""
        tables = (self.report, self.results, self.runs, self.transfer, self.scores, self.layers)
        found = (*tables, self.heatmap, self.languages, self.layers_picture, *self.pictures)
        return tuple(path for path in found if path is not None)


@dataclass(frozen=True)
class Additions:
    """What only some studies have to show.

    Attributes:
        layers: Scores by hidden layer.
        baselines: Tables that show the study beside published scores; the terminal shows the first.
        variants: Variants of a sweep.
    """

    layers: Sequence[LayerRow] = ()
    baselines: Sequence[Grid] = ()
    variants: Sequence[ShownVariant] = ()


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

    Where hidden layers were scored, layers.csv and layers.png too. A sweep has a figure per swept number, and the two
    figures for each of its variants.

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
    view: View = SweepView(rows, runs, folder, more.variants)
    if not more.variants:
        view = StudyView(rows, runs, folder, more.baselines)
    files = ReportFiles(
        report=folder / "report.md",
        results=folder / "results.csv",
        runs=folder / "runs.csv",
        transfer=folder / "transfer.csv",
        scores=folder / "scores.csv",
        heatmap=view.heatmap,
        languages=view.languages,
        layers=folder / "layers.csv" if more.layers else None,
        layers_picture=folder / "layers.png" if more.layers else None,
        text=view.terminal(),
        pictures=view.pictures,
    )
    write_csv(files.results, rows, ResultRow)
    write_csv(files.runs, runs, RunRow)
    write_table(files.transfer, TRANSFER_COLUMNS, transfer_rows(task_scores(rows)))
    write_table(files.scores, SCORE_COLUMNS, score_rows(rows))
    view.draw()
    names = (files.results, files.runs, files.transfer, files.scores)
    data = "Data: " + ", ".join(f"[{path.name}]({path.name})" for path in names) + ".\n"
    text = "\n".join([f"# {title}\n", *view.parts(notes), data])
    if files.layers is not None and files.layers_picture is not None:
        write_table(files.layers, [field.name for field in fields(LayerRow)], [astuple(row) for row in more.layers])
        draw_layers(layer_curves(more.layers), files.layers_picture)
        text += f"\n{_layers_text(more.layers, files)}"
    files.report.write_text(text, encoding="utf-8")
    return files


def _layers_text(layers: Sequence[LayerRow], files: ReportFiles) -> str:
    parts = [markdown(layers_grid(layer_curves(layers)))]
    if files.layers is not None and files.layers_picture is not None:
        parts.append(f"![Scores by hidden layer]({files.layers_picture.name})\n")
        parts.append(f"Data: [{files.layers.name}]({files.layers.name}).\n")
    return "\n".join(parts)


def transfer_rows(scores: Sequence[TaskScore]) -> list[tuple[object, ...]]:
    """Return every difference as a row of `TRANSFER_COLUMNS`, to both references and over all three scopes.

    In a sweep each variant is compared with its own references.

    Args:
        scores: Scores of a study.

    Returns:
        Rows of plain values; several seeds or notes are joined by semicolons.
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
