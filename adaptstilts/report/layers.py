"""Scores by hidden layer of retrieval targets: a small table, and a figure with one panel per target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from adaptstilts.analyse.layers import LayerCurve
from adaptstilts.errors import EvaluationError
from adaptstilts.report.figures import DPI
from adaptstilts.report.grid import Footnotes, Grid
from adaptstilts.report.tables import source_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANEL = (4.2, 2.6)
_FONT = 8
_MOST_NAMED = 8
"""Curves of a panel that are named and coloured apart; more of them are drawn alike, by method."""


def layers_grid(curves: Sequence[LayerCurve]) -> Grid:
    """Lay out the layer that was used beside the best one.

    Args:
        curves: Scores by layer of a study.

    Returns:
        One row per setting.
    """
    notes = Footnotes()
    is_swept = any(curve.variant for curve in curves)
    rows = tuple(
        (
            f"{curve.target}{notes.mark(_notes_of(curve))}",
            *((curve.variant,) if is_swept else ()),
            curve.method,
            source_label(curve.source) if curve.source else "",
            ", ".join(curve.splits),
            str(curve.used),
            f"{curve.by_layer[curve.used]:.1f}",
            str(curve.best),
            f"{curve.by_layer[curve.best]:.1f}",
        )
        for curve in curves
    )
    notes.remark("Best: chosen on the scores shown, the upper end of what a choice of the layer could give.")
    columns = ("target", *(("variant",) if is_swept else ()), "method", "source", "split")
    header = (*columns, "layer used", "score", "best layer", "score")
    title = "Retrieval by hidden layer, mean over languages"
    return Grid(title, header, rows, text_columns=len(columns), footnotes=notes.lines())


def draw_layers(curves: Sequence[LayerCurve], path: Path) -> Path:
    """Draw scores by layer, one panel per target, one line per setting; a ring marks the layer that was used.

    Args:
        curves: Scores by layer of a study.
        path: PNG file to write, 300 dots per inch.

    Returns:
        `path`.

    Raises:
        EvaluationError: If there is no curve.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    if not curves:
        raise EvaluationError("0 layers to draw", hint="Set retrieval.sweep=true and run the study.")
    targets = list(dict.fromkeys(curve.target for curve in curves))
    columns = min(2, len(targets))
    rows = math.ceil(len(targets) / columns)
    figure = Figure(figsize=(columns * _PANEL[0], rows * _PANEL[1]), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes, target in zip(panels, targets, strict=False):
        _draw_target(axes, target, [curve for curve in curves if curve.target == target])
    for axes in panels[len(targets) :]:
        axes.set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI, format="png", facecolor="white")
    return path


def _draw_target(axes: Axes, target: str, curves: Sequence[LayerCurve]) -> None:
    methods = list(dict.fromkeys(curve.method for curve in curves))
    are_few = len(curves) <= _MOST_NAMED
    named: set[str] = set()
    for number, curve in enumerate(curves):
        label = _label(curve) if are_few else curve.method
        colour = f"C{(number if are_few else methods.index(curve.method)) % 10}"
        axes.plot(
            range(len(curve.by_layer)),
            curve.by_layer,
            color=colour,
            linewidth=1,
            label=None if label in named else label,
        )
        axes.plot([curve.used], [curve.by_layer[curve.used]], "o", color=colour, markersize=5, markerfacecolor="none")
        named.add(label)
    axes.set_title(f"{target} ({', '.join(curves[0].splits)})", fontsize=_FONT + 1, loc="left")
    axes.set_xlabel("hidden layer, 0 for the embeddings", fontsize=_FONT)
    axes.set_ylabel("score, %", fontsize=_FONT)
    axes.locator_params(axis="x", integer=True)
    axes.tick_params(labelsize=_FONT - 1, length=2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=_FONT - 2, frameon=False)


def _label(curve: LayerCurve) -> str:
    source = f" {source_label(curve.source)}" if curve.source else ""
    return f"{curve.method}{source}, seed {curve.seed}" + (f", {curve.variant}" if curve.variant else "")


def _notes_of(curve: LayerCurve) -> list[str]:
    notes = [note for note in curve.note.split("; ") if note]
    # Said once more for splits that are scored, since a layer chosen here would be chosen on the test scores.
    return notes if set(curve.splits) == {"dev"} else [*notes, "no dev split: layers are scored on the scored split"]
