"""Contents of a report: a whole study, or a sweep variant by variant."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from adaptstilts.formatting import markdown_text, number_text
from adaptstilts.results.checklist import checklist_grid
from adaptstilts.results.figures import draw_heatmap, draw_languages
from adaptstilts.results.grid import TERMINAL_WIDTH, Grid, markdown, terminal_text
from adaptstilts.results.rows import ResultRow, RunRow, TaskScore, task_scores
from adaptstilts.results.summary import summarise
from adaptstilts.results.tables import best_grid, cost_grid, transfer_grid, zero_shot_grid
from adaptstilts.results.totals import benchmark_grids
from adaptstilts.results.transfer import (
    ADAPTER_REFERENCE,
    REFERENCE,
    Scope,
    TransferTable,
    best_per_target,
    transfer_tables,
)
from adaptstilts.results.variants import (
    ShownVariant,
    best_variants,
    best_variants_grid,
    draw_axis,
    numeric_axes,
    variant_means,
    variants_grid,
)
from adaptstilts.train.methods import group_of


class View(Protocol):
    """Contents of a report.

    Attributes:
        heatmap: Figure of the differences; None where there is none.
        languages: Figure of scores by language; None where there is none.
        pictures: Further figures.
    """

    heatmap: Path | None
    languages: Path | None
    pictures: tuple[Path, ...]

    def draw(self) -> None:
        """Draw the pictures."""
        ...

    def parts(self, notes: Sequence[str]) -> list[str]:
        """Return the report below its heading, part by part, in Markdown."""
        ...

    def terminal(self) -> str:
        """Return the main tables as plain text for a terminal of 100 columns."""
        ...


class StudyView:
    """View of one study, or of one variant of a sweep.

    Args:
        baselines: Tables with published scores; the terminal shows the first.
        suffix: Distinguishes its figures from those of other variants.
        is_generated: Whether the data is the mini world.
    """

    def __init__(
        self,
        rows: Sequence[ResultRow],
        runs: Sequence[RunRow],
        folder: Path,
        baselines: Sequence[Grid] = (),
        *,
        suffix: str = "",
        is_generated: bool = False,
    ) -> None:
        self.rows = rows
        self.runs = runs
        self.baselines = baselines
        self.is_generated = is_generated
        self.scores = task_scores(rows)
        self.pictures: tuple[Path, ...] = ()
        self.heatmap = folder / f"heatmap{suffix}.png" if any(map(_has_differences, self._tables)) else None
        self.languages = folder / f"languages{suffix}.png" if self.scores else None

    @cached_property
    def _tables(self) -> tuple[TransferTable, ...]:
        return transfer_tables(self.scores)

    def draw(self) -> None:
        """Draw the heat map and the scores by language, where there is something to draw."""
        if self.heatmap is not None:
            draw_heatmap(self._tables, self.heatmap)
        if self.languages is not None:
            draw_languages(self.scores, self.languages)

    def terminal(self) -> str:
        """Return the main tables and the summary, without colour or Markdown."""
        words = summarise(self.scores).replace("**", "").replace("`", "'")
        grids = main_grids(self.scores, self.runs)
        if not any(map(_has_differences, self._tables)):
            grids = (zero_shot_grid(self.scores), *grids)
        return f"{terminal_text((*grids, *self.baselines[:1]))}\n\n{textwrap.fill(words, TERMINAL_WIDTH)}"

    def parts(self, notes: Sequence[str]) -> list[str]:
        """Return summary, remarks, tables and pictures."""
        scores = self.scores
        parts = [f"{summarise(scores)}\n", *_remarks(notes)]
        if self.heatmap is not None:
            parts.append(f"![Differences from {REFERENCE}]({self.heatmap.name})\n")
        parts.extend(markdown(grid) for grid in main_grids(scores, self.runs))
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
        parts.extend(markdown(grid) for grid in benchmark_grids(self.rows, is_generated=self.is_generated))
        errors = checklist_grid(self.rows)
        if errors is not None:
            parts.append(markdown(errors))
        parts.extend(markdown(grid) for grid in self.baselines)
        if self.languages is not None:
            parts.append(f"![Scores by language]({self.languages.name})\n")
        return parts


class SweepView:
    """View of a sweep: the variants side by side, then each as a study of its own.

    Args:
        shown: The variants; those without a score are left out.
    """

    def __init__(
        self, rows: Sequence[ResultRow], runs: Sequence[RunRow], folder: Path, shown: Sequence[ShownVariant]
    ) -> None:
        self.heatmap: Path | None = None
        self.languages: Path | None = None
        self.runs = runs
        self.shown = shown
        self.scores = task_scores(rows)
        scored = {score.variant for score in self.scores}
        self.views = {
            variant.label: StudyView(
                [row for row in rows if row.variant == variant.label],
                [run for run in runs if not run.variant or variant.label in run.variant.split("; ")],
                folder,
                variant.baselines,
                suffix=f"-{number}",
                is_generated=variant.is_generated,
            )
            for number, variant in enumerate(shown, 1)
            if variant.label in scored
        }
        drawn = numeric_axes([variant for variant in shown if variant.label in scored])
        self.axes = {name: folder / f"sweep_{name.replace('.', '_')}.png" for name in drawn}
        own = (path for view in self.views.values() for path in (view.heatmap, view.languages) if path is not None)
        self.pictures = (*self.axes.values(), *own)

    def draw(self) -> None:
        """Draw all figures."""
        means = variant_means(self.scores)
        for name, path in self.axes.items():
            draw_axis(name, self.shown, means, path)
        for view in self.views.values():
            view.draw()

    def terminal(self) -> str:
        """Return the comparison of the variants, and costs."""
        return terminal_text((*self._first_grids(), *([cost_grid(self.runs)] if self.runs else [])))

    def parts(self, notes: Sequence[str]) -> list[str]:
        """Return the comparison of the variants, then each as a study of its own."""
        first, *others = self._first_grids()
        parts = [
            f"A sweep of {number_text(len(self.shown), 'variant')}, {len(self.views)} of them with scores.\n",
            *_remarks(notes),
        ]
        parts.append(markdown(first))
        parts.extend(
            f"![Mean over targets by {markdown_text(name)}]({path.name})\n" for name, path in self.axes.items()
        )
        parts.extend(markdown(grid) for grid in others)
        if self.runs:
            parts.append(markdown(cost_grid(self.runs)))
        for label, view in self.views.items():
            parts += [f"## {markdown_text(label)}\n", *view.parts(())]
        return [*parts, "## All variants\n"]

    def _first_grids(self) -> tuple[Grid, ...]:
        means = variants_grid(variant_means(self.scores), self.scores)
        return means, best_variants_grid(best_variants(self.scores))


def main_grids(scores: Sequence[TaskScore], runs: Sequence[RunRow]) -> tuple[Grid, ...]:
    """Return the tables that a study shows first, as far as there are any: differences, best settings, costs."""
    tables = transfer_tables(scores)
    best = best_per_target(tables)
    grids = []
    if any(map(_has_differences, tables)):
        grids.append(transfer_grid(tables, runs))
    if best:
        grids.append(best_grid(best))
    if runs:
        grids.append(cost_grid(runs))
    return tuple(grids)


def _remarks(notes: Sequence[str]) -> list[str]:
    return ["".join(f"- {markdown_text(note, begins_line=True)}\n" for note in notes)] if notes else []


def _has_differences(table: TransferTable) -> bool:
    return any(cell.difference is not None for cell in table.cells)


def _is_adapter(table: TransferTable, scores: Sequence[TaskScore]) -> bool:
    return any(
        score.method == table.method and group_of(score.family).reference == ADAPTER_REFERENCE for score in scores
    )
