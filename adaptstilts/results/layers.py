"""Retrieval scores of every hidden layer of an encoder, and the best layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.metrics import MAJOR
from adaptstilts.results.analyses import Analysis, RowLabels
from adaptstilts.results.figures import figure_text, new_panels, save_figure
from adaptstilts.results.grid import Footnotes, Grid, markdown
from adaptstilts.results.rows import mean
from adaptstilts.results.tables import source_label
from adaptstilts.store.artefact import Artefact
from adaptstilts.tasks.registry import get_task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LAYERS_FILE = "layers.json"
"""File of a retrieval target's predictions: the layer that was used and, with a sweep, the scores of all layers."""
_PANEL = (4.2, 2.6)
_FONT = 8
_MOST_NAMED = 8
"""Most curves of a panel with names and colours of their own; more are coloured by method."""


@dataclass(frozen=True)
class LayerRow:
    """One score of one layer: method x source x target x language x layer x metric.

    Attributes:
        method: Method name, such as ``direct`` or ``stack``.
        source: Intermediate task; names joined by ``+`` for a fusion; empty where there is none.
        target: Retrieval target.
        language: ISO 639-1 code.
        layer: Hidden layer, from 0 for the embeddings.
        is_used: Whether the study's results come from this layer.
        value: Score in percent.
        is_major: Whether the metric counts in the task's score.
        split: Split that the layers were scored on: ``dev`` where the task has one, else the one that is scored.
        note: Remark for readers of the number.
        variant: Label of its variant in a sweep; empty without one.
    """

    method: str
    source: str
    target: str
    seed: int
    language: str
    layer: int
    is_used: bool
    metric: str
    value: float
    is_major: bool
    split: str
    note: str = ""
    variant: str = ""


@dataclass(frozen=True)
class LayerCurve:
    """Scores of one setting by layer, each a mean over languages.

    Attributes:
        source: Intermediate task or tasks, or empty.
        used: Layer of the study's results.
        splits: Splits that the layers were scored on.
        by_layer: Mean over languages of the major score in percent, from layer 0 up.
        variant: Label of its variant in a sweep; empty without one.
    """

    method: str
    source: str
    target: str
    seed: int
    used: int
    splits: tuple[str, ...]
    by_layer: tuple[float, ...]
    note: str = ""
    variant: str = ""

    @property
    def best(self) -> int:
        """The layer with the highest mean; of equal ones the lowest."""
        return max(range(len(self.by_layer)), key=lambda layer: self.by_layer[layer])


def best_layer(by_language: Mapping[str, Mapping[int, float]]) -> int:
    """Return the layer with the highest mean over languages, the lowest of equal ones.

    Args:
        by_language: Scores by language and layer, with the same layers in each language.
    """
    layers = sorted(next(iter(by_language.values())))
    return max(layers, key=lambda layer: mean([scores[layer] for scores in by_language.values()]))


def layer_curves(rows: Sequence[LayerRow]) -> tuple[LayerCurve, ...]:
    """Average major metrics, then languages: one curve per method, source, target, seed and variant, in their order."""
    groups: dict[tuple[str, str, str, int, str], list[LayerRow]] = {}
    for row in rows:
        if row.is_major:
            groups.setdefault((row.method, row.source, row.target, row.seed, row.variant), []).append(row)
    return tuple(_curve(group) for group in groups.values())


def _curve(rows: Sequence[LayerRow]) -> LayerCurve:
    values: dict[int, dict[str, list[float]]] = {}
    for row in rows:
        values.setdefault(row.layer, {}).setdefault(row.language, []).append(row.value)
    first = rows[0]
    return LayerCurve(
        method=first.method,
        source=first.source,
        target=first.target,
        seed=first.seed,
        used=next(row.layer for row in rows if row.is_used),
        splits=tuple(dict.fromkeys(row.split for row in rows)),
        by_layer=tuple(mean([mean(found) for found in values[layer].values()]) for layer in sorted(values)),
        note="; ".join(dict.fromkeys(row.note for row in rows if row.note)),
        variant=first.variant,
    )


def layers_grid(curves: Sequence[LayerCurve]) -> Grid:
    """Tabulate the layer that was used beside the best one, one row per setting."""
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
    notes.remark("Best layer: chosen on the scores shown, so its score is an upper bound.")
    columns = ("target", *(("variant",) if is_swept else ()), "method", "intermediate", "split")
    header = (*columns, "layer used", "score", "best layer", "score")
    title = "Retrieval by hidden layer, mean over languages"
    return Grid(title, header, rows, text_columns=len(columns), footnotes=notes.lines())


def draw_layers(curves: Sequence[LayerCurve], path: Path) -> Path:
    """Draw scores by layer and return the path; a ring marks the layer that was used.

    There is one panel per target, with one line per setting.

    Raises:
        EvaluationError: If there is no curve.
    """
    if not curves:
        raise EvaluationError("0 layers to draw", hint="Set retrieval.sweep=true and run the study.")
    targets = list(dict.fromkeys(curve.target for curve in curves))
    figure, panels = new_panels(len(targets), columns=2, size=_PANEL)
    for axes, target in zip(panels, targets, strict=True):
        _draw_target(axes, target, [curve for curve in curves if curve.target == target])
    return save_figure(figure, path)


def _draw_target(axes: Axes, target: str, curves: Sequence[LayerCurve]) -> None:
    methods = list(dict.fromkeys(curve.method for curve in curves))
    are_few = len(curves) <= _MOST_NAMED
    named: set[str] = set()
    for number, curve in enumerate(curves):
        label = figure_text(_label(curve) if are_few else curve.method)
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
    axes.set_title(
        f"{figure_text(target)} ({figure_text(', '.join(curves[0].splits))})", fontsize=_FONT + 1, loc="left"
    )
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
    # A layer chosen on the split that the results are scored on is chosen on the test scores.
    return notes if set(curve.splits) == {"dev"} else [*notes, "no dev split: scored on the split of the results"]


def _rows(origin: RowLabels, predictions: Artefact) -> list[LayerRow]:
    record, majors = predictions.record(LAYERS_FILE), MAJOR[get_task(origin.target).metric]
    used = record.count("used")
    return [
        LayerRow(
            method=origin.method,
            source=origin.source,
            target=origin.target,
            seed=origin.seed,
            language=item.text("language"),
            layer=item.count("layer"),
            is_used=item.count("layer") == used,
            metric=metric,
            value=float(item.record("scores").number(metric)),
            is_major=metric in majors,
            split=item.text("split"),
            note="; ".join(part for part in (origin.note, item.text("note")) if part),
            variant=origin.variant,
        )
        for item in record.records("layers")
        for metric in item.record("scores")
    ]


def _page(rows: Sequence[LayerRow], folder: Path, table: str, picture: str) -> str:
    curves = layer_curves(rows)
    draw_layers(curves, folder / picture)
    parts = [markdown(layers_grid(curves)), f"![Scores by hidden layer]({picture})\n", f"Data: [{table}]({table}).\n"]
    return "\n".join(parts)


ANALYSIS = Analysis(LayerRow, _rows, _page)
